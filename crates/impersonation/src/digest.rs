//! What was found about one identity in one week: a function of what happened to its matches.
//!
//! A week begins on Monday at midnight UTC. Pure: no IO, no clock, no ids.

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::{Digest, DigestLine};
use kit::Time;

/// The type prefix of a digest's id.
pub const ID_PREFIX: &str = "dig";
/// Lines of a digest at most.
pub const LINES_MAX: usize = 20;
/// How long a week is.
pub const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// Microseconds of a week.
const WEEK_MICROS: i64 = 7 * 86_400 * 1_000_000;
/// Microseconds from Monday to the weekday on which the epoch began, a Thursday.
const EPOCH_MICROS: i64 = 3 * 86_400 * 1_000_000;

/// Weeks that are made up for at most, the last ones: what is older is no news.
const WEEKS_MAX: usize = 8;

/// Something that happened to a match.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The match.
    pub match_id: String,
    /// When.
    pub time: Time,
    /// Where it stood from then on; open where it was found.
    pub state: State,
    /// How probable an imitation it was.
    pub probability: f64,
}

/// Where the week begins that an instant lies in.
pub fn week_of(at: Time) -> Time {
    let since = (at.micros() + EPOCH_MICROS).rem_euclid(WEEK_MICROS);
    Time::from_micros(at.micros() - since)
}

/// The weeks whose digests are to be made once `last` is over, the earliest first: all since the
/// last that was made, up to eight; only that week where none ever was.
pub fn due(made: Option<Time>, last: Time) -> Vec<Time> {
    let weeks = std::iter::successors(Some(last), |week| Some(week.minus(WEEK)));
    let mut due: Vec<Time> = match made {
        Some(made) => weeks.take_while(|week| *week > made).take(WEEKS_MAX).collect(),
        None => vec![last],
    };
    due.reverse();
    due
}

/// The numbers of a digest and the matches of its lines, most probable first. `events` are all
/// that happened to the identity's matches, in order.
pub fn count(start: Time, events: &[Event]) -> (Digest, Vec<String>) {
    let end = start.plus(WEEK);
    let mut found: BTreeMap<&str, f64> = BTreeMap::new();
    let mut stands: BTreeMap<&str, State> = BTreeMap::new();
    let mut decided: BTreeMap<&str, State> = BTreeMap::new();
    for event in events.iter().filter(|event| event.time < end) {
        let id = event.match_id.as_str();
        stands.insert(id, event.state);
        if event.time < start {
            continue;
        }
        match event.state {
            State::Confirmed | State::Dismissed => drop(decided.insert(id, event.state)),
            State::Open | State::CaseOpened => drop(found.insert(id, event.probability)),
            State::Superseded | State::Unspecified => {}
        }
    }
    let of = |wanted| decided.values().filter(|state| **state == wanted).count();
    let open = stands.values().filter(|state| matches!(state, State::Open | State::CaseOpened));
    let digest = Digest {
        start_time: Some(start.into()),
        end_time: Some(end.into()),
        found_count: number(found.len()),
        confirmed_count: number(of(State::Confirmed)),
        dismissed_count: number(of(State::Dismissed)),
        open_count: number(open.count()),
        ..Digest::default()
    };
    let mut lines: Vec<(&str, f64)> = found.into_iter().collect();
    lines.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    lines.truncate(LINES_MAX);
    (digest, lines.into_iter().map(|(id, _)| id.to_owned()).collect())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The line of a match, which stood as it was when the digest was made.
pub fn line(found: &contracts::impersonation::v1::Match) -> DigestLine {
    let profile = found.profile.clone().unwrap_or_default();
    DigestLine {
        match_id: found.match_id.clone(),
        account_id: found.account_id.clone(),
        handle: profile.handle,
        display_name: profile.display_name,
        probability: found.likeness.as_ref().map_or(0.0, |likeness| likeness.probability),
        state: found.state,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A Monday at midnight.
    const MONDAY: Time = Time::from_seconds(1_763_942_400);

    fn event(id: u32, hours: i64, state: State, probability: f64) -> Event {
        let time = Time::from_micros(MONDAY.micros() + hours * 3_600 * 1_000_000);
        Event { match_id: format!("mat_{id:03}"), time, state, probability }
    }

    #[test]
    fn weeks_begin_on_monday() {
        assert_eq!(MONDAY.to_string(), "2025-11-24T00:00:00Z");
        let last = Time::from_micros(MONDAY.micros() - 1);
        for (at, week) in [
            (MONDAY, MONDAY),
            (MONDAY.plus(WEEK), MONDAY.plus(WEEK)),
            (Time::from_micros(MONDAY.plus(WEEK).micros() - 1), MONDAY),
            (last, MONDAY.minus(WEEK)),
        ] {
            assert_eq!(week_of(at), week, "{at}");
        }
    }

    #[test]
    fn weeks_that_were_missed_are_made_up_for() {
        let week = |number: u32| MONDAY.plus(WEEK * number);
        assert_eq!(due(None, week(5)), [week(5)]);
        assert_eq!(due(Some(week(4)), week(5)), [week(5)]);
        assert_eq!(due(Some(week(2)), week(5)), [week(3), week(4), week(5)]);
        assert_eq!(due(Some(week(5)), week(5)), []);
        for (last, first) in [(8, 2), (9, 2), (10, 3), (50, 43)] {
            let due = due(Some(week(1)), week(last));
            assert_eq!((due.first(), due.last()), (Some(&week(first)), Some(&week(last))));
            assert_eq!(due.len(), (last - first + 1) as usize);
        }
    }

    #[test]
    fn a_week_counts_what_happened_in_it_and_what_is_open_at_its_end() {
        use State::{Confirmed, Dismissed, Open, Superseded};
        let events = [
            event(1, -2, Open, 0.9),
            event(2, -1, Open, 0.8),
            event(1, 1, Confirmed, 0.9),
            event(3, 2, Open, 0.7),
            event(4, 3, Open, 0.99),
            event(4, 4, Superseded, 0.99),
            event(5, 5, Open, 0.6),
            event(5, 6, Dismissed, 0.6),
            event(5, 7, Open, 0.65),
            event(6, 168, Open, 0.5),
            event(2, 169, Confirmed, 0.8),
        ];
        let (digest, lines) = count(MONDAY, &events);
        let counts =
            |d: &Digest| (d.found_count, d.confirmed_count, d.dismissed_count, d.open_count);
        assert_eq!(counts(&digest), (3, 1, 1, 3));
        assert_eq!(lines, ["mat_004", "mat_003", "mat_005"]);
        let (next, lines) = count(MONDAY.plus(WEEK), &events);
        assert_eq!(counts(&next), (1, 1, 0, 3));
        assert_eq!(lines, ["mat_006"]);
    }

    proptest! {
        #[test]
        fn weeks_neither_overlap_nor_leave_a_gap(
            raw in prop::collection::vec((0_u32..9, 0_i64..500, any::<bool>()), 0..60),
        ) {
            let mut events: Vec<Event> = raw
                .into_iter()
                .map(|(id, hour, open)| {
                    let state = if open { State::Open } else { State::Confirmed };
                    event(id, hour, state, 0.5)
                })
                .collect();
            events.sort_by_key(|event| event.time);
            let weeks: Vec<Digest> =
                (0..3).map(|week| count(MONDAY.plus(WEEK * week), &events).0).collect();
            let found: i64 = weeks.iter().map(|week| week.found_count).sum();
            let opened = events.iter().filter(|event| event.state == State::Open);
            let distinct: std::collections::BTreeSet<(&str, Time)> =
                opened.map(|event| (event.match_id.as_str(), week_of(event.time))).collect();
            prop_assert_eq!(found, number(distinct.len()));
            prop_assert!(weeks.iter().all(|week| week.open_count <= 9));
        }
    }
}
