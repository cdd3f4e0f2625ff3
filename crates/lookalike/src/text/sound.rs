//! How a name sounds, roughly and in no language: its consonants, and its first vowel. It must
//! not know how it looks.

use super::key::Key;

/// Spellings of one sound, the longest first: what is written, what is noted.
const SPELLINGS: [(&[u8], &[u8]); 26] = [
    (b"tsch", b"c"),
    (b"sch", b"s"),
    (b"tch", b"c"),
    (b"dzh", b"j"),
    (b"ph", b"f"),
    (b"ck", b"k"),
    (b"ch", b"c"),
    (b"cz", b"c"),
    (b"sh", b"s"),
    (b"zh", b"s"),
    (b"kh", b"h"),
    (b"gh", b"g"),
    (b"th", b"t"),
    (b"dh", b"d"),
    (b"bh", b"b"),
    (b"rh", b"r"),
    (b"ts", b"s"),
    (b"tz", b"s"),
    (b"dj", b"j"),
    (b"qu", b"k"),
    (b"pf", b"f"),
    (b"ce", b"se"),
    (b"ci", b"si"),
    (b"cy", b"si"),
    (b"x", b"s"),
    (b"z", b"s"),
];

/// Digits said as words: the digit and the consonants of its name.
const fn spoken(digit: u8, first: bool, last: bool) -> &'static [u8] {
    match (digit, first, last) {
        (b'2', _, false) => b"t",
        (b'4', true, false) => b"fr",
        (b'8', false, _) => b"t",
        _ => b"",
    }
}

const fn vowel(each: u8) -> bool {
    matches!(each, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// The sound of a name in Latin letters.
pub(super) fn of(latin: &[u8]) -> Key {
    let mut key = Key::default();
    let mut last = 0;
    let mut at = 0;
    let mut note = |each: u8| {
        let each = match each {
            b'c' | b'q' => b'k',
            b'w' => b'v',
            b'y' => b'i',
            _ => each,
        };
        if vowel(each) && last != 0 {
            return;
        }
        if each != last {
            key.push(each);
        }
        last = each;
    };
    while at < latin.len() {
        let rest = &latin[at..];
        if let Some((written, noted)) =
            SPELLINGS.iter().find(|(written, _)| rest.starts_with(written))
        {
            noted.iter().for_each(|&each| note(each));
            at += written.len();
            continue;
        }
        let each = rest[0];
        if each.is_ascii_digit() {
            let said = spoken(each, at == 0, rest.len() == 1);
            if said.is_empty() {
                note(super::fold::resemble(each));
            } else {
                said.iter().for_each(|&each| note(each));
            }
        } else {
            note(each);
        }
        at += 1;
    }
    key
}
