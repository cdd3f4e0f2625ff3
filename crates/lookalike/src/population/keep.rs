//! Writing a population, and reading it again.

use std::io::{self, Read, Write};

use super::names::{Names, ROOM};
use super::sounds::unpack;
use super::{Account, Population};
use crate::picture::Pdq;

/// First bytes of a written population.
const MAGIC: [u8; 8] = *b"peopled\x02";
/// Bytes of an account: number, names, hash, features.
const RECORD: usize = 8 + ROOM + 32 + 4;

/// Why written bytes are not a population.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// They could not be read, or end too soon.
    #[error("the population cannot be read: {0}")]
    Io(#[from] io::Error),
    /// They are something else.
    #[error("these bytes are not a population")]
    NotAPopulation,
}

impl Population {
    /// Writes all accounts, little-endian; masks and the table are made again when read.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&MAGIC)?;
        to.write_all(&(self.len() as u64).to_le_bytes())?;
        for row in 0..self.len() {
            let mut record = [0; RECORD];
            let (number, rest) = record.split_at_mut(8);
            let (names, rest) = rest.split_at_mut(ROOM);
            let (hash, features) = rest.split_at_mut(32);
            number.copy_from_slice(&self.numbers[row].to_le_bytes());
            names.copy_from_slice(self.names[row].bytes());
            hash.copy_from_slice(&self.hash(row).unwrap_or_default().to_bytes());
            features.copy_from_slice(&self.features[row].to_le_bytes());
            to.write_all(&record)?;
        }
        Ok(())
    }

    /// Reads what [`Population::write_to`] wrote; hand it a buffered reader.
    ///
    /// # Errors
    /// If reading fails, or the bytes are not a population.
    pub fn read_from(from: &mut dyn Read) -> Result<Population, ReadError> {
        let mut magic = [0; 8];
        let mut count = [0; 8];
        from.read_exact(&mut magic)?;
        from.read_exact(&mut count)?;
        let count = u64::from_le_bytes(count);
        if magic != MAGIC || count >= u64::from(u32::MAX) {
            return Err(ReadError::NotAPopulation);
        }
        let mut population = Population::default();
        // The count may lie: space is taken as records come.
        for _ in 0..count {
            let mut record = [0; RECORD];
            from.read_exact(&mut record)?;
            put(&mut population, &record).ok_or(ReadError::NotAPopulation)?;
        }
        if population.len() as u64 != count {
            return Err(ReadError::NotAPopulation);
        }
        Ok(population)
    }
}

fn put(population: &mut Population, record: &[u8; RECORD]) -> Option<()> {
    let (number, rest) = record.split_first_chunk()?;
    let (names, rest) = rest.split_first_chunk()?;
    let names = Names::from_bytes(*names);
    let [sounds, handle, display, other] = names.each();
    let (hash, rest) = rest.split_first_chunk()?;
    let hash = Pdq::from_bytes(hash);
    population.put(&Account {
        number: u64::from_le_bytes(*number),
        handle,
        display,
        other,
        sounds: unpack(sounds),
        picture: (hash != Pdq::default()).then_some(hash),
        features: u32::from_le_bytes(*rest.first_chunk()?),
    });
    Some(())
}
