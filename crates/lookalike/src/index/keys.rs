//! Which hashes a folded key is found by, and what finding it so guarantees.
//!
//! Two keys within [`tolerance`] edits of one another share at least one hash here, whatever the
//! edits are; the scheme depends on the length of the protected key:
//! - up to 5 symbols: all keys with one symbol left out (one edit, swaps included);
//! - longer: `tolerance + 1` segments, one of which every key within as many edits (insertions,
//!   deletions, replacements) contains at nearly the same place, after G. Li, D. Deng, J. Wang and
//!   J. Feng, "Pass-Join: A Partition-Based Method for Similarity Joins" (2011).
//!
//! One swap of neighbours is found in keys of any length. It must not know where keys come from.

use super::postings;

/// What a hash is of, so that equal symbols of two kinds do not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A whole key.
    Whole = 1,
    /// A whole key without one of its symbols.
    Without = 2,
    /// How a name sounds.
    Sound = 3,
    /// The words of a name in alphabetical order.
    Words = 4,
    /// How a name sounds, roughly enough to be carried from script to script.
    Gist = 5,
    /// One word of a name of several.
    Word = 6,
}

/// A 64-bit hash of symbols; the same on every machine and in every version, since it is stored.
pub fn hash(family: u64, symbols: &[u8]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xd6e8_feb8_6659_fd93;
    let mut state = (family ^ (symbols.len() as u64) << 32).wrapping_mul(A);
    let (words, rest) = symbols.as_chunks::<8>();
    for word in words {
        state = (state ^ u64::from_le_bytes(*word)).wrapping_mul(B);
        state ^= state >> 32;
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    state = (state ^ u64::from_le_bytes(last)).wrapping_mul(B);
    state ^= state >> 29;
    state = state.wrapping_mul(A);
    state ^ state >> 32
}

/// The hash of a family's symbols, as a bucket hash and a tag to tell others in the bucket apart.
pub fn split(family: Family, symbols: &[u8]) -> (u32, u64) {
    let hash = hash(family as u64, symbols);
    ((hash >> 32) as u32, hash & 0xffff_ffff)
}

/// How many edits a protected key of so many symbols is found within.
pub const fn tolerance(len: usize) -> usize {
    match len {
        0..=2 => 0,
        3..=8 => 1,
        9..=15 => 2,
        _ => 3,
    }
}

/// How many edits a protected key of so many symbols is looked for within: beyond the tolerance
/// those of two segments are met where one of them is whole.
pub const fn reach(len: usize) -> usize {
    match len {
        6..=8 => 2,
        _ => tolerance(len),
    }
}

/// Whether keys of so many symbols are found by leaving symbols out instead of by segments.
pub const fn is_short(len: usize) -> bool {
    len <= 5
}

/// Where segment `index` of a key of `len` symbols starts and how long it is: as even as can be,
/// longer ones last.
pub const fn segment(len: usize, index: usize) -> (usize, usize) {
    let parts = tolerance(len) + 1;
    let (short, longer) = (len / parts, len % parts);
    let before = index.saturating_sub(parts - longer);
    let extra = (index >= parts - longer) as usize;
    (index * short + before, short + extra)
}

/// The bucket hash of a segment.
pub fn segment_hash(len: usize, index: usize, symbols: &[u8]) -> u32 {
    (hash(16 + (len * 4 + index) as u64, symbols) >> 32) as u32
}

/// Each segment of a protected key, as its bucket hash and the mask of what is around it; none of
/// short keys.
pub fn segments(key: &[u8]) -> impl Iterator<Item = (u32, u64)> + '_ {
    let parts = if is_short(key.len()) { 0 } else { tolerance(key.len()) + 1 };
    (0..parts).map(move |index| {
        let (start, len) = segment(key.len(), index);
        let hash = segment_hash(key.len(), index, &key[start..start + len]);
        (hash, mask(&key[..start], &key[start + len..], index, parts - 1))
    })
}

/// Where protected keys may be found of which a part of this key is a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub hash: u32,
    /// What is around the part here.
    pub mask: u64,
    /// How many edits the keys there are found within.
    pub edits: u8,
    /// Which of their segments it is.
    pub index: u8,
    /// Whether what is there is so much longer or shorter that it is not promised.
    pub is_beyond: bool,
}

/// Added to how far apart masks are where no more than what [`reach`] adds can be there.
pub const BEYOND: u8 = 64;

impl Place {
    /// In how many bits masks may differ where keys are to be no further apart than so much, as
    /// [`Place::apart`] says it; `None` if all here are. A bound: those that differ in fewer may
    /// be further apart.
    pub fn bound(&self, most: u8) -> Option<u32> {
        let promised = 2 * u32::from(self.edits);
        if most >= BEYOND {
            return Some(if self.edits == 1 { 4 } else { promised });
        }
        (!self.is_beyond).then_some(promised.min(u32::from(most)))
    }

    /// Whether a key may be within [`reach`] that has a segment here and this mask: in how many
    /// bits the masks then differ, and [`BEYOND`] more if it cannot be within the [`tolerance`].
    ///
    /// Among the segments that a key within the tolerance shares with this one is one with at most
    /// as many edits before it as there are segments before it, and likewise after it: the edits
    /// are one fewer than the segments, so that on a walk along them there is a first step at which
    /// edits fall behind.
    pub fn apart(&self, mask: u64) -> Option<u8> {
        let differing = self.mask ^ mask;
        let (edits, index) = (u32::from(self.edits), u32::from(self.index));
        if index == 0 || index == edits {
            let apart = differing.count_ones();
            let is_beyond = self.is_beyond || apart > 2 * edits;
            let most = if edits == 1 { 4 } else { 2 * edits };
            return (apart <= most).then_some(apart as u8 + if is_beyond { BEYOND } else { 0 });
        }
        let [before, after] = ones_of_both(differing);
        let near = before <= 2 * index && after <= 2 * (edits - index);
        near.then_some((before + after) as u8)
    }
}

/// How many bits are set of the half that speaks of what is before, and of the other: counted
/// together, as most processors that this may run on count, but not all that it is built for.
fn ones_of_both(mask: u64) -> [u32; 2] {
    let halves = mask >> HALF << 32 | mask & ((1 << HALF) - 1);
    let twos = halves - (halves >> 1 & 0x5555_5555_5555_5555);
    let fours = (twos & 0x3333_3333_3333_3333) + (twos >> 2 & 0x3333_3333_3333_3333);
    let eights = (fours + (fours >> 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    let all = eights + (eights >> 8) + (eights >> 16);
    [(all >> 32) as u32 & 0xff, all as u32 & 0xff]
}

/// Where to look for protected keys within their reach of this one.
pub fn probes(key: &[u8], out: &mut Vec<Place>) {
    let most = tolerance(usize::MAX);
    for len in key.len().saturating_sub(most).max(6)..=key.len() + most {
        let (edits, reach) = (tolerance(len), reach(len));
        let differing = key.len().abs_diff(len);
        if differing > reach {
            continue;
        }
        let longer = key.len() as isize - len as isize;
        for index in 0..=edits {
            let (start, segment) = segment(len, index);
            // Where more is looked for than is promised, all of it is on one side.
            let each = if reach > edits { reach } else { 1 };
            let [left, right] = [index, edits - index].map(|side| (side * each) as isize);
            let start = start as isize;
            let first = (start - left).max(start + longer - right).max(0);
            let last = (start + left).min(start + longer + right);
            for place in first..=last.min(key.len() as isize - segment as isize) {
                let (start, end) = (place as usize, place as usize + segment);
                out.push(Place {
                    hash: segment_hash(len, index, &key[start..end]),
                    mask: mask(&key[..start], &key[end..], index, edits),
                    edits: edits as u8,
                    index: index as u8,
                    is_beyond: differing > edits,
                });
            }
        }
    }
}

/// Which symbols occur before and after a segment of a key: an edit changes at most two bits. Half
/// of the bits speak of either side; beside the first and the last segment there is one side only,
/// and all of them speak of that.
fn mask(before: &[u8], after: &[u8], index: usize, last: usize) -> u64 {
    let all = |symbols: &[u8], classes: &[u8; 256]| {
        symbols.iter().fold(0u64, |mask, symbol| mask | 1 << classes[*symbol as usize])
    };
    if index == 0 {
        all(after, &FINE)
    } else if index == last {
        all(before, &FINE)
    } else {
        all(before, &COARSE) << HALF | all(after, &COARSE)
    }
}

/// How many bits speak of one of two sides.
const HALF: u32 = postings::TAG_BITS / 2;

/// The class of each symbol among so many: the letters most common in names have one to
/// themselves, as far as there are enough.
const fn classes(count: usize) -> [u8; 256] {
    let order = *b"aeinorltshdmcuygkbpjvwfzxq";
    let alone = if count > order.len() { order.len() } else { 16 };
    let mut class = [0; 256];
    let mut symbol = 0;
    while symbol < 256 {
        class[symbol] = (alone + (symbol * 7 + symbol / 16) % (count - alone)) as u8;
        symbol += 1;
    }
    let mut place = 0;
    while place < alone {
        class[order[place] as usize] = place as u8;
        place += 1;
    }
    class
}

const COARSE: [u8; 256] = classes(HALF as usize);
const FINE: [u8; 256] = classes(postings::TAG_BITS as usize);

/// Calls with each key that lacks one symbol of this one.
pub fn without_one(key: &[u8], mut with: impl FnMut(&[u8])) {
    let mut shorter = [0u8; 64];
    let len = key.len().min(shorter.len());
    for left_out in 0..len {
        // Leaving out either of two equal neighbours gives the same key.
        if left_out > 0 && key[left_out] == key[left_out - 1] {
            continue;
        }
        shorter[..left_out].copy_from_slice(&key[..left_out]);
        shorter[left_out..len - 1].copy_from_slice(&key[left_out + 1..len]);
        with(&shorter[..len - 1]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn segments_cover_a_key() {
        for len in 6..32 {
            let parts = tolerance(len) + 1;
            let mut end = 0;
            for index in 0..parts {
                let (start, long) = segment(len, index);
                assert_eq!(start, end, "{len} {index}");
                assert!(long >= 2, "{len} {index}");
                end = start + long;
            }
            assert_eq!(end, len);
        }
    }

    #[test]
    fn two_edits_in_one_half_of_a_short_key_are_met_beyond_what_is_promised() {
        let met = |key: &str, query: &str| {
            let mut found = Vec::new();
            probes(query.as_bytes(), &mut found);
            let apart = segments(key.as_bytes()).flat_map(|(hash, mask)| {
                let at = found.iter().filter(move |place| place.hash == hash);
                at.filter_map(move |place| place.apart(mask))
            });
            apart.min().map(|apart| apart >= BEYOND)
        };
        for (query, beyond) in [
            ("brandon", Some(false)),
            ("brandan", Some(false)),
            ("brando", Some(false)),
            ("brandxy", Some(true)),
            ("brandxons", Some(true)),
            ("branx", Some(true)),
            ("ndon", None),
            ("andon", Some(true)),
            ("xybrandon", Some(true)),
            ("brxndxn", None),
            ("brandonxyz", None),
        ] {
            assert_eq!(met("brandon", query), beyond, "{query}");
        }
    }

    #[derive(Debug, Clone)]
    enum Edit {
        Insert(usize, u8),
        Delete(usize),
        Replace(usize, u8),
    }

    fn edit() -> impl Strategy<Value = Edit> {
        prop_oneof![
            (0usize..40, b'a'..b'e').prop_map(|(at, symbol)| Edit::Insert(at, symbol)),
            (0usize..40).prop_map(Edit::Delete),
            (0usize..40, b'a'..b'e').prop_map(|(at, symbol)| Edit::Replace(at, symbol)),
        ]
    }

    proptest! {
        #[test]
        fn keys_within_the_tolerance_share_a_probe(
            key in proptest::collection::vec(b'a'..b'e', 6..31),
            edits in proptest::collection::vec(edit(), 3),
        ) {
            let mut query = key.clone();
            for edit in edits.iter().take(tolerance(key.len())) {
                match *edit {
                    Edit::Insert(at, symbol) => query.insert(at % (query.len() + 1), symbol),
                    Edit::Delete(at) => drop(query.remove(at % query.len())),
                    Edit::Replace(at, symbol) => {
                        let len = query.len();
                        query[at % len] = symbol;
                    }
                }
            }
            let mut found = Vec::new();
            probes(&query, &mut found);
            let is_met = |(hash, mask): (u32, u64)| {
                found.iter().any(|place| place.hash == hash && place.apart(mask).is_some())
            };
            prop_assert!(segments(&key).any(is_met));
        }

        #[test]
        fn what_is_no_further_apart_differs_in_no_more_bits_than_the_bound(
            edits in 1u8..4,
            index in 0u8..4,
            is_beyond in any::<bool>(),
            differing in proptest::collection::vec(0u32..postings::TAG_BITS, 0..9),
            most in 0u8..100,
        ) {
            let place = Place { hash: 0, mask: 0, edits, index: index.min(edits), is_beyond };
            // Only beside the first and the last part is more looked for than is promised.
            let place = Place { is_beyond: is_beyond && edits == 1, ..place };
            let mask = differing.iter().fold(0, |mask, bit| mask | 1 << bit);
            if let Some(apart) = place.apart(mask).filter(|apart| *apart <= most) {
                let bound = place.bound(most);
                prop_assert!(bound.is_some_and(|bound| mask.count_ones() <= bound), "{}", apart);
            }
        }
    }
}
