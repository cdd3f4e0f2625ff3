//! The standing by table.

use contracts::types::v1::{Feature, Severity, Tier};
use kit::Time;

use super::build::{DAY, both, day, priced, violation, void};
use crate::ledger::{Body, Entry};
use crate::standing::{Standing, Timeline, standing};
use crate::walk::Span;

fn at(entries: &[Entry], at: Time) -> Standing {
    // What is written later is known now, unlike in `standing`.
    let ladders = both();
    Timeline::new(entries, &ladders, Time::from_micros(i64::MAX)).at(at)
}

fn points(entries: &[Entry], when: Time) -> i64 {
    at(entries, when).ladders.iter().find(|one| one.ladder == "community").map_or(0, |l| l.points)
}

/// Features restricted and until which day.
fn restricted(standing: &Standing) -> Vec<(Feature, Option<i64>)> {
    let day_of = |span: &Span| (span.feature, span.end.map(|end| end.micros() / DAY));
    standing.restrictions.iter().map(day_of).collect()
}

fn with(mut entry: Entry, change: impl Fn(&mut crate::ledger::Violation)) -> Entry {
    if let Body::Violation(violation) = &mut entry.body {
        change(violation);
    }
    entry
}

#[test]
fn nothing_entered_stands_well() {
    let none = standing(&[], &both(), day(1));
    assert_eq!((none.tier, none.active_violations, none.next_change), (Tier::Good, 0, None));
    assert!(none.ladders.is_empty() && none.restrictions.is_empty());
}

#[test]
fn points_count_from_their_instant_to_the_microsecond_before_their_expiry() {
    for lasts in [90, 180] {
        let entries = [priced("a", day(10), 3, Severity::Medium, Some(lasts))];
        let micro = |days: i64, off: i64| Time::from_micros(days * DAY + off);
        for (when, expected) in [
            (micro(10, -1), 0),
            (micro(10, 0), 3),
            (micro(10 + lasts, -1), 3),
            (micro(10 + lasts, 0), 0),
        ] {
            assert_eq!(points(&entries, when), expected, "{lasts} days, {when}");
        }
        let last = at(&entries, micro(10 + lasts, -1));
        assert_eq!((last.tier, last.next_change), (Tier::Caution, Some(day(10 + lasts))));
        assert_eq!(at(&entries, day(10 + lasts)).tier, Tier::Good);
    }
}

#[test]
fn a_step_fires_on_the_way_up_and_again_only_after_the_balance_fell_below_it() {
    let mut entries = vec![
        priced("a", day(0), 4, Severity::Medium, Some(20)),
        priced("b", day(10), 1, Severity::Medium, Some(90)),
    ];
    assert_eq!(restricted(&at(&entries, day(0))), [(Feature::Live, Some(7))]);
    assert!(at(&entries, day(7)).restrictions.is_empty(), "the end itself is free");
    assert!(at(&entries, day(10)).restrictions.is_empty(), "5 points crossed nothing");
    // At day 20 the balance falls to 1; 3 more cross the step again.
    let again = priced("c", day(21), 3, Severity::Medium, Some(90));
    entries.push(with(again, |one| one.policy = "fraud".to_owned()));
    assert_eq!(restricted(&at(&entries, day(21))), [(Feature::Live, Some(28))]);
}

#[test]
fn what_expires_goes_before_what_begins_at_the_same_instant() {
    let entries = [
        priced("a", day(0), 4, Severity::Medium, Some(30)),
        priced("b", day(30), 4, Severity::Medium, Some(30)),
    ];
    assert_eq!(points(&entries, day(30)), 4);
    assert_eq!(restricted(&at(&entries, day(30))), [(Feature::Live, Some(37))], "crossed anew");
}

#[test]
fn of_several_steps_crossed_at_once_the_highest_fires() {
    let entries = [violation("a", day(0), 9)];
    let stands = at(&entries, day(1));
    let expected = [(Feature::Posting, Some(14)), (Feature::Live, Some(14))];
    assert_eq!(restricted(&stands), expected);
    assert_eq!(stands.tier, Tier::Restricted);
    let place = &stands.ladders[0];
    assert_eq!((place.points, place.reached, place.next), (9, 8, 12));
}

#[test]
fn a_restriction_without_duration_lasts_while_the_points_do() {
    let entries = [violation("a", day(0), 8), priced("b", day(5), 4, Severity::Medium, Some(3))];
    let stands = at(&entries, day(5));
    assert_eq!(stands.tier, Tier::Suspended);
    assert!(restricted(&stands).contains(&(Feature::Account, Some(8))));
    assert_eq!(stands.next_change, Some(day(8)));
    assert_eq!(at(&entries, day(8)).tier, Tier::Restricted);
    let for_ever = [priced("a", day(0), 12, Severity::Medium, None)];
    let stands = at(&for_ever, day(10_000));
    assert_eq!(restricted(&stands), [(Feature::Account, None)]);
    assert_eq!(stands.next_change, None);
}

#[test]
fn the_restriction_that_ends_last_is_the_one_in_force() {
    // Live until day 7, then from day 1 on until day 15 by the higher step.
    let entries = [violation("a", day(0), 4), violation("b", day(1), 4)];
    assert_eq!(restricted(&at(&entries, day(0))), [(Feature::Live, Some(7))]);
    let stands = at(&entries, day(1));
    assert!(restricted(&stands).contains(&(Feature::Live, Some(15))));
    assert_eq!(stands.next_change, Some(day(15)), "the end of the one outlasted changes nothing");
}

#[test]
fn a_first_slip_is_free_and_the_next_takes_its_place_when_it_is_voided() {
    let slip = |id, on| priced(id, day(on), 2, Severity::Low, Some(365));
    let mut entries = vec![slip("a", 0), slip("b", 10)];
    assert_eq!((points(&entries, day(0)), points(&entries, day(10))), (0, 2));
    assert_eq!(at(&entries, day(10)).active_violations, 2, "a warning is a violation too");
    entries.push(slip("c", 100));
    assert_eq!(points(&entries, day(100)), 2, "90 days after the last one it is a first again");
    entries.push(void("v", "a", day(101)));
    assert_eq!(points(&entries, day(101)), 0, "now b is the first, and c is one again");
    let other = with(slip("d", 11), |one| one.policy = "fraud".to_owned());
    let grave = priced("e", day(12), 2, Severity::Medium, Some(365));
    assert_eq!(points(&[slip("a", 0), other], day(20)), 0, "each policy has its own");
    assert_eq!(points(&[grave], day(20)), 2, "too grave");
}

#[test]
fn many_violations_of_one_policy_bring_more_whatever_the_points() {
    let free = |id, on| priced(id, day(on), 0, Severity::Medium, Some(5));
    let entries = [free("a", 0), free("b", 10), free("c", 29), free("d", 35)];
    assert!(at(&entries, day(28)).restrictions.is_empty());
    let third = at(&entries, day(29));
    assert_eq!(restricted(&third), [(Feature::Commenting, Some(39))]);
    assert_eq!(third.restrictions[0].entry_id, "c");
    // At day 35 the first is out of the window: 10, 29 and 35 are three again.
    assert_eq!(restricted(&at(&entries, day(35))), [(Feature::Commenting, Some(45))]);
    let apart = [free("a", 0), free("b", 10), free("c", 30)];
    assert!(at(&apart, day(30)).restrictions.is_empty(), "30 days after is outside 30 days");
}

#[test]
fn ladders_are_apart_and_those_that_the_pack_lacks_count_nowhere() {
    let on = |id, codes: &[&str]| {
        let codes: Vec<String> = codes.iter().map(|&code| code.to_owned()).collect();
        with(priced(id, day(0), 6, Severity::Medium, None), |one| one.ladders.clone_from(&codes))
    };
    let entries = [on("a", &["shop", "community"]), on("b", &["gone"])];
    let stands = at(&entries, day(0));
    let places: Vec<_> = stands.ladders.iter().map(|one| (&*one.ladder, one.points)).collect();
    assert_eq!(places, [("community", 6), ("shop", 6)]);
    assert_eq!(restricted(&stands), [(Feature::Live, Some(7)), (Feature::Selling, None)]);
    assert_eq!(stands.active_violations, 2);
}

#[test]
fn a_reading_as_of_an_instant_knows_only_what_was_written_by_then() {
    let mut late = violation("a", day(1), 4);
    late.create_time = day(3);
    let entries = [late, void("v", "a", day(5))];
    let ladders = both();
    let tier = |when| standing(&entries, &ladders, when).tier;
    let micro_before = |days| Time::from_micros(days * DAY - 1);
    assert_eq!(tier(micro_before(3)), Tier::Good);
    assert_eq!(tier(day(3)), Tier::Restricted);
    assert_eq!(tier(micro_before(5)), Tier::Restricted);
    assert_eq!(tier(day(5)), Tier::Good);
}

#[test]
fn absurd_numbers_neither_overflow_nor_panic() {
    let huge = |id: &str, points, since| {
        with(violation(id, since, points), |one| {
            one.expire = Some(Time::from_micros(i64::MAX));
            one.severity = Severity::Critical;
        })
    };
    let last = Time::from_micros(i64::MAX - 1);
    let entries = [
        huge("a", i32::MAX, Time::from_micros(i64::MIN)),
        huge("b", i32::MAX, Time::EPOCH),
        huge("c", i32::MIN, last),
    ];
    assert_eq!(points(&entries, last), 2 * i64::from(i32::MAX));
    assert_eq!(points(&entries, Time::from_micros(i64::MAX)), 0);
}
