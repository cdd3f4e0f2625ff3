//! policies.yaml and policies/*.yaml: the platform's rules in their editions, and what differs in
//! some regions.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use contracts::policy::v1 as proto;
use prost_types::Timestamp;

use super::draft::{Draft, Kind};
use super::general::{TITLE_CHARS_MAX, declared, items};
use super::reader::{Fields, Item, Reader};
use super::rules::{self, Rule, RuleWords};
use super::vocabulary::is_region;

/// How long the wording of a policy may be, in characters.
pub const TEXT_CHARS_MAX: usize = 4_000;

/// How many editions one policy may have.
pub const EDITIONS_MAX: usize = 100;

/// How many overlays one edition may have.
pub const OVERLAYS_MAX: usize = 100;

/// How many regions one overlay may name: all that there are.
pub const REGIONS_MAX: usize = 249;

/// Reads one file of policies.
pub(super) fn read_policies(reader: &mut Reader, draft: &mut Draft, top: Item<'_>) {
    let words = RuleWords::default();
    for item in items(reader, draft, top, "policies", &[Kind::Policy]) {
        let Some(fields) = reader.fields(item, "a policy", &["code", "area", "editions"], &[])
        else {
            draft.unsure_of(Kind::Policy);
            continue;
        };
        let code = declared(reader, draft, Kind::Policy, fields.get("code"));
        let area = fields.get("area");
        let area = area.and_then(|item| reader.code(item, "the area")).unwrap_or_default();
        if !area.is_empty() {
            draft.refer(Kind::Area, area, fields.spot("area"), "the key \"area\"");
        }
        let editions = fields.get("editions");
        let editions =
            editions.map(|item| read_editions(reader, draft, item, &words)).unwrap_or_default();
        draft.pack.policies.push(proto::Policy { code, area: area.to_owned(), editions });
    }
}

fn read_editions(
    reader: &mut Reader,
    draft: &mut Draft,
    list: Item<'_>,
    words: &RuleWords,
) -> Vec<proto::PolicyEdition> {
    let Some(items) = reader.list(list, "the editions", EDITIONS_MAX) else { return Vec::new() };
    if items.is_empty() {
        reader.wrong(list.spot, "a policy needs at least one edition");
    }
    let mut editions: Vec<proto::PolicyEdition> = Vec::with_capacity(items.len());
    let keys = ["edition", "effective_time", "title", "text", "rule"];
    for item in items {
        let Some(fields) = reader.fields(item, "an edition", &keys, &["overlays"]) else {
            continue;
        };
        let edition = read_edition(reader, draft, &fields, words);
        let name = &edition.edition;
        if !name.is_empty() && editions.iter().any(|known| known.edition == *name) {
            let text = format!("there is another edition \"{name}\" of this policy");
            reader.wrong(fields.spot("edition"), text);
        }
        let before = editions.last().and_then(|before| before.effective_time.as_ref());
        if let (Some(before), Some(time)) = (before, edition.effective_time.as_ref())
            && instant(time) <= instant(before)
        {
            let text = format!("editions stand oldest first: the one before holds from {before}");
            reader.wrong(fields.spot("effective_time"), text);
        }
        editions.push(edition);
    }
    editions
}

fn read_edition(
    reader: &mut Reader,
    draft: &mut Draft,
    fields: &Fields<'_>,
    words: &RuleWords,
) -> proto::PolicyEdition {
    let name = fields.get("edition");
    let name = name.and_then(|item| reader.code(item, "the edition")).unwrap_or_default();
    let time = fields.get("effective_time");
    let effective_time = time.and_then(|item| reader.time(item, "the effective time"));
    let title = fields.get("title");
    let text = fields.get("text");
    let title = title.and_then(|item| reader.localized(item, "the title", TITLE_CHARS_MAX));
    let text = text.and_then(|item| reader.localized(item, "the text", TEXT_CHARS_MAX));
    let rule = fields
        .get("rule")
        .and_then(|item| rules::read_rule(reader, draft, item, words))
        .unwrap_or_default();
    rules::check_rule(reader, &rule, fields.spot("rule"));
    let overlays = fields
        .get("overlays")
        .map(|item| read_overlays(reader, draft, item, words, &rule, effective_time.as_ref()))
        .unwrap_or_default();
    let edition = name.to_owned();
    let rule = Some(rule.to_proto());
    proto::PolicyEdition { edition, effective_time, title, text, rule, overlays }
}

fn read_overlays(
    reader: &mut Reader,
    draft: &mut Draft,
    list: Item<'_>,
    words: &RuleWords,
    rule: &Rule,
    since: Option<&Timestamp>,
) -> Vec<proto::RegionalOverlay> {
    let items = reader.list(list, "the overlays", OVERLAYS_MAX).unwrap_or_default();
    let mut overlays: Vec<proto::RegionalOverlay> = Vec::with_capacity(items.len());
    let mut taken = Taken::new();
    for item in items {
        let keys = (["code", "regions"], ["effective_time", "rule", "text"]);
        let Some(fields) = reader.fields(item, "an overlay", &keys.0, &keys.1) else { continue };
        let overlay = read_overlay(reader, draft, &fields, words, rule, since);
        if !overlay.code.is_empty() && overlays.iter().any(|known| known.code == overlay.code) {
            let text = format!("there is another overlay \"{}\" of this edition", overlay.code);
            reader.wrong(fields.spot("code"), text);
        }
        check_regions(reader, &mut taken, &overlay, &fields);
        overlays.push(overlay);
    }
    overlays
}

fn read_overlay(
    reader: &mut Reader,
    draft: &mut Draft,
    fields: &Fields<'_>,
    words: &RuleWords,
    rule: &Rule,
    since: Option<&Timestamp>,
) -> proto::RegionalOverlay {
    let code = fields.get("code");
    let code = code.and_then(|item| reader.code(item, "the code")).unwrap_or_default();
    let time = fields.get("effective_time");
    let effective_time = match time {
        Some(item) => reader.time(item, "the effective time"),
        None => since.copied(),
    };
    let changes = fields
        .get("rule")
        .map(|item| rules::read_changes(reader, draft, item, words).unwrap_or_default());
    let text = fields.get("text");
    let text = text.and_then(|item| reader.localized(item, "the text", TEXT_CHARS_MAX));
    if fields.get("rule").is_none() && fields.get("text").is_none() {
        reader.wrong(fields.spot, "an overlay changes the rule, the text or both");
    }
    let there = match &changes {
        Some(changes) => {
            let there = rule.with(changes);
            rules::check_rule(reader, &there, fields.spot("rule"));
            there
        }
        None => rule.clone(),
    };
    let code = code.to_owned();
    let regions = read_regions(reader, fields);
    proto::RegionalOverlay { code, regions, effective_time, rule: Some(there.to_proto()), text }
}

fn read_regions(reader: &mut Reader, fields: &Fields<'_>) -> Vec<String> {
    let Some(list) = fields.get("regions") else { return Vec::new() };
    let Some(items) = reader.list(list, "the regions", REGIONS_MAX) else { return Vec::new() };
    if items.is_empty() {
        reader.wrong(list.spot, "an overlay needs at least one region");
    }
    let mut regions: Vec<String> = Vec::with_capacity(items.len());
    for item in items {
        let Some(region) = reader.text(item, "the region", super::reader::CODE_CHARS_MAX) else {
            continue;
        };
        if !is_region(region) {
            let rule = "an ISO 3166-1 alpha-2 code in capitals, such as \"DE\" or \"GB\"";
            reader.wrong(item.spot, format!("the region \"{region}\" must be {rule}"));
        } else if regions.iter().any(|known| known == region) {
            reader.wrong(item.spot, format!("the region \"{region}\" is listed twice"));
        } else {
            regions.push(region.to_owned());
        }
    }
    regions
}

/// Which overlay of an edition names a region from an instant on.
type Taken = BTreeMap<((i64, i32), String), String>;

/// Of the overlays of one edition it must be clear which one holds in a region at any time.
fn check_regions(
    reader: &mut Reader,
    taken: &mut Taken,
    overlay: &proto::RegionalOverlay,
    fields: &Fields<'_>,
) {
    let Some(since) = overlay.effective_time.as_ref().map(instant) else { return };
    let mut other = None;
    for region in &overlay.regions {
        match taken.entry((since, region.clone())) {
            Entry::Occupied(known) => other = other.or(Some((region, known.get().clone()))),
            Entry::Vacant(free) => {
                free.insert(overlay.code.clone());
            }
        }
    }
    if let Some((region, code)) = other {
        let text = format!("\"{code}\" names {region} too, from the same instant on");
        reader.wrong(fields.spot("regions"), text);
    }
}

/// A time as something that can be compared.
fn instant(time: &Timestamp) -> (i64, i32) {
    (time.seconds, time.nanos)
}
