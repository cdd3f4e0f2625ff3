//! An index of hashes: which are near a given one. Immutable once built; an owner may have
//! several hashes.
//!
//! # What it promises
//! [`Reach::exact`] names a distance up to which every hash is found (see `chunks` for why), and
//! [`Reach::radius`] one up to which hashes are told when they are met on the way. Both hold for a
//! search that says it is complete; one that met its [`Budget`] says so.
//!
//! # How
//! For each chunk there is a list of all hashes ordered by that chunk, with a directory by its
//! value. A search looks up its own chunks and their neighbours by a bit or two, compares the
//! following chunk, kept beside each entry, and only then the hash. Six bytes an entry, sixteen
//! entries a hash, and the hash and its owner: 132 bytes. Small indexes have a directory by fewer
//! bits of the chunk, which finds more than is needed and loses nothing.

use std::io::{self, Read, Write};

use super::chunks::{CHUNK_BITS, CHUNKS, chunks};
use super::pdq::Pdq;

/// The most hashes that one index holds.
pub const OWNED_MAX: usize = 1 << 27;
/// Below this many hashes all are compared.
const DIRECT_BELOW: usize = 256;
/// Entries of a bucket aimed at, as a power of two.
const BUCKET_BITS: u32 = 3;
/// Entries compared at a time.
const BLOCK: usize = 16;
/// Buckets looked into together.
const GROUP: usize = 68;
/// In how many bits the following chunk may differ where more than the exact part is wanted.
const LOOSE_MAX: u32 = 5;
/// First bytes of a written index.
const MAGIC: [u8; 8] = *b"pdqidx\x00\x01";
/// Hashes read at a time.
const READ_AT_ONCE: usize = 4_096;

/// How far to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Hashes farther than this are not told.
    pub radius: u32,
    /// All hashes within this distance are found: at most 47, and dear above 31.
    pub exact: u32,
}

impl Reach {
    /// Everything within 31 bits and nothing else: what PDQ calls the same picture.
    pub const SAME: Reach = Reach { radius: 31, exact: 31 };
    /// Everything within 31 bits, and what is met within that distance.
    pub const fn about(radius: u32) -> Reach {
        Reach { radius, exact: 31 }
    }
}

/// How much a search may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Entries looked at.
    pub entries: u64,
    /// Owners found.
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
    /// Whether the search ended before its budget.
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

/// Why written bytes are not an index.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// They could not be read, or end too soon.
    #[error("the hashes cannot be read: {0}")]
    Io(#[from] io::Error),
    /// They are something else.
    #[error("these bytes are not an index of hashes")]
    NotAnIndex,
}

/// The index.
#[derive(Clone, Debug, Default)]
pub struct HashIndex {
    hashes: Vec<Pdq>,
    owners: Vec<u32>,
    /// Bits of a chunk that the directory is by.
    bits: u32,
    /// Where each bucket begins, chunk by chunk, and the end.
    starts: Vec<u32>,
    /// Of each entry: the chunk after the one that it is ordered by.
    following: Vec<u16>,
    /// Of each entry: the number of its hash.
    numbers: Vec<u32>,
}

/// Making.
impl HashIndex {
    /// An index of these owners' hashes.
    ///
    /// # Panics
    /// If there are more than [`OWNED_MAX`].
    pub fn build(owned: impl ExactSizeIterator<Item = (u32, Pdq)>) -> HashIndex {
        let (owners, hashes): (Vec<u32>, Vec<Pdq>) = owned.unzip();
        HashIndex::of(hashes, owners)
    }

    fn of(hashes: Vec<Pdq>, owners: Vec<u32>) -> HashIndex {
        assert!(hashes.len() <= OWNED_MAX, "an index holds at most {OWNED_MAX} hashes");
        let count = hashes.len();
        if count < DIRECT_BELOW {
            return HashIndex { hashes, owners, ..HashIndex::default() };
        }
        let bits = count.ilog2().saturating_sub(BUCKET_BITS).min(CHUNK_BITS);
        let mut index = HashIndex {
            hashes,
            owners,
            bits,
            starts: vec![0; (CHUNKS << bits) + 1],
            following: vec![0; count * CHUNKS + BLOCK],
            numbers: vec![0; count * CHUNKS],
        };
        let mut heads = Vec::with_capacity(count);
        for chunk in 0..CHUNKS {
            index.fill(chunk, &mut heads);
        }
        index.starts[CHUNKS << bits] = (count * CHUNKS) as u32;
        index
    }

    /// Orders all hashes by one chunk.
    fn fill(&mut self, chunk: usize, heads: &mut Vec<(u16, u16)>) {
        heads.clear();
        heads.extend(self.hashes.iter().map(|hash| {
            let all = chunks(hash);
            (all[chunk] & self.mask(), all[(chunk + 1) % CHUNKS])
        }));
        let starts = &mut self.starts[chunk << self.bits..(chunk + 1) << self.bits];
        for (value, _) in heads.iter() {
            starts[usize::from(*value)] += 1;
        }
        let mut at = (chunk * self.hashes.len()) as u32;
        for start in starts.iter_mut() {
            at += std::mem::replace(start, at);
        }
        let mut ends = starts.to_vec();
        for (number, (value, next)) in heads.iter().enumerate() {
            let at = ends[usize::from(*value)] as usize;
            ends[usize::from(*value)] += 1;
            self.following[at] = *next;
            self.numbers[at] = number as u32;
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
        self.hashes[place as usize]
    }

    /// The owners and their hashes, in the order they were given.
    pub fn owned(&self) -> impl ExactSizeIterator<Item = (u32, Pdq)> {
        self.owners.iter().copied().zip(self.hashes.iter().copied())
    }

    /// Bytes that it holds.
    pub fn memory(&self) -> usize {
        self.hashes.capacity() * size_of::<Pdq>()
            + (self.owners.capacity() + self.starts.capacity() + self.numbers.capacity())
                * size_of::<u32>()
            + self.following.capacity() * size_of::<u16>()
    }
}

/// Searching.
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
        let complete = settle(&mut scratch.hits, budget.owners) && complete;
        Found { hits: &scratch.hits, complete, entries }
    }

    fn compare_all(
        &self,
        query: &Pdq,
        reach: Reach,
        budget: Budget,
        scratch: &mut Scratch,
    ) -> (u64, bool) {
        for (hash, owner) in self.hashes.iter().zip(&self.owners) {
            let distance = query.distance(hash);
            if distance <= reach.radius {
                scratch.hits.push(Hit { distance, owner: *owner });
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
        let loose = if reach.radius > exact { (reach.radius / 8).min(LOOSE_MAX) } else { 0 };
        let all = chunks(query);
        for chunk in 0..CHUNKS {
            let value = all[chunk] & self.mask();
            let next = all[(chunk + 1) % CHUNKS];
            let mut look = |value: u16, differing: u32| {
                let at = (chunk << self.bits) + usize::from(value);
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
        for group in scratch.buckets.chunks(GROUP) {
            // Each step asks for all the group's memory at once, rather than piece by piece.
            touch(group.iter().map(|bucket| {
                let last = (bucket.from as usize + BLOCK).min(bucket.to as usize);
                self.following[bucket.from as usize] ^ self.following[last]
            }));
            scratch.near.clear();
            for bucket in group {
                entries += u64::from(bucket.to - bucket.from);
                if entries > budget.entries {
                    return (entries, false);
                }
                self.compare(bucket, &mut scratch.near);
            }
            for near in &mut scratch.near {
                *near = self.numbers[*near as usize];
            }
            touch(scratch.near.iter().map(|number| self.hashes[*number as usize].0[0] as u16));
            for number in &scratch.near {
                let distance = query.distance(&self.hashes[*number as usize]);
                if distance <= reach.radius {
                    scratch.hits.push(Hit { distance, owner: self.owners[*number as usize] });
                }
            }
            if scratch.hits.len() > 2 * budget.owners + CHUNKS
                && !settle(&mut scratch.hits, budget.owners)
            {
                return (entries, false);
            }
        }
        (entries, true)
    }

    /// The entries of a bucket whose following chunk is near enough.
    #[inline]
    fn compare(&self, bucket: &Bucket, near: &mut Vec<u32>) {
        let (mut at, end) = (bucket.from as usize, bucket.to as usize);
        while at < end {
            // Past the bucket's end lie other entries or the padding: compared, not taken.
            let Some(block) = self.following[at..].first_chunk::<BLOCK>() else { return };
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
    let fits = block.map(|chunk| {
        let differing = chunk ^ next;
        let pairs = differing - (differing >> 1 & 0x5555);
        let fours = (pairs & 0x3333) + (pairs >> 2 & 0x3333);
        let eights = (fours + (fours >> 4)) & 0x0f0f;
        let count = (eights + (eights >> 8)) & 0x1f;
        u16::from(count <= bound)
    });
    u128::from_le_bytes(fits.map(|fits| fits as u8))
}

/// Keeps each owner's nearest hit, nearest first, and as many as allowed; whether all were.
fn settle(hits: &mut Vec<Hit>, owners: usize) -> bool {
    hits.sort_unstable_by_key(|hit| (hit.owner, hit.distance));
    hits.dedup_by_key(|hit| hit.owner);
    hits.sort_unstable();
    let all = hits.len() <= owners;
    hits.truncate(owners);
    all
}

/// Keeping.
impl HashIndex {
    /// Writes the hashes and owners, little-endian; the rest is made again when read.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&MAGIC)?;
        to.write_all(&(self.hashes.len() as u64).to_le_bytes())?;
        for (hash, owner) in self.hashes.iter().zip(&self.owners) {
            let mut record = [0; 36];
            for (word, bytes) in hash.0.iter().zip(record.chunks_exact_mut(8)) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            record[32..].copy_from_slice(&owner.to_le_bytes());
            to.write_all(&record)?;
        }
        Ok(())
    }

    /// Reads what [`HashIndex::write_to`] wrote; hand it a buffered reader.
    ///
    /// # Errors
    /// If reading fails, or the bytes are not an index.
    pub fn read_from(from: &mut impl Read) -> Result<HashIndex, ReadError> {
        let mut head = [0; 16];
        from.read_exact(&mut head)?;
        let (magic, count) = head.split_at(8);
        let count = count.iter().rev().fold(0, |count, byte| count << 8 | u64::from(*byte));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if magic != MAGIC || count > OWNED_MAX {
            return Err(ReadError::NotAnIndex);
        }
        // The count may lie: space is taken as records come.
        let (mut hashes, mut owners) = (Vec::new(), Vec::new());
        let mut record = [0; 36];
        for number in 0..count {
            if number % READ_AT_ONCE == 0 && number == hashes.capacity() {
                hashes.reserve_exact(number.max(READ_AT_ONCE).min(count - number));
                owners.reserve_exact(number.max(READ_AT_ONCE).min(count - number));
            }
            from.read_exact(&mut record)?;
            let word = |at: usize| {
                record[at..at + 8].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
            };
            hashes.push(Pdq([word(0), word(8), word(16), word(24)]));
            owners.push(record[32..].iter().rev().fold(0, |owner, b| owner << 8 | u32::from(*b)));
        }
        Ok(HashIndex::of(hashes, owners))
    }
}
