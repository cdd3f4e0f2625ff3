//! Cases as callers see them. Reviewers appear as pseudonyms and reporters not at all. Pure.

use contracts::review::v1;
use kit::Time;

use crate::case::Case;

/// A case without its reports and its decision.
pub fn case(case: &Case, now: Time) -> v1::Case {
    let appeal = case.appeal.as_ref();
    v1::Case {
        case_id: case.case_id.clone(),
        kind: case.kind as i32,
        state: case.state as i32,
        subject: Some(case.subject.clone()),
        area: case.area.clone(),
        queue: case.queue.clone(),
        escalated: case.escalated,
        severity: case.severity as i32,
        report_count: case.report_count,
        impersonation_count: case.impersonation_count,
        due_time: Some(case.due_time.into()),
        rank_time: Some(case.rank_time.into()),
        lease: case.live_lease(now).map(|held| v1::Lease {
            reviewer_id: held.reviewer_id.clone(),
            fencing_token: case.fencing_token,
            expire_time: Some(held.until.into()),
        }),
        decision: None,
        etag: case.etag(),
        create_time: Some(case.create_time.into()),
        update_time: Some(case.update_time.into()),
        appeal_id: appeal.map(|appeal| appeal.appeal_id.clone()).unwrap_or_default(),
        appealed_decision_id: appeal
            .map(|appeal| appeal.appealed_decision_id.clone())
            .unwrap_or_default(),
        suggested_policies: case.suggested_policies.clone(),
        reports: Vec::new(),
        matches: Vec::new(),
        claims: Vec::new(),
        exemptions: Vec::new(),
        appeal_grounds: appeal.map(|appeal| appeal.grounds.clone()).unwrap_or_default(),
    }
}

/// A case as events carry it: without what people wrote.
pub fn case_in_event(stored: &Case, now: Time) -> v1::Case {
    v1::Case { appeal_grounds: String::new(), ..case(stored, now) }
}

/// A decision as events carry it: without its rationale, which is for staff.
pub fn decision_in_event(decision: &v1::Decision) -> v1::Decision {
    v1::Decision { rationale: String::new(), ..decision.clone() }
}
