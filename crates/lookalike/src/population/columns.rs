//! The masks of names, kept by bits: for 256 accounts at a time, which of them have each symbol or
//! pair. A key asks only for its own bits, and of all those accounts at once.
//!
//! It must not know the names.

use super::mask;

/// Accounts that are looked at together.
pub(super) const BLOCK: usize = 256;
/// The words that hold a bit of each of them.
const WORDS: usize = BLOCK / 64;

/// Which accounts of a block.
pub(super) type Flags = [u64; WORDS];

/// For each bit of a mask, which accounts of the block have it.
type Block<const BITS: usize> = [Flags; BITS];

/// The masks of one kind of name, by row.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns<const BITS: usize = { mask::BITS }>(Vec<Block<BITS>>);

impl<const BITS: usize> Columns<BITS> {
    /// Bytes of an account.
    pub(super) const BYTES: usize = size_of::<Block<BITS>>().div_ceil(BLOCK);

    pub(super) fn memory(&self) -> usize {
        self.0.capacity() * size_of::<Block<BITS>>()
    }

    /// Sets the mask of a row, which is known or the next one.
    pub(super) fn set(&mut self, row: usize, mask: u128) {
        if row / BLOCK == self.0.len() {
            self.0.push([[0; WORDS]; BITS]);
        }
        let (word, one) = (row % BLOCK / 64, 1 << (row % 64));
        for (bit, flags) in self.0[row / BLOCK].iter_mut().enumerate() {
            if mask >> bit & 1 == 1 {
                flags[word] |= one;
            } else {
                flags[word] &= !one;
            }
        }
    }

    /// Lets the rows from the given one on go.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows.div_ceil(BLOCK));
    }

    /// The mask of a row.
    pub(super) fn get(&self, row: usize) -> u128 {
        let (word, at) = (row % BLOCK / 64, row % 64);
        let bits = self.0[row / BLOCK].iter().enumerate();
        bits.fold(0, |mask, (bit, flags)| mask | u128::from(flags[word] >> at & 1) << bit)
    }

    /// Which accounts of a block have a bit.
    pub(super) fn flags(&self, block: usize, bit: u8) -> Flags {
        self.0[block][usize::from(bit)]
    }

    /// Which accounts of a block may have a key in their name.
    #[inline]
    pub(super) fn having(&self, block: usize, key: &Wanted) -> Flags {
        let block = &self.0[block];
        match key {
            Wanted::All(bits) => all(block, bits),
            Wanted::ButOne(places) => but_one(block, places),
            Wanted::ButTwo(bits) => but_two(block, bits),
            Wanted::ButFew(bits) => but_few(block, bits),
        }
    }
}

/// What of a key's mask a name must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// These bits.
    All(Vec<u8>),
    /// All but what one edit takes away; of each symbol its bit, and that of its pair with the
    /// symbol before.
    ButOne(Vec<[u8; 2]>),
    /// All but two of these bits of which one follows the other.
    ButTwo(Vec<u8>),
    /// All but [`mask::MISSING_MAX`] of these bits.
    ButFew(Vec<u8>),
}

fn bits(mask: u128) -> Vec<u8> {
    (0..mask::BITS as u8).filter(|bit| mask >> bit & 1 == 1).collect()
}

impl Wanted {
    /// All of a mask.
    pub(super) fn all(mask: u128) -> Wanted {
        Wanted::All(bits(mask))
    }

    /// Of a key that may be changed in so many places.
    pub(super) fn of(key: &[u8], edits: u32) -> Wanted {
        let mask = mask::of(key);
        match edits {
            0 => Wanted::all(mask),
            1 => {
                let pair = |at: usize| match at.checked_sub(1) {
                    Some(before) => mask::pair_bit(key[before], key[at]),
                    // The first has none: its own bit again asks for nothing more.
                    None => mask::symbol_bit(key[at]),
                };
                let places = (0..key.len()).map(|at| [mask::symbol_bit(key[at]), pair(at)]);
                Wanted::ButOne(places.collect())
            }
            _ => Wanted::ButFew(bits(mask)),
        }
    }
}

fn and(a: Flags, b: Flags) -> Flags {
    std::array::from_fn(|word| a[word] & b[word])
}

fn or(a: Flags, b: Flags) -> Flags {
    std::array::from_fn(|word| a[word] | b[word])
}

/// Bits that are asked for before it is seen whether anybody is left.
const AT_ONCE: usize = 4;

fn all(block: &[Flags], bits: &[u8]) -> Flags {
    let mut having = [u64::MAX; WORDS];
    for bits in bits.chunks(AT_ONCE) {
        having = bits.iter().fold(having, |all, bit| and(all, block[usize::from(*bit)]));
        if having == [0; WORDS] {
            break;
        }
    }
    having
}

/// The symbols that an edit of a key of one edit may leave: `pattern::edits_max`.
const BUT_ONE_MAX: usize = 10;

/// Wherever the edit is, all before it is there and all behind it: a symbol and its pairs are
/// missing, or the three pairs around two symbols that changed places.
fn but_one(block: &[Flags], places: &[[u8; 2]]) -> Flags {
    let places = &places[..places.len().min(BUT_ONE_MAX)];
    let symbol = |at: usize| block[usize::from(places[at][0])];
    let pair = |at: usize| block[usize::from(places[at][1])];
    let all = [u64::MAX; WORDS];
    // Behind each place: the symbols from there on, and the pairs among them.
    let mut behind = [all; BUT_ONE_MAX + 2];
    for at in (0..places.len()).rev() {
        let next = if at + 1 < places.len() { pair(at + 1) } else { all };
        behind[at] = and(behind[at + 1], and(symbol(at), next));
    }
    let (mut before, mut having) = (all, [0; WORDS]);
    for at in 0..places.len() {
        having = or(having, and(before, behind[at + 1]));
        if at + 1 < places.len() {
            let both = and(symbol(at), symbol(at + 1));
            having = or(having, and(and(before, both), behind[at + 2]));
        }
        before = and(before, and(symbol(at), pair(at)));
    }
    having
}

/// Bits of which two may be missing: `sounds::NEAR`.
const BUT_TWO_MAX: usize = 13;

/// Wherever the two are, all before them is there and all behind.
fn but_two(block: &[Flags], bits: &[u8]) -> Flags {
    let bits = &bits[..bits.len().min(BUT_TWO_MAX)];
    let flags = |at: usize| block[usize::from(bits[at])];
    let mut behind = [[u64::MAX; WORDS]; BUT_TWO_MAX + 2];
    for at in (0..bits.len()).rev() {
        behind[at] = and(behind[at + 1], flags(at));
    }
    let (mut before, mut having) = ([u64::MAX; WORDS], [0; WORDS]);
    for at in 0..bits.len() {
        having = or(having, and(before, behind[at + 2]));
        before = and(before, flags(at));
    }
    having
}

/// Counts in binary, of all accounts at once, how many bits are missing.
fn but_few(block: &[Flags], bits: &[u8]) -> Flags {
    let [mut ones, mut twos, mut fours, mut more] = [[0; WORDS]; 4];
    for bit in bits {
        let missing: Flags = std::array::from_fn(|word| !block[usize::from(*bit)][word]);
        let carry = and(ones, missing);
        ones = std::array::from_fn(|word| ones[word] ^ missing[word]);
        let carry_on = and(twos, carry);
        twos = std::array::from_fn(|word| twos[word] ^ carry[word]);
        more = or(more, and(fours, carry_on));
        fours = std::array::from_fn(|word| fours[word] ^ carry_on[word]);
    }
    // Six and seven are too many, five are not.
    std::array::from_fn(|word| !(more[word] | fours[word] & twos[word]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flagged(name: &[u8], key: &[u8], edits: u32) -> bool {
        let mut columns = <Columns>::default();
        (0..300).for_each(|row| columns.set(row, u128::MAX));
        columns.set(299, mask::of(name));
        assert_eq!((columns.get(299), columns.get(298)), (mask::of(name), u128::MAX));
        let flags = columns.having(1, &Wanted::of(key, edits));
        assert_eq!(flags[0] & 1, 1, "who has everything has the key");
        flags[0] >> (299 - BLOCK) & 1 == 1
    }

    proptest! {
        #[test]
        fn what_is_missing_is_counted(
            key in prop::collection::vec(1_u8..30, 11..=24),
            name in prop::collection::vec(1_u8..30, 0..=24),
        ) {
            let missing = (mask::of(&key) & !mask::of(&name)).count_ones();
            prop_assert_eq!(flagged(&name, &key, 2), missing <= mask::MISSING_MAX);
            prop_assert_eq!(flagged(&name, &key, 0), missing == 0);
        }

        #[test]
        fn two_that_follow_each_other_may_be_missing(
            bits in prop::collection::vec(0_u8..60, 1..=BUT_TWO_MAX),
            has in any::<u64>(),
        ) {
            let mut columns = <Columns>::default();
            columns.set(0, has.into());
            let is_there = |bit: &u8| has >> bit & 1 == 1;
            let brute = (0..bits.len()).any(|at| {
                bits[..at].iter().all(is_there) && bits.iter().skip(at + 2).all(is_there)
            });
            let having = columns.having(0, &Wanted::ButTwo(bits.clone()));
            prop_assert_eq!(having[0] & 1 == 1, brute);
        }

        #[test]
        fn a_name_one_edit_away_is_flagged_and_one_without_an_end_is_not(
            key in prop::collection::vec(1_u8..26, 6..=10),
            at in 0_usize..10,
            kind in 0_u8..4,
        ) {
            prop_assert!(flagged(&mask::one_edit(&key, at, kind), &key, 1));
            let ends = [key[0], *key.last().unwrap()];
            let middle: Vec<u8> =
                key.iter().copied().filter(|symbol| !ends.contains(symbol)).collect();
            prop_assert!(ends[0] == ends[1] || !flagged(&middle, &key, 1));
        }
    }
}
