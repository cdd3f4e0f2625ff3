//! Which case is next: its due time, drawn forward by what makes it worse to wait.
//!
//! A rank time is a fixed instant, so that a case grows older by itself: whatever comes in later
//! has a later due time and cannot pass an old case for ever. Pure: no IO, no clock.

use std::time::Duration;

use contracts::types::v1::{Severity, Source};
use kit::Time;

/// Seconds in an hour.
const HOUR_SECONDS: u64 = 3_600;
/// How far a case of medium severity is drawn forward.
pub const MEDIUM_DRAW: Duration = Duration::from_secs(4 * HOUR_SECONDS);
/// How far a case of high severity is drawn forward.
pub const HIGH_DRAW: Duration = Duration::from_secs(24 * HOUR_SECONDS);
/// How far a case of critical severity is drawn forward.
pub const CRITICAL_DRAW: Duration = Duration::from_secs(72 * HOUR_SECONDS);
/// How far each doubling of the number of reports draws a case forward: a flood counts, but ten
/// times the reports are not ten times the urgency.
pub const DOUBLING_DRAW: Duration = Duration::from_secs(2 * HOUR_SECONDS);
/// Doublings that count; more reports than two to this power draw no further.
pub const DOUBLINGS_MAX: u32 = 12;
/// How far a notice of a trusted flagger draws a case forward (Art. 22 DSA: priority).
pub const TRUSTED_FLAGGER_DRAW: Duration = Duration::from_secs(12 * HOUR_SECONDS);

/// The place of a case in its queue; the earliest is next.
pub fn rank_time(due: Time, severity: Severity, report_count: i64, source: Source) -> Time {
    let severity = match severity {
        Severity::Unspecified | Severity::Low => Duration::ZERO,
        Severity::Medium => MEDIUM_DRAW,
        Severity::High => HIGH_DRAW,
        Severity::Critical => CRITICAL_DRAW,
    };
    let trusted = match source {
        Source::TrustedFlagger => TRUSTED_FLAGGER_DRAW,
        Source::Unspecified | Source::User | Source::Detector => Duration::ZERO,
    };
    // Whole doublings: most reports of a flood leave the rank, and so the index, as it is.
    let doublings = report_count.checked_ilog2().unwrap_or(0).min(DOUBLINGS_MAX);
    due.minus(severity + trusted + DOUBLING_DRAW * doublings)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DUE: Time = Time::from_seconds(1_763_786_000);
    const SEVERITIES: [Severity; 4] =
        [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    #[test]
    fn a_case_starts_at_its_due_time_and_is_drawn_forward() {
        let hours = |severity, count, source| {
            DUE.since(rank_time(DUE, severity, count, source)).as_secs() / HOUR_SECONDS
        };
        for (severity, count, source, drawn) in [
            (Severity::Low, 1, Source::User, 0),
            (Severity::Low, 0, Source::User, 0),
            (Severity::Low, 2, Source::User, 2),
            (Severity::Low, 3, Source::User, 2),
            (Severity::Low, 4, Source::Detector, 4),
            (Severity::Medium, 1, Source::User, 4),
            (Severity::High, 1, Source::User, 24),
            (Severity::Critical, 1, Source::User, 72),
            (Severity::Low, 1, Source::TrustedFlagger, 12),
            (Severity::Critical, 1_024, Source::TrustedFlagger, 72 + 12 + 20),
            (Severity::Low, 1 << DOUBLINGS_MAX, Source::User, 24),
            (Severity::Low, 1 << (DOUBLINGS_MAX + 1), Source::User, 24),
            (Severity::Low, i64::MAX, Source::User, 24),
        ] {
            assert_eq!(hours(severity, count, source), drawn, "{severity:?} {count} {source:?}");
        }
    }

    proptest! {
        #[test]
        fn more_reports_or_more_harm_never_rank_later(
            count in 0_i64..1_000_000, more in 0_i64..1_000_000, severity in 0_usize..4,
        ) {
            let rank = |severity: usize, count, source| {
                rank_time(DUE, SEVERITIES[severity], count, source)
            };
            let base = rank(severity, count, Source::User);
            prop_assert!(rank(severity, count + more, Source::User) <= base);
            prop_assert!(rank(severity, count, Source::TrustedFlagger) <= base);
            for worse in severity..4 {
                prop_assert!(rank(worse, count, Source::User) <= base);
            }
        }

        #[test]
        fn nothing_due_much_later_passes_an_old_case(
            count in 0_i64..i64::MAX, severity in 0_usize..4, later in 0_u64..1_000,
        ) {
            // The most that anything is drawn forward: what is due later than that comes later.
            let most = CRITICAL_DRAW + TRUSTED_FLAGGER_DRAW + DOUBLING_DRAW * DOUBLINGS_MAX;
            let old = rank_time(DUE, Severity::Low, 1, Source::User);
            let due = DUE.plus(most + Duration::from_secs(later + 1));
            let new = rank_time(due, SEVERITIES[severity], count, Source::TrustedFlagger);
            prop_assert!(old < new);
        }
    }
}
