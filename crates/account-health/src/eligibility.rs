//! Who may do what, in memory: the restrictions of every account that has any, read without a
//! lock that anyone holds for long and without a trip to the database.
//!
//! Loaded page by page at the start, then kept current from this service's own event log, which
//! wakes up at every commit of this process and within milliseconds for those of others. The
//! end of a restriction needs no event: it is compared with the clock.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use contracts::accounthealth::v1 as proto;
use contracts::accounthealth::v1::account_health_event::Event;
use contracts::types::v1::Feature;
use futures_util::StreamExt as _;
use kit::db::Db;
use kit::watch::WatchOptions;
use kit::{Error, Time, clock, events};
use tonic::Status;

use crate::change::STANDING_CHANGED;
use crate::store::accounts;

/// Parts of the map, each with its own lock: a writer stops only the readers of its part.
const SHARDS: usize = 64;
/// Accounts read from the database at once while loading.
const LOAD_PAGE: i64 = 1_000;
/// Accounts between two words about how far loading is.
const PROGRESS_EVERY: usize = 100_000;
/// How long to wait before loading again after the log or the database was lost.
const RELOAD_AFTER: Duration = Duration::from_millis(500);

/// The restrictions of all accounts that have any.
#[derive(Debug)]
pub struct Eligibility {
    shards: Vec<RwLock<Shard>>,
    hasher: RandomState,
    ready: AtomicBool,
}

type Shard = HashMap<Box<str>, Box<[Held]>>;

/// A restriction, ready to be compared.
#[derive(Clone, Debug)]
struct Held {
    feature: Feature,
    /// The latest instant there is if there is no end in sight.
    end: Time,
    restriction: proto::Restriction,
}

impl Held {
    fn of(restriction: &proto::Restriction) -> Held {
        let end = restriction.end_time.as_ref().and_then(Time::from_timestamp);
        Held {
            feature: restriction.feature(),
            end: end.unwrap_or(Time::from_micros(i64::MAX)),
            restriction: restriction.clone(),
        }
    }
}

impl Default for Eligibility {
    fn default() -> Eligibility {
        Eligibility {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            ready: AtomicBool::new(false),
        }
    }
}

impl Eligibility {
    /// What stands against an account's use of a feature at an instant; nothing allocated, and
    /// an empty answer, if nothing does. A restriction of the whole account is one of every
    /// feature.
    ///
    /// # Errors
    /// NOT_READY before everything is loaded.
    pub fn against(
        &self,
        account_id: &str,
        feature: Feature,
        at: Time,
    ) -> Result<Vec<proto::Restriction>, Error> {
        if !self.is_ready() {
            return Err(Error::unavailable("NOT_READY")
                .message("the restrictions have not been loaded yet")
                .meta("waiting_for", "eligibility"));
        }
        let shard = self.shard(account_id).read().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = shard.get(account_id) else { return Ok(Vec::new()) };
        let against = |one: &&Held| {
            (one.feature == feature || one.feature == Feature::Account) && at < one.end
        };
        Ok(held.iter().filter(against).map(|one| one.restriction.clone()).collect())
    }

    /// Whether everything is loaded.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// How many accounts have restrictions.
    pub fn len(&self) -> usize {
        let count =
            |shard: &RwLock<Shard>| shard.read().unwrap_or_else(PoisonError::into_inner).len();
        self.shards.iter().map(count).sum()
    }

    /// Whether no account has restrictions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes over how an account stands now.
    pub fn set(&self, standing: &proto::Standing) {
        let held: Box<[Held]> = standing.restrictions.iter().map(Held::of).collect();
        let account_id = standing.account_id.as_str();
        let mut shard = self.shard(account_id).write().unwrap_or_else(PoisonError::into_inner);
        if held.is_empty() {
            shard.remove(account_id);
        } else {
            shard.insert(account_id.into(), held);
        }
    }

    /// Loads everything and keeps it current until it is dropped. After a failure what was there
    /// goes on answering until everything is loaded anew.
    pub async fn follow(&self, db: &Db) {
        loop {
            if let Err(error) = self.session(db).await {
                tracing::warn!(%error, "restrictions will be loaded again");
            }
            clock::sleep(RELOAD_AFTER).await;
        }
    }

    async fn session(&self, db: &Db) -> Result<(), Status> {
        // The log from before the tables are read: what comes meanwhile is applied after them.
        let token = events::head_token(db).await?;
        let fresh = Eligibility { hasher: self.hasher.clone(), ..Eligibility::default() };
        fresh.load(db).await?;
        let loaded = events::head(db).await?.seq;
        let mut changes = kit::watch::watch(db, &token, WatchOptions::default(), |item| {
            let Some(event) = item.event else { return Ok(Some(Change::CaughtUp)) };
            if event.kind != STANDING_CHANGED {
                return Ok(Some(Change::Other(event.seq)));
            }
            match event.decode::<proto::AccountHealthEvent>()?.event {
                Some(Event::StandingChanged(changed)) => {
                    Ok(Some(Change::Standing(event.seq, changed.standing.unwrap_or_default())))
                }
                _ => Ok(Some(Change::Other(event.seq))),
            }
        })
        .await?;
        let mut loading = Some(fresh);
        while let Some(change) = changes.next().await {
            let seq = match change? {
                Change::Standing(seq, standing) => {
                    loading.as_ref().unwrap_or(self).set(&standing);
                    seq
                }
                Change::Other(seq) => seq,
                // All that was there when the stream was opened, which is after `loaded`.
                Change::CaughtUp => loaded,
            };
            if let Some(fresh) = loading.take_if(|_| seq >= loaded) {
                self.replace_by(fresh);
            }
        }
        Ok(())
    }

    async fn load(&self, db: &Db) -> Result<(), Error> {
        let total = accounts::count_restricted(db).await?;
        let (mut after, mut loaded) = (String::new(), 0_usize);
        loop {
            let page = accounts::restricted(db, &after, LOAD_PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.account_id);
            let before = loaded / PROGRESS_EVERY;
            loaded += page.len();
            page.iter().for_each(|standing| self.set(standing));
            if loaded / PROGRESS_EVERY > before {
                tracing::info!(loaded, total, "loading restrictions");
            }
        }
        tracing::info!(loaded, "restrictions are loaded");
        Ok(())
    }

    fn replace_by(&self, fresh: Eligibility) {
        for (shard, fresh) in self.shards.iter().zip(fresh.shards) {
            let fresh = fresh.into_inner().unwrap_or_else(PoisonError::into_inner);
            *shard.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        self.ready.store(true, Ordering::Release);
    }

    fn shard(&self, account_id: &str) -> &RwLock<Shard> {
        let hash = self.hasher.hash_one(account_id);
        &self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()]
    }
}

/// What the log tells.
enum Change {
    Standing(i64, proto::Standing),
    Other(i64),
    CaughtUp,
}
