//! How a name sounds, roughly and in no language: its consonants, and its first vowel. It must
//! not know how it looks.

use super::key::Key;

/// What each letter is noted as, `a` to `z`, if it does not begin a longer spelling.
const NOTED: &[u8; 26] = b"abkdefghijklmnopkrstuvvsis";

/// The letters that may follow each letter in a longer spelling, one bit each.
const FOLLOWERS: [u32; 26] = {
    let mut followers = [0; 26];
    let pairs = *b"tstcthtzscshzhdzdjdhphpfckchczcecicyqukhghbhrh";
    let mut at = 0;
    while at < pairs.len() {
        followers[(pairs[at] - b'a') as usize] |= 1 << (pairs[at + 1] - b'a');
        at += 2;
    }
    followers
};

/// The spelling of one sound that the letters begin with, if there is one: how many letters it
/// takes, and what is noted.
const fn spelling(letters: &[u8]) -> Option<(usize, u8)> {
    Some(match letters {
        [b't', b's', b'c', b'h', ..] => (4, b'k'),
        [b't', b'c', b'h', ..] => (3, b'k'),
        [b't', b'h', ..] => (2, b't'),
        [b't', b's' | b'z', ..] => (2, b's'),
        [b's', b'c', b'h', ..] => (3, b's'),
        [b's' | b'z', b'h', ..] => (2, b's'),
        [b'd', b'z', b'h', ..] => (3, b'j'),
        [b'd', b'j', ..] => (2, b'j'),
        [b'd', b'h', ..] => (2, b'd'),
        [b'p', b'h' | b'f', ..] => (2, b'f'),
        [b'c', b'k' | b'h' | b'z', ..] => (2, b'k'),
        [b'c', b'e' | b'i' | b'y', ..] => (1, b's'),
        [b'q', b'u', ..] => (2, b'k'),
        [b'k', b'h', ..] => (2, b'h'),
        [b'g', b'h', ..] => (2, b'g'),
        [b'b', b'h', ..] => (2, b'b'),
        [b'r', b'h', ..] => (2, b'r'),
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

/// Whether a pair of letters may begin a longer spelling.
fn begins(letter: u8, next: Option<&u8>) -> bool {
    let next = next.map_or(u8::MAX, |next| next.wrapping_sub(b'a'));
    next < 26 && FOLLOWERS[usize::from(letter - b'a')] & 1 << next != 0
}

/// The sound of a name in Latin letters. A vowel is noted only at the start.
pub(super) fn of(latin: &[u8]) -> Key {
    let mut key = Key::default();
    let mut last = 0;
    let mut note = |each: u8| {
        if each != last && (last == 0 || !vowel(each)) {
            key.push(each);
            last = each;
        }
    };
    let mut at = 0;
    while let Some(&letter) = latin.get(at) {
        let long = letter.is_ascii_lowercase() && begins(letter, latin.get(at + 1));
        if let Some((length, noted)) = if long { spelling(&latin[at..]) } else { None } {
            note(noted);
            at += length;
            continue;
        }
        match letter {
            b'a'..=b'z' => note(NOTED[usize::from(letter - b'a')]),
            b'0'..=b'9' => match spoken(letter, at == 0, at + 1 == latin.len()) {
                b"" => note(super::fold::resemble(letter)),
                said => said.iter().for_each(|&each| note(each)),
            },
            _ => note(letter),
        }
        at += 1;
    }
    key
}

/// A coarser sound, for names that were written in another script and back: sounds made at one
/// place of the mouth agree; breath, vowels, and nasals before a stop made at their place (Greek
/// writes b as μπ) are dropped.
pub(super) fn gist(sound: &Key) -> Key {
    let mut key = Key::default();
    let mut last = 0;
    let symbols = sound.as_bytes();
    for (at, &each) in symbols.iter().enumerate() {
        let class = match each {
            b'm' if matches!(symbols.get(at + 1), Some(b'b' | b'p')) => continue,
            b'n' if matches!(symbols.get(at + 1), Some(b't' | b'd' | b'k' | b'g')) => continue,
            b'b' | b'p' | b'f' | b'v' => b'b',
            b'k' | b'g' => b'k',
            b't' | b'd' => b't',
            b's' | b'j' => b's',
            b'l' | b'r' => b'l',
            b'a' | b'e' | b'i' | b'o' | b'u' | b'h' => continue,
            _ => each,
        };
        if class != last {
            key.push(class);
        }
        last = class;
    }
    if key.is_empty() { *sound } else { key }
}

/// How a name sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its consonants, and its first vowel.
    pub sound: Key,
    /// More coarsely: for names carried from one script into another.
    pub gist: Key,
}

/// How Latin letters sound.
pub(super) fn said(latin: &[u8]) -> Said {
    let sound = of(latin);
    Said { sound, gist: gist(&sound) }
}

/// The symbols that gists are of, but for those of letters that stand for themselves.
pub const GIST: &[u8; 7] = b"bklmnst";
