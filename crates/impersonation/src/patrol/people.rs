//! From identities to profiles: everybody who looks like an identity that came under protection
//! or changed.

use std::collections::{BTreeMap, BTreeSet};

use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::protected_identity::State as Standing;
use kit::{Error, tx};

use super::Patrol;
use super::record::{Found, Recorder};
use crate::check::matters;
use crate::identity::Identity;
use crate::profile::Observed;
use crate::search::Search;
use crate::store::{identities, matches};

/// Matches that one transaction writes.
const TX_MATCHES: usize = 100;
/// Identities that are looked for in one pass over the population.
const PASS_IDENTITIES: usize = 500;
/// Matches of one identity read at once.
const PAGE_MATCHES: usize = 100;

impl Patrol {
    /// Looks for imitators of identities in the whole population and records them.
    pub(super) async fn look_for(&self, all: &BTreeSet<String>) -> Result<(), Error> {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        for some in all.chunks(PASS_IDENTITIES) {
            let mut rows = identities::some(&self.checker.db, some.iter().copied()).await?;
            rows.retain(|identity| identity.state == Standing::Active);
            if rows.is_empty() {
                continue;
            }
            let mut search = Search::new(self.checker.memory.engine(), rows, 0.0);
            while let Some(found) = search.next(&self.checker).await? {
                let matter = found.into_iter().filter(|(_, _, likeness)| matters(likeness));
                self.record_pairs(&search, matter.collect()).await?;
            }
        }
        Ok(())
    }

    /// Records likenesses of accounts to identities, in transactions of a bounded size.
    async fn record_pairs(
        &self,
        search: &Search,
        found: Vec<(Observed, usize, contracts::impersonation::v1::Likeness)>,
    ) -> Result<(), Error> {
        for some in found.chunks(TX_MATCHES) {
            let (ids, now) = (&self.ids, self.checker.clock.now());
            tx!(self.checker.db, "record_imitators", |tx| -> Result<(), Error> {
                tx.retry_unique_violations();
                let accounts = some.iter().map(|(seen, ..)| seen.profile.account_id.as_str());
                let known = matches::lock_of_accounts(tx, accounts).await?;
                let mut known: BTreeMap<(String, String), matches::Stored> = known
                    .into_iter()
                    .map(|s| ((s.shown.account_id.clone(), s.shown.identity_id.clone()), s))
                    .collect();
                let mut recorder = Recorder { tx, ids, now };
                for (observed, of, likeness) in some {
                    let pair = (observed.profile.account_id.clone(), likeness.identity_id.clone());
                    let identity: &Identity = &search.identities[*of];
                    let found = Found { identity: identity.snapshot(), likeness: likeness.clone() };
                    recorder.record(observed, &found, known.remove(&pair)).await?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Checks the accounts of open matches again, of one identity or of all.
    pub(super) async fn look_again(&self, identity_id: Option<&str>) -> Result<(), Error> {
        let mut before = matches::ID_MAX.to_owned();
        loop {
            let filter = matches::Filter {
                identity_id: identity_id.unwrap_or_default(),
                account_id: "",
                state: State::Open,
                campaign_id: "",
            };
            let open = matches::list(&self.checker.db, filter, &before, PAGE_MATCHES).await?;
            let Some(last) = open.last() else { return Ok(()) };
            before.clone_from(&last.shown.match_id);
            let accounts = open.iter().map(|stored| stored.shown.account_id.clone()).collect();
            self.check_accounts(&accounts).await?;
        }
    }

    /// Lets the open matches of an identity fall away.
    pub(super) async fn drop_ended(&self, identity_id: &str) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let (ids, now) = (&self.ids, self.checker.clock.now());
            let last = tx!(self.checker.db, "drop_ended", |tx| -> Result<Option<String>, Error> {
                let mut some =
                    matches::lock_of_identity(tx, identity_id, &after, PAGE_MATCHES).await?;
                let mut recorder = Recorder { tx, ids, now };
                for stored in some.iter_mut().filter(|stored| stored.state() == State::Open) {
                    recorder.supersede(stored).await?;
                }
                Ok(some.pop().map(|stored| stored.shown.match_id))
            })?;
            let Some(last) = last else { return Ok(()) };
            after = last;
        }
    }
}
