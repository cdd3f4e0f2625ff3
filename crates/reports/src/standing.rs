//! How a report stands, and how that changes.
//!
//! Pure: a function of what was and what happened. The numbers of states and outcomes are those
//! of the contract, which are also those of the database.

use contracts::reports::v1::report::{Outcome, State};
use kit::Error;

/// The part of a report's life that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether an appeal corrected the outcome.
    pub corrected: bool,
}

/// What may happen to a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Review made it part of a case.
    TakenUp,
    /// Its case was decided.
    Decided(Outcome),
    /// The decision of its case was overturned on appeal.
    Overturned,
    /// The decision of its case, that there is no violation, was overturned on appeal.
    FoundOnAppeal,
    /// Its reporter takes it back.
    Withdrawn,
}

/// Why a change is refused. Only a withdrawal can be: the others are facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is resolved.
    Resolved,
    /// It is withdrawn already.
    Withdrawn,
}

impl Standing {
    /// How a report begins.
    pub const FILED: Standing = Standing::of(State::Filed, Outcome::Unspecified, false);

    /// Every standing that a report can have.
    pub const ALL: [Standing; 7] = [
        Standing::FILED,
        Standing::of(State::InReview, Outcome::Unspecified, false),
        Standing::of(State::Resolved, Outcome::Actioned, false),
        Standing::of(State::Resolved, Outcome::Actioned, true),
        Standing::of(State::Resolved, Outcome::NoViolation, false),
        Standing::of(State::Resolved, Outcome::NoViolation, true),
        Standing::of(State::Withdrawn, Outcome::Unspecified, false),
    ];

    const fn of(state: State, outcome: Outcome, corrected: bool) -> Standing {
        Standing { state, outcome, corrected }
    }

    /// Every standing that a change alters, with what becomes of it. What review does is
    /// applied by these pairs to all reports of a case at once.
    pub fn moves(change: Change) -> impl Iterator<Item = (Standing, Standing)> {
        Standing::ALL.into_iter().filter_map(move |before| match before.after(change) {
            Ok(Some(after)) => Some((before, after)),
            Ok(None) | Err(_) => None,
        })
    }

    /// How it stands after a change; `None` when the change leaves it as it is.
    ///
    /// # Errors
    /// If the change is refused.
    pub fn after(self, change: Change) -> Result<Option<Standing>, Refusal> {
        let changed = match (self.state, change) {
            (State::Resolved, Change::Withdrawn) => return Err(Refusal::Resolved),
            (State::Withdrawn, Change::Withdrawn) => return Err(Refusal::Withdrawn),
            (_, Change::Withdrawn) => Standing { state: State::Withdrawn, ..self },
            (State::Filed, Change::TakenUp) => Standing { state: State::InReview, ..self },
            (State::InReview, Change::Decided(outcome)) => {
                Standing { state: State::Resolved, outcome, ..self }
            }
            // What falls is a violation that was found.
            (State::Resolved, Change::Overturned) if self.outcome == Outcome::Actioned => {
                Standing { outcome: Outcome::NoViolation, corrected: true, ..self }
            }
            (State::Resolved, Change::FoundOnAppeal) if self.outcome == Outcome::NoViolation => {
                Standing { outcome: Outcome::Actioned, corrected: true, ..self }
            }
            // A withdrawn report stays withdrawn, and a resolved one resolved.
            (_, Change::TakenUp | Change::Decided(_)) => return Ok(None),
            (_, Change::Overturned | Change::FoundOnAppeal) => return Ok(None),
        };
        Ok(Some(changed))
    }
}

impl Refusal {
    /// The error for the report with this id.
    pub fn error(self, report_id: &str) -> Error {
        let (reason, state) = match self {
            Refusal::Resolved => ("REPORT_RESOLVED", "resolved"),
            Refusal::Withdrawn => ("REPORT_WITHDRAWN", "withdrawn"),
        };
        Error::failed_precondition(reason)
            .message(format!("the report is {state} and cannot be withdrawn"))
            .meta("report_id", report_id)
            .violation(
                "STATE",
                format!("reports/{report_id}"),
                format!(
                    "only a report that is filed or in review can be withdrawn, not a {state} one"
                ),
            )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_standing_changes_as_the_table_says() {
        use Change::{Decided, FoundOnAppeal, Overturned, TakenUp, Withdrawn};
        use Outcome::{Actioned, NoViolation, Unspecified};
        let filed = Standing::FILED;
        let in_review = Standing::of(State::InReview, Unspecified, false);
        let actioned = Standing::of(State::Resolved, Actioned, false);
        let cleared = Standing::of(State::Resolved, NoViolation, false);
        let corrected = Standing::of(State::Resolved, NoViolation, true);
        let vindicated = Standing::of(State::Resolved, Actioned, true);
        let withdrawn = Standing::of(State::Withdrawn, Unspecified, false);
        for (before, change, after) in [
            (filed, TakenUp, Ok(Some(in_review))),
            (filed, Decided(Actioned), Ok(None)),
            (filed, Overturned, Ok(None)),
            (filed, Withdrawn, Ok(Some(withdrawn))),
            (in_review, TakenUp, Ok(None)),
            (in_review, Decided(Actioned), Ok(Some(actioned))),
            (in_review, Decided(NoViolation), Ok(Some(cleared))),
            (in_review, Overturned, Ok(None)),
            (in_review, Withdrawn, Ok(Some(withdrawn))),
            (actioned, TakenUp, Ok(None)),
            (actioned, Decided(NoViolation), Ok(None)),
            (actioned, Overturned, Ok(Some(corrected))),
            (actioned, Withdrawn, Err(Refusal::Resolved)),
            (cleared, Decided(Actioned), Ok(None)),
            (cleared, Overturned, Ok(None)),
            (corrected, Overturned, Ok(None)),
            (filed, FoundOnAppeal, Ok(None)),
            (in_review, FoundOnAppeal, Ok(None)),
            (actioned, FoundOnAppeal, Ok(None)),
            (cleared, FoundOnAppeal, Ok(Some(vindicated))),
            (corrected, FoundOnAppeal, Ok(Some(vindicated))),
            (vindicated, FoundOnAppeal, Ok(None)),
            (vindicated, Overturned, Ok(Some(corrected))),
            (withdrawn, FoundOnAppeal, Ok(None)),
            (corrected, Withdrawn, Err(Refusal::Resolved)),
            (withdrawn, TakenUp, Ok(None)),
            (withdrawn, Decided(Actioned), Ok(None)),
            (withdrawn, Overturned, Ok(None)),
            (withdrawn, Withdrawn, Err(Refusal::Withdrawn)),
        ] {
            assert_eq!(before.after(change), after, "{before:?} {change:?}");
        }
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            Just(Change::TakenUp),
            Just(Change::Decided(Outcome::Actioned)),
            Just(Change::Decided(Outcome::NoViolation)),
            Just(Change::Overturned),
            Just(Change::FoundOnAppeal),
            Just(Change::Withdrawn),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_a_standing_makes_sense(
            changes in prop::collection::vec(change(), 0..20),
        ) {
            let mut now = Standing::FILED;
            for change in changes {
                let before = now;
                if let Ok(Some(next)) = before.after(change) {
                    prop_assert_ne!(next, before, "a change that changes nothing is None");
                    now = next;
                }
                let resolved = now.state == State::Resolved;
                prop_assert_eq!(now.outcome != Outcome::Unspecified, resolved);
                prop_assert!(!now.corrected || resolved);
                prop_assert!(Standing::ALL.contains(&now));
                let ended = matches!(before.state, State::Resolved | State::Withdrawn);
                prop_assert!(!ended || now.state == before.state, "an end is an end");
                // Whatever is told twice changes nothing the second time.
                prop_assert!(!matches!(now.after(change), Ok(Some(_))));
            }
        }
    }
}
