//! From text to cells: one for each character that is seen, with what it reads as among its
//! neighbours. It must not know words.

use super::Script;
use super::fold::resemble;
use super::plain;
use super::regions;
use super::table::{Class, Entry, Guise, TABLE, Table};
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
    simple: bool,
    space: bool,
    marks: usize,
    seen: Seen,
}

/// What needs another look.
#[derive(Default)]
struct Seen {
    signs: bool,
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
    if scan.seen.signs {
        scan.signs(table);
    }
    if scan.seen.styles {
        scan.styles();
    }
    if scan.seen.turned >= 2 {
        scan.turn();
    }
    scan
}

/// The characters that were scanned, with no more marks than are looked at.
fn limited(raw: &str, scanned: usize) -> impl Iterator<Item = char> {
    let mut marks = 0;
    raw.chars().take(scanned).filter(move |&each| {
        marks = if TABLE.entry(each).class == Class::Mark { marks + 1 } else { 0 };
        marks <= MAX_MARKS
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
        self.seen.turned += usize::from(entry.turned);
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
        let mut at = 0;
        while at < self.cells.len() {
            let taken =
                if self.cells[at].entry.class == Class::Sign { self.sign(table, at) } else { 1 };
            at += taken;
        }
    }

    /// Reads the sign at a cell; gives the number of cells that it takes.
    fn sign(&mut self, table: &Table, at: usize) -> usize {
        let cells = &self.cells;
        let beside = |cell: Option<&Cell>| {
            cell.is_some_and(|cell| cell.entry.reads() || cell.entry.class == Class::Sign)
        };
        let found = table.rules().signs().of(cells[at].character).iter().find(|sign| {
            let length = sign.characters.len();
            let here = cells.get(at..at + length);
            let same = here.is_some_and(|here| {
                here.iter().zip(&sign.characters).all(|(cell, each)| cell.character == *each)
            });
            let before = at > 0 && cells[at - 1].entry.reads();
            let after = cells.get(at + length).is_some_and(|cell| cell.entry.reads())
                || (length > 1 && beside(cells.get(at + length)));
            same && sign.place.fits(before, after)
                && !(sign.place.opens() && closed(&cells[at..], sign.characters[0]))
        });
        let Some(sign) = found else {
            self.cells[at].entry.class = Class::Separator;
            return 1;
        };
        let length = sign.characters.len();
        let cell = &mut self.cells[at];
        cell.read_as(sign.reading.as_bytes());
        cell.entry.set_literal(&[super::key::symbol(cell.character)]);
        cell.entry.set_latin(sign.reading.as_bytes());
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
        for word in self.cells.chunk_by_mut(|a, b| in_word(a) == in_word(b)) {
            let letters = || word.iter().filter(|cell| cell.entry.class == Class::Letter);
            let latin = letters().any(|cell| {
                cell.entry.script == Script::Latin
                    || (cell.entry.script == Script::None && cell.entry.guise != Guise::None)
            });
            let strokes = |cell: &Cell| {
                cell.entry.style != 0
                    && !matches!(cell.entry.script, Script::Greek | Script::Cyrillic)
            };
            let all = letters().all(strokes) && letters().count() > 1;
            if !latin && !all {
                continue;
            }
            for cell in word {
                let style = cell.entry.style;
                if style != 0 && cell.entry.looks() != [style] {
                    cell.read_as(&[style]);
                    cell.entry.guise = Guise::Confusable;
                }
            }
        }
    }

    /// Turns a text that was turned by half a circle back.
    fn turn(&mut self) {
        let letters = self.cells.iter().filter(|cell| cell.entry.reads()).count();
        if self.seen.turned * 10 < letters * 3 {
            return;
        }
        self.cells.reverse();
        for cell in &mut self.cells {
            let letter = match cell.character {
                'b' => b'q',
                'q' => b'b',
                'd' => b'p',
                'p' => b'd',
                'n' => b'u',
                'u' => b'n',
                'm' => b'w',
                'w' => b'm',
                '6' => b'9',
                '9' => b'6',
                _ => continue,
            };
            cell.read_as(&[letter]);
            self.tricks.add(TrickKind::Fancy, cell.character, Some(letter as char));
        }
    }
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
