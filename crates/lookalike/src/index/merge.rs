//! When segments are merged, and how a merge that takes long goes on beside changes.
//!
//! It must not know what rows are.

use std::sync::Arc;

use super::row::Row;
use super::segment::Segment;
use super::{Index, SEGMENT_MAX};
use crate::text::Reader;

/// Segments up to this many rows are merged at once, in the change that made them due.
const AT_ONCE: usize = 2_048;
/// A segment with more of its rows gone is written anew.
const GONE_SHARE: usize = 4;

/// A merge to be done beside the index.
#[derive(Debug, Clone)]
pub struct Merge {
    segments: Vec<Arc<Segment>>,
}

/// A merge that was done.
#[derive(Debug)]
pub struct Merged {
    from: Vec<Arc<Segment>>,
    to: Segment,
}

impl Merge {
    /// How many rows are merged.
    pub fn rows(&self) -> usize {
        self.segments.iter().map(|segment| segment.len()).sum()
    }

    /// Merges; takes about 5 µs a row.
    pub fn run(self, reader: &Reader, threads: usize) -> Merged {
        let rows: Vec<Row> = self.segments.iter().flat_map(|segment| segment.rows()).collect();
        Merged { to: Segment::build(reader, rows, threads, None), from: self.segments }
    }
}

impl Index {
    /// The merge that is most due, if one is.
    pub fn merge_due(&self) -> Option<Merge> {
        self.due(SEGMENT_MAX)
    }

    fn due(&self, largest: usize) -> Option<Merge> {
        let small = || self.segments.iter().filter(|segment| segment.len() <= largest);
        let mostly_gone = |segment: &&Arc<Segment>| {
            segment.gone_count() * GONE_SHARE > segment.len() && segment.len() > AT_ONCE
                || segment.gone_count() == segment.len()
        };
        if let Some(segment) = small().find(mostly_gone) {
            return Some(Merge { segments: vec![segment.clone()] });
        }
        // Every check looks into every segment: each is to be larger than the smaller ones
        // together, so that there are no more than the logarithm of the rows.
        let mut segments: Vec<_> = small().cloned().collect();
        segments.sort_by_key(|segment| segment.len());
        let (mut smaller, mut due) = (0, 0);
        for (place, segment) in segments.iter().enumerate() {
            if place > 0 && segment.len() <= smaller {
                due = place + 1;
            }
            smaller += segment.len();
        }
        segments.truncate(due);
        let merge = Merge { segments };
        (due > 0 && merge.rows() <= SEGMENT_MAX).then_some(merge)
    }

    pub(super) fn merge_small(&mut self, reader: &Reader) {
        while let Some(merge) = self.due(AT_ONCE) {
            *self = self.with_merged(merge.run(reader, 1));
        }
    }

    /// The index with a merge's result in the place of what it merged. What was removed while the
    /// merge ran is gone in the result too.
    #[must_use]
    pub fn with_merged(&self, merged: Merged) -> Index {
        let Merged { from, mut to } = merged;
        let is_from = |segment: &Segment| from.iter().any(|from| from.has_rows_of(segment));
        let now: Vec<_> = self.segments.iter().filter(|segment| is_from(segment)).collect();
        for row in 0..to.len() as u32 {
            if !now.iter().any(|segment| segment.find(to.number(row)).is_some()) {
                to.remove(row);
            }
        }
        let mut index = self.clone();
        index.segments.retain(|segment| !is_from(segment));
        if to.gone_count() < to.len() {
            index.segments.insert(0, Arc::new(to));
        }
        index
    }
}
