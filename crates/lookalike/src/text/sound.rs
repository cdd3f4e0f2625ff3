//! How a name sounds, roughly and in no language: its consonants, and its first vowel. It must
//! not know how it looks.

use super::key::Key;

/// The spelling of one sound that the letters begin with, if it is not the letter itself: how
/// many letters it takes, and what is noted.
const fn spelling(letters: &[u8]) -> Option<(usize, &'static [u8])> {
    Some(match letters {
        [b't', b's', b'c', b'h', ..] => (4, b"c"),
        [b't', b'c', b'h', ..] => (3, b"c"),
        [b't', b'h', ..] => (2, b"t"),
        [b't', b's' | b'z', ..] => (2, b"s"),
        [b's', b'c', b'h', ..] => (3, b"s"),
        [b's' | b'z', b'h', ..] => (2, b"s"),
        [b'd', b'z', b'h', ..] => (3, b"j"),
        [b'd', b'j', ..] => (2, b"j"),
        [b'd', b'h', ..] => (2, b"d"),
        [b'p', b'h' | b'f', ..] => (2, b"f"),
        [b'c', b'k', ..] => (2, b"k"),
        [b'c', b'h' | b'z', ..] => (2, b"c"),
        [b'c', b'e' | b'i' | b'y', ..] => (1, b"s"),
        [b'c', ..] | [b'q', b'u', ..] => (if letters[0] == b'q' { 2 } else { 1 }, b"k"),
        [b'k', b'h', ..] => (2, b"h"),
        [b'g', b'h', ..] => (2, b"g"),
        [b'b', b'h', ..] => (2, b"b"),
        [b'r', b'h', ..] => (2, b"r"),
        [b'x' | b'z', ..] => (1, b"s"),
        [b'q', ..] => (1, b"k"),
        [b'w', ..] => (1, b"v"),
        [b'y', ..] => (1, b"i"),
        _ => return None,
    })
}

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
        at += match (spelling(rest), rest[0]) {
            (Some((length, noted)), _) => {
                noted.iter().for_each(|&each| note(each));
                length
            }
            (None, digit @ b'0'..=b'9') => {
                match spoken(digit, at == 0, rest.len() == 1) {
                    b"" => note(super::fold::resemble(digit)),
                    said => said.iter().for_each(|&each| note(each)),
                }
                1
            }
            (None, each) => {
                note(each);
                1
            }
        };
    }
    key
}
