//! A part of the index: columns of rows that never change, and the postings by which they are
//! found. Rows are only ever marked as gone.
//!
//! It must not know what a likeness is worth.

use std::io::{self, Read, Write};
use std::ops::Deref;
use std::sync::Arc;

use super::bytes;
use super::frequencies::Frequencies;
use super::keys::{self, Family};
use super::postings::{Posting, Postings};
use super::row::{KeyOf, Row};
use crate::column::Column;
use crate::picture::{HashIndex, Pdq};
use crate::profile::{Link, WordSet};
use crate::shares;
use crate::text::Reader;

/// Rows with their postings, and which rows are gone. Cheap to clone: clones share the rows.
#[derive(Debug, Clone, Default)]
pub struct Segment {
    columns: Arc<Columns>,
    gone: Vec<u64>,
    gone_count: usize,
}

impl Deref for Segment {
    type Target = Columns;

    fn deref(&self) -> &Columns {
        &self.columns
    }
}

/// What never changes of a segment.
#[derive(Debug, Default)]
pub struct Columns {
    numbers: Column<u64>,
    /// Rows in the order of their numbers.
    by_number: Column<u32>,
    text_at: Column<u32>,
    text: Column<u8>,
    /// Where the hashes of each row start, and the end; empty if each row has just one.
    first_hash: Column<u32>,
    hashes: HashIndex,
    bios: Column<u64>,
    links: Column<u64>,
    fame: Column<u8>,
    /// Found by hashes of whole keys.
    pub(super) whole: Postings,
    /// Found by hashes of single words: apart, since many have a common one, and who looks for
    /// whole keys should not meet them all.
    pub(super) words: Postings,
    /// Found by hashes of segments of keys.
    pub(super) parts: Postings,
}

/// What one thread makes of its share of the rows.
#[derive(Default)]
struct Share {
    lengths: Vec<u32>,
    text: Vec<u8>,
    whole: Vec<(u32, Posting)>,
    words: Vec<(u32, Posting)>,
    parts: Vec<(u32, Posting)>,
}

impl Share {
    fn read(reader: &Reader, rows: &[Row], first: u32, count: Option<&Frequencies>) -> Share {
        let mut share = Share::default();
        let mut hashes = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            let number = first + place as u32;
            let before = share.text.len();
            hashes.clear();
            let (read, display) = row.read(reader);
            if let Some(frequencies) = count {
                frequencies.protect(&display, &row.avatars);
            }
            for (_, key) in &read.keys {
                hashes.push(keys::split(Family::Whole, key.as_bytes()));
                if keys::is_short(key.len()) && keys::tolerance(key.len()) > 0 {
                    keys::without_one(key.as_bytes(), |key| {
                        hashes.push(keys::split(Family::Without, key));
                    });
                }
            }
            for (family, key) in &read.others {
                let (hash, tag) = keys::split(*family, key);
                match family {
                    Family::Word => share.words.push((hash, Posting { row: number, tag })),
                    _ => hashes.push((hash, tag)),
                }
            }
            hashes.sort_unstable();
            hashes.dedup();
            share
                .whole
                .extend(hashes.iter().map(|&(hash, tag)| (hash, Posting { row: number, tag })));
            for (of, key) in &read.keys {
                if !of.is_searched_with_edits() {
                    continue;
                }
                let parts = keys::segments(key.as_bytes());
                share.parts.extend(parts.map(|(hash, tag)| (hash, Posting { row: number, tag })));
            }
            read.write(row, &mut share.text);
            share.lengths.push((share.text.len() - before) as u32);
        }
        share
    }
}

impl Columns {
    fn of(rows: &[Row]) -> Columns {
        let numbers: Column<u64> = rows.iter().map(|row| row.number).collect();
        let mut by_number: Column<u32> = (0..rows.len() as u32).collect();
        by_number.sort_unstable_by_key(|row| rows[*row as usize].number);
        let one_each = rows.iter().all(|row| row.avatars.len() == 1);
        let first_hash = rows.iter().scan(0, |next, row| {
            *next += row.avatars.len() as u32;
            Some(*next)
        });
        let link = |row: &Row| u64::from(row.link.host) << 32 | u64::from(row.link.whole);
        Columns {
            numbers,
            by_number,
            first_hash: match one_each {
                true => Column::default(),
                false => std::iter::once(0).chain(first_hash).collect(),
            },
            bios: rows.iter().flat_map(|row| row.bio.0).collect(),
            links: rows.iter().map(link).collect(),
            fame: rows.iter().map(|row| row.fame).collect(),
            ..Columns::default()
        }
    }
}

impl Segment {
    /// Builds it, on as many threads as asked for. Rows come to lie in the order of their fame, so
    /// that where a search must stop early it has seen the famous ones. Names and pictures are
    /// counted where that is asked for.
    pub fn build(
        reader: &Reader,
        mut rows: Vec<Row>,
        threads: usize,
        count: Option<&Frequencies>,
    ) -> Segment {
        rows.sort_by_cached_key(|row| (std::cmp::Reverse(row.fame), row.number));
        let shares = shares::each(&rows, threads, |first, rows| {
            Share::read(reader, rows, first as u32, count)
        });
        let mut segment = Columns::of(&rows);
        let (mut whole, mut words, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        segment.text_at = Column::zeroed(rows.len() + 1);
        segment.text = Column::zeroed(shares.iter().map(|share| share.text.len()).sum());
        let ends = &mut segment.text_at[1..];
        let (mut row, mut end) = (0, 0);
        for share in shares {
            segment.text[end as usize..][..share.text.len()].copy_from_slice(&share.text);
            for length in share.lengths {
                end += length;
                ends[row] = end;
                row += 1;
            }
            whole.push(share.whole);
            words.push(share.words);
            parts.push(share.parts);
        }
        std::thread::scope(|scope| {
            let whole = scope.spawn(move || (Postings::build(&whole), Postings::build(&words)));
            let own = scope.spawn(move || Postings::build(&parts));
            let hashes = rows
                .iter()
                .enumerate()
                .flat_map(|(place, row)| row.avatars.iter().map(move |hash| (place as u32, *hash)));
            let hashes: Vec<(u32, Pdq)> = hashes.collect();
            segment.hashes = HashIndex::build(hashes.into_iter());
            if let (Ok(whole), Ok(parts)) = (whole.join(), own.join()) {
                (segment.whole, segment.words) = whole;
                segment.parts = parts;
            }
        });
        let gone = vec![0; segment.numbers.len().div_ceil(64)];
        Segment { columns: Arc::new(segment), gone, gone_count: 0 }
    }

    /// Whether the two have the same rows, of which others may be gone.
    pub fn has_rows_of(&self, other: &Segment) -> bool {
        Arc::ptr_eq(&self.columns, &other.columns)
    }

    /// How many rows it has, those that are gone included.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// How many rows are gone.
    pub fn gone_count(&self) -> usize {
        self.gone_count
    }

    /// Whether a row is still there.
    pub fn is_live(&self, row: u32) -> bool {
        // Of large segments, where asking costs memory, none may be gone for long.
        self.gone_count == 0 || self.gone[row as usize / 64] >> (row % 64) & 1 == 0
    }

    /// The live row of a number.
    pub fn find(&self, number: u64) -> Option<u32> {
        let number_of = |row: &u32| self.numbers[*row as usize];
        let first = self.by_number.partition_point(|row| number_of(row) < number);
        let mut rows = self.by_number[first..].iter().take_while(|row| number_of(row) == number);
        rows.find(|row| self.is_live(**row)).copied()
    }

    /// Marks a row as gone.
    pub fn remove(&mut self, row: u32) {
        if self.is_live(row) {
            self.gone[row as usize / 64] |= 1 << (row % 64);
            self.gone_count += 1;
        }
    }

    /// The number of a row.
    pub fn number(&self, row: u32) -> u64 {
        self.numbers[row as usize]
    }

    /// The fame of a row.
    pub fn fame(&self, row: u32) -> u8 {
        self.fame[row as usize]
    }

    /// The words of a row's bio.
    pub fn bio(&self, row: u32) -> WordSet {
        let first = row as usize * 2;
        WordSet([self.bios[first], self.bios[first + 1]])
    }

    /// The link of a row.
    pub fn link(&self, row: u32) -> Link {
        let both = self.links[row as usize];
        Link { host: (both >> 32) as u32, whole: both as u32 }
    }

    /// The hashes of a row's pictures.
    pub fn avatars(&self, row: u32) -> impl Iterator<Item = Pdq> + '_ {
        let hashes = match self.first_hash.get(row as usize..row as usize + 2) {
            Some(ends) => ends[0]..ends[1],
            None => row..row + 1,
        };
        hashes.map(|place| self.hashes.get(place))
    }

    /// The index of hashes of pictures; owners are rows.
    pub fn hashes(&self) -> &HashIndex {
        &self.hashes
    }

    /// The folded keys of a row.
    pub fn keys(&self, row: u32) -> impl Iterator<Item = (KeyOf, &[u8])> {
        super::row::keys(self.text(row))
    }

    /// The names of a row as written: handle, display name, aliases.
    pub fn names(&self, row: u32) -> impl Iterator<Item = &str> {
        super::row::written(self.text(row))
    }

    /// Has the text of rows fetched, so that reading them next need not wait for memory.
    pub fn touch(&self, rows: impl Iterator<Item = u32> + Clone) {
        let starts = rows.clone().fold(0, |all, row| all ^ self.text_at[row as usize]);
        std::hint::black_box(starts);
        let first = |row: u32| self.text[self.text_at[row as usize] as usize];
        std::hint::black_box(rows.fold(0, |all, row| all ^ first(row)));
    }

    fn text(&self, row: u32) -> &[u8] {
        let row = row as usize;
        &self.text[self.text_at[row] as usize..self.text_at[row + 1] as usize]
    }

    /// The row, as it was given.
    pub fn row(&self, row: u32) -> Row {
        let mut whole = super::row::names(self.text(row));
        whole.number = self.number(row);
        whole.avatars = self.avatars(row).collect();
        whole.bio = self.bio(row);
        whole.link = self.link(row);
        whole.fame = self.fame(row);
        whole
    }

    /// All live rows, as they were given.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.len() as u32).filter(|row| self.is_live(*row)).map(|row| self.row(row))
    }

    /// How many bytes it holds.
    pub fn memory(&self) -> usize {
        let numbers = [&self.numbers, &self.bios, &self.links].map(Column::memory);
        let places = [&self.by_number, &self.text_at, &self.first_hash].map(Column::memory);
        numbers.into_iter().chain(places).sum::<usize>()
            + self.text.memory()
            + self.fame.memory()
            + self.gone.len() * 8
            + self.hashes.memory()
            + self.whole.memory()
            + self.words.memory()
            + self.parts.memory()
    }

    /// Writes it.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        bytes::write_all_u64(to, &self.numbers)?;
        bytes::write_all_u32(to, &self.by_number)?;
        bytes::write_all_u32(to, &self.text_at)?;
        bytes::write_all_u8(to, &self.text)?;
        bytes::write_all_u32(to, &self.first_hash)?;
        self.hashes.write_to(to)?;
        bytes::write_all_u64(to, &self.bios)?;
        bytes::write_all_u64(to, &self.links)?;
        bytes::write_all_u8(to, &self.fame)?;
        self.whole.write_to(to)?;
        self.words.write_to(to)?;
        self.parts.write_to(to)?;
        bytes::write_all_u64(to, &self.gone)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// If reading fails or it does not fit together.
    pub fn read_from(from: &mut dyn Read) -> io::Result<Segment> {
        let segment = Columns {
            numbers: bytes::read_all_u64(from)?.into(),
            by_number: bytes::read_all_u32(from)?.into(),
            text_at: bytes::read_all_u32(from)?.into(),
            text: bytes::read_all_u8(from)?.into(),
            first_hash: bytes::read_all_u32(from)?.into(),
            hashes: HashIndex::read_from(from).map_err(io::Error::other)?,
            bios: bytes::read_all_u64(from)?.into(),
            links: bytes::read_all_u64(from)?.into(),
            fame: bytes::read_all_u8(from)?.into(),
            whole: Postings::read_from(from)?,
            words: Postings::read_from(from)?,
            parts: Postings::read_from(from)?,
        };
        let gone = bytes::read_all_u64(from)?;
        let len = segment.numbers.len();
        let hashes_fit = match segment.first_hash.last() {
            None => segment.hashes.len() == len,
            Some(end) => {
                segment.first_hash.len() == len + 1
                    && segment.first_hash.is_sorted()
                    && *end as usize == segment.hashes.len()
            }
        };
        let fits = segment.by_number.len() == len
            && segment.text_at.len() == len + 1
            && segment.text_at.last() == Some(&(segment.text.len() as u32))
            && segment.text_at.is_sorted()
            && hashes_fit
            && segment.bios.len() == len * 2
            && segment.links.len() == len
            && segment.fame.len() == len
            && gone.len() == len.div_ceil(64);
        if !fits {
            return Err(bytes::broken("the columns of a segment differ in length"));
        }
        let gone_count = gone.iter().map(|bits| bits.count_ones() as usize).sum();
        Ok(Segment { columns: Arc::new(segment), gone, gone_count })
    }
}
