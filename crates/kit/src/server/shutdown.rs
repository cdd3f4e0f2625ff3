//! The end of a server: a signal that everything which lives long listens to.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::watch;

/// Tells when the server begins to stop. Cheap to clone.
#[derive(Clone)]
pub(super) struct Shutdown(watch::Receiver<bool>);

/// Begins the end when told, or when dropped.
pub(super) struct ShutdownTrigger(watch::Sender<bool>);

/// Ready once the server begins to stop.
pub(super) type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A trigger and what it triggers.
pub(super) fn shutdown() -> (ShutdownTrigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownTrigger(sender), Shutdown(receiver))
}

impl ShutdownTrigger {
    pub fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// A future for one listener.
    pub fn signal(&self) -> Signal {
        let mut receiver = self.0.clone();
        Box::pin(async move {
            // An error means that the trigger is gone, which is the end as well.
            let _ended = receiver.wait_for(|begun| *begun).await;
        })
    }
}

/// Waits for SIGTERM or Ctrl-C.
///
/// # Errors
/// If the process cannot listen to signals.
pub async fn shutdown_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupt = tokio::signal::ctrl_c() => interrupt,
    }
}
