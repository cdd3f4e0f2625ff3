//! The one writer of the memory: builds the index from a snapshot or from the database, then
//! follows this service's own log, so that an identity that any replica took is found by all.
//!
//! It decides nothing; it must not know what checks are for.

mod log;
mod merging;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use contracts::impersonation::v1::protected_identity::State as Standing;
use futures_util::{FutureExt as _, StreamExt as _};
use kit::clock::sleep;
use kit::db::Db;
use kit::events::{self, Head};
use kit::watch::{Item, Token, WatchOptions, WatchStream};
use kit::{Clock, Error};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tonic::Status;

use self::log::{Meanings, Message, message};
use self::merging::Merging;
use crate::detect::{Change, Index, Merged};
use crate::identity::Identity;
use crate::memory::{Memory, State};
use crate::people::{self, Count, People};
use crate::profile::Observed;
use crate::snapshot;
use crate::store::{exemptions, identities, profiles, settings};
use crate::thresholds::{self, InForce};

/// Identities read at once while the index is rebuilt.
const REBUILD_ROWS: usize = 2_000;
/// Profiles read at once when they changed.
const PROFILES_AT_ONCE: usize = 2_000;
/// Messages of the log whose changes are made together.
const BATCH_MESSAGES: usize = 64;
/// Changes after which a snapshot is written.
const SNAPSHOT_CHANGES: usize = 100_000;
/// Threads that build the index.
const BUILD_THREADS: usize = 2;
/// The wait before another try.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// What keeps the memory current.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// What is kept current.
    pub memory: Memory,
    /// Where the truth is.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where snapshots are; none where there is no directory of this process's own.
    pub directory: Option<PathBuf>,
    /// True once it is to end.
    pub stop: watch::Receiver<bool>,
}

impl Keeper {
    /// Keeps the memory current until it is to end.
    pub async fn run(self) {
        while let Err(error) = self.session().await {
            tracing::warn!(%error, "the index will be followed again");
            sleep(RETRY_EVERY).await;
        }
    }

    /// Over once it is to end.
    async fn stopped(&self) {
        // An error means that nobody is left to say it.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Writes a snapshot of what is known now, if there is a place for it and it is complete.
    pub async fn save(&self) {
        if let Some(taken) = self.take() {
            self.write(taken).await;
        }
    }

    /// What a snapshot is to hold. Its tables are its own: what is counted from now on comes again
    /// with the log when it is read. Only while nothing is being changed.
    fn take(&self) -> Option<Taken> {
        let progress = self.memory.progress();
        let directory = self.directory.clone().filter(|_| progress.ready)?;
        let (state, fit) = (self.memory.state(), self.fit(&progress.log_id));
        let path = snapshot::path(&directory, fit.shard);
        let head = snapshot::Head { fit, seq: state.seq };
        Some(Taken { path, head, index: state.index.frozen() })
    }

    /// What a snapshot must fit.
    fn fit(&self, log_id: &str) -> snapshot::Fit {
        let engine = self.memory.engine();
        snapshot::Fit {
            model: engine.version().to_owned(),
            reading: engine.reading(),
            log_id: log_id.to_owned(),
            shard: self.memory.shard(),
        }
    }

    async fn write(&self, taken: Taken) {
        let seq = taken.head.seq;
        let saved = tokio::task::spawn_blocking(move || {
            snapshot::write(&taken.path, &taken.head, &taken.index)
        });
        match saved.await.map_err(std::io::Error::other).flatten() {
            Ok(()) => {
                let now = self.clock.now();
                self.memory.tell(|progress| progress.snapshot_time = Some(now));
                tracing::info!(seq, "a snapshot of the index was written");
            }
            Err(error) => tracing::warn!(%error, "no snapshot of the index was written"),
        }
    }

    /// From an index that is complete as of some event to losing the log, or to the end.
    async fn session(&self) -> Result<(), Status> {
        let head = events::head(&self.db).await.map_err(Error::from)?;
        if !self.known(&head) {
            self.memory.tell(|progress| {
                progress.ready = false;
                progress.log_id.clone_from(&head.log_id);
            });
            let state = tokio::select! {
                state = self.state(&head) => state?,
                () = self.stopped() => return Ok(()),
            };
            self.note_exempt().await?;
            self.memory.publish(state);
        }
        let token = Token { log_id: head.log_id, seq: self.memory.state().seq }.encode();
        let options = WatchOptions::default();
        let render = |item: Item<'_>| message(&item).map(Some);
        let log = kit::watch::watch(&self.db, &token, options, render).await?;
        self.follow(log).await
    }

    /// All that is to be in memory, as of some event. With the index of a snapshot come its tables
    /// of common names and pictures, and the population is read beside what follows.
    async fn state(&self, head: &Head) -> Result<State, Error> {
        match self.load(head).await {
            Some(state) => {
                self.memory.crowd().ask();
                Ok(state)
            }
            None => self.rebuild().await,
        }
    }

    /// Notes all accounts that have exemptions; later ones are in the log.
    async fn note_exempt(&self) -> Result<(), Error> {
        let (shelf, mut after) = (self.memory.shelf(), String::new());
        loop {
            let page = exemptions::accounts(&self.db, &after, REBUILD_ROWS).await?;
            shelf.note_exempt(page.iter().map(String::as_str));
            let Some(last) = page.into_iter().last() else { break };
            after = last;
        }
        shelf.all_exempt_noted();
        Ok(())
    }

    /// Whether what is in memory can be brought up to date from the log.
    fn known(&self, head: &Head) -> bool {
        let (progress, seq) = (self.memory.progress(), self.memory.state().seq);
        progress.ready && progress.log_id == head.log_id && (head.trimmed..=head.seq).contains(&seq)
    }

    async fn in_force(&self) -> Result<InForce, Error> {
        let set = settings::thresholds(&self.db).await?;
        let thresholds = thresholds::in_force(set.as_ref(), self.memory.engine());
        Ok(InForce::of(&thresholds))
    }

    /// The index of the last snapshot, if it fits.
    async fn load(&self, head: &Head) -> Option<State> {
        let (directory, fit) = (self.directory.clone()?, self.fit(&head.log_id));
        let read = tokio::task::spawn_blocking(move || {
            snapshot::read(&snapshot::path(&directory, fit.shard), &fit)
        });
        let (seq, index) = match read.await.map_err(std::io::Error::other).flatten() {
            Ok(read) => read,
            Err(error) => {
                tracing::info!(%error, "the index is rebuilt from the database");
                return None;
            }
        };
        if !(head.trimmed..=head.seq).contains(&seq) {
            tracing::info!(seq, "the snapshot is too old: the index is rebuilt");
            return None;
        }
        if index.is_outgrown() {
            let identities = index.len();
            tracing::info!(identities, "the index has outgrown its tables: it is rebuilt");
            return None;
        }
        let thresholds = self.in_force().await.ok()?;
        let now = self.clock.now();
        self.memory.tell(|progress| progress.snapshot_time = Some(now));
        Some(State { index, thresholds, seq })
    }

    /// The index and the population from the database. What changes meanwhile comes again with the
    /// log, which is followed from where it stood before the first row was read: profiles that were
    /// new by then are counted here, later ones with their events.
    async fn rebuild(&self) -> Result<State, Error> {
        let (seq, last) = profiles::stand(&self.db).await?;
        let identities = identities::last_number(&self.db).await?;
        let total = identities + last;
        self.memory.tell(|progress| (progress.rebuilt, progress.total) = (0, total));
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = identities::all(&self.db, after, REBUILD_ROWS).await?;
            let Some(last) = page.last() else { break };
            after = last.number;
            let shard = self.memory.shard();
            let held = page.iter().filter(|identity| {
                identity.state == Standing::Active && shard.holds(identity.number)
            });
            all.extend(held.map(Identity::compared));
            self.memory.tell(|progress| progress.rebuilt = after);
        }
        kit::fault::point("index_read");
        let engine = self.memory.engine().clone();
        let index = tokio::task::spawn_blocking(move || engine.build(&all, BUILD_THREADS));
        let index = index.await.map_err(Error::internal)?;
        self.memory.tell(|progress| progress.rebuilt = identities);
        let people = People { memory: self.memory.clone(), db: self.db.clone() };
        people.read(Some(Count { index: index.clone(), last })).await?;
        Ok(State { index, thresholds: self.in_force().await?, seq })
    }

    async fn follow(&self, mut log: WatchStream<Message>) -> Result<(), Status> {
        // An index that was not read from a snapshot is worth one at once.
        let mut changes = if self.read_snapshot() { 0 } else { SNAPSHOT_CHANGES };
        let mut saving: Option<JoinHandle<()>> = None;
        let mut merging = Merging::new();
        loop {
            let (messages, end) = tokio::select! {
                ready = ready(&mut log) => ready,
                merged = merging.next(&self.memory) => {
                    if let Some(merged) = merged {
                        self.merged(merged).await?;
                    }
                    merging.begin(&self.memory);
                    continue;
                }
                () = self.stopped() => return Ok(()),
            };
            if let Some(last) = messages.last() {
                let (seq, caught_up) = (last.seq, messages.iter().any(|m| m.caught_up));
                let Applied { identities, profiles } = self.apply(messages, seq).await?;
                changes += identities + profiles;
                if identities > 0 {
                    merging.changed();
                }
                if caught_up {
                    self.memory.tell(|progress| progress.ready = true);
                }
            }
            if let Some(end) = end {
                return Err(end);
            }
            merging.begin(&self.memory);
            let free = saving.as_ref().is_none_or(JoinHandle::is_finished);
            if changes >= SNAPSHOT_CHANGES
                && free
                && self.memory.is_ready()
                && let Some(taken) = self.take()
            {
                changes = 0;
                let keeper = self.clone();
                saving = Some(tokio::spawn(async move { keeper.write(taken).await }));
            }
        }
    }

    /// Takes a merge that was done beside the changes.
    async fn merged(&self, merged: Result<Merged, JoinError>) -> Result<(), Error> {
        let merged = merged.map_err(Error::internal)?;
        let mut state = State::clone(&self.memory.state());
        let index = state.index;
        let with = tokio::task::spawn_blocking(move || index.with_merged(merged));
        state.index = with.await.map_err(Error::internal)?;
        self.memory.publish(state);
        Ok(())
    }

    fn read_snapshot(&self) -> bool {
        self.memory.progress().snapshot_time.is_some()
    }

    /// Makes the changes of some messages.
    async fn apply(&self, messages: Vec<Message>, seq: i64) -> Result<Applied, Error> {
        let all = Meanings::of(messages);
        self.memory.shelf().note_exempt(all.exempted.iter().map(String::as_str));
        let observed = self.observed(&all).await?;
        let mut state = State::clone(&self.memory.state());
        state.seq = seq;
        if all.thresholds {
            state.thresholds = self.in_force().await?;
        }
        let mut changed = 0;
        if !all.identities.is_empty() {
            let ids = all.identities.iter().map(String::as_str);
            let rows = identities::some(&self.db, ids).await?;
            self.memory.shelf().take_off(rows.iter().map(|identity| identity.number));
            let shard = self.memory.shard();
            let held = rows.iter().filter(|identity| shard.holds(identity.number));
            let changes: Vec<Change> = held.map(change).collect();
            changed = changes.len();
            let (index, engine) = (state.index, self.memory.engine().clone());
            let after = tokio::task::spawn_blocking(move || engine.after(&index, &changes));
            state.index = after.await.map_err(Error::internal)?;
        }
        // Nothing is waited for from here on, so that what is counted and up to where is one.
        let known: HashMap<&str, &Observed> =
            observed.iter().map(|row| (row.profile.account_id.as_str(), row)).collect();
        for row in all.restyled.iter().filter_map(|id| known.get(id.as_str())) {
            self.memory.engine().observe(&state.index, &row.profile);
        }
        self.memory.publish(state);
        Ok(Applied { identities: changed, profiles: all.restyled.len() })
    }

    /// Brings the population up to date, as far as it is in memory; answers the rows of accounts
    /// whose names and pictures are to be counted.
    async fn observed(&self, all: &Meanings) -> Result<Vec<Observed>, Error> {
        let mut counted = Vec::new();
        if all.accounts.is_empty() {
            return Ok(counted);
        }
        let (crowd, engine) = (self.memory.crowd(), self.memory.engine());
        let wanted = crowd.wants(&all.accounts);
        let asked = if wanted { &all.accounts } else { &all.restyled };
        for some in asked.chunks(PROFILES_AT_ONCE) {
            let rows = profiles::some(&self.db, some.iter().map(String::as_str)).await?;
            if wanted {
                crowd.put(&people::news(engine, some, &rows));
            }
            counted.extend(rows);
        }
        Ok(counted)
    }
}

/// How many changes were made.
#[derive(Debug)]
struct Applied {
    identities: usize,
    profiles: usize,
}

/// What a snapshot is to hold, and where.
#[derive(Debug)]
struct Taken {
    path: PathBuf,
    head: snapshot::Head,
    index: Index,
}

/// What a row means for the index.
fn change(identity: &Identity) -> Change {
    match identity.state {
        Standing::Active => Change::Set(identity.compared()),
        _ => Change::Remove(identity.number.unsigned_abs()),
    }
}

/// The next message, those that are ready behind it, and why there will be no more.
async fn ready(log: &mut WatchStream<Message>) -> (Vec<Message>, Option<Status>) {
    let mut messages = Vec::new();
    let mut next = Some(log.next().await);
    while let Some(message) = next {
        match message {
            Some(Ok(message)) => messages.push(message),
            Some(Err(status)) => return (messages, Some(status)),
            None => return (messages, Some(Status::unavailable("the log ended"))),
        }
        if messages.len() >= BATCH_MESSAGES {
            break;
        }
        next = log.next().now_or_never();
    }
    (messages, None)
}
