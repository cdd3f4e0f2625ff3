//! `cargo bench -p lookalike --bench checks`: checks in process on one thread, among so many
//! protected identities with one picture each; memory, building, and what reading a profile's names
//! takes alone, the floor of any check. Names are made up: what real ones cost and how many
//! imitations are found, `recourse impersonation eval` says. Rates are by processor time, latencies
//! by the clock. Name a count to measure only that:
//! `-- 1000000`.

#[path = "common/mod.rs"]
mod common;
#[path = "common/names.rs"]
mod names;

use std::hint::black_box;
use std::time::Instant;

use common::{Numbers, timed};
use lookalike::detector::{Ask, Detector, Scratch};
use lookalike::index::Index;
use lookalike::picture::Pdq;
use lookalike::profile::{Identity, Profile};
use names::name;

/// Checks of one measurement.
const CHECKS: usize = 10_000;
/// Of how many profiles one imitates somebody: by a letter and a picture saved anew.
const ONE_IMITATES_OF: usize = 20;

fn main() {
    let wanted: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let counts = if wanted.is_empty() { vec![100_000, 1_000_000, 10_000_000] } else { wanted };
    for count in counts {
        measure(count);
    }
}

fn person(number: u64, numbers: &mut Numbers) -> Identity {
    let (first, last) = (name(numbers), name(numbers));
    Identity {
        number,
        handle: format!("{first}{last}{}", numbers.below(100)),
        display_name: format!("{first} {last}"),
        avatars: vec![numbers.hash()],
        bio: (0..6).map(|_| name(numbers)).collect::<Vec<_>>().join(" "),
        followers: numbers.below(1_000_000) as u64,
        ..Identity::default()
    }
}

fn profile(number: usize, protected: &[Identity], numbers: &mut Numbers) -> Profile {
    let somebody = person(0, numbers);
    let of = |identity: &Identity| Profile {
        handle: identity.handle.clone(),
        display_name: identity.display_name.clone(),
        avatars: identity.avatars.clone(),
        bio: identity.bio.clone(),
        ..Profile::default()
    };
    if !number.is_multiple_of(ONE_IMITATES_OF) {
        return of(&somebody);
    }
    let imitated = &protected[numbers.below(protected.len())];
    let Pdq(mut hash) = imitated.avatars[0];
    hash[0] ^= 0x11_1111;
    let imitation = of(imitated);
    let handle = format!("x{}", imitation.handle);
    Profile { handle, avatars: vec![Pdq(hash)], bio: somebody.bio, ..imitation }
}

fn measure(count: usize) {
    let mut numbers = Numbers(1);
    let detector = Detector::default();
    let protected: Vec<Identity> =
        (0..count).map(|number| person(number as u64, &mut numbers)).collect();
    let (index, seconds) = clocked(|| Index::build(&detector.reader, &protected, 2));
    println!(
        "\n{count} identities: built in {seconds:.1} s on 2 threads, {:.0} bytes each",
        index.memory() as f64 / count as f64
    );
    let profiles: Vec<Profile> =
        (0..CHECKS).map(|number| profile(number, &protected, &mut numbers)).collect();
    drop(protected);
    let (mut scratch, ask) = (Scratch::default(), Ask::default());
    let mut found = 0;
    let check = |profile: &Profile| {
        let checked = detector.check(&index, profile, &mut scratch, &ask);
        found += usize::from(!checked.matches.is_empty());
    };
    let (checks, ran) = timed(|| latencies(&profiles, check));
    let floor = latencies(&profiles, |profile| {
        black_box([&profile.handle, &profile.display_name].map(|name| detector.reader.read(name)));
    });
    println!(
        "checks: {:.0} a second, p50 {:.3} ms, p99 {:.3} ms; {found} of {CHECKS} imitate somebody",
        CHECKS as f64 / ran.as_secs_f64(),
        checks.p50,
        checks.p99
    );
    println!(
        "reading the names alone: p50 {:.4} ms; a check takes {:.1} times as long",
        floor.p50,
        checks.p50 / floor.p50
    );
}

/// In milliseconds.
struct Latencies {
    p50: f64,
    p99: f64,
}

fn latencies(profiles: &[Profile], mut with: impl FnMut(&Profile)) -> Latencies {
    let times = profiles.iter().map(|profile| 1e3 * clocked(|| with(profile)).1);
    let mut times: Vec<f64> = times.collect();
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[(times.len() as f64 * share) as usize];
    Latencies { p50: at(0.5), p99: at(0.99) }
}

#[expect(
    clippy::disallowed_methods,
    reason = "single calls are too short for the time of a thread"
)]
fn clocked<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let since = Instant::now();
    let done = work();
    (done, since.elapsed().as_secs_f64())
}
