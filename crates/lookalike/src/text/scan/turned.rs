//! Texts that are upside down: known as such, and turned back.
//!
//! It must not know what words they have.

use super::{Cell, Scan};
use crate::text::script;
use crate::text::tricks::TrickKind;

impl Scan {
    /// Turns a text that was turned by half a circle back: one in which letters that are nothing
    /// else are many, or in which all others may be turned, too.
    pub(super) fn turn(&mut self) {
        let letters = || self.cells.iter().filter(|cell| cell.entry.reads());
        let native = |cell: &&Cell| script::writes_names(cell.character);
        let turned = letters().filter(|cell| cell.entry.turned != 0).filter(|cell| !native(cell));
        let (turned, all) = (turned.count(), letters().count());
        let may_be = |cell: &Cell| {
            let read = cell.first_letter().unwrap_or_default();
            cell.entry.turned != 0 || "bdhimnopqsuwxz".contains(read)
        };
        if turned < 2 || turned * 10 < all * 3 && !letters().all(may_be) {
            return;
        }
        self.other = crate::text::words::whole(&self.cells);
        self.cells.reverse();
        for cell in &mut self.cells {
            let turned = cell.entry.turned;
            let letter = match cell.character {
                _ if turned != 0 => turned,
                'ɓ' => b'g',
                'b' => b'q',
                'q' => b'b',
                'd' => b'p',
                'p' => b'd',
                'n' => b'u',
                'u' => b'n',
                'm' | 'M' => b'w',
                'w' | 'W' => b'm',
                '6' => b'9',
                '9' => b'6',
                _ => continue,
            };
            cell.read_as(&[letter]);
            cell.entry.set_latin(&[letter]);
            if turned == 0 {
                self.tricks.add(TrickKind::Fancy, cell.character, Some(letter as char));
            }
        }
    }
}
