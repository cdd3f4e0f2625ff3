//! Regional letters: two make a flag, or they spell a name. It must not know other letters.

use std::sync::LazyLock;

use super::data;
use super::scan::Cell;
use super::table::Class;

const FIRST: u32 = 0x1_f1e6;

static FLAGS: LazyLock<[u32; 26]> = LazyLock::new(|| {
    let mut flags = [0; 26];
    for (_, codes) in data::rows(data::REGIONS) {
        for code in codes.split(' ') {
            if let [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] = code.as_bytes() {
                flags[usize::from(a - b'A')] |= 1 << (b - b'A');
            }
        }
    }
    flags
});

fn number(cell: &Cell) -> usize {
    (u32::from(cell.character).saturating_sub(FIRST) as usize).min(25)
}

/// Reads regional letters as letters, or leaves them as flags: flags are pairs that have one,
/// beside a name that has letters of its own.
pub(super) fn read(cells: &mut [Cell], letter: impl Fn(&mut Cell, u8)) {
    let named = cells.iter().any(|cell| cell.entry.class == Class::Letter);
    let regional = |cell: &Cell| cell.entry.class == Class::Regional;
    let mut joined = false;
    let mut runs = cells.chunk_by_mut(|a, b| regional(a) == regional(b)).peekable();
    while let Some(run) = runs.next() {
        if !run.first().is_some_and(regional) {
            joined = run.last().is_some_and(|cell| cell.entry.reads());
            continue;
        }
        let next = runs.peek().and_then(|next| next.first());
        let joins = joined || next.is_some_and(|cell| cell.entry.reads());
        let flags = run.len() % 2 == 0
            && run.chunks_exact(2).all(|two| FLAGS[number(&two[0])] & 1 << number(&two[1]) != 0);
        let keep = flags && named && (!joins || run.len() == 2);
        for cell in run {
            if keep {
                cell.entry.class = Class::Picture;
            } else {
                let which = u8::try_from(number(cell)).unwrap_or_default();
                letter(cell, b'a' + which);
            }
        }
    }
}
