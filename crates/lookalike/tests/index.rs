//! What the index promises, by brute force: every identity near enough is met, changes leave the
//! same index as building it from nothing, and a snapshot reads back as it was.

use std::collections::BTreeMap;

use lookalike::detector::{Ask, Detector, Scratch, Seen};
use lookalike::index::gather::Budget;
use lookalike::index::{Change, Index, keys, row};
use lookalike::picture::Pdq;
use lookalike::profile::{Identity, Profile};
use lookalike::text::{Reader, Word};
use proptest::prelude::*;

/// Looks at everything that is met.
const ALL: Budget = Budget {
    postings: usize::MAX,
    per_key: usize::MAX,
    per_sound: usize::MAX,
    per_near_sound: usize::MAX,
    per_word: usize::MAX,
    per_part: usize::MAX,
    per_picture: 1_000_000,
    far_among: usize::MAX,
    comparisons: usize::MAX,
    close: usize::MAX,
};

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-d]{2,9}",
        "[a-c]{3,5}[ _.]?[a-c]{3,9}",
        "(official|real)?[ _]?[a-c]{4,6}[0-9]{0,2}",
        "[а-г]{3,6} [а-г]{3,6}",
        // So few words that names share some.
        "(abca|bcab|каба)[ _](cabb|abca|баба)( (bcab|cabb))?",
        "[一-三]{2,4}",
    ]
}

fn hash() -> impl Strategy<Value = Pdq> {
    (any::<[u64; 4]>(), 0u8..4).prop_map(|(words, few)| {
        // Few different ones, so that some are shared and some are near.
        if few == 0 { Pdq([7, 7, 7, words[0] & 0x0f0f]) } else { Pdq(words) }
    })
}

fn identity() -> impl Strategy<Value = Identity> {
    (0u64..40, name(), name(), proptest::collection::vec(hash(), 0..3), 0u64..1_000_000).prop_map(
        |(number, handle, display_name, avatars, followers)| Identity {
            number,
            handle,
            display_name,
            avatars,
            followers,
            bio: "paints the sea".to_owned(),
            ..Identity::default()
        },
    )
}

fn profile() -> impl Strategy<Value = Profile> {
    (name(), name(), proptest::collection::vec(hash(), 0..2)).prop_map(
        |(handle, display_name, avatars)| Profile {
            handle,
            display_name,
            avatars,
            ..Profile::default()
        },
    )
}

/// By the definition, cell by cell; without swaps.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut left = i + 1;
        for (j, y) in b.iter().enumerate() {
            let best = (row[j] + usize::from(x != y)).min(row[j + 1] + 1).min(left + 1);
            row[j] = left;
            left = best;
        }
        row[b.len()] = left;
    }
    row[b.len()]
}

fn swapped(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && (1..a.len()).any(|place| {
            let mut other = a.to_vec();
            other.swap(place - 1, place);
            other == b
        })
}

/// Whether the index promises to meet this identity.
fn is_promised(reader: &Reader, profile: &Profile, identity: &Identity) -> bool {
    let near = |a: &Pdq| identity.avatars.iter().any(|b| a.distance(b) <= 31);
    if profile.avatars.iter().any(near) {
        return true;
    }
    let ours = [&profile.handle, &profile.display_name].map(|name| reader.read(name));
    let theirs = [&identity.handle, &identity.display_name].map(|name| reader.read(name));
    let has = |lone: &Word| ours.iter().flat_map(|our| &our.words).any(|our| our.key == lone.key);
    if row::lone_words(&theirs[1]).any(has) {
        return true;
    }
    ours.iter().any(|our| {
        theirs.iter().any(|their| {
            let whole = their.looks.as_bytes();
            let tolerance = keys::tolerance(whole.len());
            !whole.is_empty()
                && [&our.looks, &our.core].into_iter().filter(|key| !key.is_empty()).any(|key| {
                    edits(key.as_bytes(), whole) <= tolerance
                        || key.len() > 3 && swapped(key.as_bytes(), whole)
                        || key == &their.core
                })
        })
    })
}

fn met(index: &Index, detector: &Detector, profile: &Profile) -> Vec<u64> {
    seen(index, detector, profile).iter().map(|seen| seen.number).collect()
}

/// Everybody who is met, with all that is seen.
fn seen(index: &Index, detector: &Detector, profile: &Profile) -> Vec<Seen> {
    let mut seen = detector.see(index, profile, &mut Scratch::default(), &ALL);
    seen.sort_unstable_by_key(|seen| seen.number);
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn everybody_near_enough_is_met(
        identities in proptest::collection::vec(identity(), 0..60),
        profiles in proptest::collection::vec(profile(), 1..8),
    ) {
        let detector = Detector::default();
        let index = Index::build(&detector.reader, &identities, 2);
        let last: BTreeMap<u64, &Identity> =
            identities.iter().map(|identity| (identity.number, identity)).collect();
        prop_assert_eq!(index.len(), last.len());
        for profile in &profiles {
            let met = met(&index, &detector, profile);
            for (number, identity) in &last {
                if is_promised(&detector.reader, profile, identity) {
                    prop_assert!(met.contains(number), "{:?} beside {:?}", profile, identity);
                }
            }
        }
    }

    #[test]
    fn changes_leave_what_building_from_nothing_gives(
        changes in proptest::collection::vec(
            prop_oneof![
                3 => identity().prop_map(Change::Set),
                1 => (0u64..40).prop_map(Change::Remove),
            ],
            0..120,
        ),
        steps in proptest::collection::vec(1usize..20, 1..20),
        profiles in proptest::collection::vec(profile(), 1..5),
    ) {
        let detector = Detector::default();
        let mut index = Index::default();
        let mut known: BTreeMap<u64, Identity> = BTreeMap::new();
        let mut left = changes.as_slice();
        let mut steps = steps.iter().cycle();
        while let Some(step) = steps.next().filter(|_| !left.is_empty()) {
            let (now, later) = left.split_at((*step).min(left.len()));
            // A merge that began before the changes ends after them.
            let merge = index.merge_due();
            index = index.after(&detector.reader, now);
            if let Some(merge) = merge {
                index = index.with_merged(merge.run(&detector.reader, 1));
            }
            for change in now {
                match change {
                    Change::Set(identity) => known.insert(identity.number, identity.clone()),
                    Change::Remove(number) => known.remove(number),
                };
            }
            left = later;
        }
        let fresh: Vec<Identity> = known.values().cloned().collect();
        let fresh = Index::build(&detector.reader, &fresh, 1);
        prop_assert_eq!(index.len(), known.len());
        for number in 0..40 {
            prop_assert_eq!(index.find(number), fresh.find(number));
        }
        let mut written = Vec::new();
        index.write_to(&mut written).unwrap();
        let read = Index::read_from(&mut written.as_slice()).unwrap();
        for profile in &profiles {
            let expected = seen(&fresh, &detector, profile);
            prop_assert_eq!(seen(&index, &detector, profile), expected.clone());
            prop_assert_eq!(seen(&read, &detector, profile), expected);
        }
    }
}

#[test]
fn an_index_that_grew_by_little_has_few_segments() {
    let reader = Reader::new();
    let mut index = Index::default();
    for batch in 0..200 {
        let of = |number| Identity { number, handle: format!("h{number}"), ..Identity::default() };
        let batch: Vec<Change> =
            (batch * 50..batch * 50 + 50).map(|number| Change::Set(of(number))).collect();
        index = index.after(&reader, &batch);
        while let Some(merge) = index.merge_due() {
            index = index.with_merged(merge.run(&reader, 1));
        }
        let count = index.segments().len() as u32;
        assert!(count <= (index.len() / 50).ilog2() + 1, "{count} of {}", index.len());
    }
    assert_eq!(index.len(), 10_000);
}

#[test]
fn a_broken_snapshot_is_refused() {
    let detector = Detector::default();
    let jane = Identity { handle: "jane".to_owned(), ..Identity::default() };
    let mut written = Vec::new();
    Index::build(&detector.reader, &[jane], 1).write_to(&mut written).unwrap();
    // All of the rows, and here and there in the tables of frequencies behind them.
    let few = (0..1_000).step_by(7).chain((1_000..written.len()).step_by(3_000_001));
    for end in few {
        assert!(Index::read_from(&mut &written[..end]).is_err(), "cut at {end}");
    }
    written[0] ^= 1;
    let error = Index::read_from(&mut written.as_slice()).unwrap_err();
    assert_eq!(error.to_string(), "not an index, or of another version");
}

#[test]
fn odd_profiles_are_checked_like_others() {
    let detector = Detector::default();
    let jane = Identity { handle: "jane".to_owned(), ..Identity::default() };
    let index = Index::build(&detector.reader, &[jane, Identity::default()], 1);
    let mut scratch = Scratch::default();
    let ask = Ask { min_score: f32::MIN, ..Ask::default() };
    for name in [
        "",
        "a",
        "\u{301}",
        &"\u{301}".repeat(10_000),
        &"x".repeat(1 << 20),
        "\u{202e}\u{2066}\u{0}",
    ] {
        let profile = Profile {
            handle: name.to_owned(),
            display_name: name.to_owned(),
            bio: name.to_owned(),
            links: vec![name.to_owned(); 20],
            former_names: vec![name.to_owned(); 20],
            avatars: vec![Pdq::default()],
            ..Profile::default()
        };
        let checked = detector.check(&index, &profile, &mut scratch, &ask);
        for found in &checked.matches {
            let sum: f32 = found.evidence.iter().map(|evidence| evidence.points).sum();
            assert!((found.base + sum - found.score).abs() < 1e-3);
        }
    }
}

#[test]
fn handles_alone_are_told_by_looks_first_and_then_by_letters() {
    let detector = Detector::default();
    let handles = ["someone", "jane.doe", "janedoe", "janedoes", "other"];
    let of = |(number, handle): (u64, &str)| {
        let handle = handle.to_owned();
        Identity { number, handle, ..Identity::default() }
    };
    let identities: Vec<Identity> = (0..).zip(handles).map(of).collect();
    let index = Index::build(&detector.reader, &identities, 1);
    let mut scratch = Scratch::default();
    let mut nearest =
        |handle| detector.nearest_handles(&index, handle, &mut scratch, &Budget::default());
    let told = nearest("Jane.Doe");
    assert_eq!(told[0], (1, 1.0));
    let numbers: Vec<u64> = told.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(nearest("jan3doe")[0].0, 2);
    assert!(told.iter().all(|(_, likeness)| (0.0..=1.0).contains(likeness)));
    assert_eq!(nearest(""), []);
}

#[test]
fn a_handle_alone_is_weighed_beside_the_nearest_as_a_check_weighs() {
    let detector = Detector::default();
    let of = |number: u64| Identity {
        number,
        handle: format!("ninasimonova{}", ["", "x", "ab", "tvv", "kuchen"][number as usize]),
        ..Identity::default()
    };
    let index = Index::build(&detector.reader, &(0..5).map(of).collect::<Vec<_>>(), 1);
    let mut scratch = Scratch::default();
    let ask = |limit| Ask { limit, min_score: f32::NEG_INFINITY, ..Ask::default() };
    let handle = "nina.sim0nova";
    let profile = Profile { handle: handle.to_owned(), ..Profile::default() };
    let all = detector.check(&index, &profile, &mut scratch, &ask(9)).matches;
    assert!(all.len() > 2);
    for limit in 0..9 {
        let told = detector.check_handle(&index, handle, &mut scratch, &ask(limit)).matches;
        let nearest = detector.nearest_handles(&index, handle, &mut scratch, &Budget::default());
        assert_eq!(told.len(), limit.min(nearest.len()));
        let named = &nearest[..told.len()];
        for found in &told {
            assert!(named.iter().any(|(number, _)| *number == found.number));
            assert!(all.contains(found), "{found:?}");
        }
    }
}

#[test]
fn a_shorter_name_as_far_away_does_not_hide_a_longer_one() {
    let detector = Detector::default();
    let identity = |display_name: &str| Identity {
        handle: "cbcbacacb".to_owned(),
        display_name: display_name.to_owned(),
        ..Identity::default()
    };
    let profile = Profile { handle: "cbcabacb".to_owned(), ..Profile::default() };
    // Two edits from either; of seven symbols one is found, of nine two.
    for display_name in ["", "bacbacb"] {
        let index = Index::build(&detector.reader, &[identity(display_name)], 1);
        assert_eq!(met(&index, &detector, &profile), [0], "{display_name}");
    }
}
