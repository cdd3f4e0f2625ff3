//! Wiring: from what the service stands on to a server that can be mounted, and its tasks.

use std::time::Duration;

use contracts::appeals::v1::appeals_service_client::AppealsServiceClient;
use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::reports::v1::reports_service_client::ReportsServiceClient;
use contracts::review::v1::review_service_server::ReviewServiceServer;
use kit::client::Peer;
use kit::db::Db;
use kit::follow::{Follower, FollowerState};
use kit::{Clock, Error, Ids, idempotency, tx};
use pack::PackSource;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::follow::{AppealsFollower, ImpersonationFollower, ReportsFollower};
use crate::lease;
use crate::rpc::Review;
use crate::store::claim::EXPIRED_MAX;

/// How often expired leases are taken back. A claim does not wait for it: it takes back itself
/// what has expired.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Sweeps between two looks for cases in queues that the pack no longer has; a new pack is
/// looked at in the next sweep.
const SWEEPS_PER_REROUTE: u32 = 60;
/// Sweeps between two deletions of answers that are kept no longer.
const SWEEPS_PER_HOUSEKEEPING: u32 = 3_600;

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
    /// The packs under which cases are queued and decided.
    pub packs: PackSource,
    /// True once the process is to end.
    pub stop: watch::Receiver<bool>,
}

/// The services that this one follows.
pub struct Peers {
    /// The reports service.
    pub reports: Peer,
    /// The appeals service.
    pub appeals: Peer,
    /// The impersonation service; none where it is not deployed.
    pub impersonation: Option<Peer>,
}

/// The running service.
pub struct Running {
    review: Review,
    reports: Follower,
    appeals: Follower,
    impersonation: Option<Follower>,
    sweep: JoinHandle<()>,
    stop: watch::Receiver<bool>,
}

/// Starts the service's tasks.
///
/// # Errors
/// None at present.
pub async fn start(deps: Deps) -> Result<Running, Error> {
    let Deps { db, clock, ids, peers, packs, stop } = deps;
    let reports = ReportsFollower {
        client: ReportsServiceClient::new(peers.reports),
        packs: packs.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
    };
    let appeals = AppealsFollower {
        client: AppealsServiceClient::new(peers.appeals),
        packs: packs.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
    };
    let impersonation = peers.impersonation.map(|peer| ImpersonationFollower {
        client: ImpersonationServiceClient::new(peer),
        packs: packs.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
    });
    let reports = Follower::start(&db, reports);
    let appeals = Follower::start(&db, appeals);
    let impersonation = impersonation.map(|follower| Follower::start(&db, follower));
    let review = Review::new(db, clock, ids, packs);
    let sweep = tokio::spawn(sweeping(review.clone()));
    Ok(Running { review, reports, appeals, impersonation, sweep, stop })
}

impl Running {
    /// The server to mount.
    pub fn server(&self) -> ReviewServiceServer<Review> {
        ReviewServiceServer::new(self.review.clone())
    }

    /// The service itself, for calls within the process.
    pub fn service(&self) -> Review {
        self.review.clone()
    }

    /// Asks whether cases can be claimed and decided: a pack is known.
    pub fn readiness(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let packs = self.review.packs.clone();
        move || packs.current().is_ok()
    }

    /// How the following of reports stands.
    pub fn following_reports(&self) -> FollowerState {
        self.reports.state()
    }

    /// Waits until the effect of reports' events up to `token` is stored.
    pub async fn followed_reports(&self, token: &str) {
        self.reports.wait_for(token).await;
    }

    /// How the following of appeals stands.
    pub fn following_appeals(&self) -> FollowerState {
        self.appeals.state()
    }

    /// Waits until the effect of appeals' events up to `token` is stored.
    pub async fn followed_appeals(&self, token: &str) {
        self.appeals.wait_for(token).await;
    }

    /// Waits for the end: after `stop`, until its tasks have ended.
    pub async fn finished(mut self) {
        // An error means that nobody is left to say it.
        let _ = self.stop.wait_for(|stop| *stop).await;
        self.reports.stop().await;
        self.appeals.stop().await;
        if let Some(impersonation) = self.impersonation {
            impersonation.stop().await;
        }
        self.sweep.abort();
    }
}

/// Takes back every expired lease, and moves every free case out of queues that the active pack
/// does not have. Answers how many cases it changed.
///
/// # Errors
/// If the database cannot be changed.
pub async fn sweep(review: &Review, reroute: bool) -> Result<usize, Error> {
    let now = review.clock.now();
    let mut changed = 0;
    loop {
        let freed = tx!(review.db, "take_back_leases", |tx| -> Result<usize, Error> {
            Ok(lease::take_back(tx, &review.ids, now).await?)
        })?;
        changed += freed;
        if freed < EXPIRED_MAX {
            break;
        }
    }
    // Before the first pack there is no queue to move to, nor a case to move.
    let Some(pack) = review.packs.current().ok().filter(|_| reroute) else {
        return Ok(changed);
    };
    loop {
        let moved = tx!(review.db, "reroute_cases", |tx| -> Result<usize, Error> {
            Ok(lease::reroute(tx, &pack, now).await?)
        })?;
        changed += moved;
        if moved == 0 {
            return Ok(changed);
        }
    }
}

async fn sweeping(review: Review) {
    let mut version = 0;
    let mut sweeps = 0_u32;
    loop {
        let active = review.packs.current().map_or(0, |pack| pack.version());
        let reroute = active != version || sweeps.is_multiple_of(SWEEPS_PER_REROUTE);
        match sweep(&review, reroute).await {
            Ok(0) => version = active,
            Ok(changed) => {
                version = active;
                tracing::debug!(changed, "took back leases and moved cases");
            }
            Err(error) => tracing::warn!(%error, "leases were not taken back, will try again"),
        }
        if sweeps.is_multiple_of(SWEEPS_PER_HOUSEKEEPING)
            && let Err(error) = idempotency::sweep(&review.db, review.clock.now()).await
        {
            tracing::warn!(%error, "old answers were not deleted, will try again");
        }
        sweeps = sweeps.wrapping_add(1);
        kit::clock::sleep(SWEEP_EVERY).await;
    }
}
