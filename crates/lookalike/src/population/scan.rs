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

    /// Which of a block may be likely, a bit for each. All is counted in numbers of one width, and
    /// told by the sign of a difference, so that the compiler does several accounts at a time.
    #[inline]
    fn flagged(&self, masks: [&[u64; BLOCK]; 2], firsts: &[u64; BLOCK]) -> u32 {
        let beyond =
            |bits: u64, most: u32| u64::from(bits.count_ones()).wrapping_sub(u64::from(most) + 1);
        let mut signs = [0; BLOCK];
        for pattern in &self.patterns {
            let most = missing_max(pattern.edits);
            for (at, sign) in signs.iter_mut().enumerate() {
                *sign |= beyond(pattern.mask & !masks[0][at], most);
                *sign |= beyond(pattern.mask & !masks[1][at], most);
            }
        }
        let most = self.first_max();
        for hash in &self.hashes {
            for (sign, first) in signs.iter_mut().zip(firsts) {
                *sign |= beyond(hash.0[0] ^ first, most);
            }
        }
        if signs.iter().fold(0, |any, sign| any | sign) >> 63 == 0 {
            return 0;
        }
        signs.iter().enumerate().fold(0, |all, (at, sign)| all | ((sign >> 63) as u32) << at)
    }
}

impl Population {
    /// Adds those of these rows who may imitate the identity to the best. All rows are
    /// `0..population.len()`; fewer at a time let others work in between.
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn scan(&self, rows: Range<usize>, sought: &Sought, best: &mut Best) {
        let firsts = self.first[rows.clone()].as_chunks::<BLOCK>();
        let handles = self.masks[0][rows.clone()].as_chunks::<BLOCK>();
        let displays = self.masks[1][rows.clone()].as_chunks::<BLOCK>();
        let mut batch = Vec::with_capacity(BATCH + BLOCK);
        let blocks = firsts.0.iter().zip(handles.0).zip(displays.0).enumerate();
        for (block, ((firsts, handles), displays)) in blocks {
            let mut flags = sought.flagged([handles, displays], firsts);
            let row = rows.start + block * BLOCK;
            while flags != 0 {
                batch.push(row + flags.trailing_zeros() as usize);
                flags &= flags - 1;
            }
            if batch.len() >= BATCH {
                self.settle(&mut batch, sought, best);
            }
        }
        batch.extend(rows.end - firsts.1.len()..rows.end);
        self.settle(&mut batch, sought, best);
    }

    /// Looks at the names and hashes of a batch. They are asked for together: each lies somewhere
    /// else in memory.
    fn settle(&self, batch: &mut Vec<usize>, sought: &Sought, best: &mut Best) {
        let touched = batch.iter().map(|row| {
            let near = self.first_is_near(*row, sought);
            if near { self.others[*row][0] } else { u64::from(self.names[*row][0][0]) }
        });
        std::hint::black_box(touched.fold(0, |all, one| all ^ one));
        for row in batch.drain(..) {
            if let Some(likely) = self.likely(row, sought) {
                best.add(likely);
            }
        }
    }

    fn first_is_near(&self, row: usize, sought: &Sought) -> bool {
        let near = |hash: &Pdq| (hash.0[0] ^ self.first[row]).count_ones() <= sought.first_max();
        sought.hashes.iter().any(near)
    }

    /// How an account is likely, if it is.
    fn likely(&self, row: usize, sought: &Sought) -> Option<Likely> {
        let mut name: Option<(f32, u32)> = None;
        for pattern in &sought.patterns {
            for (slot, masks) in self.names[row].iter().zip(&self.masks) {
                let missing = (pattern.mask & !masks[row]).count_ones();
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
