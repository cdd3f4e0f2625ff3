//! What a likeness does to the match of its pair of identity and account: there is one match for
//! each pair, and what was dismissed stays so until the profile changes materially.
//!
//! Pure: no IO, no clock. It must not know how likenesses are found.

use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::{Consequence, Likeness};

use crate::profile::Look;

/// The type prefix of a match's id.
pub const ID_PREFIX: &str = "mat";

/// What becomes of a pair's match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Leave,
    /// A new match, told of.
    Find,
    /// Its evidence is brought up to date.
    Refresh,
    /// Its evidence is brought up to date and told of, since something graver follows now.
    Raise,
    /// It is open again and told of.
    Reopen,
    /// It falls away.
    Supersede,
}

/// What was known of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Where its match stands.
    pub state: State,
    /// What followed when it was last found.
    pub consequence: Consequence,
    /// How the account looked then.
    pub look: Look,
}

/// The step for a pair whose likeness is now `found`, with the account looking like `look`;
/// `found` is none if nothing follows any more.
pub fn step(known: Option<Known>, found: Option<&Likeness>, look: Look) -> Step {
    let found = found.filter(|likeness| likeness.consequence() != Consequence::Unspecified);
    match (known, found) {
        (None, None) => Step::Leave,
        (None, Some(_)) => Step::Find,
        // Under review, or decided: what was seen stays what is decided about.
        (Some(known), None) => match known.state {
            State::Open => Step::Supersede,
            _ => Step::Leave,
        },
        (Some(known), Some(likeness)) => found_again(known, likeness, look),
    }
}

fn found_again(known: Known, likeness: &Likeness, look: Look) -> Step {
    let changed = known.look != look;
    match known.state {
        State::Open if graver(likeness.consequence(), known.consequence) => Step::Raise,
        // Under other thresholds something else may follow from what is still the same.
        State::Open if likeness.consequence() != known.consequence => Step::Refresh,
        State::Open | State::CaseOpened if changed => Step::Refresh,
        State::Superseded => Step::Reopen,
        State::Confirmed | State::Dismissed if changed => Step::Reopen,
        _ => Step::Leave,
    }
}

/// Whether a case follows from the one and did not from the other.
fn graver(now: Consequence, before: Consequence) -> bool {
    let rank = |consequence| matches!(consequence, Consequence::OpenCase | Consequence::Hold);
    rank(now) && !rank(before)
}

#[cfg(test)]
mod tests {
    use contracts::impersonation::v1::Profile;

    use super::*;

    fn look(handle: &str) -> Look {
        Look::of(&Profile { handle: handle.to_owned(), ..Profile::default() })
    }

    fn likeness(consequence: Consequence) -> Likeness {
        Likeness { consequence: consequence.into(), ..Likeness::default() }
    }

    #[test]
    fn every_state_and_finding_has_its_step() {
        use Consequence::{Hold, OpenCase, Suggest, Unspecified};
        use State::{CaseOpened, Confirmed, Dismissed, Open, Superseded};
        let same = |state, was, now| {
            let known = Known { state, consequence: was, look: look("a") };
            step(Some(known), Some(&likeness(now)), look("a"))
        };
        let changed = |state, was, now| {
            let known = Known { state, consequence: was, look: look("a") };
            step(Some(known), Some(&likeness(now)), look("b"))
        };
        assert_eq!(step(None, None, look("a")), Step::Leave);
        assert_eq!(step(None, Some(&likeness(Unspecified)), look("a")), Step::Leave);
        assert_eq!(step(None, Some(&likeness(Suggest)), look("a")), Step::Find);
        for (state, was, now, unchanged, after_change) in [
            (Open, OpenCase, OpenCase, Step::Leave, Step::Refresh),
            (Open, Suggest, OpenCase, Step::Raise, Step::Raise),
            (Open, OpenCase, Hold, Step::Refresh, Step::Refresh),
            (Open, OpenCase, Suggest, Step::Refresh, Step::Refresh),
            (CaseOpened, OpenCase, Suggest, Step::Leave, Step::Refresh),
            (Open, OpenCase, Unspecified, Step::Supersede, Step::Supersede),
            (CaseOpened, OpenCase, Unspecified, Step::Leave, Step::Leave),
            (CaseOpened, OpenCase, OpenCase, Step::Leave, Step::Refresh),
            (Confirmed, OpenCase, OpenCase, Step::Leave, Step::Reopen),
            (Dismissed, OpenCase, Hold, Step::Leave, Step::Reopen),
            (Dismissed, OpenCase, Unspecified, Step::Leave, Step::Leave),
            (Superseded, OpenCase, Suggest, Step::Reopen, Step::Reopen),
        ] {
            assert_eq!(same(state, was, now), unchanged, "{state:?} {was:?} {now:?}");
            assert_eq!(changed(state, was, now), after_change, "{state:?} {was:?} {now:?}");
        }
    }
}
