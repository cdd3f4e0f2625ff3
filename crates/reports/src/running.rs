//! Wiring: from what the service stands on to a server that can be mounted, and its tasks.

use contracts::reports::v1::FileReportRequest;
use contracts::reports::v1::reports_service_server::ReportsServiceServer;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use kit::client::Peer;
use kit::db::Db;
use kit::follow::{Follower, FollowerState};
use kit::group_commit::GroupCommit;
use kit::{Clock, Contract, Error, Ids, idempotency};
use pack::PackSource;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::filing::Filing;
use crate::follow::ReviewFollower;
use crate::rpc::Reports;

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
    /// The packs under which reports are taken.
    pub packs: PackSource,
    /// The rules of the contract, for the items of streams.
    pub contract: Contract,
    /// True once the process is to end.
    pub stop: watch::Receiver<bool>,
}

/// The services that this one follows.
pub struct Peers {
    /// The review service.
    pub review: Peer,
}

/// The running service.
pub struct Running {
    reports: Reports,
    packs: PackSource,
    filing: GroupCommit<Filing>,
    follower: Follower,
    sweep: JoinHandle<()>,
    stop: watch::Receiver<bool>,
}

/// Starts the service's tasks.
///
/// # Errors
/// None at present.
pub async fn start(deps: Deps) -> Result<Running, Error> {
    let Deps { db, clock, ids, peers, packs, contract, stop } = deps;
    let rules = contract.rules_of::<FileReportRequest>();
    let filing = GroupCommit::start_overlapped(&db, Filing);
    let review = ReviewServiceClient::new(peers.review);
    let follower = Follower::start(&db, ReviewFollower::new(review, clock.clone(), ids.clone()));
    let sweep = idempotency::keep_swept(&db, &clock);
    let reports = Reports::new(db, clock, ids, packs.clone(), filing.clone(), rules, stop.clone());
    Ok(Running { reports, packs, filing, follower, sweep, stop })
}

impl Running {
    /// The server to mount.
    pub fn server(&self) -> ReportsServiceServer<Reports> {
        ReportsServiceServer::new(self.reports.clone())
    }

    /// The service itself, for calls within the process.
    pub fn service(&self) -> Reports {
        self.reports.clone()
    }

    /// Asks whether reports can be taken: a pack is known.
    pub fn readiness(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let packs = self.packs.clone();
        move || packs.current().is_ok()
    }

    /// How the following of review stands.
    pub fn following_review(&self) -> FollowerState {
        self.follower.state()
    }

    /// Waits until the effect of review's events up to `token` is stored.
    pub async fn followed_review(&self, token: &str) {
        self.follower.wait_for(token).await;
    }

    /// Waits for the end: after `stop`, until what was accepted is done.
    pub async fn finished(mut self) {
        // An error means that nobody is left to say it.
        let _ = self.stop.wait_for(|stop| *stop).await;
        self.filing.close().await;
        self.follower.stop().await;
        self.sweep.abort();
    }
}
