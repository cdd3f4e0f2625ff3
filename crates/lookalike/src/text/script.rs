//! Which script a character belongs to, as far as names care.

use unicode_script::{Script as Unicode, UnicodeScript as _};

/// The script of a name, or of most of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Script {
    /// No letters.
    #[default]
    None,
    /// Latin.
    Latin,
    /// Cyrillic.
    Cyrillic,
    /// Greek.
    Greek,
    /// Arabic.
    Arabic,
    /// Hebrew.
    Hebrew,
    /// Han.
    Han,
    /// Hiragana or Katakana.
    Kana,
    /// Hangul.
    Hangul,
    /// Any other.
    Other,
}

impl Script {
    /// How many there are.
    pub(super) const COUNT: usize = 10;

    /// The script of a character; signs and digits have none.
    pub(super) fn of(character: char) -> Script {
        match character.script() {
            Unicode::Common | Unicode::Inherited | Unicode::Unknown => Script::None,
            Unicode::Latin => Script::Latin,
            Unicode::Cyrillic => Script::Cyrillic,
            Unicode::Greek => Script::Greek,
            Unicode::Arabic => Script::Arabic,
            Unicode::Hebrew => Script::Hebrew,
            Unicode::Han => Script::Han,
            Unicode::Hiragana | Unicode::Katakana => Script::Kana,
            Unicode::Hangul => Script::Hangul,
            _ => Script::Other,
        }
    }

    /// What to call one of its letters.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Script::None | Script::Other => "other",
            Script::Latin => "Latin",
            Script::Cyrillic => "Cyrillic",
            Script::Greek => "Greek",
            Script::Arabic => "Arabic",
            Script::Hebrew => "Hebrew",
            Script::Han => "Han",
            Script::Kana => "Kana",
            Script::Hangul => "Hangul",
        }
    }

    /// Whether letters of both stand in one word without guile.
    pub(super) const fn mixes(self, other: Script) -> bool {
        use Script::{Han, Hangul, Kana, None};
        matches!((self, other), (None, _) | (_, None) | (Han | Kana, Han | Kana))
            || matches!((self, other), (Han, Hangul) | (Hangul, Han))
            || self as u8 == other as u8
    }
}

/// Whether many people write their names in the script of the character: its letters are then
/// not taken for Latin ones without a reason.
pub(super) fn writes_names(character: char) -> bool {
    use Unicode as U;
    !matches!(Script::of(character), Script::None | Script::Latin | Script::Other)
        || matches!(
            character.script(),
            U::Armenian
                | U::Georgian
                | U::Devanagari
                | U::Bengali
                | U::Gurmukhi
                | U::Gujarati
                | U::Oriya
                | U::Tamil
                | U::Telugu
                | U::Kannada
                | U::Malayalam
                | U::Sinhala
                | U::Thai
                | U::Lao
                | U::Khmer
                | U::Myanmar
                | U::Tibetan
                | U::Ethiopic
        )
}
