//! What this service tells the others: one function for each event, from what happened to what
//! is appended to the log.
//!
//! No function here takes a reporter, so that no event can name one.

use contracts::reports::v1::report::Outcome;
use contracts::reports::v1::report_event::Event;
use contracts::reports::v1::{
    Report, ReportEvent, ReportFiled, ReportInReview, ReportResolved, ReportWithdrawn,
};
use contracts::types::v1::Subject;
use kit::events::NewEvent;
use kit::{Ids, Time};

/// The type prefix of an event's id.
const ID_PREFIX: &str = "evt";

/// Makes this service's events at one instant.
#[derive(Clone, Copy)]
pub struct Events<'a> {
    /// Where ids come from.
    pub ids: &'a Ids,
    /// When it happened.
    pub now: Time,
}

impl Events<'_> {
    /// A report was taken.
    pub fn filed(self, report: Report) -> NewEvent {
        let report_id = report.report_id.clone();
        let filed = ReportFiled { report: Some(report) };
        self.event(&report_id, "report_filed", Event::ReportFiled(filed))
    }

    /// A report was taken back.
    pub fn withdrawn(self, report_id: &str, subject: Subject) -> NewEvent {
        let withdrawn = ReportWithdrawn { report_id: report_id.to_owned(), subject: Some(subject) };
        self.event(report_id, "report_withdrawn", Event::ReportWithdrawn(withdrawn))
    }

    /// A report became part of a case.
    pub fn in_review(self, report_id: &str, case_id: &str) -> NewEvent {
        let in_review =
            ReportInReview { report_id: report_id.to_owned(), case_id: case_id.to_owned() };
        self.event(report_id, "report_in_review", Event::ReportInReview(in_review))
    }

    /// A report was resolved, or its outcome corrected.
    pub fn resolved(
        self,
        report_id: &str,
        case_id: &str,
        outcome: Outcome,
        corrected: bool,
    ) -> NewEvent {
        let resolved = ReportResolved {
            report_id: report_id.to_owned(),
            case_id: case_id.to_owned(),
            outcome: outcome.into(),
            outcome_corrected: corrected,
        };
        self.event(report_id, "report_resolved", Event::ReportResolved(resolved))
    }

    fn event(self, report_id: &str, kind: &'static str, event: Event) -> NewEvent {
        let event_id = self.ids.new_id(ID_PREFIX, self.now);
        let message = ReportEvent {
            event_id: event_id.clone(),
            time: Some(self.now.into()),
            event: Some(event),
        };
        NewEvent::of(event_id, report_id, kind, self.now, &message)
    }
}
