//! Which rows have a key that may be near one of a question's: of very many those around whose
//! common part the most is alike.
//!
//! It must not compare keys.

/// A row of which a key may be near one of the question's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alike {
    /// In how many bits what is around a common part differs.
    pub apart: u8,
    /// The row.
    pub row: u32,
    /// The segment it is in.
    pub segment: u32,
    /// Which of the question's keys.
    pub key: u8,
}

/// The best of those that come. What cannot be among them is let go of at once.
#[derive(Debug)]
pub struct Best {
    kept: Vec<Alike>,
    /// How far apart one may be that comes.
    most: u8,
    /// How many came that are no further apart than that, and how many of them by how far.
    within: usize,
    came: [usize; APART_MAX + 1],
}

/// More than two may be [apart](Alike::apart).
const APART_MAX: usize = 127;

impl Default for Best {
    fn default() -> Best {
        let came = [0; APART_MAX + 1];
        Best { kept: Vec::new(), most: APART_MAX as u8, within: 0, came }
    }
}

impl Best {
    /// Begins anew.
    pub fn clear(&mut self) {
        self.kept.clear();
        *self = Best { kept: std::mem::take(&mut self.kept), ..Best::default() };
    }

    /// How far apart one may be that comes now.
    pub const fn most(&self) -> u8 {
        self.most
    }

    /// Adds one.
    pub fn add(&mut self, alike: Alike) {
        if alike.apart <= self.most {
            self.came[usize::from(alike.apart)] += 1;
            self.within += 1;
            self.kept.push(alike);
        }
    }

    /// Lets go, from now on, of what is further apart than so many and one more that came.
    pub fn narrow(&mut self, wanted: usize) {
        while self.within - self.came[usize::from(self.most)] > wanted {
            self.within -= self.came[usize::from(self.most)];
            self.most -= 1;
        }
    }

    /// Takes so many as were wanted, and tells how far apart the next one is.
    pub fn take(&mut self, wanted: usize) -> (Vec<Alike>, Option<u8>) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.retain(|alike| alike.apart <= self.most);
        if kept.len() <= wanted {
            return (kept, None);
        }
        let (_, next, _) = kept.select_nth_unstable(wanted);
        let next = next.apart;
        kept.truncate(wanted);
        (kept, Some(next))
    }

    /// Gives back the room that was taken.
    pub fn give_back(&mut self, room: Vec<Alike>) {
        self.kept = room;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_best_are_those_that_sorting_all_would_give(
            shares in proptest::collection::vec(
                proptest::collection::vec((0u8..80, 0u32..9, 0u32..2, 0u8..3), 0..40), 0..8),
            wanted in 0usize..60,
        ) {
            let shares: Vec<Vec<Alike>> = shares
                .into_iter()
                .map(|share| {
                    let alike = share.into_iter().map(|(apart, row, segment, key)| {
                        Alike { apart, row, segment, key }
                    });
                    alike.collect()
                })
                .collect();
            let mut best = Best::default();
            for _ in 0..2 {
                best.clear();
                for share in &shares {
                    share.iter().for_each(|alike| best.add(*alike));
                    best.narrow(wanted);
                }
                let (mut taken, next) = best.take(wanted);
                taken.sort_unstable();
                let mut all: Vec<Alike> = shares.iter().flatten().copied().collect();
                all.sort_unstable();
                prop_assert_eq!(next, all.get(wanted).map(|alike| alike.apart));
                all.truncate(wanted);
                prop_assert_eq!(&taken, &all);
                best.give_back(taken);
            }
        }
    }
}
