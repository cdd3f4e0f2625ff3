//! What the suite's event streams have told so far, kept current by one task per stream, for the
//! replay and the demo to wait on.
//!
//! It knows events and identifiers; it must not know what waits, nor call anything but the Watch
//! RPCs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contracts::accounthealth::v1 as health;
use contracts::appeals::v1 as appeals;
use contracts::reports::v1 as reports;
use contracts::review::v1 as review;
use futures_util::StreamExt;
use kit::clock;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Status;

use crate::caller::{Suite, worth_repeating};

/// How long to wait before a broken stream is opened again, in milliseconds.
const REOPEN_MS: u64 = 200;
/// Who watches.
const WATCHER: &str = "replay";

/// What is known of the suite's work.
#[derive(Debug, Default)]
pub struct Known {
    /// The case of a report.
    pub case_of_report: HashMap<String, String>,
    /// The decision of a case, and whether it found a violation.
    pub decision_of_case: HashMap<String, (String, bool)>,
    /// The decisions for which a statement of reasons was issued.
    pub stated: HashSet<String>,
    /// The case of an appeal.
    pub case_of_appeal: HashMap<String, String>,
    /// The appeals that were decided, and whether the decision fell.
    pub appeal_decided: HashMap<String, bool>,
    /// The decisions whose entry was voided.
    pub voided: HashSet<String>,
    /// The reports that were resolved.
    pub resolved: HashSet<String>,
    /// The reports whose outcome was corrected.
    pub corrected: HashSet<String>,
}

/// What is known, and a way to wait for more. Its tasks end with its last clone.
#[derive(Debug, Clone)]
pub struct Board {
    notes: Notes,
    _tasks: Arc<JoinSet<()>>,
}

/// What is written down, and a word to those who wait.
#[derive(Debug, Clone)]
struct Notes {
    known: Arc<Mutex<Known>>,
    changed: watch::Sender<()>,
}

/// Follows one stream into the notes, opened again with the last token whenever it breaks.
macro_rules! follow {
    (
        $tasks:ident, $suite:ident, $notes:ident, $client:path, $rpc:ident, $request:expr,
        $note:path
    ) => {{
        let (suite, notes) = ($suite.clone(), $notes.clone());
        $tasks.spawn(async move {
            let mut token = String::new();
            loop {
                let mut client = <$client>::new(suite.channel());
                let request = suite.request(WATCHER, $request(token.clone()));
                match client.$rpc(request).await {
                    Ok(response) => {
                        let mut stream = response.into_inner();
                        while let Some(Ok(message)) = stream.next().await {
                            if let Some(event) = message.event.and_then(|event| event.event) {
                                notes.add(|known| $note(known, event));
                            }
                            token = message.resume_token;
                        }
                    }
                    Err(status) => complain(&status),
                }
                clock::sleep(Duration::from_millis(REOPEN_MS)).await;
            }
        });
    }};
}

impl Board {
    /// Starts following the suite's streams from their beginning.
    pub fn follow(suite: &Suite) -> Board {
        let notes = Notes { known: Arc::default(), changed: watch::Sender::new(()) };
        let mut tasks = JoinSet::new();
        follow!(
            tasks,
            suite,
            notes,
            reports::reports_service_client::ReportsServiceClient<_>,
            watch_report_events,
            |resume_token| reports::WatchReportEventsRequest { resume_token },
            report_event
        );
        follow!(
            tasks,
            suite,
            notes,
            review::review_service_client::ReviewServiceClient<_>,
            watch_review_events,
            |resume_token| review::WatchReviewEventsRequest { resume_token },
            review_event
        );
        follow!(
            tasks,
            suite,
            notes,
            health::account_health_service_client::AccountHealthServiceClient<_>,
            watch_account_health_events,
            |resume_token| health::WatchAccountHealthEventsRequest { resume_token },
            health_event
        );
        follow!(
            tasks,
            suite,
            notes,
            appeals::appeals_service_client::AppealsServiceClient<_>,
            watch_appeal_events,
            |resume_token| appeals::WatchAppealEventsRequest { resume_token },
            appeal_event
        );
        Board { notes, _tasks: Arc::new(tasks) }
    }

    /// Waits until something is known.
    pub async fn wait<T>(&self, find: impl Fn(&Known) -> Option<T>) -> T {
        let mut changed = self.notes.changed.subscribe();
        loop {
            if let Some(found) = self.look(&find) {
                return found;
            }
            // The sender lives as long as `self`, so this never fails.
            let _ = changed.changed().await;
        }
    }

    /// What is known now.
    pub fn look<T>(&self, find: impl FnOnce(&Known) -> T) -> T {
        find(&self.notes.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Notes {
    fn add(&self, learn: impl FnOnce(&mut Known)) {
        learn(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_replace(());
    }
}

/// A stream that cannot be opened for another reason than that the suite is away is worth a line.
fn complain(status: &Status) {
    if !worth_repeating(status) {
        tracing::warn!(%status, "a stream could not be opened; trying again");
    }
}

fn report_event(known: &mut Known, event: reports::report_event::Event) {
    if let reports::report_event::Event::ReportResolved(resolved) = event {
        if resolved.outcome_corrected {
            known.corrected.insert(resolved.report_id.clone());
        }
        known.resolved.insert(resolved.report_id);
    }
}

fn review_event(known: &mut Known, event: review::review_event::Event) {
    use review::review_event::Event;
    match event {
        Event::CaseOpened(opened) => {
            let case = opened.case.unwrap_or_default();
            if case.appeal_id.is_empty() {
                known.case_of_report.insert(opened.report_id, case.case_id);
            } else {
                known.case_of_appeal.insert(case.appeal_id, case.case_id);
            }
        }
        Event::ReportAdded(added) => {
            known.case_of_report.insert(added.report_id, added.case_id);
        }
        Event::CaseDecided(decided) => {
            let decision = decided.decision.unwrap_or_default();
            let violation = decision.outcome == review::decision::Outcome::Violation as i32;
            known.decision_of_case.insert(decided.case_id, (decision.decision_id, violation));
        }
        Event::AppealCaseDecided(_)
        | Event::CaseEscalated(_)
        | Event::CaseWithdrawn(_)
        | Event::ImpersonationAdded(_) => {}
    }
}

fn health_event(known: &mut Known, event: health::account_health_event::Event) {
    use health::account_health_event::Event;
    match event {
        Event::StatementIssued(issued) => {
            known.stated.insert(issued.statement.unwrap_or_default().decision_id);
        }
        Event::EntryVoided(voided) => {
            known.voided.insert(voided.entry.unwrap_or_default().decision_id);
        }
        _ => {}
    }
}

fn appeal_event(known: &mut Known, event: appeals::appeal_event::Event) {
    if let appeals::appeal_event::Event::AppealDecided(decided) = event {
        let appeal = decided.appeal.unwrap_or_default();
        let fell = appeal.outcome != appeals::appeal::Outcome::Upheld as i32;
        known.appeal_decided.insert(appeal.appeal_id, fell);
    }
}
