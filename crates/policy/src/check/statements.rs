//! statements/<locale>.yaml: what statements of reasons say, one file for each language.

use std::collections::{BTreeMap, BTreeSet};

use contracts::policy::v1::{LocalizedText, StatementText};

use super::general::TITLE_CHARS_MAX;
use super::placeholders::{self, KINDS, Kind, PLACEHOLDERS};
use super::reader::{Fields, Item, Reader};

/// How long the body of a statement's text may be, in characters.
pub const BODY_CHARS_MAX: usize = 8_000;

/// Titles and bodies by kind and language.
#[derive(Debug, Default)]
pub(super) struct Texts {
    found: BTreeMap<(&'static str, String), (String, String)>,
}

impl Texts {
    /// As they are published.
    pub fn into_proto(self) -> Vec<StatementText> {
        let mut texts = Vec::new();
        for kind in &KINDS {
            let of = self.found.iter().filter(|((found, _), _)| *found == kind.name);
            let mut title = LocalizedText::default();
            let mut body = LocalizedText::default();
            for ((_, locale), (headline, text)) in of {
                title.texts.insert(locale.clone(), headline.clone());
                body.texts.insert(locale.clone(), text.clone());
            }
            let (title, body) = (Some(title), Some(body));
            texts.push(StatementText { kind: kind.name.to_owned(), title, body });
        }
        texts
    }
}

/// Reads the file of one language.
pub(super) fn read_statements(reader: &mut Reader, texts: &mut Texts, top: Item<'_>, locale: &str) {
    let Some(file) = reader.fields(top, "the file", &["statements"], &[]) else { return };
    let Some(item) = file.get("statements") else { return };
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let Some(kinds) = reader.fields(item, "the list of statements", &names, &[]) else { return };
    for kind in &KINDS {
        let Some(item) = kinds.get(kind.name) else { continue };
        let what = format!("the statement \"{}\"", kind.name);
        let Some(fields) = reader.fields(item, &what, &["title", "body"], &[]) else { continue };
        if let Some(found) = read_kind(reader, kind, &fields) {
            texts.found.insert((kind.name, locale.to_owned()), found);
        }
    }
}

fn read_kind(reader: &mut Reader, kind: &Kind, fields: &Fields<'_>) -> Option<(String, String)> {
    let (title, body) = (fields.get("title"), fields.get("body"));
    let title =
        title.and_then(|item| Some((item, reader.text(item, "the title", TITLE_CHARS_MAX)?)));
    let body = body.and_then(|item| Some((item, reader.text(item, "the body", BODY_CHARS_MAX)?)));
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for (item, text) in [&title, &body].into_iter().flatten() {
        used.extend(check_placeholders(reader, kind, *item, text));
    }
    let ((_, title), (item, body)) = (title?, body?);
    for name in kind.required.iter().filter(|name| !used.contains(*name)) {
        reader.wrong(item.spot, format!("\"{}\" lacks the placeholder {{{name}}}", kind.name));
    }
    Some((title.to_owned(), body.to_owned()))
}

/// Notes what is in braces and may not be; answers the placeholders used.
fn check_placeholders<'n>(
    reader: &mut Reader,
    kind: &Kind,
    item: Item<'n>,
    text: &'n str,
) -> Vec<&'n str> {
    let mut used = Vec::new();
    for found in placeholders::find(text) {
        let spot = reader.spot_within(item, text, found.at);
        match found.name {
            None => reader.wrong(spot, "a brace stands only around a placeholder"),
            Some(name) if !placeholders::is_known(name) => {
                let near = reader.mistakes.near(name, PLACEHOLDERS.iter().map(|(known, _)| *known));
                reader.wrong(spot, format!("there is no placeholder {{{name}}}{near}"));
            }
            Some(name) if kind.refused.contains(&name) => {
                let text = format!("{{{name}}} has no value in \"{}\"", kind.name);
                reader.wrong(spot, text);
            }
            Some(name) => used.push(name),
        }
    }
    used
}
