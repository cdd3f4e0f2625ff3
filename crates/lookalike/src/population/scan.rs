//! The scan: first what each account is made of and a part of its hash, many at a time; then, of
//! the few that pass, the names and the whole hash.

use std::ops::Range;

use super::likely::{Best, Likely};
use super::mask::missing_max;
use super::pattern::Pattern;
use super::{Population, Slot, symbols};
use crate::picture::Pdq;

/// Accounts looked at together.
const BLOCK: usize = 16;
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

    /// Flags those that may be likely. All is counted in numbers of one width and compared by the
    /// sign of a difference, so that the compiler does several accounts at a time.
    #[inline]
    fn flag(&self, masks: &[[u64; 2]; BLOCK], firsts: &[u64; BLOCK], flags: &mut [u64; BLOCK]) {
        let within = |bits: u64, most: u32| {
            u64::from(bits.count_ones()).wrapping_sub(u64::from(most) + 1) >> 63
        };
        let either = masks.map(|[handle, display]| handle | display);
        for pattern in &self.patterns {
            let most = missing_max(pattern.edits);
            for (flag, mask) in flags.iter_mut().zip(&either) {
                *flag |= within(pattern.mask & !mask, most);
            }
        }
        let most = self.first_max();
        for hash in &self.hashes {
            for (flag, first) in flags.iter_mut().zip(firsts) {
                *flag |= within(hash.0[0] ^ first, most);
            }
        }
    }
}

impl Population {
    /// Adds those of these rows who may imitate the identity to the best. All rows are
    /// `0..population.len()`; fewer at a time let others work in between.
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn scan(&self, rows: Range<usize>, sought: &Sought, best: &mut Best) {
        let masks = self.masks[rows.clone()].chunks(BLOCK);
        let firsts = self.first[rows.clone()].chunks(BLOCK);
        let mut batch = Vec::with_capacity(BATCH + BLOCK);
        for (block, (masks, firsts)) in masks.zip(firsts).enumerate() {
            let mut flags = [0; BLOCK];
            if let (Ok(masks), Ok(firsts)) = (masks.try_into(), firsts.try_into()) {
                sought.flag(masks, firsts, &mut flags);
            } else {
                flags[..masks.len()].fill(1);
            }
            if flags.iter().fold(0, |any, flag| any | flag) == 0 {
                continue;
            }
            for (at, _) in flags.iter().enumerate().filter(|(_, flag)| **flag != 0) {
                let row = rows.start + block * BLOCK + at;
                if self.may_be_likely(row, sought) {
                    batch.push(row);
                }
            }
            if batch.len() >= BATCH {
                self.settle(&mut batch, sought, best);
            }
        }
        self.settle(&mut batch, sought, best);
    }

    /// Looks at the names and hashes of a batch. They are asked for together: each lies somewhere
    /// else in memory.
    fn settle(&self, batch: &mut Vec<usize>, sought: &Sought, best: &mut Best) {
        let touched = batch.iter().map(|row| self.names[*row][0][0] ^ self.names[*row][1][0]);
        std::hint::black_box(touched.fold(0, |all, one| all ^ one));
        for row in batch.drain(..) {
            if let Some(likely) = self.likely(row, sought) {
                best.add(likely);
            }
        }
    }

    /// Whether one name alone has enough of a key, or the picture's first word is near.
    fn may_be_likely(&self, row: usize, sought: &Sought) -> bool {
        let fits = |pattern: &Pattern| {
            self.masks[row]
                .iter()
                .any(|mask| (pattern.mask & !mask).count_ones() <= missing_max(pattern.edits))
        };
        sought.patterns.iter().any(fits) || self.first_is_near(row, sought)
    }

    fn first_is_near(&self, row: usize, sought: &Sought) -> bool {
        let near = |hash: &Pdq| (hash.0[0] ^ self.first[row]).count_ones() <= sought.first_max();
        sought.hashes.iter().any(near)
    }

    /// How an account is likely, if it is.
    fn likely(&self, row: usize, sought: &Sought) -> Option<Likely> {
        let mut name: Option<(f32, u32)> = None;
        for pattern in &sought.patterns {
            for (slot, mask) in self.names[row].iter().zip(&self.masks[row]) {
                let missing = (pattern.mask & !mask).count_ones();
                if missing <= missing_max(pattern.edits)
                    && let Some(found) = in_name(pattern, slot)
                    && name.is_none_or(|best| found.0 > best.0)
                {
                    name = Some(found);
                }
            }
        }
        // The rest of the hash lies far away: it is read only where it may matter.
        let picture = self.first_is_near(row, sought).then(|| self.hash(row)).flatten();
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
