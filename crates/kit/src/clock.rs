//! Time as a parameter: one clock, injected, and the few places where real time is read.
//!
//! Everything that needs to know what time it is takes a [`Clock`] or, better, a [`Time`].
//! This module is the only one that may ask the operating system; it knows no domain noun.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prost_types::Timestamp;
use serde::{Deserialize, Serialize};

/// Microseconds in a second.
const MICROS_PER_SECOND: i64 = 1_000_000;
/// Nanoseconds in a microsecond.
const NANOS_PER_MICRO: i32 = 1_000;
/// 0001-01-01T00:00:00Z, the earliest time that a protobuf Timestamp can hold, in seconds.
const TIMESTAMP_SECONDS_MIN: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z, the latest time that a protobuf Timestamp can hold, in seconds.
const TIMESTAMP_SECONDS_MAX: i64 = 253_402_300_799;

/// A point in time: microseconds since 1970-01-01T00:00:00 UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// 1970-01-01T00:00:00 UTC.
    pub const EPOCH: Time = Time(0);

    /// The time that many microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Time {
        Time(micros)
    }

    /// The time that many seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Time {
        Time(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the epoch; what is stored.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// This time plus a span, stopping at the latest time there is.
    #[must_use]
    pub fn plus(self, span: Duration) -> Time {
        Time(self.0.saturating_add(micros_of(span)))
    }

    /// This time minus a span, stopping at the earliest time there is.
    #[must_use]
    pub fn minus(self, span: Duration) -> Time {
        Time(self.0.saturating_sub(micros_of(span)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Time) -> Duration {
        let micros = self.0.saturating_sub(earlier.0).max(0);
        Duration::from_micros(micros.unsigned_abs())
    }

    /// As a protobuf timestamp, which has room for nanoseconds.
    pub fn to_timestamp(self) -> Timestamp {
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        // Below a million, so that a thousand times it fits an i32.
        let nanos = i32::try_from(micros).unwrap_or_default() * NANOS_PER_MICRO;
        Timestamp { seconds: self.seconds(), nanos }
    }

    /// From a protobuf timestamp, cut to whole microseconds. `None` when it is not a valid
    /// one (years 1 to 9999, nanoseconds below a thousand million).
    pub fn from_timestamp(timestamp: &Timestamp) -> Option<Time> {
        let seconds = timestamp.seconds;
        let valid = (TIMESTAMP_SECONDS_MIN..=TIMESTAMP_SECONDS_MAX).contains(&seconds)
            && (0..1_000_000_000).contains(&timestamp.nanos);
        let micros = i64::from(timestamp.nanos / NANOS_PER_MICRO);
        valid.then(|| Time(seconds * MICROS_PER_SECOND + micros))
    }
}

/// The microseconds of a span, stopping at the largest number there is.
fn micros_of(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

impl From<Time> for Timestamp {
    fn from(time: Time) -> Timestamp {
        time.to_timestamp()
    }
}

/// As RFC 3339, for people: `2026-11-22T04:33:00.000123Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = self.to_timestamp();
        if (TIMESTAMP_SECONDS_MIN..=TIMESTAMP_SECONDS_MAX).contains(&timestamp.seconds) {
            timestamp.fmt(f)
        } else {
            write!(f, "{} us", self.0)
        }
    }
}

/// Where "now" comes from. Cheap to clone; clones of a manual clock move together.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The operating system's clock.
    pub fn system() -> Clock {
        Clock(Source::System)
    }

    /// A clock that stands still until told to move; for tests and for replay.
    pub fn manual(start: Time) -> Clock {
        Clock(Source::Manual(Arc::new(AtomicI64::new(start.micros()))))
    }

    /// The time now.
    pub fn now(&self) -> Time {
        match &self.0 {
            Source::System => system_now(),
            Source::Manual(micros) => Time(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward.
    ///
    /// # Panics
    /// On the system clock, which nobody may move.
    pub fn advance(&self, span: Duration) {
        match &self.0 {
            Source::System => panic!("the system clock cannot be moved"),
            Source::Manual(micros) => {
                micros.fetch_add(micros_of(span), Ordering::SeqCst);
            }
        }
    }

    /// Sets a manual clock.
    ///
    /// # Panics
    /// On the system clock, which nobody may set.
    pub fn set(&self, time: Time) {
        match &self.0 {
            Source::System => panic!("the system clock cannot be set"),
            Source::Manual(micros) => micros.store(time.micros(), Ordering::SeqCst),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's time")]
fn system_now() -> Time {
    let now = SystemTime::now();
    match now.duration_since(UNIX_EPOCH) {
        Ok(after) => Time(micros_of(after)),
        Err(before) => Time(-micros_of(before.duration())),
    }
}

/// Measures how long something takes; never used to decide what time it is.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the steady clock")]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// How long ago it was started.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits. Under a paused test runtime it takes no real time.
#[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
pub async fn sleep(span: Duration) {
    tokio::time::sleep(span).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_round_trip_on_both_sides_of_the_epoch() {
        for micros in [0, 1, -1, 999_999, 1_000_000, -1_000_001, 1_763_786_000_123_456] {
            let time = Time::from_micros(micros);
            let timestamp = time.to_timestamp();
            assert!((0..1_000_000_000).contains(&timestamp.nanos));
            assert_eq!(Time::from_timestamp(&timestamp), Some(time));
        }
    }

    #[test]
    fn impossible_timestamps_are_refused() {
        for (seconds, nanos) in [
            (TIMESTAMP_SECONDS_MIN - 1, 0),
            (TIMESTAMP_SECONDS_MAX + 1, 0),
            (0, -1),
            (0, 1_000_000_000),
            (i64::MAX, i32::MAX),
            (i64::MIN, i32::MIN),
        ] {
            assert_eq!(Time::from_timestamp(&Timestamp { seconds, nanos }), None);
        }
        let last = Timestamp { seconds: TIMESTAMP_SECONDS_MAX, nanos: 999_999_999 };
        assert!(Time::from_timestamp(&last).is_some());
    }

    #[test]
    fn a_manual_clock_moves_only_when_told_and_with_its_clones() {
        let clock = Clock::manual(Time::from_seconds(10));
        let clone = clock.clone();
        assert_eq!(clone.now(), Time::from_seconds(10));
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clone.now().micros(), 11_500_000);
        clone.set(Time::EPOCH);
        assert_eq!(clock.now(), Time::EPOCH);
    }

    #[test]
    fn spans_saturate_instead_of_overflowing() {
        assert_eq!(Time::from_micros(i64::MAX).plus(Duration::MAX).micros(), i64::MAX);
        assert_eq!(Time::from_micros(i64::MIN).minus(Duration::MAX).micros(), i64::MIN);
        assert_eq!(Time::EPOCH.since(Time::from_seconds(1)), Duration::ZERO);
    }

    #[test]
    fn times_read_as_rfc_3339() {
        assert_eq!(Time::EPOCH.to_string(), "1970-01-01T00:00:00Z");
    }

    #[tokio::test(start_paused = true)]
    async fn sleeping_costs_no_real_time_when_paused() {
        sleep(Duration::from_secs(3_600)).await;
    }
}
