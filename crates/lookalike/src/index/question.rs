//! A profile made ready to be looked up: its folded keys, and every hash to look under.
//!
//! Made once for a profile and used on every segment. It must not know what is found.

use std::ops::Range;

use super::keys::{self, Family, Place};
use super::row;
use crate::distance::Pattern;
use crate::profile::{Link, Profile, WordSet, fame};
use crate::text::{self, Key, MAX_KEY, Reader, Reading, Said, Script, Word};

/// Names of a profile that are looked up: handle, display name and former names.
pub const MAX_NAMES: usize = 6;
/// Which of them is the display name.
pub const DISPLAY_NAME: u8 = 1;
/// Of how many words every two are looked for together.
const MAX_PAIRED: usize = 6;
/// How many sounds a gist has of which others are looked for that differ in one: of fewer very many
/// do, and of more what differs is mostly more than one.
const MIN_NEAR_GIST: usize = 5;
const MAX_NEAR_GIST: usize = 12;
/// The shortest key looked for inside a name, in letters.
const MIN_INSIDE: usize = 5;

/// What was hashed, and so what a hit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The whole key is equal.
    Equal,
    /// Equal but for one symbol.
    OneEdit,
    /// Equal but for a swap of two.
    Swap,
    /// The protected key is a part of the name, of so many symbols.
    Inside(u8),
    /// It sounds the same.
    Sound,
    /// It sounds roughly the same.
    Gist,
    /// It sounds roughly the same but for one sound.
    NearGist,
    /// The same words in another order.
    Words,
}

/// A hash to look under among whole keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The bucket.
    pub bucket: u32,
    /// What the posting's tag must be.
    pub tag: u64,
    /// Which name it is of.
    pub name: u8,
    /// How many symbols its key has.
    pub len: u8,
    /// What a hit means.
    pub found: Found,
}

/// A hash to look under among words of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordProbe {
    /// The bucket.
    pub bucket: u32,
    /// What the posting's tag must be.
    pub tag: u64,
    /// A name that has the word: the display name if it does.
    pub name: u8,
    /// How many symbols it has.
    pub len: u8,
}

/// A hash to look under among segments of keys.
#[derive(Debug, Clone, Copy)]
pub struct PartProbe {
    /// Where.
    pub place: Place,
    /// Which of [`Question::keys`] it is a part of.
    pub key: u8,
}

/// A key that is compared with others.
#[derive(Debug, Default)]
pub struct Compared {
    /// Which names it is of, as bits.
    pub names: u8,
    /// Of which of them it lacks the added words, as bits.
    pub core: u8,
    /// The key.
    pub pattern: Pattern,
    /// Which of [`Question::part_probes`] are of its parts.
    parts: Range<usize>,
}

/// Whether a name is in Latin letters and nothing else.
fn is_latin(reading: &Reading) -> bool {
    reading.looks.as_bytes().iter().all(u8::is_ascii)
}

/// A profile made ready; reused from one profile to the next.
#[derive(Debug, Default)]
pub struct Question {
    /// The readings of its names: the handle, the display name, former names.
    pub readings: Vec<Reading>,
    keys: Vec<Compared>,
    key_count: usize,
    /// Where to look for whole keys.
    pub probes: Vec<Probe>,
    /// Where to look for single words, each once.
    pub words: Vec<WordProbe>,
    /// Where to look for segments.
    pub part_probes: Vec<PartProbe>,
    /// Whether a name is not in Latin letters only.
    pub is_foreign: bool,
    /// Of each name: which of the keys says how it looks in Latin letters.
    in_latin: [u8; MAX_NAMES],
    /// The words of its bio.
    pub bio: WordSet,
    /// Its links.
    pub links: Vec<Link>,
    /// How many follow it, in the steps of [`fame`].
    pub fame: Option<u8>,
    places: Vec<Place>,
}

impl Question {
    /// Makes it ready for a profile.
    pub fn set(&mut self, reader: &Reader, profile: &Profile) {
        self.readings.clear();
        self.key_count = 0;
        self.is_foreign = false;
        self.probes.clear();
        self.words.clear();
        self.part_probes.clear();
        let former = profile.former_names.iter().map(String::as_str);
        let names = [profile.handle.as_str(), profile.display_name.as_str()].into_iter();
        for (name, text) in names.chain(former).take(MAX_NAMES).enumerate() {
            let reading = reader.read(text);
            self.add_name(reader, name as u8, &reading);
            self.readings.push(reading);
        }
        self.probes.sort_unstable_by_key(|probe| (probe.bucket, probe.tag, probe.name, probe.len));
        self.probes.dedup();
        self.bio = WordSet::of(&profile.bio);
        self.links.clear();
        self.links.extend(profile.links.iter().take(8).map(|link| Link::of(link)));
        self.fame = profile.followers.map(fame);
    }

    /// The keys that are compared.
    pub fn keys(&self) -> &[Compared] {
        &self.keys[..self.key_count]
    }

    /// How a name looks in Latin letters.
    pub fn in_latin(&self, name: u8) -> Option<&Pattern> {
        self.keys().get(self.in_latin[name as usize] as usize).map(|compared| &compared.pattern)
    }

    /// Whether a protected key has a segment that is looked for because of one of the keys that are
    /// compared. Not every row that is met has: others lie beside them by chance.
    pub fn leads_to(&self, compared: &Compared, key: &[u8]) -> bool {
        let places = &self.part_probes[compared.parts.clone()];
        keys::segments(key).any(|(hash, mask)| {
            let mut places = places.iter().map(|probe| &probe.place);
            places.any(|place| place.hash == hash && place.apart(mask).is_some())
        })
    }

    fn add_name(&mut self, reader: &Reader, name: u8, reading: &Reading) {
        let looks = reading.looks.as_bytes();
        self.in_latin[name as usize] = self.add_key(name, false, &reading.looks);
        self.add_key(name, true, &reading.core);
        self.add_key(name, true, &reading.core_leet);
        self.add_key(name, false, &reading.other);
        if let Some(latin) = row::latin_looks(reader, reading) {
            self.in_latin[name as usize] = self.add_key(name, false, &latin);
        }
        self.add_inside(name, looks);
        if let Some(start) = row::first_words(reading) {
            self.add_probe(name, Family::Whole, &start, Found::Inside(start.len() as u8));
        }
        self.add_words(name, reading);
        self.add_sound(name, &reading.said, row::MIN_SOUND);
        // Other names have what this one has inside, or some of its words.
        if name == DISPLAY_NAME || reading.script != Script::Latin {
            if !is_latin(reading) {
                self.is_foreign = true;
                self.add_near_gists(name, &reading.said);
            }
            let words: Vec<&Word> = reading.words.iter().take(MAX_PAIRED).collect();
            for start in 0..words.len() {
                for end in start + 1..=words.len() {
                    if end - start < words.len() {
                        let said = text::said(&words[start..end]);
                        self.add_sound(name, &said, row::MIN_STEM);
                    }
                }
            }
        }
        if let Some(words) = row::sorted_words(reading) {
            self.add_probe(name, Family::Words, &words, Found::Words);
        }
    }

    fn add_probe(&mut self, name: u8, family: Family, symbols: &[u8], found: Found) {
        let (bucket, tag) = keys::split(family, symbols);
        self.probes.push(Probe { bucket, tag, name, len: symbols.len() as u8, found });
    }

    /// Names that sound the same, or roughly so.
    fn add_sound(&mut self, name: u8, said: &Said, least: usize) {
        let sounds =
            [(Family::Sound, said.sound, Found::Sound), (Family::Gist, said.gist, Found::Gist)];
        for (family, key, found) in sounds {
            if key.len() >= least {
                self.add_probe(name, family, key.as_bytes(), found);
            }
        }
    }

    /// Names that sound roughly the same but for one sound: from script to script some are lost
    /// and some are said otherwise.
    fn add_near_gists(&mut self, name: u8, said: &Said) {
        let gist = said.gist.as_bytes();
        if gist.len() < MIN_NEAR_GIST || gist.len() > MAX_NEAR_GIST {
            return;
        }
        let mut near = Vec::with_capacity(gist.len() + 1);
        for place in 0..=gist.len() {
            let (before, after) = gist.split_at(place);
            let others = || text::GIST.iter().map(Some);
            let instead = after.get(1..).into_iter();
            let instead =
                instead.flat_map(|rest| others().chain([None]).map(move |sound| (sound, rest)));
            for (sound, rest) in instead.chain(others().map(|sound| (sound, after))) {
                near.clear();
                near.extend(before.iter().chain(sound).chain(rest));
                // Two of the same are one.
                if near.len() >= MIN_NEAR_GIST && near.windows(2).all(|two| two[0] != two[1]) {
                    self.add_probe(name, Family::Gist, &near, Found::NearGist);
                }
            }
        }
    }

    /// Equal keys, keys one edit away if short or swapped, and keys within their tolerance.
    /// Says which of the keys it is.
    fn add_key(&mut self, name: u8, core: bool, key: &Key) -> u8 {
        let symbols = key.as_bytes();
        if symbols.is_empty() {
            return u8::MAX;
        }
        let known = self.keys[..self.key_count].iter();
        let known = known.clone().position(|known| known.pattern.key() == symbols);
        let place = known.unwrap_or(self.key_count);
        if place == self.keys.len() {
            self.keys.push(Compared::default());
        }
        let compared = &mut self.keys[place];
        // Handle and display name are often the same name: what is near it is looked for once.
        if known.is_none() {
            self.key_count += 1;
            compared.pattern.set(symbols);
            (compared.names, compared.core) = (0, 0);
            self.places.clear();
            keys::probes(symbols, &mut self.places);
            let (first, parts) = (self.part_probes.len(), self.places.iter());
            self.part_probes.extend(parts.map(|&at| PartProbe { place: at, key: place as u8 }));
            compared.parts = first..self.part_probes.len();
        }
        if compared.names >> name & 1 == 1 {
            return place as u8;
        }
        compared.names |= 1 << name;
        compared.core |= u8::from(core) << name;
        self.add_probe(name, Family::Whole, symbols, Found::Equal);
        self.add_swaps(name, symbols);
        if symbols.len() >= 2 && symbols.len() <= 6 {
            self.add_probe(name, Family::Without, symbols, Found::OneEdit);
            keys::without_one(symbols, |shorter| {
                for family in [Family::Whole, Family::Without] {
                    let (bucket, tag) = keys::split(family, shorter);
                    let len = symbols.len() as u8;
                    self.probes.push(Probe { bucket, tag, name, len, found: Found::OneEdit });
                }
            });
        }
        place as u8
    }

    fn add_swaps(&mut self, name: u8, symbols: &[u8]) {
        let mut swapped = [0u8; 64];
        let swapped = &mut swapped[..symbols.len()];
        swapped.copy_from_slice(symbols);
        for place in 1..symbols.len() {
            if symbols[place - 1] != symbols[place] && symbols.len() > 3 {
                swapped.swap(place - 1, place);
                self.add_probe(name, Family::Whole, swapped, Found::Swap);
                swapped.swap(place - 1, place);
            }
        }
    }

    /// Whole protected keys that some neighbouring words make up, or two words in any order.
    fn add_words(&mut self, name: u8, reading: &Reading) {
        let words: Vec<&[u8]> = reading.words.iter().map(|word| word.key.as_bytes()).collect();
        let letters = |word: &Word| word.key.len() * if word.dense { 2 } else { 1 };
        for start in 0..words.len() {
            for end in start + 1..=words.len() {
                let run = words[start..end].concat();
                let letters: usize = reading.words[start..end].iter().map(letters).sum();
                let all = end - start == words.len();
                if letters < MIN_INSIDE || run.len() > MAX_KEY || all {
                    continue;
                }
                let found = Found::Inside(run.len() as u8);
                self.add_probe(name, Family::Whole, &run, found);
            }
        }
        for word in reading.words.iter().take(MAX_PAIRED).filter(|word| row::is_long(word)) {
            let (bucket, tag) = keys::split(Family::Word, word.key.as_bytes());
            let known = |known: &&mut WordProbe| (known.bucket, known.tag) == (bucket, tag);
            match self.words.iter_mut().find(known) {
                // What is shown counts more than the handle.
                Some(known) if name == DISPLAY_NAME => known.name = name,
                Some(_) => {}
                None => self.words.push(WordProbe { bucket, tag, name, len: word.key.len() as u8 }),
            }
        }
        let few = &words[..words.len().min(MAX_PAIRED)];
        for (place, first) in few.iter().enumerate() {
            for (other, second) in few.iter().enumerate() {
                let pair = [*first, *second].concat();
                let next = place + 1 == other || place == other;
                if next || pair.len() < MIN_INSIDE || pair.len() > MAX_KEY {
                    continue;
                }
                let all = words.len() == 2;
                let found = if all { Found::Words } else { Found::Inside(pair.len() as u8) };
                self.add_probe(name, Family::Whole, &pair, found);
            }
        }
    }

    /// Whole protected keys inside the name, of five symbols or more.
    fn add_inside(&mut self, name: u8, looks: &[u8]) {
        for start in 0..looks.len() {
            for end in start + MIN_INSIDE..=looks.len() {
                let len = end - start;
                // Not at either end, a short key is there by chance.
                let at_an_end = start == 0 || end == looks.len();
                if len < looks.len() && (at_an_end || len * 2 >= looks.len()) {
                    let found = Found::Inside(len as u8);
                    self.add_probe(name, Family::Whole, &looks[start..end], found);
                }
            }
        }
    }
}
