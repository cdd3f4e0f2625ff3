//! What batches of reports do to cases, by example and over random batches.

use contracts::policy::v1::{Area, Pack as PackProto, Policy, Queue, Reason, SlaClass};
use proptest::prelude::*;

use super::*;

const NOW: Time = Time::from_seconds(1_763_786_000);

fn pack() -> Pack {
    let reason = |code: &str, policy: &str, severity: Severity, exclusive: &str| Reason {
        code: code.to_owned(),
        policy: policy.to_owned(),
        severity: severity as i32,
        sla_class: "4h".to_owned(),
        exclusive_queue: exclusive.to_owned(),
        ..Reason::default()
    };
    let policy = |code: &str, area: &str| Policy {
        code: code.to_owned(),
        area: area.to_owned(),
        ..Policy::default()
    };
    let queue = |code: &str, min: Severity, exclusive| Queue {
        code: code.to_owned(),
        min_severity: min as i32,
        exclusive,
        ..Queue::default()
    };
    let area = |code: &str| Area { code: code.to_owned(), title: None };
    Pack::new(PackProto {
        areas: vec![area("hate"), area("spam"), area("other")],
        reasons: vec![
            reason("spam.link", "spam_links", Severity::Low, ""),
            reason("spam.bots", "spam_bots", Severity::High, ""),
            reason("hate.slur", "hate", Severity::Medium, ""),
            reason("spam.child", "spam_child", Severity::Critical, "central"),
        ],
        policies: vec![
            policy("spam_links", "spam"),
            policy("spam_bots", "spam"),
            policy("spam_child", "spam"),
            policy("hate", "hate"),
        ],
        queues: vec![
            queue("urgent", Severity::High, false),
            queue("general", Severity::Unspecified, false),
            queue("central", Severity::Unspecified, true),
        ],
        sla_classes: vec![SlaClass { code: "4h".to_owned(), minutes: 240 }],
        ..PackProto::default()
    })
}

fn report(id: u32, subject: &str, reason: &str) -> Report {
    Report {
        report_id: format!("rep_{id}"),
        subject: Some(Subject {
            r#type: SubjectType::Video as i32,
            id: subject.to_owned(),
            owner_account_id: "acc_1".to_owned(),
        }),
        reason: reason.to_owned(),
        source: Source::User as i32,
        create_time: Some(NOW.into()),
        ..Report::default()
    }
}

fn file(intake: &mut Intake<'_>, id: u32, subject: &str, reason: &str) {
    let filed = Filed::of(&report(id, subject, reason), &pack());
    intake.file(filed, || format!("case_{id}"));
}

fn names(outcome: &Outcome) -> Vec<String> {
    let name = |event: &Event| match event {
        Event::CaseOpened(opened) => format!("opened by {}", opened.report_id),
        Event::ReportAdded(added) => format!("{} is {}", added.report_id, added.report_count),
        Event::CaseWithdrawn(_) => "withdrawn".to_owned(),
        other => format!("{other:?}"),
    };
    outcome.events.iter().map(|(case, event)| format!("{case} {}", name(event))).collect()
}

#[test]
fn reports_of_a_subject_in_an_area_become_one_case() {
    let pack = pack();
    let mut intake = Intake::new(&pack, NOW, vec![], vec![]);
    file(&mut intake, 1, "vid_1", "spam.link");
    file(&mut intake, 2, "vid_1", "hate.slur");
    file(&mut intake, 3, "vid_1", "spam.bots");
    file(&mut intake, 4, "vid_2", "spam.link");
    // The same event once more changes nothing.
    file(&mut intake, 3, "vid_1", "spam.bots");
    let outcome = intake.finish();
    assert_eq!(
        names(&outcome),
        [
            "case_1 opened by rep_1",
            "case_2 opened by rep_2",
            "case_1 rep_3 is 2",
            "case_4 opened by rep_4"
        ]
    );
    let first = &outcome.slots[0].case;
    assert_eq!((first.report_count, first.severity), (2, Severity::High));
    assert_eq!((first.area.as_str(), first.first_reason.as_str()), ("spam", "spam.link"));
    assert_eq!(first.suggested_policies, ["spam_links", "spam_bots"]);
    assert_eq!(first.queue, "urgent", "the severer report moved it forward");
    assert_eq!(first.due_time, NOW.plus(Duration::from_secs(4 * 3_600)));
    assert_eq!(outcome.reports.len(), 4);
}

#[test]
fn an_exclusive_reason_takes_the_case_along() {
    let pack = pack();
    let mut intake = Intake::new(&pack, NOW, vec![], vec![]);
    file(&mut intake, 1, "vid_1", "spam.link");
    file(&mut intake, 2, "vid_1", "spam.child");
    file(&mut intake, 3, "vid_1", "spam.bots");
    assert_eq!(intake.finish().slots[0].case.queue, "central");
}

#[test]
fn an_unknown_reason_is_reviewed_in_a_general_area() {
    let pack = pack();
    let filed = Filed::of(&report(1, "vid_1", "from.nowhere"), &pack);
    assert_eq!((filed.area.as_str(), filed.is_classified()), ("other", false));
    assert_eq!(filed.due_time, NOW.plus(DUE_DEFAULT));
    let bare = Pack::new(PackProto::default());
    assert_eq!(Filed::of(&report(1, "vid_1", "x"), &bare).area, "other");
    let area = Area { code: "hate".to_owned(), title: None };
    let one = Pack::new(PackProto { areas: vec![area], ..PackProto::default() });
    assert_eq!(Filed::of(&report(1, "vid_1", "x"), &one).area, "hate");
}

#[test]
fn what_is_withdrawn_within_the_batch_is_not_left_open() {
    let pack = pack();
    let mut intake = Intake::new(&pack, NOW, vec![], vec![]);
    file(&mut intake, 1, "vid_1", "spam.link");
    assert!(intake.withdraw("rep_1"));
    assert!(intake.withdraw("rep_1"), "twice is once");
    assert!(!intake.withdraw("rep_9"), "never heard of");
    file(&mut intake, 2, "vid_1", "spam.link");
    let outcome = intake.finish();
    assert_eq!(
        names(&outcome),
        ["case_1 opened by rep_1", "case_1 withdrawn", "case_2 opened by rep_2"]
    );
    assert!(outcome.reports[0].withdrawn && outcome.withdrawn.is_empty());
}

#[test]
fn a_withdrawal_leaves_a_decision_alone() {
    let pack = pack();
    let mut intake = Intake::new(&pack, NOW, vec![], vec![]);
    file(&mut intake, 1, "vid_1", "spam.link");
    let mut decided = intake.finish().slots[0].case.clone();
    decided.state = State::Decided;
    let stored = StoredReport {
        report_id: "rep_1".to_owned(),
        case_id: "case_1".to_owned(),
        withdrawn: false,
    };
    let mut intake = Intake::new(&pack, NOW, vec![decided.clone()], vec![stored]);
    assert!(intake.withdraw("rep_1"));
    file(&mut intake, 2, "vid_1", "spam.link");
    let outcome = intake.finish();
    assert_eq!(outcome.slots[0].case, decided);
    assert_eq!(outcome.withdrawn, ["rep_1"]);
    assert_eq!(names(&outcome), ["case_2 opened by rep_2"]);
}

proptest! {
    #[test]
    fn counts_are_exact_and_no_subject_has_two_open_cases(
        steps in prop::collection::vec((0_u32..40, 0_u32..4, 0_usize..4, any::<bool>()), 0..80),
        batch in 1_usize..20,
    ) {
        let reasons = ["spam.link", "spam.bots", "hate.slur", "spam.child"];
        let pack = pack();
        let (mut cases, mut reports): (Vec<Case>, Vec<StoredReport>) = (vec![], vec![]);
        for steps in steps.chunks(batch) {
            let mut intake = Intake::new(&pack, NOW, cases.clone(), reports.clone());
            for (id, subject, reason, withdraw) in steps {
                if *withdraw {
                    intake.withdraw(&format!("rep_{id}"));
                } else {
                    file(&mut intake, *id, &format!("vid_{subject}"), reasons[*reason]);
                }
            }
            let outcome = intake.finish();
            for stored in &mut reports {
                stored.withdrawn |= outcome.withdrawn.contains(&stored.report_id);
            }
            reports.extend(outcome.reports.into_iter().map(|new| StoredReport {
                report_id: new.filed.report_id,
                case_id: new.case_id,
                withdrawn: new.withdrawn,
            }));
            cases = outcome.slots.into_iter().map(|slot| slot.case).collect();
        }
        let mut open = std::collections::HashSet::new();
        for case in &cases {
            let live = reports.iter().filter(|r| r.case_id == case.case_id && !r.withdrawn);
            prop_assert_eq!(case.report_count, i64::try_from(live.count()).unwrap());
            prop_assert_eq!(case.state == State::Open, case.report_count > 0);
            if case.state == State::Open {
                prop_assert!(open.insert(Key::of(case)), "two open cases");
            }
        }
    }
}

fn a_match(number: u32, account: u32) -> contracts::impersonation::v1::Match {
    contracts::impersonation::v1::Match {
        match_id: format!("mat_{number}"),
        account_id: format!("acc_{account}"),
        ..Default::default()
    }
}

proptest! {
    #[test]
    fn matches_fall_away_exactly_and_an_account_has_one_open_case(
        steps in prop::collection::vec((0_u32..12, any::<bool>()), 0..60),
        batch in 1_usize..15,
    ) {
        let pack = pack();
        let mut cases: Vec<Case> = vec![];
        let mut stored: Vec<StoredItem> = vec![];
        let mut count = 0;
        for steps in steps.chunks(batch) {
            let mut intake = Intake::new(&pack, NOW, cases.clone(), vec![]);
            let is_open = |item: &StoredItem| {
                cases.iter().any(|case| case.case_id == item.case_id && case.state == State::Open)
            };
            let known = stored.iter().filter(|item| is_open(item));
            intake.know(known.cloned().collect());
            for (number, fell) in steps {
                let found = a_match(*number, number % 3);
                if *fell {
                    intake.fallen(&found.match_id);
                } else {
                    let filed = Filed::of_match(&found, NOW, &pack);
                    count += 1;
                    let id = format!("case_{count:03}");
                    intake.found(&filed, Item::Match(Box::new(found)), || id);
                }
            }
            let outcome = intake.finish();
            for ((case_id, item_id), new) in &outcome.items.put {
                stored.retain(|item| (&item.case_id, &item.item_id) != (case_id, item_id));
                let item = StoredItem {
                    item_id: item_id.clone(),
                    case_id: case_id.clone(),
                    withdrawn: new.withdrawn,
                };
                stored.push(item);
            }
            for item in &mut stored {
                let place = (item.case_id.clone(), item.item_id.clone());
                item.withdrawn |= outcome.items.fallen.contains(&place);
            }
            cases = outcome.slots.into_iter().map(|slot| slot.case).collect();
        }
        for case in &cases {
            let left = stored.iter().filter(|item| {
                item.case_id == case.case_id && !item.withdrawn
            });
            prop_assert_eq!(case.impersonation_count, i64::try_from(left.count()).unwrap());
            prop_assert_eq!(case.state == State::Withdrawn, case.impersonation_count == 0);
            let open = cases.iter().filter(|other| {
                other.state == State::Open && other.subject == case.subject
            });
            prop_assert!(open.count() <= 1);
        }
    }
}
