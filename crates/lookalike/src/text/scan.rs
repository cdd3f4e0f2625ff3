//! From text to cells: one for each character that is seen, with what it reads as among its
//! neighbours. It must not know words.

mod turned;

use unicode_normalization::UnicodeNormalization as _;

use super::Script;
use super::fold::resemble;
use super::key::{Folder, Key};
use super::plain;
use super::regions;
use super::signs::NOTHING;
use super::table::{Class, Decor, Entry, Guise, TABLE, Table};
use super::tricks::{TrickKind, Tricks};

/// The most characters that are read.
pub(super) const MAX_CELLS: usize = 256;
/// The most characters that are looked at, seen or not.
const MAX_SCANNED: usize = 4_096;
/// The most marks on one letter that are looked at.
const MAX_MARKS: usize = 4;

/// A character that is seen.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub(super) character: char,
    pub(super) entry: Entry,
}

impl Cell {
    /// Reads as these letters.
    fn read_as(&mut self, letters: &[u8]) {
        let mut looks = [0; 8];
        for (place, &letter) in looks.iter_mut().zip(letters) {
            *place = resemble(letter);
        }
        let length = letters.len().min(looks.len());
        self.entry.set_looks(&looks[..length]);
        self.entry.class = Class::Letter;
    }

    fn first_letter(&self) -> Option<char> {
        self.entry.looks().first().filter(|each| each.is_ascii()).map(|&each| each as char)
    }
}

/// A text, looked at.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) cells: Vec<Cell>,
    pub(super) tricks: Tricks,
    pub(super) plain: String,
    pub(super) cut: bool,
    /// Another way to see it; empty if none was found.
    pub(super) other: Key,
    /// Whether it begins with `@`, which is no letter there, or an `a`.
    mention: bool,
    simple: bool,
    space: bool,
    marks: usize,
    seen: Seen,
}

/// What needs another look.
#[derive(Default)]
struct Seen {
    signs: bool,
    decor: bool,
    styles: bool,
    regions: bool,
    turned: usize,
    reversed: Option<usize>,
}

/// Looks at a text.
pub(super) fn scan(raw: &str) -> Scan {
    let table = &*TABLE;
    let room = raw.len().min(MAX_CELLS);
    let mut scan = Scan {
        cells: Vec::with_capacity(room),
        plain: String::with_capacity(room),
        simple: true,
        ..Scan::default()
    };
    let mut scanned = 0;
    for character in raw.chars() {
        if scanned == MAX_SCANNED || scan.cells.len() == MAX_CELLS {
            scan.cut = true;
            break;
        }
        scanned += 1;
        scan.look(character, table.entry(character));
    }
    scan.reorder();
    if !scan.simple {
        scan.plain = plain::of(limited(raw, scanned), room);
    }
    if scan.seen.regions {
        regions::read(&mut scan.cells, |cell, letter| cell.read_as(&[letter]));
    }
    if scan.seen.decor {
        scan.undecorate();
    }
    if scan.seen.signs {
        scan.signs(table);
    }
    if scan.seen.styles {
        scan.styles();
    }
    if scan.seen.turned >= 2 {
        scan.turn();
    }
    if scan.mention {
        let mut folder = Folder::default();
        folder.push(b'a');
        folder.extend(super::words::whole(&scan.cells).as_bytes());
        scan.other = folder.key();
    }
    scan
}

/// The characters that were scanned, with no more marks than are looked at: what is not seen
/// between marks does not begin a letter with marks of its own.
fn limited(raw: &str, scanned: usize) -> impl Iterator<Item = char> {
    let mut marks = 0;
    raw.chars().take(scanned).filter(move |&each| {
        marks = match TABLE.entry(each).class {
            // Some marks are two once they are composed anew.
            Class::Mark => marks + std::iter::once(each).nfd().count(),
            _ if plain::invisible(each) => marks,
            _ => 0,
        };
        marks <= MAX_MARKS || plain::invisible(each)
    })
}

impl Scan {
    #[inline]
    fn look(&mut self, character: char, entry: &Entry) {
        match entry.class {
            Class::Letter | Class::Digit | Class::Separator | Class::Picture => {}
            Class::Space => {
                self.space = true;
                self.cells.push(Cell { character, entry: *entry });
                return;
            }
            Class::Sign => self.seen.signs = true,
            Class::Regional => self.seen.regions = true,
            Class::Mark => {
                self.marks += 1;
                self.simple = false;
                if self.marks <= MAX_MARKS {
                    self.tricks.add(TrickKind::Mark, character, None);
                }
                return;
            }
            Class::Invisible => return self.tricks.add(TrickKind::Invisible, character, None),
            Class::Bidi => return self.order(character),
        }
        self.marks = 0;
        self.seen.styles |= entry.style != 0;
        self.seen.decor |= entry.decor != Decor::No;
        self.seen.turned += usize::from(entry.turned != 0);
        match entry.plain {
            Some(plain) if self.simple => {
                if self.space && !self.plain.is_empty() {
                    self.plain.push(' ');
                }
                self.space = false;
                self.plain.push(plain);
            }
            _ => self.simple = false,
        }
        self.cells.push(Cell { character, entry: *entry });
    }

    /// Text after a right-to-left override is seen backwards, up to the end of the override.
    fn order(&mut self, character: char) {
        self.tricks.add(TrickKind::Bidi, character, None);
        match character {
            '\u{202e}' => {
                self.reorder();
                self.seen.reversed = Some(self.cells.len());
            }
            '\u{202c}' | '\u{202d}' | '\u{202a}' | '\u{202b}' => self.reorder(),
            _ => {}
        }
    }

    fn reorder(&mut self) {
        if let Some(start) = self.seen.reversed.take() {
            self.cells[start..].reverse();
        }
    }

    /// Reads signs as letters where their neighbours are.
    fn signs(&mut self, table: &Table) {
        let plainly = super::words::whole(&self.cells);
        let mut at = 0;
        while at < self.cells.len() {
            let taken =
                if self.cells[at].entry.class == Class::Sign { self.sign(table, at) } else { 1 };
            at += taken;
        }
        if !plainly.is_empty() && plainly != super::words::whole(&self.cells) {
            self.other = plainly;
        }
    }

    /// Drops letters that only frame a name in another script.
    fn undecorate(&mut self) {
        let decor = |cell: &Cell| cell.entry.decor != Decor::No || !cell.entry.reads();
        let Some(first) = self.cells.iter().position(|cell| !decor(cell)) else { return };
        let last = self.cells.iter().rposition(|cell| !decor(cell)).unwrap_or(first);
        let inside = &self.cells[first..=last];
        let alien =
            |cell: &Cell| !matches!(cell.entry.script, Script::Han | Script::Kana | Script::Greek);
        if !inside.iter().all(alien) || inside.iter().filter(|cell| cell.entry.reads()).count() < 2
        {
            return;
        }
        let framed = |part: &[Cell]| part.iter().any(|cell| cell.entry.decor != Decor::No);
        let both = framed(&self.cells[..first]) && framed(&self.cells[last + 1..]);
        for (at, cell) in self.cells.iter_mut().enumerate() {
            let frames =
                cell.entry.decor == Decor::Either || both && cell.entry.decor == Decor::Both;
            if frames && !(first..=last).contains(&at) {
                cell.entry.class = Class::Picture;
            }
        }
    }

    /// Reads the sign at a cell; gives the number of cells that it takes.
    fn sign(&mut self, table: &Table, at: usize) -> usize {
        let cells = &self.cells;
        let character = cells[at].character;
        let before = at > 0 && cells[at - 1].entry.reads();
        let follows = |from: usize, signs: bool| {
            let mut rest = cells[from..].iter().skip_while(|cell| cell.character == character);
            rest.next()
                .is_some_and(|cell| cell.entry.reads() || signs && cell.entry.class == Class::Sign)
        };
        let signs = table.rules().signs();
        let listed = signs.of(character);
        let found = listed.iter().find(|sign| {
            let length = sign.characters.len();
            let same = cells.get(at..at + length).is_some_and(|here| {
                here.iter().zip(&sign.characters).all(|(cell, each)| cell.character == *each)
            });
            let leads_on = || {
                let rest = cells[at + length..].iter();
                signs.lead_on(rest.map(|cell| (cell.character, cell.entry.reads())), before)
            };
            let after = || follows(at + length, length > 1) || leads_on();
            same && sign.place.fits(before, after())
                && !(sign.place.opens() && closed(&cells[at..], character))
        });
        let looks = cells[at].entry;
        let (length, reading) = match found {
            Some(sign) if sign.reading == NOTHING => {
                let read = at..at + sign.characters.len();
                self.cells[read].iter_mut().for_each(|cell| cell.entry.class = Class::Separator);
                return sign.characters.len();
            }
            Some(sign) => (sign.characters.len(), sign.reading.as_bytes()),
            None if listed.is_empty() && (before || follows(at, false)) => (1, looks.looks()),
            None => {
                self.mention |= character == '@' && at == 0;
                self.cells[at].entry.class = Class::Separator;
                return 1;
            }
        };
        let cell = &mut self.cells[at];
        cell.read_as(reading);
        cell.entry.set_literal(&[super::key::symbol(cell.character)]);
        cell.entry.set_latin(reading);
        self.tricks.add(TrickKind::Leet, cell.character, cell.first_letter());
        for rest in &mut self.cells[at + 1..at + length] {
            rest.entry = Entry::of(Class::Letter);
        }
        length
    }

    /// Reads letters of other scripts as Latin ones in words that have Latin letters too, or
    /// no letter that could not be read so.
    fn styles(&mut self) {
        let in_word = |cell: &Cell| cell.entry.reads();
        let home = super::home::read(&self.cells);
        let mut native = false;
        for word in self.cells.chunk_by_mut(|a, b| in_word(a) == in_word(b)) {
            let latin = mixed(word);
            if !latin && !strokes(word) {
                native |= word.iter().any(|cell| cell.entry.style != 0);
                continue;
            }
            for cell in word {
                let style = cell.entry.style;
                if style != 0 && cell.entry.looks() != [style] {
                    cell.read_as(&[style]);
                    cell.entry.guise = Guise::Confusable;
                    if latin {
                        cell.entry.set_latin(&[style]);
                    }
                }
            }
        }
        if !home.is_empty() {
            self.other = home;
        } else if native {
            self.other = foreign(&self.cells);
        }
    }
}

/// Whether a word has letters of scripts that do not belong together, or a disguised one.
fn mixed(word: &[Cell]) -> bool {
    let mut last = Script::None;
    word.iter().filter(|cell| cell.entry.class == Class::Letter).any(|cell| {
        let script = cell.entry.script;
        let mixed = !last.mixes(script);
        if script != Script::None {
            last = script;
        }
        mixed
            || script == Script::Latin
            || script == Script::None && cell.entry.guise != Guise::None
    })
}

/// Whether a word has letters only that may be strokes of Latin ones.
fn strokes(word: &[Cell]) -> bool {
    let letters = || word.iter().filter(|cell| cell.entry.class == Class::Letter);
    letters().count() > 1
        && letters().all(|cell| {
            let native = matches!(cell.entry.script, Script::Greek | Script::Cyrillic);
            !native && (cell.entry.style != 0 || reads_latin(cell))
        })
}

fn reads_latin(cell: &Cell) -> bool {
    !cell.entry.looks().is_empty() && cell.entry.looks().iter().all(u8::is_ascii)
}

/// How cells look if all letters are Latin ones in disguise; empty if some cannot be.
fn foreign(cells: &[Cell]) -> Key {
    let mut folder = Folder::default();
    for cell in cells.iter().filter(|cell| cell.entry.reads()) {
        match cell.entry.style {
            0 if reads_latin(cell) => folder.extend(cell.entry.looks()),
            0 => return Key::default(),
            style => folder.push(style),
        }
    }
    folder.key()
}

/// Whether a bracket is closed later.
fn closed(cells: &[Cell], open: char) -> bool {
    let close = match open {
        '(' => ')',
        '[' => ']',
        '<' => '>',
        _ => return false,
    };
    cells.iter().any(|cell| cell.character == close)
}
