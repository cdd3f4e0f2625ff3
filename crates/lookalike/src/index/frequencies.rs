//! How common words are in names: a name of common words proves less.
//!
//! A table of counters by hash: counts may be too high where words share a counter, never too low.
//! It must not know whose names they are.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{bytes, keys};

/// How many counters there are, as a power of two: enough for the words of 10 M names.
const BITS: u32 = 19;

/// Counters of words.
#[derive(Debug)]
pub struct Frequencies {
    counters: Vec<AtomicU32>,
    names: AtomicU64,
}

impl Default for Frequencies {
    fn default() -> Frequencies {
        let counters = std::iter::repeat_with(AtomicU32::default).take(1 << BITS).collect();
        Frequencies { counters, names: AtomicU64::new(0) }
    }
}

impl Frequencies {
    fn counter(&self, word: &[u8]) -> &AtomicU32 {
        &self.counters[(keys::hash(99, word) >> (64 - BITS)) as usize]
    }

    /// Counts a word.
    pub fn add(&self, word: &[u8]) {
        self.counter(word).fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a name.
    pub fn add_name(&self) {
        self.names.fetch_add(1, Ordering::Relaxed);
    }

    /// How surprising a word is in a name, in bits: the logarithm of one in how many names has it.
    /// Of a table of few names little is known, so nothing there is very surprising.
    pub fn surprise(&self, word: &[u8]) -> f32 {
        let names = self.names.load(Ordering::Relaxed) as f32;
        let with = self.counter(word).load(Ordering::Relaxed) as f32;
        ((names + 1_000.0) / (with + 1.0)).log2().max(0.0)
    }

    /// How many bytes it holds.
    pub fn memory(&self) -> usize {
        self.counters.len() * 4
    }

    /// Writes it.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        let loaded = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        let counters: Vec<u32> = self.counters.iter().map(loaded).collect();
        bytes::write_u64(to, self.names.load(Ordering::Relaxed))?;
        bytes::write_all_u32(to, &counters)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// If reading fails or it is of another size.
    pub fn read_from(from: &mut impl Read) -> io::Result<Frequencies> {
        let names = AtomicU64::new(bytes::read_u64(from)?);
        let counters = bytes::read_all_u32(from)?;
        if counters.len() != 1 << BITS {
            return Err(bytes::broken("a table of frequencies of another size"));
        }
        Ok(Frequencies { counters: counters.into_iter().map(AtomicU32::new).collect(), names })
    }
}
