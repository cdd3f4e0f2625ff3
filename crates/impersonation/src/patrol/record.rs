//! Writing matches down: one for each pair, with both sides as they stood, and its event.

use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::{Likeness, Match, MaterialChange, ProfileSnapshot};
use kit::db::{DbError, Tx};
use kit::{Ids, Time};

use super::accounts::known_of;
use crate::dismissal;
use crate::events::Events;
use crate::matching::{ID_PREFIX, Step, step};
use crate::profile::{self, Observed};
use crate::store::matches::{self, Stored};

/// A likeness and the identity as it stood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) identity: ProfileSnapshot,
    pub(super) likeness: Likeness,
}

/// Writes within one transaction.
pub(super) struct Recorder<'a> {
    pub(super) tx: &'a mut Tx,
    pub(super) ids: &'a Ids,
    pub(super) now: Time,
}

impl Recorder<'_> {
    /// Records that an account was found to look like an identity. `stored` is their match, locked.
    pub(super) async fn record(
        &mut self,
        observed: &Observed,
        found: &Found,
        stored: Option<Stored>,
    ) -> Result<(), DbError> {
        let known = stored.as_ref().map(known_of);
        let what = step(known, Some(&found.likeness), observed.look);
        let again = what == Step::Reopen;
        let Some(mut stored) = stored else {
            if what == Step::Find {
                let new = self.new_match(observed, found);
                matches::insert(self.tx, &new).await?;
                self.tell(new.shown, observed, false);
            }
            return Ok(());
        };
        match what {
            Step::Leave | Step::Find | Step::Supersede => return Ok(()),
            Step::Refresh | Step::Raise => {}
            Step::Reopen => {
                let changes = changes(&stored, observed, found);
                if changes.is_empty() && stored.state() != State::Superseded {
                    // It was decided about what is still the same to a person.
                    return Ok(());
                }
                stored.shown.reopen_changes = changes;
                stored.shown.set_state(State::Open);
                stored.shown.reopen_count += 1;
                stored.shown.case_id.clear();
                stored.shown.decision_id.clear();
            }
        }
        stored.look = observed.look;
        stored.shown.likeness = Some(found.likeness.clone());
        stored.shown.identity = Some(found.identity.clone());
        stored.shown.profile = Some(profile::snapshot(&observed.profile));
        stored.shown.update_time = Some(self.now.into());
        matches::update(self.tx, &stored).await?;
        if what != Step::Refresh {
            self.tell(stored.shown, observed, again);
        }
        Ok(())
    }

    /// Lets a match fall away.
    pub(super) async fn supersede(&mut self, stored: &mut Stored) -> Result<(), DbError> {
        stored.shown.set_state(State::Superseded);
        stored.shown.update_time = Some(self.now.into());
        matches::update(self.tx, stored).await?;
        let events = Events { ids: self.ids, now: self.now };
        self.tx.append(events.match_resolved(&stored.shown, false));
        Ok(())
    }

    fn tell(&mut self, shown: Match, observed: &Observed, again: bool) {
        let events = Events { ids: self.ids, now: self.now };
        let marks = observed.profile.actor_marks.clone();
        self.tx.append(events.match_found(shown, again, marks));
    }

    fn new_match(&self, observed: &Observed, found: &Found) -> Stored {
        let shown = Match {
            match_id: self.ids.new_id(ID_PREFIX, self.now),
            identity_id: found.likeness.identity_id.clone(),
            account_id: observed.profile.account_id.clone(),
            state: State::Open.into(),
            likeness: Some(found.likeness.clone()),
            identity: Some(found.identity.clone()),
            profile: Some(profile::snapshot(&observed.profile)),
            create_time: Some(self.now.into()),
            update_time: Some(self.now.into()),
            ..Match::default()
        };
        Stored { shown, look: observed.look }
    }
}

/// What changed materially since a match was decided; nothing for one that was not.
fn changes(stored: &Stored, observed: &Observed, found: &Found) -> Vec<MaterialChange> {
    let decided = matches!(stored.state(), State::Dismissed | State::Confirmed);
    let then = stored.shown.profile.as_ref().filter(|_| decided);
    let Some(then) = then else { return Vec::new() };
    let score = stored.shown.likeness.as_ref().map_or(0.0, |likeness| likeness.score);
    let now = profile::snapshot(&observed.profile);
    dismissal::changes(
        dismissal::Seen { profile: then, score },
        dismissal::Seen { profile: &now, score: found.likeness.score },
    )
}
