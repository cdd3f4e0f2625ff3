//! An index of hashes: which are near a given one. Immutable once built; an owner may have
//! several hashes.
//!
//! # What it promises
//! [`Reach::exact`] names a distance up to which every hash is found (`chunks` says why), and
//! [`Reach::radius`] one up to which hashes are told when they are met on the way. Both hold for a
//! search that says it is complete; one that met its [`Budget`] says so.
//!
//! # How
//! For each chunk there is a list of all hashes ordered by that chunk, with a directory by its
//! value. A search looks up its own chunks and their neighbours by a bit or two, compares the
//! following chunk, kept beside each entry, and only then the hash. Five bytes an entry, sixteen
//! entries a hash, and the hash: 112 bytes, and 4 more where owners have several; 16 more where
//! there are more than 16 million hashes, whose numbers take a byte more. Small indexes have a
//! directory by fewer bits of the chunk, which finds more than is needed and loses nothing.

mod keep;
mod search;

use super::chunks::{CHUNK_BITS, CHUNKS, chunk};
use super::pdq::Pdq;
use crate::column::Column;
use crate::packed::Packed;

pub use keep::ReadError;
pub use search::{Budget, Found, Hit, Reach, Scratch};

/// The most hashes that one index holds.
pub const OWNED_MAX: usize = 1 << 27;
/// Below this many hashes all are compared.
const DIRECT_BELOW: usize = 256;
/// Entries of a bucket aimed at, as a power of two.
const BUCKET_BITS: u32 = 3;
/// Entries compared at a time.
const BLOCK: usize = 16;
/// The index.
#[derive(Clone, Debug, Default)]
pub struct HashIndex {
    hashes: Column<[u64; 4]>,
    /// Of each hash; empty where each is its owner's only one, in the order of the owners.
    owners: Column<u32>,
    /// Bits of a chunk that the directory is by.
    bits: u32,
    /// Where each bucket begins, chunk by chunk, and the end.
    starts: Column<u32>,
    /// Of each entry: the chunk after the one that it is ordered by.
    following: Column<u16>,
    /// Of each entry: the number of its hash.
    numbers: Packed,
}

/// Making.
impl HashIndex {
    /// An index of these owners' hashes.
    ///
    /// # Panics
    /// If there are more than [`OWNED_MAX`].
    pub fn build(owned: impl ExactSizeIterator<Item = (u32, Pdq)>) -> HashIndex {
        let (owners, hashes): (Vec<u32>, Vec<[u64; 4]>) =
            owned.map(|(owner, hash)| (owner, hash.0)).unzip();
        HashIndex::of(hashes.into(), owners.into())
    }

    fn of(hashes: Column<[u64; 4]>, owners: Column<u32>) -> HashIndex {
        assert!(hashes.len() <= OWNED_MAX, "an index holds at most {OWNED_MAX} hashes");
        let count = hashes.len();
        let one_each = owners.iter().zip(0..).all(|(owner, number)| *owner == number);
        let owners = if one_each { Column::default() } else { owners };
        if count < DIRECT_BELOW {
            return HashIndex { hashes, owners, ..HashIndex::default() };
        }
        let bits = count.ilog2().saturating_sub(BUCKET_BITS).min(CHUNK_BITS);
        let mut index = HashIndex {
            hashes,
            owners,
            bits,
            starts: Column::zeroed((CHUNKS << bits) + 1),
            following: Column::zeroed(count * CHUNKS + BLOCK),
            numbers: Packed::zeroed(count * CHUNKS, (count - 1) as u32),
        };
        let mut heads = Vec::with_capacity(count);
        for place in 0..CHUNKS {
            index.fill(place, &mut heads);
        }
        index.starts[CHUNKS << bits] = (count * CHUNKS) as u32;
        index
    }

    /// Orders all hashes by one chunk.
    fn fill(&mut self, place: usize, heads: &mut Vec<(u16, u16)>) {
        heads.clear();
        heads.extend(self.hashes.iter().map(|hash| {
            let hash = Pdq(*hash);
            (chunk(&hash, place) & self.mask(), chunk(&hash, place + 1))
        }));
        let starts = &mut self.starts[place << self.bits..(place + 1) << self.bits];
        for (value, _) in heads.iter() {
            starts[usize::from(*value)] += 1;
        }
        let mut at = (place * self.hashes.len()) as u32;
        for start in starts.iter_mut() {
            at += std::mem::replace(start, at);
        }
        let mut ends = starts.to_vec();
        let (following, numbers) = (&mut *self.following, &mut self.numbers);
        for (number, (value, next)) in heads.iter().enumerate() {
            let at = ends[usize::from(*value)] as usize;
            ends[usize::from(*value)] += 1;
            following[at] = *next;
            numbers.set(at, number as u32);
        }
    }

    /// The bits of a chunk that the directory is by.
    fn mask(&self) -> u16 {
        ((1_u32 << self.bits) - 1) as u16
    }

    /// Hashes in it.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether it has no hash.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The hash of that place, in the order they were given.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn get(&self, place: u32) -> Pdq {
        Pdq(self.hashes[place as usize])
    }

    /// Whose hash it is.
    fn owner(&self, number: u32) -> u32 {
        self.owners.get(number as usize).copied().unwrap_or(number)
    }

    /// The owners and their hashes, in the order they were given.
    pub fn owned(&self) -> impl ExactSizeIterator<Item = (u32, Pdq)> {
        let hashes = self.hashes.iter().enumerate();
        hashes.map(|(number, hash)| (self.owner(number as u32), Pdq(*hash)))
    }

    /// Bytes that it holds.
    pub fn memory(&self) -> usize {
        self.hashes.memory()
            + self.owners.memory()
            + self.starts.memory()
            + self.numbers.memory()
            + self.following.memory()
    }
}
