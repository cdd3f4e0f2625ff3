//! What is literally written: composed, without case, without what is not seen. It must not
//! know what looks like what.

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// Whether a character is not seen and changes nothing that is.
pub(super) fn invisible(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The plain form of a character if that is one character whatever its neighbours are.
pub(super) fn simple(character: char) -> Option<char> {
    if invisible(character) || character.is_whitespace() {
        return None;
    }
    let mut buffer = [0; 4];
    let text: &str = character.encode_utf8(&mut buffer);
    if is_nfc_quick(text.chars()) != IsNormalized::Yes
        || unicode_normalization::char::canonical_combining_class(character) != 0
    {
        return None;
    }
    let mut folded = folded(character);
    let first = folded.next()?;
    folded.next().is_none().then_some(first)
}

/// A character without case.
pub(super) fn folded(character: char) -> impl Iterator<Item = char> {
    let sharp = matches!(character, 'ß' | 'ẞ');
    let one = match character {
        'ς' => 'σ',
        'ſ' => 's',
        'İ' => 'i',
        _ => character,
    };
    let lower = (!sharp).then(|| one.to_lowercase()).into_iter().flatten();
    sharp.then_some("ss".chars()).into_iter().flatten().chain(lower)
}

/// The whole of a text, plainly.
pub(super) fn of(characters: impl Iterator<Item = char>, capacity: usize) -> String {
    let seen = characters.filter(|&each| !invisible(each) || each.is_whitespace());
    let mut plain = String::with_capacity(capacity);
    let mut space = false;
    // Without case some letters compose with marks that they did not compose with before.
    for each in seen.nfc().flat_map(folded).nfc() {
        if each.is_whitespace() {
            space = !plain.is_empty();
        } else {
            if space {
                plain.push(' ');
                space = false;
            }
            plain.push(each);
        }
    }
    plain
}
