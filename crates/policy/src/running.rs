//! Wiring: from what the service stands on to a server that can be mounted, and its tasks.

use contracts::policy::v1::policy_service_server::PolicyServiceServer;
use kit::db::Db;
use kit::{Clock, Error, Ids, idempotency};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::rpc::Policies;

/// What the service stands on. It follows nobody and works under no pack but those that it holds.
pub struct Deps {
    /// Its database, migrated.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// True once the process is to end.
    pub stop: watch::Receiver<bool>,
}

/// The running service.
pub struct Running {
    policies: Policies,
    sweep: JoinHandle<()>,
    stop: watch::Receiver<bool>,
}

/// Starts the service's tasks.
///
/// # Errors
/// None at present.
pub async fn start(deps: Deps) -> Result<Running, Error> {
    let Deps { db, clock, ids, stop } = deps;
    let sweep = idempotency::keep_swept(&db, &clock);
    Ok(Running { policies: Policies::new(db, clock, ids), sweep, stop })
}

impl Running {
    /// The server to mount.
    pub fn server(&self) -> PolicyServiceServer<Policies> {
        PolicyServiceServer::new(self.policies.clone())
    }

    /// The service itself, for calls within the process.
    pub fn service(&self) -> Policies {
        self.policies.clone()
    }

    /// Asks whether calls can be answered. Always: it needs nobody else, and publishing the first
    /// pack must be possible while there is none.
    pub fn readiness(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        || true
    }

    /// Waits for the end: after `stop`, until its tasks have ended.
    pub async fn finished(mut self) {
        // An error means that nobody is left to say it.
        let _ = self.stop.wait_for(|stop| *stop).await;
        self.sweep.abort();
    }
}
