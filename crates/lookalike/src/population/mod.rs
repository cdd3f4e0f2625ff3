//! Everybody: a compact population of accounts, and a scan of all of it for those who may imitate
//! one identity.
//!
//! It keeps of an account what the scan needs: a number, the folded handle and display name as
//! symbols of one byte, how that may be read otherwise and how it sounds, one hash of its picture
//! and a word of features that it does not read. It must not know how likeness is scored: the scan
//! finds who is worth a look. How names are folded only [`Person`] and [`Sought::of`] know.
//!
//! Columns, so that the scan reads few bytes of most accounts; rows are dense, the last takes the
//! place of one that is removed. [`Population::BYTES`] an account and its place in the table.

mod columns;
mod fold;
mod keep;
mod likely;
mod mask;
mod names;
mod pattern;
mod rows;
mod scan;
mod sounds;
mod words;

use crate::picture::Pdq;
use crate::text::Key;
use columns::Columns;
use names::Names;
use rows::Rows;
use sounds::{Packed, unpack};

pub use fold::Person;
pub use keep::ReadError;
pub use likely::{Best, Likely};
pub use scan::Sought;

/// What is kept of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account<'a> {
    /// Which account: the caller's number.
    pub number: u64,
    /// The folded handle, a symbol a byte; zeros are dropped. All names share 48 bytes: where there
    /// is no room for all, the longest are cut.
    pub handle: &'a [u8],
    /// The folded display name.
    pub display: &'a [u8],
    /// How else that may be read if it is not in plain Latin letters.
    pub other: &'a [u8],
    /// How it sounds: up to 16 symbols of [`GIST`](crate::text::GIST), others are dropped.
    pub sounds: Key,
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
    /// How the display name sounds.
    sounds: Columns<{ sounds::BITS }>,
    names: Vec<Names>,
    /// The first word of each hash, zero if there is none, and the others.
    first: Vec<u64>,
    others: Vec<[u64; 3]>,
    features: Vec<u32>,
    rows: Rows,
}

/// Bytes of an account's masks.
const MASKS: usize = 2 * <Columns>::BYTES + Columns::<{ sounds::BITS }>::BYTES;

impl Population {
    /// Bytes of an account, without its place in the table: from 5 to 11 more.
    pub const BYTES: usize = 8 + MASKS + names::ROOM + 32 + 4;

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
        let rest = Population::BYTES - MASKS;
        self.numbers.capacity() * rest + masks + self.sounds.memory() + self.rows.memory()
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
        let [sounds, handle, display, other] = self.names[row].each();
        Account {
            number: self.numbers[row],
            handle,
            display,
            other,
            sounds: unpack(sounds),
            picture: self.hash(row),
            features: self.features[row],
        }
    }

    /// Takes an account in, or what has changed of it.
    pub fn put(&mut self, account: &Account) {
        let sounds = Packed::of(account.sounds.as_bytes());
        let names = Names::of([sounds.as_bytes(), account.handle, account.display, account.other]);
        let [first, others @ ..] = account.picture.unwrap_or_default().0;
        let row = match self.rows.find(account.number, &self.numbers) {
            Some(row) => row,
            None => {
                self.numbers.push(account.number);
                self.mask(self.numbers.len() - 1, &names);
                self.names.push(names);
                self.first.push(first);
                self.others.push(others);
                self.features.push(account.features);
                self.rows.add(self.numbers.len() - 1, &self.numbers);
                return;
            }
        };
        self.mask(row, &names);
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
        self.sounds.set(row, self.sounds.get(last));
        self.sounds.truncate(last);
        self.names.swap_remove(row);
        self.first.swap_remove(row);
        self.others.swap_remove(row);
        self.features.swap_remove(row);
        true
    }

    fn mask(&mut self, row: usize, names: &Names) {
        let [sounds, handle, display, other] = names.each();
        self.masks[0].set(row, mask::of(handle));
        self.masks[1].set(row, mask::of(display) | mask::of(other));
        self.sounds.set(row, sounds::mask(unpack(sounds).as_bytes(), !other.is_empty()));
    }

    fn hash(&self, row: usize) -> Option<Pdq> {
        let [second, third, fourth] = self.others[row];
        let hash = Pdq([self.first[row], second, third, fourth]);
        (hash != Pdq::default()).then_some(hash)
    }
}
