//! A folded name: short, inline, comparable byte by byte. It must not know how it was folded.

use std::fmt;

/// The most symbols that a key holds; longer ones are cut there.
pub const MAX_KEY: usize = 31;

/// The bit of the length byte that says that the key was cut.
const CUT: u8 = 0x80;

/// The symbols of a folded name: `a..=z` and `0..=9` for what reads as such, `0x80..=0xff` for
/// others (see [`symbol`]).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    symbols: [u8; MAX_KEY],
    length: u8,
}

/// The symbol of a character that reads as no letter or digit of ASCII: one of 128. Characters
/// of one aligned block of 128 never share one, so an alphabet stays apart; stable for ever.
#[must_use]
pub const fn symbol(character: char) -> u8 {
    let point = character as u32;
    let mixed = (point >> 7).wrapping_mul(0x9e37_79b1) >> 25;
    let low = ((point ^ mixed) & 0x7f) as u8;
    0x80 | low
}

impl Key {
    /// A key of these symbols, cut to [`MAX_KEY`].
    #[must_use]
    pub fn new(symbols: &[u8]) -> Key {
        let mut key = Key::default();
        for &each in symbols {
            key.push(each);
        }
        key
    }

    /// The symbols.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.symbols[..self.len()]
    }

    /// How many symbols there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        (self.length & !CUT) as usize
    }

    /// Whether there is no symbol.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether there were more symbols than a key holds.
    #[must_use]
    pub const fn cut(&self) -> bool {
        self.length & CUT != 0
    }

    /// Adds a symbol, or notes that it found no room.
    pub(super) fn push(&mut self, each: u8) {
        let length = self.len();
        if let Some(place) = self.symbols.get_mut(length) {
            *place = each;
            self.length += 1;
        } else {
            self.length |= CUT;
        }
    }

    /// Takes back the last symbol.
    pub(super) fn pop(&mut self) -> Option<u8> {
        let last = self.as_bytes().last().copied()?;
        self.length -= 1;
        self.symbols[self.len()] = 0;
        Some(last)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &each in self.as_bytes() {
            if each.is_ascii() {
                write!(f, "{}", each as char)?;
            } else {
                write!(f, "<{each:02x}>")?;
            }
        }
        if self.cut() { f.write_str("…") } else { Ok(()) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Writes a key in which look-alikes agree: a run of one symbol is one, `v` is `u`, `rn` is `m`
/// and `vv` is `w`, though three and more of `v` are one repeated. What it writes, read again,
/// stays.
#[derive(Clone, Copy, Default)]
pub(super) struct Folder {
    key: Key,
    /// The last symbol that came.
    last: u8,
    /// The last symbol of the key.
    end: u8,
    /// What the last run of `v` did.
    run: Run,
}

/// A run of `v`, as far as it came.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Run {
    /// None, or one that is over.
    #[default]
    None,
    /// One, which was written.
    One,
    /// Two, which were written as `w`.
    Two,
}

impl Folder {
    /// Adds a symbol.
    #[inline]
    pub(super) fn push(&mut self, each: u8) {
        if each == self.last {
            if each == b'v' {
                self.again();
            }
            return;
        }
        self.last = each;
        if each == b'v' {
            self.run = if self.add(b'u') { Run::One } else { Run::None };
            return;
        }
        self.run = Run::None;
        if each == b'n' && self.end == b'r' {
            self.back();
            self.add(b'm');
        } else {
            self.add(each);
        }
    }

    /// A second `v` makes a `w`; a third makes it one again.
    fn again(&mut self) {
        let (letter, next) = match self.run {
            Run::One => (b'w', Run::Two),
            Run::Two => (b'u', Run::None),
            Run::None => return,
        };
        self.back();
        self.run = if self.add(letter) { next } else { Run::None };
    }

    fn back(&mut self) {
        if !self.key.cut() {
            self.key.pop();
            self.end = self.key.as_bytes().last().copied().unwrap_or_default();
        }
    }

    /// Writes a symbol unless it ends the key already.
    #[inline]
    fn add(&mut self, each: u8) -> bool {
        let new = each != self.end;
        if new {
            self.key.push(each);
            self.end = each;
        }
        new
    }

    /// Adds several.
    #[inline]
    pub(super) fn extend(&mut self, symbols: &[u8]) {
        for &each in symbols {
            self.push(each);
        }
    }

    /// What was written.
    pub(super) const fn key(&self) -> Key {
        self.key
    }
}
