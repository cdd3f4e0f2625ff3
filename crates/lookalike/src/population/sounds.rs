//! The sounds of names: which neighbours they have, a bit each, and names that are looked for by
//! how they sound.
//!
//! It must not know how a name's sounds are told from its letters: a sound is a symbol.

use super::columns::{Columns, Flags, Wanted};
use super::pattern::Pattern;
use crate::text::{GIST, Key};

/// Sounds, and both ends of a name as one more.
const SOUNDS: usize = GIST.len() + 1;
/// That the name is in other letters than Latin ones: the bits before it are of neighbours.
const FOREIGN: u8 = (SOUNDS * (SOUNDS - 1)) as u8;
/// Bits of the mask of an account's sounds.
pub(super) const BITS: usize = FOREIGN as usize + 1;

/// The fewest sounds that are looked for, as of checks; of so few only names without any other.
const LEAST: usize = 4;
/// Of how many sounds those that differ in one are looked for, as of checks: of fewer very many
/// do, and of more what differs is mostly more than one.
const NEAR: std::ops::RangeInclusive<usize> = 5..=12;

/// The bits of neighbours, the ends of the name among them; nothing is known of what is no sound.
fn pairs(sounds: &[u8]) -> impl Iterator<Item = u8> {
    let class = |sound: u8| GIST.iter().position(|each| *each == sound);
    let mut last = GIST.len();
    let classes = sounds.iter().filter_map(move |sound| class(*sound)).chain([GIST.len()]);
    classes.filter_map(move |next| {
        let first = std::mem::replace(&mut last, next);
        let after = next.checked_sub(usize::from(next > first))?;
        (first != next).then_some((first * (SOUNDS - 1) + after) as u8)
    })
}

/// The mask of a name's sounds.
pub(super) fn mask(sounds: &[u8], is_foreign: bool) -> u128 {
    pairs(sounds).chain(is_foreign.then_some(FOREIGN)).fold(0, |mask, bit| mask | 1 << bit)
}

/// Sounds that are kept of a name.
const MOST: usize = 16;

/// Sounds as they are kept: two a byte.
#[derive(Clone, Copy, Default)]
pub(super) struct Packed {
    bytes: [u8; MOST / 2],
    len: usize,
}

impl Packed {
    /// Of these; what is no sound is dropped, and what comes after [`MOST`].
    pub(super) fn of(sounds: &[u8]) -> Packed {
        let mut packed = Packed::default();
        let places = sounds.iter().filter_map(|sound| GIST.iter().position(|each| each == sound));
        for (at, place) in places.take(MOST).enumerate() {
            packed.bytes[at / 2] |= (place as u8 + 1) << (4 * (at % 2));
            packed.len = at / 2 + 1;
        }
        packed
    }

    /// The bytes, none of them zero.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The sounds in such bytes.
pub(super) fn unpack(bytes: &[u8]) -> Key {
    let nibbles = bytes.iter().flat_map(|byte| [byte & 15, byte >> 4]);
    let found = nibbles.filter_map(|nibble| GIST.get(usize::from(nibble).wrapping_sub(1)));
    let (mut sounds, mut len) = ([0; MOST], 0);
    for (place, sound) in sounds.iter_mut().zip(found) {
        (*place, len) = (*sound, len + 1);
    }
    Key::new(&sounds[..len])
}

/// How a name sounds, made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sound {
    pattern: Pattern,
    /// Whom it may be a part of.
    within: Wanted,
    /// Who may differ in one sound.
    near: Option<Wanted>,
    /// Whether those may only have other letters.
    only_foreign: bool,
}

impl Sound {
    /// Of these sounds; `None` if they are too few. Whether its name `is_foreign` decides who may
    /// differ in one, which is lost on the way from script to script: everybody, or only names in
    /// other letters.
    pub(super) fn new(sounds: &[u8], is_foreign: bool) -> Option<Sound> {
        let pairs: Vec<u8> = pairs(sounds).collect();
        if sounds.len() < LEAST || pairs.len() <= sounds.len() {
            return None;
        }
        let within = if sounds.len() == LEAST { &pairs } else { &pairs[1..pairs.len() - 1] };
        Some(Sound {
            pattern: Pattern::new(sounds)?,
            within: Wanted::All(within.to_vec()),
            near: NEAR.contains(&sounds.len()).then_some(Wanted::ButTwo(pairs)),
            only_foreign: !is_foreign,
        })
    }

    /// Which accounts of a block may sound so.
    pub(super) fn having(&self, columns: &Columns<BITS>, block: usize) -> Flags {
        let mut having = columns.having(block, &self.within);
        if let Some(near) = &self.near {
            let near = columns.having(block, near);
            let only = self.only_foreign.then(|| columns.flags(block, FOREIGN));
            let near = near.iter().zip(only.unwrap_or([u64::MAX; _]));
            having.iter_mut().zip(near).for_each(|(having, (near, only))| *having |= near & only);
        }
        having
    }

    /// In how many sounds a name differs that has this one in it, or is this one but for a sound.
    pub(super) fn edits_in(&self, sounds: &[u8]) -> Option<u32> {
        let len = self.pattern.len;
        let is_whole = sounds.len().abs_diff(len) <= 1;
        match self.pattern.edits_in(sounds) {
            0 if len > LEAST || sounds.len() == len => Some(0),
            1 if self.near.is_some() && is_whole => Some(1),
            _ => None,
        }
    }

    /// Sounds of it.
    pub(super) fn len(&self) -> usize {
        self.pattern.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sounds as names have them: two of the same are one.
    fn sounds(places: &[usize]) -> Vec<u8> {
        let mut sounds: Vec<u8> = places.iter().map(|place| GIST[*place]).collect();
        sounds.dedup();
        sounds
    }

    fn any() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(0..GIST.len(), 0..=14)
    }

    fn flagged(sought: &Sound, name: &[u8], is_foreign: bool) -> bool {
        let mut columns = Columns::default();
        columns.set(0, mask(name, is_foreign));
        sought.having(&columns, 0)[0] & 1 == 1
    }

    proptest! {
        #[test]
        fn sounds_are_given_back(places in any()) {
            let sounds = sounds(&places);
            let packed = Packed::of(&sounds);
            prop_assert!(packed.as_bytes().iter().all(|byte| *byte != 0));
            prop_assert_eq!(unpack(packed.as_bytes()), Key::new(&sounds));
        }

        #[test]
        fn whoever_sounds_so_is_flagged_in_part_if_long_and_but_for_a_sound_if_foreign(
            places in any(),
            around in (any(), any()),
            at in 0_usize..14,
            other in 0..GIST.len(),
            kind in 0_u8..3,
        ) {
            let name = sounds(&places);
            let Some(sought) = Sound::new(&name, false) else {
                prop_assert!(name.len() < LEAST);
                return Ok(());
            };
            prop_assert!(flagged(&sought, &name, false));
            prop_assert_eq!(sought.edits_in(&name), Some(0));
            let within = [around.0, places, around.1].concat();
            let within = sounds(&within);
            if name.len() > LEAST && within.windows(name.len()).any(|part| part == name) {
                prop_assert!(flagged(&sought, &within, false));
                prop_assert_eq!(sought.edits_in(&within), Some(0));
            }
            let (mut near, at) = (name.clone(), at % name.len());
            match kind {
                0 => near[at] = GIST[other],
                1 => near.insert(at, GIST[other]),
                _ => { near.remove(at); }
            }
            near.dedup();
            if NEAR.contains(&name.len()) && near.len().abs_diff(name.len()) <= 1 {
                prop_assert!(flagged(&sought, &near, true));
                prop_assert!(sought.edits_in(&near).is_some());
            }
        }
    }

    #[test]
    fn names_in_latin_letters_are_near_to_foreign_ones_only() {
        let (name, near) = (b"kltmns", b"klbmns");
        let [latin, foreign] =
            [false, true].map(|is_foreign| Sound::new(name, is_foreign).unwrap());
        assert!(!flagged(&latin, near, false) && flagged(&latin, near, true));
        assert!(flagged(&foreign, near, false));
        assert!(!flagged(&foreign, b"klbtns", true), "two differ");
        assert!(Sound::new(b"klt", false).is_none() && Sound::new(b"1234567", false).is_none());
    }
}
