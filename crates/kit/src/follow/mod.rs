//! Following another service's events: each takes effect here exactly once.
//!
//! The resume token is stored in the transaction of the effect, by compare-and-set, so that a
//! crash or a second follower of the same name can repeat nothing. A lease keeps other replicas
//! from doing the same work in vain. It must not know what the events mean.

mod mirror;
mod place;
mod runner;

use std::future::Future;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::Status;

use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::error::Error;
use crate::id::Ids;
use crate::watch::Token;
pub use mirror::Mirror;
use place::Place;
#[doc(hidden)]
pub use place::STATEMENTS;
use runner::Runner;

/// Events applied in one transaction at most.
pub const BATCH_MAX: usize = 128;
/// How long a follower may be silent before another replica takes over.
pub const LEASE: Duration = Duration::from_secs(3);

/// One message of another service's stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<E> {
    /// The resume token after this message.
    pub token: String,
    /// The event; `None` in a checkpoint.
    pub event: Option<E>,
}

/// An open stream.
pub type EventStream<E> = BoxStream<'static, Result<Message<E>, Status>>;

/// Makes an [`EventStream`] of the answer to a Watch RPC.
pub fn stream<S, M, E>(
    messages: S,
    split: impl Fn(M) -> Message<E> + Send + 'static,
) -> EventStream<E>
where
    S: Stream<Item = Result<M, Status>> + Send + 'static,
{
    messages.map(move |message| message.map(&split)).boxed()
}

/// What is followed and what its events do here.
pub trait Follow: Send + Sync + 'static {
    /// The other service's event.
    type Event: Send + Sync + 'static;

    /// The name under which the place in the stream is stored: which stream, for what.
    fn name(&self) -> &'static str;

    /// Opens the stream after `resume_token`; empty means from the start.
    fn open(
        &self,
        resume_token: String,
    ) -> impl Future<Output = Result<EventStream<Self::Event>, Status>> + Send;

    /// The events' effect, in order. Commits with the place in the stream; may run again after
    /// contention. An `Err` means that nothing took effect; the events come again, one by one,
    /// and one that keeps failing holds up the stream rather than being passed over.
    fn apply(
        &self,
        tx: &mut Tx,
        events: &[Self::Event],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Names an event for the log: its id.
    fn describe(&self, event: &Self::Event) -> String;

    /// When the event happened, for the lag.
    fn time(&self, _event: &Self::Event) -> Option<Time> {
        None
    }
}

/// How a follower stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowerState {
    /// The resume token whose effect is stored.
    pub position: String,
    /// True while this process holds the lease.
    pub leading: bool,
    /// True while a stream is open.
    pub connected: bool,
    /// Failures since something last succeeded.
    pub failures: u32,
}

/// A running follower. Dropping it ends it, as [`Follower::stop`] does without waiting.
#[derive(Debug)]
pub struct Follower {
    state: watch::Receiver<FollowerState>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Begins to follow, where the last follower of this name left off.
    ///
    /// Leases and pauses are about real time: they use the system's clock.
    pub fn start<F: Follow>(db: &Db, follow: F) -> Follower {
        let (state, seen) = watch::channel(FollowerState::default());
        let stop = watch::Sender::new(false);
        let mut stopped = stop.subscribe();
        let place = Place::new(db.clone(), follow.name(), Ids::system().new_uuid());
        let runner = Runner::new(place.clone(), follow, state);
        let task = tokio::spawn(async move {
            tokio::select! {
                // An error means that the handle was dropped.
                _ = stopped.wait_for(|stop| *stop) => {}
                () = runner.run() => {}
            }
            if let Err(error) = place.release().await {
                tracing::debug!(%error, "a follower's lease was left to lapse");
            }
        });
        Follower { state: seen, stop, task }
    }

    /// The resume token whose effect is stored.
    pub fn position(&self) -> String {
        self.state.borrow().position.clone()
    }

    /// How it stands.
    pub fn state(&self) -> FollowerState {
        self.state.borrow().clone()
    }

    /// Waits until the effect of everything up to `token` is stored by this follower.
    pub async fn wait_for(&self, token: &str) {
        let wanted = Token::decode(token);
        let mut state = self.state.clone();
        let reached = state.wait_for(|state| match (&wanted, Token::decode(&state.position)) {
            (Some(wanted), Some(at)) => at.log_id == wanted.log_id && at.seq >= wanted.seq,
            _ => state.position == token,
        });
        // An error means that it has ended: there is nothing more to wait for.
        let _ = reached.await;
    }

    /// Ends it and gives the lease back. What was not committed has no effect.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a follower failed");
        }
    }
}
