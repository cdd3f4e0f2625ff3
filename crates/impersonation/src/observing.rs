//! Taking profiles: concurrent calls share one transaction.
//!
//! It decides nothing: [`profile::observe`] says what an observation changes.

use std::collections::{BTreeMap, BTreeSet};

use contracts::impersonation::v1::{ObserveProfilesResponse, Profile};
use kit::db::Tx;
use kit::group_commit::Batch;
use kit::idempotency::{Call, Claims};
use kit::{Error, Ids, Time};
use tonic::Status;

use crate::events::Events;
use crate::profile::{self, Change, Observed};
use crate::store::profiles;

/// Accounts that one event names.
const EVENT_ACCOUNTS: usize = 500;

/// The profiles of one call.
#[derive(Debug)]
pub struct Job {
    /// The call.
    pub call: Call,
    /// The profiles, their pictures by hashes.
    pub profiles: Vec<Profile>,
    /// When.
    pub now: Time,
}

/// The writer of the population.
#[derive(Debug)]
pub struct Observing {
    /// Where ids come from.
    pub ids: Ids,
}

/// The population as far as a batch touches it.
#[derive(Default)]
struct Touched {
    known: BTreeMap<String, Observed>,
    dirty: BTreeSet<String>,
    changed: BTreeSet<String>,
    /// Those of them that have another display name or picture than before, or had none.
    restyled: BTreeSet<String>,
}

impl Touched {
    /// Takes a profile; says what it changed.
    fn observe(&mut self, seen: Profile, now: Time) -> Change {
        let account_id = seen.account_id.clone();
        let known = self.known.get(&account_id);
        let (observed, change) = profile::observe(known, seen, now);
        if known.is_none_or(|known| profile::is_restyled(&known.profile, &observed.profile)) {
            self.restyled.insert(account_id.clone());
        }
        match change {
            Change::Unchanged => return change,
            Change::Touched => {}
            Change::Created | Change::Changed => {
                self.changed.insert(account_id.clone());
            }
        }
        self.dirty.insert(account_id.clone());
        self.known.insert(account_id, observed);
        change
    }
}

impl Batch for Observing {
    type Job = Job;
    type Out = ObserveProfilesResponse;

    fn name(&self) -> &'static str {
        "observe_profiles"
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        jobs: &[Job],
    ) -> Result<Vec<Result<ObserveProfilesResponse, Status>>, Error> {
        // Two replicas may see a new account at once.
        tx.retry_unique_violations();
        let calls = jobs.iter().map(|job| job.call.clone()).collect();
        let mut claims = Claims::claim(tx, calls).await?;
        let fresh = claims.fresh();
        let mut accounts: Vec<&str> = Vec::new();
        for &index in &fresh {
            accounts.extend(jobs[index].profiles.iter().map(|p| p.account_id.as_str()));
        }
        let known = profiles::lock(tx, accounts).await?;
        let mut touched = Touched::default();
        touched.known.extend(known.into_iter().map(|o| (o.profile.account_id.clone(), o)));
        let mut now = None;
        for index in fresh {
            let job = &jobs[index];
            now = now.max(Some(job.now));
            let mut answer = ObserveProfilesResponse::default();
            for seen in &job.profiles {
                match touched.observe(seen.clone(), job.now) {
                    Change::Created => answer.created_count += 1,
                    Change::Changed => answer.changed_count += 1,
                    Change::Touched | Change::Unchanged => answer.unchanged_count += 1,
                }
            }
            claims.answer(index, Ok(answer));
        }
        if let Some(now) = now {
            self.write(tx, touched, now).await?;
        }
        Ok(claims.finish(tx).await?)
    }
}

impl Observing {
    async fn write(&self, tx: &mut Tx, mut touched: Touched, now: Time) -> Result<(), Error> {
        let dirty = touched.dirty;
        let mut batch: Vec<&mut Observed> = touched
            .known
            .iter_mut()
            .filter(|(account_id, _)| dirty.contains(*account_id))
            .map(|(_, observed)| observed)
            .collect();
        profiles::put(tx, &mut batch, now).await?;
        let changed: Vec<String> = touched.changed.into_iter().collect();
        for some in changed.chunks(EVENT_ACCOUNTS) {
            let restyled = some.iter().filter(|id| touched.restyled.contains(*id)).cloned();
            let events = Events { ids: &self.ids, now };
            tx.append(events.observed(some.to_vec(), restyled.collect()));
        }
        Ok(())
    }
}
