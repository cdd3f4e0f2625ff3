//! What this process has in memory: the index of protected identities, the thresholds and the
//! population, as of one event of the service's log. Readers never wait for the writer.
//!
//! It must not know where changes come from; [`keeper`](crate::keeper) brings them.

use std::cell::RefCell;
use std::sync::{Arc, RwLock};

use kit::watch::Token;
use kit::{Error, Time};
use tokio::sync::watch;

use crate::crowd::Crowd;
use crate::detect::{Ask, Checked, Engine, Index, Pdq, Profile, Scratch};
use crate::shelf::Shelf;
use crate::thresholds::InForce;

thread_local! {
    /// Space that the checks of a thread use one after the other.
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

/// Which part of the identities this process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub number: u32,
    /// How many there are; 1 for all in one.
    pub count: u32,
}

impl Shard {
    /// All in one.
    pub const WHOLE: Shard = Shard { number: 0, count: 1 };

    /// Whether the identity with this number is in it.
    pub fn holds(self, number: i64) -> bool {
        number.rem_euclid(i64::from(self.count.max(1))) == i64::from(self.number)
    }
}

/// What is read together.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The identities of this shard.
    pub index: Index,
    /// From which probability on what follows.
    pub thresholds: InForce,
    /// The number of the last event that both take into account.
    pub seq: i64,
}

/// How far the memory has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether it is complete, and was current when last looked.
    pub ready: bool,
    /// The number of the last event that it holds.
    pub seq: i64,
    /// The log's name; empty before anything was read.
    pub log_id: String,
    /// While it is rebuilt: how many rows are read.
    pub rebuilt: i64,
    /// While it is rebuilt: how many rows there are.
    pub total: i64,
    /// When a snapshot was last written or read.
    pub snapshot_time: Option<Time>,
}

/// The memory. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shard: Shard,
    engine: Engine,
    crowd: Crowd,
    shelf: Shelf,
    state: RwLock<Arc<State>>,
    progress: watch::Sender<Progress>,
}

impl Memory {
    /// An empty memory, not ready, for so many profiles.
    pub fn new(shard: Shard, engine: Engine, profiles_max: usize) -> Memory {
        let progress = watch::Sender::new(Progress::default());
        let (crowd, state) = (Crowd::new(profiles_max), RwLock::default());
        let shelf = Shelf::default();
        Memory(Arc::new(Inner { shard, engine, crowd, shelf, state, progress }))
    }

    /// What compares.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The population.
    pub fn crowd(&self) -> &Crowd {
        &self.0.crowd
    }

    /// What checks ask for beside the index.
    pub fn shelf(&self) -> &Shelf {
        &self.0.shelf
    }

    /// Asks an index on the caller's thread: a fraction of a millisecond.
    pub fn ask(&self, state: &State, profile: &Profile, ask: Ask) -> Checked {
        SCRATCH.with_borrow_mut(|scratch| self.0.engine.check(&state.index, profile, scratch, ask))
    }

    /// Looks again at a picture of a profile, on the caller's thread: some milliseconds. While the
    /// index is rebuilt it is not all there, and less is seen.
    pub fn look_again(&self, profile: &Profile, windows: &[Pdq]) -> Vec<Pdq> {
        let (state, engine) = (self.state(), self.engine());
        SCRATCH
            .with_borrow_mut(|scratch| engine.look_again(&state.index, profile, windows, scratch))
    }

    /// Which part of the identities it holds.
    pub fn shard(&self) -> Shard {
        self.0.shard
    }

    /// What is known now.
    pub fn state(&self) -> Arc<State> {
        self.0.state.read().unwrap_or_else(|poison| poison.into_inner()).clone()
    }

    /// What is known now, once that is everything.
    ///
    /// # Errors
    /// NOT_READY while the index is rebuilt.
    pub fn ready(&self) -> Result<Arc<State>, Error> {
        if self.0.progress.borrow().ready {
            return Ok(self.state());
        }
        Err(Error::unavailable("NOT_READY").message("the index is being rebuilt: try again"))
    }

    /// Whether checks can be answered.
    pub fn is_ready(&self) -> bool {
        self.0.progress.borrow().ready
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.0.progress.borrow().clone()
    }

    /// Waits until it holds the event with this number and is ready.
    pub async fn reached(&self, seq: i64) {
        let mut progress = self.0.progress.subscribe();
        // The sender lives as long as this memory.
        let _ = progress.wait_for(|progress| progress.ready && progress.seq >= seq).await;
    }

    /// The resume token after the last event that a state holds.
    pub fn position(&self, state: &State) -> String {
        let log_id = self.0.progress.borrow().log_id.clone();
        Token { log_id, seq: state.seq }.encode()
    }

    /// Puts a new state in the place of the old one.
    pub(crate) fn publish(&self, state: State) {
        let seq = state.seq;
        *self.0.state.write().unwrap_or_else(|poison| poison.into_inner()) = Arc::new(state);
        self.0.progress.send_modify(|progress| progress.seq = seq);
    }

    /// Tells how far it has come.
    pub(crate) fn tell(&self, change: impl FnOnce(&mut Progress)) {
        self.0.progress.send_modify(change);
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn every_number_is_in_one_shard() {
        for count in 1..5 {
            for identity in 0..100_i64 {
                let holders =
                    (0..count).filter(|number| Shard { number: *number, count }.holds(identity));
                assert_eq!(holders.count(), 1);
            }
        }
    }
}
