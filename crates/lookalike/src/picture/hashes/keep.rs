//! Writing an index of hashes, and reading it again.

use std::io::{self, Read, Write};

use super::{HashIndex, OWNED_MAX};

/// First bytes of a written index.
const MAGIC: [u8; 8] = *b"pdqidx\x00\x01";
/// Hashes read at a time.
const READ_AT_ONCE: usize = 4_096;

/// Why written bytes are not an index.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// They could not be read, or end too soon.
    #[error("the hashes cannot be read: {0}")]
    Io(#[from] io::Error),
    /// They are something else.
    #[error("these bytes are not an index of hashes")]
    NotAnIndex,
}

impl HashIndex {
    /// Writes the hashes and owners, little-endian; the rest is made again when read.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&MAGIC)?;
        to.write_all(&(self.hashes.len() as u64).to_le_bytes())?;
        for (owner, hash) in self.owned() {
            let mut record = [0; 36];
            for (word, bytes) in hash.0.iter().zip(record.chunks_exact_mut(8)) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            record[32..].copy_from_slice(&owner.to_le_bytes());
            to.write_all(&record)?;
        }
        Ok(())
    }

    /// Reads what [`HashIndex::write_to`] wrote; hand it a buffered reader.
    ///
    /// # Errors
    /// If reading fails, or the bytes are not an index.
    pub fn read_from(from: &mut dyn Read) -> Result<HashIndex, ReadError> {
        let mut head = [0; 16];
        from.read_exact(&mut head)?;
        let (magic, count) = head.split_at(8);
        let count = count.iter().rev().fold(0, |count, byte| count << 8 | u64::from(*byte));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if magic != MAGIC || count > OWNED_MAX {
            return Err(ReadError::NotAnIndex);
        }
        // The count may lie: space is taken as records come.
        let (mut hashes, mut owners) = (Vec::new(), Vec::new());
        let mut record = [0; 36];
        for number in 0..count {
            if number % READ_AT_ONCE == 0 && number == hashes.capacity() {
                hashes.reserve_exact(number.max(READ_AT_ONCE).min(count - number));
                owners.reserve_exact(number.max(READ_AT_ONCE).min(count - number));
            }
            from.read_exact(&mut record)?;
            let word = |at: usize| {
                record[at..at + 8].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
            };
            hashes.push([word(0), word(8), word(16), word(24)]);
            owners.push(record[32..].iter().rev().fold(0, |owner, b| owner << 8 | u32::from(*b)));
        }
        Ok(HashIndex::of(hashes.into(), owners.into()))
    }
}
