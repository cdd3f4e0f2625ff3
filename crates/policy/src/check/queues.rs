//! queues.yaml: where cases wait, and how soon they are to be decided.

use contracts::policy::v1 as proto;

use super::draft::{Draft, Kind};
use super::general::{TITLE_CHARS_MAX, declared};
use super::mistakes::Spot;
use super::reader::{Fields, Item, Reader};
use super::vocabulary as words;

/// The longest time to a decision: a year, in minutes.
pub const SLA_MINUTES_MAX: i32 = 366 * 24 * 60;

const QUEUE_OPTIONAL: [&str; 7] =
    ["areas", "subject_types", "min_severity", "sources", "appeals", "exclusive", "escalates_to"];

/// Reads queues.yaml.
pub(super) fn read_queues(reader: &mut Reader, draft: &mut Draft, top: Item<'_>) {
    let keys = ["queues", "sla_classes"];
    let fields = reader.fields(top, "queues.yaml", &keys, &[]);
    let (queues, classes) = match &fields {
        Some(fields) => (fields.get("queues"), fields.get("sla_classes")),
        None => (None, None),
    };
    read_classes(reader, draft, classes);
    let max = Kind::Queue.count_max();
    let Some(items) = queues.and_then(|item| reader.list(item, "the queues", max)) else {
        draft.unsure_of(Kind::Queue);
        return;
    };
    let mut spots = Vec::new();
    let before = reader.mistakes.count();
    for item in items {
        match reader.fields(item, "a queue", &["code", "title"], &QUEUE_OPTIONAL) {
            Some(fields) => {
                let queue = read_queue(reader, draft, &fields);
                draft.pack.queues.push(queue);
                spots.push(fields.spot("code"));
            }
            None => draft.unsure_of(Kind::Queue),
        }
    }
    // What a queue takes is judged only when all of it could be read.
    if reader.mistakes.count() == before
        && let Some(list) = queues
    {
        check_order(reader, &draft.pack.queues, &spots, list.spot);
        check_escalations(reader, &draft.pack.queues, &spots);
    }
}

fn read_classes(reader: &mut Reader, draft: &mut Draft, list: Option<Item<'_>>) {
    let max = Kind::SlaClass.count_max();
    let Some(items) = list.and_then(|item| reader.list(item, "the SLA classes", max)) else {
        draft.unsure_of(Kind::SlaClass);
        return;
    };
    for item in items {
        let Some(fields) = reader.fields(item, "an SLA class", &["code", "minutes"], &[]) else {
            draft.unsure_of(Kind::SlaClass);
            continue;
        };
        let code = declared(reader, draft, Kind::SlaClass, fields.get("code"));
        let minutes = fields.get("minutes");
        let minutes = minutes.and_then(|item| reader.int(item, "minutes", 1..=SLA_MINUTES_MAX));
        draft.pack.sla_classes.push(proto::SlaClass { code, minutes: minutes.unwrap_or_default() });
    }
}

fn read_queue(reader: &mut Reader, draft: &mut Draft, fields: &Fields<'_>) -> proto::Queue {
    let code = declared(reader, draft, Kind::Queue, fields.get("code"));
    let title = fields.get("title");
    let title = title.and_then(|item| reader.localized(item, "the title", TITLE_CHARS_MAX));
    let areas = read_areas(reader, draft, fields);
    let escalates_to = fields.get("escalates_to");
    let escalates_to =
        escalates_to.and_then(|item| reader.code(item, "the queue that it escalates to"));
    if let Some(queue) = escalates_to {
        draft.refer(Kind::Queue, queue, fields.spot("escalates_to"), "the key \"escalates_to\"");
    }
    let mut flag =
        |key: &str| fields.get(key).and_then(|item| reader.flag(item, key)).unwrap_or_default();
    let (appeals, exclusive) = (flag("appeals"), flag("exclusive"));
    if exclusive {
        for key in ["areas", "subject_types", "min_severity", "sources"] {
            if let Some(item) = fields.get(key) {
                let text = format!("an exclusive queue has no criteria: \"{key}\" is never read");
                reader.wrong(item.spot, text);
            }
        }
    }
    let types = fields.get("subject_types");
    let sources = fields.get("sources");
    let severity = fields.get("min_severity");
    proto::Queue {
        code,
        title,
        areas,
        subject_types: types
            .and_then(|item| reader.choices(item, "the subject type", &words::subject_types()))
            .map(|types| types.into_iter().map(|kind| kind as i32).collect())
            .unwrap_or_default(),
        min_severity: severity
            .and_then(|item| reader.choice(item, "the severity", &words::severities()))
            .unwrap_or_default() as i32,
        sources: sources
            .and_then(|item| reader.choices(item, "the source", &words::sources()))
            .map(|sources| sources.into_iter().map(|source| source as i32).collect())
            .unwrap_or_default(),
        appeals,
        exclusive,
        escalates_to: escalates_to.unwrap_or_default().to_owned(),
    }
}

fn read_areas(reader: &mut Reader, draft: &mut Draft, fields: &Fields<'_>) -> Vec<String> {
    let list = fields.get("areas");
    let list = list.and_then(|item| reader.list(item, "the areas", Kind::Area.count_max()));
    let mut areas: Vec<String> = Vec::new();
    for item in list.unwrap_or_default() {
        let Some(area) = reader.code(item, "the area") else { continue };
        if areas.iter().any(|known| known == area) {
            reader.wrong(item.spot, format!("the area \"{area}\" is listed twice"));
        } else {
            draft.refer(Kind::Area, area, item.spot, "the key \"areas\"");
            areas.push(area.to_owned());
        }
    }
    areas
}

/// Whether a queue takes everything of its kind.
fn takes_all(queue: &proto::Queue) -> bool {
    !queue.exclusive
        && queue.areas.is_empty()
        && queue.subject_types.is_empty()
        && queue.sources.is_empty()
        && queue.min_severity <= contracts::types::v1::Severity::Low as i32
}

/// Reports and appeals each need a last queue that takes whatever no other took, and nothing
/// after it is ever reached.
fn check_order(reader: &mut Reader, queues: &[proto::Queue], spots: &[Spot], list: Spot) {
    for (appeals, noun) in [(false, "reports"), (true, "appeals")] {
        let mut last: Option<&proto::Queue> = None;
        for (queue, spot) in queues.iter().zip(spots) {
            if queue.appeals != appeals || queue.exclusive {
                continue;
            }
            if let Some(last) = last {
                let text = format!("never reached: \"{}\" before it takes all {noun}", last.code);
                reader.wrong(*spot, text);
            } else if takes_all(queue) {
                last = Some(queue);
            }
        }
        if last.is_none() {
            let rule = format!("one with \"appeals: {appeals}\" and no other criteria");
            reader.wrong(list, format!("no queue takes all {noun} that are left over: add {rule}"));
        }
    }
}

/// A case that is escalated again and again must come to an end.
fn check_escalations(reader: &mut Reader, queues: &[proto::Queue], spots: &[Spot]) {
    let next = |code: &str| {
        let queue = queues.iter().find(|queue| queue.code == code);
        queue.map(|queue| queue.escalates_to.as_str()).filter(|next| !next.is_empty())
    };
    for (queue, spot) in queues.iter().zip(spots) {
        let steps = std::iter::successors(next(&queue.code), |code| next(code));
        if steps.take(queues.len()).any(|code| code == queue.code) {
            let code = &queue.code;
            reader.wrong(*spot, format!("the queue \"{code}\" escalates back to itself"));
        }
    }
}
