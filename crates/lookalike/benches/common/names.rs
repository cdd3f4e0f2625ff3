//! Made-up names, the same in every run.

use crate::common::Numbers;

const BEGINNINGS: &[u8] = b"bcdfghjklmnprstvwyz";
const MIDDLES: [&str; 8] = ["a", "e", "i", "o", "u", "ai", "ea", "ou"];
const ENDS: [&str; 8] = ["", "", "", "n", "r", "s", "l", "ck"];

/// A made-up name.
pub fn name(numbers: &mut Numbers) -> String {
    let mut name = String::new();
    for _ in 0..2 + numbers.below(4) {
        name.push(char::from(BEGINNINGS[numbers.below(BEGINNINGS.len())]));
        name.push_str(MIDDLES[numbers.below(MIDDLES.len())]);
        name.push_str(ENDS[numbers.below(ENDS.len())]);
    }
    name
}
