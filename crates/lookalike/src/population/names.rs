//! The names of an account in few bytes: one behind the other, parted by zeros, so that what one
//! does not need another has.
//!
//! It must not know what they are names of, nor how they are read.

/// Names of an account.
pub(super) const NAMES: usize = 4;
/// Bytes for all of them.
pub(super) const ROOM: usize = 48;

/// The names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Names([u8; ROOM]);

impl Names {
    /// Of these; zeros are dropped. Where there is no room for all, whichever is longest is cut.
    pub(super) fn of(names: [&[u8]; NAMES]) -> Names {
        let symbols = |name: usize| names[name].iter().filter(|symbol| **symbol != 0);
        let mut lens: [usize; NAMES] = std::array::from_fn(|name| symbols(name).count());
        // A name with none behind it needs no zero.
        let zeros = lens.iter().rposition(|len| *len != 0).unwrap_or_default();
        while lens.iter().sum::<usize>() + zeros > ROOM {
            if let Some(longest) = lens.iter_mut().max() {
                *longest -= 1;
            }
        }
        let mut all = [0; ROOM];
        let mut rest = all.iter_mut();
        for (name, len) in lens.into_iter().enumerate() {
            symbols(name).take(len).zip(rest.by_ref()).for_each(|(symbol, place)| *place = *symbol);
            rest.next();
        }
        Names(all)
    }

    /// Each of them.
    pub(super) fn each(&self) -> [&[u8]; NAMES] {
        let mut parts = self.0.split(|symbol| *symbol == 0);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    /// The first of them, sooner.
    pub(super) fn first(&self) -> &[u8] {
        let end = self.0.iter().position(|symbol| *symbol == 0);
        &self.0[..end.unwrap_or(ROOM)]
    }

    /// As written.
    pub(super) const fn bytes(&self) -> &[u8; ROOM] {
        &self.0
    }

    /// As [`Names::bytes`] gives them; whatever else is there is read as names.
    pub(super) const fn from_bytes(bytes: [u8; ROOM]) -> Names {
        Names(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(1_u8.., 0..40)
    }

    proptest! {
        #[test]
        fn names_are_given_back_and_only_the_longest_are_cut(
            names in [name(), name(), name(), name()],
        ) {
            let kept = Names::of(std::array::from_fn(|name| names[name].as_slice()));
            let each = kept.each();
            prop_assert_eq!(Names::of(each), kept);
            let uncut = (0..NAMES).filter(|name| each[*name].len() == names[*name].len());
            let longest_uncut = uncut.map(|name| names[name].len()).max().unwrap_or_default();
            for (kept, name) in each.iter().zip(&names) {
                prop_assert!(name.starts_with(kept));
                let is_whole = kept.len() == name.len();
                prop_assert!(is_whole || kept.len() + 1 >= longest_uncut.min(name.len()));
                prop_assert!(is_whole || kept.len() >= (ROOM - NAMES) / NAMES);
            }
            let taken: usize = each.iter().map(|name| name.len()).sum();
            let all: usize = names.iter().map(Vec::len).sum();
            prop_assert!(taken == all || taken + NAMES > ROOM);
        }
    }

    #[test]
    fn zeros_are_dropped() {
        let names = Names::of([b"a\0b", b"", b"\0", b"c"]);
        assert_eq!(names.each(), [&b"ab"[..], b"", b"", b"c"]);
    }
}
