//! What checks would ask the database for again and again, at hand: rows of identities that were
//! met lately, and which accounts may have exemptions. A check that waits for no thread of the
//! database's is answered in time also where the processors are busy.
//!
//! Only a shelf: what is not on it is read, and whoever changes a row takes it off. It must not
//! know what the rows mean.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::identity::Identity;

/// The most rows on it, some kilobytes each; where one more comes, all are taken off.
const ROWS_MAX: usize = 16_384;

/// The shelf. It may say less than there is, and never anything that was known to be over when it
/// was asked.
#[derive(Debug, Default)]
pub struct Shelf {
    rows: RwLock<Rows>,
    exempt: RwLock<Exempt>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Rows {
    by_number: HashMap<u64, Arc<Identity>>,
    /// How often something was taken off: what was read before that may be out of date.
    taken_off: u64,
}

/// Accounts that may have exemptions, by their hashes: eight bytes each.
#[derive(Debug, Default)]
struct Exempt {
    accounts: HashSet<u64>,
    /// Whether those are in it that there were when the memory was filled.
    complete: bool,
}

/// What was found, and what is to be read.
#[derive(Debug)]
pub struct Asked {
    /// The rows at hand.
    pub found: Vec<Arc<Identity>>,
    /// The numbers of the others.
    pub missing: Vec<u64>,
    taken_off: u64,
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    /// The rows of these identities, as far as they are at hand.
    pub fn ask(&self, numbers: impl IntoIterator<Item = u64>) -> Asked {
        let rows = read(&self.rows);
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for number in numbers {
            match rows.by_number.get(&number) {
                Some(row) => found.push(row.clone()),
                None => missing.push(number),
            }
        }
        Asked { found, missing, taken_off: rows.taken_off }
    }

    /// Puts rows on it that were read since it was asked, unless something was taken off meanwhile:
    /// they may have been read before that.
    pub fn put(&self, asked: &Asked, new: &[Arc<Identity>]) {
        let mut rows = write(&self.rows);
        if rows.taken_off != asked.taken_off {
            return;
        }
        if rows.by_number.len() + new.len() > ROWS_MAX {
            rows.by_number.clear();
        }
        let new = new.iter().map(|row| (row.number.unsigned_abs(), row.clone()));
        rows.by_number.extend(new.take(ROWS_MAX));
    }

    /// Takes rows off that have changed; to be called when the change is committed.
    pub fn take_off(&self, numbers: impl IntoIterator<Item = i64>) {
        let mut rows = write(&self.rows);
        rows.taken_off += 1;
        for number in numbers {
            rows.by_number.remove(&number.unsigned_abs());
        }
    }

    /// Whether an account may have exemptions.
    pub fn may_be_exempt(&self, account_id: &str) -> bool {
        let exempt = read(&self.exempt);
        !exempt.complete || exempt.accounts.contains(&self.hasher.hash_one(account_id))
    }

    /// Notes accounts that may have exemptions; to be called before one is committed.
    pub fn note_exempt<'a>(&self, account_ids: impl IntoIterator<Item = &'a str>) {
        let hashes = account_ids.into_iter().map(|account_id| self.hasher.hash_one(account_id));
        write(&self.exempt).accounts.extend(hashes);
    }

    /// Says that all are noted that have exemptions.
    pub fn all_exempt_noted(&self) {
        write(&self.exempt).complete = true;
    }
}

#[cfg(test)]
mod tests {
    use contracts::impersonation::v1::IdentitySpec;
    use kit::Time;

    use super::*;
    use crate::identity::enrol;
    use crate::picture::Pictures;

    fn row(number: i64) -> Arc<Identity> {
        let (id, now) = (format!("idn_{number}"), Time::from_seconds(0));
        let identity = enrol(IdentitySpec::default(), Pictures::default(), id, now);
        Arc::new(Identity { number, ..identity })
    }

    fn found(shelf: &Shelf, numbers: &[u64]) -> Vec<i64> {
        shelf.ask(numbers.iter().copied()).found.iter().map(|row| row.number).collect()
    }

    #[test]
    fn what_was_put_is_at_hand_until_it_is_taken_off() {
        let shelf = Shelf::default();
        let asked = shelf.ask([1, 2]);
        assert_eq!((asked.found.len(), asked.missing.as_slice()), (0, [1, 2].as_slice()));
        shelf.put(&asked, &[row(1), row(2)]);
        assert_eq!(found(&shelf, &[1, 2, 3]), [1, 2]);
        shelf.take_off([2]);
        assert_eq!(found(&shelf, &[1, 2, 3]), [1]);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_put() {
        let shelf = Shelf::default();
        let asked = shelf.ask([1]);
        shelf.take_off([1]);
        shelf.put(&asked, &[row(1)]);
        assert!(found(&shelf, &[1]).is_empty());
    }

    #[test]
    fn it_holds_so_many_rows() {
        let shelf = Shelf::default();
        let rows: Vec<Arc<Identity>> = (1..=ROWS_MAX as i64).map(row).collect();
        shelf.put(&shelf.ask([]), &rows);
        assert_eq!(found(&shelf, &[1, ROWS_MAX as u64]).len(), 2);
        shelf.put(&shelf.ask([]), &[row(0)]);
        assert_eq!(found(&shelf, &[0, 1, ROWS_MAX as u64]), [0]);
    }

    #[test]
    fn until_all_are_noted_everybody_may_be_exempt() {
        let shelf = Shelf::default();
        assert!(shelf.may_be_exempt("a"));
        shelf.note_exempt(["a"]);
        shelf.all_exempt_noted();
        assert!(shelf.may_be_exempt("a") && !shelf.may_be_exempt("b"));
    }
}
