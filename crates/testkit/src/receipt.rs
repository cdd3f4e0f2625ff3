//! What a process that is about to be killed has been promised, told to the one that kills it. It
//! must not know what a receipt is for.

use std::io::{BufRead as _, BufReader, Read, Write as _};

const BEFORE: &str = "receipt ";

/// Says a receipt on standard error: all of it or nothing, whenever the process is killed.
///
/// # Panics
/// If nobody reads it.
pub fn say(receipt: &str) {
    // Formatted straight to standard error, each piece of a line would be written by itself.
    std::io::stderr().write_all(format!("{BEFORE}{receipt}\n").as_bytes()).expect("it is read");
}

/// The receipts among what a process says, until it has ended.
pub fn heard(said: impl Read) -> impl Iterator<Item = String> {
    let lines = BufReader::new(said).lines().map_while(Result::ok);
    lines.filter_map(|line| line.split_once(BEFORE).map(|(_, receipt)| receipt.to_owned()))
}
