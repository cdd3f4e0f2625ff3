//! Whom a check looks at closely where more are met than its budget allows.

use lookalike::detector::{Ask, Detector, Scratch};
use lookalike::index::gather::Budget;
use lookalike::index::{Change, Index};
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
