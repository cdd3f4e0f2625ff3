//! Whether the detector of impersonation does what it did and what it said it would: from counts
//! of what was found and decided to periods, weeks and what has drifted.
//!
//! Pure: no IO, no clock. It must not know where the counts come from.

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::insights::v1::drift::Kind;
use contracts::insights::v1::{
    DetectorPeriod, DetectorWeek, Drift, GetDetectorDriftRequest, GetDetectorDriftResponse,
    ProbabilityBand, SignalPeriod,
};
use kit::{Error, Time};

use crate::proportion::{difference, float, proportion, stability, wilson};

/// The lower bounds of the bands of probability: tenths, and finer where most findings lie.
pub const BOUNDS: [f64; 13] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999];
/// The step of the series.
pub const WEEK: Duration = Duration::from_hours(7 * 24);
/// How much is looked at unless asked otherwise.
const SPAN_DEFAULT: Duration = Duration::from_hours(28 * 24);
/// How much is looked at, at most.
const SPAN_MAX: Duration = Duration::from_hours(366 * 24);

/// Of fewer decisions nothing is said: their interval is wider than what matters.
const DECIDED_MIN: i64 = 30;
/// Two shares nearer than this are not said to differ, however sure it is that they do.
const APART_MIN: f64 = 0.05;
/// How many standard deviations are more than chance: one in 370 by chance.
const DEVIATIONS: f64 = 3.0;
/// The same where eight signals are looked at: one in 400 by chance for all of them together.
const DEVIATIONS_SIGNAL: f64 = 3.6;
/// Of fewer findings in either time nothing is said of how they are spread: of so many the index
/// is 0.08 by chance.
const FOUND_MIN: i64 = 300;
/// From which population stability index on a spread is another one: the limit in common use
/// (N. Siddiqi, Credit Risk Scorecards, 2006).
const STABILITY_MAX: f64 = 0.25;

/// What is asked about: a time, and as long a time before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Where the reference begins.
    pub reference: Time,
    /// Where it ends and the time itself begins.
    pub start: Time,
    /// Where that ends.
    pub end: Time,
    /// Only what these weights gave; empty for all.
    pub model_version: String,
}

impl Span {
    fn new(start: Time, end: Time, model_version: &str) -> Span {
        let micros = u64::try_from(end.micros() - start.micros()).unwrap_or_default();
        let reference = start.minus(Duration::from_micros(micros));
        Span { reference, start, end, model_version: model_version.to_owned() }
    }

    /// The last 28 days, by whichever weights.
    pub fn latest(now: Time) -> Span {
        Span::new(now.minus(SPAN_DEFAULT), now, "")
    }

    /// What a request asks for.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn asked(request: &GetDetectorDriftRequest, now: Time) -> Result<Span, Error> {
        let mut error = Error::invalid_request();
        let mut time = |field: &str, given: &Option<prost_types::Timestamp>, otherwise: Time| {
            let Some(given) = given else { return otherwise };
            Time::from_timestamp(given).unwrap_or_else(|| {
                let what = "must be a time in the years 1 to 9999";
                error = std::mem::replace(&mut error, Error::invalid_request())
                    .and_invalid(field, what);
                otherwise
            })
        };
        let end = time("end_time", &request.end_time, now);
        let start = time("start_time", &request.start_time, end.minus(SPAN_DEFAULT));
        error.if_any_invalid()?;
        if start >= end {
            return Err(Error::invalid("start_time", "must be before end_time"));
        }
        if start.plus(SPAN_MAX) < end {
            return Err(Error::invalid("start_time", "must be at most 366 days before end_time"));
        }
        Ok(Span::new(start, end, &request.model_version))
    }
}

/// What was counted of some findings and decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Found or found anew.
    pub found: i64,
    /// Decided.
    pub decided: i64,
    /// Found to be imitations.
    pub confirmed: i64,
    /// Corrected by an appeal.
    pub corrected: i64,
    /// The probabilities of the decided ones, summed.
    pub expected: f64,
    /// The squared differences between probability and decision, summed.
    pub squares: f64,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.found += other.found;
        self.decided += other.decided;
        self.confirmed += other.confirmed;
        self.corrected += other.corrected;
        self.expected += other.expected;
        self.squares += other.squares;
    }

    fn sum<'a>(all: impl Iterator<Item = &'a Counts>) -> Counts {
        all.fold(Counts::default(), |mut sum, one| {
            sum.add(one);
            sum
        })
    }

    /// The mean of a sum over the decided ones; 0 of none.
    fn mean(&self, sum: f64) -> f64 {
        if self.decided == 0 { 0.0 } else { sum / float(self.decided) }
    }
}

/// Counts of one week and one band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Whether in the time itself; else in the reference.
    pub later: bool,
    /// How many whole weeks before the end.
    pub week: usize,
    /// Which band: a place in [`BOUNDS`].
    pub band: usize,
    /// The counts.
    pub counts: Counts,
}

/// The answer, but for when the last event happened: from counts by week and band, and from counts
/// by the signals that spoke for an imitation, whose names are separated by commas.
pub fn answer(
    span: &Span,
    cells: &[Cell],
    signals: &[(bool, String, Counts)],
) -> GetDetectorDriftResponse {
    let period = |later: bool| {
        let (start, end) = match later {
            true => (span.start, span.end),
            false => (span.reference, span.start),
        };
        let cells = || cells.iter().filter(|cell| cell.later == later);
        let sum = Counts::sum(cells().map(|cell| &cell.counts));
        DetectorPeriod {
            start_time: Some(start.into()),
            end_time: Some(end.into()),
            found_count: sum.found,
            confirmed: Some(proportion(sum.confirmed, sum.decided)),
            expected_count: sum.expected,
            corrected_count: sum.corrected,
            brier_score: sum.mean(sum.squares),
            bands: bands(cells()),
            signals: by_signal(signals.iter().filter(|(of, ..)| *of == later)),
        }
    };
    let (reference, period) = (period(false), period(true));
    GetDetectorDriftResponse {
        drifts: drifts(&period, &reference),
        weeks: weeks(span, cells),
        period: Some(period),
        reference: Some(reference),
        event_time: None,
    }
}

fn bands<'a>(cells: impl Iterator<Item = &'a Cell>) -> Vec<ProbabilityBand> {
    let mut sums = [Counts::default(); BOUNDS.len()];
    for cell in cells {
        if let Some(sum) = sums.get_mut(cell.band) {
            sum.add(&cell.counts);
        }
    }
    let bounds = BOUNDS.iter().zip(BOUNDS.iter().skip(1).chain([&1.0]));
    let band = |((min, max), sum): ((&f64, &f64), Counts)| ProbabilityBand {
        min_probability: *min,
        max_probability: *max,
        found_count: sum.found,
        mean_probability: sum.mean(sum.expected),
        confirmed: Some(proportion(sum.confirmed, sum.decided)),
    };
    bounds.zip(sums).map(band).collect()
}

fn by_signal<'a>(counted: impl Iterator<Item = &'a (bool, String, Counts)>) -> Vec<SignalPeriod> {
    let mut sums: BTreeMap<&str, Counts> = BTreeMap::new();
    for (_, signals, counts) in counted {
        for signal in signals.split(',').filter(|signal| !signal.is_empty()) {
            sums.entry(signal).or_default().add(counts);
        }
    }
    let signal = |(signal, sum): (&str, Counts)| SignalPeriod {
        signal: signal.to_owned(),
        confirmed: Some(proportion(sum.confirmed, sum.decided)),
        expected_count: sum.expected,
    };
    sums.into_iter().map(signal).collect()
}

fn weeks(span: &Span, cells: &[Cell]) -> Vec<DetectorWeek> {
    let mut weeks = Vec::new();
    let mut end = span.end;
    while end > span.reference {
        let start = end.minus(WEEK).max(span.reference);
        let number = weeks.len();
        let of = cells.iter().filter(|cell| cell.week == number);
        let sum = Counts::sum(of.map(|cell| &cell.counts));
        weeks.push(DetectorWeek {
            start_time: Some(start.into()),
            found_count: sum.found,
            confirmed: Some(proportion(sum.confirmed, sum.decided)),
            expected_count: sum.expected,
        });
        end = start;
    }
    weeks.reverse();
    weeks
}

/// What is not as it was, or not as it was said to be, by more than chance and enough to matter.
fn drifts(period: &DetectorPeriod, reference: &DetectorPeriod) -> Vec<Drift> {
    let mut drifts = Vec::new();
    drifts.extend(calibration(period));
    let (now, then) = (counts(&period.confirmed), counts(&reference.confirmed));
    drifts.extend(confirmed(Kind::Confirmed, "", now, then));
    for signal in &period.signals {
        let then = reference.signals.iter().find(|other| other.signal == signal.signal);
        let then = then.map_or((0, 0), |then| counts(&then.confirmed));
        drifts.extend(confirmed(Kind::Signal, &signal.signal, counts(&signal.confirmed), then));
    }
    drifts.extend(spread(period, reference));
    drifts
}

type Share = Option<contracts::insights::v1::Proportion>;

fn counts(share: &Share) -> (i64, i64) {
    share.as_ref().map_or((0, 0), |share| (share.count, share.total))
}

fn share((count, total): (i64, i64)) -> f64 {
    float(count) / float(total)
}

fn calibration(period: &DetectorPeriod) -> Option<Drift> {
    let decided = counts(&period.confirmed);
    if decided.1 < DECIDED_MIN {
        return None;
    }
    let (observed, expected) = (share(decided), period.expected_count / float(decided.1));
    let (lower, upper) = wilson(decided.0, decided.1, DEVIATIONS);
    let by_chance = (lower..=upper).contains(&expected);
    (!by_chance && (observed - expected).abs() >= APART_MIN).then(|| Drift {
        kind: Kind::Calibration.into(),
        expected,
        observed,
        words: format!(
            "{} of {} decided are imitations, where {:.1} were to be expected",
            decided.0, decided.1, period.expected_count
        ),
        ..Drift::default()
    })
}

fn confirmed(kind: Kind, signal: &str, now: (i64, i64), then: (i64, i64)) -> Option<Drift> {
    if now.1 < DECIDED_MIN || then.1 < DECIDED_MIN {
        return None;
    }
    let deviations = if kind == Kind::Signal { DEVIATIONS_SIGNAL } else { DEVIATIONS };
    let (observed, expected) = (share(now), share(then));
    let by_chance = difference(now, then).abs() < deviations;
    (!by_chance && (observed - expected).abs() >= APART_MIN).then(|| {
        let about = match kind {
            Kind::Signal => format!(" for which {signal} spoke"),
            _ => String::new(),
        };
        Drift {
            kind: kind.into(),
            signal: signal.to_owned(),
            expected,
            observed,
            words: format!(
                "{} of {} decided{about} are imitations, {} of {} before",
                now.0, now.1, then.0, then.1
            ),
        }
    })
}

fn spread(period: &DetectorPeriod, reference: &DetectorPeriod) -> Option<Drift> {
    if period.found_count < FOUND_MIN || reference.found_count < FOUND_MIN {
        return None;
    }
    let found = |period: &DetectorPeriod| -> Vec<i64> {
        period.bands.iter().map(|band| band.found_count).collect()
    };
    let observed = stability(&found(period), &found(reference));
    (observed >= STABILITY_MAX).then(|| Drift {
        kind: Kind::Probabilities.into(),
        observed,
        words: format!(
            "the {} found are spread over the probabilities otherwise than the {} before: \
             stability index {observed:.2}, from {STABILITY_MAX} on another spread",
            period.found_count, reference.found_count
        ),
        ..Drift::default()
    })
}

#[cfg(test)]
mod tests;
