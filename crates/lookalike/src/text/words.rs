//! The words of a name, and the name without those that are added to names.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use super::Script;
use super::data;
use super::key::{Folder, Key};
use super::native;
use super::scan::{self, Cell};
use super::table::Class;
use super::trie::Trie;

/// The most words that are told apart; the rest belongs to the last.
pub const MAX_WORDS: usize = 12;

/// What a word is in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordKind {
    /// Part of the name.
    Name,
    /// Added to it: "official", "the", "fan" …
    Affix,
    /// A number.
    Number,
}

/// A word of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// How it looks.
    pub key: Key,
    /// In Latin letters.
    pub latin: Key,
    /// What it is.
    pub kind: WordKind,
    /// Whether each of its symbols says about as much as two letters: those of Han and Kana.
    pub dense: bool,
}

/// What a word that is added to a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// That this is the real one.
    Official,
    /// That it helps or serves.
    Support,
    /// That it is another account of the same.
    Backup,
    /// That it is by or for fans.
    Fan,
    /// That it is a joke.
    Parody,
    /// That it is not who follows.
    Denial,
    /// That it comments.
    Commentary,
    /// That it sells or gives.
    Shop,
    /// That a group or firm has it.
    Team,
    /// Where it is.
    Place,
    /// What it is about, or on which service.
    Topic,
    /// A title of a person.
    Title,
    /// An article, "I am", and the like.
    Filler,
}

impl Meaning {
    fn read(name: &str) -> Meaning {
        match name {
            "official" => Meaning::Official,
            "support" => Meaning::Support,
            "backup" => Meaning::Backup,
            "fan" => Meaning::Fan,
            "parody" => Meaning::Parody,
            "commentary" => Meaning::Commentary,
            "denial" => Meaning::Denial,
            "shop" => Meaning::Shop,
            "team" | "firm" => Meaning::Team,
            "place" | "region" => Meaning::Place,
            "topic" | "channel" | "platform" => Meaning::Topic,
            "honorific" => Meaning::Title,
            _ => Meaning::Filler,
        }
    }
}

/// A part of the cells that is a word.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: WordKind,
}

/// Whether enough stays of a number of letters when an affix is cut off an end: short ones end
/// many names by chance, but not where two characters are a word.
fn fits(taken: usize, letters: usize, end: Option<&Cell>) -> bool {
    let dense = end.is_some_and(dense);
    let stays = match taken {
        0 | 1 => return false,
        _ if dense => 2,
        2 => 5,
        3 => 4,
        _ => 3,
    };
    letters - taken >= stays
}

fn dense(cell: &Cell) -> bool {
    matches!(cell.entry.script, Script::Han | Script::Kana)
}

type Hasher = BuildHasherDefault<super::hash::Fx>;

/// The words that are added to names.
pub(super) struct Affixes {
    meanings: HashMap<Key, Meaning, Hasher>,
    /// Those of one character that is no letter of ASCII, and whether it may be glued to the end:
    /// a symbol would say too little.
    singles: HashMap<char, bool, Hasher>,
    ahead: Trie,
    behind: Trie,
}

/// The one list.
pub(super) static AFFIXES: LazyLock<Affixes> = LazyLock::new(|| {
    let (mut meanings, mut singles) = (HashMap::default(), HashMap::default());
    let (mut ahead, mut behind) = (Vec::new(), Vec::new());
    for (word, rest) in data::rows(data::AFFIXES) {
        let said = rest.split('\t').next().unwrap_or_default();
        let alone = said.starts_with("alone-");
        let said = said.trim_start_matches("alone-");
        let cells = scan::scan(word).cells;
        let key = whole(&cells);
        if let ([only], [0x80..=0xff]) = (&cells[..], key.as_bytes()) {
            singles.insert(only.character, !alone);
            continue;
        }
        meanings.entry(key).or_insert(Meaning::read(said));
        let mut letters = Vec::new();
        fine(&cells, (0, cells.len()), &mut letters);
        if !alone && !matches!(said, "topic" | "place" | "particle") {
            ahead.push(letters.iter().map(|each| each.0).collect());
        }
        if !alone && !matches!(said, "article" | "particle") {
            behind.push(letters.iter().rev().map(|each| each.0).collect());
        }
    }
    Affixes { meanings, singles, ahead: Trie::new(ahead), behind: Trie::new(behind) }
});

impl Affixes {
    /// What a word says if it is one that is added to names.
    pub(super) fn meaning(&self, key: &Key) -> Option<Meaning> {
        self.meanings.get(key).copied()
    }

    /// Whether a character is a word that is added to names.
    fn single(&self, cells: &[Cell]) -> bool {
        matches!(cells, [only] if self.singles.contains_key(&only.character))
    }

    /// The part of the letters that stays when the words that are glued to the ends are cut.
    fn strip<'a>(&self, cells: &[Cell], letters: &'a [(u8, u16)]) -> &'a [(u8, u16)] {
        let mut rest = letters;
        let cell = |end: Option<&(u8, u16)>| end.and_then(|end| cells.get(usize::from(end.1)));
        loop {
            let last = cell(rest.last());
            let single = last.and_then(|last| self.singles.get(&last.character));
            if single == Some(&true) && rest.len() > 2 {
                rest = &rest[..rest.len() - 1];
                continue;
            }
            let text = rest.iter().rev().map(|each| each.0);
            let behind = self.behind.longest(text, |taken| fits(taken, rest.len(), last));
            rest = &rest[..rest.len() - behind];
            let first = cell(rest.first());
            let text = rest.iter().map(|each| each.0);
            let ahead = self.ahead.longest(text, |taken| fits(taken, rest.len(), first));
            rest = &rest[ahead..];
            if behind + ahead == 0 {
                return rest;
            }
        }
    }
}

/// Adds the letters of a part of the cells, finer than looks: `i` and `l` stay apart; with the
/// cell of each.
fn fine(cells: &[Cell], (start, end): (usize, usize), letters: &mut Vec<(u8, u16)>) {
    for (cell, at) in cells[start..end].iter().zip(start..) {
        let plain = cell.entry.literal();
        let plainly = cell.entry.class == Class::Letter && plain.iter().all(u8::is_ascii);
        let read = match cell.entry.class {
            Class::Letter if plainly => plain,
            Class::Letter | Class::Digit => cell.entry.looks(),
            _ => continue,
        };
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        for &letter in read {
            letters.push((letter, at));
        }
    }
}

/// How cells look, all together.
pub(super) fn whole(cells: &[Cell]) -> Key {
    let mut folder = Folder::default();
    for cell in cells.iter().filter(|cell| cell.entry.reads()) {
        folder.extend(cell.entry.looks());
    }
    folder.key()
}

/// Cells in Latin letters.
pub(super) fn latin(cells: &[Cell]) -> Key {
    let (mut latin, mut inside) = (Key::default(), false);
    for cell in cells {
        if cell.entry.reads() {
            let said = if inside { native::inside(cell.character) } else { None };
            said.unwrap_or(cell.entry.latin()).iter().for_each(|&each| latin.push(each));
        }
        inside = cell.entry.reads();
    }
    latin
}

/// Parts cells into words.
pub(super) fn split(cells: &[Cell]) -> Vec<Span> {
    let mut spans = Vec::with_capacity(4);
    let mut at = 0;
    while at < cells.len() {
        if !cells[at].entry.reads() {
            at += 1;
            continue;
        }
        let start = at;
        while at < cells.len() && cells[at].entry.reads() {
            at += 1;
        }
        chunk(cells, start, at, &mut spans);
    }
    spans
}

fn digits(cells: &[Cell], from: usize, end: usize) -> usize {
    cells[from..end].iter().take_while(|cell| cell.entry.class == Class::Digit).count()
}

/// Whether a run of digits is read as letters of the word that it stands in.
fn spells(cells: &[Cell], (from, to): (usize, usize), (start, end): (usize, usize)) -> bool {
    let (before, after, length) = (from > start, to < end, to - from);
    match (before, after) {
        (true, true) => length <= 2,
        (false, true) => length == 1,
        (true, false) => length == 1 && cells[from].character == '0',
        (false, false) => false,
    }
}

/// Whether a number stands before a word that is added to names: "1giveaway", but not "2nd".
fn before_affix(cells: &[Cell], at: usize, to: usize, end: usize) -> bool {
    let letters = cells[to..end].iter().take_while(|cell| cell.entry.class != Class::Digit);
    let last = to + letters.count();
    let affix = |from: usize| AFFIXES.meaning(&whole(&cells[from..last])).is_some();
    last == end && affix(to) && !affix(at)
}

/// Parts a run of letters and digits.
fn chunk(cells: &[Cell], start: usize, end: usize, spans: &mut Vec<Span>) {
    let mut begin = start;
    let mut at = start;
    while at < end {
        if cells[at].entry.class == Class::Digit {
            let to = at + digits(cells, at, end);
            let counts = at == start && to < end && before_affix(cells, at, to, end);
            if counts || !spells(cells, (at, to), (start, end)) {
                add(spans, Span { start: begin, end: at, kind: WordKind::Name });
                add(spans, Span { start: at, end: to, kind: WordKind::Number });
                begin = to;
            }
            at = to;
            continue;
        }
        let other_script = at > begin && dense(&cells[at]) != dense(&cells[at - 1]);
        if other_script || at >= begin + 2 && case_changes(cells, at, end) {
            add(spans, Span { start: begin, end: at, kind: WordKind::Name });
            begin = at;
        }
        at += 1;
    }
    add(spans, Span { start: begin, end, kind: WordKind::Name });
}

fn case_changes(cells: &[Cell], at: usize, end: usize) -> bool {
    let here = cells[at].character;
    if !here.is_uppercase() {
        return false;
    }
    let before = cells[at - 1].character;
    before.is_lowercase()
        || before.is_uppercase()
            && cells[at + 1..end].first().is_some_and(|next| next.character.is_lowercase())
}

fn add(spans: &mut Vec<Span>, span: Span) {
    if span.start == span.end {
        return;
    }
    if spans.len() < MAX_WORDS {
        spans.push(span);
    } else if let Some(last) = spans.last_mut() {
        last.end = span.end;
    }
}

/// The words of spans.
pub(super) fn words(cells: &[Cell], spans: &mut [Span], looks: Key) -> Vec<Word> {
    let affixes = &*AFFIXES;
    let only = spans.len() == 1;
    spans
        .iter_mut()
        .map(|span| {
            let key = if only { looks } else { whole(&cells[span.start..span.end]) };
            let added =
                affixes.meaning(&key).is_some() || affixes.single(&cells[span.start..span.end]);
            if span.kind == WordKind::Name && added {
                span.kind = WordKind::Affix;
            }
            let cells = &cells[span.start..span.end];
            Word { key, latin: latin(cells), kind: span.kind, dense: cells.iter().all(dense) }
        })
        .collect()
}

/// The cells of the Arabic article at the start of a longer word.
fn article(cells: &[Cell]) -> usize {
    match cells {
        [a, l, _, _, _, ..] if a.character == 'ا' && l.character == 'ل' => 2,
        _ => 0,
    }
}

/// The name without the words that are added to it. With `leet`, a short number that is glued
/// to a name is read as letters of it.
pub(super) fn core(cells: &[Cell], spans: &[Span], looks: Key, leet: bool) -> Key {
    let named = spans.iter().any(|span| span.kind == WordKind::Name);
    let mut letters = Vec::with_capacity(cells.len());
    for (number, span) in spans.iter().enumerate() {
        let glued = number > 0 && spans[number - 1].end == span.start
            || spans.get(number + 1).is_some_and(|next| next.start == span.end);
        let counts = match span.kind {
            WordKind::Name => true,
            WordKind::Affix => !named,
            WordKind::Number => leet && glued && span.end - span.start <= 2,
        };
        if counts {
            let article = article(&cells[span.start..span.end]);
            fine(cells, (span.start + article, span.end), &mut letters);
        }
    }
    let kept = if named { AFFIXES.strip(cells, &letters) } else { &letters };
    let all = spans.len() == 1 && kept.len() == letters.len();
    if all && article(cells) == 0 || kept.is_empty() {
        return looks;
    }
    let mut folder = Folder::default();
    let mut last = None;
    for &(_, at) in kept {
        if last != Some(at) {
            folder.extend(cells[usize::from(at)].entry.looks());
            last = Some(at);
        }
    }
    folder.key()
}
