//! The rule of an edition, and the changes of a regional overlay to it. Both are read as the same
//! partial rule; an edition's must be complete.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use contracts::policy::v1 as proto;
use contracts::types::v1::{ContentAction, DecisionGround, Severity};

use super::draft::{Draft, Kind};
use super::mistakes::Spot;
use super::reader::{Item, Reader};
use super::vocabulary as words;

/// The most points that one violation may cost.
pub const POINTS_MAX: i32 = 1_000;

/// The longest expiry, window or restriction: ten years, in days.
pub const DAYS_MAX: i32 = 3_660;

/// The shortest window for an appeal that Art. 20(1) DSA allows, in days.
pub const APPEAL_WINDOW_DAYS_MIN: i32 = 180;

/// How long a reference to a law or a clause may be: what the DSA transparency database takes.
pub const REFERENCE_CHARS_MAX: usize = 500;

const REQUIRED: [&str; 8] = [
    "severity",
    "points",
    "expiry_days",
    "ground",
    "ground_reference",
    "actions",
    "ladders",
    "appealable",
];

const OPTIONAL: [&str; 1] = ["appeal_window_days"];

/// The words that rules use, made once for a file.
pub(super) struct RuleWords {
    severities: Vec<(&'static str, Severity)>,
    grounds: Vec<(&'static str, DecisionGround)>,
    actions: Vec<(&'static str, ContentAction)>,
}

impl Default for RuleWords {
    fn default() -> RuleWords {
        RuleWords {
            severities: words::severities(),
            grounds: words::grounds(),
            actions: words::actions(),
        }
    }
}

/// A rule, or the part of one that was given and could be read.
#[derive(Debug, Clone, Default)]
pub(super) struct Rule {
    severity: Option<Severity>,
    /// By severity. An overlay's replace the edition's one by one.
    points: Option<BTreeMap<i32, i32>>,
    expiry_days: Option<i32>,
    ground: Option<DecisionGround>,
    ground_reference: Option<String>,
    actions: Option<Vec<ContentAction>>,
    ladders: Option<Vec<String>>,
    appealable: Option<bool>,
    appeal_window_days: Option<i32>,
    /// Whether the window was given but could not be read, so that its absence proves nothing.
    window_unread: bool,
    /// The line to name when the points are wrong.
    points_spot: Option<Spot>,
    /// The line to name when the appeal is wrong.
    appeal_spot: Option<Spot>,
}

impl Rule {
    /// This rule with an overlay's changes applied.
    pub fn with(&self, changes: &Rule) -> Rule {
        let points = match (&self.points, &changes.points) {
            (Some(ours), Some(theirs)) => {
                Some(ours.iter().chain(theirs).map(|(of, points)| (*of, *points)).collect())
            }
            (ours, theirs) => theirs.clone().or_else(|| ours.clone()),
        };
        // A rule that becomes final somewhere has no window there.
        let window = match changes.appealable {
            Some(false) => changes.appeal_window_days,
            _ => changes.appeal_window_days.or(self.appeal_window_days),
        };
        Rule {
            severity: changes.severity.or(self.severity),
            points,
            expiry_days: changes.expiry_days.or(self.expiry_days),
            ground: changes.ground.or(self.ground),
            ground_reference: changes.ground_reference.clone().or(self.ground_reference.clone()),
            actions: changes.actions.clone().or(self.actions.clone()),
            ladders: changes.ladders.clone().or(self.ladders.clone()),
            appealable: changes.appealable.or(self.appealable),
            appeal_window_days: window,
            window_unread: self.window_unread || changes.window_unread,
            points_spot: changes.points_spot.or(self.points_spot),
            appeal_spot: changes.appeal_spot.or(self.appeal_spot),
        }
    }

    /// As it is published.
    pub fn to_proto(&self) -> proto::Rule {
        let points = self.points.iter().flatten();
        proto::Rule {
            severity: self.severity.unwrap_or_default() as i32,
            points: points
                .map(|(severity, points)| proto::SeverityPoints {
                    severity: *severity,
                    points: *points,
                })
                .collect(),
            expiry_days: self.expiry_days.unwrap_or_default(),
            ground: self.ground.unwrap_or_default() as i32,
            ground_reference: self.ground_reference.clone().unwrap_or_default(),
            actions: self.actions.iter().flatten().map(|action| *action as i32).collect(),
            ladders: self.ladders.clone().unwrap_or_default(),
            appealable: self.appealable.unwrap_or_default(),
            appeal_window_days: self.appeal_window_days.unwrap_or_default(),
        }
    }
}

/// Reads an edition's rule; what is missing is noted.
pub(super) fn read_rule(
    reader: &mut Reader,
    draft: &mut Draft,
    item: Item<'_>,
    words: &RuleWords,
) -> Option<Rule> {
    read(reader, draft, item, words, "a rule", &REQUIRED, &OPTIONAL)
}

/// Reads an overlay's changes: any part of a rule.
pub(super) fn read_changes(
    reader: &mut Reader,
    draft: &mut Draft,
    item: Item<'_>,
    words: &RuleWords,
) -> Option<Rule> {
    let all = [&REQUIRED[..], &OPTIONAL].concat();
    read(reader, draft, item, words, "an overlay's rule", &[], &all)
}

fn read(
    reader: &mut Reader,
    draft: &mut Draft,
    item: Item<'_>,
    words: &RuleWords,
    what: &str,
    required: &[&str],
    optional: &[&str],
) -> Option<Rule> {
    let fields = reader.fields(item, what, required, optional)?;
    let get = |key: &str| fields.get(key);
    let mut days = |key: &str, bounds: RangeInclusive<i32>| {
        get(key).and_then(|item| reader.int(item, key, bounds))
    };
    let expiry_days = days("expiry_days", 0..=DAYS_MAX);
    let appeal_window_days = days("appeal_window_days", 0..=DAYS_MAX);
    let reference = get("ground_reference")
        .and_then(|item| reader.text(item, "the reference", REFERENCE_CHARS_MAX));
    Some(Rule {
        severity: get("severity")
            .and_then(|item| reader.choice(item, "the severity", &words.severities)),
        points: get("points").and_then(|item| read_points(reader, item, words)),
        expiry_days,
        ground: get("ground").and_then(|item| reader.choice(item, "the ground", &words.grounds)),
        ground_reference: reference.map(str::to_owned),
        actions: get("actions").and_then(|item| reader.choices(item, "the action", &words.actions)),
        ladders: get("ladders").and_then(|item| read_ladders(reader, draft, item)),
        appealable: get("appealable").and_then(|item| reader.flag(item, "appealable")),
        appeal_window_days,
        window_unread: get("appeal_window_days").is_some() && appeal_window_days.is_none(),
        points_spot: get("points").or(get("ladders")).map(|item| item.spot),
        appeal_spot: get("appeal_window_days").or(get("appealable")).map(|item| item.spot),
    })
}

fn read_points(
    reader: &mut Reader,
    item: Item<'_>,
    words: &RuleWords,
) -> Option<BTreeMap<i32, i32>> {
    let names: Vec<&str> = words.severities.iter().map(|(name, _)| *name).collect();
    let fields = reader.fields(item, "the points", &[], &names)?;
    let mut points = BTreeMap::new();
    for (name, severity) in &words.severities {
        let given = fields.get(name);
        let what = format!("the points of {name}");
        if let Some(count) = given.and_then(|item| reader.int(item, &what, 0..=POINTS_MAX)) {
            points.insert(*severity as i32, count);
        }
    }
    Some(points)
}

fn read_ladders(reader: &mut Reader, draft: &mut Draft, item: Item<'_>) -> Option<Vec<String>> {
    let mut ladders: Vec<String> = Vec::new();
    for item in reader.list(item, "the ladders", Kind::Ladder.count_max())? {
        let Some(ladder) = reader.code(item, "the ladder") else { continue };
        if ladders.iter().any(|known| known == ladder) {
            reader.wrong(item.spot, format!("the ladder \"{ladder}\" is listed twice"));
        } else {
            draft.refer(Kind::Ladder, ladder, item.spot, "the key \"ladders\"");
            ladders.push(ladder.to_owned());
        }
    }
    Some(ladders)
}

/// What must hold between the parts of a complete rule. Parts that could not be read are not
/// judged.
pub(super) fn check_rule(reader: &mut Reader, rule: &Rule, spot: Spot) {
    let (points_spot, appeal_spot) =
        (rule.points_spot.unwrap_or(spot), rule.appeal_spot.unwrap_or(spot));
    let window = rule.appeal_window_days.unwrap_or_default();
    match rule.appealable {
        Some(true) if window < APPEAL_WINDOW_DAYS_MIN && !rule.window_unread => {
            let text = format!(
                "appealable: appeal_window_days must be at least {APPEAL_WINDOW_DAYS_MIN} \
                 (Art. 20(1) DSA), not {window}"
            );
            reader.wrong(appeal_spot, text);
        }
        Some(false) if window > 0 => {
            reader.wrong(appeal_spot, "not appealable: appeal_window_days must be left out");
        }
        _ => {}
    }
    if let Some(points) = &rule.points {
        let falls = points.values().zip(points.values().skip(1)).any(|(low, high)| low > high);
        if falls {
            reader.wrong(points_spot, "points must not fall as the severity rises");
        }
        let some = points.values().any(|points| *points > 0);
        if some && rule.ladders.as_ref().is_some_and(Vec::is_empty) {
            reader.wrong(points_spot, "points that count on no ladder: name one under \"ladders\"");
        }
    }
}
