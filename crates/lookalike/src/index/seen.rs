//! A hash table, made anew for each search, of the rows that it met.
//!
//! It must not know why a row was met.

/// Which rows were met, and where they are among the candidates.
#[derive(Debug, Default)]
pub struct Seen {
    slots: Vec<Slot>,
    used: Vec<u32>,
}

/// What is known of a row that was met.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slot {
    /// The segment and the row; 0 for a free slot.
    row: u64,
    /// Its place among the candidates.
    pub place: u32,
    /// With which of the question's keys it was compared.
    pub compared: u32,
}

/// A row that was met and is no candidate.
pub const NO_CANDIDATE: u32 = u32::MAX;

impl Seen {
    /// Begins anew.
    pub fn clear(&mut self) {
        for slot in self.used.drain(..) {
            self.slots[slot as usize] = Slot::default();
        }
        if self.slots.is_empty() {
            self.slots = vec![Slot::default(); 1024];
        }
    }

    /// The slot of a row.
    pub fn slot(&mut self, segment: u32, row: u32) -> &mut Slot {
        if self.used.len() * 2 > self.slots.len() {
            let old = std::mem::take(&mut self.slots);
            self.slots = vec![Slot::default(); old.len() * 2];
            self.used.clear();
            for slot in old.into_iter().filter(|slot| slot.row != 0) {
                let place = self.place(slot.row);
                self.slots[place] = slot;
                self.used.push(place as u32);
            }
        }
        let row = u64::from(segment) << 32 | u64::from(row) | 1 << 63;
        let place = self.place(row);
        if self.slots[place].row == 0 {
            self.slots[place] = Slot { row, place: NO_CANDIDATE, compared: 0 };
            self.used.push(place as u32);
        }
        &mut self.slots[place]
    }

    fn place(&self, row: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = (row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
        while self.slots[place].row != 0 && self.slots[place].row != row {
            place = (place + 1) & mask;
        }
        place
    }
}
