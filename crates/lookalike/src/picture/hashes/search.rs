//! Searching an index of hashes.

use super::{BLOCK, HashIndex};
use crate::picture::chunks::{CHUNKS, chunks};
use crate::picture::pdq::Pdq;

/// Buckets looked into together.
const GROUP: usize = 68;
/// Entries of one bucket looked at before their hashes are.
const STEP: usize = 512;
/// Entries whose following chunks share a line of the processor's cache.
const LINE: u32 = 32;
/// Entries of a bucket that are asked for ahead.
const TOUCHED: u32 = 8 * LINE;
/// In how many bits the following chunk may differ where more than the exact part is wanted: where
/// the chunk itself is equal, and where it differs. Far from chance where it is equal, so that more
/// is worth a look there. Of hashes of which 32 to 80 bits differ, as many as in edited pictures
/// and any of them, these find 61 in 100.
const LOOSE: [u32; 2] = [6, 3];
/// These find 72, and compare nearly five times as many; any number would find 77.
const LOOSER: [u32; 2] = [6, 5];
/// And in no more than this part of the radius: of a hash that far away most chunks differ in less.
const LOOSE_SHARE: u32 = 13;

/// How far to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Hashes farther than this are not told.
    pub radius: u32,
    /// All hashes within this distance are found: at most 47, and dear above 31.
    pub exact: u32,
    /// How much may differ beside an equal chunk, and beside one that is not, for what is farther.
    loose: [u32; 2],
}

impl Reach {
    /// Everything within 31 bits and nothing else: what PDQ calls the same picture.
    pub const SAME: Reach = Reach::within(31);

    /// Everything within so many bits and nothing else.
    pub const fn within(exact: u32) -> Reach {
        Reach { radius: exact, exact, loose: [0; 2] }
    }

    /// Everything within 31 bits, and what is met within that distance.
    pub const fn about(radius: u32) -> Reach {
        Reach { radius, exact: 31, loose: LOOSE }
    }

    /// As [`Reach::about`], and more of what is beyond 31 bits: for who has only a few hashes.
    pub const fn far(radius: u32) -> Reach {
        Reach { radius, exact: 31, loose: LOOSER }
    }

    /// Everything within 15 bits, and what is met within that distance: a seventeenth of the
    /// buckets, for who looks for much the same by many hashes.
    pub const fn glance(radius: u32) -> Reach {
        Reach { radius, exact: 15, loose: LOOSE }
    }
}

/// How much a search may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Entries looked at.
    pub entries: u64,
    /// Owners found: the nearest. A search ends early only where more than these are within the
    /// exact part of its reach.
    pub owners: usize,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { entries: 1_000_000, owners: 1_000 }
    }
}

/// An owner of a near hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// In how many bits its nearest hash differs.
    pub distance: u32,
    /// Who.
    pub owner: u32,
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The nearest first, each owner once.
    pub hits: &'a [Hit],
    /// Whether everything within the exact part of the reach is among them: neither entries nor
    /// owners ran out before.
    pub complete: bool,
    /// Entries looked at.
    pub entries: u64,
}

/// Space that searches use again.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    buckets: Vec<Bucket>,
    near: Vec<u32>,
    hits: Vec<Hit>,
}

/// Entries to compare.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    from: u32,
    to: u32,
    /// The query's following chunk.
    next: u16,
    /// In how many bits an entry's may differ.
    bound: u16,
}

impl HashIndex {
    /// Who has a hash near the query.
    pub fn search<'a>(
        &self,
        query: &Pdq,
        reach: Reach,
        budget: Budget,
        scratch: &'a mut Scratch,
    ) -> Found<'a> {
        scratch.hits.clear();
        let (entries, complete) = if self.starts.is_empty() {
            self.compare_all(query, reach, budget, scratch)
        } else {
            self.plan(query, reach, scratch);
            self.walk(query, reach, budget, scratch)
        };
        let complete = settle(&mut scratch.hits, reach, budget) && complete;
        Found { hits: &scratch.hits, complete, entries }
    }

    fn compare_all(
        &self,
        query: &Pdq,
        reach: Reach,
        budget: Budget,
        scratch: &mut Scratch,
    ) -> (u64, bool) {
        for (owner, hash) in self.owned() {
            let distance = query.distance(&hash);
            if distance <= reach.radius {
                scratch.hits.push(Hit { distance, owner });
            }
        }
        let entries = self.hashes.len() as u64;
        (entries, entries <= budget.entries)
    }

    /// Which buckets to look into.
    fn plan(&self, query: &Pdq, reach: Reach, scratch: &mut Scratch) {
        scratch.buckets.clear();
        let exact = reach.exact.min(reach.radius).min(47);
        let flips = exact / CHUNKS as u32;
        let pair = 2 * exact / CHUNKS as u32;
        let loose = if reach.radius > exact { reach.loose } else { [0; 2] };
        let all = chunks(query);
        for chunk in 0..CHUNKS {
            let value = all[chunk] & self.mask();
            let next = all[(chunk + 1) % CHUNKS];
            let mut look = |value: u16, differing: u32| {
                let at = (chunk << self.bits) + usize::from(value);
                let loose = loose[differing.min(1) as usize].min(reach.radius / LOOSE_SHARE);
                let bound = (pair - differing).max(loose) as u16;
                let (from, to) = (self.starts[at], self.starts[at + 1]);
                scratch.buckets.push(Bucket { from, to, next, bound });
            };
            look(value, 0);
            for one in 0..if flips > 0 { self.bits } else { 0 } {
                look(value ^ 1 << one, 1);
                for other in 0..if flips > 1 { one } else { 0 } {
                    look(value ^ 1 << one ^ 1 << other, 2);
                }
            }
        }
    }

    /// Looks into the planned buckets.
    fn walk(
        &self,
        query: &Pdq,
        reach: Reach,
        budget: Budget,
        scratch: &mut Scratch,
    ) -> (u64, bool) {
        let mut entries = 0;
        let Scratch { buckets, near, hits } = scratch;
        let following = &*self.following;
        for group in buckets.chunks(GROUP) {
            // Each step asks for all the group's memory at once, rather than piece by piece.
            touch(group.iter().map(|bucket| {
                let last = (bucket.from as usize + BLOCK).min(bucket.to as usize);
                following[bucket.from as usize] ^ following[last]
            }));
            for bucket in group.iter().filter(|bucket| bucket.to - bucket.from > LINE) {
                let end = bucket.to.min(bucket.from + TOUCHED);
                let lines = (bucket.from + LINE..end).step_by(LINE as usize);
                touch(lines.map(|at| following[at as usize]));
            }
            near.clear();
            for bucket in group {
                entries += u64::from(bucket.to - bucket.from);
                if entries > budget.entries {
                    return (entries, false);
                }
                for from in (bucket.from..bucket.to).step_by(STEP) {
                    let to = bucket.to.min(from + STEP as u32);
                    compare(following, &Bucket { from, to, ..*bucket }, near);
                    // What very many have is known to be theirs before all have been looked at.
                    if near.len() >= STEP && !self.look(query, reach, budget, near, hits) {
                        return (entries, false);
                    }
                }
            }
            if !self.look(query, reach, budget, near, hits) {
                return (entries, false);
            }
        }
        (entries, true)
    }

    /// Compares the hashes of these entries, and says whether it is worth going on: not where more
    /// than are wanted are within the exact distance already.
    fn look(
        &self,
        query: &Pdq,
        reach: Reach,
        budget: Budget,
        near: &mut Vec<u32>,
        hits: &mut Vec<Hit>,
    ) -> bool {
        let hashes = &*self.hashes;
        for near in &mut *near {
            *near = self.numbers.get(*near as usize);
        }
        touch(near.iter().map(|number| hashes[*number as usize][0] as u16));
        for number in near.drain(..) {
            let distance = query.distance(&Pdq(hashes[number as usize]));
            if distance <= reach.radius {
                hits.push(Hit { distance, owner: self.owner(number) });
            }
        }
        hits.len() <= 2 * budget.owners + CHUNKS || settle(hits, reach, budget)
    }
}

/// The entries of a bucket whose following chunk is near enough.
#[inline]
fn compare(following: &[u16], bucket: &Bucket, near: &mut Vec<u32>) {
    let (mut at, end) = (bucket.from as usize, bucket.to as usize);
    while at < end {
        // Past the bucket's end lie other entries or the padding: compared, not taken.
        let Some(block) = following[at..].first_chunk::<BLOCK>() else { return };
        let mut fits = fitting(block, bucket.next, bucket.bound);
        if end - at < BLOCK {
            fits &= (1 << (8 * (end - at))) - 1;
        }
        while fits != 0 {
            near.push(at as u32 + fits.trailing_zeros() / 8);
            fits &= fits - 1;
        }
        at += BLOCK;
    }
}

/// Has these read, so that what is done with them next need not wait for memory.
#[inline]
fn touch(values: impl Iterator<Item = u16>) {
    std::hint::black_box(values.fold(0, |all, one| all ^ one));
}

/// Which of a block's chunks differ from the query's in at most `bound` bits: the lowest bit of
/// each byte. The bits are counted by hand, for the compiler then does all of a block at once on
/// any processor.
#[inline]
fn fitting(block: &[u16; BLOCK], next: u16, bound: u16) -> u128 {
    let mut fits = [0; BLOCK];
    for (fits, chunk) in fits.iter_mut().zip(block) {
        let differing = chunk ^ next;
        let pairs = differing - (differing >> 1 & 0x5555);
        let fours = (pairs & 0x3333) + (pairs >> 2 & 0x3333);
        let eights = (fours + (fours >> 4)) & 0x0f0f;
        let count = (eights + (eights >> 8)) & 0x1f;
        *fits = u16::from(count <= bound);
    }
    // Mostly none fits, which is quicker to see than which one does.
    if fits.iter().fold(0, |any, fits| any | fits) == 0 {
        return 0;
    }
    u128::from_le_bytes(fits.map(|fits| fits as u8))
}

/// Keeps each owner's nearest hit, nearest first, and as many as allowed; whether none is dropped
/// that was promised.
fn settle(hits: &mut Vec<Hit>, reach: Reach, budget: Budget) -> bool {
    hits.sort_unstable_by_key(|hit| (hit.owner, hit.distance));
    hits.dedup_by_key(|hit| hit.owner);
    hits.sort_unstable();
    let dropped = hits.get(budget.owners).is_some_and(|nearest| nearest.distance <= reach.exact);
    hits.truncate(budget.owners);
    !dropped
}
