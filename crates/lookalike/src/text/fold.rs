//! What one character reads as: rules over Unicode's own data and the crate's tables. Slow and
//! thorough: called once for each character that is ever met.

use std::collections::HashMap;

use any_ascii::any_ascii_char;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::skeleton;

use super::Script;
use super::data;
use super::key::symbol;
use super::plain;
use super::script::writes_names;
use super::signs::Signs;
use super::table::{Class, Decor, Entry, Guise};

/// How often a rule may lead to another.
const DEPTH: u8 = 6;

/// The rules.
pub(super) struct Rules {
    looks: HashMap<char, &'static str>,
    styles: HashMap<char, u8>,
    turned: HashMap<char, u8>,
    han: HashMap<char, char>,
    alike: HashMap<char, char>,
    decor: HashMap<char, Decor>,
    signs: Signs,
}

impl Rules {
    pub(super) fn new() -> Rules {
        let mut looks = HashMap::new();
        for (reading, characters) in data::rows(data::LOOKS) {
            looks.extend(characters.chars().map(|each| (each, reading)));
        }
        let (mut styles, mut turned) = (HashMap::new(), HashMap::new());
        for (name, row) in data::rows(data::ALPHABETS) {
            for (letter, each) in (b'a'..=b'z').zip(row.chars()) {
                if each.is_ascii() {
                    continue;
                }
                if name != "only turned" {
                    styles.entry(each).or_insert(letter);
                }
                if name.contains("turned") {
                    turned.entry(each).or_insert(letter);
                }
            }
        }
        let (mut han, mut alike) = (HashMap::new(), HashMap::new());
        for (head, others) in data::rows(data::HAN) {
            let head = head.chars().next().unwrap_or_default();
            han.extend(others.chars().map(|each| (each, head)));
        }
        for (head, others) in data::rows(data::HAN_ALIKE) {
            let head = head.chars().next().unwrap_or_default();
            let head = han.get(&head).copied().unwrap_or(head);
            for each in others.chars() {
                let each = han.get(&each).copied().unwrap_or(each);
                if each != head {
                    alike.insert(each, head);
                }
            }
        }
        let mut decor = HashMap::new();
        for (place, characters) in data::rows(data::DECOR) {
            let place = if place == "both" { Decor::Both } else { Decor::Either };
            decor.extend(characters.chars().map(|each| (each, place)));
        }
        Rules { looks, styles, turned, han, alike, decor, signs: Signs::new() }
    }

    /// The signs that may stand for letters.
    pub(super) const fn signs(&self) -> &Signs {
        &self.signs
    }

    /// All about a character.
    pub(super) fn entry(&self, character: char) -> Entry {
        let script = Script::of(character);
        let mut entry = Entry::of(self.class(character));
        entry.script = script;
        entry.plain = plain::simple(character);
        entry.decor = self.decor.get(&character).copied().unwrap_or_default();
        entry.turned = self.turned.get(&character).copied().unwrap_or_default();
        match entry.class {
            Class::Letter | Class::Digit => {}
            Class::Regional => {
                let letter = u32::from(character) - 0x1_f1e6 + u32::from(b'a');
                entry.set_looks(&[resemble(u8::try_from(letter).unwrap_or_default())]);
                return entry;
            }
            Class::Sign => {
                let reading = self.signs.alone(character).map(str::to_owned);
                let reading = reading.or_else(|| prototype(character)).unwrap_or_default();
                let looks: Vec<u8> = reading.bytes().map(resemble).collect();
                entry.set_looks(&looks);
                return entry;
            }
            _ => return entry,
        }
        let mut looks = Vec::new();
        self.looks(character, (DEPTH, writes_names(character)), &mut looks);
        let looks: Vec<u8> = looks.into_iter().map(resemble).collect();
        entry.set_looks(&looks);
        entry.style = self.style(character, &looks).map_or(0, resemble);
        let mut literal = Vec::new();
        literally(character, &mut literal);
        entry.set_literal(&literal);
        if !looks.is_empty() {
            entry.set_latin(&in_latin(character, &literal));
        }
        entry.guise = guise(character, script, &looks, &literal);
        entry
    }

    fn class(&self, character: char) -> Class {
        if self.signs.begins(character) {
            return Class::Sign;
        }
        if character.is_ascii_digit() {
            return Class::Digit;
        }
        if self.looks.contains_key(&character) || self.styles.contains_key(&character) {
            return Class::Letter;
        }
        match character {
            '\u{1f1e6}'..='\u{1f1ff}' => Class::Regional,
            // A stretched line in Arabic and Nko, and strokes that frame names.
            '\u{640}' | '\u{7fa}' => Class::Mark,
            '彡' => Class::Picture,
            '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{61c}' => Class::Bidi,
            _ if plain::invisible(character) => Class::Invisible,
            _ if character.is_whitespace() => Class::Space,
            _ if is_combining_mark(character) && !kept(character) => Class::Mark,
            _ if character.is_alphanumeric() || mathematical(character).is_some() => Class::Letter,
            _ if is_combining_mark(character) => Class::Letter,
            _ if character.is_ascii() => Class::Separator,
            _ if has_letters(character) => Class::Letter,
            _ if prototype(character).is_some_and(|each| each != "l") => Class::Sign,
            '\u{80}'..='\u{bf}'
            | '\u{2000}'..='\u{206f}'
            | '\u{3000}'..='\u{303f}'
            | '\u{30fb}'
            | '\u{ff00}'..='\u{ff65}' => Class::Separator,
            _ => Class::Picture,
        }
    }

    /// How a character looks, as letters and digits of ASCII or other symbols.
    fn looks(&self, character: char, (depth, names): (u8, bool), into: &mut Vec<u8>) {
        if character.is_ascii() || depth == 0 {
            let lower = character.to_ascii_lowercase();
            if lower.is_ascii_alphanumeric() {
                into.push(lower as u8);
            } else if !lower.is_ascii() {
                into.push(symbol(lower));
            }
            return;
        }
        if matches!(character, 'ー' | 'ｰ') {
            return;
        }
        if let Some(reading) = self.looks.get(&character) {
            return match single(reading.chars()) {
                Some(itself) if itself == character => into.push(symbol(character)),
                Some(other) if !other.is_ascii() => self.looks(other, (depth - 1, names), into),
                _ => into.extend(reading.bytes()),
            };
        }
        if let Some(letter) = mathematical(character) {
            return into.push(letter);
        }
        if let Some(native) = native(character) {
            return native.iter().for_each(|&each| into.push(symbol(each)));
        }
        if let Some(modern) = super::native::georgian(character) {
            return self.looks(modern, (depth - 1, names), into);
        }
        let form = self.han.get(&character).copied().unwrap_or(character);
        let form = self.alike.get(&form).copied().unwrap_or(form);
        if form != character {
            return self.looks(form, (depth - 1, names), into);
        }
        let parts: Vec<char> = std::iter::once(character).nfkd().collect();
        if parts != [character] {
            let unmarked = |each: char| each.is_alphanumeric() && !is_combining_mark(each);
            let seen = parts.into_iter().filter(|&each| unmarked(each) || kept(each));
            return seen.for_each(|each| self.looks(each, (depth - 1, names), into));
        }
        self.resembling(character, (depth, names), into);
    }

    /// The Latin letter that a letter of another script is among Latin ones.
    fn style(&self, character: char, looks: &[u8]) -> Option<u8> {
        if !writes_names(character) {
            return None;
        }
        let lower = single(character.to_lowercase()).unwrap_or(character);
        let upper = single(character.to_uppercase()).unwrap_or(character);
        let own = prototype(character).filter(|own| own.len() == 1).map(|own| own.as_bytes()[0]);
        let letter = self.listed(&[character]).or(own).or_else(|| self.listed(&[lower, upper]));
        letter.filter(|&letter| looks != [resemble(letter)])
    }

    /// The letter that the first of these that stands in an alphabet is there.
    fn listed(&self, forms: &[char]) -> Option<u8> {
        forms.iter().find_map(|each| self.styles.get(each).copied())
    }

    /// What a character without parts resembles. A letter that names are written in, its
    /// capital and its small letter agree on one form; others stand for themselves.
    fn resembling(&self, character: char, (depth, names): (u8, bool), into: &mut Vec<u8>) {
        let upper = single(character.to_uppercase()).unwrap_or(character);
        let lower = single(upper.to_lowercase()).unwrap_or(character);
        let forms = if names { [lower, upper, upper] } else { [character, lower, upper] };
        let foreign = !writes_names(character);
        if let Some(letter) = self.listed(&[character]).filter(|_| foreign) {
            return into.push(letter);
        }
        if let Some(own) = forms.iter().find_map(|&form| prototype(form)) {
            return into.extend(own.bytes());
        }
        if let Some(letter) = self.listed(&forms).filter(|_| foreign) {
            return into.push(letter);
        }
        let latin = any_ascii_char(lower);
        let digit = character.is_numeric();
        if (digit || Script::of(character) == Script::Latin) && is_word(latin) {
            return into.extend(latin.to_ascii_lowercase().bytes());
        }
        let next = forms.iter().find_map(|form| {
            let skeleton: Vec<char> = skeleton(form.encode_utf8(&mut [0; 4])).collect();
            let only = skeleton.into_iter().filter(|each| each.is_alphanumeric());
            single(only).filter(|each| *each != lower && *each != upper && *each != character)
        });
        match next {
            Some(next) => self.looks(next, (depth - 1, names), into),
            None => into.push(symbol(lower)),
        }
    }
}

/// The letters of ASCII that Unicode says that a character is confused with.
fn prototype(character: char) -> Option<String> {
    let prototype: String = skeleton(character.encode_utf8(&mut [0; 4])).collect();
    is_word(&prototype).then(|| prototype.to_ascii_lowercase())
}

/// The letters of the mathematical alphabets, and the holes in them, which programs fill.
fn mathematical(character: char) -> Option<u8> {
    let offset = u32::from(character).checked_sub(0x1_d400).filter(|&each| each < 0x2a4)?;
    u8::try_from(offset % 26).ok().map(|each| b'a' + each)
}

/// The letter that a digit or another letter is taken for.
pub(super) const fn resemble(each: u8) -> u8 {
    match each {
        b'0' => b'o',
        b'1' | b'l' => b'i',
        b'2' => b'z',
        b'3' => b'e',
        b'4' => b'a',
        b'5' => b's',
        b'6' | b'9' | b'q' => b'g',
        b'7' => b't',
        b'8' => b'b',
        _ => each,
    }
}

fn single<I: Iterator<Item = char>>(mut characters: I) -> Option<char> {
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|each| each.is_ascii_alphanumeric())
}

/// Whether a mark is part of how its script writes words: the vowel signs of India and the like.
fn kept(mark: char) -> bool {
    matches!(mark, '\u{900}'..='\u{1cff}') && mark.is_alphabetic()
}

fn has_letters(character: char) -> bool {
    !matches!(character, '\u{2122}' | '\u{2120}' | '\u{a9}' | '\u{ae}' | '\u{2117}')
        && std::iter::once(character).nfkd().any(char::is_alphanumeric)
}

/// The letters of scripts that fold by rules of their own: syllables of Hangul to their jamo,
/// Katakana and Hiragana to one.
fn native(character: char) -> Option<Vec<char>> {
    match character {
        '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' => {
            Some(super::native::jamo(character))
        }
        _ => super::native::letter(character).map(|each| vec![each]),
    }
}

/// What is literally there: without style, case and marks, but nothing that only looks alike.
fn literally(character: char, into: &mut Vec<u8>) {
    if matches!(character, '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}') {
        return into.extend(super::native::jamo(character).into_iter().map(symbol));
    }
    let european = |each: char| matches!(each, '\u{c0}'..='\u{24f}' | '\u{1e9e}');
    for part in std::iter::once(character).nfkd() {
        if is_combining_mark(part) && !kept(part) {
            continue;
        }
        let ascii = any_ascii_char(part);
        if (european(part) || part.is_numeric()) && is_word(ascii) {
            into.extend(ascii.to_ascii_lowercase().bytes());
        } else if part.is_ascii_alphanumeric() {
            into.push(part.to_ascii_lowercase() as u8);
        } else if part.is_alphanumeric() || is_combining_mark(part) {
            into.extend(part.to_lowercase().take(1).map(symbol));
        }
    }
}

/// How it is written in Latin letters.
fn in_latin(character: char, literal: &[u8]) -> Vec<u8> {
    // The letter that carries a vowel; the library leaves it out.
    if character == 'ا' {
        return b"a".to_vec();
    }
    let ascii = any_ascii_char(character);
    let letters: Vec<u8> = ascii
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|each| each.to_ascii_lowercase())
        .collect();
    match letters.as_slice() {
        [] if ascii.is_empty() => literal.to_vec(),
        [rest @ .., b's'] if super::native::ends_in_s(character) => [rest, b"t"].concat(),
        _ => letters,
    }
}

fn guise(character: char, script: Script, looks: &[u8], literal: &[u8]) -> Guise {
    let reads = !looks.is_empty() && looks.iter().all(u8::is_ascii_alphanumeric);
    match character {
        _ if character.is_ascii() || !reads => Guise::None,
        '\u{ff01}'..='\u{ff5e}' => Guise::Fullwidth,
        '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Guise::Mark,
        _ if literal.iter().all(u8::is_ascii_alphanumeric) => Guise::Fancy,
        _ if matches!(script, Script::None | Script::Latin) => Guise::Fancy,
        _ => Guise::Confusable,
    }
}
