//! Our own PDQ hash of picture files, as the definition has it: without views.

use std::fs;
use std::time::Instant;

use lookalike::picture::{Limits, decode};

use crate::Outcome;

/// Hashes the files that are listed, one a line. Decoding is not timed: it is not timed of the
/// other either.
pub fn measure(listed: &str) -> Outcome<()> {
    let (mut nanoseconds, mut hashes) = (Vec::new(), Vec::new());
    for path in fs::read_to_string(listed)?.lines() {
        let plane = decode(&fs::read(path)?, Limits::default())?;
        let start = Instant::now();
        let (hash, _) = plane.hash();
        nanoseconds.push(start.elapsed().as_nanos());
        hashes.push(hash.to_string());
    }
    println!("{{\"nanoseconds\": {nanoseconds:?}, \"hashes\": {hashes:?}}}");
    Ok(())
}
