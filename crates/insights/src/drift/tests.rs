//! What has drifted, on tables of counts.

use contracts::insights::v1::drift::Kind;
use proptest::prelude::*;

use super::*;

const NOW: Time = Time::from_seconds(1_763_786_000);

fn of(found: i64, decided: i64, confirmed: i64, probability: f64) -> Counts {
    let expected = probability * float(decided);
    Counts { found, decided, confirmed, expected, ..Counts::default() }
}

/// Counts of each time, in the last week of it and the band named.
fn answered(then: &[(usize, Counts)], now: &[(usize, Counts)]) -> GetDetectorDriftResponse {
    let cell = |later, week| {
        move |(band, counts): &(usize, Counts)| Cell { later, week, band: *band, counts: *counts }
    };
    let cells: Vec<Cell> =
        now.iter().map(cell(true, 0)).chain(then.iter().map(cell(false, 4))).collect();
    answer(&Span::latest(NOW), &cells, &[])
}

fn kinds(answer: &GetDetectorDriftResponse) -> Vec<Kind> {
    answer.drifts.iter().map(Drift::kind).collect()
}

#[test]
fn what_does_as_it_did_and_as_it_said_has_not_drifted() {
    let usual = [(11, of(400, 200, 195, 0.975)), (12, of(400, 300, 299, 0.9995))];
    let answer = answered(&usual, &usual);
    assert!(answer.drifts.is_empty(), "{:?}", answer.drifts);
    let period = answer.period.expect("a period");
    assert_eq!((period.found_count, period.bands[12].found_count), (800, 400));
    assert_eq!(period.confirmed.map(|share| (share.count, share.total)), Some((494, 500)));
    assert_eq!((period.bands[11].min_probability, period.bands[11].max_probability), (0.99, 0.999));
    assert!((period.bands[11].mean_probability - 0.975).abs() < 1e-12);
}

#[test]
fn fewer_imitations_than_were_said_are_a_drift_of_calibration_and_of_what_is_confirmed() {
    let then = [(12, of(100, 100, 99, 0.99))];
    let now = [(12, of(100, 100, 80, 0.99))];
    let answer = answered(&then, &now);
    assert_eq!(kinds(&answer), [Kind::Calibration, Kind::Confirmed]);
    let [calibration, confirmed] = &answer.drifts[..] else { panic!("two") };
    let words = "80 of 100 decided are imitations, where 99.0 were to be expected";
    assert_eq!(calibration.words, words);
    assert_eq!((calibration.observed, calibration.expected), (0.8, 0.99));
    assert_eq!(confirmed.words, "80 of 100 decided are imitations, 99 of 100 before");
    // More than were said are one, too.
    let timid = answered(&[], &[(8, of(100, 100, 99, 0.85))]);
    assert_eq!(kinds(&timid), [Kind::Calibration]);
}

#[test]
fn nothing_is_said_of_few_of_little_or_of_what_chance_explains() {
    let then = [(12, of(1_000, 1_000, 990, 0.99))];
    for now in [
        // One below the least number, all of them wrong.
        of(29, 29, 0, 0.99),
        // Chance: 44 where 47.5 were to be expected.
        of(50, 50, 44, 0.95),
        // Sure, but it does not matter: 4.9 of a hundred.
        of(100_000, 100_000, 94_100, 0.99),
    ] {
        let answer = answered(&then, &[(12, now)]);
        let of_decided: Vec<Kind> =
            kinds(&answer).into_iter().filter(|kind| *kind == Kind::Calibration).collect();
        assert!(of_decided.is_empty(), "{now:?}: {:?}", answer.drifts);
    }
    let answer = answered(&then, &[(12, of(30, 30, 0, 0.99))]);
    assert_eq!(kinds(&answer), [Kind::Calibration, Kind::Confirmed]);
    let answer = answered(&then, &[(12, of(29, 29, 0, 0.99))]);
    assert!(answer.drifts.is_empty(), "{:?}", answer.drifts);
}

#[test]
fn another_spread_of_what_is_found_is_a_drift_from_300_in_both_times_on() {
    let spread = |low: i64, high: i64| [(5, of(low, 0, 0, 0.0)), (12, of(high, 0, 0, 0.0))];
    assert_eq!(kinds(&answered(&spread(30, 270), &spread(150, 150))), [Kind::Probabilities]);
    assert!(kinds(&answered(&spread(30, 269), &spread(150, 150))).is_empty());
    assert!(kinds(&answered(&spread(30, 270), &spread(150, 149))).is_empty());
    assert!(kinds(&answered(&spread(30, 270), &spread(60, 240))).is_empty());
}

#[test]
fn a_signal_that_misleads_is_named() {
    let counts = |confirmed| of(0, 100, confirmed, 0.95);
    let signals = [
        (false, "avatar,handle".to_owned(), counts(95)),
        (true, "avatar,handle".to_owned(), counts(95)),
        (false, "display_name".to_owned(), counts(95)),
        (true, "display_name".to_owned(), counts(60)),
        (true, String::new(), counts(0)),
    ];
    let answer = answer(&Span::latest(NOW), &[], &signals);
    let [drift] = &answer.drifts[..] else { panic!("{:?}", answer.drifts) };
    assert_eq!((drift.kind(), drift.signal.as_str()), (Kind::Signal, "display_name"));
    let words = "60 of 100 decided for which display_name spoke are imitations, 95 of 100 before";
    assert_eq!(drift.words, words);
    let names: Vec<String> =
        answer.period.unwrap_or_default().signals.into_iter().map(|one| one.signal).collect();
    assert_eq!(names, ["avatar", "display_name", "handle"]);
}

fn asked(start: Option<Time>, end: Option<Time>) -> Result<Span, Error> {
    let (start_time, end_time) = (start.map(Into::into), end.map(Into::into));
    let request = GetDetectorDriftRequest { start_time, end_time, model_version: "w".to_owned() };
    Span::asked(&request, NOW)
}

#[test]
fn a_time_is_28_days_unless_said_otherwise_and_at_most_366() {
    let span = asked(None, None).expect("a span");
    assert_eq!(span, Span { model_version: "w".to_owned(), ..Span::latest(NOW) });
    assert_eq!(span.start.plus(SPAN_DEFAULT), NOW);
    assert_eq!(span.reference.plus(SPAN_DEFAULT), span.start);
    assert!(asked(Some(NOW.minus(SPAN_MAX)), None).is_ok());
    let micro = Duration::from_micros(1);
    for (start, end) in [
        (Some(NOW), None),
        (Some(NOW), Some(NOW)),
        (Some(NOW.plus(micro)), Some(NOW)),
        (Some(NOW.minus(SPAN_MAX).minus(micro)), None),
    ] {
        let error = asked(start, end).expect_err("refused");
        assert_eq!((error.reason(), error.invalid_fields()), ("INVALID_REQUEST", 1));
    }
    let impossible = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 });
    let request = GetDetectorDriftRequest {
        start_time: impossible,
        end_time: impossible,
        ..GetDetectorDriftRequest::default()
    };
    assert_eq!(Span::asked(&request, NOW).expect_err("refused").invalid_fields(), 2);
}

#[test]
fn the_longest_series_has_105_weeks() {
    let span = asked(Some(NOW.minus(SPAN_MAX)), None).expect("a span");
    let answer = answer(&span, &[], &[]);
    assert_eq!(answer.weeks.len(), 105);
    assert_eq!(answer.weeks[0].start_time, Some(span.reference.into()));
}

proptest! {
    /// Weeks, bands and the two times are cuts of the same counts: each adds up to all of them.
    #[test]
    fn every_cut_adds_up(counted in prop::collection::vec(
        (any::<bool>(), 0_usize..4, 0_usize..13, 0_i64..50, 0_i64..50, 0_i64..50), 0..40,
    )) {
        let cells: Vec<Cell> = counted.iter().map(|(later, week, band, found, one, more)| Cell {
            later: *later,
            week: if *later { *week } else { *week + 4 },
            band: *band,
            counts: of(*found, one + more, *one, 0.5),
        }).collect();
        let all = Counts::sum(cells.iter().map(|cell| &cell.counts));
        let answer = answer(&Span::latest(NOW), &cells, &[]);
        prop_assert_eq!(answer.weeks.len(), 8);
        let weeks: i64 = answer.weeks.iter().map(|week| week.found_count).sum();
        let confirmed: i64 = answer.weeks.iter().map(|week| counts(&week.confirmed).0).sum();
        prop_assert_eq!((weeks, confirmed), (all.found, all.confirmed));
        let periods = [answer.period.unwrap_or_default(), answer.reference.unwrap_or_default()];
        let found: i64 = periods.iter().map(|period| period.found_count).sum();
        let decided: i64 = periods.iter().map(|period| counts(&period.confirmed).1).sum();
        prop_assert_eq!((found, decided), (all.found, all.decided));
        for period in &periods {
            let bands: i64 = period.bands.iter().map(|band| counts(&band.confirmed).1).sum();
            prop_assert_eq!(bands, counts(&period.confirmed).1);
        }
    }
}
