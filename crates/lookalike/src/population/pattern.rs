//! A key that is looked for within names: with how few edits it is found somewhere in a name.
//!
//! Bit-parallel, one step a symbol (Myers 1999; with neighbours changing places, Hyyrö 2003).

use super::columns::Wanted;
use super::mask;

/// The fewest symbols of a key; a single one is in too many names.
const SYMBOLS_MIN: usize = 2;
/// Symbols of a key that are looked for; what comes after them is left out.
const MOST: usize = 24;

/// A key made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// Of each symbol: where in the key it is.
    places: Box<[u32; 256]>,
    /// Symbols of the key.
    pub(super) len: usize,
    /// The mask of the key.
    mask: u128,
    /// The most edits that are looked for.
    pub(super) edits: u32,
    /// What of the mask a name must have.
    pub(super) wanted: Wanted,
}

impl Pattern {
    /// The pattern of a key; `None` if it is too short to look for.
    pub(super) fn new(key: &[u8]) -> Option<Pattern> {
        let key: Vec<u8> = key.iter().copied().filter(|symbol| *symbol != 0).take(MOST).collect();
        if key.len() < SYMBOLS_MIN {
            return None;
        }
        let mut places = Box::new([0; 256]);
        for (place, symbol) in key.iter().enumerate() {
            places[usize::from(*symbol)] |= 1 << place;
        }
        let edits = edits_max(key.len());
        let (mask, wanted) = (mask::of(&key), Wanted::of(&key, edits));
        Some(Pattern { places, len: key.len(), mask, edits, wanted })
    }

    /// Whether a name of this mask may have the key in it.
    pub(super) fn may_be_in(&self, mask: u128) -> bool {
        (self.mask & !mask).count_ones() <= mask::missing_max(self.edits)
    }

    /// The fewest edits that make the key a part of the name.
    pub(super) fn edits_in(&self, name: &[u8]) -> u32 {
        let last = 1_u32 << (self.len - 1);
        let (mut up, mut down) = (u32::MAX, 0_u32);
        let (mut same, mut before) = (0_u32, 0_u32);
        let mut edits = self.len as u32;
        let mut fewest = edits;
        for symbol in name {
            let here = self.places[usize::from(*symbol)];
            let swapped = ((!same & here) << 1) & before;
            same = ((here & up).wrapping_add(up) ^ up) | here | down | swapped;
            let more = down | !(same | up);
            let less = same & up;
            edits += u32::from(more & last != 0);
            edits -= u32::from(less & last != 0);
            fewest = fewest.min(edits);
            up = (less << 1) | !(same | more << 1);
            down = (more << 1) & same;
            before = here;
        }
        fewest
    }
}

/// How many edits leave a key of this length recognisable.
fn edits_max(len: usize) -> u32 {
    match len {
        0..=5 => 0,
        6..=10 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same by the table of all prefixes.
    fn by_table(key: &[u8], name: &[u8]) -> u32 {
        let mut rows: Vec<Vec<u32>> = vec![(0..=key.len() as u32).collect()];
        for (at, symbol) in name.iter().enumerate() {
            let mut row = vec![0];
            for (place, wanted) in key.iter().enumerate() {
                let differs = u32::from(symbol != wanted);
                let mut edits =
                    (rows[at][place] + differs).min(rows[at][place + 1] + 1).min(row[place] + 1);
                if at > 0 && place > 0 && name[at - 1] == *wanted && *symbol == key[place - 1] {
                    edits = edits.min(rows[at - 1][place - 1] + 1);
                }
                row.push(edits);
            }
            rows.push(row);
        }
        rows.iter().map(|row| row[key.len()]).min().unwrap()
    }

    proptest! {
        #[test]
        fn edits_are_those_of_the_table(
            key in prop::collection::vec(1_u8..5, 2..=24),
            name in prop::collection::vec(1_u8..5, 0..=24),
        ) {
            let pattern = Pattern::new(&key).unwrap();
            prop_assert_eq!(pattern.edits_in(&name), by_table(&key, &name));
        }

        #[test]
        fn a_name_within_the_edits_passes_the_mask(
            key in prop::collection::vec(1_u8..30, 6..=23),
            name in prop::collection::vec(1_u8..30, 0..=24),
            at in 0_usize..24,
            kind in 0_u8..4,
        ) {
            let mut edited = mask::one_edit(&key, at, kind);
            edited.splice(0..0, name.into_iter().take(24_usize.saturating_sub(edited.len())));
            edited.truncate(24);
            let pattern = Pattern::new(&key).unwrap();
            let missing = (pattern.mask & !mask::of(&edited)).count_ones();
            let edits = pattern.edits_in(&edited);
            prop_assert!(edits > 1 || missing <= 3 * edits, "{missing} for {edits}");
        }
    }
}
