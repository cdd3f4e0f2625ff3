//! The words of a name that are looked for in any order, whatever else stands among them.
//!
//! It must not know which words they are.

use super::columns::Wanted;
use super::mask;
use super::names::ROOM;

/// The fewest symbols of all words together: shorter names are in too many others.
const SYMBOLS_MIN: usize = 6;
/// The fewest of one.
const WORD_MIN: usize = 2;
/// The most words: of more the rest are left out.
const MOST: usize = 4;

/// Words made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// Each of them, the longest first.
    words: Vec<Vec<u8>>,
    /// Symbols of all of them.
    pub(super) len: usize,
    mask: u128,
    /// What a name must have.
    pub(super) wanted: Wanted,
}

impl Words {
    /// Of these; `None` if there are not several, or they are too short.
    pub(super) fn new(words: &[&[u8]]) -> Option<Words> {
        // What is longer is in no name.
        let cut = |word: &&[u8]| word[..word.len().min(ROOM)].to_vec();
        let mut words: Vec<Vec<u8>> = words.iter().map(cut).collect();
        words.retain(|word| word.len() >= WORD_MIN);
        words.truncate(MOST);
        words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
        let len = words.iter().map(Vec::len).sum();
        if words.len() < 2 || len < SYMBOLS_MIN {
            return None;
        }
        let mask = words.iter().fold(0, |all, word| all | mask::of(word));
        // Each symbol is in a pair, and pairs are rarer.
        let wanted = Wanted::all(mask & mask::PAIRS);
        Some(Words { words, len, mask, wanted })
    }

    /// Whether each word is somewhere in a name, none where another is, but that one may begin with
    /// the symbol that another ends with: two of the same are one. The longest are placed first,
    /// each as far to the front as it can be. The mask is that of the name.
    pub(super) fn are_in(&self, name: &[u8], mask: u128) -> bool {
        if self.mask & !mask != 0 {
            return false;
        }
        let mut taken = 0_u64;
        self.words.iter().all(|word| {
            let all = (1_u64 << (word.len() - 1)) - 1;
            let places = 0..=name.len().saturating_sub(word.len());
            let place =
                places.filter(|at| taken & all << at == 0).find(|at| name[*at..].starts_with(word));
            taken |= place.map_or(0, |at| all << at);
            place.is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_are_found_in_any_order_with_others_among_them_and_not_if_one_lacks(
            words in prop::collection::vec("[a-e]{2,5}", 2..=4),
            others in prop::collection::vec("[a-g]{0,3}", 5),
            order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
            lacking in 0_usize..4,
        ) {
            let parts: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
            let sought = Words::new(&parts);
            let Some(sought) = sought else {
                prop_assert!(words.concat().len() < SYMBOLS_MIN);
                return Ok(());
            };
            let order = || order.iter().filter(|at| **at < words.len()).zip(&others);
            let framed = |(at, other): (&usize, &String)| format!("{other}x{}y", words[*at]);
            let name: String = order().map(framed).collect();
            prop_assert!(sought.are_in(name.as_bytes(), mask::of(name.as_bytes())));
            // Another word has a symbol that none of them has.
            let lacking = lacking % words.len();
            let without = name.replace(&words[lacking], "z");
            prop_assert!(!sought.are_in(without.as_bytes(), mask::of(without.as_bytes())));
        }
    }

    #[test]
    fn words_share_no_more_than_the_symbol_where_they_meet() {
        let are_in = |words: &[&[u8]], name: &[u8]| {
            Words::new(words).is_some_and(|words| words.are_in(name, mask::of(name)))
        };
        assert!(are_in(&[b"aurea", b"castanha"], b"castanhaurea"));
        assert!(!are_in(&[b"natali", b"tali"], b"natalia"));
        assert!(are_in(&[b"natali", b"tali"], b"talinatali"));
        assert!(!are_in(&[b"ana", b"x"], b"anabeatrix"), "a single symbol says nothing");
        assert!(!are_in(&[b"ana", b"li"], b"liana"), "too short together");
    }
}
