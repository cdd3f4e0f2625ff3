//! What review tells the world, appended in the transaction that makes it true. It must not know
//! why something happened. No event names a reporter, a reviewer's login or a rationale.

use contracts::review::v1::ReviewEvent;
use contracts::review::v1::review_event::Event;
use kit::db::Tx;
use kit::events::NewEvent;
use kit::{Ids, Time};

/// Appends an event about a case.
pub fn append(tx: &mut Tx, ids: &Ids, now: Time, case_id: &str, event: Event) {
    let event_id = ids.new_id("evt", now);
    let kind = kind(&event);
    let message =
        ReviewEvent { event_id: event_id.clone(), time: Some(now.into()), event: Some(event) };
    tx.append(NewEvent::of(event_id, case_id, kind, now, &message));
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::CaseOpened(_) => "case_opened",
        Event::ReportAdded(_) => "report_added",
        Event::CaseEscalated(_) => "case_escalated",
        Event::CaseDecided(_) => "case_decided",
        Event::AppealCaseDecided(_) => "appeal_case_decided",
        Event::CaseWithdrawn(_) => "case_withdrawn",
        Event::ImpersonationAdded(_) => "impersonation_added",
    }
}
