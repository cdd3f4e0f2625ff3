//! Which row an account is in: an open table of rows, by the numbers that the rows hold.

/// A place that holds no row.
const FREE: u32 = u32::MAX;
/// Places of the smallest table.
const PLACES_MIN: usize = 16;

/// The table. It does not keep the numbers: each call is given the column of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    places: Vec<u32>,
    taken: usize,
}

impl Rows {
    pub(super) fn memory(&self) -> usize {
        self.places.capacity() * size_of::<u32>()
    }

    /// Where a number's row is, or would be put.
    fn home(&self, number: u64) -> usize {
        let mixed = (number ^ number >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The upper half of the product of hash and size: even, without dividing.
        ((u128::from(mixed) * self.places.len() as u128) >> 64) as usize
    }

    fn next(&self, place: usize) -> usize {
        if place + 1 == self.places.len() { 0 } else { place + 1 }
    }

    /// The place that holds a row with this number, or the free one where the search ends.
    fn place(&self, number: u64, numbers: &[u64]) -> usize {
        let mut place = self.home(number);
        while self.places[place] != FREE && numbers[self.places[place] as usize] != number {
            place = self.next(place);
        }
        place
    }

    pub(super) fn find(&self, number: u64, numbers: &[u64]) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let row = self.places[self.place(number, numbers)];
        (row != FREE).then_some(row as usize)
    }

    /// Takes in a row whose number is not in the table yet.
    ///
    /// # Panics
    /// If rows no longer fit 32 bits.
    pub(super) fn add(&mut self, row: usize, numbers: &[u64]) {
        assert!(row < FREE as usize, "a population has fewer than {FREE} accounts");
        // At most three quarters are taken.
        if (self.taken + 1) * 4 > self.places.len() * 3 {
            let rows = std::mem::take(&mut self.places);
            let places = (rows.len() + rows.len() / 2).max(PLACES_MIN);
            self.places = vec![FREE; places];
            for row in rows.into_iter().filter(|row| *row != FREE) {
                let place = self.place(numbers[row as usize], numbers);
                self.places[place] = row;
            }
        }
        let place = self.place(numbers[row], numbers);
        self.places[place] = row as u32;
        self.taken += 1;
    }

    /// Gives up a row; its number must still be in the column.
    pub(super) fn remove(&mut self, row: usize, numbers: &[u64]) {
        let mut hole = self.place(numbers[row], numbers);
        self.places[hole] = FREE;
        self.taken -= 1;
        // What was put farther because this place was taken comes nearer.
        let mut place = self.next(hole);
        while self.places[place] != FREE {
            let home = self.home(numbers[self.places[place] as usize]);
            let between = if hole <= place {
                hole < home && home <= place
            } else {
                hole < home || home <= place
            };
            if !between {
                self.places[hole] = std::mem::replace(&mut self.places[place], FREE);
                hole = place;
            }
            place = self.next(place);
        }
    }

    /// Tells that the account of one row is about to be in another.
    pub(super) fn moved(&mut self, from: usize, to: usize, numbers: &[u64]) {
        let place = self.place(numbers[from], numbers);
        self.places[place] = to as u32;
    }
}
