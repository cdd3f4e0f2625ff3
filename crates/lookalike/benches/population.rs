//! `cargo bench -p lookalike --bench population`: the scan of a population for the imitators of one
//! identity, as the service asks it: by keys, words, sounds and pictures of real shape, made up.
//! Pairs of account and identity a second and memory, beside a floor: the hash of each account
//! compared with one, which any scan for a picture must do. By processor time of one thread. Name
//! a count of accounts: `-- 1000000`.

#[path = "common/mod.rs"]
mod common;
#[path = "common/names.rs"]
mod names;

use std::hint::black_box;

use common::{Numbers, timed};
use lookalike::picture::Pdq;
use lookalike::population::{Best, Person, Population, Sought};
use lookalike::profile::{Identity, Profile};
use lookalike::text::Reader;
use names::name;

/// Identities that imitators are sought of.
const IDENTITIES: usize = 40;
/// How many are named, as by the service.
const NAMED: usize = 5_000;

fn main() {
    let wanted: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    for count in if wanted.is_empty() { vec![1_000_000] } else { wanted } {
        measure(count);
    }
}

/// A handle and a display name.
fn names_of(numbers: &mut Numbers) -> (String, String) {
    let (first, last) = (name(numbers), name(numbers));
    (format!("{first}{last}{}", numbers.below(100)), format!("{first} {last}"))
}

fn measure(count: usize) {
    let reader = Reader::new();
    let mut numbers = Numbers(1);
    let mut population = Population::default();
    let mut hashes = Vec::with_capacity(count);
    let (_, took) = timed(|| {
        for number in 0..count {
            let (handle, display_name) = names_of(&mut numbers);
            let hash = numbers.hash();
            hashes.push(hash);
            let avatars = vec![hash];
            let profile = Profile { handle, display_name, avatars, ..Profile::default() };
            population.put(&Person::of(&reader, (number as u64, 0), &profile).account());
        }
    });
    println!(
        "{count} accounts: read and put in in {:.2} s, {:.1} bytes each",
        took.as_secs_f64(),
        population.memory() as f64 / count as f64
    );
    let floor = median((0..IDENTITIES).map(|_| {
        let sought = numbers.hash();
        let near = |hash: &&Pdq| hash.distance(&sought) <= 64;
        let (near, took) = timed(|| black_box(&hashes).iter().filter(near).count());
        black_box(near);
        took.as_secs_f64()
    }));
    println!("floor, a hash compared: {:.0} M pairs/s", count as f64 / floor / 1e6);
    for (aliases, pictures) in [(0, 1), (2, 1), (0, 4)] {
        let mut found = 0;
        let took = median((0..IDENTITIES).map(|_| {
            let (handle, display_name) = names_of(&mut numbers);
            let identity = Identity {
                handle,
                display_name,
                aliases: (0..aliases).map(|_| names_of(&mut numbers).1).collect(),
                avatars: (0..pictures).map(|_| numbers.hash()).collect(),
                ..Identity::default()
            };
            let (best, took) = timed(|| {
                let sought = Sought::of(&reader, &identity);
                let mut best = Best::new(NAMED);
                population.scan(0..population.len(), &sought, &mut best);
                best
            });
            found += best.found();
            took.as_secs_f64()
        }));
        println!(
            "{aliases} aliases, {pictures} pictures: {:.0} M pairs/s (median), {:.2} of the floor, \
             {} found of each",
            count as f64 / took / 1e6,
            floor / took,
            found / IDENTITIES as u64
        );
    }
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
