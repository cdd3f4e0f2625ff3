//! `cargo bench -p lookalike --bench hashes`: the index of hashes; queries a second, recall beyond
//! the promise, memory. Name a count to measure only that: `-- 1000000`.

use std::time::{Duration, Instant};

use lookalike::picture::{Budget, HashIndex, Pdq, Reach, Scratch};

/// Queries of one measurement.
const QUERIES: usize = 20_000;

fn main() {
    let wanted: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let counts = if wanted.is_empty() { vec![10_000, 100_000, 1_000_000] } else { wanted };
    for count in counts {
        measure(count);
    }
}

fn measure(count: usize) {
    let mut numbers = Numbers(1);
    let hashes: Vec<Pdq> = (0..count).map(|_| numbers.hash()).collect();
    let (index, took) =
        timed(|| HashIndex::build(hashes.iter().copied().enumerate().map(|(n, h)| (n as u32, h))));
    println!(
        "\n{count} hashes: built in {:.2} s, {:.1} bytes a hash",
        took.as_secs_f64(),
        index.memory() as f64 / count as f64
    );
    let mut bytes = Vec::new();
    index.write_to(&mut bytes).expect("memory takes it");
    let (_, took) = timed(|| HashIndex::read_from(&mut bytes.as_slice()).expect("it was written"));
    println!(
        "read again in {:.2} s from {:.1} bytes a hash",
        took.as_secs_f64(),
        bytes.len() as f64 / count as f64
    );
    drop(bytes);
    for reach in [
        Reach { radius: 15, exact: 15 },
        Reach::SAME,
        Reach::about(48),
        Reach::about(64),
        Reach::about(80),
        Reach { radius: 47, exact: 47 },
        Reach { radius: 80, exact: 47 },
    ] {
        one(&index, &hashes, reach, &mut numbers);
    }
    let flat: Vec<Pdq> = (0..50).map(|_| numbers.hash()).collect();
    let (near, took) = timed(|| {
        flat.iter()
            .map(|query| hashes.iter().filter(|h| query.distance(h) <= 31).count())
            .sum::<usize>()
    });
    println!("comparing all: {:.0} queries/s ({near} found)", 50.0 / took.as_secs_f64());
}

fn one(index: &HashIndex, hashes: &[Pdq], reach: Reach, numbers: &mut Numbers) {
    let mut scratch = Scratch::default();
    let queries: Vec<Pdq> = (0..QUERIES).map(|_| numbers.hash()).collect();
    let mut times = Vec::with_capacity(QUERIES);
    let mut entries = 0;
    let (_, took) = timed(|| {
        for query in &queries {
            let started = now();
            entries += index.search(query, reach, Budget::default(), &mut scratch).entries;
            times.push(started.elapsed());
        }
    });
    times.sort_unstable();
    println!(
        "radius {} exact {}: {:.0} queries/s, p50 {:.1} µs, p99 {:.1} µs, {} entries a query",
        reach.radius,
        reach.exact,
        QUERIES as f64 / took.as_secs_f64(),
        times[QUERIES / 2].as_secs_f64() * 1e6,
        times[QUERIES * 99 / 100].as_secs_f64() * 1e6,
        entries / QUERIES as u64
    );
    let recalls: Vec<String> = [16, 31, 32, 40, 47, 56, 64, 72, 80]
        .into_iter()
        .filter(|distance| *distance <= reach.radius)
        .map(|distance| {
            let found = (0..1_000)
                .filter(|_| {
                    let owner = numbers.below(hashes.len());
                    let query = numbers.flipped(hashes[owner], distance);
                    let found = index.search(&query, reach, Budget::default(), &mut scratch);
                    found.hits.iter().any(|hit| hit.owner as usize == owner)
                })
                .count();
            format!("{distance}: {:.3}", found as f64 / 1_000.0)
        })
        .collect();
    println!("    recall by distance {}", recalls.join(", "));
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> Instant {
    Instant::now()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = now();
    let done = work();
    (done, started.elapsed())
}

/// Pseudo-random numbers (SplitMix64), the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn hash(&mut self) -> Pdq {
        Pdq([self.next(), self.next(), self.next(), self.next()])
    }

    fn flipped(&mut self, mut hash: Pdq, bits: u32) -> Pdq {
        let of = hash;
        while hash.distance(&of) < bits {
            let bit = self.below(256);
            hash.0[bit / 64] |= (of.0[bit / 64] ^ 1 << (bit % 64)) & 1 << (bit % 64);
            if of.0[bit / 64] >> (bit % 64) & 1 == 1 {
                hash.0[bit / 64] &= !(1 << (bit % 64));
            }
        }
        hash
    }
}
