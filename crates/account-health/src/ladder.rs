//! The penalty ladders of a pack, as the standing is worked out under them. Pure; it knows no
//! account.

use std::time::Duration;

use contracts::policy::v1 as policy;
use contracts::types::v1::{Feature, Severity};

/// Seconds of a day. Days are spans of time here, not dates of any calendar.
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Thresholds of points and what they bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    /// Its code.
    pub code: String,
    /// Its steps by rising threshold, each above zero.
    pub steps: Vec<Step>,
    /// How a first violation of a policy costs nothing; `None` where it costs points.
    pub first_warning: Option<FirstWarning>,
    /// What many violations of one policy bring.
    pub repeats: Vec<Repeat>,
    /// From this balance on an account is to take care; 0 for never.
    pub caution_points: i64,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The balance that reaches it.
    pub threshold: i64,
    /// What it brings.
    pub restrictions: Vec<Rule>,
}

/// What is restricted, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// What.
    pub feature: Feature,
    /// For how long; `None` for as long as the balance stays at the threshold.
    pub span: Option<Duration>,
}

/// A first violation of a policy within `window` that is at most that grave costs no points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstWarning {
    /// How long an earlier violation of the policy makes the next one no longer the first.
    pub window: Duration,
    /// The highest severity that is forgiven.
    pub max_severity: Severity,
}

/// What `count` violations of one policy within `window` bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    /// How many.
    pub count: usize,
    /// Within how long.
    pub window: Duration,
    /// What it brings.
    pub restrictions: Vec<Rule>,
}

/// So many days; none if negative.
pub fn days(count: i32) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0) * DAY_SECONDS)
}

/// The ladders of a pack.
pub fn ladders(proto: &[policy::Ladder]) -> Vec<Ladder> {
    proto.iter().map(Ladder::from).collect()
}

impl From<&policy::Ladder> for Ladder {
    fn from(proto: &policy::Ladder) -> Ladder {
        let step = |step: &policy::LadderStep| Step {
            threshold: i64::from(step.threshold_points),
            restrictions: rules(&step.restrictions),
        };
        let repeat = |rule: &policy::RepeatRule| Repeat {
            count: usize::try_from(rule.count).unwrap_or(0),
            window: days(rule.window_days),
            restrictions: rules(&rule.restrictions),
        };
        let mut steps: Vec<Step> =
            proto.steps.iter().map(step).filter(|step| step.threshold > 0).collect();
        steps.sort_by_key(|step| step.threshold);
        Ladder {
            code: proto.code.clone(),
            steps,
            first_warning: (proto.first_warning_days > 0).then(|| FirstWarning {
                window: days(proto.first_warning_days),
                max_severity: proto.first_warning_max_severity(),
            }),
            repeats: proto.repeat_rules.iter().map(repeat).collect(),
            caution_points: i64::from(proto.caution_points),
        }
    }
}

fn rules(proto: &[policy::RestrictionRule]) -> Vec<Rule> {
    let rule = |rule: &policy::RestrictionRule| Rule {
        feature: rule.feature(),
        span: (rule.duration_days > 0).then(|| days(rule.duration_days)),
    };
    proto.iter().map(rule).filter(|rule| rule.feature != Feature::Unspecified).collect()
}
