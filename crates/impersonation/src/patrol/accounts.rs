//! From profiles to identities: accounts that were observed or whose exemption changed.

use std::collections::{BTreeMap, BTreeSet};

use contracts::impersonation::v1::r#match::State;
use kit::{Error, tx};

use super::Patrol;
use super::record::{Found, Recorder};
use crate::check::{Wanted, matters};
use crate::identity::Identity;
use crate::matching::{Known, Step, step};
use crate::profile::Observed;
use crate::store::{identities, matches, profiles};

/// Accounts whose matches are written in one transaction.
const TX_ACCOUNTS: usize = 100;
/// Likenesses of one account that become matches.
pub(super) const MATCHES_MAX: usize = 5;

impl Patrol {
    /// Checks accounts and records what was found, in transactions of a bounded size.
    pub(super) async fn check_accounts(&self, all: &BTreeSet<String>) -> Result<(), Error> {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        for some in all.chunks(TX_ACCOUNTS) {
            let observed = profiles::some(&self.checker.db, some.iter().copied()).await?;
            let mut found: Vec<(Observed, Vec<Found>, bool)> = Vec::new();
            for observed in observed {
                let wanted = Wanted { limit: MATCHES_MAX, min_probability: 0.0 };
                let checked = self.checker.check(&observed.profile, wanted).await?;
                let like = checked.likenesses.into_iter().filter(matters);
                let like = self.with_identities(like.collect()).await?;
                found.push((observed, like, checked.truncated));
            }
            self.record_accounts(&found).await?;
        }
        Ok(())
    }

    async fn with_identities(
        &self,
        likenesses: Vec<contracts::impersonation::v1::Likeness>,
    ) -> Result<Vec<Found>, Error> {
        if likenesses.is_empty() {
            return Ok(Vec::new());
        }
        let ids = likenesses.iter().map(|likeness| likeness.identity_id.as_str());
        let rows = identities::some(&self.checker.db, ids).await?;
        let by_id: BTreeMap<&str, &Identity> =
            rows.iter().map(|identity| (identity.identity_id.as_str(), identity)).collect();
        let with = |likeness: contracts::impersonation::v1::Likeness| {
            let identity = by_id.get(likeness.identity_id.as_str())?;
            Some(Found { identity: identity.snapshot(), likeness })
        };
        Ok(likenesses.into_iter().filter_map(with).collect())
    }

    /// Brings the matches of accounts into line with what was found of each.
    async fn record_accounts(&self, all: &[(Observed, Vec<Found>, bool)]) -> Result<(), Error> {
        if all.is_empty() {
            return Ok(());
        }
        let (ids, now) = (&self.ids, self.checker.clock.now());
        tx!(self.checker.db, "record_accounts", |tx| -> Result<(), Error> {
            tx.retry_unique_violations();
            let accounts = all.iter().map(|(observed, ..)| observed.profile.account_id.as_str());
            let mut known = matches::lock_of_accounts(tx, accounts).await?;
            let mut recorder = Recorder { tx, ids, now };
            for (observed, found, truncated) in all {
                let of = &observed.profile.account_id;
                let (mine, rest): (Vec<_>, Vec<_>) =
                    known.into_iter().partition(|stored| stored.shown.account_id == *of);
                known = rest;
                let mut mine: BTreeMap<String, matches::Stored> = mine
                    .into_iter()
                    .map(|stored| (stored.shown.identity_id.clone(), stored))
                    .collect();
                for found in found {
                    let stored = mine.remove(&found.likeness.identity_id);
                    recorder.record(observed, found, stored).await?;
                }
                // What else was open is not alike any more, if everything was looked at.
                for (_, mut stored) in mine.into_iter().filter(|_| !truncated) {
                    if step(Some(known_of(&stored)), None, observed.look) == Step::Supersede {
                        recorder.supersede(&mut stored).await?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Lets the open matches of forgotten accounts fall away.
    pub(super) async fn drop_forgotten(&self, all: &BTreeSet<String>) -> Result<(), Error> {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        for some in all.chunks(TX_ACCOUNTS) {
            // Those that were observed again meanwhile are not gone.
            let back = profiles::some(&self.checker.db, some.iter().copied()).await?;
            let back: BTreeSet<&str> =
                back.iter().map(|observed| observed.profile.account_id.as_str()).collect();
            let gone: Vec<&str> = some.iter().copied().filter(|id| !back.contains(id)).collect();
            let (ids, now) = (&self.ids, self.checker.clock.now());
            tx!(self.checker.db, "drop_forgotten", |tx| -> Result<(), Error> {
                let mut known = matches::lock_of_accounts(tx, gone.iter().copied()).await?;
                let mut recorder = Recorder { tx, ids, now };
                for stored in known.iter_mut().filter(|stored| stored.state() == State::Open) {
                    recorder.supersede(stored).await?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// What is known of the pair of a match.
pub(super) fn known_of(stored: &matches::Stored) -> Known {
    let likeness = stored.shown.likeness.as_ref();
    Known {
        state: stored.state(),
        consequence: likeness.map(|likeness| likeness.consequence()).unwrap_or_default(),
        look: stored.look,
    }
}
