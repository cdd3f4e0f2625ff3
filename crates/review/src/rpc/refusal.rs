//! Refusals and missing things in the words of the contract.

use contracts::review::v1::case::State;
use kit::Error;

use crate::case::Refusal;

/// There is no such case.
pub fn case_not_found(case_id: &str) -> Error {
    Error::not_found("CASE_NOT_FOUND").message("there is no such case").resource("case", case_id)
}

/// The active pack has no such queue.
pub fn queue_unknown(queue: &str) -> Error {
    Error::invalid_argument("QUEUE_UNKNOWN")
        .message(format!("the active pack has no queue {queue}"))
        .meta("queue", queue)
}

/// Why a command on a case was refused.
pub fn error(case_id: &str, refusal: Refusal) -> Error {
    let subject = format!("cases/{case_id}");
    match refusal {
        Refusal::NotOpen(state) => {
            let name = state_name(state);
            Error::failed_precondition("CASE_NOT_OPEN")
                .message(format!("the case is {}", name.to_lowercase()))
                .meta("state", name)
                .violation("STATE", subject, "only an open case can be worked on")
        }
        Refusal::Leased(until) => Error::failed_precondition("CASE_LEASED")
            .message(format!("somebody else holds the case until {until}"))
            .meta("expire_time", until.to_string())
            .violation("LEASE", subject, "claim it when its lease has ended, or claim another"),
        Refusal::LeaseLost(token) => Error::failed_precondition("LEASE_LOST")
            .message("the lease has ended or passed to somebody else")
            .meta("fencing_token", token.to_string())
            .violation("LEASE", subject, "claim the case again"),
        Refusal::EtagMismatch(etag) => Error::aborted("ETAG_MISMATCH")
            .message("the case has changed since it was read: read it again")
            .meta("etag", etag),
        Refusal::Excluded => Error::failed_precondition("REVIEWER_EXCLUDED")
            .message("an appeal is not heard by who took the decision")
            .violation("REVIEWER", subject, "leave the case to another reviewer"),
        Refusal::VerdictNotApplicable => Error::invalid_argument("VERDICT_NOT_APPLICABLE")
            .message("the verdict does not fit the kind of case")
            .and_invalid("verdict", "must be one for this kind of case: reports or appeal"),
    }
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Unspecified => "UNSPECIFIED",
        State::Open => "OPEN",
        State::Decided => "DECIDED",
        State::Withdrawn => "WITHDRAWN",
    }
}
