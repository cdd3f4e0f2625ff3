//! Scripts that fold or sound by rules of their own: Hangul to jamo, kana to one of its two
//! forms. It must not know what looks like a Latin letter.

const SYLLABLES: u32 = 0xac00;
const VOWELS: u32 = 21;
const FINALS: u32 = 28;

/// The leading consonants in the order of syllables, as one or two plain ones.
const LEADING: [&str; 19] = [
    "ㄱ", "ㄱㄱ", "ㄴ", "ㄷ", "ㄷㄷ", "ㄹ", "ㅁ", "ㅂ", "ㅂㅂ", "ㅅ", "ㅅㅅ", "ㅇ", "ㅈ", "ㅈㅈ",
    "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ",
];
/// The final consonants likewise; the first is none.
const FINAL: [&str; 28] = [
    "", "ㄱ", "ㄱㄱ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ",
    "ㄹㅌ", "ㄹㅍ", "ㄹㅎ", "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅅㅅ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ",
    "ㅎ",
];

fn vowel(number: u32) -> Option<char> {
    char::from_u32(u32::from('ㅏ') + number)
}

/// The jamo of a syllable, or of a jamo of any kind, as those that stand alone.
pub(super) fn jamo(character: char) -> Vec<char> {
    let point = u32::from(character);
    match character {
        '\u{ac00}'..='\u{d7a3}' => {
            let number = point - SYLLABLES;
            let (rest, last) = (number / FINALS, number % FINALS);
            let first = LEADING[(rest / VOWELS) as usize].chars();
            first.chain(vowel(rest % VOWELS)).chain(FINAL[last as usize].chars()).collect()
        }
        '\u{1100}'..='\u{1112}' => LEADING[(point - 0x1100) as usize].chars().collect(),
        '\u{1161}'..='\u{1175}' => vowel(point - 0x1161).into_iter().collect(),
        '\u{11a8}'..='\u{11c2}' => FINAL[(point - 0x11a7) as usize].chars().collect(),
        'ㄲ' => vec!['ㄱ', 'ㄱ'],
        'ㄸ' => vec!['ㄷ', 'ㄷ'],
        'ㅃ' => vec!['ㅂ', 'ㅂ'],
        'ㅆ' => vec!['ㅅ', 'ㅅ'],
        'ㅉ' => vec!['ㅈ', 'ㅈ'],
        _ => vec![character],
    }
}

/// What a letter that is a consonant where a word begins is said as inside of words, mostly.
pub(super) const fn inside(character: char) -> Option<&'static [u8]> {
    match character {
        'و' | 'ו' => Some(b"u"),
        _ => None,
    }
}

/// Whether it is a syllable written with a final ㅅ, which is said as t.
pub(super) fn ends_in_s(character: char) -> bool {
    let number = u32::from(character).wrapping_sub(SYLLABLES);
    matches!(character, '\u{ac00}'..='\u{d7a3}') && FINAL[(number % FINALS) as usize] == "ㅅ"
}

/// The modern small letter of a Georgian letter of another case. `None` for others.
pub(super) fn georgian(character: char) -> Option<char> {
    let point = u32::from(character);
    match character {
        '\u{10a0}'..='\u{10c5}' => char::from_u32(point + 0x30),
        '\u{1c90}'..='\u{1cba}' => char::from_u32(point - 0xbc0),
        '\u{2d00}'..='\u{2d25}' => char::from_u32(point - 0x1c30),
        _ => None,
    }
}

/// The one form of a kana letter: full size, Katakana, without voicing. `None` for others.
pub(super) fn letter(character: char) -> Option<char> {
    let katakana = match character {
        '\u{3041}'..='\u{3096}' => char::from_u32(u32::from(character) + 0x60)?,
        '\u{30a1}'..='\u{30fa}' => character,
        _ => return None,
    };
    Some(match katakana {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' | 'ヴ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ガ' | 'ヵ' => 'カ',
        'ギ' => 'キ',
        'グ' => 'ク',
        'ゲ' | 'ヶ' => 'ケ',
        'ゴ' => 'コ',
        'ザ' => 'サ',
        'ジ' => 'シ',
        'ズ' => 'ス',
        'ゼ' => 'セ',
        'ゾ' => 'ソ',
        'ダ' => 'タ',
        'ヂ' => 'チ',
        'ッ' | 'ヅ' => 'ツ',
        'デ' => 'テ',
        'ド' => 'ト',
        'バ' | 'パ' => 'ハ',
        'ビ' | 'ピ' => 'ヒ',
        'ブ' | 'プ' => 'フ',
        'ベ' | 'ペ' => 'ヘ',
        'ボ' | 'ポ' => 'ホ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' | 'ヷ' => 'ワ',
        _ => katakana,
    })
}
