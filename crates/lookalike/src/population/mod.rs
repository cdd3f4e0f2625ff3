//! Everybody: a compact population of accounts, and a scan of all of it for those who may imitate
//! one identity.
//!
//! It keeps of an account what the scan needs: a number, the folded handle and display name as
//! symbols of one byte, one hash of its picture and a word of features that it does not read. It
//! must not know how likeness is scored: the scan finds who is worth a look. How names are folded
//! only [`Person`] and [`Sought::of`] know.
//!
//! Columns, so that the scan reads few bytes of most accounts; rows are dense, the last takes the
//! place of one that is removed. [`Population::BYTES`] an account and its place in the table.

mod columns;
mod fold;
mod keep;
mod likely;
mod mask;
mod pattern;
mod rows;
mod scan;

use crate::picture::Pdq;
use columns::Columns;
use rows::Rows;

pub use fold::Person;
pub use keep::ReadError;
pub use likely::{Best, Likely};
pub use scan::Sought;

/// Symbols of a name that are kept.
pub const SYMBOLS: usize = 24;

/// The kept symbols of a name, ended by zeros.
type Slot = [u8; SYMBOLS];

/// What is kept of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account<'a> {
    /// Which account: the caller's number.
    pub number: u64,
    /// The folded handle, a symbol a byte; those after the 24th are dropped, zeros as well.
    pub handle: &'a [u8],
    /// The folded display name.
    pub display: &'a [u8],
    /// The hash of its picture, if it has one.
    pub picture: Option<Pdq>,
    /// Given back with the account; not read.
    pub features: u32,
}

/// The population.
#[derive(Clone, Debug, Default)]
pub struct Population {
    numbers: Vec<u64>,
    /// What the handle and the display name are made of.
    masks: [Columns; 2],
    names: Vec<[Slot; 2]>,
    /// The first word of each hash, zero if there is none, and the others.
    first: Vec<u64>,
    others: Vec<[u64; 3]>,
    features: Vec<u32>,
    rows: Rows,
}

impl Population {
    /// Bytes of an account, without its place in the table: from 5 to 11 more.
    pub const BYTES: usize = 8 + 2 * Columns::BYTES + 2 * SYMBOLS + 32 + 4;

    /// Accounts in it.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Bytes that it holds.
    pub fn memory(&self) -> usize {
        let masks: usize = self.masks.iter().map(Columns::memory).sum();
        let rest = Population::BYTES - 2 * Columns::BYTES;
        self.numbers.capacity() * rest + masks + self.rows.memory()
    }

    /// The account of this number.
    pub fn get(&self, number: u64) -> Option<Account<'_>> {
        Some(self.account(self.rows.find(number, &self.numbers)?))
    }

    /// The account of a row below [`Population::len`]; rows change when accounts are removed.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn account(&self, row: usize) -> Account<'_> {
        let [handle, display] = &self.names[row];
        Account {
            number: self.numbers[row],
            handle: symbols(handle),
            display: symbols(display),
            picture: self.hash(row),
            features: self.features[row],
        }
    }

    /// Takes an account in, or what has changed of it.
    pub fn put(&mut self, account: &Account) {
        let names = [slot(account.handle), slot(account.display)];
        let masks = [mask::of(symbols(&names[0])), mask::of(symbols(&names[1]))];
        let [first, others @ ..] = account.picture.unwrap_or_default().0;
        let row = match self.rows.find(account.number, &self.numbers) {
            Some(row) => row,
            None => {
                self.numbers.push(account.number);
                self.mask(self.numbers.len() - 1, masks);
                self.names.push(names);
                self.first.push(first);
                self.others.push(others);
                self.features.push(account.features);
                self.rows.add(self.numbers.len() - 1, &self.numbers);
                return;
            }
        };
        self.mask(row, masks);
        self.names[row] = names;
        self.first[row] = first;
        self.others[row] = others;
        self.features[row] = account.features;
    }

    /// Drops an account; whether it was there.
    pub fn remove(&mut self, number: u64) -> bool {
        let Some(row) = self.rows.find(number, &self.numbers) else { return false };
        self.rows.remove(row, &self.numbers);
        let last = self.numbers.len() - 1;
        if row != last {
            self.rows.moved(last, row, &self.numbers);
        }
        self.numbers.swap_remove(row);
        for masks in &mut self.masks {
            masks.set(row, masks.get(last));
            masks.truncate(last);
        }
        self.names.swap_remove(row);
        self.first.swap_remove(row);
        self.others.swap_remove(row);
        self.features.swap_remove(row);
        true
    }

    fn mask(&mut self, row: usize, masks: [u128; 2]) {
        for (columns, mask) in self.masks.iter_mut().zip(masks) {
            columns.set(row, mask);
        }
    }

    fn hash(&self, row: usize) -> Option<Pdq> {
        let [second, third, fourth] = self.others[row];
        let hash = Pdq([self.first[row], second, third, fourth]);
        (hash != Pdq::default()).then_some(hash)
    }
}

/// A name's slot.
fn slot(name: &[u8]) -> Slot {
    let mut slot = [0; SYMBOLS];
    let kept = name.iter().filter(|symbol| **symbol != 0);
    slot.iter_mut().zip(kept).for_each(|(place, symbol)| *place = *symbol);
    slot
}

/// The symbols in a slot.
fn symbols(slot: &Slot) -> &[u8] {
    let end = slot.iter().position(|symbol| *symbol == 0).unwrap_or(SYMBOLS);
    &slot[..end]
}
