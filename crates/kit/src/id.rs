//! Ids: a type prefix, then 26 characters that sort by the time they were made.
//!
//! The source of randomness is injected, so that tests are repeatable. Which prefixes there
//! are is the services' business.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::clock::Time;

/// Crockford's base 32 in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters after the prefix and its underscore.
const BODY_CHARS: usize = 26;
/// Random bits below the time.
const RANDOM_BITS: u32 = 80;
/// Random bytes fetched from the operating system at a time.
const POOL_BYTES: usize = 1_024;
/// The namespace of [`derived_uuid`]; fixed for ever, since stored request ids depend on it.
const DERIVED: Uuid = Uuid::from_u128(0x5b0d_6f0a_44c5_4c1e_9b63_1f2a_7d8e_0c41);

/// Makes ids. Cheap to clone; clones draw from the same source.
#[derive(Clone)]
pub struct Ids(Arc<Mutex<State>>);

struct State {
    random: Random,
    /// The milliseconds and the random part of the id made last.
    last: (u64, u128),
}

impl Ids {
    /// Ids from the operating system's randomness.
    pub fn system() -> Ids {
        Ids::from_random(Random::System { pool: Box::new([0; POOL_BYTES]), used: POOL_BYTES })
    }

    /// The same ids each time, for tests and replay.
    pub fn seeded(seed: u64) -> Ids {
        Ids::from_random(Random::Seeded(seed))
    }

    fn from_random(random: Random) -> Ids {
        Ids(Arc::new(Mutex::new(State { random, last: (0, 0) })))
    }

    /// A new id `<prefix>_<26 characters>`: 48 bits of milliseconds, then 80 random bits. Ids
    /// of one source sort in the order in which they were made, even within a millisecond or
    /// when the clock steps back.
    pub fn new_id(&self, prefix: &str, now: Time) -> String {
        let value = self.lock().next(u64::try_from(now.millis()).unwrap_or(0));
        let mut id = String::with_capacity(prefix.len() + 1 + BODY_CHARS);
        id.push_str(prefix);
        id.push('_');
        for position in (0..BODY_CHARS).rev() {
            let index = usize::try_from((value >> (5 * position)) & 31).unwrap_or_default();
            id.push(char::from(ALPHABET[index]));
        }
        id
    }

    /// A new random UUID in its 36-character form, as a `request_id` of an outgoing call is.
    pub fn new_uuid(&self) -> String {
        let mut state = self.lock();
        let (high, low) = (state.random.next(), state.random.next());
        let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is valid after every statement, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

impl State {
    fn next(&mut self, millis: u64) -> u128 {
        let (last_millis, last_low) = self.last;
        self.last = if millis > last_millis {
            // The top bit stays clear, so that steps within the millisecond do not overflow.
            let high = u128::from(self.random.next() >> 49);
            (millis, high << 64 | u128::from(self.random.next()))
        } else {
            // A random step, so that one id does not tell the next.
            let step = u128::from(self.random.next() >> 16) + 1;
            (last_millis, last_low + step)
        };
        if self.last.1 >> RANDOM_BITS != 0 {
            self.last = (self.last.0 + 1, 0);
        }
        u128::from(self.last.0) << RANDOM_BITS | self.last.1
    }
}

enum Random {
    System { pool: Box<[u8; POOL_BYTES]>, used: usize },
    Seeded(u64),
}

impl Random {
    #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
    fn next(&mut self) -> u64 {
        match self {
            Random::System { pool, used } => {
                if *used + 8 > POOL_BYTES {
                    getrandom::fill(pool.as_mut_slice())
                        .expect("the operating system gives random bytes");
                    *used = 0;
                }
                let mut word = [0; 8];
                word.copy_from_slice(&pool[*used..*used + 8]);
                *used += 8;
                u64::from_le_bytes(word)
            }
            // SplitMix64: short, and good enough for what must only be repeatable.
            Random::Seeded(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = *state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^ (z >> 31)
            }
        }
    }
}

/// Whether `id` has the form `<prefix>_<26 characters>`. Says nothing of its existence.
pub fn is_id(prefix: &str, id: &str) -> bool {
    let Some(body) = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')) else {
        return false;
    };
    body.len() == BODY_CHARS && body.bytes().all(|b| ALPHABET.contains(&b)) && body < "8"
}

/// A UUID that is the same whenever its parts are: the `request_id` of a call that a follower
/// makes because of an event, so that doing it again changes nothing.
pub fn derived_uuid(parts: &[&str]) -> String {
    // Each part carries its length, so that ("ab", "c") and ("a", "bc") differ.
    let name: String = parts.iter().map(|part| format!("{}:{part};", part.len())).collect();
    Uuid::new_v5(&DERIVED, name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_sort_in_the_order_they_were_made() {
        let ids = Ids::system();
        let start = Time::from_seconds(1_763_786_000);
        let mut made = Vec::new();
        for step in 0..5_000_i64 {
            // Several per millisecond, and the clock steps back once.
            let back = if step == 3_000 { -50_000 } else { 0 };
            let now = Time::from_micros(start.micros() + step * 300 + back);
            made.push(ids.new_id("rep", now));
        }
        assert!(made.is_sorted());
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), made.len());
        assert!(made.iter().all(|id| is_id("rep", id)));
    }

    #[test]
    fn seeded_ids_repeat_and_different_seeds_differ() {
        let now = Time::from_seconds(1);
        let ids = |seed| {
            let ids = Ids::seeded(seed);
            (ids.new_id("case", now), ids.new_id("case", now), ids.new_uuid())
        };
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
    }

    #[test]
    fn a_malformed_id_is_told_from_a_well_formed_one() {
        let id = Ids::seeded(1).new_id("case", Time::from_seconds(1));
        assert_eq!(id.len(), "case_".len() + 26);
        assert!(is_id("case", &id));
        let too_long = format!("{id}0");
        let upper = id.to_uppercase();
        for wrong in ["", "case", "case_", "rep_x", &too_long, &id[..20], &upper] {
            assert!(!is_id("case", wrong), "{wrong}");
        }
        assert!(!is_id("case", "case_80000000000000000000000000"), "past 128 bits");
    }

    #[test]
    fn uuids_are_well_formed() {
        let uuid = Ids::system().new_uuid();
        assert_eq!(Uuid::parse_str(&uuid).unwrap().get_version_num(), 4);
        assert_eq!(derived_uuid(&["a", "b"]), derived_uuid(&["a", "b"]));
        assert_ne!(derived_uuid(&["ab", "c"]), derived_uuid(&["a", "bc"]));
    }

    #[test]
    fn a_full_millisecond_runs_over_into_the_next() {
        let ids = Ids::seeded(1);
        let first = ids.new_id("x", Time::from_seconds(1));
        ids.lock().last.1 = (1 << RANDOM_BITS) - 1;
        let second = ids.new_id("x", Time::from_seconds(1));
        assert!(second > first);
    }
}
