//! The case in which an appeal is heard. Pure: no IO, no clock.

use contracts::appeals::v1 as appeals;
use contracts::review::v1::case::{Kind, State};
use contracts::review::v1::{Decision, Violation};
use contracts::types::v1::Severity;
use kit::Time;
use pack::Pack;

use crate::case::{APPEAL_DUE, Appeal, Case};
use crate::queue::{self, Facts};

/// Opens the case of an appeal against `decision`, which decided `appealed`: same subject and
/// area, a queue for appeals, and not for the eyes of the first decider.
pub fn opened(
    appeal: &appeals::Appeal,
    decision: &Decision,
    appealed: &Case,
    pack: &Pack,
    case_id: String,
    now: Time,
) -> Case {
    let violation = decision.violation.as_ref();
    let severity = violation.map_or(Severity::Unspecified, Violation::severity);
    let facts = Facts {
        appeal: true,
        area: &appealed.area,
        subject_type: appealed.subject.r#type(),
        severity,
        source: appealed.source,
        exclusive_queue: "",
    };
    let filed = appeal.create_time.as_ref().and_then(Time::from_timestamp).unwrap_or(now);
    let mut case = Case {
        case_id,
        kind: Kind::Appeal,
        state: State::Open,
        subject: appealed.subject.clone(),
        area: appealed.area.clone(),
        queue: queue::choose(pack, &facts).to_owned(),
        escalated: false,
        severity,
        source: appealed.source,
        report_count: 0,
        impersonation_count: 0,
        first_reason: appealed.first_reason.clone(),
        language: appealed.language.clone(),
        suggested_policies: violation.map(|found| found.policy.clone()).into_iter().collect(),
        due_time: filed.plus(APPEAL_DUE),
        rank_time: filed.plus(APPEAL_DUE),
        lease: None,
        fencing_token: 0,
        version: 1,
        decision_id: String::new(),
        appeal: Some(Appeal {
            appeal_id: appeal.appeal_id.clone(),
            appealed_decision_id: decision.decision_id.clone(),
            appealed_case_id: began(appealed).to_owned(),
            grounds: appeal.grounds.clone(),
            excluded_reviewer_id: decision.reviewer_id.clone(),
        }),
        create_time: now,
        update_time: now,
    };
    case.rank();
    case
}

/// The case in which a dispute began: whose reports, matches and claims a correction concerns,
/// also where what is appealed against is itself a decision on an appeal.
fn began(appealed: &Case) -> &str {
    appealed.appeal.as_ref().map_or(&appealed.case_id, |earlier| &earlier.appealed_case_id)
}

#[cfg(test)]
mod tests {
    use contracts::policy::v1::{Pack as PackProto, Queue};
    use contracts::types::v1::{Source, Subject};

    use super::*;

    #[test]
    fn an_appeal_is_heard_apart_from_the_first_decider() {
        let queue =
            |code: &str, appeals| Queue { code: code.to_owned(), appeals, ..Queue::default() };
        let queues = vec![queue("general", false), queue("appeals", true)];
        let pack = Pack::new(PackProto { queues, ..PackProto::default() });
        let now = Time::from_seconds(1_000_000);
        let decision = Decision {
            decision_id: "dec_1".to_owned(),
            reviewer_id: "rvw_first".to_owned(),
            violation: Some(Violation {
                policy: "spam".to_owned(),
                severity: Severity::High as i32,
                ..Violation::default()
            }),
            ..Decision::default()
        };
        let appeal = appeals::Appeal {
            appeal_id: "app_1".to_owned(),
            grounds: "not spam".to_owned(),
            create_time: Some(Time::from_seconds(999_000).into()),
            ..appeals::Appeal::default()
        };
        let first = opened(&appeal, &decision, &a_case(now), &pack, "case_2".to_owned(), now);
        assert_eq!(
            (first.kind, first.queue.as_str(), first.area.as_str()),
            (Kind::Appeal, "appeals", "spam")
        );
        assert_eq!(first.due_time, Time::from_seconds(999_000).plus(APPEAL_DUE));
        assert!(first.rank_time < first.due_time, "a grave decision is looked at sooner");
        let heard = first.appeal.unwrap();
        assert_eq!(heard.excluded_reviewer_id, "rvw_first");
        assert_eq!(
            (heard.appealed_case_id.as_str(), heard.appealed_decision_id.as_str()),
            ("case_1", "dec_1")
        );
        assert_eq!(first.suggested_policies, ["spam"]);
    }

    fn a_case(now: Time) -> Case {
        Case {
            case_id: "case_1".to_owned(),
            kind: Kind::Reports,
            state: State::Decided,
            subject: Subject::default(),
            area: "spam".to_owned(),
            queue: "general".to_owned(),
            escalated: false,
            severity: Severity::Low,
            source: Source::User,
            report_count: 1,
            impersonation_count: 0,
            first_reason: "spam.link".to_owned(),
            language: "en".to_owned(),
            suggested_policies: vec![],
            due_time: now,
            rank_time: now,
            lease: None,
            fencing_token: 1,
            version: 2,
            decision_id: "dec_1".to_owned(),
            appeal: None,
            create_time: now,
            update_time: now,
        }
    }
}
