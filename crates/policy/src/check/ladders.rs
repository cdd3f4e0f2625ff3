//! ladders.yaml: thresholds of points and what they bring.

use contracts::policy::v1 as proto;
use contracts::types::v1::{Feature, Severity};

use super::draft::{Draft, Kind};
use super::general::{TITLE_CHARS_MAX, declared, items};
use super::mistakes::Spot;
use super::reader::{Fields, Item, Reader};
use super::rules::DAYS_MAX;
use super::vocabulary as words;

/// How many steps one ladder may have.
pub const STEPS_MAX: usize = 50;

/// How many repeat rules one ladder may have.
pub const REPEAT_RULES_MAX: usize = 20;

/// How many violations a repeat rule may count.
pub const REPEAT_COUNT_MAX: i32 = 100;

/// The highest threshold, in points.
pub const THRESHOLD_MAX: i32 = 1_000_000;

const OPTIONAL: [&str; 4] =
    ["caution_points", "first_warning_days", "first_warning_max_severity", "repeat_rules"];

/// Reads one file of ladders.
pub(super) fn read_ladders(reader: &mut Reader, draft: &mut Draft, top: Item<'_>) {
    for item in items(reader, draft, top, "ladders", &[Kind::Ladder]) {
        match reader.fields(item, "a ladder", &["code", "title", "steps"], &OPTIONAL) {
            Some(fields) => {
                let ladder = read_ladder(reader, draft, &fields);
                draft.pack.ladders.push(ladder);
            }
            None => draft.unsure_of(Kind::Ladder),
        }
    }
}

fn read_ladder(reader: &mut Reader, draft: &mut Draft, fields: &Fields<'_>) -> proto::Ladder {
    let code = declared(reader, draft, Kind::Ladder, fields.get("code"));
    let title = fields.get("title");
    let title = title.and_then(|item| reader.localized(item, "the title", TITLE_CHARS_MAX));
    let steps = fields.get("steps").map(|item| read_steps(reader, item)).unwrap_or_default();
    let caution = fields.get("caution_points");
    let caution = caution.and_then(|item| reader.int(item, "caution_points", 0..=THRESHOLD_MAX));
    let first = steps.first().map(|step| step.threshold_points).filter(|first| *first > 0);
    if let (Some(caution), Some(first)) = (caution, first)
        && caution >= first
    {
        let text = format!("caution_points must be below the first threshold, {first}");
        reader.wrong(fields.spot("caution_points"), text);
    }
    let days = fields.get("first_warning_days");
    let days = days.and_then(|item| reader.int(item, "first_warning_days", 0..=DAYS_MAX));
    let severity = fields.get("first_warning_max_severity");
    let severity =
        severity.and_then(|item| reader.choice(item, "the severity", &words::severities()));
    if days.is_some_and(|days| days > 0) && fields.get("first_warning_max_severity").is_none() {
        let text = "first_warning_days needs first_warning_max_severity beside it";
        reader.wrong(fields.spot("first_warning_days"), text);
    }
    let repeats = fields.get("repeat_rules");
    proto::Ladder {
        code,
        title,
        steps,
        first_warning_days: days.unwrap_or_default(),
        first_warning_max_severity: severity.unwrap_or(Severity::Unspecified) as i32,
        repeat_rules: repeats.map(|item| read_repeats(reader, item)).unwrap_or_default(),
        caution_points: caution.unwrap_or_default(),
    }
}

fn read_steps(reader: &mut Reader, list: Item<'_>) -> Vec<proto::LadderStep> {
    let Some(items) = reader.list(list, "the steps", STEPS_MAX) else { return Vec::new() };
    if items.is_empty() {
        reader.wrong(list.spot, "a ladder needs at least one step");
    }
    let mut steps: Vec<proto::LadderStep> = Vec::with_capacity(items.len());
    for item in items {
        let keys = ["threshold_points", "restrictions"];
        let Some(fields) = reader.fields(item, "a step", &keys, &[]) else { continue };
        let threshold = fields.get("threshold_points");
        let threshold =
            threshold.and_then(|item| reader.int(item, "the threshold", 1..=THRESHOLD_MAX));
        let before = steps.last().map(|step| step.threshold_points).unwrap_or_default();
        if let Some(threshold) = threshold
            && threshold <= before
        {
            let text = format!("thresholds must rise: {threshold} comes after {before}");
            reader.wrong(fields.spot("threshold_points"), text);
        }
        let restrictions = fields.get("restrictions");
        steps.push(proto::LadderStep {
            threshold_points: threshold.unwrap_or(before),
            restrictions: restrictions
                .map(|item| read_restrictions(reader, item, 0))
                .unwrap_or_default(),
        });
    }
    steps
}

fn read_repeats(reader: &mut Reader, list: Item<'_>) -> Vec<proto::RepeatRule> {
    let items = reader.list(list, "the repeat rules", REPEAT_RULES_MAX).unwrap_or_default();
    let mut repeats: Vec<proto::RepeatRule> = Vec::with_capacity(items.len());
    for item in items {
        let keys = ["count", "window_days", "restrictions"];
        let Some(fields) = reader.fields(item, "a repeat rule", &keys, &[]) else { continue };
        let (count, window) = (fields.get("count"), fields.get("window_days"));
        let count = count.and_then(|item| reader.int(item, "the count", 2..=REPEAT_COUNT_MAX));
        let window = window.and_then(|item| reader.int(item, "the window", 1..=DAYS_MAX));
        let restrictions = fields.get("restrictions");
        let rule = proto::RepeatRule {
            count: count.unwrap_or_default(),
            window_days: window.unwrap_or_default(),
            restrictions: restrictions
                .map(|item| read_restrictions(reader, item, 1))
                .unwrap_or_default(),
        };
        let same = |known: &proto::RepeatRule| {
            (known.count, known.window_days) == (rule.count, rule.window_days)
        };
        if count.is_some() && window.is_some() && repeats.iter().any(same) {
            reader.wrong(item.spot, "there is another repeat rule of this count and window");
        }
        repeats.push(rule);
    }
    repeats
}

/// Restrictions of at least so many days; none at all would make the step or rule empty.
fn read_restrictions(
    reader: &mut Reader,
    list: Item<'_>,
    days_min: i32,
) -> Vec<proto::RestrictionRule> {
    let features = words::features();
    let items = reader.list(list, "the restrictions", features.len());
    if items.as_ref().is_some_and(Vec::is_empty) {
        reader.wrong(list.spot, "at least one restriction is needed");
    }
    let mut restrictions = Vec::new();
    let mut seen: Vec<Feature> = Vec::new();
    for item in items.unwrap_or_default() {
        let keys = ["feature", "duration_days"];
        let Some(fields) = reader.fields(item, "a restriction", &keys, &[]) else { continue };
        let feature = fields.get("feature");
        let feature = feature.and_then(|item| reader.choice(item, "the feature", &features));
        let days = fields.get("duration_days");
        let days = days.and_then(|item| reader.int(item, "duration_days", days_min..=DAYS_MAX));
        if let Some(feature) = feature {
            let spot: Spot = fields.spot("feature");
            if seen.contains(&feature) {
                reader.wrong(spot, "this feature is restricted already");
            }
            seen.push(feature);
        }
        restrictions.push(proto::RestrictionRule {
            feature: feature.unwrap_or_default() as i32,
            duration_days: days.unwrap_or_default(),
        });
    }
    restrictions
}
