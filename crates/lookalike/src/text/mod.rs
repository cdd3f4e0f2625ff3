//! Reading names: how they look, how they sound, what their words are, what was done to them.
//! Pure functions of the text; it must not know accounts, indices or scores.

mod align;
mod data;
mod explain;
mod fold;
mod hash;
mod home;
mod key;
mod label;
mod native;
mod plain;
mod regions;
mod scan;
mod script;
mod signs;
mod sound;
mod table;
mod tricks;
mod trie;
mod words;

pub use data::tables_hash;
pub use explain::explain;
pub use key::{Key, MAX_KEY, symbol};
pub use label::{Label, LabelKind, label};
pub use script::Script;
pub use sound::{GIST, Said};
pub use tricks::{MAX_TRICKS, Trick, TrickKind, Tricks};
pub use words::{MAX_WORDS, Meaning, Word, WordKind};

use scan::{Cell, Scan};
use table::{Class, Guise};

/// What a name reads as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What is written, composed, without case and without what is not seen.
    pub plain: String,
    /// How it looks: look-alikes of every kind agree.
    pub looks: Key,
    /// What is written, without case, marks, style and separators, but no look-alikes agree.
    pub literal: Key,
    /// In Latin letters.
    pub latin: Key,
    /// How it sounds.
    pub said: Said,
    /// Its words in order, at most [`MAX_WORDS`].
    pub words: Vec<Word>,
    /// How it looks without the words that are added to names and without numbers.
    pub core: Key,
    /// The core if short numbers at the ends of names are letters in disguise; else as `core`.
    pub core_leet: Key,
    /// Another way to see it: not turned, letters of another script as Latin ones or Latin ones
    /// as those of the script that the rest is in, two letters for one (`cl` for `d`, `lo` for
    /// `b` …) or `d` for `cl`. Empty if there is none. To be looked up beside `looks`, never kept.
    pub other: Key,
    /// What was done to it.
    pub tricks: Tricks,
    /// The script of most of its letters.
    pub script: Script,
    /// Whether the text was longer than what is read.
    pub cut: bool,
}

/// Reads names. Costs nothing to make; the tables are made once and shared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader(());

impl Reader {
    /// A reader.
    #[must_use]
    pub fn new() -> Reader {
        std::sync::LazyLock::force(&words::AFFIXES);
        Reader(())
    }

    /// Reads a name. Total: any text has a reading, in time linear in the part that is looked
    /// at, which is bounded.
    #[must_use]
    pub fn read(&self, raw: &str) -> Reading {
        let mut scan = scan::scan(raw);
        let (script, mixed) = scripts(&scan.cells);
        note(&mut scan, mixed);
        let looks = words::whole(&scan.cells);
        let (mut literal, latin) = (Key::default(), words::latin(&scan.cells));
        for cell in scan.cells.iter().filter(|cell| cell.entry.reads()) {
            cell.entry.literal().iter().for_each(|&each| literal.push(each));
        }
        let mut spans = words::split(&scan.cells);
        let words = words::words(&scan.cells, &mut spans, looks);
        let core = words::core(&scan.cells, &spans, looks, false);
        let numbers = words.iter().any(|word| word.kind == WordKind::Number);
        let core_leet = if numbers { words::core(&scan.cells, &spans, looks, true) } else { core };
        Reading {
            plain: scan.plain,
            looks,
            literal,
            latin,
            said: sound::said(latin.as_bytes()),
            words,
            core,
            core_leet,
            other: if scan.other.is_empty() { other(&scan.cells, &looks) } else { scan.other },
            tricks: scan.tricks,
            script,
            cut: scan.cut,
        }
    }
}

/// How some words sound together.
#[must_use]
pub fn said(words: &[&Word]) -> Said {
    let latin: Vec<u8> = words.iter().flat_map(|word| word.latin.as_bytes()).copied().collect();
    sound::said(&latin)
}

/// The script of most letters, and whether a word mixes scripts.
fn scripts(cells: &[Cell]) -> (Script, bool) {
    let mut counts = [0_u16; Script::COUNT];
    let (mut mixed, mut word) = (false, Script::None);
    let (mut most, mut best) = (0, Script::None);
    for cell in cells {
        if cell.entry.class != Class::Letter {
            if !cell.entry.reads() {
                word = Script::None;
            }
            continue;
        }
        let script = cell.entry.script;
        if script == Script::None {
            continue;
        }
        if script != word {
            mixed |= !word.mixes(script);
            word = script;
        }
        let count = &mut counts[script as usize];
        *count += 1;
        if *count > most {
            (most, best) = (*count, script);
        }
    }
    (best, mixed)
}

/// Notes the tricks that lie in single characters.
fn note(scan: &mut Scan, mixed: bool) {
    let Scan { cells, tricks, .. } = scan;
    let (mut run, mut last) = (1, '\0');
    for (at, cell) in cells.iter().enumerate() {
        let to = cell.entry.looks().first().map(|&each| each as char);
        run = if cell.character == last { run + 1 } else { 1 };
        last = cell.character;
        if run == 3 && cell.entry.reads() {
            tricks.add(TrickKind::Repeat, cell.character, to);
        }
        if cell.entry.class == Class::Letter && cell.entry.guise == Guise::None {
            continue;
        }
        match cell.entry.guise {
            Guise::Confusable if mixed => tricks.add(TrickKind::Confusable, cell.character, to),
            Guise::Fullwidth => tricks.add(TrickKind::Fullwidth, cell.character, to),
            Guise::Fancy => tricks.add(TrickKind::Fancy, cell.character, to),
            Guise::Mark => tricks.add(TrickKind::Mark, cell.character, to),
            Guise::None | Guise::Confusable => {}
        }
        match cell.entry.class {
            Class::Separator => tricks.add(TrickKind::Separator, cell.character, None),
            Class::Digit => {
                let letter =
                    |at: usize| cells.get(at).is_some_and(|cell| cell.entry.class == Class::Letter);
                if at > 0 && letter(at - 1) && letter(at + 1) {
                    tricks.add(TrickKind::Leet, cell.character, to);
                }
            }
            _ => {}
        }
    }
    if mixed {
        tricks.add(TrickKind::MixedScript, '\0', None);
    }
}

/// A letter that may be written as two others.
struct Pair {
    /// The two, as letters that they look like.
    two: [u8; 2],
    /// Which of them is a mere stroke, such as that of `l`.
    stroke: [bool; 2],
    /// The letter.
    one: u8,
}

/// The pairs. `rn` and `vv` always agree with `m` and `w`.
const PAIRS: [Pair; 6] = [
    Pair { two: *b"ci", stroke: [false, true], one: b'd' },
    Pair { two: *b"ic", stroke: [true, false], one: b'k' },
    Pair { two: *b"cj", stroke: [false, false], one: b'g' },
    Pair { two: *b"io", stroke: [true, false], one: b'b' },
    Pair { two: *b"ii", stroke: [true, false], one: b'h' },
    Pair { two: *b"ii", stroke: [false, false], one: b'u' },
];

impl Pair {
    fn is(&self, first: &Cell, second: &Cell) -> bool {
        let fits = |cell: &Cell, at: usize| {
            let is_kind = match cell.character {
                'i' => !self.stroke[at],
                // A capital is no mere stroke, though it reads as the small letter does.
                'L' => false,
                _ => self.stroke[at] == (self.two[at] == b'i'),
            };
            cell.entry.looks() == &self.two[at..=at] && is_kind
        };
        fits(first, 0) && fits(second, 1)
    }
}

/// The looks with two letters seen as one, or `d` as `cl`; empty if there is neither.
fn other(cells: &[Cell], looks: &Key) -> Key {
    let seen = || cells.iter().filter(|cell| cell.entry.reads());
    let pair = |first: &Cell, second: &Cell| PAIRS.iter().find(|pair| pair.is(first, second));
    let joined = seen().zip(seen().skip(1)).any(|(first, second)| pair(first, second).is_some());
    if !joined && !looks.as_bytes().contains(&b'd') {
        return Key::default();
    }
    let mut folder = key::Folder::default();
    let mut rest = seen().peekable();
    while let Some(cell) = rest.next() {
        let pair = rest.peek().and_then(|next| pair(cell, next));
        match (pair, cell.entry.looks()) {
            (Some(pair), _) => {
                folder.push(pair.one);
                rest.next();
            }
            (None, b"d") if !joined => folder.extend(b"ci"),
            (None, symbols) => folder.extend(symbols),
        }
    }
    folder.key()
}

#[cfg(test)]
mod tests;
