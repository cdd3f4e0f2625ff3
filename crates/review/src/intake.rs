//! What a batch of filed and withdrawn reports, or of matches and claims of impersonation, does to
//! cases. Pure: the cases that it may touch
//! are given, ids are injected, and what it leaves is for the store to write.
//!
//! Invariant: a subject has at most one open case in each area, whatever the batch.

use std::collections::HashMap;
use std::time::Duration;

use contracts::reports::v1::Report;
use contracts::review::v1::case::{Kind, State};
use contracts::review::v1::review_event::Event;
use contracts::review::v1::{CaseOpened, CaseWithdrawn};
use contracts::types::v1::{ContentSnapshot, Severity, Source, Subject, SubjectType};
use kit::Time;
use pack::Pack;

use crate::case::{Added, Case};
use crate::queue::{self, Facts};
use crate::render;

/// How soon a case is to be decided when its reason names no class that the pack knows.
pub const DUE_DEFAULT: Duration = Duration::from_secs(24 * 3_600);
/// Areas that take reports whose reason the pack does not know, best first; without any of them
/// the pack's first area does.
const FALLBACK_AREAS: [&str; 3] = ["other", "general", "unclassified"];

/// What opens a case or adds to one, as far as review is concerned: a report, or a match or a
/// claim of impersonation.
#[derive(Clone, Debug, PartialEq)]
pub struct Filed {
    /// `rep_…`, `mat_…` or `clm_…`.
    pub report_id: String,
    /// Which of them it is.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// The area of the policy that its reason suggests.
    pub area: String,
    /// Its reason.
    pub reason: String,
    /// The reporter's words.
    pub explanation: String,
    /// Who brought it.
    pub source: Source,
    /// The severity that its reason assumes.
    pub severity: Severity,
    /// The policy that its reason suggests; empty where the pack does not know the reason.
    pub policy: String,
    /// The queue that its reason prescribes; empty for none.
    pub exclusive_queue: String,
    /// When it was filed.
    pub file_time: Time,
    /// When a case of its reason is to be decided.
    pub due_time: Time,
    /// The content when it was reported.
    pub snapshot: Option<ContentSnapshot>,
}

impl Filed {
    /// Reads a report under the version of the pack that it was taken under. A reason that this
    /// version does not know is kept, and reviewed in a general area: no report is lost.
    pub fn of(report: &Report, pack: &Pack) -> Filed {
        let file_time =
            report.create_time.as_ref().and_then(Time::from_timestamp).unwrap_or(Time::EPOCH);
        let reason = pack.reason(&report.reason);
        let policy = reason.and_then(|reason| pack.policy(&reason.policy));
        let minutes = reason.and_then(|reason| pack.sla_minutes(&reason.sla_class));
        let due = minutes.and_then(|minutes| u64::try_from(minutes).ok());
        let due = due.map_or(DUE_DEFAULT, |minutes| Duration::from_secs(60 * minutes));
        Filed {
            report_id: report.report_id.clone(),
            kind: Kind::Reports,
            subject: report.subject.clone().unwrap_or_default(),
            area: policy.map_or_else(|| fallback_area(pack), |policy| policy.area.clone()),
            reason: report.reason.clone(),
            explanation: report.explanation.clone(),
            source: report.source(),
            severity: reason.map_or(Severity::Low, |reason| reason.severity()),
            policy: policy.map(|policy| policy.code.clone()).unwrap_or_default(),
            exclusive_queue: reason
                .map(|reason| reason.exclusive_queue.clone())
                .unwrap_or_default(),
            file_time,
            due_time: file_time.plus(due),
            snapshot: report.snapshot.clone(),
        }
    }

    /// Whether the pack knew its reason.
    pub fn is_classified(&self) -> bool {
        !self.policy.is_empty()
    }

    /// The language of the content; empty where unknown.
    pub fn language(&self) -> &str {
        self.snapshot.as_ref().map_or("", |snapshot| &snapshot.language)
    }

    /// What there is at most one open case for.
    pub fn key(&self) -> Key {
        Key {
            subject_type: self.subject.r#type(),
            subject_id: self.subject.id.clone(),
            area: self.area.clone(),
        }
    }
}

fn fallback_area(pack: &Pack) -> String {
    let areas = &pack.proto().areas;
    let known = |code: &&str| areas.iter().any(|area| area.code == *code);
    let named = FALLBACK_AREAS.iter().copied().find(known);
    let first = areas.first().map_or(FALLBACK_AREAS[0], |area| area.code.as_str());
    named.unwrap_or(first).to_owned()
}

/// What there is at most one open case for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The kind of subject.
    pub subject_type: SubjectType,
    /// The subject.
    pub subject_id: String,
    /// The policy area.
    pub area: String,
}

impl Key {
    fn of(case: &Case) -> Key {
        Key {
            subject_type: case.subject.r#type(),
            subject_id: case.subject.id.clone(),
            area: case.area.clone(),
        }
    }
}

/// A case before and after the batch.
#[derive(Clone, Debug)]
pub struct Slot {
    /// As it is stored; `None` for a new one.
    pub stored: Option<Case>,
    /// As it is now.
    pub case: Case,
}

/// A report that the batch brings.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// The report.
    pub filed: Filed,
    /// The case that it became part of.
    pub case_id: String,
    /// Whether it was withdrawn within the batch.
    pub withdrawn: bool,
}

/// A report that is stored and that the batch may withdraw.
#[derive(Clone, Debug)]
pub struct StoredReport {
    /// `rep_…`.
    pub report_id: String,
    /// Its case.
    pub case_id: String,
    /// Whether it is withdrawn already.
    pub withdrawn: bool,
}

enum Whereabouts {
    New(usize),
    Stored { case_id: String, withdrawn: bool },
}

/// A batch at work.
pub struct Intake<'a> {
    pack: &'a Pack,
    now: Time,
    slots: Vec<Slot>,
    open: HashMap<Key, usize>,
    by_id: HashMap<String, usize>,
    known: HashMap<String, Whereabouts>,
    reports: Vec<NewReport>,
    withdrawn: Vec<String>,
    items: Items,
    events: Vec<(String, Event)>,
}

/// What a batch leaves to be written.
#[derive(Debug)]
pub struct Outcome {
    /// The cases, touched or not, in no order.
    pub slots: Vec<Slot>,
    /// The reports to insert.
    pub reports: Vec<NewReport>,
    /// The stored reports to mark as withdrawn.
    pub withdrawn: Vec<String>,
    /// What is known of impersonation.
    pub items: Items,
    /// What happened, in order, with the case that it happened to.
    pub events: Vec<(String, Event)>,
}

impl<'a> Intake<'a> {
    /// Begins with the stored cases that may be concerned and the reports that may be withdrawn.
    /// `pack` is the active one: its queues are those that reviewers look in.
    pub fn new(
        pack: &'a Pack,
        now: Time,
        cases: Vec<Case>,
        reports: Vec<StoredReport>,
    ) -> Intake<'a> {
        let mut intake = Intake {
            pack,
            now,
            slots: Vec::with_capacity(cases.len()),
            open: HashMap::new(),
            by_id: HashMap::new(),
            known: HashMap::new(),
            reports: Vec::new(),
            withdrawn: Vec::new(),
            items: Items::default(),
            events: Vec::new(),
        };
        for case in cases {
            intake.put(Some(case.clone()), case);
        }
        for StoredReport { report_id, case_id, withdrawn } in reports {
            intake.known.insert(report_id, Whereabouts::Stored { case_id, withdrawn });
        }
        intake
    }

    /// A report was filed: opens a case or adds to the open one.
    pub fn file(&mut self, filed: Filed, new_id: impl FnOnce() -> String) {
        if self.known.contains_key(&filed.report_id) {
            return;
        }
        let at = match self.open.get(&filed.key()).copied() {
            Some(at) => {
                self.add(at, &filed);
                at
            }
            None => self.open_case(&filed, new_id()),
        };
        self.known.insert(filed.report_id.clone(), Whereabouts::New(self.reports.len()));
        let case_id = self.slots[at].case.case_id.clone();
        self.reports.push(NewReport { filed, case_id, withdrawn: false });
    }

    /// A report was withdrawn. False if no such report is known.
    pub fn withdraw(&mut self, report_id: &str) -> bool {
        let (case_id, first_time) = match self.known.get_mut(report_id) {
            None => return false,
            Some(Whereabouts::New(at)) => {
                let report = &mut self.reports[*at];
                (report.case_id.clone(), !std::mem::replace(&mut report.withdrawn, true))
            }
            Some(Whereabouts::Stored { case_id, withdrawn }) => {
                let first_time = !std::mem::replace(withdrawn, true);
                if first_time {
                    self.withdrawn.push(report_id.to_owned());
                }
                (case_id.clone(), first_time)
            }
        };
        let slot = self.by_id.get(&case_id).map(|&at| &mut self.slots[at]);
        if let Some(Slot { case, .. }) = slot.filter(|_| first_time)
            // A decision stands, and so does a closed case: only the mark on the report changes.
            && case.withdraw_report(self.now).is_ok()
            && case.state == State::Withdrawn
        {
            self.closed(&case_id);
        }
        true
    }

    /// What is to be written.
    pub fn finish(self) -> Outcome {
        Outcome {
            slots: self.slots,
            reports: self.reports,
            withdrawn: self.withdrawn,
            items: self.items,
            events: self.events,
        }
    }

    fn put(&mut self, stored: Option<Case>, case: Case) -> usize {
        let at = self.slots.len();
        if case.state == State::Open && case.kind != Kind::Appeal {
            self.open.insert(Key::of(&case), at);
        }
        self.by_id.insert(case.case_id.clone(), at);
        self.slots.push(Slot { stored, case });
        at
    }

    fn open_case(&mut self, filed: &Filed, case_id: String) -> usize {
        let facts = facts(&filed.area, filed.subject.r#type(), filed.severity, filed.source);
        let facts = Facts { exclusive_queue: &filed.exclusive_queue, ..facts };
        let case = opened(filed, queue::choose(self.pack, &facts), case_id, self.now);
        let [report_id, match_id, claim_id] = filed.ids();
        let shown = Some(render::case_in_event(&case, self.now));
        let event = CaseOpened { case: shown, report_id, match_id, claim_id };
        self.events.push((case.case_id.clone(), Event::CaseOpened(event)));
        self.put(None, case)
    }

    fn add(&mut self, at: usize, filed: &Filed) {
        let case = &mut self.slots[at].case;
        let added = Added {
            severity: filed.severity,
            source: filed.source,
            due_time: filed.due_time,
            policy: &filed.policy,
            language: filed.language(),
        };
        let done = match filed.kind {
            Kind::Reports => case.add_report(added, self.now),
            _ => case.add_impersonation(added, self.now),
        };
        if done.is_err() {
            // Only open cases are found by their key.
            return;
        }
        let facts = facts(&case.area, case.subject.r#type(), case.severity, case.source);
        let facts = Facts { exclusive_queue: &filed.exclusive_queue, ..facts };
        let to = queue::moved(self.pack, &case.queue, case.escalated, &facts).map(str::to_owned);
        if let Some(to) = to {
            case.route(&to, self.now);
        }
        let event = filed.added_to(case);
        self.events.push((case.case_id.clone(), event));
    }

    /// Tells that nothing is left of a case.
    fn closed(&mut self, case_id: &str) {
        if let Some(&at) = self.by_id.get(case_id) {
            self.open.remove(&Key::of(&self.slots[at].case));
        }
        let case_id = case_id.to_owned();
        let event = CaseWithdrawn { case_id: case_id.clone(), appeal_id: String::new() };
        self.events.push((case_id, Event::CaseWithdrawn(event)));
    }
}

fn facts(area: &str, subject_type: SubjectType, severity: Severity, source: Source) -> Facts<'_> {
    Facts { appeal: false, area, subject_type, severity, source, exclusive_queue: "" }
}

/// A new case of what opens it.
fn opened(filed: &Filed, queue: &str, case_id: String, now: Time) -> Case {
    let mut case = Case {
        case_id,
        kind: filed.kind,
        state: State::Open,
        subject: filed.subject.clone(),
        area: filed.area.clone(),
        queue: queue.to_owned(),
        escalated: false,
        severity: filed.severity,
        source: filed.source,
        report_count: i64::from(filed.kind == Kind::Reports),
        impersonation_count: i64::from(filed.kind != Kind::Reports),
        first_reason: filed.reason.clone(),
        language: filed.language().to_owned(),
        suggested_policies: if filed.is_classified() { vec![filed.policy.clone()] } else { vec![] },
        due_time: filed.due_time,
        rank_time: filed.due_time,
        lease: None,
        fencing_token: 0,
        version: 1,
        decision_id: String::new(),
        appeal: None,
        create_time: now,
        update_time: now,
    };
    case.rank();
    case
}

mod impersonation;
#[cfg(test)]
mod tests;

pub use impersonation::{
    CLAIM_REASON, Item, Items, MATCH_REASON, NewItem, StoredItem, at, is_imitation, key,
};
