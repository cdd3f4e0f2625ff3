//! The index of hashes against comparing all, and what it does with bad input.

use lookalike::picture::{Budget, HashIndex, Hit, Pdq, Reach, ReadError, Scratch};
use proptest::prelude::*;

/// Pseudo-random numbers (SplitMix64), the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn hash(&mut self) -> Pdq {
        Pdq([self.next(), self.next(), self.next(), self.next()])
    }

    fn hashes(&mut self, count: usize) -> Vec<Pdq> {
        (0..count).map(|_| self.hash()).collect()
    }
}

fn toggled(mut hash: Pdq, bits: impl IntoIterator<Item = usize>) -> Pdq {
    for bit in bits {
        hash.0[bit / 64] ^= 1 << (bit % 64);
    }
    hash
}

fn index(hashes: &[Pdq]) -> HashIndex {
    HashIndex::build(hashes.iter().copied().enumerate().map(|(owner, hash)| (owner as u32, hash)))
}

fn all_within(owned: impl Iterator<Item = (u32, Pdq)>, query: &Pdq, radius: u32) -> Vec<Hit> {
    let mut hits: Vec<Hit> = owned
        .map(|(owner, hash)| Hit { distance: query.distance(&hash), owner })
        .filter(|hit| hit.distance <= radius)
        .collect();
    hits.sort_unstable_by_key(|hit| (hit.owner, hit.distance));
    hits.dedup_by_key(|hit| hit.owner);
    hits.sort_unstable();
    hits
}

fn assert_found(index: &HashIndex, query: &Pdq, owner: u32, exact: u32) {
    let mut scratch = Scratch::default();
    let reach = Reach::within(exact);
    let found = index.search(query, reach, Budget::default(), &mut scratch);
    assert!(found.complete);
    let wanted = all_within(index.owned(), query, exact);
    assert!(wanted.iter().any(|hit| hit.owner == owner), "the planted one is near");
    assert_eq!(found.hits, wanted);
}

#[test]
fn every_hash_within_the_exact_distance_is_found_at_every_size_of_index() {
    let mut numbers = Numbers(1);
    for count in [1, 7, 255, 256, 257, 1_000, 5_000, 70_000] {
        let index = index(&numbers.hashes(count));
        let owned: Vec<Pdq> = index.owned().map(|(_, hash)| hash).collect();
        for exact in [0, 1, 15, 16, 31, 32, 47] {
            for distance in [0, exact / 2, exact] {
                let owner = numbers.below(count);
                let mut query = owned[owner];
                while query.distance(&owned[owner]) < distance {
                    query = toggled(query, [numbers.below(256)]);
                }
                assert_found(&index, &query, owner as u32, exact);
            }
        }
    }
}

#[test]
fn bits_spread_to_defeat_the_chunks_are_found_all_the_same() {
    let mut numbers = Numbers(2);
    let index = index(&numbers.hashes(20_000));
    let owned: Vec<Pdq> = index.owned().map(|(_, hash)| hash).collect();
    // By tile of four by four coefficients, by row, by column and by stride: each spreads bits
    // over chunks as evenly as some way of cutting allows.
    let ways: [fn(usize) -> usize; 4] = [
        |n| (n % 4) * 4 + (n / 4 % 4) * 64 + (n / 16 % 4) + (n / 64) * 16,
        |n| (n % 16) * 16 + n / 16,
        |n| n,
        |n| n * 8 % 256 + n / 32,
    ];
    for way in ways {
        for shift in 0..16 {
            for exact in [31, 47] {
                let owner = numbers.below(owned.len());
                let bits = (0..exact as usize).map(|n| way((n + shift) % 256));
                let query = toggled(owned[owner], bits);
                assert_eq!(query.distance(&owned[owner]), exact, "the bits are distinct");
                assert_found(&index, &query, owner as u32, exact);
            }
        }
    }
}

#[test]
fn an_owner_of_several_hashes_is_told_once_with_the_nearest() {
    let mut numbers = Numbers(3);
    let hash = numbers.hash();
    let mut owned: Vec<(u32, Pdq)> =
        (0..5_000).map(|owner| (owner / 2 + 100, numbers.hash())).collect();
    owned.push((7, toggled(hash, [1, 2, 3])));
    owned.push((7, toggled(hash, [1])));
    owned.push((8, toggled(hash, [200, 201])));
    let index = HashIndex::build(owned.into_iter());
    let mut scratch = Scratch::default();
    let found = index.search(&hash, Reach::SAME, Budget::default(), &mut scratch);
    assert_eq!(found.hits, [Hit { distance: 1, owner: 7 }, Hit { distance: 2, owner: 8 }]);
}

#[test]
fn a_search_beyond_the_exact_distance_tells_most_and_only_what_is_near() {
    let mut numbers = Numbers(4);
    let index = index(&numbers.hashes(20_000));
    let owned: Vec<Pdq> = index.owned().map(|(_, hash)| hash).collect();
    let mut scratch = Scratch::default();
    let mut met = 0;
    for _ in 0..300 {
        let owner = numbers.below(owned.len());
        let mut query = owned[owner];
        while query.distance(&owned[owner]) < 48 {
            query = toggled(query, [numbers.below(256)]);
        }
        let found = index.search(&query, Reach::about(64), Budget::default(), &mut scratch);
        assert!(found.hits.iter().all(|hit| hit.distance <= 64));
        assert!(
            found.hits.iter().all(|hit| query.distance(&owned[hit.owner as usize]) == hit.distance)
        );
        met += usize::from(found.hits.iter().any(|hit| hit.owner as usize == owner));
    }
    assert!(met >= 270, "met {met} of 300 at 48 bits");
}

#[test]
fn a_picture_that_many_have_ends_the_search_and_says_so() {
    let mut numbers = Numbers(5);
    let common = numbers.hash();
    let hashes = (0..50_000).map(|n| if n % 2 == 0 { common } else { numbers.hash() });
    let index = index(&hashes.collect::<Vec<_>>());
    let mut scratch = Scratch::default();
    let few = Budget { owners: 10, ..Budget::default() };
    let found = index.search(&common, Reach::SAME, few, &mut scratch);
    assert!(!found.complete);
    assert_eq!(found.hits.len(), 10);
    let work = Budget { entries: 100, owners: 100_000 };
    let found = index.search(&common, Reach::SAME, work, &mut scratch);
    assert!(!found.complete);
    let ample = Budget { entries: u64::MAX, owners: 100_000 };
    let found = index.search(&common, Reach::SAME, ample, &mut scratch);
    assert!(found.complete);
    assert_eq!(found.hits.len(), 25_000);
}

#[test]
fn many_that_are_far_do_not_end_the_search_before_the_near_one_is_met() {
    let mut numbers = Numbers(7);
    let query = numbers.hash();
    let mut far = || {
        let mut hash = query;
        while hash.distance(&query) < 60 {
            hash = toggled(hash, [numbers.below(256)]);
        }
        hash
    };
    let mut hashes: Vec<Pdq> = (0..3_000).map(|_| far()).collect();
    // Spread so that only some buckets lead to it, which are looked into late.
    hashes.push(toggled(query, (0..31).map(|n| n * 8)));
    let index = index(&hashes);
    let mut scratch = Scratch::default();
    let few = Budget { owners: 10, ..Budget::default() };
    for reach in [Reach::about(80), Reach::far(80)] {
        let found = index.search(&query, reach, few, &mut scratch);
        assert_eq!(found.hits.len(), 10);
        assert_eq!(found.hits[0], Hit { distance: 31, owner: 3_000 });
        assert!(found.complete, "nobody else is within the exact distance");
    }
}

#[test]
fn an_index_is_the_same_after_writing_and_reading() {
    let mut numbers = Numbers(6);
    for count in [0, 3, 5_000] {
        let index = index(&numbers.hashes(count));
        let mut bytes = Vec::new();
        index.write_to(&mut bytes).unwrap();
        let again = HashIndex::read_from(&mut bytes.as_slice()).unwrap();
        assert_eq!(again.len(), count);
        assert_eq!(again.is_empty(), count == 0);
        assert!(again.owned().eq(index.owned()));
        for end in [0, 7, 15, bytes.len().saturating_sub(1)] {
            let cut = HashIndex::read_from(&mut &bytes[..end.min(bytes.len() - 1)]);
            assert!(matches!(cut, Err(ReadError::Io(_))));
        }
        bytes[0] ^= 1;
        let other = HashIndex::read_from(&mut bytes.as_slice());
        assert!(matches!(other, Err(ReadError::NotAnIndex)));
    }
}

#[test]
fn a_written_count_that_lies_takes_no_memory() {
    let mut bytes = Vec::new();
    index(&[Pdq::default()]).write_to(&mut bytes).unwrap();
    bytes[8..16].copy_from_slice(&100_000_000_u64.to_le_bytes());
    assert!(matches!(HashIndex::read_from(&mut bytes.as_slice()), Err(ReadError::Io(_))));
    bytes[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(HashIndex::read_from(&mut bytes.as_slice()), Err(ReadError::NotAnIndex)));
}

#[test]
fn memory_is_what_is_stated() {
    let index = index(&Numbers(7).hashes(100_000));
    assert!(index.memory() <= 124 * 100_000, "{} bytes", index.memory());
}

proptest! {
    #[test]
    fn any_small_set_of_close_hashes_is_searched_as_by_comparing_all(
        seed in any::<u64>(),
        bits in prop::collection::vec((0_usize..256, 0_usize..256, 0_usize..300), 300..600),
        radius in 0_u32..48,
    ) {
        // All within few bits of one another: every bucket is crowded.
        let base = Numbers(seed).hash();
        let owned: Vec<(u32, Pdq)> = bits
            .iter()
            .map(|(one, other, owner)| (*owner as u32, toggled(base, [*one, *other])))
            .collect();
        let query = toggled(base, bits.iter().take(radius as usize).map(|(bit, _, _)| *bit));
        let index = HashIndex::build(owned.iter().copied());
        let mut scratch = Scratch::default();
        let reach = Reach::within(radius);
        let found = index.search(&query, reach, Budget::default(), &mut scratch);
        prop_assert!(found.complete);
        prop_assert_eq!(found.hits, all_within(owned.into_iter(), &query, radius));
    }
}
