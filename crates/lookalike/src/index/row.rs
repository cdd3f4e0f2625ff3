//! A protected identity as the index keeps it: its names as written and as folded keys, and the
//! little that is kept of all else.
//!
//! It must not know how rows are found.

use super::keys::Family;
use crate::picture::Pdq;
use crate::profile::{self, Identity, Link, MAX_ALIASES, MAX_AVATARS, WordSet};
use crate::text::{self, Key, Reader, Reading, Script, Word, WordKind};

/// How long a name is kept, in bytes.
const MAX_NAME: usize = 120;

/// A protected identity as the index keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The caller's number.
    pub number: u64,
    /// The handle.
    pub handle: String,
    /// The display name.
    pub display_name: String,
    /// The aliases.
    pub aliases: Vec<String>,
    /// The hashes of its pictures.
    pub avatars: Vec<Pdq>,
    /// The words of its bio.
    pub bio: WordSet,
    /// Its first link.
    pub link: Link,
    /// How famous it is, see [`profile::fame`].
    pub fame: u8,
}

impl From<&Identity> for Row {
    fn from(identity: &Identity) -> Row {
        Row {
            number: identity.number,
            handle: cut(&identity.handle),
            display_name: cut(&identity.display_name),
            aliases: identity.aliases.iter().take(MAX_ALIASES).map(|name| cut(name)).collect(),
            avatars: identity.avatars.iter().take(MAX_AVATARS).copied().collect(),
            bio: WordSet::of(&identity.bio),
            link: identity.links.first().map(|link| Link::of(link)).unwrap_or_default(),
            fame: profile::fame(identity.followers),
        }
    }
}

fn cut(name: &str) -> String {
    name[..name.floor_char_boundary(MAX_NAME)].to_owned()
}

/// What a key is a key of, as bits: equal keys of several names are kept once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyOf(u8);

impl KeyOf {
    /// Of the handle.
    pub const HANDLE: KeyOf = KeyOf(1);
    /// Of the display name.
    pub const DISPLAY: KeyOf = KeyOf(2);
    /// Of an alias.
    pub const ALIAS: KeyOf = KeyOf(4);
    /// How the whole name looks, or reads in Latin letters.
    pub const FULL: KeyOf = KeyOf(8);
    /// How it looks without added words.
    pub const CORE: KeyOf = KeyOf(16);

    /// Both.
    pub const fn and(self, other: KeyOf) -> KeyOf {
        KeyOf(self.0 | other.0)
    }

    /// Whether it is any of these.
    pub const fn is(self, other: KeyOf) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it is of no name but the handle.
    pub const fn is_of_handle_only(self) -> bool {
        !self.is(KeyOf::DISPLAY.and(KeyOf::ALIAS))
    }

    /// Whether keys near it are found, not only equal ones.
    pub const fn is_searched_with_edits(self) -> bool {
        self.is(KeyOf::FULL)
    }
}

/// The keys of a row.
#[derive(Debug, Default)]
pub struct ReadRow {
    /// The keys that are compared, each once.
    pub keys: Vec<(KeyOf, Key)>,
    /// What else it is found by.
    pub others: Vec<(Family, Vec<u8>)>,
}

impl ReadRow {
    fn add(&mut self, of: KeyOf, key: Key) {
        if key.is_empty() {
            return;
        }
        match self.keys.iter_mut().find(|(_, known)| *known == key) {
            Some((known_of, _)) => *known_of = known_of.and(of),
            None => self.keys.push((of, key)),
        }
    }

    fn add_name(&mut self, reader: &Reader, of: KeyOf, reading: &Reading) {
        self.add(of.and(KeyOf::FULL), reading.looks);
        if let Some(latin) = latin_looks(reader, reading) {
            self.add(of.and(KeyOf::FULL), latin);
        }
        self.add(of.and(KeyOf::CORE), reading.core);
        if let Some(start) = first_words(reading) {
            self.others.push((Family::Whole, start));
        }
        // What a handle sounds like, the display name mostly does too.
        if !of.is(KeyOf::HANDLE) {
            let (said, stem) = (reading.said, stem(reading).map(|words| text::said(&words).gist));
            let whole = [(Family::Sound, said.sound), (Family::Gist, said.gist)];
            let whole = whole.into_iter().filter(|(_, key)| key.len() >= MIN_SOUND);
            let stem = stem.filter(|gist| gist.len() >= MIN_STEM).map(|gist| (Family::Gist, gist));
            let sounds = whole.chain(stem);
            self.others.extend(sounds.map(|(family, key)| (family, key.as_bytes().to_vec())));
            let words =
                lone_words(reading).map(|word| (Family::Word, word.key.as_bytes().to_vec()));
            self.others.extend(words);
        }
        if let Some(words) = sorted_words(reading) {
            self.others.push((Family::Words, words));
        }
    }

    /// Appends keys and names as [`keys`] and [`names`] read them.
    pub fn write(&self, row: &Row, text: &mut Vec<u8>) {
        text.push(self.keys.len() as u8);
        for (of, key) in &self.keys {
            text.extend([of.0, key.len() as u8]);
            text.extend(key.as_bytes());
        }
        text.push(row.aliases.len() as u8);
        for name in [&row.handle, &row.display_name].into_iter().chain(&row.aliases) {
            text.push(name.len() as u8);
            text.extend(name.as_bytes());
        }
    }
}

/// Shorter sounds say nothing.
pub const MIN_SOUND: usize = 4;
/// And shorter ones of part of a name: it has more of them.
pub const MIN_STEM: usize = 5;

/// How a name in other letters, or with some, looks once written in Latin ones.
pub fn latin_looks(reader: &Reader, reading: &Reading) -> Option<Key> {
    let is_latin = matches!(reading.script, Script::Latin | Script::None);
    if is_latin && reading.looks.as_bytes().is_ascii() || reading.latin.is_empty() {
        return None;
    }
    let latin: String = reading.latin.as_bytes().iter().map(|&symbol| symbol as char).collect();
    Some(reader.read(&latin).looks)
}

/// The first two words of a name of three or more.
pub fn first_words(reading: &Reading) -> Option<Vec<u8>> {
    let mut words = reading.words.iter().filter(|word| word.kind == WordKind::Name);
    let (first, second, _) = (words.next()?, words.next()?, words.next()?);
    let both = [first.key.as_bytes(), second.key.as_bytes()].concat();
    (both.len() >= 6).then_some(both)
}

/// Those of a name's words that may be said without the others: the first two of three or more,
/// or all that are not added to names; `None` if that is the whole name.
pub fn stem(reading: &Reading) -> Option<Vec<&Word>> {
    let names = reading.words.iter().filter(|word| word.kind == WordKind::Name);
    let words: Vec<&Word> = names.take(2).collect();
    (!words.is_empty() && words.len() < reading.words.len()).then_some(words)
}

/// Words of a name of several that may be all that is left of it.
pub fn lone_words(reading: &Reading) -> impl Iterator<Item = &Word> {
    let names = reading.words.iter().filter(|word| word.kind == WordKind::Name);
    let several = reading.words.len() > 1;
    names.filter(move |word| several && is_long(word))
}

/// Whether a word has letters enough to say something by itself.
pub fn is_long(word: &Word) -> bool {
    word.key.len() * if word.dense { 2 } else { 1 } >= 4
}

/// The words of a name of two or more in alphabetical order.
pub fn sorted_words(reading: &Reading) -> Option<Vec<u8>> {
    let names = reading.words.iter().filter(|word| word.kind == WordKind::Name);
    let mut words: Vec<&[u8]> = names.map(|word| word.key.as_bytes()).collect();
    if words.len() < 2 {
        return None;
    }
    words.sort_unstable();
    Some(words.join(&b' '))
}

impl Row {
    /// Reads its names; also gives how the display name reads.
    pub fn read(&self, reader: &Reader) -> (ReadRow, Reading) {
        let mut read = ReadRow::default();
        let display = reader.read(&self.display_name);
        read.add_name(reader, KeyOf::HANDLE, &reader.read(&self.handle));
        read.add_name(reader, KeyOf::DISPLAY, &display);
        for alias in &self.aliases {
            read.add_name(reader, KeyOf::ALIAS, &reader.read(alias));
        }
        read.others.sort_by(|a, b| (a.0 as u8, &a.1).cmp(&(b.0 as u8, &b.1)));
        read.others.dedup();
        (read, display)
    }
}

/// The keys in a row's text.
pub fn keys(text: &[u8]) -> impl Iterator<Item = (KeyOf, &[u8])> {
    let (count, mut rest) = text.split_first().map_or((0, text), |(count, rest)| (*count, rest));
    (0..count).map_while(move |_| {
        let [of, len, after @ ..] = rest else { return None };
        let (key, after) = after.split_at_checked(*len as usize)?;
        rest = after;
        Some((KeyOf(*of), key))
    })
}

/// The names in a row's text as written: handle, display name, aliases.
pub fn written(text: &[u8]) -> impl Iterator<Item = &str> {
    let after: usize = 2 + keys(text).map(|(_, key)| 2 + key.len()).sum::<usize>();
    let mut rest = text.get(after..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (len, after) = rest.split_first()?;
        let (name, after) = after.split_at_checked(*len as usize)?;
        rest = after;
        Some(std::str::from_utf8(name).unwrap_or_default())
    })
}

/// The names in a row's text, in a row without all else.
pub fn names(text: &[u8]) -> Row {
    let mut names = written(text).map(str::to_owned);
    Row {
        handle: names.next().unwrap_or_default(),
        display_name: names.next().unwrap_or_default(),
        aliases: names.collect(),
        ..Row::default()
    }
}
