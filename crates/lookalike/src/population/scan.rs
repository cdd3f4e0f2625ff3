//! The scan: first what each account is made of and a part of its hash, many at a time; then, of
//! the few that pass, the names and the whole hash.

use std::ops::Range;

use super::columns::{BLOCK, Flags};
use super::likely::{Best, Likely};
use super::pattern::Pattern;
use super::{Population, Slot, mask, symbols};
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
    hashes: Vec<Pdq>,
    radius: u32,
}

impl Sought {
    /// Looks for accounts that have one of the keys in a name, within an edit from six symbols
    /// and two from eleven, or a picture within the radius of one of the hashes. Keys of less than
    /// two symbols are passed over.
    pub fn new(keys: &[&[u8]], hashes: &[Pdq], radius: u32) -> Sought {
        let patterns = keys.iter().filter_map(|key| Pattern::new(key)).collect();
        Sought { patterns, hashes: hashes.to_vec(), radius }
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
            let named = self.named(block, sought);
            let end = rows.end.min((block + 1) * BLOCK);
            while start < end {
                // Up to the end of a word of flags.
                let until = end.min((start / 64 + 1) * 64);
                let pictured = sought.near(&self.first[start..until]) << (start % 64);
                let here = (u64::MAX >> (63 - (until - 1) % 64)) & (u64::MAX << (start % 64));
                let named = named[start % BLOCK / 64];
                let mut flags = (named | pictured) & here;
                while flags != 0 {
                    let at = flags.trailing_zeros() as usize;
                    flags &= flags - 1;
                    let [named, pictured] = [named, pictured].map(|of| of >> at & 1 == 1);
                    batch.push(Flagged { row: start / 64 * 64 + at, named, pictured });
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
        for pattern in &sought.patterns {
            for masks in &self.masks {
                let having = masks.having(block, &pattern.wanted);
                named.iter_mut().zip(having).for_each(|(named, having)| *named |= having);
            }
        }
        named
    }

    /// Looks at the names and hashes of a batch. They are asked for together: each lies somewhere
    /// else in memory.
    fn settle(&self, batch: &mut Vec<Flagged>, sought: &Sought, best: &mut Best) {
        let touched = batch.iter().map(|flagged| {
            let hash = if flagged.pictured { self.others[flagged.row][0] } else { 0 };
            let name = if flagged.named { self.names[flagged.row][0][0] } else { 0 };
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
        // The rest of the hash lies far away: it is read only where it may matter.
        let picture = if flagged.pictured { self.hash(row) } else { None };
        let distances = sought.hashes.iter().filter_map(|hash| Some(hash.distance(&picture?)));
        let distance = distances.min().filter(|distance| *distance <= sought.radius);
        if name.is_none() && distance.is_none() {
            return None;
        }
        let seen = distance.map_or(0.0, |bits| 1.0 - bits as f32 / (sought.radius + 1) as f32);
        Some(Likely {
            score: name.map_or(0.0, |(likeness, _)| likeness) + seen,
            number: self.numbers[row],
            features: self.features[row],
            edits: name.map(|(_, edits)| edits),
            distance,
        })
    }

    /// How alike the name of a row is that is most like a key, and after how many edits.
    fn best_name(&self, row: usize, sought: &Sought) -> Option<(f32, u32)> {
        let mut best: Option<(f32, u32)> = None;
        for slot in &self.names[row] {
            let mask = mask::of(symbols(slot));
            for pattern in sought.patterns.iter().filter(|pattern| pattern.may_be_in(mask)) {
                if let Some(found) = in_name(pattern, slot)
                    && best.is_none_or(|best| found.0 > best.0)
                {
                    best = Some(found);
                }
            }
        }
        best
    }
}

/// How alike a name is that has the key in it, and after how many edits.
fn in_name(pattern: &Pattern, slot: &Slot) -> Option<(f32, u32)> {
    let name = symbols(slot);
    let edits = pattern.edits_in(name);
    if edits > pattern.edits {
        return None;
    }
    let (len, all) = (pattern.len as f32, name.len().max(pattern.len) as f32);
    // What was added to the key counts half as much as what is missing from it.
    Some(((1.0 - edits as f32 / len) * (1.0 + len / all) / 2.0, edits))
}
