//! What decisions do to an account: entries, statements, events, and readings as of instants.

use contracts::accounthealth::v1 as proto;
use contracts::accounthealth::v1::account_health_event::Event;
use contracts::accounthealth::v1::restriction_lifted::Cause;
use contracts::review::v1 as review;
use contracts::types::v1::{Feature, Severity, Source, Tier};
use kit::{Ids, Time};
use prost::Message as _;
use review::decision::Outcome;

use super::build::{ACCOUNT, both, day, pack, subject};
use crate::account::{Account, Changes, Desk};
use crate::ladder::Ladder;
use crate::message;

/// An account at a desk, with all that came of it.
pub struct Case {
    pub account: Account,
    pub ladders: Vec<Ladder>,
    ids: Ids,
    changes: Changes,
    told: usize,
}

impl Case {
    pub fn new() -> Case {
        let account = Account {
            account_id: ACCOUNT.to_owned(),
            locale: "de-AT".to_owned(),
            entries: Vec::new(),
            announced: message::good_standing(ACCOUNT, Time::EPOCH),
            last_time: Time::EPOCH,
            statements: Vec::new(),
        };
        let (ids, changes) = (Ids::seeded(7), Changes::default());
        Case { account, ladders: both(), ids, changes, told: 0 }
    }

    pub fn violate(&mut self, id: &str, policy: &str, severity: Severity, at: Time) {
        let decided = decided(id, policy, severity, at);
        let Case { account, ladders, ids, changes, .. } = self;
        let desk = Desk { now: at, ladders, ladders_version: 1, ids };
        account.enter(&decided, &pack(1), &desk, changes).unwrap();
    }

    pub fn appeal(&mut self, id: &str, appealed: &str, milder: Option<Severity>, at: Time) {
        let decided = heard(id, appealed, milder, at);
        let Case { account, ladders, ids, changes, .. } = self;
        let desk = Desk { now: at, ladders, ladders_version: 1, ids };
        account.hear(&decided, &pack(1), &desk, changes).unwrap();
    }

    pub fn settle(&mut self, cause: Cause, at: Time) {
        let Case { account, ladders, ids, changes, .. } = self;
        let desk = Desk { now: at, ladders, ladders_version: 1, ids };
        account.settle(&desk, at, cause, changes);
    }

    /// The events since the last time.
    fn told(&mut self) -> Vec<Event> {
        let new = &self.changes.events[self.told..];
        self.told = self.changes.events.len();
        let event = |bytes: &[u8]| proto::AccountHealthEvent::decode(bytes).unwrap().event.unwrap();
        new.iter().map(|one| event(&one.payload)).collect()
    }

    fn statement(&self) -> &proto::Statement {
        self.changes.statements.last().unwrap()
    }

    fn tier(&self) -> Tier {
        self.account.announced.tier()
    }
}

fn violation(policy: &str, severity: Severity) -> review::Violation {
    review::Violation {
        policy: policy.to_owned(),
        severity: severity as i32,
        facts: format!("facts of {policy}"),
        actions: vec![1],
        region: "DE".to_owned(),
    }
}

pub fn decided(id: &str, policy: &str, severity: Severity, at: Time) -> review::CaseDecided {
    review::CaseDecided {
        case_id: format!("case_{id}"),
        subject: Some(subject()),
        decision: Some(review::Decision {
            decision_id: format!("dec_{id}"),
            case_id: format!("case_{id}"),
            outcome: Outcome::Violation as i32,
            violation: Some(violation(policy, severity)),
            pack_version: 1,
            decide_time: Some(at.to_timestamp()),
            ..review::Decision::default()
        }),
        source: Source::TrustedFlagger as i32,
        reason: "spam.links".to_owned(),
        ..review::CaseDecided::default()
    }
}

pub fn heard(
    id: &str,
    appealed: &str,
    milder: Option<Severity>,
    at: Time,
) -> review::AppealCaseDecided {
    let outcome = if milder.is_some() { Outcome::PartiallyOverturned } else { Outcome::Overturned };
    review::AppealCaseDecided {
        case_id: format!("case_{id}"),
        appeal_id: format!("app_{id}"),
        subject: Some(subject()),
        decision: Some(review::Decision {
            decision_id: format!("dec_{id}"),
            case_id: format!("case_{id}"),
            outcome: outcome as i32,
            violation: milder.map(|severity| violation("spam", severity)),
            appeal_reasons: "we were wrong".to_owned(),
            appealed_decision_id: format!("dec_{appealed}"),
            pack_version: 1,
            decide_time: Some(at.to_timestamp()),
            ..review::Decision::default()
        }),
        appealed_case_id: format!("case_{appealed}"),
        source: Source::TrustedFlagger as i32,
        reason: "spam.links".to_owned(),
        ..Default::default()
    }
}

fn names(events: &[Event]) -> Vec<&'static str> {
    let name = |event: &Event| match event {
        Event::ViolationRecorded(_) => "recorded",
        Event::EntryVoided(_) => "voided",
        Event::StandingChanged(_) => "standing",
        Event::RestrictionApplied(_) => "applied",
        Event::RestrictionLifted(_) => "lifted",
        Event::StatementIssued(_) => "issued",
    };
    events.iter().map(name).collect()
}

fn causes(events: &[Event]) -> Vec<(Feature, Cause)> {
    let lifted = |event: &Event| match event {
        Event::RestrictionLifted(lifted) => {
            Some((lifted.restriction.as_ref().unwrap().feature(), lifted.cause()))
        }
        _ => None,
    };
    events.iter().filter_map(lifted).collect()
}

#[test]
fn a_violation_is_entered_stated_and_told_once() {
    let mut case = Case::new();
    case.violate("a", "spam", Severity::Medium, day(100));
    let told = case.told();
    assert_eq!(names(&told), ["recorded", "standing", "applied", "issued"]);
    let Some(Event::StatementIssued(issued)) = told.last() else { panic!("{told:?}") };
    let issued = issued.statement.as_ref().unwrap();
    assert_eq!((issued.locale.as_str(), issued.title.as_str()), ("de", "Spam (de): 4 Punkte"));
    let statement = case.statement();
    assert!(statement.title.is_empty(), "texts are rendered when read");
    assert_eq!((statement.kind.as_str(), statement.points), ("violation", 4));
    assert_eq!(statement.dsa_category, "STATEMENT_CATEGORY_SCAMS_AND_FRAUD");
    assert_eq!(statement.dsa_keywords, ["KEYWORD_PHISHING"]);
    assert_eq!((statement.region.as_str(), statement.source()), ("DE", Source::TrustedFlagger));
    assert_eq!(statement.ground_reference, "Terms, 4.2");
    assert_eq!(statement.appeal_end_time, Some(day(280).to_timestamp()));
    assert_eq!(statement.expire_time, Some(day(190).to_timestamp()));
    assert_eq!(statement.restrictions, case.account.announced.restrictions);
    assert_eq!(statement.restrictions[0].end_time, Some(day(107).to_timestamp()));
    // The same decision again.
    case.violate("a", "spam", Severity::Medium, day(101));
    assert!(case.told().is_empty());
    assert_eq!(case.changes.entries.len(), 1);
}

#[test]
fn a_decision_of_no_violation_changes_nothing() {
    let mut case = Case::new();
    let mut none = decided("a", "spam", Severity::Low, day(1));
    none.decision.as_mut().unwrap().outcome = Outcome::NoViolation as i32;
    let desk = Desk { now: day(1), ladders: &both(), ladders_version: 1, ids: &Ids::seeded(1) };
    case.account.enter(&none, &pack(1), &desk, &mut case.changes).unwrap();
    let mut upheld = heard("v", "a", None, day(2));
    upheld.decision.as_mut().unwrap().outcome = Outcome::Upheld as i32;
    case.account.hear(&upheld, &pack(1), &desk, &mut case.changes).unwrap();
    assert!(case.changes.entries.is_empty() && case.changes.events.is_empty());
}

#[test]
fn a_violation_found_only_on_appeal_is_entered_like_a_first_one() {
    let mut case = Case::new();
    let mut found = heard("v", "a", None, day(100));
    found.decision.as_mut().unwrap().violation = Some(violation("spam", Severity::Medium));
    for now in [day(100), day(101)] {
        let Case { account, ladders, ids, changes, .. } = &mut case;
        let desk = Desk { now, ladders, ladders_version: 1, ids };
        account.hear(&found, &pack(1), &desk, changes).unwrap();
    }
    assert_eq!(names(&case.told()), ["recorded", "standing", "applied", "issued"], "once");
    let mut direct = Case::new();
    direct.violate("v", "spam", Severity::Medium, day(100));
    assert_eq!(case.account.announced.restrictions, direct.account.announced.restrictions);
    let (on_appeal, at_first) = (case.statement(), direct.statement());
    assert_eq!((&on_appeal.kind, on_appeal.points), (&at_first.kind, at_first.points));
    assert_eq!((on_appeal.appealable, on_appeal.appeal_end_time), (true, at_first.appeal_end_time));
    assert_eq!(on_appeal.decision_id, "dec_v");
    // It falls like any other.
    case.appeal("w", "v", None, day(110));
    assert!(case.account.announced.restrictions.is_empty());
    assert_eq!(case.statement().kind, "overturned");
}

#[test]
fn a_first_slip_is_stated_as_a_warning_without_points() {
    let mut case = Case::new();
    case.violate("a", "spam", Severity::Low, day(1));
    assert_eq!((case.statement().kind.as_str(), case.statement().points), ("violation_warning", 0));
    let told = case.told();
    let Event::ViolationRecorded(recorded) = &told[0] else { panic!("{told:?}") };
    let entry = recorded.entry.as_ref().unwrap();
    assert!(entry.warning && entry.active && entry.points == 1);
    assert_eq!(names(&told), ["recorded", "standing", "issued"], "one more counts");
}

#[test]
fn an_overturned_decision_is_undone_in_full() {
    let mut case = Case::new();
    let before = case.account.announced.clone();
    case.violate("a", "spam", Severity::High, day(1));
    assert_eq!(case.tier(), Tier::Restricted);
    let first = case.statement().clone();
    case.told();
    case.appeal("v", "a", None, day(2));
    let told = case.told();
    assert_eq!(names(&told), ["voided", "standing", "lifted", "lifted", "issued"]);
    let expected = [(Feature::Posting, Cause::Voided), (Feature::Live, Cause::Voided)];
    assert_eq!(causes(&told), expected);
    assert_eq!(case.account.announced.tier, before.tier);
    assert!(case.account.announced.ladders.is_empty());
    let statement = case.statement();
    assert_eq!(statement.kind, "overturned");
    assert_eq!(statement.supersedes_statement_id, first.statement_id);
    assert_eq!((statement.points, statement.appealable), (0, false));
    assert_eq!((&statement.facts, &statement.policy), (&first.facts, &first.policy));
    assert_eq!(statement.appeal_reasons, "we were wrong");
    assert!(statement.actions.is_empty() && statement.restrictions.is_empty());
    let Event::EntryVoided(voided) = &told[0] else { panic!("{told:?}") };
    let (entry, void) = (voided.entry.as_ref().unwrap(), voided.void.as_ref().unwrap());
    assert_eq!(entry.voided_by_entry_id, void.entry_id);
    assert_eq!(void.voids_entry_id, entry.entry_id);
    assert!(!entry.active);
}

#[test]
fn a_reversal_of_a_reversal_is_impossible() {
    let mut case = Case::new();
    case.violate("a", "spam", Severity::High, day(1));
    case.appeal("v", "a", None, day(2));
    case.told();
    let (entries, standing) = (case.changes.entries.len(), case.account.announced.clone());
    case.appeal("w", "a", None, day(3));
    // The void itself, and a decision of which nothing is known.
    case.appeal("x", "v", None, day(4));
    case.appeal("y", "never", Some(Severity::Low), day(5));
    assert!(case.told().is_empty());
    assert_eq!((case.changes.entries.len(), &case.account.announced), (entries, &standing));
}

#[test]
fn a_milder_decision_counts_from_the_first_one_so_that_time_served_counts() {
    let mut case = Case::new();
    case.violate("a", "spam", Severity::High, day(1));
    let first = case.statement().statement_id.clone();
    case.told();
    case.appeal("v", "a", Some(Severity::Medium), day(6));
    let told = case.told();
    let expected = ["voided", "recorded", "standing", "lifted", "lifted", "applied", "issued"];
    assert_eq!(names(&told), expected);
    let expected = [(Feature::Posting, Cause::Voided), (Feature::Live, Cause::Replaced)];
    assert_eq!(causes(&told), expected);
    let live = &case.account.announced.restrictions;
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].end_time, Some(day(8).to_timestamp()), "7 days from day 1, not day 6");
    let statement = case.statement();
    assert_eq!((statement.kind.as_str(), statement.points), ("partially_overturned", 4));
    assert_eq!(statement.supersedes_statement_id, first);
    assert_eq!(statement.expire_time, Some(day(91).to_timestamp()));
    assert!(!statement.appealable && statement.appeal_end_time.is_none());
}

#[test]
fn time_and_policy_end_restrictions_each_with_its_cause() {
    let mut case = Case::new();
    case.violate("a", "spam", Severity::High, day(1));
    case.told();
    case.settle(Cause::Expired, day(14));
    assert!(case.told().is_empty(), "nothing is due");
    case.settle(Cause::Expired, day(15));
    let told = case.told();
    assert_eq!(names(&told), ["standing", "lifted", "lifted"]);
    assert!(causes(&told).iter().all(|(_, cause)| *cause == Cause::Expired));
    case.violate("b", "fake", Severity::High, day(16));
    assert_eq!(case.tier(), Tier::Suspended);
    case.told();
    case.ladders.truncate(1);
    case.ladders[0].steps.truncate(1);
    case.settle(Cause::PolicyChanged, day(17));
    let told = case.told();
    assert_eq!(causes(&told).len(), 2);
    assert!(causes(&told).iter().all(|(_, cause)| *cause == Cause::PolicyChanged));
}

#[test]
fn a_decision_from_a_clock_ahead_of_ours_counts_from_now() {
    let mut case = Case::new();
    let decided = decided("a", "spam", Severity::Medium, day(2));
    let desk = Desk { now: day(1), ladders: &both(), ladders_version: 1, ids: &Ids::seeded(1) };
    case.account.enter(&decided, &pack(1), &desk, &mut case.changes).unwrap();
    assert_eq!(case.changes.entries[0].violation().unwrap().effective, day(1));
}

#[test]
fn an_unknown_policy_is_our_fault_and_changes_nothing() {
    let mut case = Case::new();
    let decided = decided("a", "unheard_of", Severity::Medium, day(2));
    let desk = Desk { now: day(2), ladders: &both(), ladders_version: 1, ids: &Ids::seeded(1) };
    let error = case.account.enter(&decided, &pack(1), &desk, &mut case.changes).unwrap_err();
    assert_eq!(error.reason(), "INTERNAL");
    assert!(case.changes.entries.is_empty() && case.account.entries.is_empty());
}
