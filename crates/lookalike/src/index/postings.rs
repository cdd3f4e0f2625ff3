//! Postings: which rows have something in common, found by a 32-bit hash of it.
//!
//! One array of eight-byte postings, cut into buckets by the leading bits of the hash. A posting
//! carries a tag by which most rows are dropped unseen. It must not know what is hashed.

use std::io::{self, Read, Write};

use super::bytes;
use crate::column::Column;

/// A row, and what is known of it without looking at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The row.
    pub row: u32,
    /// What the builder chose to keep, [`TAG_BITS`] of it.
    pub tag: u64,
}

impl Posting {
    const fn of(both: u64) -> Posting {
        Posting { row: (both >> TAG_BITS) as u32, tag: both & TAG_MASK }
    }
}

/// How many postings are looked at together.
const BLOCK: usize = 8;
/// How many share a line of the processor's cache.
const LINE: usize = 8;
/// How many of a bucket are asked for ahead.
const TOUCHED: usize = 32 * LINE;
/// How many bits of a posting are its tag; the others are its row.
pub const TAG_BITS: u32 = 38;
/// The most rows that postings can name.
pub const MAX_ROWS: usize = 1 << (64 - TAG_BITS);
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;

/// Immutable postings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Postings {
    /// Of the hash, how many leading bits choose the bucket.
    bits: u32,
    /// Where each bucket starts; one more than there are buckets.
    starts: Column<u32>,
    rows: Column<u64>,
}

impl Postings {
    /// Builds them from (hash, posting) in several shares; within a bucket their order is kept.
    pub fn build(shares: &[Vec<(u32, Posting)>]) -> Postings {
        let len: usize = shares.iter().map(Vec::len).sum();
        let entries = || shares.iter().flatten();
        // About four postings a bucket: the directory then costs a byte a posting.
        let bits = (len as u64 / 4).max(2).ilog2().min(30);
        let bucket = |hash: u32| (hash >> (32 - bits)) as usize;
        let mut starts = Column::<u32>::zeroed((1 << bits) + 1);
        let counts = &mut *starts;
        for (hash, _) in entries() {
            counts[bucket(*hash) + 1] += 1;
        }
        for place in 1..counts.len() {
            counts[place] += counts[place - 1];
        }
        let mut next = starts.clone();
        let mut rows = Column::<u64>::zeroed(len);
        let (places, filled) = (&mut *next, &mut *rows);
        for (hash, posting) in entries() {
            let place = &mut places[bucket(*hash)];
            filled[*place as usize] = u64::from(posting.row) << TAG_BITS | posting.tag & TAG_MASK;
            *place += 1;
        }
        Postings { bits, starts, rows }
    }

    /// All postings whose hash has the same leading bits as this one.
    pub fn bucket(&self, hash: u32) -> impl ExactSizeIterator<Item = Posting> + '_ {
        self.of(hash).iter().map(|both| Posting::of(*both))
    }

    /// Calls with each of a [`Postings::bucket`] whose tag differs from this one in at most so many
    /// bits, and says how many it looked at.
    pub fn near(&self, hash: u32, tag: u64, most: u32, mut with: impl FnMut(Posting)) -> usize {
        let bucket = self.of(hash);
        // The bits of several are counted at once, on any processor; mostly none is near enough.
        for block in bucket.chunks(BLOCK) {
            let mut apart = [0; BLOCK];
            for (apart, both) in apart.iter_mut().zip(block) {
                *apart = ((both ^ tag) & TAG_MASK).count_ones();
            }
            if apart.iter().all(|apart| *apart > most) {
                continue;
            }
            for (both, _) in block.iter().zip(apart).filter(|(_, apart)| *apart <= most) {
                with(Posting::of(*both));
            }
        }
        bucket.len()
    }

    fn of(&self, hash: u32) -> &[u64] {
        if self.rows.is_empty() {
            return &[];
        }
        let bucket = (hash >> (32 - self.bits)) as usize;
        &self.rows[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
    }

    /// Has the buckets of some hashes fetched together, so that looking into one after the other
    /// need not wait for memory each time.
    pub fn touch(&self, hashes: impl Iterator<Item = u32> + Clone) {
        if self.rows.is_empty() {
            return;
        }
        let start = |hash: u32| self.starts[(hash >> (32 - self.bits)) as usize];
        std::hint::black_box(hashes.clone().fold(0, |all, hash| all ^ start(hash)));
        let lines = hashes.flat_map(|hash| {
            let bucket = (hash >> (32 - self.bits)) as usize;
            let (from, to) = (self.starts[bucket] as usize, self.starts[bucket + 1] as usize);
            (from..to.min(from + TOUCHED)).step_by(LINE)
        });
        std::hint::black_box(lines.fold(0, |all, at| all ^ self.rows[at]));
    }

    /// How many bytes it holds.
    pub fn memory(&self) -> usize {
        self.starts.memory() + self.rows.memory()
    }

    /// Writes it.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        bytes::write_u32(to, self.bits)?;
        bytes::write_all_u32(to, &self.starts)?;
        bytes::write_all_u64(to, &self.rows)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// If reading fails or it does not fit together.
    pub fn read_from(from: &mut dyn Read) -> io::Result<Postings> {
        let bits = bytes::read_u32(from)?;
        let starts = Column::from(bytes::read_all_u32(from)?);
        let rows = Column::from(bytes::read_all_u64(from)?);
        let fits = rows.is_empty()
            || bits <= 30
                && starts.len() == (1 << bits) + 1
                && starts.is_sorted()
                && starts.last() == Some(&(rows.len() as u32));
        if !fits {
            return Err(bytes::broken("postings do not fit their directory"));
        }
        Ok(Postings { bits, starts, rows })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_holds_all_of_a_hash_in_order(
            hashes in proptest::collection::vec(0u32..400, 0..300),
        ) {
            let spread = |hash: u32| hash.wrapping_mul(0x9e37_79b9);
            let entries: Vec<(u32, Posting)> = hashes
                .iter()
                .enumerate()
                .map(|(row, hash)| {
                    let posting = Posting { row: row as u32, tag: u64::from(*hash) };
                    (spread(*hash), posting)
                })
                .collect();
            let mut written = Vec::new();
            Postings::build(&[entries]).write_to(&mut written).unwrap();
            let postings = Postings::read_from(&mut written.as_slice()).unwrap();
            for hash in 0..400 {
                let found: Vec<u32> = postings
                    .bucket(spread(hash))
                    .filter(|posting| posting.tag == u64::from(hash))
                    .map(|posting| posting.row)
                    .collect();
                let expected: Vec<u32> =
                    (0..hashes.len() as u32).filter(|row| hashes[*row as usize] == hash).collect();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn near_postings_are_those_of_a_bucket_whose_tags_are(
            tags in proptest::collection::vec(0u64..64, 0..40),
            of in 0u64..64,
            most in 0u32..7,
        ) {
            let entries = tags.iter().enumerate();
            let entries = entries.map(|(row, &tag)| (7, Posting { row: row as u32, tag }));
            let postings = Postings::build(&[entries.collect()]);
            for hash in [7, 7 << 28] {
                let mut near = Vec::new();
                let looked_at = postings.near(hash, of, most, |posting| near.push(posting));
                let bucket = || postings.bucket(hash);
                prop_assert_eq!(looked_at, bucket().len());
                let expected: Vec<Posting> =
                    bucket().filter(|each| (each.tag ^ of).count_ones() <= most).collect();
                prop_assert_eq!(near, expected);
            }
        }
    }
}
