//! Whether an account says plainly that it is not its subject.

use super::Reader;
use super::data;
use super::words::{AFFIXES, Meaning};

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
    /// What it says that it is.
    pub kind: LabelKind,
    /// Whether the display name says so near its start.
    pub keyword_in_display: bool,
    /// Whether the bio says so and names the subject.
    pub disclaimer_in_bio: bool,
}

/// The characters of a display name among which the keyword must be.
const NEAR: usize = 30;

/// Reads the label of an account that may be about a subject.
#[must_use]
pub fn label(display: &str, bio: &str, subject_handle: &str, subject_display: &str) -> Label {
    let reader = Reader::new();
    let near: String = display.chars().take(NEAR).collect();
    let mut kind = LabelKind::None;
    for word in reader.read(&near).words {
        let said = match AFFIXES.meaning(&word.key) {
            Some(Meaning::Fan) => LabelKind::Fan,
            Some(Meaning::Parody) => LabelKind::Parody,
            Some(Meaning::Commentary) => LabelKind::Commentary,
            _ => continue,
        };
        kind = kind.max(said);
    }
    let bio = flat(bio);
    let names = |subject: &str| {
        let subject = flat(subject);
        !subject.is_empty() && bio.contains(&subject)
    };
    let disclaims = data::rows(data::DISCLAIMERS).any(|(_, rest)| {
        let phrase = rest.split('\t').next().unwrap_or_default();
        bio.contains(&flat(phrase))
    });
    Label {
        kind,
        keyword_in_display: kind != LabelKind::None,
        disclaimer_in_bio: disclaims && (names(subject_handle) || names(subject_display)),
    }
}

fn flat(text: &str) -> String {
    super::scan::scan(text).plain.chars().filter(|each| each.is_alphanumeric()).collect()
}
