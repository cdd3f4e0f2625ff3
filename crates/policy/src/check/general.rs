//! pack.yaml, areas.yaml and labels.yaml: what the pack is called, its languages, its areas and
//! its words for people.

use contracts::policy::v1 as proto;

use super::draft::{Draft, Kind};
use super::reader::{Item, Reader};
use super::vocabulary::is_locale;

/// How long a title or label may be, in characters.
pub const TITLE_CHARS_MAX: usize = 200;

/// How many languages a pack may have.
pub const LOCALES_MAX: usize = 50;

/// Reads pack.yaml; it is read first, for the languages.
pub(super) fn read_pack(reader: &mut Reader, draft: &mut Draft, top: Item<'_>) {
    let keys = ["name", "default_locale", "locales"];
    let Some(fields) = reader.fields(top, "pack.yaml", &keys, &[]) else { return };
    if let Some(name) = fields.get("name").and_then(|item| reader.code(item, "the name")) {
        name.clone_into(&mut draft.pack.name);
    }
    let locales = fields.get("locales").and_then(|item| read_locales(reader, item));
    if let Some(item) = fields.get("default_locale")
        && let Some(locale) = reader.text(item, "the default locale", super::reader::CODE_CHARS_MAX)
    {
        let known = locales.iter().flatten().map(String::as_str);
        if locales.is_some() && !known.clone().any(|known| known == locale) {
            let near = reader.mistakes.near(locale, known);
            let text = format!("the default locale \"{locale}\" is not among the locales{near}");
            reader.wrong(item.spot, text);
        }
        locale.clone_into(&mut draft.pack.default_locale);
    }
    draft.pack.locales = locales.clone().unwrap_or_default();
    reader.locales = locales;
}

fn read_locales(reader: &mut Reader, item: Item<'_>) -> Option<Vec<String>> {
    let mut locales: Vec<String> = Vec::new();
    let mut sure = true;
    for item in reader.list(item, "the locales", LOCALES_MAX)? {
        let text = reader.text(item, "a locale", super::reader::CODE_CHARS_MAX);
        let Some(locale) = text else {
            sure = false;
            continue;
        };
        if !is_locale(locale) {
            let rule = "a BCP 47 tag such as \"en\", \"zh-Hans\" or \"pt-BR\"";
            reader.wrong(item.spot, format!("the locale \"{locale}\" must be {rule}"));
            sure = false;
        } else if locales.iter().any(|known| known == locale) {
            reader.wrong(item.spot, format!("the locale \"{locale}\" is listed twice"));
        } else {
            locales.push(locale.to_owned());
        }
    }
    if locales.is_empty() && sure {
        reader.wrong(item.spot, "a pack needs at least one locale");
        sure = false;
    }
    sure.then_some(locales)
}

/// Reads areas.yaml.
pub(super) fn read_areas(reader: &mut Reader, draft: &mut Draft, top: Item<'_>) {
    for item in items(reader, draft, top, "areas", &[Kind::Area]) {
        let Some(fields) = reader.fields(item, "an area", &["code", "title"], &[]) else {
            draft.unsure_of(Kind::Area);
            continue;
        };
        let code = declared(reader, draft, Kind::Area, fields.get("code"));
        let title = fields.get("title");
        let title = title.and_then(|item| reader.localized(item, "the title", TITLE_CHARS_MAX));
        draft.pack.areas.push(proto::Area { code, title });
    }
}

/// Reads labels.yaml: a map of keys, since a label has nothing but its text.
pub(super) fn read_labels(reader: &mut Reader, draft: &mut Draft, top: Item<'_>) {
    let fields = reader.fields(top, "labels.yaml", &["labels"], &[]);
    let labels = fields.and_then(|fields| fields.get("labels"));
    let Some(entries) = labels.and_then(|item| reader.entries(item, "the labels")) else {
        draft.unsure_of(Kind::Label);
        return;
    };
    for (key, item) in entries {
        if !super::reader::is_code(key) {
            let rule = "lower-case letters, digits and single \".\", \"_\" or \"-\" between them";
            reader.wrong(item.spot, format!("the label \"{key}\" must be made of {rule}"));
            draft.unsure_of(Kind::Label);
            continue;
        }
        draft.declare(&mut reader.mistakes, Kind::Label, key, item.spot);
        let text = reader.localized(item, &format!("the label \"{key}\""), TITLE_CHARS_MAX);
        draft.pack.labels.push(proto::Label { key: key.to_owned(), text });
    }
}

/// The items of a file that holds one list under one key.
pub(super) fn items<'n>(
    reader: &mut Reader,
    draft: &mut Draft,
    top: Item<'n>,
    key: &str,
    kinds: &[Kind],
) -> Vec<Item<'n>> {
    let fields = reader.fields(top, "the file", &[key], &[]);
    let list = fields.and_then(|fields| fields.get(key));
    let max = kinds.iter().map(|kind| kind.count_max()).max().unwrap_or_default();
    let items = list.and_then(|item| reader.list(item, key, max));
    if items.is_none() {
        kinds.iter().for_each(|kind| draft.unsure_of(*kind));
    }
    items.unwrap_or_default()
}

/// Reads the code of something and declares it; empty where it could not be read.
pub(super) fn declared(
    reader: &mut Reader,
    draft: &mut Draft,
    kind: Kind,
    item: Option<Item<'_>>,
) -> String {
    let code = item.and_then(|item| Some((item, reader.code(item, "the code")?)));
    let Some((item, code)) = code else {
        draft.unsure_of(kind);
        return String::new();
    };
    draft.declare(&mut reader.mistakes, kind, code, item.spot);
    code.to_owned()
}
