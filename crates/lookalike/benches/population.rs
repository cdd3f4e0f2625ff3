//! `cargo bench -p lookalike --bench population`: the scan of a population for the imitators of one
//! identity; pairs of account and identity a second, memory. Name a count of accounts:
//! `-- 1000000`.

#[path = "common/mod.rs"]
mod common;
#[path = "common/names.rs"]
mod names;

use common::{Numbers, timed};
use lookalike::picture::Pdq;
use lookalike::population::{Account, Best, Population, Sought};
use names::name;

/// Identities that imitators are sought of.
const IDENTITIES: usize = 40;

fn main() {
    let wanted: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    for count in if wanted.is_empty() { vec![1_000_000] } else { wanted } {
        measure(count);
    }
}

fn measure(count: usize) {
    let mut numbers = Numbers(1);
    let mut population = Population::default();
    let (_, took) = timed(|| {
        for number in 0..count {
            let (handle, display) = (name(&mut numbers), name(&mut numbers));
            population.put(&Account {
                number: number as u64,
                handle: handle.as_bytes(),
                display: display.as_bytes(),
                picture: Some(numbers.hash()),
                ..Account::default()
            });
        }
    });
    println!(
        "{count} accounts: put in {:.2} s, {:.1} bytes each",
        took.as_secs_f64(),
        population.memory() as f64 / count as f64
    );
    for (keys, hashes) in [(1, 1), (2, 1), (2, 2), (4, 4)] {
        let identities: Vec<(Vec<String>, Vec<Pdq>)> = (0..IDENTITIES)
            .map(|_| {
                let keys = (0..keys).map(|_| name(&mut numbers)).collect();
                (keys, (0..hashes).map(|_| numbers.hash()).collect())
            })
            .collect();
        let mut found = 0;
        let mut times: Vec<f64> = Vec::new();
        for (keys, hashes) in &identities {
            let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
            let (_, took) = timed(|| {
                let sought = Sought::new(&keys, hashes, 60);
                let mut best = Best::new(1_000);
                population.scan(0..population.len(), &sought, &mut best);
                found += best.found();
            });
            times.push(took.as_secs_f64());
        }
        times.sort_unstable_by(f64::total_cmp);
        println!(
            "{keys} keys, {hashes} hashes: {:.0} M pairs/s (median), {} found of each",
            count as f64 / times[IDENTITIES / 2] / 1e6,
            found / IDENTITIES as u64
        );
    }
}
