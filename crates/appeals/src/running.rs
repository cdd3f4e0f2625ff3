//! Wiring: from what the service stands on to a server that can be mounted, and its tasks.

use contracts::appeals::v1::appeals_service_server::AppealsServiceServer;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use kit::client::Peer;
use kit::db::Db;
use kit::follow::{Follower, FollowerState};
use kit::{Clock, Error, Ids, idempotency};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::claims::Claims;
use crate::follow::ReviewFollower;
use crate::rpc::{Appeals, Sources};
use crate::statements::Statements;

/// What the service stands on.
pub struct Deps {
    /// Its database, migrated.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// The services that it follows or asks.
    pub peers: Peers,
    /// True once the process is to end.
    pub stop: watch::Receiver<bool>,
}

/// The services that this one follows or asks.
pub struct Peers {
    /// The review service, followed.
    pub review: Peer,
    /// The account-health service, asked for statements of reasons.
    pub account_health: Peer,
    /// The impersonation service, asked for claims; without one none is appealed against here.
    pub impersonation: Option<Peer>,
}

/// The running service.
pub struct Running {
    appeals: Appeals,
    follower: Follower,
    sweep: JoinHandle<()>,
    stop: watch::Receiver<bool>,
}

/// Starts the service's tasks.
///
/// # Errors
/// None at present.
pub async fn start(deps: Deps) -> Result<Running, Error> {
    let Deps { db, clock, ids, peers, stop } = deps;
    let review = ReviewServiceClient::new(peers.review);
    let follower = Follower::start(&db, ReviewFollower::new(review, clock.clone(), ids.clone()));
    let sweep = idempotency::keep_swept(&db, &clock);
    let sources = Sources {
        statements: Statements::new(peers.account_health),
        claims: Claims::new(peers.impersonation),
    };
    let appeals = Appeals::new(db, clock, ids, sources);
    Ok(Running { appeals, follower, sweep, stop })
}

impl Running {
    /// The server to mount.
    pub fn server(&self) -> AppealsServiceServer<Appeals> {
        AppealsServiceServer::new(self.appeals.clone())
    }

    /// Asks whether appeals can be taken: from the start, since nothing is kept in memory.
    pub fn readiness(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        || true
    }

    /// How the following of review stands.
    pub fn following_review(&self) -> FollowerState {
        self.follower.state()
    }

    /// Waits until the effect of review's events up to `token` is stored.
    pub async fn followed_review(&self, token: &str) {
        self.follower.wait_for(token).await;
    }

    /// Waits for the end: after `stop`, until its tasks have ended.
    pub async fn finished(mut self) {
        // An error means that nobody is left to say it.
        let _ = self.stop.wait_for(|stop| *stop).await;
        self.follower.stop().await;
        self.sweep.abort();
    }
}
