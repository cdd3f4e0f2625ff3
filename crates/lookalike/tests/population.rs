//! The population against a plain map, and its scan against looking at everybody.

use std::collections::BTreeMap;

use lookalike::picture::Pdq;
use lookalike::population::{Account, Best, Likely, Person, Population, ReadError, Sought};
use lookalike::profile::{Identity, Profile};
use lookalike::text::{Key, Reader};
use proptest::prelude::*;

fn account<'a>(number: u64, handle: &'a str, display: &'a str) -> Account<'a> {
    let (handle, display) = (handle.as_bytes(), display.as_bytes());
    Account { number, handle, display, features: number as u32 + 1, ..Account::default() }
}

fn scan(population: &Population, sought: &Sought, most: usize) -> Vec<Likely> {
    let mut best = Best::new(most);
    population.scan(0..population.len(), sought, &mut best);
    best.into_sorted()
}

fn numbers(likely: &[Likely]) -> Vec<u64> {
    likely.iter().map(|likely| likely.number).collect()
}

#[test]
fn imitators_by_name_are_found_the_nearest_first() {
    let mut population = Population::default();
    for (number, handle, display) in [
        (1, "ninasimonova", "Nobody"),
        (2, "officialninasimonovatv", ""),
        (3, "ninasimnoova", "changed places"),
        (4, "ninasimonov", "one is missing"),
        (5, "nina", "a part only"),
        (6, "x", "therealninasimonova"),
        (7, "simonovanina", "the other way round"),
        (8, "ninacimomova", "two are changed"),
        (9, "gardener", "someoneelse"),
    ] {
        population.put(&account(number, handle, display));
    }
    let sought = Sought::new(&[b"ninasimonova"], &[], 31);
    let found = scan(&population, &sought, 10);
    let mut all = numbers(&found);
    assert_eq!(all[0], 1);
    assert_eq!(found[0].edits, Some(0));
    assert_eq!(found[0].features, 2);
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4, 6, 8]);
    assert_eq!(numbers(&scan(&population, &sought, 2)), [1, 3]);
    assert!(scan(&population, &sought, 0).is_empty());
}

#[test]
fn imitators_by_picture_are_found_without_a_name() {
    let mut population = Population::default();
    let hash = Pdq([0x0123_4567_89ab_cdef; 4]);
    for differing in 0..64_u32 {
        // Spread over the words as those of an edit are.
        let mut other = hash;
        for bit in 0..differing as usize {
            other.0[bit % 4] ^= 1 << (bit / 4 * 3);
        }
        let picture = Some(other);
        let mut account = account(u64::from(differing), "anybody", "");
        account.picture = picture;
        population.put(&account);
    }
    population.put(&account(999, "withoutpicture", ""));
    let found = scan(&population, &Sought::new(&[], &[hash.mirrored(), hash], 31), 100);
    assert_eq!(numbers(&found), (0..32).collect::<Vec<u64>>());
    assert!(found.iter().all(|likely| likely.distance == Some(likely.number as u32)));
    assert!(found.iter().all(|likely| likely.edits.is_none()));
}

#[test]
fn an_account_is_kept_as_it_was_put_last() {
    let mut population = Population::default();
    let long = "abcdefghijklmnopqrstuvwxyz".repeat(2);
    let mut put = account(5, &long, "x");
    put.sounds = Key::new(b"k?lt");
    put.picture = Some(Pdq([1, 2, 3, 4]));
    population.put(&put);
    let got = population.get(5).unwrap();
    assert!(got.handle.len() >= 40 && long.as_bytes().starts_with(got.handle));
    assert_eq!((got.display, got.other, got.sounds.as_bytes()), (&b"x"[..], &b""[..], &b"klt"[..]));
    assert_eq!((got.picture, got.features), (put.picture, 6));
    population.put(&account(5, "new", ""));
    let got = population.get(5).unwrap();
    assert_eq!((got.handle, got.display, got.picture), (&b"new"[..], &b""[..], None));
    assert_eq!(population.len(), 1);
    assert!(population.remove(5) && !population.remove(5));
    assert!(population.is_empty() && population.get(5).is_none());
    population.put(&Account { handle: b"a\0b", ..account(6, "", "") });
    assert_eq!(population.get(6).unwrap().handle, b"ab");
}

#[test]
fn hostile_keys_and_names_are_borne() {
    let mut population = Population::default();
    let full = [255; 1_000];
    population.put(&Account { handle: &full, display: &full, ..account(1, "", "") });
    population.put(&account(2, "", ""));
    for key in [&b""[..], b"a", b"\0\0", &full, &[255, 255]] {
        let mut sought = Sought::new(&[key], &[], 256);
        sought.add_words(&[key, &full, b"ab"]);
        sought.add_sounds(key, true);
        assert!(scan(&population, &sought, 10).len() <= 1);
    }
    let everybody = Sought::new(&[], &[Pdq::default()], 256);
    assert!(scan(&population, &everybody, 10).is_empty());
    assert!(scan(&Population::default(), &everybody, 10).is_empty());
}

#[test]
fn a_population_is_the_same_after_writing_and_reading() {
    let mut population = Population::default();
    for number in 0..1_000 {
        let mut put = account(number * 7, "some", "body");
        if number % 5 == 0 {
            (put.other, put.sounds) = (b"other", Key::new(b"sbt"));
        }
        put.picture = (number % 3 == 0).then_some(Pdq([number, 0, 0, 1]));
        population.put(&put);
    }
    population.remove(21);
    let mut bytes = Vec::new();
    population.write_to(&mut bytes).unwrap();
    let again = Population::read_from(&mut bytes.as_slice()).unwrap();
    assert_eq!(again.len(), 999);
    for row in 0..again.len() {
        assert_eq!(again.account(row), population.account(row));
    }
    for end in [0, 8, 15, 16, bytes.len() - 1] {
        let cut = Population::read_from(&mut &bytes[..end]);
        assert!(matches!(cut, Err(ReadError::Io(_))));
    }
    let mut twice = bytes.clone();
    twice.copy_within(16..24, 16 + 92);
    let same_number = Population::read_from(&mut twice.as_slice());
    assert!(matches!(same_number, Err(ReadError::NotAPopulation)));
    bytes[3] ^= 1;
    let other = Population::read_from(&mut bytes.as_slice());
    assert!(matches!(other, Err(ReadError::NotAPopulation)));
}

#[test]
fn memory_is_what_is_stated() {
    let mut population = Population::default();
    (0..100_000).for_each(|number| population.put(&account(number, "handle", "display")));
    // Columns grow by doubling, so that up to twice their bytes are held for a while.
    let each = population.memory() / population.len();
    assert!((Population::BYTES..=2 * Population::BYTES + 11).contains(&each), "{each} bytes");
}

proptest! {
    #[test]
    fn whatever_is_put_and_removed_is_what_a_map_holds(
        steps in prop::collection::vec((0_u64..60, any::<bool>(), "[a-e]{0,8}"), 0..400),
    ) {
        let mut population = Population::default();
        let mut map = BTreeMap::new();
        for (number, put, name) in steps {
            // Numbers far apart, and near ones.
            let number = if number % 2 == 0 { number } else { number << 50 };
            if put {
                population.put(&account(number, &name, "d"));
                map.insert(number, name);
            } else {
                prop_assert_eq!(population.remove(number), map.remove(&number).is_some());
            }
        }
        prop_assert_eq!(population.len(), map.len());
        for (number, name) in &map {
            let handle = population.get(*number).map(|account| account.handle);
            prop_assert_eq!(handle, Some(name.as_bytes()));
        }
        let numbers = (0..population.len()).map(|row| population.account(row).number);
        let mut rows: Vec<u64> = numbers.collect();
        rows.sort_unstable();
        prop_assert!(rows.into_iter().eq(map.into_keys()));
    }

    #[test]
    fn everybody_with_the_key_in_a_name_is_found_at_any_place_and_in_parts(
        names in prop::collection::vec(("[a-f]{0,12}", "[a-f]{0,12}"), 1..200),
        key in "[a-f]{2,6}",
        cut in 0_usize..200,
    ) {
        let mut population = Population::default();
        for (number, (handle, display)) in names.iter().enumerate() {
            population.put(&account(number as u64, handle, display));
        }
        let sought = Sought::new(&[key.as_bytes()], &[], 0);
        let cut = cut.min(population.len());
        let mut best = Best::new(1_000);
        population.scan(0..cut, &sought, &mut best);
        population.scan(cut..population.len(), &sought, &mut best);
        let found = best.into_sorted();
        for (number, (handle, display)) in names.iter().enumerate() {
            if handle.contains(&key) || display.contains(&key) {
                let this = found.iter().find(|likely| likely.number == number as u64);
                prop_assert_eq!(this.and_then(|likely| likely.edits), Some(0));
            }
        }
        prop_assert!(found.is_sorted_by(|one, other| one.score >= other.score));
    }
}

#[test]
fn an_identity_is_looked_for_by_all_that_it_is_known_by() {
    let reader = Reader::new();
    let picture = |number: u64| {
        Pdq([3, 5, 7, 11].map(|odd| number.wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ odd << 40) ^ odd))
    };
    let mut population = Population::default();
    let profile = |handle: &str, display_name: &str, avatar: u64| Profile {
        handle: handle.to_owned(),
        display_name: display_name.to_owned(),
        avatars: vec![picture(avatar), Pdq::default()],
        ..Profile::default()
    };
    for (number, profile) in [
        profile("x1", "Оffiсiаl Nina Simonova ✨", 100),
        profile("nina.sim0nova_real", "", 101),
        profile("x2", "Нина Симонова", 102),
        profile("x3", "La Rossa", 103),
        profile("x4", "somebody", 8),
        profile("gardener", "Somebody Else", 104),
    ]
    .iter()
    .enumerate()
    {
        population.put(&Person::of(&reader, (number as u64, 0), profile).account());
    }
    let identity = Identity {
        handle: "ninasimonova".to_owned(),
        display_name: "Nina Simonova".to_owned(),
        aliases: vec!["La Rossa".to_owned()],
        avatars: vec![picture(7), picture(8)],
        ..Identity::default()
    };
    let found = scan(&population, &Sought::of(&reader, &identity), 10);
    let mut all = numbers(&found);
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3, 4]);
    let by_picture = found.iter().find(|likely| likely.number == 4).unwrap();
    assert_eq!((by_picture.distance, by_picture.edits), (Some(0), None));
}

#[test]
fn names_are_looked_for_by_their_sound_and_with_their_words_in_any_order() {
    let cases = [
        ("Adnane Moreno Sanchez", "Αντνανε Μορενο Σαντσεζ"),
        ("Zoila Walker - Coach", "Зоила Валкер"),
        ("Savanna Baltazar - Runs", "Σαβανα Μπαλταζαρ"),
        ("Stephanie Guajardo", "ステファニエ・グアジャード"),
        ("שר סינג פרבהקרן", "Sher Singh Prabhakaran"),
        ("محمد القحطاني", "Mohamed Alqahtani"),
        ("Daniel Hernández", "Dnl Hrnndz"),
        ("Thea Nette | Runs", "NETTE, Thea"),
        ("Áurea Castanha", "CASTANHA Áurea 🇧🇷"),
        ("Амелия Виноградова", "Виноградова Амелия"),
        ("Tenzin Thomas", "Tenzin 1990 Thomas"),
        ("Mark Rosie", "Марк Rosie"),
    ];
    let reader = Reader::new();
    let mut population = Population::default();
    for (number, (_, imitation)) in cases.iter().enumerate() {
        let profile = Profile { display_name: (*imitation).to_owned(), ..Profile::default() };
        population.put(&Person::of(&reader, (number as u64, 0), &profile).account());
    }
    for (number, (name, imitation)) in cases.iter().enumerate() {
        let display_name = (*name).to_owned();
        let identity = Identity { display_name, handle: "zq".to_owned(), ..Identity::default() };
        let found = scan(&population, &Sought::of(&reader, &identity), 10);
        assert_eq!(numbers(&found), [number as u64], "{imitation} for {name}");
    }
}

#[test]
fn any_part_of_the_rows_can_be_scanned() {
    let mut population = Population::default();
    for number in 0..1_000 {
        population.put(&account(number, if number % 3 == 0 { "ninasimonova" } else { "x" }, ""));
    }
    let sought = Sought::new(&[b"ninasimonova"], &[], 0);
    for (start, end) in [(0, 0), (0, 1), (63, 65), (5, 300), (255, 257), (256, 512), (700, 1_000)] {
        let mut best = Best::new(1_000);
        population.scan(start..end, &sought, &mut best);
        let wanted = (start..end).filter(|row| row % 3 == 0).count();
        assert_eq!(best.into_sorted().len(), wanted, "{start}..{end}");
    }
}
