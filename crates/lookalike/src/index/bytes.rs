//! Columns of numbers to bytes and back, little-endian, with their length in front.
//!
//! It must not know what the numbers mean. Readers and writers are taken as they come, not by their
//! type: what is generic would be built anew, unoptimised, by who calls it in a test.

use std::io::{self, Read, Write};

/// How much is read at once: memory grows with what is there, not with what a length claims.
const STEP: usize = 1 << 20;

/// An error for bytes that do not fit together.
pub fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Writes one number.
///
/// # Errors
/// If writing fails.
pub fn write_u32(to: &mut dyn Write, number: u32) -> io::Result<()> {
    to.write_all(&number.to_le_bytes())
}

/// Reads one number.
///
/// # Errors
/// If reading fails.
pub fn read_u32(from: &mut dyn Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// Writes one number.
///
/// # Errors
/// If writing fails.
pub fn write_u64(to: &mut dyn Write, number: u64) -> io::Result<()> {
    to.write_all(&number.to_le_bytes())
}

/// Reads one number.
///
/// # Errors
/// If reading fails.
pub fn read_u64(from: &mut dyn Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// Writes bytes.
///
/// # Errors
/// If writing fails.
pub fn write_all_u8(to: &mut dyn Write, column: &[u8]) -> io::Result<()> {
    write_u64(to, column.len() as u64)?;
    to.write_all(column)
}

/// Reads bytes.
///
/// # Errors
/// If reading fails.
pub fn read_all_u8(from: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut left = usize::try_from(read_u64(from)?).map_err(|_| broken("a length"))?;
    let mut column = Vec::new();
    while left > 0 {
        let step = left.min(STEP);
        let read = column.len();
        column.resize(read + step, 0);
        from.read_exact(&mut column[read..])?;
        left -= step;
    }
    Ok(column)
}

/// Makes a writer and a reader of a column of numbers.
macro_rules! column {
    ($write:ident, $read:ident, $number:ty, $size:expr) => {
        /// Writes a column of numbers.
        ///
        /// # Errors
        /// If writing fails.
        pub fn $write(to: &mut dyn Write, column: &[$number]) -> io::Result<()> {
            write_u64(to, column.len() as u64)?;
            let mut bytes = Vec::with_capacity(STEP.min(column.len() * $size));
            for numbers in column.chunks(STEP / $size) {
                bytes.clear();
                bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
                to.write_all(&bytes)?;
            }
            Ok(())
        }

        /// Reads a column of numbers.
        ///
        /// # Errors
        /// If reading fails.
        pub fn $read(from: &mut dyn Read) -> io::Result<Vec<$number>> {
            let mut left = usize::try_from(read_u64(from)?).map_err(|_| broken("a length"))?;
            let mut column = Vec::new();
            let mut bytes = vec![0; STEP.min(left.saturating_mul($size))];
            while left > 0 {
                let step = left.min(STEP / $size);
                let bytes = &mut bytes[..step * $size];
                from.read_exact(bytes)?;
                let numbers = bytes.as_chunks::<$size>().0;
                column.extend(numbers.iter().map(|number| <$number>::from_le_bytes(*number)));
                left -= step;
            }
            Ok(column)
        }
    };
}

column!(write_all_u16, read_all_u16, u16, 2);
column!(write_all_u32, read_all_u32, u32, 4);
column!(write_all_u64, read_all_u64, u64, 8);
