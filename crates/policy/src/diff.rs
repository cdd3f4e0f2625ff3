//! What changes from one pack to another: the packs as leaves with stable paths, compared leaf by
//! leaf. Pure.
//!
//! Lists of things with a code, name or key are compared by it, so that their order does not
//! matter; where order means something, as among queues, it is a leaf of its own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use contracts::policy::v1::pack_change::Kind;
use contracts::policy::v1::{
    Ladder, LocalizedText, Pack, PackChange, PolicyEdition, Queue, Reason, RestrictionRule, Rule,
};
use contracts::types::v1::{ContentAction, DecisionGround, Feature, Severity, Source, SubjectType};
use prost_types::Timestamp;

/// How large a list of changes may be, in bytes of paths and values; a last change without a path
/// says how many more there are. Half of what a gRPC client takes in one message.
pub const CHANGES_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Every difference, in order of path. Version, digest and time of publication do not count.
pub fn changes(from: &Pack, to: &Pack) -> Vec<PackChange> {
    let (mut before, mut after) = (leaves(from), leaves(to));
    before.retain(|path, value| match after.entry(path.clone()) {
        Entry::Occupied(same) if same.get() == value => {
            same.remove();
            false
        }
        _ => true,
    });
    let mut all: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    for (path, value) in before {
        all.entry(path).or_default().0 = Some(value);
    }
    for (path, value) in after {
        all.entry(path).or_default().1 = Some(value);
    }
    bounded(all.into_iter().map(|(path, (before, after))| {
        let kind = match (&before, &after) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        };
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        PackChange { kind: kind.into(), path, before, after }
    }))
}

fn bounded(changes: impl Iterator<Item = PackChange>) -> Vec<PackChange> {
    let mut kept = Vec::new();
    let (mut bytes, mut beyond) = (0, 0_usize);
    for change in changes {
        bytes += change.path.len() + change.before.len() + change.after.len();
        if bytes <= CHANGES_BYTES_MAX {
            kept.push(change);
        } else {
            beyond += 1;
        }
    }
    if beyond > 0 {
        let after = format!("and {beyond} more changes");
        let kind = Kind::Changed.into();
        kept.push(PackChange { kind, after, ..PackChange::default() });
    }
    kept
}

/// The leaves of a pack while they are gathered.
#[derive(Default)]
struct Leaves(BTreeMap<String, String>);

impl Leaves {
    /// A value; an empty one is no leaf.
    fn put(&mut self, path: impl Into<String>, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.insert(path.into(), value);
        }
    }

    fn text(&mut self, path: &str, text: Option<&LocalizedText>) {
        for (locale, text) in text.into_iter().flat_map(|text| &text.texts) {
            self.put(format!("{path}/{locale}"), text);
        }
    }

    fn time(&mut self, path: &str, time: Option<&Timestamp>) {
        self.put(path, time.map(ToString::to_string).unwrap_or_default());
    }
}

fn leaves(pack: &Pack) -> BTreeMap<String, String> {
    let mut leaves = Leaves::default();
    leaves.put("name", &pack.name);
    leaves.put("default_locale", &pack.default_locale);
    leaves.put("locales", sorted(pack.locales.iter().map(String::as_str)));
    for area in &pack.areas {
        leaves.text(&format!("areas/{}/title", area.code), area.title.as_ref());
    }
    pack.reasons.iter().for_each(|reason| put_reason(&mut leaves, reason));
    for policy in &pack.policies {
        let at = format!("policies/{}", policy.code);
        leaves.put(format!("{at}/area"), &policy.area);
        for edition in &policy.editions {
            put_edition(&mut leaves, &format!("{at}/editions/{}", edition.edition), edition);
        }
    }
    pack.ladders.iter().for_each(|ladder| put_ladder(&mut leaves, ladder));
    let order: Vec<&str> = pack.queues.iter().map(|queue| queue.code.as_str()).collect();
    leaves.put("queues", order.join(", "));
    pack.queues.iter().for_each(|queue| put_queue(&mut leaves, queue));
    for class in &pack.sla_classes {
        leaves.put(format!("sla_classes/{}/minutes", class.code), class.minutes.to_string());
    }
    for text in &pack.statement_texts {
        let at = format!("statement_texts/{}", text.kind);
        leaves.text(&format!("{at}/title"), text.title.as_ref());
        leaves.text(&format!("{at}/body"), text.body.as_ref());
    }
    for label in &pack.labels {
        leaves.text(&format!("labels/{}", label.key), label.text.as_ref());
    }
    leaves.0
}

fn put_reason(leaves: &mut Leaves, reason: &Reason) {
    let at = format!("reasons/{}", reason.code);
    leaves.put(format!("{at}/group"), &reason.group);
    leaves.text(&format!("{at}/title"), reason.title.as_ref());
    leaves.put(format!("{at}/policy"), &reason.policy);
    leaves.put(format!("{at}/severity"), reason.severity().as_str_name());
    leaves.put(format!("{at}/sla_class"), &reason.sla_class);
    leaves.put(format!("{at}/dsa_category"), &reason.dsa_category);
    let keywords = reason.dsa_keywords.iter().map(String::as_str);
    leaves.put(format!("{at}/dsa_keywords"), sorted(keywords));
    leaves.put(format!("{at}/exclusive_queue"), &reason.exclusive_queue);
    leaves.put(format!("{at}/evidence_required"), reason.evidence_required.to_string());
    leaves.put(format!("{at}/notice_art16"), reason.notice_art16.to_string());
    let types = names(&reason.subject_types, |kind: SubjectType| kind.as_str_name());
    leaves.put(format!("{at}/subject_types"), types);
}

fn put_edition(leaves: &mut Leaves, at: &str, edition: &PolicyEdition) {
    leaves.time(&format!("{at}/effective_time"), edition.effective_time.as_ref());
    leaves.text(&format!("{at}/title"), edition.title.as_ref());
    leaves.text(&format!("{at}/text"), edition.text.as_ref());
    put_rule(leaves, &format!("{at}/rule"), edition.rule.as_ref());
    for overlay in &edition.overlays {
        let at = format!("{at}/overlays/{}", overlay.code);
        leaves.put(format!("{at}/regions"), sorted(overlay.regions.iter().map(String::as_str)));
        leaves.time(&format!("{at}/effective_time"), overlay.effective_time.as_ref());
        put_rule(leaves, &format!("{at}/rule"), overlay.rule.as_ref());
        leaves.text(&format!("{at}/text"), overlay.text.as_ref());
    }
}

fn put_rule(leaves: &mut Leaves, at: &str, rule: Option<&Rule>) {
    let Some(rule) = rule else { return };
    leaves.put(format!("{at}/severity"), rule.severity().as_str_name());
    for points in &rule.points {
        let severity = points.severity().as_str_name();
        leaves.put(format!("{at}/points/{severity}"), points.points.to_string());
    }
    leaves.put(format!("{at}/expiry_days"), rule.expiry_days.to_string());
    let ground: DecisionGround = rule.ground();
    leaves.put(format!("{at}/ground"), ground.as_str_name());
    leaves.put(format!("{at}/ground_reference"), &rule.ground_reference);
    let actions = names(&rule.actions, |action: ContentAction| action.as_str_name());
    leaves.put(format!("{at}/actions"), actions);
    leaves.put(format!("{at}/ladders"), sorted(rule.ladders.iter().map(String::as_str)));
    leaves.put(format!("{at}/appealable"), rule.appealable.to_string());
    leaves.put(format!("{at}/appeal_window_days"), rule.appeal_window_days.to_string());
}

fn put_ladder(leaves: &mut Leaves, ladder: &Ladder) {
    let at = format!("ladders/{}", ladder.code);
    leaves.text(&format!("{at}/title"), ladder.title.as_ref());
    leaves.put(format!("{at}/caution_points"), ladder.caution_points.to_string());
    leaves.put(format!("{at}/first_warning_days"), ladder.first_warning_days.to_string());
    let severity: Severity = ladder.first_warning_max_severity();
    leaves.put(format!("{at}/first_warning_max_severity"), severity.as_str_name());
    for step in &ladder.steps {
        put_restrictions(
            leaves,
            &format!("{at}/steps/{}", step.threshold_points),
            &step.restrictions,
        );
    }
    for rule in &ladder.repeat_rules {
        let at = format!("{at}/repeat_rules/{} in {} days", rule.count, rule.window_days);
        put_restrictions(leaves, &at, &rule.restrictions);
    }
}

fn put_restrictions(leaves: &mut Leaves, at: &str, restrictions: &[RestrictionRule]) {
    for restriction in restrictions {
        let feature: Feature = restriction.feature();
        let path = format!("{at}/restrictions/{}", feature.as_str_name());
        leaves.put(path, format!("{} days", restriction.duration_days));
    }
}

fn put_queue(leaves: &mut Leaves, queue: &Queue) {
    let at = format!("queues/{}", queue.code);
    leaves.text(&format!("{at}/title"), queue.title.as_ref());
    leaves.put(format!("{at}/areas"), sorted(queue.areas.iter().map(String::as_str)));
    let types = names(&queue.subject_types, |kind: SubjectType| kind.as_str_name());
    leaves.put(format!("{at}/subject_types"), types);
    leaves.put(format!("{at}/min_severity"), queue.min_severity().as_str_name());
    let sources = names(&queue.sources, |source: Source| source.as_str_name());
    leaves.put(format!("{at}/sources"), sources);
    leaves.put(format!("{at}/appeals"), queue.appeals.to_string());
    leaves.put(format!("{at}/exclusive"), queue.exclusive.to_string());
    leaves.put(format!("{at}/escalates_to"), &queue.escalates_to);
}

/// A set as one value.
fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words.join(", ")
}

fn names<E: TryFrom<i32>>(values: &[i32], name: fn(E) -> &'static str) -> String {
    sorted(values.iter().filter_map(|value| E::try_from(*value).ok()).map(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack() -> Pack {
        crate::check(&crate::default_pack()).unwrap()
    }

    fn said(changes: &[PackChange]) -> Vec<String> {
        let sign = |change: &PackChange| match change.kind() {
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::Changed => '~',
            Kind::Unspecified => '?',
        };
        let line = |change: &PackChange| {
            let PackChange { path, before, after, .. } = change;
            format!("{} {path}: {before} -> {after}", sign(change))
        };
        changes.iter().map(line).collect()
    }

    #[test]
    fn a_pack_does_not_differ_from_itself_nor_from_its_parts_in_another_order() {
        let mut other = pack();
        other.version = 7;
        other.digest = "other".to_owned();
        other.create_time = Some(Timestamp::default());
        other.reasons.reverse();
        other.policies.reverse();
        other.labels.reverse();
        other.locales.reverse();
        other.policies.iter_mut().for_each(|policy| policy.editions.reverse());
        assert_eq!(said(&changes(&pack(), &other)), Vec::<String>::new());
    }

    #[test]
    fn changes_are_named_by_path_with_both_values() {
        let (from, mut to) = (pack(), pack());
        let hate = to.policies.iter_mut().find(|policy| policy.code == "hate_speech").unwrap();
        hate.editions[0].rule.as_mut().unwrap().expiry_days = 180;
        hate.editions[0].overlays[0].regions.push("AT".to_owned());
        to.sla_classes.retain(|class| class.code != "7d");
        to.queues.swap(0, 1);
        to.areas[0].title.as_mut().unwrap().texts.insert("fr".to_owned(), "Haine".to_owned());
        assert_eq!(
            said(&changes(&from, &to)),
            [
                "+ areas/animal_welfare/title/fr:  -> Haine",
                "~ policies/hate_speech/editions/2024-02/overlays/de-incitement/regions: \
                 DE -> AT, DE",
                "~ policies/hate_speech/editions/2024-02/rule/expiry_days: 90 -> 180",
                "~ queues: urgent, child_safety, trusted, shop, general, appeals, escalations -> \
                 child_safety, urgent, trusted, shop, general, appeals, escalations",
                "- sla_classes/7d/minutes: 10080 -> ",
            ]
            .map(|line| line.replace("animal_welfare", &from.areas[0].code)),
        );
    }

    #[test]
    fn going_back_is_the_mirror_image() {
        let (from, mut to) = (pack(), pack());
        to.reasons.remove(0);
        to.ladders[0].steps[0].threshold_points = 5;
        to.labels[0].key = "nothing".to_owned();
        let there = changes(&from, &to);
        let back: Vec<PackChange> = changes(&to, &from)
            .into_iter()
            .map(|change| {
                let kind = match change.kind() {
                    Kind::Added => Kind::Removed,
                    Kind::Removed => Kind::Added,
                    kind => kind,
                };
                let (before, after) = (change.after, change.before);
                PackChange { kind: kind.into(), path: change.path, before, after }
            })
            .collect();
        assert_eq!(there, back);
        assert!(there.is_sorted_by(|a, b| a.path < b.path));
        assert!(changes(&Pack::default(), &from).len() > 2_000, "everything is new");
    }

    #[test]
    fn the_list_is_bounded_at_the_limit() {
        let change = |bytes: usize| PackChange { path: "p".repeat(bytes), ..PackChange::default() };
        let half = CHANGES_BYTES_MAX / 2;
        assert_eq!(bounded([change(half), change(half)].into_iter()).len(), 2);
        let beyond = bounded([change(half), change(half), change(1), change(1)].into_iter());
        assert_eq!(beyond.len(), 3);
        assert_eq!((beyond[2].path.as_str(), beyond[2].after.as_str()), ("", "and 2 more changes"));
    }
}
