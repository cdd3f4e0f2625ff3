//! What benches share: time, and numbers that are the same in every run.

use std::time::Duration;

use lookalike::picture::Pdq;

/// Time that this thread has run: other work on the machine counts less than by the clock.
pub fn ran() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux system");
    let nanoseconds = told.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// What a piece of work gives, and how long it ran.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = ran();
    let done = work();
    (done, ran() - started)
}

/// Pseudo-random numbers (SplitMix64), the same in every run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn hash(&mut self) -> Pdq {
        Pdq([self.next(), self.next(), self.next(), self.next()])
    }
}
