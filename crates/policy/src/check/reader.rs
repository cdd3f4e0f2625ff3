//! Reads typed values out of YAML nodes and notes every mistake instead of stopping at the first.
//! It knows maps, numbers, codes and texts in languages, and must not know what a policy is.
//!
//! Every reading function answers `None` after noting what is wrong, so that a wrong value is
//! reported once and not again by the checks that build on it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use contracts::policy::v1::LocalizedText;
use prost_types::Timestamp;
use saphyr_parser::ScalarStyle;

use super::mistakes::{Mistakes, Spot};
use super::yaml::{Entry, Node, Value};

/// How long a code may be, in characters.
pub const CODE_CHARS_MAX: usize = 64;

/// The years in which something may become effective; others are slips of the pen.
pub const YEARS: RangeInclusive<i32> = 2000..=2099;

/// A value with the line that a mistake about it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'n> {
    pub spot: Spot,
    node: &'n Node,
}

impl<'n> Item<'n> {
    /// The text of a single value, whatever it means.
    pub fn scalar(&self) -> Option<&'n str> {
        match &self.node.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// The values of a map by key; what is missing was noted already.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    pub spot: Spot,
    items: BTreeMap<&'n str, Item<'n>>,
}

impl<'n> Fields<'n> {
    /// The value of a key, if it is there.
    pub fn get(&self, key: &str) -> Option<Item<'n>> {
        self.items.get(key).copied()
    }

    /// The line of a key, or of the map where it is missing.
    pub fn spot(&self, key: &str) -> Spot {
        self.get(key).map_or(self.spot, |item| item.spot)
    }
}

/// What all reading functions share.
pub(super) struct Reader {
    pub mistakes: Mistakes,
    /// The languages in which every text must be there; `None` while pack.yaml does not say.
    pub locales: Option<Vec<String>>,
    /// The file being read.
    pub file: usize,
}

impl Reader {
    /// The value that stands at the top of a file.
    pub fn top<'n>(&self, node: &'n Node) -> Item<'n> {
        Item { spot: Spot { file: self.file, line: node.line }, node }
    }

    /// Notes a mistake.
    pub fn wrong(&mut self, spot: Spot, description: impl Into<String>) {
        self.mistakes.add(spot, description);
    }

    /// A map's entries; each key once.
    pub fn entries<'n>(&mut self, item: Item<'n>, what: &str) -> Option<Vec<(&'n str, Item<'n>)>> {
        let Value::Map(entries) = &item.node.value else {
            if is_nothing(item.node) {
                return Some(Vec::new());
            }
            let is = kind(item.node);
            self.wrong(item.spot, format!("{what} must be a map of keys and values, not {is}"));
            return None;
        };
        let mut kept: Vec<(&str, Item<'_>)> = Vec::with_capacity(entries.len());
        let mut seen = BTreeMap::new();
        for Entry { key, line, value } in entries {
            let spot = Spot { file: self.file, line: *line };
            match seen.insert(key.as_str(), *line) {
                Some(first) => {
                    let text = format!("the key \"{key}\" is there twice, first on line {first}");
                    self.wrong(spot, text);
                }
                None => kept.push((key.as_str(), Item { spot, node: value })),
            }
        }
        Some(kept)
    }

    /// A map with known keys: the required ones must be there, the optional ones may be.
    pub fn fields<'n>(
        &mut self,
        item: Item<'n>,
        what: &str,
        required: &[&str],
        optional: &[&str],
    ) -> Option<Fields<'n>> {
        let entries = self.entries(item, what)?;
        let mut fields = Fields { spot: item.spot, items: BTreeMap::new() };
        for (key, value) in entries {
            let known = || required.iter().chain(optional).copied();
            if known().any(|known| known == key) {
                fields.items.insert(key, value);
            } else {
                let near = self.mistakes.near(key, known());
                let text = format!("unknown key \"{key}\" in {what}{near}");
                self.wrong(value.spot, text);
            }
        }
        for key in required {
            if fields.get(key).is_none() {
                self.wrong(item.spot, format!("{what} lacks the key \"{key}\""));
            }
        }
        Some(fields)
    }

    /// A list with at most so many items.
    pub fn list<'n>(&mut self, item: Item<'n>, what: &str, max: usize) -> Option<Vec<Item<'n>>> {
        let Value::List(nodes) = &item.node.value else {
            let is = kind(item.node);
            self.wrong(item.spot, format!("{what} must be a list, not {is}"));
            return None;
        };
        if nodes.len() > max {
            let count = nodes.len();
            self.wrong(item.spot, format!("{what}: {count} items, at most {max} are allowed"));
            return None;
        }
        let spot = |node: &Node| Spot { file: self.file, line: node.line };
        Some(nodes.iter().map(|node| Item { spot: spot(node), node }).collect())
    }

    /// A text of 1 to `max` characters.
    pub fn text<'n>(&mut self, item: Item<'n>, what: &str, max: usize) -> Option<&'n str> {
        let text = match &item.node.value {
            Value::Scalar { text, style } if *style != ScalarStyle::Plain => text,
            Value::Scalar { text, .. } if !is_other_than_text(text) => text,
            Value::Scalar { text, .. } if !is_nothing(item.node) => {
                self.wrong(item.spot, format!("{what} must be a text: write \"{text}\" in quotes"));
                return None;
            }
            _ => {
                let is = kind(item.node);
                self.wrong(item.spot, format!("{what} must be a text, not {is}"));
                return None;
            }
        };
        let count = text.chars().count();
        if text.trim().is_empty() {
            self.wrong(item.spot, format!("{what} is empty"));
        } else if count > max {
            let text = format!("{what}: {count} characters, at most {max} are allowed");
            self.wrong(item.spot, text);
        } else if text.chars().any(|c| c.is_control() && c != '\n') {
            self.wrong(item.spot, format!("{what} contains a control character"));
        } else {
            return Some(text.trim_end());
        }
        None
    }

    /// A code: lower-case letters, digits and single ".", "_" or "-" between them.
    pub fn code<'n>(&mut self, item: Item<'n>, what: &str) -> Option<&'n str> {
        let text = self.text(item, what, CODE_CHARS_MAX)?;
        if is_code(text) {
            return Some(text);
        }
        let rule = "lower-case letters, digits and single \".\", \"_\" or \"-\" between them";
        self.wrong(item.spot, format!("{what} \"{text}\" must be made of {rule}"));
        None
    }

    /// A whole number within bounds.
    pub fn int(&mut self, item: Item<'_>, what: &str, bounds: RangeInclusive<i32>) -> Option<i32> {
        let (low, high) = (bounds.start(), bounds.end());
        match &item.node.value {
            Value::Scalar { text, style: ScalarStyle::Plain } => {
                match text.parse::<i32>().ok().filter(|number| bounds.contains(number)) {
                    Some(number) => return Some(number),
                    None => {
                        let rule = format!("a whole number from {low} to {high}");
                        let is = if is_nothing(item.node) { "nothing" } else { text.as_str() };
                        self.wrong(item.spot, format!("{what} must be {rule}, not {is}"));
                    }
                }
            }
            _ => {
                let is = kind(item.node);
                let rule = format!("a whole number from {low} to {high}");
                self.wrong(item.spot, format!("{what} must be {rule}, not {is}"));
            }
        }
        None
    }

    /// `true` or `false`.
    pub fn flag(&mut self, item: Item<'_>, what: &str) -> Option<bool> {
        match &item.node.value {
            Value::Scalar { text, style: ScalarStyle::Plain } if text == "true" => Some(true),
            Value::Scalar { text, style: ScalarStyle::Plain } if text == "false" => Some(false),
            _ => {
                self.wrong(item.spot, format!("{what} must be true or false"));
                None
            }
        }
    }

    /// One of some words; answers what it stands for.
    pub fn choice<T: Copy>(
        &mut self,
        item: Item<'_>,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(item, what, CODE_CHARS_MAX * 2)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let near = self.mistakes.near(text, words.iter().map(|(word, _)| *word));
        let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        let rule = if known.len() <= 12 {
            format!(", expected one of {}", known.join(", "))
        } else {
            String::new()
        };
        self.wrong(item.spot, format!("{what} \"{text}\" is unknown{near}{rule}"));
        None
    }

    /// A list of different words; answers what they stand for, without the wrong ones.
    pub fn choices<T: Copy>(
        &mut self,
        item: Item<'_>,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let mut seen: Vec<&str> = Vec::new();
        let mut chosen = Vec::new();
        for item in self.list(item, what, words.len())? {
            let Some(meaning) = self.choice(item, what, words) else { continue };
            let Value::Scalar { text, .. } = &item.node.value else { continue };
            if seen.contains(&text.as_str()) {
                self.wrong(item.spot, format!("{what} \"{text}\" is listed twice"));
            } else {
                seen.push(text);
                chosen.push(meaning);
            }
        }
        Some(chosen)
    }

    /// A text in every language of the pack and in no other.
    pub fn localized(&mut self, item: Item<'_>, what: &str, max: usize) -> Option<LocalizedText> {
        let mut texts = Vec::new();
        for (locale, value) in self.entries(item, what)? {
            if let Some(known) =
                self.locales.as_ref().filter(|all| !all.iter().any(|l| l == locale))
            {
                let near = self.mistakes.near(locale, known.iter().map(String::as_str));
                let text = format!("{what}: \"{locale}\" is not a locale of pack.yaml{near}");
                self.wrong(value.spot, text);
                continue;
            }
            let what = format!("{what} in \"{locale}\"");
            // A wrong text is present all the same, not missing as well.
            let text = self.text(value, &what, max).unwrap_or_default();
            texts.push((locale.to_owned(), text.to_owned()));
        }
        for locale in self.locales.clone().unwrap_or_default() {
            if !texts.iter().any(|(present, _)| *present == locale) {
                self.wrong(item.spot, format!("{what} lacks its translation to \"{locale}\""));
            }
        }
        Some(LocalizedText { texts: texts.into_iter().collect() })
    }

    /// A day (from midnight UTC on) or an instant in UTC.
    pub fn time(&mut self, item: Item<'_>, what: &str) -> Option<Timestamp> {
        let text = match &item.node.value {
            Value::Scalar { text, .. } => text.as_str(),
            _ => "",
        };
        let time = parse_time(text);
        if time.is_none() {
            let (from, to) = (YEARS.start(), YEARS.end());
            let rule = "\"2026-01-31\" or \"2026-01-31T09:30:00Z\"";
            let text = format!("{what} must be a time such as {rule} in {from} to {to}");
            self.wrong(item.spot, text);
        }
        time
    }

    /// The line of a character of a text, as near as the way it is written allows.
    pub fn spot_within(&self, item: Item<'_>, text: &str, at: usize) -> Spot {
        let breaks = text[..at].matches('\n').count();
        let literal = matches!(&item.node.value, Value::Scalar { style: ScalarStyle::Literal, .. });
        let lines = if literal { u32::try_from(breaks).unwrap_or(u32::MAX) + 1 } else { 0 };
        Spot { line: item.spot.line.saturating_add(lines), ..item.spot }
    }
}

/// Whether a text has the form of a code.
pub(super) fn is_code(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.split(['.', '_', '-']).all(|part| !part.is_empty() && part.chars().all(letter))
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let pattern = match text.len() {
        10 => "0000-00-00",
        20 => "0000-00-00T00:00:00Z",
        _ => return None,
    };
    let fits = |(c, p): (char, char)| if p == '0' { c.is_ascii_digit() } else { c == p };
    if text.chars().count() != text.len() || !text.chars().zip(pattern.chars()).all(fits) {
        return None;
    }
    let year: i32 = text.get(..4)?.parse().ok()?;
    YEARS.contains(&year).then(|| text.parse().ok())?
}

/// Whether a plain scalar reads as something else than text in YAML 1.2's core schema, or in the
/// YAML 1.1 that other tools still speak.
fn is_other_than_text(text: &str) -> bool {
    let words = ["", "~", "null", "true", "false", "yes", "no", "on", "off", ".inf", ".nan"];
    let lower = text.to_ascii_lowercase();
    words.contains(&lower.as_str()) || text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_nothing(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar { text, style: ScalarStyle::Plain }
        if matches!(text.as_str(), "" | "~" | "null"))
}

fn kind(node: &Node) -> &'static str {
    match &node.value {
        _ if is_nothing(node) => "nothing",
        Value::Scalar { .. } => "a single value",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}
