//! How a claimant's claims fared, and whether further ones are processed (Art. 23 DSA).
//!
//! Whoever frequently brings manifestly unfounded claims is warned first; who goes on after the
//! warning is suspended for a time. The share among all decided claims counts, so that an agency
//! with many good claims is not suspended for a few bad ones. Pure: no IO, no clock.

use std::time::Duration;

use contracts::impersonation::v1::ClaimantStanding;
use contracts::impersonation::v1::claim::Outcome;
use kit::Time;

/// How long a manifestly unfounded claim counts.
pub const MEMORY: Duration = Duration::from_secs(180 * 86_400);
/// Manifestly unfounded claims within the memory from which on somebody is warned.
pub const WARN_AT: usize = 2;
/// Manifestly unfounded claims within the memory from which on somebody who was warned before
/// filing the last of them is suspended.
pub const SUSPEND_AT: usize = 4;
/// The least share, in hundredths, of decided claims that must have been manifestly unfounded.
pub const SHARE_PERCENT: usize = 50;
/// How long a suspension lasts.
pub const SUSPENSION: Duration = Duration::from_secs(30 * 86_400);

/// A claim as far as its claimant's standing is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// When it was filed.
    pub file_time: Time,
    /// When it was decided; none while it was not.
    pub decide_time: Option<Time>,
    /// What came of it, as corrected.
    pub outcome: Outcome,
}

/// How somebody stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Claims filed.
    pub filed: usize,
    /// Claims found to be right.
    pub upheld: usize,
    /// Claims found to be manifestly unfounded.
    pub unfounded: usize,
    /// When the warning was given that still counts.
    pub warn_time: Option<Time>,
    /// Until when further claims are not processed.
    pub suspend_end: Option<Time>,
}

/// How somebody stands at `now` after these claims.
pub fn standing(history: &[Past], now: Time) -> Standing {
    let mut decided: Vec<(Time, &Past)> =
        history.iter().filter_map(|past| Some((past.decide_time?, past))).collect();
    decided.sort_by_key(|(time, past)| (*time, past.file_time));
    let mut standing = Standing { filed: history.len(), ..Standing::default() };
    for (at, (time, past)) in decided.iter().enumerate() {
        match past.outcome {
            Outcome::Imitation => standing.upheld += 1,
            Outcome::ManifestlyUnfounded => {
                standing.unfounded += 1;
                judge(&mut standing, &decided[..=at], *time, past.file_time);
            }
            Outcome::NoImitation | Outcome::Unspecified => {}
        }
    }
    standing.warn_time = standing.warn_time.filter(|warned| remembered(*warned, now));
    standing.suspend_end = standing.suspend_end.filter(|end| now < *end);
    standing
}

fn remembered(time: Time, now: Time) -> bool {
    now < time.plus(MEMORY)
}

/// What a manifestly unfounded claim, the last of `decided`, leads to.
fn judge(standing: &mut Standing, decided: &[(Time, &Past)], now: Time, filed: Time) {
    let recent = || decided.iter().filter(|(time, _)| remembered(*time, now));
    let unfounded =
        recent().filter(|(_, past)| past.outcome == Outcome::ManifestlyUnfounded).count();
    if unfounded * 100 < recent().count() * SHARE_PERCENT {
        return;
    }
    let warned = standing.warn_time.filter(|warned| remembered(*warned, now));
    match warned {
        None if unfounded >= WARN_AT => standing.warn_time = Some(now),
        Some(warned) if unfounded >= SUSPEND_AT && filed >= warned => {
            standing.suspend_end = Some(now.plus(SUSPENSION));
        }
        _ => {}
    }
}

impl Standing {
    /// As the contract shows it.
    pub fn render(&self) -> ClaimantStanding {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        ClaimantStanding {
            claims_filed: count(self.filed),
            claims_upheld: count(self.upheld),
            claims_unfounded: count(self.unfounded),
            suspend_end_time: self.suspend_end.map(Into::into),
            warn_time: self.warn_time.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const BEGIN: Time = Time::from_seconds(1_763_786_000);

    fn day(number: u32) -> Time {
        BEGIN.plus(DAY * number)
    }

    /// Claims filed and decided on the same day, one a day.
    fn daily(outcomes: &[Outcome]) -> Vec<Past> {
        let past = |(at, outcome): (u32, &Outcome)| Past {
            file_time: day(at),
            decide_time: Some(day(at).plus(Duration::from_secs(1))),
            outcome: *outcome,
        };
        (0..).zip(outcomes).map(past).collect()
    }

    #[test]
    fn a_warning_comes_before_a_suspension_and_both_end() {
        use Outcome::{Imitation, ManifestlyUnfounded as Bad, NoImitation};
        let at_end = |outcomes: &[Outcome]| {
            standing(&daily(outcomes), day(u32::try_from(outcomes.len()).unwrap()))
        };
        let told = |outcomes: &[Outcome]| {
            let standing = at_end(outcomes);
            (standing.warn_time.is_some(), standing.suspend_end.is_some())
        };
        assert_eq!(told(&[]), (false, false));
        assert_eq!(told(&[Bad]), (false, false));
        assert_eq!(told(&[Bad, Bad]), (true, false));
        assert_eq!(told(&[Bad, Bad, Bad]), (true, false));
        assert_eq!(told(&[Bad, Bad, Bad, Bad]), (true, true));
        // Being wrong is not being manifestly unfounded; a good record weighs.
        assert_eq!(told(&[NoImitation; 9]), (false, false));
        assert_eq!(told(&[Imitation, Imitation, Imitation, Bad, Bad]), (false, false));
        assert_eq!(told(&[Imitation, Imitation, Bad, Bad]), (true, false));
        let suspended = standing(&daily(&[Bad; 4]), day(4));
        let end = suspended.suspend_end.unwrap();
        assert_eq!(end, day(3).plus(Duration::from_secs(1)).plus(SUSPENSION));
        assert_eq!(standing(&daily(&[Bad; 4]), end).suspend_end, None);
        assert_eq!(standing(&daily(&[Bad; 4]), day(400)).warn_time, None);
    }

    #[test]
    fn what_was_filed_before_the_warning_does_not_suspend() {
        let mut history = daily(&[Outcome::ManifestlyUnfounded; 4]);
        for past in &mut history {
            past.file_time = BEGIN;
        }
        let stands = standing(&history, day(5));
        assert_eq!((stands.warn_time.is_some(), stands.suspend_end), (true, None));
    }

    #[test]
    fn a_correction_counts_as_if_it_had_been_right_at_once() {
        let mut history = daily(&[Outcome::ManifestlyUnfounded; 4]);
        history[1].outcome = Outcome::Imitation;
        let stands = standing(&history, day(5));
        assert_eq!((stands.upheld, stands.unfounded), (1, 3));
        assert_eq!(stands.suspend_end, None);
    }

    proptest! {
        #[test]
        fn nobody_is_suspended_unwarned_or_for_few(
            outcomes in prop::collection::vec(0_usize..4, 0..12), now in 0_u32..60,
        ) {
            let all = [
                Outcome::Unspecified,
                Outcome::Imitation,
                Outcome::NoImitation,
                Outcome::ManifestlyUnfounded,
            ];
            let outcomes: Vec<Outcome> = outcomes.into_iter().map(|at| all[at]).collect();
            let stands = standing(&daily(&outcomes), day(now));
            if stands.suspend_end.is_some() {
                prop_assert!(stands.warn_time.is_some());
                prop_assert!(stands.unfounded >= SUSPEND_AT);
            }
            prop_assert!(stands.upheld + stands.unfounded <= stands.filed);
        }
    }
}
