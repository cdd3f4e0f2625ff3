//! Properties of the standing over random ledgers.

use std::collections::BTreeSet;

use contracts::types::v1::{Feature, Severity};
use kit::Time;
use proptest::prelude::*;

use super::build::{both, day, entry, void};
use crate::ladder::{self, Ladder};
use crate::ledger::{Body, Entry, Violation};
use crate::standing::{Standing, Timeline};

/// The end of the time over which ledgers are made, in days.
const SPAN_DAYS: i64 = 200;

fn ever() -> Time {
    Time::from_micros(i64::MAX)
}

fn stands(entries: &[Entry], ladders: &[Ladder], at: Time) -> Standing {
    Timeline::new(entries, ladders, ever()).at(at)
}

/// Every tenth of a day, so that instants fall together often.
fn instant() -> impl Strategy<Value = Time> {
    (0..SPAN_DAYS * 10).prop_map(|tenths| Time::from_micros(tenths * super::build::DAY / 10))
}

fn violation() -> impl Strategy<Value = Violation> {
    let severity = prop_oneof![Just(Severity::Low), Just(Severity::Medium), Just(Severity::High)];
    let ladders = prop_oneof![
        Just(vec!["community".to_owned()]),
        Just(vec!["shop".to_owned()]),
        Just(vec!["community".to_owned(), "shop".to_owned()]),
    ];
    let lasts = prop_oneof![Just(None), (1..60i64).prop_map(Some)];
    (instant(), severity, 0..9i32, ladders, lasts, 0..2u8).prop_map(
        |(effective, severity, points, ladders, lasts, policy)| Violation {
            policy: format!("policy-{policy}"),
            edition: String::new(),
            severity,
            points,
            ladders,
            effective,
            expire: lasts.map(|days| effective.plus(ladder::days(i32::try_from(days).unwrap()))),
        },
    )
}

fn ledger() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::vec(violation(), 0..14).prop_map(|violations| {
        let numbered = violations.into_iter().enumerate();
        numbered
            .map(|(index, violation)| {
                let at = violation.effective;
                entry(&format!("ent_{index:02}"), Body::Violation(violation), at)
            })
            .collect()
    })
}

/// Instants at which something may change, and those around them.
fn instants(entries: &[Entry]) -> BTreeSet<Time> {
    let mut instants = BTreeSet::new();
    for violation in entries.iter().filter_map(Entry::violation) {
        let mut note = |at: Time| {
            for off in [-1, 0, 1] {
                instants.insert(Time::from_micros(at.micros().saturating_add(off)));
            }
        };
        note(violation.effective);
        violation.expire.iter().for_each(|at| note(*at));
        for days in [7, 10, 14, 30, 90] {
            note(violation.effective.plus(ladder::days(days)));
        }
    }
    instants
}

/// The restricted features worked out the slow way, violation by violation and instant by
/// instant, straight from the words of the rules.
fn restricted_slowly(entries: &[Entry], ladders: &[Ladder], at: Time) -> BTreeSet<i32> {
    let voided: Vec<&str> = entries.iter().filter_map(Entry::voids).collect();
    let mut found = BTreeSet::new();
    for ladder in ladders {
        let mut on: Vec<(&Entry, &Violation)> = entries
            .iter()
            .filter(|entry| !voided.contains(&entry.entry_id.as_str()))
            .filter_map(|entry| Some((entry, entry.violation()?)))
            .filter(|(_, violation)| violation.ladders.contains(&ladder.code))
            .collect();
        on.sort_by_key(|(entry, violation)| (violation.effective, &entry.entry_id));
        let cost = |index: usize| {
            let violation = on[index].1;
            let earlier = on[..index].iter().rev().find(|(_, one)| one.policy == violation.policy);
            let warned = ladder.first_warning.is_some_and(|rule| {
                violation.severity <= rule.max_severity
                    && earlier.is_none_or(|(_, one)| {
                        one.effective.plus(rule.window) <= violation.effective
                    })
            });
            if warned { 0 } else { i64::from(violation.points) }
        };
        let balance = |count: usize, when: Time| -> i64 {
            (0..count).filter(|i| on[*i].1.counts_at(when)).map(cost).sum()
        };
        for (index, (_, violation)) in on.iter().enumerate() {
            let since = violation.effective;
            let (before, after) = (balance(index, since), balance(index + 1, since));
            let crossed =
                ladder.steps.iter().rfind(|s| before < s.threshold && s.threshold <= after);
            for rule in crossed.iter().flat_map(|step| &step.restrictions) {
                let holds = match rule.span {
                    Some(span) => at < since.plus(span),
                    None => {
                        let threshold = crossed.map_or(0, |step| step.threshold);
                        // The balance falls only when something expires; what expires at an
                        // instant goes before what begins at it.
                        on.iter().filter_map(|(_, one)| one.expire).all(|fall| {
                            let known = on.iter().filter(|(_, one)| one.effective < fall).count();
                            !(since < fall && fall <= at) || balance(known, fall) >= threshold
                        })
                    }
                };
                if since <= at && holds {
                    found.insert(rule.feature as i32);
                }
            }
            for repeat in &ladder.repeats {
                let within = |(_, one): &&(&Entry, &Violation)| {
                    one.policy == violation.policy && since < one.effective.plus(repeat.window)
                };
                let count = on[..=index].iter().filter(within).count();
                for rule in repeat.restrictions.iter().filter(|_| count == repeat.count) {
                    let span = rule.span.expect("repeat rules have durations here");
                    if since <= at && at < since.plus(span) {
                        found.insert(rule.feature as i32);
                    }
                }
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_void_restores_the_standing_as_if_the_entry_had_never_been(
        entries in ledger(),
        pick in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!entries.is_empty());
        let ladders = both();
        let gone = pick.get(&entries).entry_id.clone();
        let mut voided = entries.clone();
        voided.push(void("ent_void", &gone, day(SPAN_DAYS)));
        let mut never = entries.clone();
        never.retain(|entry| entry.entry_id != gone);
        for at in instants(&entries) {
            prop_assert_eq!(stands(&voided, &ladders, at), stands(&never, &ladders, at));
        }
    }

    #[test]
    fn the_order_of_writing_does_not_matter(
        (entries, shuffled) in ledger()
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let ladders = both();
        for at in instants(&entries) {
            prop_assert_eq!(stands(&entries, &ladders, at), stands(&shuffled, &ladders, at));
        }
    }

    #[test]
    fn restrictions_are_those_worked_out_slowly(entries in ledger()) {
        let ladders = both();
        for at in instants(&entries) {
            let fast: BTreeSet<i32> = stands(&entries, &ladders, at)
                .restrictions.iter().map(|one| one.feature as i32).collect();
            prop_assert_eq!(fast, restricted_slowly(&entries, &ladders, at), "at {}", at);
        }
    }

    #[test]
    fn the_balance_is_the_sum_of_what_counts_and_never_negative(entries in ledger()) {
        // Without first warnings each entry costs its points.
        let mut ladders = both();
        ladders[0].first_warning = None;
        for at in instants(&entries) {
            for place in stands(&entries, &ladders, at).ladders {
                let counts = |one: &&Violation| {
                    one.ladders.contains(&place.ladder) && one.counts_at(at)
                };
                let sum: i64 = entries.iter().filter_map(Entry::violation).filter(counts)
                    .map(|one| i64::from(one.points)).sum();
                prop_assert!(place.points >= 0);
                prop_assert_eq!(place.points, sum);
                prop_assert!(place.reached <= place.points);
                prop_assert!(place.next == 0 || place.next > place.points);
            }
        }
    }

    #[test]
    fn a_void_after_expiry_changes_no_points(
        entries in ledger(),
        pick in any::<prop::sample::Index>(),
    ) {
        let expiry = |one: &Entry| one.violation().and_then(|violation| violation.expire);
        let expiring: Vec<&Entry> =
            entries.iter().filter(|one| expiry(one).is_some()).collect();
        prop_assume!(!expiring.is_empty());
        let mut ladders = both();
        ladders[0].first_warning = None;
        let one = *pick.get(&expiring);
        let expired = expiry(one).unwrap();
        let mut voided = entries.clone();
        voided.push(void("ent_void", &one.entry_id, expired));
        let points = |of: &[Entry], at| -> i64 {
            stands(of, &ladders, at).ladders.iter().map(|place| place.points).sum()
        };
        for at in instants(&entries).into_iter().filter(|at| *at >= expired) {
            prop_assert_eq!(points(&voided, at), points(&entries, at));
        }
    }

    #[test]
    fn nothing_changes_before_the_next_change_and_something_does_then(
        entries in ledger(),
        at in instant(),
    ) {
        let ladders = both();
        let timeline = Timeline::new(&entries, &ladders, ever());
        let now = timeline.at(at);
        let next = now.next_change;
        for later in instants(&entries).into_iter().filter(|later| *later > at) {
            let then = timeline.at(later);
            match next {
                Some(next) if later >= next => {}
                _ => prop_assert_eq!(&then, &now, "at {}", later),
            }
        }
        if let Some(next) = next {
            let then = timeline.at(next);
            prop_assert!(then != now && then.next_change.is_none_or(|later| later > next));
        }
    }

    #[test]
    fn suspended_is_the_whole_account_and_good_is_nothing(entries in ledger(), at in instant()) {
        use contracts::types::v1::Tier;
        let stands = stands(&entries, &both(), at);
        let whole = stands.restrictions.iter().any(|one| one.feature == Feature::Account);
        prop_assert_eq!(stands.tier == Tier::Suspended, whole);
        prop_assert_eq!(
            matches!(stands.tier, Tier::Good | Tier::Caution), stands.restrictions.is_empty()
        );
        let features: BTreeSet<i32> =
            stands.restrictions.iter().map(|one| one.feature as i32).collect();
        prop_assert_eq!(features.len(), stands.restrictions.len(), "one for each feature");
    }
}
