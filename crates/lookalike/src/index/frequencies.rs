//! How common words, names and pictures are among all accounts: what many have proves little.
//!
//! Tables of counters by hash: counts may be too high where two things share a counter, never too
//! low. It must not know whose they are.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::{bytes, keys};
use crate::picture::Pdq;
use crate::text::{Reading, WordKind};

/// How many counters of words there are, as a power of two: enough for the words of 10 M names.
const WORD_BITS: u32 = 19;
/// How many counters of names and pictures there are, as a power of two: at least and at most.
const WHOLE_BITS: [u32; 2] = [24, 30];
/// And for each account that is protected, rounded down to a power of two: with as many others,
/// each of which raises ten, a counter is raised once or twice by chance.
const WHOLES_EACH: usize = 16;
/// Names and pictures are counted in two counters each, the lower of which counts.
const ROUNDS: u64 = 2;

/// Counters of words, names and pictures.
#[derive(Debug)]
pub struct Frequencies {
    words: Vec<AtomicU32>,
    wholes: Vec<AtomicU8>,
    names: AtomicU64,
    /// How often a counter of names and pictures was raised, all together.
    raised: AtomicU64,
}

impl Default for Frequencies {
    fn default() -> Frequencies {
        Frequencies::beside(0)
    }
}

impl Frequencies {
    /// Empty tables for so many protected accounts and about as many others.
    pub fn beside(accounts: usize) -> Frequencies {
        let bits = accounts.saturating_mul(WHOLES_EACH).max(1).ilog2();
        let bits = bits.clamp(WHOLE_BITS[0], WHOLE_BITS[1]);
        let words = std::iter::repeat_with(AtomicU32::default).take(1 << WORD_BITS).collect();
        let wholes = std::iter::repeat_with(AtomicU8::default).take(1 << bits).collect();
        Frequencies { words, wholes, names: AtomicU64::new(0), raised: AtomicU64::new(0) }
    }

    /// The counts of now, in counters of their own.
    pub(super) fn copy(&self) -> Frequencies {
        let of = Ordering::Relaxed;
        Frequencies {
            words: self.words.iter().map(|count| AtomicU32::new(count.load(of))).collect(),
            wholes: self.wholes.iter().map(|count| AtomicU8::new(count.load(of))).collect(),
            names: AtomicU64::new(self.names.load(of)),
            raised: AtomicU64::new(self.raised.load(of)),
        }
    }

    /// Counts an account: the words of its display name, the name itself, and its pictures.
    pub fn add(&self, display: &Reading, avatars: &[Pdq]) {
        for word in display.words.iter().filter(|word| word.kind == WordKind::Name) {
            self.word(word.key.as_bytes()).fetch_add(1, Ordering::Relaxed);
        }
        self.names.fetch_add(1, Ordering::Relaxed);
        let name = Some(display.core).filter(|core| !core.is_empty());
        let name = name.map(|core| keys::hash(98, core.as_bytes()));
        let mut raised = 0;
        for whole in name.into_iter().chain(avatars.iter().flat_map(parts)) {
            self.raise(whole);
            raised += ROUNDS;
        }
        self.raised.fetch_add(raised, Ordering::Relaxed);
    }

    fn word(&self, word: &[u8]) -> &AtomicU32 {
        &self.words[(keys::hash(99, word) >> (64 - WORD_BITS)) as usize]
    }

    fn counter(&self, hash: u64, round: u64) -> &AtomicU8 {
        let place = (hash ^ round.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .wrapping_mul(0xd6e8_feb8_6659_fd93)
            >> (64 - self.wholes.len().ilog2());
        &self.wholes[place as usize]
    }

    fn raise(&self, hash: u64) {
        for round in 0..ROUNDS {
            let one_more = |count: u8| count.checked_add(1);
            let counter = self.counter(hash, round);
            // A full counter stays full.
            let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        }
    }

    /// How many were counted, less what others are expected to have added; 255 at most.
    fn count(&self, hash: u64) -> f32 {
        let counts = (0..ROUNDS).map(|round| self.counter(hash, round).load(Ordering::Relaxed));
        let by_chance = self.raised.load(Ordering::Relaxed) as f32 / self.wholes.len() as f32;
        f32::from(counts.min().unwrap_or_default()) - by_chance / 2.0
    }

    /// How many other accounts were counted beside so many that are protected, from 0 for none to 1
    /// for half as many or more.
    pub fn known_beside(&self, protected: usize) -> f32 {
        let others = self.names.load(Ordering::Relaxed).saturating_sub(protected as u64);
        (2.0 * others as f32 / protected.max(1) as f32).min(1.0)
    }

    /// How surprising a word is in a name, in bits: the logarithm of one in how many names has it.
    /// Of a table of few names little is known, so nothing there is very surprising.
    pub fn surprise(&self, word: &[u8]) -> f32 {
        let names = self.names.load(Ordering::Relaxed) as f32;
        let with = self.word(word).load(Ordering::Relaxed) as f32;
        ((names + 1_000.0) / (with + 1.0)).log2().max(0.0)
    }

    /// How many accounts have this display name, as a logarithm to 2.
    pub fn bearers(&self, display: &Reading) -> f32 {
        if display.core.is_empty() {
            return 0.0;
        }
        self.count(keys::hash(98, display.core.as_bytes())).max(1.0).log2()
    }

    /// How many accounts have this picture or hardly another one, as a logarithm to 2.
    pub fn owners(&self, avatar: &Pdq) -> f32 {
        let counts = parts(avatar).map(|part| self.count(part));
        counts.into_iter().fold(1.0, f32::max).log2()
    }

    /// How many bytes it holds.
    pub fn memory(&self) -> usize {
        self.words.len() * 4 + self.wholes.len()
    }

    /// Writes it.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        let words: Vec<u32> = self.words.iter().map(|c| c.load(Ordering::Relaxed)).collect();
        let wholes: Vec<u8> = self.wholes.iter().map(|c| c.load(Ordering::Relaxed)).collect();
        bytes::write_u64(to, self.names.load(Ordering::Relaxed))?;
        bytes::write_u64(to, self.raised.load(Ordering::Relaxed))?;
        bytes::write_all_u32(to, &words)?;
        bytes::write_all_u8(to, &wholes)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// If reading fails or it is of another size.
    pub fn read_from(from: &mut dyn Read) -> io::Result<Frequencies> {
        let names = AtomicU64::new(bytes::read_u64(from)?);
        let raised = AtomicU64::new(bytes::read_u64(from)?);
        let words = bytes::read_all_u32(from)?;
        let wholes = bytes::read_all_u8(from)?;
        let wholes_fit = wholes.len().is_power_of_two() && wholes.len().ilog2() >= WHOLE_BITS[0];
        if words.len() != 1 << WORD_BITS || !wholes_fit {
            return Err(bytes::broken("tables of frequencies of another size"));
        }
        let words = words.into_iter().map(AtomicU32::new).collect();
        let wholes = wholes.into_iter().map(AtomicU8::new).collect();
        Ok(Frequencies { words, wholes, names, raised })
    }
}

/// The quarters of a picture's hash: one of them stays as it is when the picture is saved anew.
fn parts(avatar: &Pdq) -> [u64; 4] {
    let part = |place: usize| keys::hash(90 + place as u64, &avatar.0[place].to_le_bytes());
    [part(0), part(1), part(2), part(3)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Reader;

    #[test]
    fn what_many_have_is_common() {
        let frequencies = Frequencies::default();
        let reader = Reader::new();
        let (common, rare) = (Pdq([1, 2, 3, 4]), Pdq([5, 6, 7, 8]));
        for count in 0..300 {
            let name = reader.read(if count < 30 { "Maria Silva" } else { "Li Wei" });
            frequencies.add(&name, &[common]);
        }
        frequencies.add(&reader.read("Zuleika Dobson"), &[rare]);
        assert!(frequencies.owners(&common) > 7.9);
        assert_eq!(frequencies.owners(&rare), 0.0);
        // Saved anew, a few bits differ.
        assert!(frequencies.owners(&Pdq([1, 3, 3, 5])) > 7.9);
        let bearers = |name: &str| frequencies.bearers(&reader.read(name));
        assert!((bearers("maria silva") - 30f32.log2()).abs() < 0.1);
        assert_eq!(bearers("Zuleika Dobson"), 0.0);
        assert!(frequencies.surprise(b"maria") < frequencies.surprise(b"zuieika"));
        let mut written = Vec::new();
        frequencies.write_to(&mut written).unwrap();
        let read = Frequencies::read_from(&mut written.as_slice()).unwrap();
        assert_eq!(read.owners(&common), frequencies.owners(&common));
    }

    #[test]
    fn there_is_room_for_all_accounts_and_as_many_others() {
        assert_eq!(Frequencies::beside(0).wholes.len(), 1 << 24);
        let large = Frequencies::beside(1 << 21);
        assert_eq!(large.wholes.len(), 1 << 25);
        let picture = Pdq([1, 2, 3, 4]);
        (0..40).for_each(|_| large.add(&Reader::new().read("Li Wei"), &[picture]));
        let mut written = Vec::new();
        large.write_to(&mut written).unwrap();
        let read = Frequencies::read_from(&mut written.as_slice()).unwrap();
        assert_eq!(read.owners(&picture), large.owners(&picture));
        assert!(read.owners(&picture) > 5.0);
        let end = written.len() - 1;
        Frequencies::read_from(&mut &written[..end]).unwrap_err();
    }
}
