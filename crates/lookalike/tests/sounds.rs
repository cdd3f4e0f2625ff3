//! Names that are met by how they sound: carried from script to script, in part, inside a sentence.

use lookalike::detector::{Detector, Scratch};
use lookalike::index::Index;
use lookalike::index::gather::Budget;
use lookalike::profile::{Identity, Profile};

fn identity(number: usize, display_name: &str) -> Identity {
    Identity {
        number: number as u64,
        handle: format!("hw{number}"),
        display_name: display_name.to_owned(),
        ..Identity::default()
    }
}

fn met(detector: &Detector, index: &Index, display_name: &str) -> Vec<u64> {
    let profile = Profile { display_name: display_name.to_owned(), ..Profile::default() };
    let seen = detector.see(index, &profile, &mut Scratch::default(), &Budget::default());
    seen.iter().map(|seen| seen.number).collect()
}

#[test]
fn names_are_met_where_a_sound_is_said_otherwise_or_others_stand_around_them() {
    let cases = [
        ("Adnane Moreno Sanchez", "Αντνανε Μορενο Σαντσεζ"),
        ("Duke Watkins", "دوك واتكينس"),
        ("Zoila Walker - Coach", "Зоила Валкер"),
        ("Savanna Baltazar - Runs", "Σαβανα Μπαλταζαρ"),
        ("Stephanie Guajardo", "ステファニエ・グアジャード"),
        ("Shanna Montes • Beauty", "Shanna モンテス"),
        ("שר סינג פרבהקרן", "Sher Singh Prabhakaran"),
        ("小黑雪美", "Meet 小黑雪美 in person"),
        ("宇文嘉豪", "저는 宇文嘉豪입니다"),
    ];
    let detector = Detector::default();
    let identities = cases.iter().enumerate().map(|(number, (name, _))| identity(number, name));
    let index = Index::build(&detector.reader, &identities.collect::<Vec<_>>(), 1);
    for (number, (name, imitation)) in cases.iter().enumerate() {
        let met = met(&detector, &index, imitation);
        assert!(met.contains(&(number as u64)), "{imitation} for {name}: {met:?}");
    }
    // What sounds like nobody's name leads to nobody.
    for nobody in ["Μπομπ", "Пётр Ильич", "たけし", "저는 학생입니다"] {
        assert!(met(&detector, &index, nobody).is_empty(), "{nobody}");
    }
}

#[test]
fn of_many_that_sound_alike_those_written_most_alike_are_met() {
    let detector = Detector::default();
    // The consonants of Daniel Bueno with other vowels, all of them more famous.
    let vowels = || "aeiou".chars();
    let others = vowels().flat_map(|a| vowels().map(move |b| format!("T{a}nul{b} P{a}n{b}")));
    let mut identities: Vec<Identity> = (1..).zip(others).map(|(n, o)| identity(n, &o)).collect();
    identities.iter_mut().for_each(|other| other.followers = 1_000_000);
    identities.push(identity(0, "Daniel Bueno"));
    let index = Index::build(&detector.reader, &identities, 1);
    let met = met(&detector, &index, "Ντανιελ Μπουενο");
    assert!(met.len() < identities.len() && met.contains(&0), "{met:?}");
}
