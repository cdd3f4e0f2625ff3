//! The index of protected identities: candidates for a profile, from names and pictures.
//!
//! # What it promises
//! A search that is not truncated meets every live identity
//! - one of whose whole keys (a name, a name in Latin letters, a name without added words) is
//!   within [`keys::tolerance`] edits of one of the profile's (swaps of neighbours: one), or
//! - one of whose pictures' hashes is within 31 bits of one of the profile's, unless so many are
//!   in one segment that the picture says nothing ([`gather::Budget::per_picture`]): the nearest.
//!
//! Those most alike are kept for a close look; nothing else is promised of what is dropped.
//!
//! # How
//! An index is a list of immutable [`segment`]s, like a log-structured merge tree: a change makes
//! a small new segment and marks old rows as gone; segments are merged until each is larger than
//! the smaller ones together. An [`Index`] is itself a value: changes make a new one that shares
//! the segments, so that readers never wait.

mod alike;
pub mod bytes;
pub mod candidate;
pub mod frequencies;
pub mod gather;
pub mod heard;
pub mod keys;
mod lone;
mod merge;
pub mod postings;
pub mod question;
pub mod row;
mod seen;
pub mod segment;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

pub use self::merge::{Merge, Merged};
use crate::picture::Pdq;
use crate::profile::Identity;
use crate::shares;
use crate::text::Reader;
use frequencies::Frequencies;
use row::Row;
use segment::Segment;

/// Written before everything else: which format the bytes are in.
const FORMAT: u64 = 0x6c6f_6f6b_616c_0004;
/// The most rows of one segment: their postings are counted in 32 bits.
const SEGMENT_MAX: usize = postings::MAX_ROWS;

/// A change of an index.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// An identity is protected, or has changed.
    Set(Identity),
    /// The identity of this number is protected no longer.
    Remove(u64),
}

/// Protected identities, ready to be searched. Cheap to clone; clones share their rows.
#[derive(Debug, Clone, Default)]
pub struct Index {
    segments: Vec<Arc<Segment>>,
    frequencies: Arc<Frequencies>,
}

impl Index {
    /// Builds an index on as many threads as given.
    pub fn build(reader: &Reader, identities: &[Identity], threads: usize) -> Index {
        // Of several of one number the last.
        let mut places: Vec<usize> = (0..identities.len()).collect();
        places.sort_unstable_by_key(|place| (identities[*place].number, *place));
        let same = |a: &usize, b: &usize| identities[*a].number == identities[*b].number;
        let kept: Vec<usize> =
            places.chunk_by(same).filter_map(|places| places.last().copied()).collect();
        let rows = shares::each(&kept, threads, |_, kept| {
            kept.iter().map(|place| Row::from(&identities[*place])).collect::<Vec<_>>()
        });
        Index::of_rows(reader, rows.into_iter().flatten().collect(), threads)
    }

    /// Builds an index of rows with different numbers.
    pub fn of_rows(reader: &Reader, mut rows: Vec<Row>, threads: usize) -> Index {
        let frequencies = Arc::new(Frequencies::beside(rows.len()));
        let mut index = Index { segments: Vec::new(), frequencies };
        while !rows.is_empty() {
            let rest = rows.split_off(rows.len().min(SEGMENT_MAX));
            let count = Some(&*index.frequencies);
            let segment = Segment::build(reader, rows, threads, count);
            index.segments.push(Arc::new(segment));
            rows = rest;
        }
        index
    }

    /// Counts an account that is not protected, so that what is common among all accounts is known.
    pub fn observe(&self, reader: &Reader, display_name: &str, avatars: &[Pdq]) {
        self.frequencies.observe(&reader.read(display_name), avatars);
    }

    /// The index after some changes; later ones win. Cost grows with the changes, not with the
    /// index; [`Index::merge_due`] says when a larger merge is worth while.
    #[must_use]
    pub fn after(&self, reader: &Reader, changes: &[Change]) -> Index {
        let mut last: HashMap<u64, Option<&Identity>> = HashMap::new();
        for change in changes {
            match change {
                Change::Set(identity) => last.insert(identity.number, Some(identity)),
                Change::Remove(number) => last.insert(*number, None),
            };
        }
        let old: Vec<(usize, u32)> = last.keys().flat_map(|number| self.places(*number)).collect();
        let mut rows: Vec<Row> = last.values().filter_map(|to| to.map(Row::from)).collect();
        rows.sort_unstable_by_key(|row| row.number);
        let mut index = self.clone();
        if !rows.is_empty() {
            let segment = Segment::build(reader, rows, 1, Some(&index.frequencies));
            index.segments.push(Arc::new(segment));
        }
        for (segment, row) in old {
            let before = self.segments[segment].row(row);
            self.frequencies.forget(&reader.read(&before.display_name), &before.avatars);
            // Whoever reads the index of before still finds the row there.
            Arc::make_mut(&mut index.segments[segment]).remove(row);
        }
        index.merge_small(reader);
        index
    }

    /// Where the rows of a number are.
    fn places(&self, number: u64) -> impl Iterator<Item = (usize, u32)> + '_ {
        let segments = self.segments.iter().enumerate();
        segments.filter_map(move |(place, segment)| Some((place, segment.find(number)?)))
    }

    /// The row of a number.
    pub fn find(&self, number: u64) -> Option<Row> {
        let (segment, row) = self.places(number).last()?;
        Some(self.segments[segment].row(row))
    }

    /// The same with tables of common names and pictures of its own: what is counted from now on is
    /// not in them.
    #[must_use]
    pub fn frozen(&self) -> Index {
        let frequencies = Arc::new(self.frequencies.copy());
        Index { segments: self.segments.clone(), frequencies }
    }

    /// Whether it has grown so far since it was built that one built anew would know better what
    /// is common.
    pub fn is_outgrown(&self) -> bool {
        self.frequencies.are_outgrown_by(self.len())
    }

    /// How many identities are protected.
    pub fn len(&self) -> usize {
        self.segments.iter().map(|segment| segment.len() - segment.gone_count()).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes it holds.
    pub fn memory(&self) -> usize {
        let segments: usize = self.segments.iter().map(|segment| segment.memory()).sum();
        segments + self.frequencies.memory()
    }

    /// Its segments.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// How common the words of names are.
    pub fn frequencies(&self) -> &Frequencies {
        &self.frequencies
    }

    /// Writes it, so that reading it back takes seconds where building takes a minute.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        bytes::write_u64(to, FORMAT)?;
        bytes::write_u64(to, self.segments.len() as u64)?;
        for segment in &self.segments {
            segment.write_to(to)?;
        }
        self.frequencies.write_to(to)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// If reading fails, the format is another one, or the parts do not fit together. What was
    /// changed on the way is not always seen: keep a checksum beside it.
    pub fn read_from(from: &mut dyn Read) -> io::Result<Index> {
        if bytes::read_u64(from)? != FORMAT {
            return Err(bytes::broken("not an index, or of another version"));
        }
        let segments = bytes::read_u64(from)?;
        let segments = (0..segments).map(|_| Segment::read_from(from).map(Arc::new));
        let segments = segments.collect::<io::Result<Vec<_>>>()?;
        Ok(Index { segments, frequencies: Arc::new(Frequencies::read_from(from)?) })
    }
}
