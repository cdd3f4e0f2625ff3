//! How a hash is cut into the sixteen chunks that the index looks up.
//!
//! # Why looking up chunks finds every near hash
//! Let d₀ … d₁₅ be in how many bits two hashes differ in each chunk, in a ring, and their sum at
//! most r. Then some chunk i has for every length l: dᵢ + … + dᵢ₊ₗ₋₁ ≤ l · r / 16. (Take the i
//! after the smallest prefix sum of dⱼ - r / 16: every run from i on then sums to at most 0,
//! for the whole ring does.) This is the pigeonring principle of Qin and Xiao (VLDB 2018). With
//! r = 31: one chunk differs in at most 1 bit, and with the next in at most 3.

use super::pdq::Pdq;

/// Chunks of a hash.
pub(super) const CHUNKS: usize = 16;
/// Bits of a chunk.
pub(super) const CHUNK_BITS: u32 = 16;

/// The chunks: squares of four by four coefficients, for neighbouring frequencies survive an edit
/// of the picture, or do not, together; from low frequencies to high ones along a snake.
const TILES: [(usize, u32); CHUNKS] = [
    (0, 0),
    (0, 1),
    (1, 0),
    (2, 0),
    (1, 1),
    (0, 2),
    (0, 3),
    (1, 2),
    (2, 1),
    (3, 0),
    (3, 1),
    (2, 2),
    (1, 3),
    (2, 3),
    (3, 2),
    (3, 3),
];

/// The chunks of a hash.
#[inline]
pub(super) fn chunks(hash: &Pdq) -> [u16; CHUNKS] {
    std::array::from_fn(|place| chunk(hash, place))
}

/// One of the chunks; the first follows the last.
#[inline]
pub(super) fn chunk(hash: &Pdq, place: usize) -> u16 {
    let (word, column) = TILES[place % CHUNKS];
    let rows = hash.0[word] >> (4 * column);
    let nibble = |row: u32| (rows >> (CHUNK_BITS * row) & 0xf) << (4 * row);
    (nibble(0) | nibble(1) | nibble(2) | nibble(3)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_in_exactly_one_chunk() {
        let mut seen = std::collections::BTreeSet::new();
        for bit in 0..256 {
            let mut hash = Pdq::default();
            hash.0[bit / 64] |= 1 << (bit % 64);
            let set: Vec<(usize, u16)> =
                chunks(&hash).into_iter().enumerate().filter(|(_, chunk)| *chunk != 0).collect();
            assert_eq!(set.len(), 1);
            assert_eq!(set[0].1.count_ones(), 1);
            seen.insert(set[0]);
        }
        assert_eq!(seen.len(), 256);
    }
}
