//! The label that keeps a fan, a parody or a commentary from being taken for its subject: a word
//! at the start of the display name, a sentence in the bio that says so and names the subject,
//! and a picture that is not the subject's. Platforms' rules agree on these three.
//!
//! Pure. It must not know what a likeness is worth, nor who is protected.

use std::sync::LazyLock;

use contracts::impersonation::v1::{ExemptionKind, LabelPart};

/// What labels are made of.
static TABLE: &str = include_str!("../data/labels.tsv");
/// A name shorter than this does not count as named when it stands inside a sentence, in letters.
const NAMED_LETTERS_MIN: usize = 2;

struct Words {
    kind: ExemptionKind,
    in_name: bool,
    words: &'static str,
}

static WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(parse).collect()
});

fn parse(line: &'static str) -> Option<Words> {
    let mut columns = line.split('\t');
    let kind = match columns.next()? {
        "fan" => ExemptionKind::Fan,
        "parody" => ExemptionKind::Parody,
        "commentary" => ExemptionKind::Commentary,
        _ => return None,
    };
    let in_name = columns.next()? == "name";
    Some(Words { kind, in_name, words: columns.next()? })
}

/// What is read of a profile, and of the subject that it looks like.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The profile's display name.
    pub display_name: &'a str,
    /// The profile's bio.
    pub bio: &'a str,
    /// The subject's names: display name, handle, aliases.
    pub subject: &'a [&'a str],
    /// Whether the picture is the subject's.
    pub subjects_picture: bool,
}

/// A label, whole or in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What it says.
    pub kind: ExemptionKind,
    /// What it lacks; nothing when it is whole.
    pub missing: Vec<LabelPart>,
}

impl Label {
    /// Whether nothing lacks.
    pub fn whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// Whether it is enough to keep people from being deceived for now: the bio says what the
    /// account is, or two of the three parts are there.
    pub fn mitigates(&self) -> bool {
        !self.missing.contains(&LabelPart::BioDisclaimer) || self.missing.len() <= 1
    }
}

/// The label of a profile; none where neither name nor bio has any of it.
pub fn read(reading: Reading<'_>) -> Option<Label> {
    let name = lower(reading.display_name);
    let bio = lower(reading.bio);
    let in_name = WORDS.iter().find(|words| words.in_name && starts_with(&name, words.words));
    let names_subject = reading.subject.iter().any(|subject| names(&bio, subject));
    let says = |kind: Option<ExemptionKind>| {
        let fits = |words: &&Words| {
            !words.in_name
                && kind.is_none_or(|kind| kind == words.kind)
                && bio.contains(words.words)
        };
        WORDS.iter().find(fits)
    };
    let in_bio = if names_subject {
        // A bio of the same kind as the name rather than any.
        in_name.and_then(|words| says(Some(words.kind))).or_else(|| says(None))
    } else {
        None
    };
    let kind = in_name.or(in_bio)?.kind;
    let mut missing = Vec::new();
    if in_name.is_none() {
        missing.push(LabelPart::NameKeyword);
    }
    if in_bio.is_none() {
        missing.push(LabelPart::BioDisclaimer);
    }
    if reading.subjects_picture {
        missing.push(LabelPart::OwnPicture);
    }
    Some(Label { kind, missing })
}

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether a name begins with these words, leaving out what is neither letter nor digit before.
fn starts_with(name: &str, words: &str) -> bool {
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
    let Some(rest) = name.strip_prefix(words) else { return false };
    // Scripts that write without spaces have no word's end to look for.
    let spaced = words.chars().next_back().is_some_and(|c| (c as u32) < 0x2E80);
    !spaced || rest.chars().next().is_none_or(|c| !c.is_alphanumeric())
}

fn names(bio: &str, subject: &str) -> bool {
    let subject = lower(subject.trim());
    subject.chars().count() >= NAMED_LETTERS_MIN && bio.contains(&subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, bio: &str, subjects_picture: bool) -> Option<Label> {
        let subject = &["Jane Doe", "jane.doe"];
        read(Reading { display_name: name, bio, subject, subjects_picture })
    }

    #[test]
    fn a_label_needs_all_three_parts() {
        use LabelPart::{BioDisclaimer, NameKeyword, OwnPicture};
        let (fan, parody) = (ExemptionKind::Fan, ExemptionKind::Parody);
        let said = "Unofficial fan page of Jane Doe";
        for (name, bio, picture, kind, missing) in [
            ("Fan of Jane Doe", said, false, fan, vec![]),
            ("[FAN] Jane", "not affiliated with JANE DOE", false, fan, vec![]),
            ("ファンクラブ Jane", "非公式 jane.doe", false, fan, vec![]),
            ("Parody: Jane Doe", "a parody of jane.doe", false, parody, vec![]),
            ("Not Jane Doe", "not the real Jane Doe", true, parody, vec![OwnPicture]),
            ("Jane Doe Fans", said, false, fan, vec![NameKeyword]),
            ("Fan of Jane Doe", "hello", true, fan, vec![BioDisclaimer, OwnPicture]),
            ("Fan of Jane Doe", "not affiliated with anybody", false, fan, vec![BioDisclaimer]),
            ("Jane Doe", said, true, fan, vec![NameKeyword, OwnPicture]),
        ] {
            assert_eq!(label(name, bio, picture), Some(Label { kind, missing }), "{name} / {bio}");
        }
        for (name, bio) in [
            ("Jane Doe", "painter"),
            ("Jane Fan Giveaway", "win"),
            ("Fantastic Jane", ""),
            ("", ""),
        ] {
            assert_eq!(label(name, bio, true), None, "{name} / {bio}");
        }
    }

    #[test]
    fn a_word_alone_does_not_mitigate_but_a_sentence_does() {
        assert!(!label("Fan of Jane Doe", "win a prize", true).unwrap().mitigates());
        assert!(label("Jane Doe", "fan page of Jane Doe", true).unwrap().mitigates());
        assert!(label("Fan of Jane Doe", "my drawings", false).unwrap().mitigates());
    }

    #[test]
    fn the_table_is_whole() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(WORDS.len(), lines);
        for words in WORDS.iter() {
            assert_eq!(lower(words.words), words.words);
        }
    }
}
