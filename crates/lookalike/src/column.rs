//! Long columns of numbers that are read here and there: on large pages where the system has them.
//!
//! With small pages half the time of reading a column of hundreds of megabytes here and there is
//! finding where each page lies. It must not know what the numbers mean.

use std::fmt;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// From so many bytes on a column has pages of its own: one large page.
const OWN_PAGES: usize = 2 << 20;

/// A number, or an array of some, in a column.
pub trait Number: FromBytes + IntoBytes + Immutable + KnownLayout + Copy + 'static {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy + 'static> Number for T {}

/// A column whose length is fixed. Used as the slice that it is.
pub struct Column<T>(Place<T>);

enum Place<T> {
    Heap(Vec<T>),
    Pages(MmapMut),
}

impl<T: Number> Column<T> {
    /// So many zeros.
    pub fn zeroed(len: usize) -> Column<T> {
        let pages = len.checked_mul(size_of::<T>()).filter(|bytes| *bytes >= OWN_PAGES);
        // Where the system gives no pages the heap may, or fails as it does.
        let pages = pages.and_then(|bytes| MmapMut::map_anon(bytes).ok());
        Column(match pages {
            Some(pages) => {
                // Not every system has large ones: small ones hold the same.
                #[cfg(target_os = "linux")]
                let _ = pages.advise(memmap2::Advice::HugePage);
                Place::Pages(pages)
            }
            None => Place::Heap(vec![T::new_zeroed(); len]),
        })
    }

    /// How many bytes it holds.
    pub fn memory(&self) -> usize {
        match &self.0 {
            Place::Heap(numbers) => numbers.capacity() * size_of::<T>(),
            Place::Pages(pages) => pages.len(),
        }
    }
}

impl<T> Default for Column<T> {
    fn default() -> Column<T> {
        Column(Place::Heap(Vec::new()))
    }
}

impl<T: Number> From<Vec<T>> for Column<T> {
    fn from(mut numbers: Vec<T>) -> Column<T> {
        if size_of_val(numbers.as_slice()) < OWN_PAGES {
            numbers.shrink_to_fit();
            return Column(Place::Heap(numbers));
        }
        let mut column = Column::zeroed(numbers.len());
        column.copy_from_slice(&numbers);
        column
    }
}

impl<T: Number> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Column<T> {
        Vec::from_iter(numbers).into()
    }
}

impl<T: Number> Deref for Column<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Place::Heap(numbers) => numbers,
            // Pages are aligned for any number, and as long as some numbers are.
            Place::Pages(pages) => <[T]>::ref_from_bytes(pages).unwrap_or_default(),
        }
    }
}

impl<T: Number> DerefMut for Column<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Place::Heap(numbers) => numbers,
            Place::Pages(pages) => <[T]>::mut_from_bytes(pages).unwrap_or_default(),
        }
    }
}

impl<T: Number> Clone for Column<T> {
    fn clone(&self) -> Column<T> {
        let mut column = Column::zeroed(self.len());
        column.copy_from_slice(self);
        column
    }
}

impl<T: Number + PartialEq> PartialEq for Column<T> {
    fn eq(&self, other: &Column<T>) -> bool {
        **self == **other
    }
}

impl<T: Number + Eq> Eq for Column<T> {}

impl<T: Number + fmt::Debug> fmt::Debug for Column<T> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_slice_it_was_made_of_wherever_it_lies() {
        let least = OWN_PAGES / size_of::<u32>();
        for len in [0, 1, least - 1, least, least + 1] {
            let numbers: Vec<u32> = (0..len as u32).collect();
            let mut column = Column::from(numbers.clone());
            assert_eq!(*column, *numbers);
            assert_eq!(matches!(column.0, Place::Pages(_)), len >= least);
            assert_eq!(column.memory(), len * size_of::<u32>());
            let before = column.clone();
            column.fill(7);
            assert_eq!((&*column, &*before), (vec![7; len].as_slice(), numbers.as_slice()));
            assert!(Column::<u32>::zeroed(len).iter().all(|number| *number == 0));
        }
        let wide: Vec<[u64; 4]> = (0..OWN_PAGES as u64 / 32).map(|number| [number; 4]).collect();
        assert_eq!(*Column::from(wide.clone()), *wide);
    }
}
