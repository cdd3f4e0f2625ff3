//! A name of a profile beside the names of an identity, as numbers.
//!
//! It must not weigh them.

use crate::index::question::Question;
use crate::index::row::KeyOf;
use crate::index::segment::Segment;
use crate::text::{MAX_WORDS, Reading, Script};

/// What one name of the profile is beside all names of the identity.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside {
    /// How alike the name and the nearest key are, 0 to 1.
    pub likeness: f32,
    /// How many symbols that key has; symbols of large scripts count 2.
    pub length: f32,
    /// How much of the name the longest key inside it makes up, 0 to 1.
    pub inside: f32,
    /// How many symbols the longest key inside it has.
    pub inside_length: f32,
    /// How much of a key the name makes up that is a part of it, 0 to 1.
    pub part: f32,
    /// Whether the nearest key is of the same kind of name.
    pub same_kind: bool,
}

fn weight(script: Script) -> f32 {
    match script {
        Script::Han | Script::Kana => 2.0,
        _ => 1.0,
    }
}

/// Holds a name of the profile beside all names of an identity.
pub fn beside(
    question: &Question,
    name: u8,
    own_kind: KeyOf,
    segment: &Segment,
    row: u32,
) -> Beside {
    let mut best = Beside::default();
    let reading = &question.readings[name as usize];
    let looks = reading.looks.as_bytes();
    let weight = weight(reading.script);
    for (of, key) in segment.keys(row) {
        for compared in question.keys().iter().filter(|compared| compared.names >> name & 1 == 1) {
            let mut likeness = compared.pattern.likeness(key);
            // Without the added words the names are a little less alike than with them.
            if compared.core >> name & 1 == 1 || !of.is(KeyOf::FULL) {
                likeness *= 0.98;
            }
            let same_kind = of.is(own_kind);
            if (likeness, same_kind) > (best.likeness, best.same_kind) {
                best.likeness = likeness;
                best.length = key.len() as f32 * weight;
                best.same_kind = same_kind;
            }
        }
        if key.len() >= 4 && key.len() < looks.len() && contains(looks, key) {
            let inside = key.len() as f32 / looks.len() as f32;
            if inside > best.inside {
                best.inside = inside;
                best.inside_length = key.len() as f32 * weight;
            }
        } else if looks.len() >= 4 && looks.len() < key.len() && contains(key, looks) {
            best.part = best.part.max(looks.len() as f32 / key.len() as f32);
        }
    }
    best
}

/// How much of a key the words of a name cover, and how surprising those words are: of the key of
/// which they cover most.
pub fn covered(
    reading: &Reading,
    surprise: &[f32; MAX_WORDS],
    segment: &Segment,
    row: u32,
) -> (f32, f32) {
    let mut best = (0.0, 0.0);
    for (_, key) in segment.keys(row).filter(|(of, _)| of.is(KeyOf::FULL)) {
        let (mut places, mut bits) = (0u32, 0.0);
        for (word, surprise) in reading.words.iter().zip(surprise) {
            let word = word.key.as_bytes();
            if word.len() < 2 || word.len() > key.len() {
                continue;
            }
            let free = |place: &usize| places & run(*place, word.len()) == 0;
            let mut found = (0..=key.len() - word.len())
                .filter(|place| &key[*place..*place + word.len()] == word);
            if let Some(place) = found.find(free) {
                places |= run(place, word.len());
                bits += surprise;
            }
        }
        let share = places.count_ones() as f32 / key.len() as f32;
        if share > best.0 {
            best = (share, bits.min(60.0));
        }
    }
    best
}

/// Bits of so many places from one on.
fn run(place: usize, len: usize) -> u32 {
    (((1u64 << len) - 1) << place) as u32
}

fn contains(long: &[u8], short: &[u8]) -> bool {
    long.windows(short.len()).any(|window| window == short)
}
