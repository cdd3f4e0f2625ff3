//! What follows from the log without anybody asking: observed profiles are checked, newly
//! protected identities are looked for in the population, and what is found becomes matches.
//!
//! Two beats, each with its own place in the log: one goes from profiles to identities, the other
//! from identities to profiles, so that neither waits for the other. A pair is missed by neither:
//! whichever of the two came later in the log is looked at when the other is known. One process
//! walks a beat at a time. A step that is done again, after a crash, changes nothing.

mod accounts;
mod people;
mod record;

use std::collections::BTreeSet;
use std::time::Duration;

use contracts::impersonation::v1::ImpersonationEvent;
use contracts::impersonation::v1::impersonation_event::Event;
use kit::clock::{self, sleep};
use kit::events;
use kit::{Clock, Error, Ids, tx};

use crate::check::Checker;
use crate::events::kind;
use crate::store::cursors;

/// Events that are worked through together.
const PAGE_EVENTS: i64 = 200;
/// How long a process that fell silent holds a beat.
const LEASE: Duration = Duration::from_secs(3);
/// How often the lease is renewed while nothing happens, and others look whether it is free.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// The wait before another try.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// From profiles to identities.
    Accounts,
    /// From identities to profiles.
    Identities,
}

impl Beat {
    /// The name of its place.
    fn name(self) -> &'static str {
        match self {
            Beat::Accounts => "patrol_accounts",
            Beat::Identities => "patrol_identities",
        }
    }
}

/// Walks one beat.
#[derive(Clone, Debug)]
pub struct Patrol {
    /// Which one.
    pub beat: Beat,
    /// Checks profiles.
    pub checker: Checker,
    /// Where ids come from.
    pub ids: Ids,
    /// This process, among all that walk this beat.
    pub holder: String,
}

/// What some events give to do.
#[derive(Debug, Default, PartialEq, Eq)]
struct Work {
    /// Accounts to be checked.
    accounts: BTreeSet<String>,
    /// Accounts that are gone.
    forgotten: BTreeSet<String>,
    /// Identities to be looked for in the whole population.
    identities: BTreeSet<String>,
    /// Identities whose open matches are to be looked at again.
    again: BTreeSet<String>,
    /// Identities that are protected no longer.
    ended: BTreeSet<String>,
    /// Whether all open matches are to be looked at again.
    all_again: bool,
}

impl Work {
    /// Adds what an event gives to do on a beat.
    fn add(&mut self, beat: Beat, event: &events::Event) -> Result<(), Error> {
        let kinds: &[&str] = match beat {
            Beat::Accounts => {
                &[kind::PROFILES_OBSERVED, kind::PROFILES_FORGOTTEN, kind::EXEMPTION_CHANGED]
            }
            Beat::Identities => &[
                kind::IDENTITIES_ENROLLED,
                kind::IDENTITY_CHANGED,
                kind::IDENTITY_ENDED,
                kind::THRESHOLDS_CHANGED,
            ],
        };
        if !kinds.contains(&event.kind.as_str()) {
            return Ok(());
        }
        match event.decode::<ImpersonationEvent>()?.event {
            Some(Event::ProfilesObserved(observed)) => self.accounts.extend(observed.account_ids),
            Some(Event::ProfilesForgotten(gone)) => self.forgotten.extend(gone.account_ids),
            Some(Event::ExemptionChanged(changed)) => {
                self.accounts.extend(changed.exemption.map(|exemption| exemption.account_id));
            }
            Some(Event::IdentitiesEnrolled(enrolled)) => {
                self.identities.extend(enrolled.identities.into_iter().map(|e| e.identity_id));
            }
            Some(Event::IdentityChanged(changed)) => {
                if changed.appearance_changed {
                    self.identities.insert(changed.identity_id.clone());
                }
                self.again.insert(changed.identity_id);
            }
            Some(Event::IdentityEnded(ended)) => {
                self.identities.remove(&ended.identity_id);
                self.again.remove(&ended.identity_id);
                self.ended.insert(ended.identity_id);
            }
            Some(Event::ThresholdsChanged(_)) => self.all_again = true,
            _ => {}
        }
        Ok(())
    }
}

impl Patrol {
    /// Walks until it is dropped.
    pub async fn run(self) {
        // Leases are about real time.
        let real = Clock::system();
        loop {
            if let Err(error) = self.walk(&real).await {
                tracing::warn!(beat = self.beat.name(), %error, "the beat will be walked again");
                sleep(RETRY_EVERY).await;
            }
        }
    }

    /// Holds the beat for as long as it is free, event by event.
    async fn walk(&self, real: &Clock) -> Result<(), Error> {
        let (db, holder) = (&self.checker.db, self.holder.as_str());
        loop {
            let lease = (real.now(), real.now().plus(LEASE));
            let Some(place) = cursors::take(db, self.beat.name(), holder, lease).await? else {
                sleep(RENEW_EVERY).await;
                return Ok(());
            };
            let page = events::page(db, place, PAGE_EVENTS).await?;
            let Some(last) = page.last().map(|event| event.seq) else {
                self.rest(place).await;
                continue;
            };
            let mut work = Work::default();
            for event in &page {
                work.add(self.beat, event)?;
            }
            self.checker.memory.reached(last).await;
            // Long work outlives a lease unless it is renewed meanwhile.
            tokio::select! {
                done = self.work(work) => done?,
                lost = self.hold(real) => return lost,
            }
            let moved = tx!(db, "advance_patrol", |tx| -> Result<bool, Error> {
                Ok(cursors::advance(tx, self.beat.name(), holder, (place, last)).await?)
            })?;
            if !moved {
                return Ok(());
            }
        }
    }

    /// Waits for an event after `place`, but not so long that the lease lapses.
    async fn rest(&self, place: i64) {
        tokio::select! {
            () = self.checker.memory.reached(place + 1) => {}
            () = sleep(RENEW_EVERY) => {}
        }
    }

    /// Renews the lease for as long as it is held.
    async fn hold(&self, real: &Clock) -> Result<(), Error> {
        loop {
            sleep(RENEW_EVERY).await;
            let lease = (real.now(), real.now().plus(LEASE));
            let db = &self.checker.db;
            if cursors::take(db, self.beat.name(), &self.holder, lease).await?.is_none() {
                return Ok(());
            }
        }
    }

    async fn work(&self, work: Work) -> Result<(), Error> {
        let begun = clock::Stopwatch::start();
        self.drop_forgotten(&work.forgotten).await?;
        self.check_accounts(&work.accounts).await?;
        for identity_id in &work.ended {
            self.drop_ended(identity_id).await?;
        }
        if work.all_again {
            self.look_again(None).await?;
        } else {
            for identity_id in &work.again {
                self.look_again(Some(identity_id)).await?;
            }
        }
        self.look_for(&work.identities).await?;
        if work != Work::default() {
            let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(beat = self.beat.name(), millis, "a part of the beat was walked");
        }
        Ok(())
    }

    /// Gives the beat back, so that another process need not wait for it to lapse.
    pub async fn release(&self) {
        let released = cursors::release(&self.checker.db, self.beat.name(), &self.holder).await;
        if let Err(error) = released {
            tracing::debug!(beat = self.beat.name(), %error, "a beat was left to lapse");
        }
    }
}
