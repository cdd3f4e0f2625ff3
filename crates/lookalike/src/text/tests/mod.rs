//! Tables of names and what they must read as, and properties that hold for any text.

use proptest::prelude::*;

use super::*;

fn pairs(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    super::data::rows(table)
}

fn read(name: &str) -> Reading {
    Reader::new().read(name)
}

/// The pairs of a table for which a check fails.
fn failing(
    table: &'static str,
    check: impl Fn(&Reading, &Reading) -> bool,
) -> Vec<(&'static str, &'static str)> {
    pairs(table).filter(|(a, b)| !check(&read(a), &read(b))).collect()
}

#[test]
fn disguises_look_like_what_they_disguise() {
    let failing = failing(include_str!("disguises.tsv"), |a, b| a.looks == b.looks);
    assert!(failing.is_empty(), "{failing:#?}");
}

#[test]
fn names_that_differ_look_different() {
    let failing = failing(include_str!("distinct.tsv"), |a, b| a.looks != b.looks);
    assert!(failing.is_empty(), "{failing:#?}");
}

#[test]
fn added_words_and_numbers_leave_the_core() {
    let failing = failing(include_str!("cores.tsv"), |a, b| a.core == b.core);
    assert!(failing.is_empty(), "{failing:#?}");
}

#[test]
fn spellings_of_one_sound_agree() {
    let failing = failing(include_str!("sounds.tsv"), |a, b| a.said.sound == b.said.sound);
    assert!(failing.is_empty(), "{failing:#?}");
}

#[test]
fn what_is_literally_there_stays_apart() {
    for (a, b) in [("nike", "n1ke"), ("anna", "ana"), ("рaul", "paul"), ("kevin", "kevln")] {
        assert_eq!(read(a).looks, read(b).looks, "{a} {b}");
        assert_ne!(read(a).literal, read(b).literal, "{a} {b}");
    }
    for (a, b) in [("Nike", "N.I.K.E"), ("josé", "JOSE"), ("Ｎｉｋｅ", "𝓃𝒾𝓀ℯ")] {
        assert_eq!(read(a).literal, read(b).literal, "{a} {b}");
    }
}

#[test]
fn another_reading_stands_beside_the_first() {
    assert_eq!(read("carclib").other, read("cardib").looks);
    assert_eq!(read("cardib").other, read("carclib").looks);
    for (pairs, one) in [
        ("lcim lcardashian", "kim kardashian"),
        ("cjucci", "gucci"),
        ("lobrian", "bbrian"),
        ("lianna 1ienry", "hanna henry"),
        ("briino", "bruno"),
        ("anclreas liclloorg", "andreas hdborg"),
    ] {
        assert_eq!(read(pairs).other, read(one).looks, "{pairs}");
    }
    // A capital is no stroke.
    assert!(read("Liam Lopez").other.is_empty());
    assert_eq!(read("Nᴉʞǝ").other, read("nike").looks);
    assert_eq!(read("ΒΙΝΑΝϹΕ").other, read("binance").looks);
    assert_eq!(read("@pple").other, read("apple").looks);
    assert!(read("nike").other.is_empty());
}

#[test]
fn letters_in_the_place_of_greek_and_cyrillic_ones_are_read_as_those() {
    for (mixed, own) in [
        ("Νikos Κωoτοποuλoυ", "Νικος Κωστοπουλου"),
        ("Ktnµa Eλɛuθɛpiáծns", "Κτημα Ελευθεριάδης"),
        ("Δnµήtpns Пaпaծóпouλos", "Δημήτρης Παπαδόπουλος"),
        ("Haдeждa Teн", "Надежда Тен"),
        ("JIuдuᴙ Makapoв", "Лидия Макаров"),
        ("Инна Caрblчев", "Инна Сарычев"),
        ("Юрuŭ Овчuнниkов", "Юрий Овчинников"),
    ] {
        assert_eq!(read(mixed).other, read(own).looks, "{mixed}");
    }
    // Letters that all could be Latin ones say nothing of another script, and neither do words
    // of two scripts side by side.
    for name in ["pаypαl", "Дмитрий Foto", "Δημήτρης Foto", "Δημήτρης Надежда"]
    {
        assert!(home::read(&scan::scan(name).cells).is_empty(), "{name}");
    }
}

#[test]
fn names_carried_into_another_script_and_back_have_one_gist() {
    let failing = failing(include_str!("gists.tsv"), |a, b| a.said.gist == b.said.gist);
    assert!(failing.is_empty(), "{failing:#?}");
}

#[test]
fn words_are_told_apart_and_said_what_they_are() {
    use WordKind::{Affix, Name, Number};
    let cases: [(&str, &[WordKind]); 9] = [
        ("MrBeast", &[Affix, Name]),
        ("Elon Musk Official", &[Name, Name, Affix]),
        ("nike_2024", &[Name, Number]),
        ("n1ke", &[Name]),
        ("2pac", &[Name]),
        ("1giveaway", &[Number, Affix]),
        ("NikeTV", &[Name, Affix]),
        ("", &[]),
        ("😀 ✔", &[]),
    ];
    for (name, kinds) in cases {
        let reading = read(name);
        let found: Vec<WordKind> = reading.words.iter().map(|word| word.kind).collect();
        assert_eq!(found, kinds, "{name}");
    }
    assert_eq!(read("official").core, read("official").looks, "a name of affixes stays whole");
    assert_eq!(read("a b c d e f g h i j k l m n o").words.len(), MAX_WORDS);
}

#[test]
fn tricks_are_listed_and_counted() {
    let reading = read("Еlоn\u{200b} Mu\u{200b}sk");
    assert_eq!(reading.tricks.count(TrickKind::Confusable), 2);
    assert_eq!(reading.tricks.count(TrickKind::Invisible), 2);
    assert!(reading.tricks.mixed_script());
    let first = reading.tricks.list()[0];
    assert_eq!((first.from, first.kind), ('\u{200b}', TrickKind::Invisible));
    assert_eq!(read("Никита Петров").tricks.total(), 0);
    assert_eq!(read("Elon Musk").tricks.total(), 0);
    assert_eq!(read("田中さくら").tricks.total(), 0);
    assert_eq!(read("n1k3").tricks.count(TrickKind::Leet), 1);
    assert_eq!(read("niiike").tricks.count(TrickKind::Repeat), 1);
}

#[test]
fn scripts_are_told() {
    let cases = [
        ("Nike", Script::Latin),
        ("Никита", Script::Cyrillic),
        ("Ελένη", Script::Greek),
        ("محمد", Script::Arabic),
        ("דוד", Script::Hebrew),
        ("张伟", Script::Han),
        ("さくら", Script::Kana),
        ("김민수", Script::Hangul),
        ("สมชาย", Script::Other),
        ("123", Script::None),
    ];
    for (name, script) in cases {
        assert_eq!(read(name).script, script, "{name}");
    }
}

#[test]
fn explanations_name_what_was_done() {
    let cases = [
        ("nike", "Nike", "equal"),
        ("ni\u{200b}ke", "Nike", "equal once the invisible characters (1) are removed"),
        ("Еlоn Musk", "Elon Musk", "equal after replacing 2 Cyrillic letters: е→e, о→o"),
        ("nyke", "nike", "one letter differs: y→i"),
        ("kiera", "keira", "two neighbouring letters are swapped: ie→ei"),
        ("nike_official", "nike", "the added word \"official\""),
        ("arnber", "amber", "equal after reading rn→m"),
        ("n1k3", "nike", "equal after reading 1→i, 3→e"),
        ("nike2024", "nike", "the added number \"2024\""),
        ("محمد", "Mohammed", "sound alike: \"mhmd\" and \"mohammed\""),
        ("\u{202e}ekin", "nike", "equal as it is shown: hidden characters reverse it"),
        ("ʞsnɯ uolǝ", "elon musk", "equal when it is turned upside down"),
        ("ninja", "pewdiepie", "alike in part"),
        ("A. Kvistgaard", "Amalia Kvistgaard", "word \"kvistgaard\" and \"a\" for \"amalia\""),
        ("kvistgaard, a", "Amalia Kvistgaard", "word \"kvistgaard\" and \"a\" for \"amalia\""),
        (
            "jose l",
            "Jose Luis Gamboa",
            "word \"jose\" and \"l\" for \"luis\"; without word \"gamboa\"",
        ),
        ("Kvistgaard", "Amalia Kvistgaard", "without word \"amalia\""),
    ];
    for (query, protected, told) in cases {
        assert_eq!(explain(&read(query), &read(protected)), told, "{query}");
    }
}

#[test]
fn labels_need_a_keyword_and_a_disclaimer_that_names_the_subject() {
    use LabelKind::{Commentary, Fan, None, Parody};
    let cases = [
        ("Nike Fan Page", "unofficial fan page of Nike", Fan, true, true),
        ("Nike Fans", "we love shoes", Fan, true, false),
        ("Nike fan club", "Not affiliated with @nike", Fan, true, true),
        ("Nike (parody)", "A joke. Not affiliated with nike.", Parody, true, true),
        ("Not Nike", "parody of Nike", Parody, true, true),
        ("Fake Nike", "parody account", Parody, true, false),
        ("Nike", "not affiliated with Nike, fan account", Fan, false, true),
        ("Nike", "just do it", None, false, false),
        ("Nike Support", "official support of Nike", None, false, false),
        ("Nike Commentary", "commentary on Nike, not endorsed", Commentary, true, true),
        ("Nike Fans", "this is not a fan page of Nike", Fan, true, false),
        ("Nike ファンクラブ", "nikeの非公式アカウント", Fan, true, true),
        ("Find Love at Nike", "", None, false, false),
    ];
    for (display, bio, kind, keyword_in_display, disclaimer_in_bio) in cases {
        let expected = Label { kind, keyword_in_display, disclaimer_in_bio };
        assert_eq!(label(display, bio, "nike", "Nike"), expected, "{display}: {bio}");
    }
    let far = format!("{} fan", "x".repeat(40));
    assert!(!label(&far, "", "nike", "Nike").keyword_in_display);
}

#[test]
fn flags_are_no_letters_and_regional_letters_are() {
    assert_eq!(read("Neymar 🇧🇷").looks, read("Neymar").looks);
    assert_eq!(read("🇺🇸🇧🇷 Neymar").looks, read("Neymar").looks);
    assert_eq!(read("🇳 🇮 🇰 🇪").looks, read("nike").looks);
}

#[test]
fn decoration_is_not_read() {
    let cases =
        ["★ Nike ★", "•.¸♡ Nike ♡¸.•", "꧁Nike꧂", "Nike®", "Nike™", "Nike!", "@nike", "#nike"];
    for name in cases {
        assert_eq!(read(name).looks, read("Nike").looks, "{name}");
    }
}

#[test]
fn what_composes_without_case_only_is_composed() {
    assert_eq!(read("T\u{308}ina").plain, "\u{1e97}ina");
}

#[test]
fn hostile_input_is_cut() {
    let marks = format!("n{}ike", "\u{301}".repeat(10_000));
    assert!(read(&marks).cut);
    assert!(read(&marks).plain.chars().count() < 300);
    let few = format!("n{}ike", "\u{301}".repeat(100));
    assert_eq!((read(&few).looks, read(&few).cut), (read("nike").looks, false));
    assert_eq!(read(&few).tricks.count(TrickKind::Mark), 4);
    for unseen in ["\0", "\u{200b}", "\u{202e}"] {
        let parted = format!("n{}ike", format!("{}{unseen}", "\u{301}".repeat(4)).repeat(50));
        let plain = read(&parted).plain;
        assert_eq!((read(&plain).plain.as_str(), plain.chars().count()), (plain.as_str(), 7));
    }
    for part in ["a", "🇧🇷", "\u{202e}", "\u{200b}", "|", "ﷺ", "\u{e0041}", "ǝ", "漢"] {
        let long = part.repeat(1_000_000 / part.len());
        let reading = read(&long);
        assert!(reading.cut && reading.plain.len() <= 4 * 1_024, "{part}");
        assert!(explain(&reading, &read("nike")).chars().count() <= 160);
        assert_eq!(label(&long, &long, &long, "nike").kind, LabelKind::None);
    }
}

#[test]
fn symbols_of_an_alphabet_stay_apart() {
    for range in ['а'..='я', 'α'..='ω', 'ا'..='ي', 'א'..='ת', 'ァ'..='ヺ', 'अ'..='ह']
    {
        let symbols: Vec<u8> = range.clone().map(symbol).collect();
        let mut once = symbols.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), symbols.len(), "{range:?}");
        assert!(once.iter().all(|&each| each >= 0x80));
    }
    assert_eq!((symbol('я'), symbol('漢')), (183, 184), "symbols are stored: never change");
}

#[test]
fn a_mark_that_is_two_counts_twice() {
    for text in [
        "#\u{344}\u{5b6}\u{5b6}\u{5b6}",
        "u\u{344}\u{5a4}.\u{344}\0\u{5b6}\u{5b6}\u{5c9}",
        ".\u{344}\0\u{5b6}\u{5b6}\u{5b6}",
    ] {
        let plain = read(text).plain;
        assert_eq!(read(&plain).plain, plain, "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_text_has_a_reading(text in "\\PC{0,64}|[\\s\\S]{0,64}", other in "\\PC{0,24}") {
        let (a, b) = (read(&text), read(&other));
        prop_assert!(a.words.len() <= MAX_WORDS);
        prop_assert!(explain(&a, &b).chars().count() <= 160);
        let _total = label(&text, &other, &other, &text);
        prop_assert_eq!(a.looks.is_empty(), a.core.is_empty());
    }

    #[test]
    fn reading_what_was_read_changes_nothing(text in "[a-zA-Z0-9_.rnvwcl ]{0,40}") {
        let looks = read(&text).looks;
        let again = read(std::str::from_utf8(looks.as_bytes()).unwrap());
        // The symbols, not the mark of a key that was cut: what is left of it is not too long.
        prop_assert_eq!(again.looks.as_bytes(), looks.as_bytes());
        let plain = read(&text).plain;
        prop_assert_eq!(read(&plain).plain, plain);
    }

    #[test]
    fn plain_text_stays_plain(text in "\\PC{0,32}") {
        let plain = read(&text).plain;
        prop_assert_eq!(&read(&plain).plain, &plain);
    }

    #[test]
    fn case_does_not_change_looks(text in "[a-zA-Z ]{0,24}|[а-яА-ЯёЁ ]{0,24}|[α-ωΑ-Ω ]{0,24}") {
        let looks = read(&text).looks;
        prop_assert_eq!(read(&text.to_uppercase()).looks, looks);
        prop_assert_eq!(read(&text.to_lowercase()).looks, looks);
    }

    #[test]
    fn invisible_characters_change_no_key(text in "[a-z]{1,20}", at in 0_usize..20) {
        let mut hidden = text.clone();
        hidden.insert(at.min(text.len()), '\u{2060}');
        let (a, b) = (read(&text), read(&hidden));
        prop_assert_eq!((a.plain, a.looks, a.core), (b.plain, b.looks, b.core));
        prop_assert_eq!((a.literal, a.latin, a.said), (b.literal, b.latin, b.said));
    }
}
