//! What an error becomes on its way to the caller.

use super::*;

#[test]
fn each_detail_reaches_the_status() {
    let status = Status::from(
        Error::failed_precondition("CASE_CLOSED")
            .message("the case is closed")
            .meta("state", "CLOSED")
            .resource("case", "case_1")
            .violation("STATE", "cases/case_1", "the case must be open")
            .retry_after(Duration::from_secs(2)),
    );
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "the case is closed"));
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(info.reason, "CASE_CLOSED");
    assert_eq!((&*info.metadata["state"], &*info.metadata["case_id"]), ("CLOSED", "case_1"));
    assert_eq!(details.precondition_failure().unwrap().violations[0].r#type, "STATE");
    assert_eq!(details.resource_info().unwrap().resource_name, "case_1");
    assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(2)));
    assert_eq!(reason_of(&status).as_deref(), Some("CASE_CLOSED"));
}

#[test]
fn violations_are_collected_and_the_first_is_the_message() {
    let error = Error::invalid("a", "must be b").and_invalid_rule("c", "must be d", "x.y");
    assert_eq!(error.invalid_fields(), 2);
    let status = Status::from(error);
    assert_eq!(status.message(), "a: must be b (and 1 more)");
    let request = status.get_details_bad_request().unwrap();
    assert_eq!(request.field_violations[1].reason, "x.y");
    assert!(Error::invalid_request().if_any_invalid().is_ok());
}

#[test]
fn an_internal_error_shows_nothing_of_its_cause() {
    let error = Error::internal("password=hunter2").message("password=hunter2");
    let status = Status::from(error);
    assert_eq!(status.message(), INTERNAL_MESSAGE);
    assert!(!String::from_utf8_lossy(status.details()).contains("hunter2"));
}

#[test]
fn an_error_stays_within_what_clients_accept() {
    let many = (0..200).fold(Error::invalid_request(), |error, number| {
        error.and_invalid(format!("field[{number}]"), "must be something else")
    });
    let status = Status::from(many.message("x".repeat(10_000)));
    assert!(status.details().len() + 3 * status.message().len() < 6_000);
}

#[test]
fn a_message_is_made_of_the_reason_when_there_is_none() {
    assert_eq!(Status::from(Error::not_found("CASE_NOT_FOUND")).message(), "case not found");
}

#[test]
fn a_peer_that_fails_is_not_the_callers_fault() {
    let away = Error::from_peer("review", Status::unavailable("x"));
    assert_eq!((away.code(), away.reason()), (Code::Unavailable, "NOT_READY"));
    let denied = Error::from_peer("review", Status::permission_denied("x"));
    assert_eq!(denied.code(), Code::Internal);
}
