//! Merging segments of the index beside the changes: what is due at once, and when nobody has
//! changed for a while what makes checks faster.
//!
//! It must not know what changes an index, or where it comes from.

use std::time::Duration;

use kit::clock::{Stopwatch, sleep};
use tokio::task::{JoinError, JoinHandle};

use crate::detect::Merged;
use crate::memory::Memory;

/// For how long no identity must have changed before segments are merged that need not be.
const QUIET: Duration = Duration::from_secs(1);

/// The merge under way, if there is one.
#[derive(Debug)]
pub struct Merging {
    under_way: Option<JoinHandle<Merged>>,
    changed: Stopwatch,
}

impl Merging {
    /// None yet.
    pub fn new() -> Merging {
        Merging { under_way: None, changed: Stopwatch::start() }
    }

    /// Identities have changed: more may follow at once.
    pub fn changed(&mut self) {
        self.changed = Stopwatch::start();
    }

    /// Begins the merge that is due, or worth while in quiet times, unless one is under way.
    pub fn begin(&mut self, memory: &Memory) {
        if self.under_way.is_some() {
            return;
        }
        let (index, is_quiet) = (&memory.state().index, self.changed.elapsed() >= QUIET);
        let due = index.merge_due();
        let due = due.or_else(|| index.merge_worth_while().filter(|_| is_quiet));
        if let Some(due) = due {
            let engine = memory.engine().clone();
            self.under_way = Some(tokio::task::spawn_blocking(move || engine.merge(due)));
        }
    }

    /// The merge under way, once it is done; none when it is quiet enough to begin one. May be
    /// dropped at any moment.
    pub async fn next(&mut self, memory: &Memory) -> Option<Result<Merged, JoinError>> {
        if let Some(merging) = &mut self.under_way {
            let merged = merging.await;
            self.under_way = None;
            return Some(merged);
        }
        match memory.state().index.merge_worth_while() {
            Some(_) => sleep(QUIET.saturating_sub(self.changed.elapsed())).await,
            None => std::future::pending().await,
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Change, Engine, Identity};
    use crate::memory::{Shard, State};

    #[tokio::test]
    async fn what_need_not_be_merged_is_when_nobody_changes_it() {
        let engine = Engine::shipped();
        let identity = |number| {
            let handle = format!("creator{number}");
            Identity { number, handle, ..Identity::default() }
        };
        // Neither is so small that it is merged at once, and the first is larger than the second.
        let index = engine.build(&(0..5_000).map(identity).collect::<Vec<_>>(), 1);
        let more: Vec<Change> =
            (5_000..7_100).map(|number| Change::Set(identity(number))).collect();
        let index = engine.after(&index, &more);
        assert_eq!((index.segments().len(), index.merge_due().is_none()), (2, true));
        let memory = Memory::new(Shard::WHOLE, engine, 0);
        memory.publish(State { index, ..State::default() });

        let mut merging = Merging::new();
        merging.begin(&memory);
        assert!(merging.under_way.is_none(), "somebody has changed it just now");
        let merged = loop {
            match merging.next(&memory).await {
                Some(merged) => break merged.expect("a merge that ends well"),
                None => merging.begin(&memory),
            }
        };
        let merged = memory.state().index.with_merged(merged);
        assert_eq!((merged.segments().len(), merged.len()), (1, 7_100));
        assert!(merging.under_way.is_none() && merged.merge_worth_while().is_none());
    }
}
