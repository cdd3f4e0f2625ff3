//! From which probability on each consequence follows.
//!
//! Pure. A threshold is chosen by the share of harmless profiles that may reach it; which
//! probability that is, the detector's calibration says.

use contracts::impersonation::v1::{Consequence, Threshold, Thresholds};
use kit::Error;

use crate::detect::Engine;
use crate::exemption::Found;

/// The share of harmless profiles that may be suggested, unless set.
const SUGGEST_RATE: f64 = 1e-3;
/// The share of harmless profiles that may become cases, unless set.
const OPEN_CASE_RATE: f64 = 1e-4;
/// The share of harmless profiles that may be held, unless set.
const HOLD_RATE: f64 = 1e-5;

/// The thresholds in force, as probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InForce {
    /// For a suggestion.
    pub suggest: f64,
    /// For a case.
    pub open_case: f64,
    /// For a hold.
    pub hold: f64,
}

/// Nothing follows from anything, before anything is known.
impl Default for InForce {
    fn default() -> InForce {
        InForce { suggest: 1.0, open_case: 1.0, hold: 1.0 }
    }
}

fn by_rate(rate: f64, engine: &Engine) -> Option<Threshold> {
    let probability = engine.probability_at(rate);
    Some(Threshold { false_positive_rate: rate, probability })
}

/// The thresholds that were set, or the ones chosen while nobody has set any.
pub fn in_force(set: Option<&Thresholds>, engine: &Engine) -> Thresholds {
    match set {
        Some(set) => resolved(set, engine),
        None => Thresholds {
            suggest: by_rate(SUGGEST_RATE, engine),
            open_case: by_rate(OPEN_CASE_RATE, engine),
            hold: by_rate(HOLD_RATE, engine),
        },
    }
}

/// With the probability of each rate under the weights of now.
fn resolved(set: &Thresholds, engine: &Engine) -> Thresholds {
    let resolve = |threshold: &Option<Threshold>| match threshold {
        Some(given) if given.false_positive_rate > 0.0 => {
            by_rate(given.false_positive_rate, engine)
        }
        given => *given,
    };
    Thresholds {
        suggest: resolve(&set.suggest),
        open_case: resolve(&set.open_case),
        hold: resolve(&set.hold),
    }
}

/// Refuses thresholds that say both or nothing, or that do not rise.
///
/// # Errors
/// Every wrong field.
pub fn check(set: &Thresholds, engine: &Engine) -> Result<Thresholds, Error> {
    let all = [("suggest", &set.suggest), ("open_case", &set.open_case), ("hold", &set.hold)];
    let mut wrong = Error::invalid_request();
    for (name, threshold) in all {
        let given = threshold.unwrap_or_default();
        if (given.false_positive_rate > 0.0) == (given.probability > 0.0) {
            let what = "must be given by its rate or by its probability";
            wrong = wrong.and_invalid(format!("thresholds.{name}"), what);
        }
    }
    wrong.if_any_invalid()?;
    let set = resolved(set, engine);
    let InForce { suggest, open_case, hold } = InForce::of(&set);
    let rising = Error::invalid_argument("THRESHOLDS_NOT_RISING");
    let what = "must not be below the one of a milder consequence";
    if open_case < suggest {
        return Err(rising.and_invalid("thresholds.open_case", what));
    }
    if hold < open_case {
        return Err(rising.and_invalid("thresholds.hold", what));
    }
    Ok(set)
}

impl InForce {
    /// As probabilities.
    pub fn of(set: &Thresholds) -> InForce {
        let of = |threshold: &Option<Threshold>| threshold.map_or(1.0, |given| given.probability);
        InForce { suggest: of(&set.suggest), open_case: of(&set.open_case), hold: of(&set.hold) }
    }

    /// What follows from a probability, given what the rule for exemptions found.
    pub fn consequence(&self, probability: f64, exemption: &Found) -> Consequence {
        let gravest = if probability >= self.hold {
            Consequence::Hold
        } else if probability >= self.open_case {
            Consequence::OpenCase
        } else if probability >= self.suggest {
            Consequence::Suggest
        } else {
            Consequence::Unspecified
        };
        match gravest {
            _ if exemption.is_exempt() => Consequence::Unspecified,
            Consequence::Hold | Consequence::OpenCase if exemption.mitigated => {
                Consequence::Suggest
            }
            gravest => gravest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rates: [f64; 3], probabilities: [f64; 3]) -> Thresholds {
        let of = |at: usize| {
            Some(Threshold { false_positive_rate: rates[at], probability: probabilities[at] })
        };
        Thresholds { suggest: of(0), open_case: of(1), hold: of(2) }
    }

    #[test]
    fn thresholds_rise_and_say_one_thing() {
        let engine = Engine::shipped();
        let check = |set: &Thresholds| check(set, &engine);
        assert!(check(&set([0.0; 3], [0.5, 0.8, 0.9])).is_ok());
        assert!(check(&set([1e-3, 1e-4, 1e-5], [0.0; 3])).is_ok());
        assert!(check(&set([0.0; 3], [0.5; 3])).is_ok());
        let falls = check(&set([0.0; 3], [0.5, 0.4, 0.9])).unwrap_err();
        assert_eq!(falls.reason(), "THRESHOLDS_NOT_RISING");
        let both = check(&set([1e-3, 0.0, 0.0], [0.5, 0.6, 0.0])).unwrap_err();
        assert_eq!((both.reason(), both.invalid_fields()), ("INVALID_REQUEST", 2));
    }

    #[test]
    fn an_exemption_takes_the_consequences_and_not_the_probability() {
        let in_force = InForce { suggest: 0.2, open_case: 0.5, hold: 0.9 };
        let none = Found::default();
        for (probability, consequence) in [
            (0.1, Consequence::Unspecified),
            (0.2, Consequence::Suggest),
            (0.5, Consequence::OpenCase),
            (0.9, Consequence::Hold),
        ] {
            assert_eq!(in_force.consequence(probability, &none), consequence);
        }
        let half = Found { mitigated: true, ..Found::default() };
        assert_eq!(in_force.consequence(0.95, &half), Consequence::Suggest);
        assert_eq!(in_force.consequence(0.1, &half), Consequence::Unspecified);
    }
}
