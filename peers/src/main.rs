//! Measures one system in a process of its own: `peers SYSTEM FILE…`; one line of JSON on stdout.
//! Single-threaded. The files are made and the lines read by peers.py.
#![allow(clippy::disallowed_methods, reason = "a measuring tool: no kit, no clock to inject")]

mod handles;
mod hashes;
mod ours;
mod pictures;
mod symspell;
mod tantivy;

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

/// What goes wrong ends the process with a message.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// How long rounds are repeated to measure a rate.
const LONG_ENOUGH: Duration = Duration::from_secs(2);

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["score", handles, attacks] => ours::measure(handles, attacks, ours::Order::Score),
        ["likeness", handles, attacks] => ours::measure(handles, attacks, ours::Order::Likeness),
        ["symspell", handles, attacks] => symspell::measure(handles, attacks),
        ["tantivy-build", handles, folder] => tantivy::build(handles, folder),
        ["tantivy", handles, attacks, folder] => tantivy::measure(handles, attacks, folder),
        ["hashes", hashes, queries] => hashes::measure(hashes, queries),
        ["pictures", listed] => pictures::measure(listed),
        _ => Err("usage: peers SYSTEM FILE…, see main.rs".into()),
    }
}

/// Bytes of memory that the process has resident.
fn resident() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

/// Seconds that the process has computed, whoever else wants the processor; of the clock if the
/// system does not tell. Told at every tick, so for long stretches only.
fn computed(since: Instant) -> f64 {
    let told = fs::read_to_string("/proc/self/schedstat").ok();
    let first = told.as_deref().and_then(|told| told.split_whitespace().next());
    let nanoseconds = first.and_then(|first| first.parse::<f64>().ok());
    nanoseconds.map_or(since.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// Answers every query, in rounds until it took a while, and prints the seconds of a round, how
/// long each query took in the first and what came of it.
fn answer<Q>(
    queries: &[Q],
    bytes_each: f64,
    mut with: impl FnMut(&Q) -> Outcome<u32>,
) -> Outcome<()> {
    for query in queries.iter().step_by(8) {
        with(query)?;
    }
    let (mut nanoseconds, mut places) = (Vec::new(), Vec::new());
    for query in queries {
        let start = Instant::now();
        let place = with(query)?;
        nanoseconds.push(start.elapsed().as_nanos());
        places.push(place);
    }
    let (start, mut rounds) = (Instant::now(), 0.0);
    let before = computed(start);
    while rounds == 0.0 || start.elapsed() < LONG_ENOUGH {
        for query in queries {
            with(query)?;
        }
        rounds += 1.0;
    }
    let seconds = (computed(start) - before) / rounds;
    println!(
        "{{\"bytes\": {bytes_each}, \"seconds\": {seconds}, \"nanoseconds\": {nanoseconds:?}, \
         \"places\": {places:?}}}"
    );
    Ok(())
}
