//! The label that keeps a fan, a parody or a commentary from being taken for its subject: a word
//! near the start of the display name, a sentence in the bio that says so and names the subject,
//! and a picture that is not the subject's. Platforms' rules agree on these three.
//!
//! Pure. It must not know what a likeness is worth, nor who is protected; words are the
//! detector's.

use contracts::impersonation::v1::{ExemptionKind, LabelPart};
use lookalike::text::{self, LabelKind};

/// What is read of a profile, and of the subject that it looks like.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The profile's display name.
    pub display_name: &'a str,
    /// The profile's bio.
    pub bio: &'a str,
    /// The subject's handle.
    pub subject_handle: &'a str,
    /// The subject's display name.
    pub subject_name: &'a str,
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
pub fn read(of: Reading<'_>) -> Option<Label> {
    let said = text::label(of.display_name, of.bio, of.subject_handle, of.subject_name);
    let kind = match said.kind {
        LabelKind::None => return None,
        LabelKind::Fan => ExemptionKind::Fan,
        LabelKind::Parody => ExemptionKind::Parody,
        LabelKind::Commentary => ExemptionKind::Commentary,
    };
    let parts = [
        (said.keyword_in_display, LabelPart::NameKeyword),
        (said.disclaimer_in_bio, LabelPart::BioDisclaimer),
        (!of.subjects_picture, LabelPart::OwnPicture),
    ];
    let missing = parts.into_iter().filter(|(there, _)| !there).map(|(_, part)| part).collect();
    Some(Label { kind, missing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, bio: &str, subjects_picture: bool) -> Option<Label> {
        read(Reading {
            display_name: name,
            bio,
            subject_handle: "jane.doe",
            subject_name: "Jane Doe",
            subjects_picture,
        })
    }

    #[test]
    fn a_label_needs_all_three_parts() {
        use LabelPart::{BioDisclaimer, NameKeyword, OwnPicture};
        let (fan, parody) = (ExemptionKind::Fan, ExemptionKind::Parody);
        let said = "Unofficial fan page of Jane Doe";
        for (name, bio, picture, kind, missing) in [
            ("Fan of Jane Doe", said, false, fan, vec![]),
            ("[FAN] Jane", "fan page, not affiliated with JANE DOE", false, fan, vec![]),
            ("Parody: Jane Doe", "a parody of jane.doe", false, parody, vec![]),
            ("Fan of Jane Doe", said, true, fan, vec![OwnPicture]),
            ("Fan of Jane Doe", "hello", true, fan, vec![BioDisclaimer, OwnPicture]),
            ("Jane Doe", said, true, fan, vec![NameKeyword, OwnPicture]),
        ] {
            assert_eq!(label(name, bio, picture), Some(Label { kind, missing }), "{name} / {bio}");
        }
        for (name, bio) in [("Jane Doe", "painter"), ("Fantastic Jane", ""), ("", "")] {
            assert_eq!(label(name, bio, true), None, "{name} / {bio}");
        }
    }

    #[test]
    fn a_word_alone_does_not_mitigate_but_a_sentence_does() {
        assert!(!label("Fan of Jane Doe", "win a prize", true).unwrap().mitigates());
        assert!(label("Jane Doe", "fan page of Jane Doe", true).unwrap().mitigates());
        assert!(label("Fan of Jane Doe", "my drawings", false).unwrap().mitigates());
    }
}
