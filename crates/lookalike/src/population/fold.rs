//! From names as they are written to what a population keeps of an account and what of an identity
//! is looked for in it: the one place here that knows how names are read.
//!
//! It must not know how the population is searched.

use super::{Account, Sought};
use crate::index::row;
use crate::picture::Pdq;
use crate::profile::{Identity, MAX_ALIASES, Profile};
use crate::text::{self, Key, Reader, Reading, Word, WordKind};

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
    other: Key,
    sounds: Key,
    picture: Option<Pdq>,
}

impl Person {
    /// What is kept of a profile: how its handle and display name look and may be read otherwise;
    /// how the display name sounds, or the handle if there is none; and its first picture.
    pub fn of(reader: &Reader, (number, features): (u64, u32), profile: &Profile) -> Person {
        let [handle, display] =
            [&profile.handle, &profile.display_name].map(|name| reader.read(name));
        let said = if display.looks.is_empty() { handle.said } else { display.said };
        Person {
            number,
            features,
            handle: match other(reader, &profile.handle, &handle) {
                Some(other) => Key::new(&[handle.looks.as_bytes(), other.as_bytes()].concat()),
                None => handle.looks,
            },
            display: display.looks,
            other: other(reader, &profile.display_name, &display).unwrap_or_default(),
            sounds: said.gist,
            picture: profile.avatars.first().copied(),
        }
    }

    /// As a population takes it.
    pub fn account(&self) -> Account<'_> {
        Account {
            number: self.number,
            handle: self.handle.as_bytes(),
            display: self.display.as_bytes(),
            other: self.other.as_bytes(),
            sounds: self.sounds,
            picture: self.picture,
            features: self.features,
        }
    }
}

/// How else a name may be read that is not in plain Latin letters: written in them, even if only
/// some are others or all look like Latin ones, or Latin ones as what they look like among others.
fn other(reader: &Reader, name: &str, reading: &Reading) -> Option<Key> {
    if name.is_ascii() {
        return None;
    }
    let latin = reader.read(&String::from_utf8_lossy(reading.latin.as_bytes())).looks;
    let other = Some(reading.other).filter(|other| !other.as_bytes().is_ascii());
    [Some(latin), other].into_iter().flatten().find(|key| !key.is_empty() && *key != reading.looks)
}

/// The keys by which a name is looked for.
fn keys(reader: &Reader, reading: &Reading) -> impl Iterator<Item = Key> {
    let latin = row::latin_looks(reader, reading);
    let core = Some(reading.core).filter(|core| core.len() >= CORE_MIN);
    [Some(reading.looks), core, latin].into_iter().flatten()
}

impl Sought {
    /// Looks for whoever may imitate an identity: by its names and aliases, as they look, without
    /// added words, in Latin letters, with their words in any order and as they sound, and by all
    /// its pictures.
    pub fn of(reader: &Reader, identity: &Identity) -> Sought {
        let names = [&identity.handle, &identity.display_name].into_iter();
        let names = names.chain(identity.aliases.iter().take(MAX_ALIASES));
        let readings: Vec<Reading> = names.map(|name| reader.read(name)).collect();
        let mut all: Vec<Key> = Vec::new();
        for reading in &readings {
            for key in keys(reader, reading) {
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
        let mut sought = Sought::new(&keys, &identity.avatars, RADIUS);
        readings.iter().for_each(|reading| add_words(&mut sought, reader, reading));
        // What a handle sounds like, the display name mostly does too.
        readings.iter().skip(1).for_each(|reading| add_sounds(&mut sought, reading));
        sought
    }
}

/// Adds the words of a name, in any order, and the first two of more: the rest may be what it is
/// about.
fn add_words(sought: &mut Sought, reader: &Reader, reading: &Reading) {
    let names = || reading.words.iter().filter(|word| word.kind == WordKind::Name);
    let latin = |word: &Word| reader.read(&String::from_utf8_lossy(word.latin.as_bytes())).looks;
    for keys in [names().map(|word| word.key).collect::<Vec<Key>>(), names().map(latin).collect()] {
        let words: Vec<&[u8]> = keys.iter().map(Key::as_bytes).collect();
        sought.add_words(&words);
        sought.add_words(words.get(..2).unwrap_or_default());
    }
}

/// Adds what a name sounds like, and those of its words that may be said without the others.
fn add_sounds(sought: &mut Sought, reading: &Reading) {
    let is_foreign = !reading.looks.as_bytes().is_ascii();
    sought.add_sounds(reading.said.gist.as_bytes(), is_foreign);
    let stem = row::stem(reading).map(|words| text::said(&words).gist);
    if let Some(stem) = stem.filter(|gist| gist.len() >= row::MIN_STEM) {
        sought.add_sounds(stem.as_bytes(), is_foreign);
    }
}
