//! `cargo bench -p lookalike --bench hashes`: the index of hashes; queries a second, recall beyond
//! the promise, memory. Name a count to measure only that: `-- 1000000`.

#[path = "common/mod.rs"]
mod common;

use common::{Numbers, timed};
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
        Reach::within(15),
        Reach::SAME,
        Reach::about(48),
        Reach::about(64),
        Reach::about(80),
        Reach::far(80),
        Reach::within(47),
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
    let mut entries = 0;
    let (_, took) = timed(|| {
        for query in &queries {
            entries += index.search(query, reach, Budget::default(), &mut scratch).entries;
        }
    });
    println!(
        "radius {} exact {}: {:.0} queries/s, {:.1} µs each, {} entries a query",
        reach.radius,
        reach.exact,
        QUERIES as f64 / took.as_secs_f64(),
        took.as_secs_f64() * 1e6 / QUERIES as f64,
        entries / QUERIES as u64
    );
    let recalls: Vec<String> = [16, 31, 32, 40, 47, 56, 64, 72, 80]
        .into_iter()
        .filter(|distance| *distance <= reach.radius)
        .map(|distance| {
            let found = (0..1_000)
                .filter(|_| {
                    let owner = numbers.below(hashes.len());
                    let query = flipped(numbers, hashes[owner], distance);
                    let found = index.search(&query, reach, Budget::default(), &mut scratch);
                    found.hits.iter().any(|hit| hit.owner as usize == owner)
                })
                .count();
            format!("{distance}: {:.3}", found as f64 / 1_000.0)
        })
        .collect();
    println!("    recall by distance {}", recalls.join(", "));
}

/// The hash with so many bits changed.
fn flipped(numbers: &mut Numbers, of: Pdq, bits: u32) -> Pdq {
    let mut hash = of;
    while hash.distance(&of) < bits {
        let bit = numbers.below(256);
        let mask = 1 << (bit % 64);
        hash.0[bit / 64] = hash.0[bit / 64] & !mask | !of.0[bit / 64] & mask;
    }
    hash
}
