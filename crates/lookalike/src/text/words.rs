//! The words of a name, and the name without those that are added to names.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use super::data;
use super::key::{Folder, Key};
use super::scan::{self, Cell};
use super::table::Class;

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
    /// What it is.
    pub kind: WordKind,
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
            "place" => Meaning::Place,
            "topic" => Meaning::Topic,
            "title" => Meaning::Title,
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

/// A tree of words, symbol by symbol.
#[derive(Default)]
struct Trie {
    nodes: Vec<Node>,
}

/// Children of a node from which they are looked up by symbol.
const MANY: usize = 4;

/// Where a word may go on, and whether one ends here.
#[derive(Default)]
struct Node {
    children: Vec<(u8, u16)>,
    /// By symbol, where there are many; 0 is none.
    quick: Vec<u16>,
    ends: bool,
}

impl Node {
    fn grow(&mut self, symbol: u8, next: u16) {
        self.children.push((symbol, next));
        if self.children.len() > MANY {
            self.quick.resize(256, 0);
            for &(each, next) in &self.children {
                self.quick[usize::from(each)] = next;
            }
        }
    }

    #[inline]
    fn child(&self, symbol: u8) -> Option<usize> {
        if let Some(&next) = self.quick.get(usize::from(symbol)) {
            return (next != 0).then_some(usize::from(next));
        }
        let found = self.children.iter().find(|(each, _)| *each == symbol);
        found.map(|&(_, next)| usize::from(next))
    }

    /// As `child`, but what reads as `i` may stand for `l`.
    #[inline]
    fn either(&self, symbol: u8) -> Option<usize> {
        self.child(symbol).or_else(|| if symbol == b'i' { self.child(b'l') } else { None })
    }
}

impl Trie {
    fn add(&mut self, word: impl Iterator<Item = u8>) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for symbol in word {
            at = self.nodes[at].child(symbol).unwrap_or_else(|| {
                let next = self.nodes.len();
                self.nodes.push(Node::default());
                self.nodes[at].grow(symbol, u16::try_from(next).unwrap_or(u16::MAX));
                next
            });
        }
        self.nodes[at].ends = true;
    }

    /// The length of the longest word that the symbols begin with and that leaves enough.
    fn longest(&self, symbols: impl Iterator<Item = u8>, length: usize) -> usize {
        let (mut at, mut best) = (0, 0);
        for (depth, symbol) in symbols.enumerate() {
            let Some(next) = self.nodes[at].either(symbol) else { break };
            at = next;
            let taken = depth + 1;
            if self.nodes[at].ends && length - taken >= leaves(taken) {
                best = taken;
            }
        }
        best
    }
}

/// How many symbols must stay when an affix of a length is cut off: short ones end many names.
const fn leaves(length: usize) -> usize {
    match length {
        0 | 1 => usize::MAX,
        2 => 5,
        3 => 4,
        _ => 3,
    }
}

type Hasher = BuildHasherDefault<super::hash::Fx>;

/// The words that are added to names.
pub(super) struct Affixes {
    meanings: HashMap<Key, Meaning, Hasher>,
    ahead: Trie,
    behind: Trie,
}

/// The one list.
pub(super) static AFFIXES: LazyLock<Affixes> = LazyLock::new(|| {
    let mut affixes =
        Affixes { meanings: HashMap::default(), ahead: Trie::default(), behind: Trie::default() };
    for (word, rest) in data::rows(data::AFFIXES) {
        let meaning = Meaning::read(rest.split('\t').next().unwrap_or_default());
        let cells = scan::scan(word).cells;
        affixes.meanings.entry(whole(&cells)).or_insert(meaning);
        if meaning != Meaning::Title {
            let letters: Vec<u8> = fine(&cells).map(|(letter, _)| letter).collect();
            affixes.ahead.add(letters.iter().copied());
            affixes.behind.add(letters.iter().rev().copied());
        }
    }
    affixes
});

impl Affixes {
    /// What a word says if it is one that is added to names.
    pub(super) fn meaning(&self, key: &Key) -> Option<Meaning> {
        self.meanings.get(key).copied()
    }

    /// The part of the letters that stays when the words that are glued to the ends are cut.
    fn strip<'a>(&self, letters: &'a [(u8, u16)]) -> &'a [(u8, u16)] {
        let mut rest = letters;
        loop {
            let behind = self.behind.longest(rest.iter().rev().map(|each| each.0), rest.len());
            rest = &rest[..rest.len() - behind];
            let ahead = self.ahead.longest(rest.iter().map(|each| each.0), rest.len());
            rest = &rest[ahead..];
            if behind + ahead == 0 {
                return rest;
            }
        }
    }
}

/// The letters of cells, finer than looks: `i` and `l` stay apart; with the cell of each.
fn fine(cells: &[Cell]) -> impl Iterator<Item = (u8, u16)> {
    cells.iter().zip(0..).filter(|(cell, _)| cell.entry.reads()).flat_map(|(cell, at)| {
        let plain = cell.entry.literal();
        let plainly = cell.entry.class == Class::Letter && plain.iter().all(u8::is_ascii);
        let letters = if plainly { plain } else { cell.entry.looks() };
        letters.iter().map(move |&letter| (letter, at))
    })
}

/// How cells look, all together.
pub(super) fn whole(cells: &[Cell]) -> Key {
    let mut folder = Folder::default();
    for cell in cells.iter().filter(|cell| cell.entry.reads()) {
        folder.extend(cell.entry.looks());
    }
    folder.key()
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
        if at >= begin + 2 && case_changes(cells, at, end) {
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
pub(super) fn words(cells: &[Cell], spans: &mut [Span]) -> Vec<Word> {
    let affixes = &*AFFIXES;
    spans
        .iter_mut()
        .map(|span| {
            let key = whole(&cells[span.start..span.end]);
            let added = affixes.meaning(&key).is_some_and(|said| said != Meaning::Title);
            if span.kind == WordKind::Name && added {
                span.kind = WordKind::Affix;
            }
            Word { key, kind: span.kind }
        })
        .collect()
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
            let first = u16::try_from(span.start).unwrap_or(u16::MAX);
            let part = fine(&cells[span.start..span.end]);
            letters.extend(part.map(|(letter, at)| (letter, at + first)));
        }
    }
    let kept = if named { AFFIXES.strip(&letters) } else { &letters };
    let all = spans.len() == 1 && kept.len() == letters.len();
    if all || kept.is_empty() {
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
