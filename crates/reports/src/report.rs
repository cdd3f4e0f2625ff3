//! What a report is: whether a notice can be taken under a pack, and the report that it becomes.
//!
//! Pure: no IO, no clock, no ids. Nothing here knows who the reporter is, and what becomes of a
//! report later is [`standing`](crate::standing)'s.

use contracts::policy::v1::Reason;
use contracts::reports::v1::{FileReportRequest, Receipt, Report};
use contracts::types::v1::{Source, SubjectType};
use kit::{Error, Time};
use pack::Pack;

use crate::standing::Standing;

/// The type prefix of a report's id.
pub const ID_PREFIX: &str = "rep";

/// Letters of a region, an ISO 3166-1 alpha-2 code.
const REGION_CHARS: usize = 2;

/// Why a notice cannot be taken under a pack, one reason each.
const REASON_UNKNOWN: &str = "REASON_UNKNOWN";
const REASON_NOT_APPLICABLE: &str = "REASON_NOT_APPLICABLE";
const EVIDENCE_REQUIRED: &str = "EVIDENCE_REQUIRED";

/// Whether a notice, well-formed as the contract's rules say, can be taken under a pack.
///
/// # Errors
/// INVALID_ARGUMENT naming every wrong field. The reason of the error is that of the first
/// one; each violation carries its own.
pub fn check(notice: &FileReportRequest, pack: &Pack) -> Result<(), Error> {
    let mut wrong: Vec<(&str, &str, String)> = Vec::new();
    let subject = notice.subject.clone().unwrap_or_default();
    if subject.r#type() == SubjectType::Account && subject.id != subject.owner_account_id {
        let expected = "must be the same as subject.id when the subject is an account".to_owned();
        wrong.push(("INVALID_REQUEST", "subject.owner_account_id", expected));
    }
    if !is_region(&notice.region) {
        let expected = "must be an ISO 3166-1 alpha-2 code such as DE, or empty".to_owned();
        wrong.push(("INVALID_REQUEST", "region", expected));
    }
    match pack.reason(&notice.reason) {
        None => {
            let expected = format!("must be a reason of pack version {}", pack.version());
            wrong.push((REASON_UNKNOWN, "reason", expected));
        }
        Some(reason) => against_reason(notice, subject.r#type(), reason, &mut wrong),
    }
    let Some((first, _, _)) = wrong.first() else { return Ok(()) };
    let error = Error::invalid_argument(*first)
        .meta("reason", &notice.reason)
        .meta("pack_version", pack.version().to_string());
    Err(wrong.into_iter().fold(error, |error, (reason, field, expected)| {
        error.and_invalid_rule(field, expected, reason)
    }))
}

fn against_reason<'a>(
    notice: &FileReportRequest,
    subject: SubjectType,
    reason: &Reason,
    wrong: &mut Vec<(&'a str, &'a str, String)>,
) {
    if !reason.subject_types.is_empty() && !reason.subject_types().any(|kind| kind == subject) {
        let kinds: Vec<&str> = reason.subject_types().map(|kind| kind.as_str_name()).collect();
        let expected = format!("must be one of {} for this reason", kinds.join(", "));
        wrong.push((REASON_NOT_APPLICABLE, "subject.type", expected));
    }
    let silent = notice.explanation.trim().is_empty() && notice.evidence_urls.is_empty();
    if reason.evidence_required && silent {
        let expected = "must be given, or evidence_urls, for this reason".to_owned();
        wrong.push((EVIDENCE_REQUIRED, "explanation", expected));
    }
}

fn is_region(region: &str) -> bool {
    region.is_empty()
        || (region.len() == REGION_CHARS && region.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// The report that a notice becomes.
pub fn file(
    notice: FileReportRequest,
    report_id: String,
    source: Source,
    pack: &Pack,
    now: Time,
) -> Report {
    Report {
        report_id,
        subject: notice.subject,
        reason: notice.reason,
        explanation: notice.explanation,
        source: source.into(),
        state: Standing::FILED.state.into(),
        outcome: Standing::FILED.outcome.into(),
        outcome_corrected: Standing::FILED.corrected,
        case_id: String::new(),
        create_time: Some(now.into()),
        update_time: Some(now.into()),
        snapshot: notice.snapshot,
        region: notice.region.to_ascii_uppercase(),
        location_url: notice.location_url,
        evidence_urls: notice.evidence_urls,
        pack_version: pack.version(),
        good_faith: notice.good_faith,
    }
}

/// The part of a report that never changes and that nothing is looked up by, to be stored as
/// one value. The fields that have columns of their own are left out.
pub fn notice_of(report: &Report) -> Report {
    Report {
        explanation: report.explanation.clone(),
        location_url: report.location_url.clone(),
        evidence_urls: report.evidence_urls.clone(),
        snapshot: report.snapshot.clone(),
        region: report.region.clone(),
        good_faith: report.good_faith,
        ..Report::default()
    }
}

/// The proof that a report was taken.
pub fn receipt(report: &Report) -> Receipt {
    Receipt { report_id: report.report_id.clone(), create_time: report.create_time }
}

#[cfg(test)]
mod tests {
    use contracts::policy::v1 as policy;
    use contracts::types::v1::Subject;
    use tonic::{Code, Status};
    use tonic_types::StatusExt as _;

    use super::*;

    fn pack() -> Pack {
        let spam = policy::Reason { code: "spam".to_owned(), ..Default::default() };
        let fraud = policy::Reason {
            code: "fraud".to_owned(),
            evidence_required: true,
            subject_types: vec![SubjectType::Product.into(), SubjectType::Shop.into()],
            ..Default::default()
        };
        Pack::new(policy::Pack { version: 7, reasons: vec![spam, fraud], ..Default::default() })
    }

    fn notice(reason: &str, kind: SubjectType) -> FileReportRequest {
        FileReportRequest {
            reason: reason.to_owned(),
            subject: Some(Subject {
                r#type: kind.into(),
                id: "s1".to_owned(),
                owner_account_id: "s1".to_owned(),
            }),
            ..Default::default()
        }
    }

    /// The error's reason, and field and reason of each violation.
    fn told(notice: &FileReportRequest) -> (String, Vec<(String, String)>) {
        let status = Status::from(check(notice, &pack()).unwrap_err());
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let fields = details.bad_request().unwrap().field_violations.iter();
        (
            details.error_info().unwrap().reason.clone(),
            fields.map(|wrong| (wrong.field.clone(), wrong.reason.clone())).collect(),
        )
    }

    fn pair(field: &str, reason: &str) -> (String, String) {
        (field.to_owned(), reason.to_owned())
    }

    #[test]
    fn a_notice_is_checked_against_the_pack_and_all_mistakes_are_told() {
        let pack = pack();
        assert!(check(&notice("spam", SubjectType::Video), &pack).is_ok());
        assert!(check(&notice("spam", SubjectType::Account), &pack).is_ok());

        let (reason, fields) = told(&notice("rude", SubjectType::Video));
        assert_eq!(
            (reason.as_str(), fields),
            (REASON_UNKNOWN, vec![pair("reason", REASON_UNKNOWN)])
        );

        let (reason, fields) = told(&notice("fraud", SubjectType::Video));
        assert_eq!(reason, REASON_NOT_APPLICABLE);
        assert_eq!(
            fields,
            [pair("subject.type", REASON_NOT_APPLICABLE), pair("explanation", EVIDENCE_REQUIRED)]
        );

        let mut wrong = notice("rude", SubjectType::Account);
        wrong.region = "D1".to_owned();
        wrong.subject.as_mut().unwrap().owner_account_id = "other".to_owned();
        let (reason, fields) = told(&wrong);
        assert_eq!(reason, "INVALID_REQUEST");
        assert_eq!(
            fields,
            [
                pair("subject.owner_account_id", "INVALID_REQUEST"),
                pair("region", "INVALID_REQUEST"),
                pair("reason", REASON_UNKNOWN)
            ]
        );
    }

    #[test]
    fn evidence_is_an_explanation_or_an_address() {
        let pack = pack();
        let mut notice = notice("fraud", SubjectType::Shop);
        notice.explanation = " \n".to_owned();
        assert_eq!(told(&notice).0, EVIDENCE_REQUIRED);
        notice.evidence_urls = vec!["https://example.com/1".to_owned()];
        assert!(check(&notice, &pack).is_ok());
        notice.evidence_urls.clear();
        notice.explanation = "counterfeit".to_owned();
        assert!(check(&notice, &pack).is_ok());
    }

    #[test]
    fn regions_are_two_letters_or_none() {
        for (region, good) in
            [("", true), ("DE", true), ("de", true), ("D", false), ("D1", false), ("Ü", false)]
        {
            assert_eq!(is_region(region), good, "{region}");
        }
    }

    #[test]
    fn nothing_of_a_notice_is_lost() {
        let mut given = notice("spam", SubjectType::Video);
        given.explanation = "e".to_owned();
        given.location_url = "l".to_owned();
        given.evidence_urls = vec!["u".to_owned()];
        given.region = "de".to_owned();
        given.good_faith = true;
        given.snapshot = Some(Default::default());
        let now = Time::from_seconds(5);
        let report = file(given, "rep_1".to_owned(), Source::User, &pack(), now);
        assert_eq!((report.region.as_str(), report.pack_version), ("DE", 7));
        let stored = notice_of(&report);
        let columns = Report {
            report_id: report.report_id.clone(),
            subject: report.subject.clone(),
            reason: report.reason.clone(),
            source: report.source,
            state: report.state,
            create_time: report.create_time,
            update_time: report.update_time,
            pack_version: report.pack_version,
            ..stored
        };
        assert_eq!(columns, report);
    }
}
