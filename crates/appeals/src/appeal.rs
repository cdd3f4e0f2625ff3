//! What an appeal is and what may become of it.
//!
//! Pure: no IO, no clock, no ids. Whether an appeal may be filed is
//! [`admissibility`](crate::admissibility)'s; how it is decided is review's.

use contracts::accounthealth::v1::Statement;
use contracts::appeals::v1::appeal::{Outcome, State};
use contracts::appeals::v1::{Appeal, FileAppealRequest};
use contracts::impersonation::v1::Claim;
use contracts::types::v1::{Subject, SubjectType};
use kit::{Error, Time};

/// The type prefix of an appeal's id.
pub const ID_PREFIX: &str = "app";

/// What may happen to an appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Review opened the case in which it is heard.
    TakenUp {
        /// The case.
        case_id: String,
    },
    /// It was decided.
    Decided(Ruling),
    /// The appellant takes it back.
    Withdrawn,
}

/// How review decided an appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The case in which it was heard.
    pub case_id: String,
    /// The decision.
    pub decision_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What the appellant is told.
    pub reasons: String,
}

/// The appeal is decided or withdrawn and cannot be withdrawn; only that can be refused, the
/// other changes are facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOpen(pub State);

/// The appeal after a change; `None` when the change leaves it as it is.
///
/// # Errors
/// If the change is refused.
pub fn after(appeal: &Appeal, change: &Change, now: Time) -> Result<Option<Appeal>, NotOpen> {
    let state = appeal.state();
    let mut changed = Appeal { update_time: Some(now.into()), ..appeal.clone() };
    match (state, change) {
        (State::Filed, Change::TakenUp { case_id }) => {
            changed.state = State::InReview.into();
            changed.case_id.clone_from(case_id);
        }
        // A withdrawn appeal stays withdrawn until its hearing, if there was one, is decided.
        (_, Change::TakenUp { .. }) => return Ok(None),
        (State::Decided, Change::Decided(_)) => return Ok(None),
        // A hearing that did not know of the withdrawal prevails: its effects are done.
        (_, Change::Decided(ruling)) => {
            changed.state = State::Decided.into();
            changed.outcome = ruling.outcome.into();
            changed.outcome_reasons.clone_from(&ruling.reasons);
            changed.case_id.clone_from(&ruling.case_id);
            changed.appeal_decision_id.clone_from(&ruling.decision_id);
        }
        (State::Decided | State::Withdrawn, Change::Withdrawn) => return Err(NotOpen(state)),
        (_, Change::Withdrawn) => changed.state = State::Withdrawn.into(),
    }
    Ok(Some(changed))
}

impl NotOpen {
    /// The error for the appeal with this id.
    pub fn error(self, appeal_id: &str) -> Error {
        let state = self.0.as_str_name();
        Error::failed_precondition("APPEAL_NOT_OPEN")
            .message("the appeal is decided or withdrawn")
            .meta("appeal_id", appeal_id)
            .meta("state", state)
            .violation(
                "STATE",
                format!("appeals/{appeal_id}"),
                format!("must be filed or in review to be withdrawn, and is {state}"),
            )
    }
}

/// What an appeal is against, and by whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    /// The account that appeals.
    pub account_id: String,
    /// The statement of reasons; empty where it is a claim.
    pub statement_id: String,
    /// The claim; empty where it is a statement.
    pub claim_id: String,
    /// What the decision is about.
    pub subject: Option<Subject>,
    /// The case of the decision.
    pub case_id: String,
}

impl Against {
    /// Against a statement of reasons, by the account to which it is addressed.
    pub fn statement(statement: &Statement) -> Against {
        Against {
            account_id: statement.account_id.clone(),
            statement_id: statement.statement_id.clone(),
            claim_id: String::new(),
            subject: statement.subject.clone(),
            case_id: statement.case_id.clone(),
        }
    }

    /// Against the outcome of a claim, by its claimant.
    pub fn claim(claim: &Claim, claimant: &str) -> Against {
        let imitator = claim.imitator_account_id.clone();
        Against {
            account_id: claimant.to_owned(),
            statement_id: String::new(),
            claim_id: claim.claim_id.clone(),
            subject: Some(Subject {
                r#type: SubjectType::Account.into(),
                id: imitator.clone(),
                owner_account_id: imitator,
            }),
            case_id: claim.case_id.clone(),
        }
    }
}

/// The appeal that a request becomes.
pub fn file(request: FileAppealRequest, appeal_id: String, against: &Against, now: Time) -> Appeal {
    Appeal {
        appeal_id,
        account_id: against.account_id.clone(),
        decision_id: request.decision_id,
        statement_id: against.statement_id.clone(),
        claim_id: against.claim_id.clone(),
        subject: against.subject.clone(),
        state: State::Filed.into(),
        outcome: Outcome::Unspecified.into(),
        outcome_reasons: String::new(),
        grounds: request.grounds,
        evidence_urls: request.evidence_urls,
        case_id: String::new(),
        appeal_decision_id: String::new(),
        create_time: Some(now.into()),
        update_time: Some(now.into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Time = Time::from_seconds(9);

    fn taken_up() -> Change {
        Change::TakenUp { case_id: "case_1".to_owned() }
    }

    fn decided(outcome: Outcome) -> Change {
        Change::Decided(Ruling {
            case_id: "case_1".to_owned(),
            decision_id: "dec_2".to_owned(),
            outcome,
            reasons: "satire".to_owned(),
        })
    }

    fn standing(state: State) -> Appeal {
        let mut appeal = Appeal { appeal_id: "app_1".to_owned(), ..Appeal::default() };
        appeal.state = state.into();
        if state == State::Decided {
            appeal.outcome = Outcome::Upheld.into();
        }
        appeal
    }

    #[test]
    fn an_appeal_changes_as_the_table_says() {
        use State::{Decided, Filed, InReview, Withdrawn};
        for (before, change, after_it) in [
            (Filed, taken_up(), Ok(Some(InReview))),
            (Filed, decided(Outcome::Overturned), Ok(Some(Decided))),
            (Filed, Change::Withdrawn, Ok(Some(Withdrawn))),
            (InReview, taken_up(), Ok(None)),
            (InReview, decided(Outcome::PartiallyOverturned), Ok(Some(Decided))),
            (InReview, Change::Withdrawn, Ok(Some(Withdrawn))),
            (Decided, taken_up(), Ok(None)),
            (Decided, decided(Outcome::Overturned), Ok(None)),
            (Decided, Change::Withdrawn, Err(NotOpen(Decided))),
            (Withdrawn, taken_up(), Ok(None)),
            (Withdrawn, decided(Outcome::Overturned), Ok(Some(Decided))),
            (Withdrawn, Change::Withdrawn, Err(NotOpen(Withdrawn))),
        ] {
            let result = after(&standing(before), &change, NOW);
            let states = result.map(|changed| changed.map(|appeal| appeal.state()));
            assert_eq!(states, after_it, "{before:?} {change:?}");
        }
    }

    #[test]
    fn a_ruling_is_told_with_its_reasons() {
        let ruled = after(&standing(State::Withdrawn), &decided(Outcome::Overturned), NOW);
        let ruled = ruled.unwrap().unwrap();
        assert_eq!(ruled.outcome(), Outcome::Overturned);
        assert_eq!(ruled.outcome_reasons, "satire");
        assert_eq!(ruled.case_id, "case_1");
        assert_eq!(ruled.appeal_decision_id, "dec_2");
        assert_eq!(ruled.update_time, Some(NOW.into()));
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            Just(taken_up()),
            Just(decided(Outcome::Upheld)),
            Just(decided(Outcome::Overturned)),
            Just(Change::Withdrawn),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_an_appeal_makes_sense(
            changes in prop::collection::vec(change(), 0..12),
        ) {
            let mut appeal = standing(State::Filed);
            for change in &changes {
                let before = appeal.clone();
                if let Ok(Some(changed)) = after(&before, change, NOW) {
                    appeal = changed;
                }
                let over = appeal.state() == State::Decided;
                prop_assert_eq!(appeal.outcome() != Outcome::Unspecified, over);
                prop_assert_eq!(!appeal.appeal_decision_id.is_empty(), over);
                prop_assert!(before.state() != State::Decided || appeal == before);
                // Whatever is told twice changes nothing the second time.
                prop_assert!(!matches!(after(&appeal, change, NOW), Ok(Some(_))));
            }
            let heard = changes.iter().any(|change| matches!(change, Change::Decided(_)));
            prop_assert_eq!(appeal.state() == State::Decided, heard, "a hearing prevails");
        }
    }
}
