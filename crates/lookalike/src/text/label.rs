//! Whether an account says plainly that it is not its subject: the keyword in its name and the
//! disclaimer in its bio. It must not know avatars, nor what follows.

use std::sync::LazyLock;

use super::data;
use super::scan;
use super::table::{Class, TABLE};
use super::words::{self, AFFIXES, Meaning};

/// What an account says that it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelKind {
    /// Nothing.
    #[default]
    None,
    /// By or for fans.
    Fan,
    /// A joke.
    Parody,
    /// A commentary.
    Commentary,
}

/// How an account is labelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// What it says that it is, in its name or else in its bio.
    pub kind: LabelKind,
    /// Whether the display name says so near its start.
    pub keyword_in_display: bool,
    /// Whether the bio says so and names the subject.
    pub disclaimer_in_bio: bool,
}

/// The characters of a display name among which the keyword must be.
const NEAR: usize = 30;
/// The characters of a bio that are read.
const BIO: usize = 2_000;
/// The shortest name that counts as named inside another word.
const INSIDE: usize = 4;

/// A phrase by which an account says that it is not the subject.
struct Phrase {
    text: Flat,
    kind: LabelKind,
}

static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    let phrase = |(kind, rest): (&str, &'static str)| Phrase {
        text: Flat::of(rest.split('\t').next().unwrap_or_default()),
        kind: match kind {
            "fan" => LabelKind::Fan,
            "parody" => LabelKind::Parody,
            "commentary" => LabelKind::Commentary,
            _ => LabelKind::None,
        },
    };
    data::rows(data::DISCLAIMERS).map(phrase).collect()
});

/// Reads the label of an account that may be about a subject.
#[must_use]
pub fn label(display: &str, bio: &str, subject_handle: &str, subject_display: &str) -> Label {
    let keyword = keyword(display);
    let bio = Flat::of(bio);
    let named = bio.names(&Flat::of(subject_handle)) || bio.names(&Flat::of(subject_display));
    let said = if named { bio.disclaims() } else { None };
    Label {
        kind: match (keyword, said) {
            (LabelKind::None, Some(kind)) => kind,
            _ => keyword,
        },
        keyword_in_display: keyword != LabelKind::None,
        disclaimer_in_bio: said.is_some(),
    }
}

/// What the display name says near its start.
fn keyword(display: &str) -> LabelKind {
    let near: String = display.chars().take(NEAR).collect();
    let cells = scan::scan(&near).cells;
    let spans = words::split(&cells);
    let last = spans.len().saturating_sub(1);
    let mut kind = LabelKind::None;
    for (at, span) in spans.iter().enumerate() {
        let whole = at < last || display.chars().count() <= NEAR;
        let key = words::whole(&cells[span.start..span.end]);
        let said = match AFFIXES.meaning(&key) {
            Some(Meaning::Fan) if whole => LabelKind::Fan,
            Some(Meaning::Parody) if whole => LabelKind::Parody,
            Some(Meaning::Commentary) if whole => LabelKind::Commentary,
            Some(Meaning::Denial) if at == 0 => LabelKind::Parody,
            _ => continue,
        };
        kind = kind.max(said);
    }
    kind
}

/// A text as words of looks, and without its spaces; and in Latin letters.
struct Flat {
    spaced: Vec<u8>,
    joined: Vec<u8>,
    latin: Vec<u8>,
}

impl Flat {
    fn of(text: &str) -> Flat {
        let mut flat = Flat { spaced: vec![b' '], joined: Vec::new(), latin: Vec::new() };
        for character in text.chars().take(BIO) {
            let entry = TABLE.entry(character);
            match entry.class {
                Class::Letter | Class::Digit => {
                    flat.spaced.extend(entry.looks());
                    flat.joined.extend(entry.looks());
                    flat.latin.extend(entry.latin());
                }
                Class::Mark | Class::Invisible | Class::Bidi => {}
                _ if character == '\'' || character == '’' => {}
                _ if flat.spaced.last() != Some(&b' ') => flat.spaced.push(b' '),
                _ => {}
            }
        }
        if flat.spaced.last() != Some(&b' ') {
            flat.spaced.push(b' ');
        }
        flat
    }

    /// Whether it names a subject: short names as words, others anywhere.
    fn names(&self, subject: &Flat) -> bool {
        let inside = |text: &[u8], part: &[u8]| part.len() >= INSIDE && find(text, part).is_some();
        inside(&self.joined, &subject.joined)
            || inside(&self.latin, &subject.latin)
            || subject.joined.len() > 1 && find(&self.spaced, &subject.spaced).is_some()
            || !subject.joined.is_ascii()
                && subject.joined.len() > 1
                && find(&self.joined, &subject.joined).is_some()
    }

    /// What it says that it is, if it disclaims anything.
    fn disclaims(&self) -> Option<LabelKind> {
        let said = PHRASES.iter().filter(|phrase| self.says(&phrase.text));
        said.map(|phrase| phrase.kind).max()
    }

    /// Whether a phrase begins a word of it and is not denied. Scripts without spaces have no
    /// words to begin.
    fn says(&self, phrase: &Flat) -> bool {
        let part = match phrase.joined.is_ascii() {
            true => &phrase.spaced[..phrase.spaced.len() - 1],
            false => &phrase.joined[..],
        };
        let text = if phrase.joined.is_ascii() { &self.spaced } else { &self.joined };
        find(text, part).is_some_and(|at| {
            let before = &text[..at];
            ![&b" not"[..], b" not a", b" not an", b" no", b" never"]
                .iter()
                .any(|denial| before.ends_with(denial))
        })
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return None;
    }
    text.windows(part.len()).position(|window| window == part)
}
