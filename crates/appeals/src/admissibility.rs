//! Whether an appeal may be filed: a function of what the statement of reasons or the claim
//! says, of the appeal that there is already, and of now.
//!
//! Pure: no IO, no clock. Who may appeal at all is not decided here: the caller is known to be
//! the account to which the statement is addressed, or the claimant.

use contracts::accounthealth::v1::Statement;
use contracts::accounthealth::v1::statement::State;
use contracts::impersonation::v1::Claim;
use contracts::impersonation::v1::appeal_route::Side;
use kit::{Error, Time};

/// What of a statement of reasons or of a claim decides whether it may be appealed against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whether the policy allows an appeal.
    pub appealable: bool,
    /// Whether another statement took its place.
    pub superseded: bool,
    /// When it was issued: from then on it may be appealed against.
    pub issue_time: Time,
    /// Until when, not included; none where it may not be appealed against.
    pub appeal_end_time: Option<Time>,
}

impl Facts {
    /// What the statement says. One without a time of issue says nothing that can be relied on.
    pub fn of(statement: &Statement) -> Option<Facts> {
        let time = |time: &Option<_>| time.as_ref().and_then(Time::from_timestamp);
        Some(Facts {
            appealable: statement.appealable,
            superseded: statement.state() == State::Superseded,
            issue_time: time(&statement.issue_time)?,
            appeal_end_time: time(&statement.appeal_end_time),
        })
    }

    /// What a decided claim says: only the outcome that went against its claimant may be
    /// appealed against. It last changed when that was decided.
    pub fn of_claim(claim: &Claim) -> Option<Facts> {
        let route = claim.appeal_route.as_ref()?;
        Some(Facts {
            appealable: route.side() == Side::Claimant,
            superseded: false,
            issue_time: claim.update_time.as_ref().and_then(Time::from_timestamp)?,
            appeal_end_time: route.appeal_end_time.as_ref().and_then(Time::from_timestamp),
        })
    }
}

/// Why an appeal may not be filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inadmissible {
    /// There was an appeal already, by this id; a withdrawn one counts.
    Duplicate(String),
    /// The policy allows none, or another statement took this one's place.
    NotAppealable,
    /// It is not time yet, or not any more: the end of the window.
    WindowClosed(Time),
}

/// Whether an appeal against the statement may be filed now. `earlier` is the id of the appeal
/// against the same decision that there is already.
///
/// # Errors
/// The first of these that holds: there was an appeal; none is possible; it is not the time.
pub fn admit(facts: Facts, earlier: Option<&str>, now: Time) -> Result<(), Inadmissible> {
    if let Some(appeal_id) = earlier {
        return Err(Inadmissible::Duplicate(appeal_id.to_owned()));
    }
    let end = match facts.appeal_end_time {
        Some(end) if facts.appealable && !facts.superseded => end,
        _ => return Err(Inadmissible::NotAppealable),
    };
    if now < facts.issue_time || now >= end {
        return Err(Inadmissible::WindowClosed(end));
    }
    Ok(())
}

impl Inadmissible {
    /// The error for an appeal against the decision with this id.
    pub fn error(&self, decision_id: &str) -> Error {
        let subject = format!("decisions/{decision_id}");
        match self {
            Inadmissible::Duplicate(appeal_id) => Error::already_exists("APPEAL_DUPLICATE")
                .message("the decision was appealed against before")
                .resource("appeal", appeal_id)
                .meta("decision_id", decision_id),
            Inadmissible::NotAppealable => Error::failed_precondition("NOT_APPEALABLE")
                .message("the decision cannot be appealed against")
                .meta("decision_id", decision_id)
                .violation(
                    "APPEALABLE",
                    subject,
                    "it must stand, have gone against the caller, and its policy allow appeals",
                ),
            Inadmissible::WindowClosed(end) => Error::failed_precondition("APPEAL_WINDOW_CLOSED")
                .message(format!("appeals were possible until {end}"))
                .meta("decision_id", decision_id)
                .meta("appeal_end_time", end.to_string())
                .violation(
                    "WINDOW",
                    subject,
                    "an appeal must be filed from when the decision was told and before the \
                     appeal_end_time",
                ),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tonic::{Code, Status};
    use tonic_types::StatusExt as _;

    use super::*;

    const ISSUED: Time = Time::from_seconds(1_000);
    const END: Time = Time::from_seconds(2_000);
    const OPEN: Facts = Facts {
        appealable: true,
        superseded: false,
        issue_time: ISSUED,
        appeal_end_time: Some(END),
    };

    fn micros(time: Time, more: i64) -> Time {
        Time::from_micros(time.micros() + more)
    }

    #[test]
    fn an_appeal_is_admitted_as_the_table_says() {
        let closed = || Err(Inadmissible::WindowClosed(END));
        let duplicate = || Err(Inadmissible::Duplicate("app_1".to_owned()));
        let none = || Err(Inadmissible::NotAppealable);
        for (facts, earlier, now, admitted) in [
            (OPEN, None, ISSUED, Ok(())),
            (OPEN, None, micros(ISSUED, -1), closed()),
            (OPEN, None, micros(END, -1), Ok(())),
            (OPEN, None, END, closed()),
            (OPEN, None, micros(END, 1), closed()),
            (OPEN, Some("app_1"), ISSUED, duplicate()),
            (OPEN, Some("app_1"), END, duplicate()),
            (Facts { appealable: false, ..OPEN }, None, ISSUED, none()),
            (Facts { appealable: false, ..OPEN }, None, END, none()),
            (Facts { appealable: false, ..OPEN }, Some("app_1"), ISSUED, duplicate()),
            (Facts { superseded: true, ..OPEN }, None, ISSUED, none()),
            (Facts { superseded: true, ..OPEN }, Some("app_1"), ISSUED, duplicate()),
            (Facts { appeal_end_time: None, ..OPEN }, None, ISSUED, none()),
            (
                Facts { appeal_end_time: Some(ISSUED), ..OPEN },
                None,
                ISSUED,
                Err(Inadmissible::WindowClosed(ISSUED)),
            ),
        ] {
            assert_eq!(admit(facts, earlier, now), admitted, "{facts:?} {earlier:?} {now}");
        }
    }

    proptest! {
        #[test]
        fn admitted_means_all_conditions_hold(
            appealable: bool,
            superseded: bool,
            earlier: bool,
            issue in 0_i64..100,
            end in prop::option::of(0_i64..100),
            now in 0_i64..100,
        ) {
            let facts = Facts {
                appealable,
                superseded,
                issue_time: Time::from_micros(issue),
                appeal_end_time: end.map(Time::from_micros),
            };
            let admitted = admit(facts, earlier.then_some("app_1"), Time::from_micros(now));
            let open = end.is_some_and(|end| (issue..end).contains(&now));
            prop_assert_eq!(admitted.is_ok(), appealable && !superseded && !earlier && open);
        }
    }

    #[test]
    fn each_refusal_says_what_its_reason_promises() {
        for (refusal, code, reason, meta) in [
            (
                Inadmissible::Duplicate("app_1".to_owned()),
                Code::AlreadyExists,
                "APPEAL_DUPLICATE",
                Some(("appeal_id", "app_1")),
            ),
            (Inadmissible::NotAppealable, Code::FailedPrecondition, "NOT_APPEALABLE", None),
            (
                Inadmissible::WindowClosed(END),
                Code::FailedPrecondition,
                "APPEAL_WINDOW_CLOSED",
                Some(("appeal_end_time", "1970-01-01T00:33:20Z")),
            ),
        ] {
            let status = Status::from(refusal.error("dec_1"));
            assert_eq!(status.code(), code);
            let details = status.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!(info.reason, reason);
            if let Some((key, value)) = meta {
                assert_eq!(info.metadata.get(key).map(String::as_str), Some(value));
            }
            assert_eq!(details.precondition_failure().is_some(), code == Code::FailedPrecondition);
            assert_eq!(details.resource_info().is_some(), code == Code::AlreadyExists);
        }
    }

    #[test]
    fn a_statement_is_read_as_it_stands() {
        let mut statement = Statement {
            state: State::Issued.into(),
            appealable: true,
            issue_time: Some(ISSUED.into()),
            appeal_end_time: Some(END.into()),
            ..Statement::default()
        };
        assert_eq!(Facts::of(&statement), Some(OPEN));
        statement.state = State::Superseded.into();
        statement.appeal_end_time = None;
        let superseded = Facts { superseded: true, appeal_end_time: None, ..OPEN };
        assert_eq!(Facts::of(&statement), Some(superseded));
        statement.issue_time = None;
        assert_eq!(Facts::of(&statement), None);
    }

    #[test]
    fn a_claim_is_appealed_against_by_its_claimant_only_where_it_was_rejected() {
        use contracts::impersonation::v1::AppealRoute;
        let route = |side: Side| AppealRoute {
            decision_id: "dec_1".to_owned(),
            side: side.into(),
            appeal_end_time: Some(END.into()),
        };
        let mut claim = Claim { update_time: Some(ISSUED.into()), ..Claim::default() };
        assert_eq!(Facts::of_claim(&claim), None, "not decided");
        claim.appeal_route = Some(route(Side::Claimant));
        assert_eq!(Facts::of_claim(&claim), Some(OPEN));
        claim.appeal_route = Some(route(Side::Account));
        assert_eq!(Facts::of_claim(&claim), Some(Facts { appealable: false, ..OPEN }));
    }
}
