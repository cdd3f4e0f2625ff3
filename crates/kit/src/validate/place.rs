//! Where in a message a rule is broken, for people: `evidence[2].uri`, `labels["en"]`.

use super::check::Value;
use super::model::Kind;
use super::scan::Raw;
use super::value::scalar;

/// Characters of one field path, at most.
const PLACE_CHARS_MAX: usize = 160;

/// Characters of one map key shown in a field path, at most.
const KEY_CHARS_MAX: usize = 40;

/// A step from a message into what it holds.
pub(super) enum Segment<'m> {
    Field(&'m str),
    Index(usize),
    Key(String),
}

/// The path of a field, cut where it grows too long to be read.
pub(super) fn place(path: &[Segment<'_>]) -> String {
    let mut place = String::new();
    for segment in path {
        match segment {
            Segment::Field(name) if place.is_empty() => place.push_str(name),
            Segment::Field(name) => place.extend([".", name]),
            Segment::Index(index) => place.push_str(&format!("[{index}]")),
            Segment::Key(key) => place.push_str(&format!("[{key}]")),
        }
        if place.len() > PLACE_CHARS_MAX {
            return shortened(&place, PLACE_CHARS_MAX);
        }
    }
    place
}

/// The beginning of a text, with a sign that there is more.
fn shortened(text: &str, chars_max: usize) -> String {
    let mut short: String = text.chars().take(chars_max).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A map key for a field path.
pub(super) fn key_text(kind: Kind, raw: Raw<'_>) -> String {
    match scalar(kind, raw) {
        Value::Bytes(bytes) => {
            let short = shortened(&String::from_utf8_lossy(bytes), KEY_CHARS_MAX);
            format!("{short:?}")
        }
        Value::Bool(yes) => yes.to_string(),
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    }
}
