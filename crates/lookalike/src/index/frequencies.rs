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
/// Tables are made anew once so many times their room is wanted.
const OUTGROWN: usize = 4;

/// Counters of words, names and pictures.
#[derive(Debug)]
pub struct Frequencies {
    words: Vec<AtomicU32>,
    wholes: Vec<AtomicU8>,
    /// How many protected accounts are counted.
    protected: AtomicU64,
    /// How many others were; again whenever their names or pictures are counted again.
    others: AtomicU64,
    /// How often a counter of names and pictures was raised, all together.
    raised: AtomicU64,
}

/// One more or one less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Up,
    Down,
}

impl Step {
    fn of(self, count: &AtomicU64, by: u64) {
        match self {
            Step::Up => count.fetch_add(by, Ordering::Relaxed),
            Step::Down => count.fetch_sub(by, Ordering::Relaxed),
        };
    }

    fn of_word(self, count: &AtomicU32) {
        match self {
            Step::Up => count.fetch_add(1, Ordering::Relaxed),
            Step::Down => count.fetch_sub(1, Ordering::Relaxed),
        };
    }

    /// A full counter stays full: it is not known how often it was raised.
    fn of_whole(self, count: &AtomicU8) {
        let next = |count: u8| match self {
            Step::Up => count.checked_add(1),
            Step::Down => (count < u8::MAX).then(|| count.saturating_sub(1)),
        };
        let _ = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }
}

impl Default for Frequencies {
    fn default() -> Frequencies {
        Frequencies::beside(0)
    }
}

impl Frequencies {
    /// Empty tables for so many protected accounts and about as many others.
    pub fn beside(accounts: usize) -> Frequencies {
        let words = std::iter::repeat_with(AtomicU32::default).take(1 << WORD_BITS).collect();
        let wholes = std::iter::repeat_with(AtomicU8::default).take(room(accounts)).collect();
        let [protected, others, raised] = [const { AtomicU64::new(0) }; 3];
        Frequencies { words, wholes, protected, others, raised }
    }

    /// Whether there are so many more protected accounts than the tables were made for that too
    /// much of what they say is chance.
    pub(super) fn are_outgrown_by(&self, accounts: usize) -> bool {
        room(accounts) >= OUTGROWN * self.wholes.len()
    }

    /// The counts of now, in counters of their own.
    pub(super) fn copy(&self) -> Frequencies {
        let of = Ordering::Relaxed;
        Frequencies {
            words: self.words.iter().map(|count| AtomicU32::new(count.load(of))).collect(),
            wholes: self.wholes.iter().map(|count| AtomicU8::new(count.load(of))).collect(),
            protected: AtomicU64::new(self.protected.load(of)),
            others: AtomicU64::new(self.others.load(of)),
            raised: AtomicU64::new(self.raised.load(of)),
        }
    }

    /// Counts a protected account: the words of its display name, the name itself, its picture.
    pub(super) fn protect(&self, display: &Reading, avatars: &[Pdq]) {
        Step::Up.of(&self.protected, 1);
        self.count_account(Step::Up, display, avatars);
    }

    /// Takes back that a protected account was counted, so that one that changed has left nothing
    /// but what it is now.
    pub(super) fn forget(&self, display: &Reading, avatars: &[Pdq]) {
        Step::Down.of(&self.protected, 1);
        self.count_account(Step::Down, display, avatars);
    }

    /// Counts another account.
    pub(super) fn observe(&self, display: &Reading, avatars: &[Pdq]) {
        Step::Up.of(&self.others, 1);
        self.count_account(Step::Up, display, avatars);
    }

    /// Of its pictures the first: what follows are mostly views of it, which nobody else shows.
    fn count_account(&self, step: Step, display: &Reading, avatars: &[Pdq]) {
        for word in display.words.iter().filter(|word| word.kind == WordKind::Name) {
            step.of_word(self.word(word.key.as_bytes()));
        }
        let name = Some(display.core).filter(|core| !core.is_empty());
        let name = name.map(|core| keys::hash(98, core.as_bytes()));
        let mut raised = 0;
        for whole in name.into_iter().chain(avatars.first().into_iter().flat_map(parts)) {
            (0..ROUNDS).for_each(|round| step.of_whole(self.counter(whole, round)));
            raised += ROUNDS;
        }
        step.of(&self.raised, raised);
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

    /// How many were counted, less what others are expected to have added; 255 at most.
    fn count(&self, hash: u64) -> f32 {
        let counts = (0..ROUNDS).map(|round| self.counter(hash, round).load(Ordering::Relaxed));
        let by_chance = self.raised.load(Ordering::Relaxed) as f32 / self.wholes.len() as f32;
        f32::from(counts.min().unwrap_or_default()) - by_chance / 2.0
    }

    /// How many other accounts are known beside those that are protected, from 0 for none to 1 for
    /// half as many or more.
    pub fn others_known(&self) -> f32 {
        let [protected, others] =
            [&self.protected, &self.others].map(|count| count.load(Ordering::Relaxed) as f32);
        (2.0 * others / protected.max(1.0)).min(1.0)
    }

    /// How surprising a word is in a name, in bits: the logarithm of one in how many names has it.
    /// Of a table of few names little is known, so nothing there is very surprising.
    pub fn surprise(&self, word: &[u8]) -> f32 {
        let [protected, others] =
            [&self.protected, &self.others].map(|count| count.load(Ordering::Relaxed));
        let names = (protected + others) as f32;
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
        for count in [&self.protected, &self.others, &self.raised] {
            bytes::write_u64(to, count.load(Ordering::Relaxed))?;
        }
        bytes::write_all_u32(to, &words)?;
        bytes::write_all_u8(to, &wholes)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// If reading fails or it is of another size.
    pub fn read_from(from: &mut dyn Read) -> io::Result<Frequencies> {
        let protected = AtomicU64::new(bytes::read_u64(from)?);
        let others = AtomicU64::new(bytes::read_u64(from)?);
        let raised = AtomicU64::new(bytes::read_u64(from)?);
        let words = bytes::read_all_u32(from)?;
        let wholes = bytes::read_all_u8(from)?;
        let wholes_fit = wholes.len().is_power_of_two() && wholes.len().ilog2() >= WHOLE_BITS[0];
        if words.len() != 1 << WORD_BITS || !wholes_fit {
            return Err(bytes::broken("tables of frequencies of another size"));
        }
        let words = words.into_iter().map(AtomicU32::new).collect();
        let wholes = wholes.into_iter().map(AtomicU8::new).collect();
        Ok(Frequencies { words, wholes, protected, others, raised })
    }
}

/// How many counters of names and pictures so many protected accounts want.
fn room(accounts: usize) -> usize {
    let bits = accounts.saturating_mul(WHOLES_EACH).max(1).ilog2();
    1 << bits.clamp(WHOLE_BITS[0], WHOLE_BITS[1])
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
            frequencies.observe(&name, &[common]);
        }
        frequencies.observe(&reader.read("Zuleika Dobson"), &[rare]);
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
    fn what_an_account_was_before_it_changed_is_forgotten() {
        let reader = Reader::new();
        let [before, now] = ["Maria Silva", "Mary Silver"].map(|name| reader.read(name));
        let pictures = [Pdq([1, 2, 3, 4]), Pdq([5, 6, 7, 8])];
        let (changed, fresh) = (Frequencies::default(), Frequencies::default());
        (0..40).for_each(|_| changed.protect(&before, &pictures));
        (0..40).for_each(|_| changed.forget(&before, &pictures));
        for frequencies in [&changed, &fresh] {
            frequencies.protect(&now, &pictures[..1]);
            assert_eq!(frequencies.others_known(), 0.0);
            frequencies.observe(&now, &[]);
            assert_eq!(frequencies.others_known(), 1.0);
        }
        let bytes = [changed, fresh].map(|frequencies| {
            let mut written = Vec::new();
            frequencies.write_to(&mut written).unwrap();
            written
        });
        assert!(bytes[0] == bytes[1]);
    }

    #[test]
    fn there_is_room_for_all_accounts_and_as_many_others() {
        assert_eq!(Frequencies::beside(0).wholes.len(), 1 << 24);
        let large = Frequencies::beside(1 << 21);
        assert_eq!(large.wholes.len(), 1 << 25);
        assert!(!large.are_outgrown_by((1 << 23) - 1));
        assert!(large.are_outgrown_by(1 << 23));
        let picture = Pdq([1, 2, 3, 4]);
        (0..40).for_each(|_| large.observe(&Reader::new().read("Li Wei"), &[picture]));
        let mut written = Vec::new();
        large.write_to(&mut written).unwrap();
        let read = Frequencies::read_from(&mut written.as_slice()).unwrap();
        assert_eq!(read.owners(&picture), large.owners(&picture));
        assert!(read.owners(&picture) > 5.0);
        let end = written.len() - 1;
        Frequencies::read_from(&mut &written[..end]).unwrap_err();
    }
}
