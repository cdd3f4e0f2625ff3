//! From names as they are written to what a population keeps of an account and what of an identity
//! is looked for in it: the one place here that knows how names are read.
//!
//! It must not know how the population is searched.

use super::{Account, Sought};
use crate::index::row;
use crate::picture::Pdq;
use crate::profile::{Identity, MAX_ALIASES, Profile};
use crate::text::{Key, Reader, Reading};

/// How near a picture must be. What is found is checked, and a check looks farther, to 80 bits: at
/// that distance a whole population gives more chance likenesses than a scan may name.
const RADIUS: u32 = 64;
/// The shortest name without added words that is looked for within others: shorter ones are in
/// the names of half the world.
const CORE_MIN: usize = 5;
/// From so many symbols on a key finds whatever a longer one with it in it would.
const INSIDE_MIN: usize = 6;

/// An account with its names read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    number: u64,
    features: u32,
    handle: Key,
    display: Key,
    picture: Option<Pdq>,
}

impl Person {
    /// What is kept of a profile: how its handle and display name look, behind that in Latin
    /// letters where they are not, and its first picture.
    pub fn of(reader: &Reader, (number, features): (u64, u32), profile: &Profile) -> Person {
        let key = |name: &str| {
            let reading = reader.read(name);
            match row::latin_looks(reader, &reading) {
                Some(latin) => Key::new(&[reading.looks.as_bytes(), latin.as_bytes()].concat()),
                None => reading.looks,
            }
        };
        Person {
            number,
            features,
            handle: key(&profile.handle),
            display: key(&profile.display_name),
            picture: profile.avatars.first().copied(),
        }
    }

    /// As a population takes it.
    pub fn account(&self) -> Account<'_> {
        Account {
            number: self.number,
            handle: self.handle.as_bytes(),
            display: self.display.as_bytes(),
            picture: self.picture,
            features: self.features,
        }
    }
}

/// The keys by which a name is looked for.
fn keys(reader: &Reader, reading: &Reading) -> impl Iterator<Item = Key> {
    let latin = row::latin_looks(reader, reading);
    let core = Some(reading.core).filter(|core| core.len() >= CORE_MIN);
    [Some(reading.looks), core, latin].into_iter().flatten()
}

impl Sought {
    /// Looks for whoever may imitate an identity: by its names and aliases, as they look, without
    /// added words and in Latin letters, and by all its pictures.
    pub fn of(reader: &Reader, identity: &Identity) -> Sought {
        let names = [&identity.handle, &identity.display_name].into_iter();
        let mut all: Vec<Key> = Vec::new();
        for name in names.chain(identity.aliases.iter().take(MAX_ALIASES)) {
            for key in keys(reader, &reader.read(name)) {
                if !all.contains(&key) {
                    all.push(key);
                }
            }
        }
        let within = |short: &Key, long: &Key| {
            let (short, long) = (short.as_bytes(), long.as_bytes());
            (INSIDE_MIN..long.len()).contains(&short.len())
                && long.windows(short.len()).any(|part| part == short)
        };
        let needed = all.iter().filter(|key| !all.iter().any(|other| within(other, key)));
        let keys: Vec<&[u8]> = needed.map(Key::as_bytes).collect();
        Sought::new(&keys, &identity.avatars, RADIUS)
    }
}
