//! Wiring: from what the service stands on to a server that can be mounted, and its tasks.

use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::insights::v1::insights_service_server::InsightsServiceServer;
use kit::client::Peer;
use kit::db::Db;
use kit::follow::{Follower, FollowerState};
use kit::{Clock, Error};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::follow::ImpersonationFollower;
use crate::gauges::Gauges;
use crate::rpc::Insights;

/// What the service stands on.
pub struct Deps {
    /// Its database, migrated.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// The services that it follows.
    pub peers: Peers,
    /// True once the process is to end.
    pub stop: watch::Receiver<bool>,
}

/// The services that this one follows.
pub struct Peers {
    /// The impersonation service.
    pub impersonation: Peer,
}

/// The running service.
pub struct Running {
    insights: Insights,
    impersonation: Follower,
    gauges: JoinHandle<()>,
    stop: watch::Receiver<bool>,
}

/// Starts the service's tasks.
///
/// # Errors
/// None at present.
pub async fn start(deps: Deps) -> Result<Running, Error> {
    let Deps { db, clock, peers, stop } = deps;
    let client = ImpersonationServiceClient::new(peers.impersonation);
    let impersonation = Follower::start(&db, ImpersonationFollower::new(client));
    let gauges = tokio::spawn(Gauges { db: db.clone(), clock: clock.clone() }.run());
    Ok(Running { insights: Insights::new(db, clock), impersonation, gauges, stop })
}

impl Running {
    /// The server to mount.
    pub fn server(&self) -> InsightsServiceServer<Insights> {
        InsightsServiceServer::new(self.insights.clone())
    }

    /// The service itself, to be asked without a socket.
    pub fn service(&self) -> Insights {
        self.insights.clone()
    }

    /// Asks whether it can answer: from the start, with what it has counted so far.
    pub fn readiness(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        || true
    }

    /// How the following of impersonation stands.
    pub fn following_impersonation(&self) -> FollowerState {
        self.impersonation.state()
    }

    /// Waits for the end: after `stop`, until its tasks have ended.
    pub async fn finished(mut self) {
        // An error means that nobody is left to say it.
        let _ = self.stop.wait_for(|stop| *stop).await;
        self.impersonation.stop().await;
        self.gauges.abort();
    }
}
