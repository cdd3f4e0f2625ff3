//! Greek and Cyrillic names in which letters of other scripts stand for some of their own: read
//! as what they imitate. It must not know what else is a look-alike.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Script;
use super::data;
use super::key::{Folder, Key};
use super::scan::Cell;
use super::table::{Class, TABLE};

/// By its first character and script, what is put in the place of a letter and that letter, the
/// longest first.
type Places = HashMap<(Script, char), Vec<(&'static str, char)>>;

static PLACES: LazyLock<Places> = LazyLock::new(|| {
    let mut places = Places::new();
    for (letter, all) in data::rows(data::HOME) {
        for (own, each) in
            letter.chars().flat_map(|own| all.split(' ').map(move |each| (own, each)))
        {
            if let Some(first) = each.chars().next() {
                places.entry((Script::of(own), first)).or_default().push((each, own));
            }
        }
    }
    places.values_mut().for_each(|all| all.sort_by_key(|(each, _)| std::cmp::Reverse(each.len())));
    places
});

/// How a name looks if letters in the place of its script's own are read as those; empty if none
/// of its words mixes such letters with others.
pub(super) fn read(cells: &[Cell]) -> Key {
    let Some(script) = home(cells) else { return Key::default() };
    let mut folder = Folder::default();
    let mut cells = cells;
    while let Some(cell) = cells.first() {
        let placed = || {
            PLACES.get(&(script, cell.character))?.iter().find(|(each, _)| {
                let mut here = cells.iter().map(|cell| cell.character);
                each.chars().all(|each| here.next() == Some(each))
            })
        };
        let (length, entry) = match placed() {
            Some((each, own)) => (each.chars().count(), TABLE.entry(*own)),
            None => (1, &cell.entry),
        };
        if entry.reads() {
            folder.extend(entry.looks());
        }
        cells = &cells[length..];
    }
    folder.key()
}

/// The script of most letters that could be no others, if there are others in a word with them.
fn home(cells: &[Cell]) -> Option<Script> {
    let letters = |script| cells.iter().filter(move |cell| cell.entry.script == script);
    let own = |script| letters(script).filter(|cell| is_plainly_own(cell));
    let (script, _) = [(Script::Cyrillic, Script::Greek), (Script::Greek, Script::Cyrillic)]
        .into_iter()
        .max_by_key(|&(script, other)| {
            // Such as stand in for letters of the other tell less.
            let stands_in = |cell: &&Cell| PLACES.contains_key(&(other, cell.character));
            let sure = own(script).filter(|cell| !stands_in(cell)).count();
            (sure, letters(script).count(), own(script).count() > 0)
        })?;
    let alien = |cell: &Cell| cell.entry.class == Class::Letter && cell.entry.script != script;
    let mixes = |word: &[Cell]| {
        word.iter().any(alien) && word.iter().any(|cell| cell.entry.script == script)
    };
    let mut words = cells.chunk_by(|a, b| a.entry.reads() == b.entry.reads());
    (own(script).count() > 0 && words.any(mixes)).then_some(script)
}

/// Whether no Latin letter looks like it.
fn is_plainly_own(cell: &Cell) -> bool {
    cell.entry.style != 0 || !cell.entry.looks().iter().all(u8::is_ascii)
}
