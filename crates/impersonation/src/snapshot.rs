//! The index in a file, so that a restart takes seconds: written beside and renamed into place,
//! and refused unless every byte of it fits.
//!
//! It must not know what the index holds: only that it can be written and read.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::detect::Index;
use crate::memory::Shard;

/// What the file begins with; its last byte is the version of the format.
const MAGIC: [u8; 8] = *b"rcidx\0\0\x02";
/// The longest name in the head that is read, in bytes.
const NAME_BYTES_MAX: u64 = 1_024;
/// Bytes read or written at once.
const BUFFER_BYTES: usize = 1 << 20;

/// What an index must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The weights that it was read for.
    pub model: String,
    /// What its names were read by.
    pub reading: u64,
    /// The log that it follows.
    pub log_id: String,
    /// Which part of the identities it holds.
    pub shard: Shard,
}

/// What stands before an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it fits.
    pub fit: Fit,
    /// The number of the last event that it holds.
    pub seq: i64,
}

/// The file of a shard in a directory.
pub fn path(directory: &Path, shard: Shard) -> PathBuf {
    directory.join(format!("impersonation-{}-of-{}.index", shard.number, shard.count))
}

/// Writes an index: to a file beside, then in place of the old one.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, head: &Head, index: &Index) -> io::Result<()> {
    let beside = path.with_extension("index.new");
    let mut to = Summed::new(BufWriter::with_capacity(BUFFER_BYTES, File::create(&beside)?));
    to.write_all(&MAGIC)?;
    let Head { fit: Fit { model, reading, log_id, shard }, seq } = head;
    write_name(&mut to, model)?;
    to.write_all(&reading.to_le_bytes())?;
    write_name(&mut to, log_id)?;
    to.write_all(&seq.to_le_bytes())?;
    to.write_all(&shard.number.to_le_bytes())?;
    to.write_all(&shard.count.to_le_bytes())?;
    index.write_to(&mut to)?;
    let sum = to.sum();
    let mut file = to.inner;
    file.write_all(&sum.to_le_bytes())?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    kit::fault::point("snapshot_written");
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// Reads an index that fits; answers the number of the last event that it holds, too.
///
/// # Errors
/// If there is none, or it is damaged, of another version, model, reading, log or shard.
pub fn read(path: &Path, fit: &Fit) -> io::Result<(i64, Index)> {
    let mut from = Summed::new(BufReader::with_capacity(BUFFER_BYTES, File::open(path)?));
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(unfit("another format"));
    }
    if read_name(&mut from)? != fit.model {
        return Err(unfit("another model"));
    }
    if u64::from_le_bytes(read_bytes(&mut from)?) != fit.reading {
        return Err(unfit("names read by other tables"));
    }
    if read_name(&mut from)? != fit.log_id {
        return Err(unfit("another log"));
    }
    let seq = i64::from_le_bytes(read_bytes(&mut from)?);
    let number = u32::from_le_bytes(read_bytes(&mut from)?);
    let count = u32::from_le_bytes(read_bytes(&mut from)?);
    if (Shard { number, count }) != fit.shard {
        return Err(unfit("another shard"));
    }
    let index = Index::read_from(&mut from)?;
    let sum = from.sum();
    let mut file = from.inner;
    if u64::from_le_bytes(read_bytes(&mut file)?) != sum {
        return Err(unfit("a wrong checksum"));
    }
    if file.read(&mut [0])? != 0 {
        return Err(unfit("something behind its end"));
    }
    Ok((seq, index))
}

fn unfit(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the snapshot has {what}"))
}

fn write_name(to: &mut impl Write, name: &str) -> io::Result<()> {
    to.write_all(&(name.len() as u64).to_le_bytes())?;
    to.write_all(name.as_bytes())
}

fn read_name(from: &mut impl Read) -> io::Result<String> {
    let length = u64::from_le_bytes(read_bytes(from)?);
    if length > NAME_BYTES_MAX {
        return Err(unfit("a name too long"));
    }
    let mut name = Vec::new();
    from.take(length).read_to_end(&mut name)?;
    String::from_utf8(name).map_err(|_| unfit("a name that is no text"))
}

fn read_bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A reader or writer that sums up what passes, wherever it is cut: against decay, not against
/// somebody who means it.
struct Summed<T> {
    inner: T,
    sum: u64,
    /// Bytes that do not make a word yet.
    rest: [u8; 8],
    length: u64,
}

impl<T> Summed<T> {
    fn new(inner: T) -> Summed<T> {
        Summed { inner, sum: 0, rest: [0; 8], length: 0 }
    }

    fn add(&mut self, mut bytes: &[u8]) {
        let mut filled = (self.length % 8) as usize;
        self.length += bytes.len() as u64;
        if filled > 0 {
            let taken = bytes.len().min(8 - filled);
            self.rest[filled..filled + taken].copy_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            filled += taken;
            if filled < 8 {
                return;
            }
            self.word(u64::from_le_bytes(self.rest));
        }
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    fn word(&mut self, word: u64) {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        self.sum = (self.sum.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }

    fn sum(&self) -> u64 {
        let filled = (self.length % 8) as usize;
        let mut last = [0; 8];
        last[..filled].copy_from_slice(&self.rest[..filled]);
        let mut ended = Summed { inner: (), sum: self.sum, rest: [0; 8], length: 0 };
        ended.word(u64::from_le_bytes(last));
        ended.word(self.length);
        ended.sum
    }
}

impl<T: Write> Write for Summed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.add(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Summed<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.add(&into[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Engine, Identity};

    fn index() -> Index {
        let of = |number: u64| Identity {
            number,
            handle: format!("handle{number}"),
            ..Identity::default()
        };
        Engine::shipped().build(&(1..50).map(of).collect::<Vec<_>>(), 1)
    }

    #[test]
    fn what_was_written_is_read_and_everything_else_refused() {
        let directory = tempfile::tempdir().unwrap();
        let shard = Shard { number: 1, count: 2 };
        let path = path(directory.path(), shard);
        let fit = Fit { model: "m".to_owned(), reading: 7, log_id: "log".to_owned(), shard };
        assert!(read(&path, &fit).is_err(), "there is none");
        write(&path, &Head { fit: fit.clone(), seq: 42 }, &index()).unwrap();
        let (read_seq, read_index) = read(&path, &fit).unwrap();
        assert_eq!((read_seq, read_index.len()), (42, index().len()));
        let why = |fit: Fit| read(&path, &fit).map(drop).unwrap_err().to_string();
        let said = why(Fit { reading: 8, ..fit.clone() });
        assert_eq!(said, "the snapshot has names read by other tables");
        let said = why(Fit { log_id: "other".to_owned(), ..fit.clone() });
        assert_eq!(said, "the snapshot has another log");
        let said = why(Fit { shard: Shard::WHOLE, ..fit.clone() });
        assert_eq!(said, "the snapshot has another shard");
        let said = why(Fit { model: "n".to_owned(), ..fit.clone() });
        assert_eq!(said, "the snapshot has another model");
        let whole = fs::read(&path).unwrap();
        for at in [0, 7, 9, 30, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert!(read(&path, &fit).is_err(), "a bit of byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(read(&path, &fit).is_err(), "cut off at {at}");
        }
        fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert!(read(&path, &fit).is_err(), "one byte more");
    }

    #[test]
    fn the_sum_does_not_depend_on_where_it_was_cut() {
        let bytes: Vec<u8> = (0..100_u8).collect();
        let sum = |cuts: &[usize]| {
            let mut summed = Summed::new(io::sink());
            let mut from = 0;
            for cut in cuts.iter().copied().chain([bytes.len()]) {
                summed.write_all(&bytes[from..cut]).unwrap();
                from = cut;
            }
            summed.sum()
        };
        for cuts in [&[1][..], &[8, 16], &[3, 5, 7, 9, 50], &[99]] {
            assert_eq!(sum(cuts), sum(&[]), "{cuts:?}");
        }
    }
}
