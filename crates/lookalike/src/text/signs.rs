//! Signs that stand for letters where their neighbours are letters. It must not know words.

use std::collections::HashMap;

use super::data;

/// The reading of a sign that stands for no letter, and whose characters do not either.
pub(super) const NOTHING: &str = "-";
/// The first character of those that are drawn rather than written.
const ARROWS: char = '\u{2190}';
/// How many characters are looked at for where signs lead.
const LED_MAX: usize = 8;

/// Which neighbours a sign needs to be read as a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// A letter or digit on either side.
    Touch,
    /// One that follows.
    Before,
    /// One that goes before.
    After,
    /// One on both sides.
    Inner,
    /// One that follows, and no bracket that closes later.
    Open,
    /// None.
    Any,
}

impl Where {
    /// Whether it is a bracket that must stay open.
    pub(super) const fn opens(self) -> bool {
        matches!(self, Where::Open)
    }

    /// Whether these neighbours do.
    pub(super) const fn fits(self, before: bool, after: bool) -> bool {
        match self {
            Where::Any => true,
            Where::Touch => before || after,
            Where::Before | Where::Open => after,
            Where::After => before,
            Where::Inner => before && after,
        }
    }
}

/// One sign, of one or several characters.
#[derive(Clone, Debug)]
pub(super) struct Sign {
    pub(super) characters: Vec<char>,
    pub(super) reading: &'static str,
    pub(super) place: Where,
}

/// All signs by their first character, the longest first.
pub(super) struct Signs(HashMap<char, Vec<Sign>>);

impl Signs {
    pub(super) fn new() -> Signs {
        let mut signs: HashMap<char, Vec<Sign>> = HashMap::new();
        for (reading, rest) in data::rows(data::SYMBOLS) {
            let Some((place, sign)) = rest.split_once('\t') else { continue };
            let place = match place {
                "touch" => Where::Touch,
                "before" => Where::Before,
                "after" => Where::After,
                "open" => Where::Open,
                "any" => Where::Any,
                _ => Where::Inner,
            };
            let characters: Vec<char> = sign.chars().collect();
            if let Some(&first) = characters.first() {
                signs.entry(first).or_default().push(Sign { characters, reading, place });
            }
        }
        for list in signs.values_mut() {
            list.sort_by_key(|sign| std::cmp::Reverse(sign.characters.len()));
        }
        Signs(signs)
    }

    /// Whether a sign begins with the character, and it is no letter or digit by itself.
    pub(super) fn begins(&self, character: char) -> bool {
        !character.is_alphanumeric() && self.0.contains_key(&character)
    }

    /// What the character reads as by itself, if it may.
    pub(super) fn alone(&self, character: char) -> Option<&'static str> {
        let alone = self.of(character).iter().find(|sign| sign.characters.len() == 1);
        alone.map(|sign| sign.reading)
    }

    /// The signs that begin with the character.
    pub(super) fn of(&self, character: char) -> &[Sign] {
        self.0.get(&character).map_or(&[], Vec::as_slice)
    }

    /// Whether a few signs lead on to a letter or digit; or, in a word that has begun, to its end.
    /// Of each character that follows is said whether it is one. Only signs that are written lead
    /// on: of pictures people make rows.
    pub(super) fn lead_on(&self, rest: impl Iterator<Item = (char, bool)>, begun: bool) -> bool {
        let mut ends = false;
        for (character, reads) in rest.take(LED_MAX) {
            if reads {
                return true;
            }
            let sign = self.of(character).iter().find(|sign| sign.characters.len() == 1);
            let Some(sign) = sign.filter(|_| character < ARROWS) else { break };
            ends = sign.place.fits(true, false);
        }
        ends && begun
    }
}
