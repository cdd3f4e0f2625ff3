//! Wiring: from what the service stands on to a server that can be mounted, and its tasks.

use contracts::impersonation::v1::impersonation_service_server::ImpersonationServiceServer;
use kit::db::Db;
use kit::{Clock, Contract, Error, Ids, idempotency};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::rpc::{Impersonation, Inner};

/// What the service stands on.
pub struct Deps {
    /// Its database, migrated.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// The rules of the contract, for the items of streams.
    pub contract: Contract,
    /// True once the process is to end.
    pub stop: watch::Receiver<bool>,
}

/// The running service.
pub struct Running {
    service: Impersonation,
    sweep: JoinHandle<()>,
    stop: watch::Receiver<bool>,
}

/// Starts the service's tasks.
///
/// # Errors
/// None at present.
pub async fn start(deps: Deps) -> Result<Running, Error> {
    let Deps { db, clock, ids, contract: _, stop } = deps;
    let sweep = idempotency::keep_swept(&db, &clock);
    let service = Impersonation::new(Inner { db, clock, ids });
    Ok(Running { service, sweep, stop })
}

impl Running {
    /// The server to mount.
    pub fn server(&self) -> ImpersonationServiceServer<Impersonation> {
        ImpersonationServiceServer::new(self.service.clone())
    }

    /// Asks whether checks can be answered.
    pub fn readiness(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        || true
    }

    /// Waits for the end: after `stop`, until what was accepted is done.
    pub async fn finished(mut self) {
        // An error means that nobody is left to say it.
        let _ = self.stop.wait_for(|stop| *stop).await;
        self.sweep.abort();
    }
}
