//! Who was found, the best kept.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// An account that may imitate the identity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likely {
    /// A rough score, for order only: likeness of names and of pictures from 0 to 1 each.
    pub score: f32,
    /// Which account.
    pub number: u64,
    /// What it was put in with.
    pub features: u32,
    /// Edits of the best key found in its handle or display name; `None` if none was found: then it
    /// only sounds so, or its picture is near.
    pub edits: Option<u32>,
    /// In how many bits its picture differs from the nearest; `None` if it is beyond the radius.
    pub distance: Option<u32>,
}

impl Eq for Likely {}

impl PartialOrd for Likely {
    fn partial_cmp(&self, other: &Likely) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By score; of equal ones the lower number is better, so that the order is one.
impl Ord for Likely {
    fn cmp(&self, other: &Likely) -> Ordering {
        self.score.total_cmp(&other.score).then(other.number.cmp(&self.number))
    }
}

/// The best found so far.
#[derive(Clone, Debug)]
pub struct Best {
    most: usize,
    found: u64,
    heap: BinaryHeap<Reverse<Likely>>,
}

impl Best {
    /// Keeps so many.
    pub fn new(most: usize) -> Best {
        Best { most, found: 0, heap: BinaryHeap::new() }
    }

    /// How many were found, kept or not.
    pub fn found(&self) -> u64 {
        self.found
    }

    /// Those kept, the best first.
    pub fn into_sorted(self) -> Vec<Likely> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(likely)| likely).collect()
    }

    pub(super) fn add(&mut self, likely: Likely) {
        self.found += 1;
        if self.heap.len() < self.most {
            self.heap.push(Reverse(likely));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && likely > worst.0
        {
            worst.0 = likely;
        }
    }
}
