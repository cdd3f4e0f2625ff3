//! Handles to look up and handles to find: one a line, a protected one's number is its line's.

use std::fs;

use crate::Outcome;

/// How many answers count.
pub const BEST: usize = 10;

/// A handle that imitates one of the protected ones.
pub struct Attack {
    /// As it is written.
    pub handle: String,
    /// The number of the one imitated.
    pub subject: u32,
}

/// Reads the protected handles.
pub fn protected(path: &str) -> Outcome<Vec<String>> {
    Ok(fs::read_to_string(path)?.lines().map(str::to_owned).collect())
}

/// Reads the attacks: number of the one imitated, tab, handle.
pub fn attacks(path: &str) -> Outcome<Vec<Attack>> {
    let read = |line: &str| {
        let (subject, handle) = line.split_once('\t').ok_or("a line without a tab")?;
        Ok(Attack { handle: handle.to_owned(), subject: subject.parse()? })
    };
    fs::read_to_string(path)?.lines().map(read).collect()
}

/// Where among the best the one imitated is, from 1; 0 if it is not.
pub fn place(best: impl IntoIterator<Item = u32>, subject: u32) -> u32 {
    let place = best.into_iter().take(BEST).position(|number| number == subject);
    place.map_or(0, |place| place as u32 + 1)
}

/// The best first: those of the fewest edits, among equals the first listed.
pub fn by_edits(handle: &str, found: impl Iterator<Item = u32>, protected: &[String]) -> Vec<u32> {
    let edits = |number: u32| strsim::osa_distance(handle, &protected[number as usize]);
    let mut found: Vec<(usize, u32)> = found.map(|number| (edits(number), number)).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, number)| number).collect()
}
