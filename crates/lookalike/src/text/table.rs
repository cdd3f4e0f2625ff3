//! What each character is, looked up in constant time: pages of 256 characters, each made when
//! first needed. It must not know names, only characters.

use std::sync::{LazyLock, OnceLock};

use super::Script;
use super::fold::Rules;

/// The characters of a page.
const PAGE: usize = 256;
/// Pages that Unicode has.
const PAGES: usize = 0x11_0000 / PAGE;

/// What a character is in a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Class {
    /// Read as its symbols.
    Letter,
    /// A digit; reads as the letter that it resembles.
    Digit,
    /// Belongs to the letter before it; not read.
    Mark,
    /// Not seen.
    Invisible,
    /// Not seen, and changes the order of what is.
    Bidi,
    /// Parts words.
    Space,
    /// Parts words; punctuation.
    Separator,
    /// Punctuation or a sign that may stand for a letter, by its neighbours.
    Sign,
    /// Half a flag, or a letter.
    Regional,
    /// A picture or another sign: parts words.
    #[default]
    Picture,
}

/// Why a character reads as a letter that it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Guise {
    /// It is what it reads as.
    #[default]
    None,
    /// A letter of another script, or a rare one of the same.
    Confusable,
    /// The letter as a wide form.
    Fullwidth,
    /// The letter in another style.
    Fancy,
    /// The letter with a mark.
    Mark,
}

/// Whether a letter frames names of other scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Decor {
    /// It does not.
    #[default]
    No,
    /// At one end.
    Either,
    /// At both ends only.
    Both,
}

/// What a character reads as.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    looks: [u8; 6],
    literal: [u8; 6],
    latin: [u8; 8],
    looks_length: u8,
    literal_length: u8,
    latin_length: u8,
    /// The letter that it stands for among Latin ones only; 0 if none.
    pub(super) style: u8,
    /// The character as it is written plainly, if that is one character.
    pub(super) plain: Option<char>,
    pub(super) class: Class,
    pub(super) decor: Decor,
    pub(super) guise: Guise,
    pub(super) script: Script,
    /// The letter that it is if the text was turned by half a circle; 0 if none.
    pub(super) turned: u8,
}

fn fill<const N: usize>(from: &[u8]) -> ([u8; N], u8) {
    let mut into = [0; N];
    let length = from.len().min(N);
    into[..length].copy_from_slice(&from[..length]);
    (into, u8::try_from(length).unwrap_or(u8::MAX))
}

impl Entry {
    /// Of a class, and nothing else yet.
    pub(super) fn of(class: Class) -> Entry {
        Entry { class, ..Entry::default() }
    }

    pub(super) fn looks(&self) -> &[u8] {
        &self.looks[..usize::from(self.looks_length)]
    }

    pub(super) fn literal(&self) -> &[u8] {
        &self.literal[..usize::from(self.literal_length)]
    }

    pub(super) fn latin(&self) -> &[u8] {
        &self.latin[..usize::from(self.latin_length)]
    }

    pub(super) fn set_looks(&mut self, symbols: &[u8]) {
        (self.looks, self.looks_length) = fill(symbols);
    }

    pub(super) fn set_literal(&mut self, symbols: &[u8]) {
        (self.literal, self.literal_length) = fill(symbols);
    }

    pub(super) fn set_latin(&mut self, symbols: &[u8]) {
        (self.latin, self.latin_length) = fill(symbols);
    }

    /// Whether it is read: a letter or a digit.
    pub(super) const fn reads(&self) -> bool {
        matches!(self.class, Class::Letter | Class::Digit)
    }
}

/// All characters.
pub(super) struct Table {
    rules: Rules,
    first: Box<[Entry]>,
    pages: Box<[OnceLock<Box<[Entry]>>]>,
}

/// The one table.
pub(super) static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

impl Table {
    fn new() -> Table {
        let rules = Rules::new();
        let first = page(&rules, 0);
        Table { rules, first, pages: (0..PAGES).map(|_| OnceLock::new()).collect() }
    }

    /// What the character is.
    #[inline]
    pub(super) fn entry(&self, character: char) -> &Entry {
        let point = character as usize;
        match self.first.get(point) {
            Some(entry) => entry,
            None => {
                let page_of = || page(&self.rules, point / PAGE);
                &self.pages[point / PAGE].get_or_init(page_of)[point % PAGE]
            }
        }
    }

    /// The rules that the entries are made by.
    pub(super) const fn rules(&self) -> &Rules {
        &self.rules
    }
}

fn page(rules: &Rules, number: usize) -> Box<[Entry]> {
    let first = number * PAGE;
    let characters = (first..first + PAGE).map(|point| {
        let point = u32::try_from(point).unwrap_or(u32::MAX);
        char::from_u32(point).map_or_else(Entry::default, |each| rules.entry(each))
    });
    characters.collect()
}
