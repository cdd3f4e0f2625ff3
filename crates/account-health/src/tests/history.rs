//! Properties of accounts over random courses of decisions.

use std::time::Duration;

use contracts::accounthealth::v1 as proto;
use contracts::accounthealth::v1::restriction_lifted::Cause;
use contracts::types::v1::{Severity, Tier};
use kit::Time;
use proptest::prelude::*;

use super::account::Case;
use super::build::{ACCOUNT, both, day};
use crate::ladder::Ladder;
use crate::message;
use crate::standing::Timeline;

#[derive(Clone, Debug)]
enum Doing {
    Violate(u8, Severity),
    Appeal(prop::sample::Index, Option<Severity>),
    Ladders(bool),
}

fn doing() -> impl Strategy<Value = Doing> {
    let severity =
        || prop_oneof![Just(Severity::Low), Just(Severity::Medium), Just(Severity::High)];
    prop_oneof![
        3 => (0..2u8, severity()).prop_map(|(policy, severity)| Doing::Violate(policy, severity)),
        2 => (any::<prop::sample::Index>(), prop::option::of(severity()))
            .prop_map(|(which, milder)| Doing::Appeal(which, milder)),
        1 => any::<bool>().prop_map(Doing::Ladders),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_told_is_what_a_later_reading_as_of_then_answers(
        steps in prop::collection::vec((doing(), 0..40i64), 1..16),
    ) {
        let mut case = Case::new();
        let mut now = day(1);
        let mut history: Vec<(Time, Vec<Ladder>, proto::Standing)> = Vec::new();
        for (number, (doing, days)) in steps.into_iter().enumerate() {
            // Some steps fall on one instant.
            now = now.plus(Duration::from_secs(u64::try_from(days / 2 * 86_400).unwrap()));
            let id = number.to_string();
            match doing {
                Doing::Violate(policy, severity) => {
                    case.violate(&id, ["spam", "fake"][usize::from(policy)], severity, now);
                }
                Doing::Appeal(which, milder) => {
                    let appealed = which.index(number + 1).to_string();
                    case.appeal(&id, &appealed, milder, now);
                }
                Doing::Ladders(all) => {
                    // In force from now on: after the last entry, as the lock sees to.
                    now = now.max(case.account.last_time.plus(Duration::from_micros(1)));
                    case.ladders = both();
                    case.ladders.truncate(if all { 2 } else { 1 });
                    case.settle(Cause::PolicyChanged, now);
                }
            }
            let at = now.max(case.account.last_time);
            case.settle(Cause::Expired, at);
            history.push((at, case.ladders.clone(), case.account.announced.clone()));
        }
        // Of one instant only the last word is history.
        for (index, (at, ladders, told)) in history.iter().enumerate() {
            if history.get(index + 1).is_some_and(|(later, ..)| later == at) {
                continue;
            }
            let standing = Timeline::new(&case.account.entries, ladders, *at).at(*at);
            let again = message::standing(ACCOUNT, &standing, *at, 1);
            prop_assert_eq!(&again, told);
            prop_assert!(again.ladders.iter().all(|ladder| ladder.points >= 0));
        }
    }

    #[test]
    fn overturning_everything_leaves_an_account_as_if_nothing_had_been(
        severities in prop::collection::vec(0..3u8, 1..10),
    ) {
        let mut case = Case::new();
        let severity =
            |index: u8| [Severity::Low, Severity::Medium, Severity::High][usize::from(index)];
        for (number, index) in severities.iter().enumerate() {
            let at = day(1 + i64::try_from(number).unwrap());
            case.violate(&number.to_string(), "spam", severity(*index), at);
        }
        for number in 0..severities.len() {
            case.appeal(&format!("v{number}"), &number.to_string(), None, day(20));
        }
        let announced = &case.account.announced;
        prop_assert_eq!(announced.tier(), Tier::Good);
        prop_assert!(announced.ladders.is_empty() && announced.restrictions.is_empty());
        prop_assert_eq!(announced.active_violation_count, 0);
        prop_assert_eq!(&announced.next_change_time, &None);
        let superseded = case.account.statements.iter()
            .filter(|one| one.state() == proto::statement::State::Superseded).count();
        prop_assert_eq!(superseded, severities.len());
    }
}
