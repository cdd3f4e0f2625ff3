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
/// How many times as large as the smaller ones together a segment may be that is merged with them
/// when there is time: each row is then written so often for each time that there are as many
/// times more rows.
const WORTH_WHILE: usize = 16;
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
        self.due(SEGMENT_MAX, 1)
    }

    /// The merge that makes searches faster where there is time for more than what is due.
    pub fn merge_worth_while(&self) -> Option<Merge> {
        self.due(SEGMENT_MAX, WORTH_WHILE)
    }

    fn due(&self, largest: usize, times: usize) -> Option<Merge> {
        let small = || self.segments.iter().filter(|segment| segment.len() <= largest);
        let mostly_gone = |segment: &&Arc<Segment>| {
            segment.gone_count() * GONE_SHARE > segment.len() && segment.len() > AT_ONCE
                || segment.gone_count() == segment.len()
        };
        if let Some(segment) = small().find(mostly_gone) {
            return Some(Merge { segments: vec![segment.clone()] });
        }
        let mut segments: Vec<_> = small().cloned().collect();
        segments.sort_by_key(|segment| segment.len());
        let lens: Vec<usize> = segments.iter().map(|segment| segment.len()).collect();
        segments.truncate(together(&lens, SEGMENT_MAX, times));
        (!segments.is_empty()).then_some(Merge { segments })
    }

    pub(super) fn merge_small(&mut self, reader: &Reader) {
        while let Some(merge) = self.due(AT_ONCE, 1) {
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

/// How many segments of such lengths, the smallest first, are to be one of at most `most` rows: all
/// up to the last that is at most so many times as large as the smaller ones together. Every check
/// looks into every segment, and so there are no more than the logarithm of the rows.
fn together(lens: &[usize], most: usize, times: usize) -> usize {
    let (mut smaller, mut due) = (0, 0);
    for (place, len) in lens.iter().enumerate() {
        if smaller + len > most {
            break;
        }
        if place > 0 && *len <= smaller * times {
            due = place + 1;
        }
        smaller += len;
    }
    due
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn what_is_not_larger_than_the_smaller_ones_together_is_merged_with_them() {
        for (lens, due) in [
            (&[][..], 0),
            (&[5], 0),
            (&[5, 5], 2),
            (&[5, 6], 0),
            (&[1, 2, 4, 8], 0),
            (&[1, 2, 3, 8], 3),
            // The four together are as large as the fifth.
            (&[1, 2, 3, 8, 14], 5),
            (&[1, 2, 3, 8, 15], 3),
        ] {
            assert_eq!(together(lens, usize::MAX, 1), due, "{lens:?}");
        }
    }

    #[test]
    fn what_is_a_few_times_as_large_is_merged_where_that_is_asked_for() {
        for (times, due) in [(1, 0), (2, 0), (3, 2), (6, 3), (100, 4)] {
            assert_eq!(together(&[1, 3, 21, 200], usize::MAX, times), due, "{times}");
        }
    }

    #[test]
    fn what_would_be_too_large_is_left_and_the_smaller_ones_are_merged() {
        for (most, due) in [(28, 5), (27, 3), (14, 3), (6, 3), (5, 0)] {
            assert_eq!(together(&[1, 2, 3, 8, 14], most, 1), due, "{most}");
        }
        // As many full segments as there may be stay as they are.
        assert_eq!(together(&[3, 100, 100, 100], 100, 1), 0);
    }
}
