//! Wiring: from what the service stands on to a server that can be mounted, and its tasks.

use std::sync::Arc;

use contracts::accounthealth::v1::account_health_service_server::AccountHealthServiceServer;
use contracts::policy::v1::policy_service_client::PolicyServiceClient;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use kit::client::Peer;
use kit::db::Db;
use kit::follow::{Follower, FollowerState};
use kit::{Clock, Error, Ids};
use pack::PackSource;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::eligibility::Eligibility;
use crate::follow::{PolicyFollower, ReviewFollower};
use crate::rpc::AccountHealth;
use crate::sweep::Sweep;

/// What the service stands on.
pub struct Deps {
    /// Its database, migrated.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// The services that it follows.
    pub peers: Peers,
    /// The packs that price violations and word statements.
    pub packs: PackSource,
    /// True once the process is to end.
    pub stop: watch::Receiver<bool>,
}

/// The services that this one follows.
pub struct Peers {
    /// The review service, for decisions.
    pub review: Peer,
    /// The policy service, for which pack is in force since when.
    pub policy: Peer,
}

/// The running service.
pub struct Running {
    service: AccountHealth,
    policy: Follower,
    review: Follower,
    sweep: JoinHandle<()>,
    loading: JoinHandle<()>,
    stop: watch::Receiver<bool>,
}

/// Starts the service's tasks.
///
/// # Errors
/// None at present.
pub async fn start(deps: Deps) -> Result<Running, Error> {
    let Deps { db, clock, ids, peers, packs, stop } = deps;
    let policy = PolicyFollower {
        client: PolicyServiceClient::new(peers.policy),
        packs: packs.clone(),
        clock: clock.clone(),
    };
    let review = ReviewFollower {
        client: ReviewServiceClient::new(peers.review),
        db: db.clone(),
        packs: packs.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
    };
    let eligibility = Arc::new(Eligibility::default());
    let loading = {
        let (db, eligibility) = (db.clone(), Arc::clone(&eligibility));
        tokio::spawn(async move { eligibility.follow(&db).await })
    };
    let policy = Follower::start(&db, policy);
    let review = Follower::start(&db, review);
    let service = AccountHealth { db, clock, ids, packs, eligibility };
    let sweep = tokio::spawn(service.sweep().run());
    Ok(Running { service, policy, review, sweep, loading, stop })
}

impl AccountHealth {
    /// The service over a database, without its tasks; for tests.
    pub fn new(db: Db, clock: Clock, ids: Ids, packs: PackSource) -> AccountHealth {
        AccountHealth { db, clock, ids, packs, eligibility: Arc::default() }
    }

    /// Its sweep.
    pub fn sweep(&self) -> Sweep {
        Sweep {
            db: self.db.clone(),
            packs: self.packs.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        }
    }

    /// What it knows of restrictions.
    pub fn eligibility(&self) -> Arc<Eligibility> {
        Arc::clone(&self.eligibility)
    }
}

impl Running {
    /// The server to mount.
    pub fn server(&self) -> AccountHealthServiceServer<AccountHealth> {
        AccountHealthServiceServer::new(self.service.clone())
    }

    /// The service itself, for calls within the process.
    pub fn service(&self) -> AccountHealth {
        self.service.clone()
    }

    /// Asks whether everything can be answered: a pack is known and the restrictions are loaded.
    pub fn readiness(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let service = self.service.clone();
        move || service.packs.current().is_ok() && service.eligibility.is_ready()
    }

    /// How the following of review stands.
    pub fn following_review(&self) -> FollowerState {
        self.review.state()
    }

    /// Waits until the effect of review's events up to `token` is stored.
    pub async fn followed_review(&self, token: &str) {
        self.review.wait_for(token).await;
    }

    /// How the following of policy stands.
    pub fn following_policy(&self) -> FollowerState {
        self.policy.state()
    }

    /// Waits until the effect of policy's events up to `token` is stored.
    pub async fn followed_policy(&self, token: &str) {
        self.policy.wait_for(token).await;
    }

    /// Waits for the end: after `stop`, until its tasks have ended.
    pub async fn finished(mut self) {
        // An error means that nobody is left to say it.
        let _ = self.stop.wait_for(|stop| *stop).await;
        self.review.stop().await;
        self.policy.stop().await;
        self.sweep.abort();
        self.loading.abort();
    }
}
