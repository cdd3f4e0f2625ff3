//! The scan: first what each account is made of and a part of its hash, many at a time; then, of
//! the few that pass, the names and the whole hash.

use std::ops::Range;

use super::columns::{BLOCK, Flags};
use super::likely::{Best, Likely};
use super::pattern::Pattern;
use super::sounds::{self, Sound};
use super::words::Words;
use super::{Population, mask};
use crate::picture::Pdq;

/// Hashes looked at together.
const HASHES: usize = 16;
/// Accounts whose names are looked at together.
const BATCH: usize = 64;
/// Bits of the first word that may differ beyond a quarter of the radius: twice the standard
/// deviation of the share that falls on one word of four.
const FIRST_SLACK: u32 = 6;

/// What imitators are looked for by, made ready.
#[derive(Clone, Debug)]
pub struct Sought {
    patterns: Vec<Pattern>,
    words: Vec<Words>,
    sounds: Vec<Sound>,
    hashes: Vec<Pdq>,
    radius: u32,
}

impl Sought {
    /// Looks for accounts that have one of the keys in a name, within an edit from six symbols
    /// and two from eleven, or a picture within the radius of one of the hashes. Keys of less than
    /// two symbols are passed over.
    pub fn new(keys: &[&[u8]], hashes: &[Pdq], radius: u32) -> Sought {
        let patterns = keys.iter().filter_map(|key| Pattern::new(key)).collect();
        let (words, sounds) = (Vec::new(), Vec::new());
        Sought { patterns, words, sounds, hashes: hashes.to_vec(), radius }
    }

    /// Looks also for accounts that have these words in a name, in any order and with others among
    /// them, if there are two or more of two symbols or more, and of six together.
    pub fn add_words(&mut self, words: &[&[u8]]) {
        let new = Words::new(words).filter(|words| !self.words.contains(words));
        self.words.extend(new);
    }

    /// Looks also for accounts whose name sounds so, or has these sounds in it if they are five or
    /// more, or is these but for one. Those with names in plain Latin letters only without that
    /// one, unless this one `is_foreign`: sounds are lost on the way from one script to another.
    pub fn add_sounds(&mut self, sounds: &[u8], is_foreign: bool) {
        let new = Sound::new(sounds, is_foreign).filter(|sound| !self.sounds.contains(sound));
        self.sounds.extend(new);
    }

    /// The first word of a hash within the radius differs in no more, but for rare cases.
    fn first_max(&self) -> u32 {
        self.radius.min(self.radius / 4 + FIRST_SLACK)
    }

    /// Which of up to 64 accounts may have a picture within the radius, a bit for each. All is
    /// counted in numbers of one width, and told by the sign of a difference, so that the compiler
    /// does several accounts at a time.
    #[inline]
    fn near(&self, firsts: &[u64]) -> u64 {
        let most = u64::from(self.first_max()) + 1;
        let mut near = 0;
        for (block, firsts) in firsts.chunks(HASHES).enumerate() {
            let mut signs = [0; HASHES];
            for hash in &self.hashes {
                for (sign, first) in signs.iter_mut().zip(firsts) {
                    *sign |= u64::from((hash.0[0] ^ first).count_ones()).wrapping_sub(most);
                }
            }
            if signs.iter().fold(0, |any, sign| any | sign) >> 63 == 1 {
                for (at, sign) in signs.iter().enumerate() {
                    near |= (sign >> 63) << (block * HASHES + at);
                }
            }
        }
        near
    }
}

/// An account that is worth a look.
struct Flagged {
    row: usize,
    /// For its names.
    named: bool,
    /// For how it sounds.
    heard: bool,
    /// For its picture.
    pictured: bool,
}

impl Population {
    /// Adds those of these rows who may imitate the identity to the best. All rows are
    /// `0..population.len()`; fewer at a time let others work in between.
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn scan(&self, rows: Range<usize>, sought: &Sought, best: &mut Best) {
        assert!(rows.end <= self.len(), "there are {} rows", self.len());
        let mut batch = Vec::with_capacity(BATCH + 64);
        let mut start = rows.start;
        while start < rows.end {
            let block = start / BLOCK;
            let (named, heard) = (self.named(block, sought), self.heard(block, sought));
            let end = rows.end.min((block + 1) * BLOCK);
            while start < end {
                // Up to the end of a word of flags.
                let until = end.min((start / 64 + 1) * 64);
                let pictured = sought.near(&self.first[start..until]) << (start % 64);
                let here = (u64::MAX >> (63 - (until - 1) % 64)) & (u64::MAX << (start % 64));
                let [named, heard] = [named, heard].map(|flags| flags[start % BLOCK / 64]);
                let mut flags = (named | heard | pictured) & here;
                while flags != 0 {
                    let at = flags.trailing_zeros() as usize;
                    flags &= flags - 1;
                    let [named, heard, pictured] =
                        [named, heard, pictured].map(|of| of >> at & 1 == 1);
                    batch.push(Flagged { row: start / 64 * 64 + at, named, heard, pictured });
                }
                start = until;
                if batch.len() >= BATCH {
                    self.settle(&mut batch, sought, best);
                }
            }
        }
        self.settle(&mut batch, sought, best);
    }

    /// Which accounts of a block may have one of the keys in a name.
    fn named(&self, block: usize, sought: &Sought) -> Flags {
        let mut named = Flags::default();
        let patterns = sought.patterns.iter().map(|pattern| &pattern.wanted);
        for wanted in patterns.chain(sought.words.iter().map(|words| &words.wanted)) {
            for masks in &self.masks {
                let having = masks.having(block, wanted);
                named.iter_mut().zip(having).for_each(|(named, having)| *named |= having);
            }
        }
        named
    }

    /// Which accounts of a block may sound so.
    fn heard(&self, block: usize, sought: &Sought) -> Flags {
        let mut heard = Flags::default();
        for sound in &sought.sounds {
            let having = sound.having(&self.sounds, block);
            heard.iter_mut().zip(having).for_each(|(heard, having)| *heard |= having);
        }
        heard
    }

    /// Looks at the names and hashes of a batch. They are asked for together: each lies somewhere
    /// else in memory.
    fn settle(&self, batch: &mut Vec<Flagged>, sought: &Sought, best: &mut Best) {
        let touched = batch.iter().map(|flagged| {
            let hash = if flagged.pictured { self.others[flagged.row][0] } else { 0 };
            let of_names = flagged.named || flagged.heard;
            let name = if of_names { self.names[flagged.row].bytes()[0] } else { 0 };
            hash ^ u64::from(name)
        });
        std::hint::black_box(touched.fold(0, |all, one| all ^ one));
        for flagged in batch.drain(..) {
            if let Some(likely) = self.likely(&flagged, sought) {
                best.add(likely);
            }
        }
    }

    /// How an account is likely, if it is.
    fn likely(&self, flagged: &Flagged, sought: &Sought) -> Option<Likely> {
        let row = flagged.row;
        let name = if flagged.named { self.best_name(row, sought) } else { None };
        let heard =
            if flagged.heard && name.is_none() { self.sounds_so(row, sought) } else { None };
        // The rest of the hash lies far away: it is read only where it may matter.
        let picture = if flagged.pictured { self.hash(row) } else { None };
        let distances = sought.hashes.iter().filter_map(|hash| Some(hash.distance(&picture?)));
        let distance = distances.min().filter(|distance| *distance <= sought.radius);
        if name.is_none() && heard.is_none() && distance.is_none() {
            return None;
        }
        let seen = distance.map_or(0.0, |bits| 1.0 - bits as f32 / (sought.radius + 1) as f32);
        Some(Likely {
            score: name.map(|(likeness, _)| likeness).or(heard).unwrap_or_default() + seen,
            number: self.numbers[row],
            features: self.features[row],
            edits: name.map(|(_, edits)| edits),
            distance,
        })
    }

    /// How alike the name of a row is that is most like a key, and after how many edits.
    fn best_name(&self, row: usize, sought: &Sought) -> Option<(f32, u32)> {
        let mut best: Option<(f32, u32)> = None;
        for name in self.written(row) {
            let mask = mask::of(name);
            let mut found = |found: Option<(f32, u32)>| {
                if let Some(found) = found
                    && best.is_none_or(|best| found.0 > best.0)
                {
                    best = Some(found);
                }
            };
            for pattern in sought.patterns.iter().filter(|pattern| pattern.may_be_in(mask)) {
                let edits = pattern.edits_in(name);
                found((edits <= pattern.edits).then(|| (likeness(pattern, edits, name), edits)));
            }
            for words in &sought.words {
                let around = words.len as f32 / name.len() as f32;
                found(words.are_in(name, mask).then(|| (ANY_ORDER * (1.0 + around) / 2.0, 0)));
            }
        }
        best
    }

    /// What is written of a row's names.
    fn written(&self, row: usize) -> impl Iterator<Item = &[u8]> {
        let [_, handle, display, other] = self.names[row].each();
        [handle, display, other].into_iter()
    }

    /// How alike a row's names are written if one sounds like what is sought.
    fn sounds_so(&self, row: usize, sought: &Sought) -> Option<f32> {
        let sounds = sounds::unpack(self.names[row].first());
        let sounds = sounds.as_bytes();
        let heard = sought.sounds.iter().filter_map(|sound| {
            let edits = sound.edits_in(sounds)?;
            let around = sound.len() as f32 / sounds.len().max(sound.len()) as f32;
            Some(if edits == 0 { SAME_SOUND * (1.0 + around) / 2.0 } else { 0.0 })
        });
        let heard = heard.reduce(f32::max)?;
        let written = self.written(row).flat_map(|name| {
            let patterns = sought.patterns.iter();
            patterns.map(move |pattern| likeness(pattern, pattern.edits_in(name), name))
        });
        Some(written.fold(heard, f32::max)).filter(|likeness| *likeness >= HEARD_MIN)
    }
}

/// What names are worth that have the words of a key in another order, beside those with the key.
const ANY_ORDER: f32 = 0.9;
/// What names are worth at least that sound like a key, beside those with the key.
const SAME_SOUND: f32 = 0.5;
/// And what they must be worth: what is written with no more in common is another name.
const HEARD_MIN: f32 = 0.4;

/// How alike a name is that has the key in it after so many edits.
fn likeness(pattern: &Pattern, edits: u32, name: &[u8]) -> f32 {
    let (len, all) = (pattern.len as f32, name.len().max(pattern.len) as f32);
    // What was added to the key counts half as much as what is missing from it.
    (1.0 - edits as f32 / len) * (1.0 + len / all) / 2.0
}
