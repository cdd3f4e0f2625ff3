//! reasons.yaml and reasons/*.yaml: what a reporter may choose.

use contracts::policy::v1 as proto;
use contracts::types::v1::{Severity, SubjectType};

use super::draft::{Draft, Kind};
use super::general::{TITLE_CHARS_MAX, declared, items};
use super::reader::{Fields, Item, Reader};
use super::vocabulary as words;

/// How many DSA keywords one reason may have.
pub const KEYWORDS_MAX: usize = 10;

const REQUIRED: [&str; 7] =
    ["code", "group", "title", "policy", "severity", "sla_class", "dsa_category"];

const OPTIONAL: [&str; 5] =
    ["dsa_keywords", "exclusive_queue", "evidence_required", "notice_art16", "subject_types"];

/// The words that reasons use, made once for a file.
struct Words {
    severities: Vec<(&'static str, Severity)>,
    subject_types: Vec<(&'static str, SubjectType)>,
}

/// Reads one file of reasons.
pub(super) fn read_reasons(reader: &mut Reader, draft: &mut Draft, top: Item<'_>) {
    let words = Words { severities: words::severities(), subject_types: words::subject_types() };
    for item in items(reader, draft, top, "reasons", &[Kind::Reason]) {
        match reader.fields(item, "a reason", &REQUIRED, &OPTIONAL) {
            Some(fields) => {
                let reason = read_reason(reader, draft, &fields, &words);
                draft.pack.reasons.push(reason);
            }
            None => draft.unsure_of(Kind::Reason),
        }
    }
}

fn read_reason(
    reader: &mut Reader,
    draft: &mut Draft,
    fields: &Fields<'_>,
    words: &Words,
) -> proto::Reason {
    let code = declared(reader, draft, Kind::Reason, fields.get("code"));
    let mut used = |reader: &mut Reader, key: &str, kind: Kind| -> String {
        let item = fields.get(key);
        let code = item.and_then(|item| Some((item, reader.code(item, kind.noun())?)));
        let Some((item, code)) = code else { return String::new() };
        draft.refer(kind, code, item.spot, &format!("the key \"{key}\""));
        code.to_owned()
    };
    let policy = used(reader, "policy", Kind::Policy);
    let sla_class = used(reader, "sla_class", Kind::SlaClass);
    let exclusive_queue = used(reader, "exclusive_queue", Kind::Queue);
    if let Some(item) = fields.get("exclusive_queue").filter(|_| !exclusive_queue.is_empty()) {
        draft.exclusives.push((exclusive_queue.clone(), item.spot));
    }
    let group = fields.get("group").and_then(|item| reader.code(item, "the group"));
    if let Some(group) = group {
        let what = format!("the name of the group \"{group}\" in labels.yaml");
        draft.refer(Kind::Label, &format!("group.{group}"), fields.spot("group"), &what);
    }
    let title = fields.get("title");
    let severity = fields.get("severity");
    let subject_types = fields.get("subject_types");
    proto::Reason {
        code,
        group: group.unwrap_or_default().to_owned(),
        title: title.and_then(|item| reader.localized(item, "the title", TITLE_CHARS_MAX)),
        policy,
        severity: severity
            .and_then(|item| reader.choice(item, "the severity", &words.severities))
            .unwrap_or_default() as i32,
        sla_class,
        dsa_category: read_category(reader, fields),
        dsa_keywords: read_keywords(reader, fields),
        exclusive_queue,
        evidence_required: flag(reader, fields, "evidence_required"),
        notice_art16: flag(reader, fields, "notice_art16"),
        subject_types: subject_types
            .and_then(|item| reader.choices(item, "the subject type", &words.subject_types))
            .map(|types| types.into_iter().map(|kind| kind as i32).collect())
            .unwrap_or_default(),
    }
}

fn flag(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> bool {
    fields.get(key).and_then(|item| reader.flag(item, key)).unwrap_or_default()
}

fn read_category(reader: &mut Reader, fields: &Fields<'_>) -> String {
    let Some(item) = fields.get("dsa_category") else { return String::new() };
    if removed(reader, item) {
        return String::new();
    }
    let known = words::themselves(&words::DSA_CATEGORIES);
    reader.choice(item, "the DSA category", &known).unwrap_or_default().to_owned()
}

fn read_keywords(reader: &mut Reader, fields: &Fields<'_>) -> Vec<String> {
    let list = fields.get("dsa_keywords");
    let list = list.and_then(|item| reader.list(item, "the DSA keywords", KEYWORDS_MAX));
    let known = words::themselves(&words::DSA_KEYWORDS);
    let mut keywords: Vec<String> = Vec::new();
    for item in list.unwrap_or_default() {
        if removed(reader, item) {
            continue;
        }
        let Some(keyword) = reader.choice(item, "the DSA keyword", &known) else { continue };
        if keywords.iter().any(|known| known == keyword) {
            reader.wrong(item.spot, format!("the DSA keyword \"{keyword}\" is listed twice"));
        } else {
            keywords.push(keyword.to_owned());
        }
    }
    keywords
}

/// Notes a word that the DSA database no longer takes, so that nobody searches for a slip.
fn removed(reader: &mut Reader, item: Item<'_>) -> bool {
    let Some(word) = item.scalar().filter(|word| words::DSA_REMOVED.contains(word)) else {
        return false;
    };
    let text = format!("\"{word}\" is not accepted by the DSA transparency database any more");
    reader.wrong(item.spot, text);
    true
}
