//! Our own index of picture hashes, exact within 31 bits. Files hold 32 bytes a hash; queries are
//! changed hashes, taken at equal steps.

use std::fs;

use lookalike::picture::{Budget, HashIndex, Pdq, Reach, Scratch};

use crate::{Outcome, answer, resident};

fn read(path: &str) -> Outcome<Vec<Pdq>> {
    let bytes = fs::read(path)?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() {
        return Err("not whole hashes".into());
    }
    Ok(hashes.iter().map(Pdq::from_bytes).collect())
}

/// Measures it.
pub fn measure(hashes: &str, queries: &str) -> Outcome<()> {
    let queries = read(queries)?;
    let before = resident()?;
    let hashes = read(hashes)?;
    let step = hashes.len() / queries.len();
    let queries: Vec<(u32, Pdq)> = (0..).step_by(step).zip(queries).collect();
    let count = hashes.len() as f64;
    let owned = hashes.into_iter().enumerate();
    let index = HashIndex::build(owned.map(|(number, hash)| (number as u32, hash)));
    let bytes = (resident()? - before) as f64 / count;
    eprintln!("the index counts {:.0} bytes a hash", index.memory() as f64 / count);
    let mut scratch = Scratch::default();
    answer(&queries, bytes, |(number, query)| {
        let found = index.search(query, Reach::SAME, Budget::default(), &mut scratch);
        Ok(u32::from(found.hits.iter().any(|hit| hit.owner == *number)))
    })
}
