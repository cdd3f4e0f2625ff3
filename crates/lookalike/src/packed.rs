//! Long columns of small numbers, in as few whole bytes each as the largest needs.
//!
//! It must not know what the numbers mean.

use crate::column::Column;

/// Bytes that are read at once, those of one number first.
const READ: usize = size_of::<u32>();

/// A column of numbers below a bound.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    /// Bytes a number.
    width: usize,
    /// The numbers, little-endian, and what is read past the last.
    bytes: Column<u8>,
}

impl Packed {
    /// So many zeros, with room for numbers up to `largest`.
    pub fn zeroed(len: usize, largest: u32) -> Packed {
        let width = (u32::BITS - largest.leading_zeros()).div_ceil(8).max(1) as usize;
        Packed { width, bytes: Column::zeroed(len * width + READ - width) }
    }

    /// The number at a place.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    pub fn get(&self, at: usize) -> u32 {
        let bytes = &self.bytes[at * self.width..][..READ];
        let whole = bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
        whole & u32::MAX >> (u32::BITS - 8 * self.width as u32)
    }

    /// Puts a number at a place.
    ///
    /// # Panics
    /// If there is no such place.
    #[inline]
    pub fn set(&mut self, at: usize, number: u32) {
        let bytes = &mut self.bytes[at * self.width..][..self.width];
        bytes.copy_from_slice(&number.to_le_bytes()[..self.width]);
    }

    /// How many bytes it holds.
    pub fn memory(&self) -> usize {
        self.bytes.memory()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_takes_as_many_bytes_as_the_largest_needs() {
        for (largest, width) in [
            (0, 1),
            (255, 1),
            (256, 2),
            (65_535, 2),
            (65_536, 3),
            (0xff_ffff, 3),
            (0x100_0000, 4),
            (u32::MAX, 4),
        ] {
            let mut packed = Packed::zeroed(3, largest);
            assert_eq!(packed.width, width, "{largest}");
            packed.set(1, largest);
            assert_eq!([packed.get(0), packed.get(1), packed.get(2)], [0, largest, 0]);
        }
    }

    proptest! {
        #[test]
        fn what_was_put_is_got(
            numbers in prop::collection::vec(0..=u32::MAX, 1..40),
            bits in 1..33_u32,
        ) {
            let numbers: Vec<u32> =
                numbers.iter().map(|number| number >> (32 - bits)).collect();
            let largest = numbers.iter().copied().max().unwrap_or_default();
            let mut packed = Packed::zeroed(numbers.len(), largest);
            for (at, number) in numbers.iter().enumerate().rev() {
                packed.set(at, *number);
            }
            for (at, number) in numbers.iter().enumerate() {
                prop_assert_eq!(packed.get(at), *number);
            }
        }
    }
}
