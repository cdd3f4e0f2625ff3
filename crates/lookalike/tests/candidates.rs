//! Whom a check looks at closely where more are met than its budget allows.

use lookalike::detector::{Ask, Detector, Scratch};
use lookalike::index::gather::Budget;
use lookalike::index::{Change, Index};
use lookalike::picture::Pdq;
use lookalike::profile::{Identity, Profile};

#[test]
fn of_a_handle_alone_so_many_are_looked_at_closely() {
    let detector = Detector::default();
    let letters = || "abcdeghkmnoprstwz".chars();
    let ends = letters().flat_map(|one| letters().map(move |other| format!("{one}{other}")));
    let of = |(number, end): (u64, String)| Identity {
        number,
        handle: format!("wxyzkurst{end}"),
        ..Identity::default()
    };
    let identities: Vec<Identity> = (0..).zip(ends).map(of).collect();
    let budget = Budget { comparisons: usize::MAX, ..Budget::default() };
    let mut scratch = Scratch::default();
    for (count, told) in [(255, 255), (256, 256), (257, 256)] {
        let index = Index::build(&detector.reader, &identities[..count], 1);
        let nearest = detector.nearest_handles(&index, "wxyzkurstab", &mut scratch, &budget);
        assert_eq!(nearest.len(), told, "{count}");
    }
}

#[test]
fn where_too_many_share_a_part_of_a_name_the_most_alike_are_compared() {
    let detector = Detector::default();
    // All begin alike; of 26 the rest is one letter over and over, of one it is nearly the name's.
    let ends = ('a'..='z').map(|letter| format!("{letter}o{letter}e{letter}o{letter}i"));
    let ends = ends.chain(["kurstbam".to_owned()]);
    let of = |(number, end): (u64, String)| Identity {
        number,
        handle: format!("wxyz{end}"),
        ..Identity::default()
    };
    let identities: Vec<Identity> = (0..).zip(ends).map(of).collect();
    let index = Index::build(&detector.reader, &identities, 1);
    let mut scratch = Scratch::default();
    let profile = Profile { handle: "wxyzkurstban".to_owned(), ..Profile::default() };
    for (comparisons, truncated) in [(400, false), (1, true)] {
        let budget = Budget { comparisons, ..Budget::default() };
        let ask = Ask { budget, min_score: f32::NEG_INFINITY, ..Ask::default() };
        let checked = detector.check(&index, &profile, &mut scratch, &ask);
        assert_eq!(checked.truncated, truncated, "{comparisons}");
        assert!(checked.matches.iter().any(|found| found.number == 26), "{comparisons}");
    }
    // Who is protected since is compared as if it had always been, and not for being new.
    let mut found = |index: &Index| -> Vec<u64> {
        let budget = Budget { comparisons: 1, ..Budget::default() };
        let seen = detector.see(index, &profile, &mut scratch, &budget);
        seen.iter().map(|seen| seen.number).collect()
    };
    for (end, expected) in [("kurstbanux", 27), ("zoze", 26)] {
        let late = of((27, end.to_owned()));
        let built = [identities.as_slice(), std::slice::from_ref(&late)].concat();
        assert_eq!(found(&Index::build(&detector.reader, &built, 1)), [expected], "{end}");
        let grown = index.after(&detector.reader, &[Change::Set(late)]);
        assert_eq!(grown.segments().len(), 2);
        assert_eq!(found(&grown), [expected], "{end}");
    }
}

#[test]
fn a_word_leads_to_those_who_have_it_unless_more_than_64_do() {
    let detector = Detector::default();
    let of = |number: u64| Identity {
        number,
        // Names that have nothing else in common with what is asked.
        display_name: format!(
            "{} Wrthngstn",
            ["Bade", "Kofo", "Dugu", "Pano"][number as usize % 4]
        ),
        handle: format!("qqq{}", number * 7919 % 1_000),
        ..Identity::default()
    };
    let profile = Profile { display_name: "Zozolumi Wrthngstn".to_owned(), ..Profile::default() };
    let budget = Budget { close: usize::MAX, ..Budget::default() };
    let met = |index: &Index| detector.see(index, &profile, &mut Scratch::default(), &budget).len();
    let everybody: Vec<Identity> = (0..66).map(of).collect();
    for (count, told) in [(63, 63), (64, 64), (65, 0)] {
        let whole = Index::build(&detector.reader, &everybody[..count], 1);
        assert_eq!(met(&whole), told, "{count}");
        // In several segments, and with one who is gone, it is the same.
        let few = Index::build(&detector.reader, &everybody[..40], 1);
        let rest = everybody[40..count].iter().chain([&everybody[65]]);
        let changes: Vec<Change> = rest.cloned().map(Change::Set).collect();
        let grown = few.after(&detector.reader, &changes);
        let grown = grown.after(&detector.reader, &[Change::Remove(65)]);
        assert_eq!(met(&grown), told, "{count}");
    }
}

#[test]
fn many_near_handles_do_not_hide_a_display_name() {
    let detector = Detector::default();
    let identity = |number, handle: String, display_name: String| Identity {
        number,
        handle,
        display_name,
        ..Identity::default()
    };
    let near = ('a'..='p').map(|end| (format!("wxyzkurst{end}"), format!("Nobody {end}")));
    let names = near.chain([("hw1".to_owned(), "Hamidou Wang".to_owned())]);
    let identities: Vec<Identity> =
        (0..).zip(names).map(|(number, (handle, name))| identity(number, handle, name)).collect();
    let index = Index::build(&detector.reader, &identities, 1);
    let profile = Profile {
        handle: "wxyzkurstz".to_owned(),
        display_name: "Hamidou Wang aka the singer of songs".to_owned(),
        ..Profile::default()
    };
    let told = |profile: &Profile, close| -> Vec<u64> {
        let budget = Budget { close, ..Budget::default() };
        let ask = Ask { limit: 9, min_score: f32::NEG_INFINITY, budget };
        let checked = detector.check(&index, profile, &mut Scratch::default(), &ask);
        checked.matches.iter().map(|found| found.number).collect()
    };
    for close in [3, 6] {
        let told = told(&profile, close);
        assert!(told.len() == close && told.contains(&16), "{close}: {told:?}");
    }
    // Of so few there is no place for it.
    assert!(!told(&profile, 2).contains(&16));
}

#[test]
fn many_names_but_for_a_letter_do_not_hide_one_but_for_a_swap() {
    let detector = Detector::default();
    let near = "abcdeghkmnorsuwyz".chars().map(|end| format!("itoa{end}"));
    let identity = |(number, handle): (u64, String)| Identity {
        number,
        handle,
        followers: if number == 0 { 10 } else { 100 },
        ..Identity::default()
    };
    let all = (0..).zip(std::iter::once("itopa".to_owned()).chain(near));
    let identities: Vec<Identity> = all.map(identity).collect();
    let index = Index::build(&detector.reader, &identities, 1);
    let profile = Profile { handle: "itoap".to_owned(), ..Profile::default() };
    let seen = detector.see(&index, &profile, &mut Scratch::default(), &Budget::default());
    let numbers: Vec<u64> = seen.iter().map(|seen| seen.number).collect();
    assert!(numbers.len() < identities.len() && numbers.contains(&0), "{numbers:?}");
}

#[test]
fn a_long_name_but_for_a_letter_is_not_hidden_by_many_that_have_a_short_one() {
    let detector = Detector::default();
    let identity = |number, handle: &str, display_name: String| Identity {
        number,
        handle: handle.to_owned(),
        display_name,
        ..Identity::default()
    };
    // What is left of the name without the words that are added to names is one that many have.
    let many = (0..40).map(|number| identity(number, &format!("n{number}"), "Ramy".to_owned()));
    let long = identity(40, "officialteamramy", String::new());
    let identities: Vec<Identity> = many.chain([long]).collect();
    let index = Index::build(&detector.reader, &identities, 1);
    let profile = Profile { handle: "officialteamramyx".to_owned(), ..Profile::default() };
    let profile = Profile { display_name: "Official Team Ramy".to_owned(), ..profile };
    let told = |profile: &Profile| {
        let seen = detector.see(&index, profile, &mut Scratch::default(), &Budget::default());
        assert!(seen.len() < identities.len());
        seen.iter().any(|seen| seen.number == 40)
    };
    assert!(told(&profile));
    assert!(told(&Profile { display_name: String::new(), ..profile }));
}

/// Hashes that have nothing in common.
fn strange(count: u64) -> Vec<Pdq> {
    let mut state = 5u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state ^ state >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    (0..count).map(|_| Pdq([draw(), draw(), draw(), draw()])).collect()
}

/// A hash that differs by so many bits, up to eight, in each of its squares of four by four.
fn away(hash: Pdq, bits: [u32; 16]) -> Pdq {
    let mask = |word: usize| -> u64 {
        let squares = bits[4 * word..][..4].iter().zip([0, 4, 8, 12]);
        let rows = squares.map(|(bits, at)| {
            let square = (1u64 << bits) - 1;
            (square & 0xf | (square >> 4 & 0xf) << 16) << at
        });
        rows.sum()
    };
    Pdq(std::array::from_fn(|word| hash.0[word] ^ mask(word)))
}

#[test]
fn a_hash_given_alone_is_looked_for_farther_unless_too_many_are_there() {
    let detector = Detector::default();
    let hashes = strange(300);
    let of = |number: u64| Identity {
        number,
        avatars: vec![hashes[number as usize]],
        ..Identity::default()
    };
    // Of fewer than 256 all hashes would be compared.
    let identities: Vec<Identity> = (0..300).map(of).collect();
    let index = Index::build(&detector.reader, &identities, 1);
    // One square by a bit, all others by five: 76 bits, and nothing nearer beside the one.
    let avatars = vec![away(hashes[7], [1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5])];
    assert_eq!(avatars[0].distance(&hashes[7]), 76);
    let profile = Profile { avatars, ..Profile::default() };
    for (far_among, is_met) in [(300, true), (299, false)] {
        let budget = Budget { far_among, close: usize::MAX, ..Budget::default() };
        let seen = detector.see(&index, &profile, &mut Scratch::default(), &budget);
        assert_eq!(seen.iter().any(|seen| seen.number == 7), is_met, "{far_among}");
    }
}

#[test]
fn a_window_is_taken_for_a_look_where_it_shows_what_somebody_shows() {
    let detector = Detector::default();
    let hashes = strange(400);
    let of = |number: u64| Identity {
        number,
        handle: format!("wxyzkurst{number}"),
        avatars: vec![hashes[number as usize]],
        ..Identity::default()
    };
    // Of fewer than 256 all hashes would be compared.
    let identities: Vec<Identity> = (0..300).map(of).collect();
    let index = Index::build(&detector.reader, &identities, 1);
    let mut scratch = Scratch::default();
    let mut again = |index: &Index, handle: &str, looks: &[Pdq], windows: &[Pdq]| {
        let (handle, avatars) = (handle.to_owned(), looks.to_vec());
        let profile = Profile { handle, avatars, ..Profile::default() };
        detector.look_again(index, &profile, windows, &mut scratch)
    };
    let stranger = hashes[399];
    // Sixty bits away, none of them in two squares side by side: a glance finds it.
    let glanced = away(hashes[7], [0, 0, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 0, 0]);
    let windows = [hashes[398], glanced, hashes[397]];
    assert_eq!(again(&index, "", &[stranger], &windows), [glanced]);
    assert_eq!(again(&index, "", &[stranger], &[]), []);
    // Who is gone is not looked for.
    let without = index.after(&detector.reader, &[Change::Remove(7)]);
    assert_eq!(again(&without, "", &[stranger], &windows), []);
    // As far away in every square: only the name leads there, and no farther than so.
    for (more, taken) in [(0, true), (1, false)] {
        let hidden = away(hashes[8], [4 + more, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]);
        assert_eq!(again(&index, "", &[stranger], &[hidden]), []);
        let expected: &[Pdq] = if taken { &[hidden] } else { &[] };
        assert_eq!(again(&index, "wxyzkurst8", &[stranger], &[hidden]), expected);
    }
    // A look that is nearly as near has seen it.
    for (bits, taken) in [(5, false), (6, true)] {
        let window = away(hashes[9], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 2]);
        let look = away(hashes[9], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, bits]);
        let expected: &[Pdq] = if taken { &[window] } else { &[] };
        assert_eq!(again(&index, "", &[look], &[window]), expected, "{bits}");
    }
    // Of many the nearest four.
    let near = |bits| [bits, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let many: Vec<Pdq> = (0..6).map(|at| away(hashes[20 + at], near(8 - at as u32))).collect();
    assert_eq!(again(&index, "", &[stranger], &many), [many[5], many[4], many[3], many[2]]);
}
