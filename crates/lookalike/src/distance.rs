//! How far two folded keys are from one another, in edits.
//!
//! It knows symbols, one byte each; it must not know what they stand for.

/// For each symbol, at which places of a key it stands: the form in which a query key is compared
/// with many others. Places are bits, so keys are at most 64 symbols.
#[derive(Debug, Clone)]
pub struct Pattern {
    places: Box<[u64; 256]>,
    symbols: [u8; 64],
    len: usize,
}

impl Default for Pattern {
    fn default() -> Pattern {
        Pattern { places: Box::new([0; 256]), symbols: [0; 64], len: 0 }
    }
}

impl Pattern {
    /// Makes it the pattern of another key; symbols after the 64th are left out.
    pub fn set(&mut self, key: &[u8]) {
        for &symbol in &self.symbols[..self.len] {
            self.places[symbol as usize] = 0;
        }
        self.len = key.len().min(64);
        self.symbols[..self.len].copy_from_slice(&key[..self.len]);
        for (place, &symbol) in key[..self.len].iter().enumerate() {
            self.places[symbol as usize] |= 1 << place;
        }
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        &self.symbols[..self.len]
    }

    /// The optimal string alignment distance to another key: insertions, deletions, replacements
    /// and swaps of neighbours, none of which touches a place twice. Bit-parallel after H. Hyyrö,
    /// "A bit-vector algorithm for computing Levenshtein and Damerau edit distances" (2003).
    pub fn distance(&self, other: &[u8]) -> u32 {
        if self.len == 0 {
            return other.len() as u32;
        }
        let last = 1u64 << (self.len - 1);
        let (mut up, mut down, mut diagonal) = (u64::MAX, 0u64, 0u64);
        let mut places_before = 0u64;
        let mut distance = self.len as u32;
        for &symbol in other {
            let places = self.places[symbol as usize];
            let swap = ((!diagonal & places) << 1) & places_before;
            diagonal = (((places & up).wrapping_add(up)) ^ up) | places | down | swap;
            let mut right_up = down | !(diagonal | up);
            let mut right_down = diagonal & up;
            distance += u32::from(right_up & last != 0);
            distance -= u32::from(right_down & last != 0);
            right_up = (right_up << 1) | 1;
            right_down <<= 1;
            up = right_down | !(diagonal | right_up);
            down = right_up & diagonal;
            places_before = places;
        }
        distance
    }

    /// How many symbols of the other key do not occur in this one: no distance is less.
    pub fn lacks(&self, other: &[u8]) -> u32 {
        other.iter().map(|symbol| u32::from(self.places[*symbol as usize] == 0)).sum()
    }

    /// How alike the keys are, from 0 for nothing in common to 1 for equal.
    pub fn likeness(&self, other: &[u8]) -> f32 {
        let longer = self.len.max(other.len());
        if longer == 0 {
            return 0.0;
        }
        1.0 - self.distance(other) as f32 / longer as f32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the definition, cell by cell.
    fn plain(a: &[u8], b: &[u8]) -> u32 {
        let mut table = vec![vec![0u32; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = if i == 0 || j == 0 {
                    (i + j) as u32
                } else {
                    let replaced = table[i - 1][j - 1] + u32::from(a[i - 1] != b[j - 1]);
                    let moved = (table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    let swapped = if swapped { table[i - 2][j - 2] + 1 } else { u32::MAX };
                    replaced.min(moved).min(swapped)
                };
            }
        }
        table[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn it_is_the_distance_of_the_definition(
            a in proptest::collection::vec(b'a'..=b'd', 0..32),
            b in proptest::collection::vec(b'a'..=b'd', 0..32),
            before in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut pattern = Pattern::default();
            pattern.set(&before);
            pattern.set(&a);
            prop_assert_eq!(pattern.distance(&b), plain(&a, &b));
            prop_assert!(pattern.lacks(&b) <= pattern.distance(&b));
        }
    }

    #[test]
    fn a_swap_of_neighbours_is_one_edit() {
        let mut pattern = Pattern::default();
        pattern.set(b"jane");
        assert_eq!(pattern.distance(b"jnae"), 1);
        assert_eq!(pattern.distance(b""), 4);
        assert_eq!(pattern.likeness(b"jane"), 1.0);
    }
}
