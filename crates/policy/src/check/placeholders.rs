//! The placeholders of statement texts: which there are, what stands in their place, and which of
//! them a kind of statement must and must not use. It must not know where the texts come from.

/// Every placeholder with what stands in its place when a statement is issued.
pub const PLACEHOLDERS: [(&str, &str); 16] = [
    ("policy_title", "the policy's name in the language of the statement"),
    ("policy_text", "the wording of the policy in force at that time and place"),
    ("facts", "the facts and circumstances relied on, as the reviewer stated them"),
    ("actions", "what is done to the content, by the labels \"action.…\""),
    ("restrictions", "what the account may not do and until when, by the labels \"feature.…\""),
    ("points", "the points that the violation costs"),
    ("expires", "when the points go, or the label \"none\" for never"),
    ("appeal_until", "until when it may be appealed, or the label \"none\""),
    ("ground", "the label \"ground.…\" of the decision"),
    ("ground_reference", "the law or the clause of the terms relied on"),
    ("source", "who brought it to the platform's notice, by the labels \"source.…\""),
    ("subject_type", "what kind of thing it is about, by the labels \"subject.…\""),
    ("subject_id", "the platform's identifier of that thing"),
    ("statement_id", "the identifier of the statement"),
    ("appeal_reasons", "why the appeal was decided as it was"),
    ("edition", "the edition of the policy"),
];

/// What a kind of statement is made of.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its name, as in `StatementText.kind`.
    pub name: &'static str,
    /// What its title and body must contain between them: the content that Art. 17(3) DSA asks for.
    pub required: &'static [&'static str],
    /// What has no value in this situation.
    pub refused: &'static [&'static str],
}

/// Facts, ground, measures, origin and redress: Art. 17(3)(a) to (f) DSA.
const ARTICLE_17: &[&str] = &[
    "policy_title",
    "policy_text",
    "facts",
    "ground",
    "ground_reference",
    "actions",
    "restrictions",
    "source",
    "subject_type",
    "subject_id",
    "appeal_until",
];

/// The same after an appeal: its outcome with reasons in the place of the window for it.
const AFTER_APPEAL: &[&str] = &[
    "appeal_reasons",
    "policy_title",
    "policy_text",
    "facts",
    "ground",
    "ground_reference",
    "actions",
    "restrictions",
    "source",
    "subject_type",
    "subject_id",
];

/// Every kind of statement; a pack has a text for each.
pub(super) const KINDS: [Kind; 4] = [
    Kind { name: "violation", required: ARTICLE_17, refused: &["appeal_reasons"] },
    Kind { name: "violation_warning", required: ARTICLE_17, refused: &["appeal_reasons"] },
    Kind { name: "overturned", required: AFTER_APPEAL, refused: &[] },
    Kind { name: "partially_overturned", required: AFTER_APPEAL, refused: &[] },
];

/// A placeholder in a text, or something that is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'t> {
    /// The byte at which its brace stands.
    pub at: usize,
    /// What stands between the braces; `None` for a brace without its partner.
    pub name: Option<&'t str>,
}

/// Everything in braces in a text.
pub(super) fn find(text: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(['{', '}']).map(|at| from + at) {
        let rest = &text[at + 1..];
        let name = match rest.find(['{', '}', '\n']) {
            Some(end) if text[at..].starts_with('{') && rest[end..].starts_with('}') => {
                Some(&rest[..end])
            }
            _ => None,
        };
        found.push(Found { at, name });
        from = at + 1 + name.map_or(0, |name| name.len() + 1);
    }
    found
}

/// Whether there is a placeholder of this name.
pub(super) fn is_known(name: &str) -> bool {
    PLACEHOLDERS.iter().any(|(known, _)| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_found_in_pairs_and_alone() {
        let names = |text: &'static str| {
            find(text).into_iter().map(|found| (found.at, found.name)).collect::<Vec<_>>()
        };
        assert_eq!(names("no braces, 中文"), []);
        assert_eq!(names("{facts}和{}"), [(0, Some("facts")), (10, Some(""))]);
        assert_eq!(names("a } b"), [(2, None)]);
        assert_eq!(names("{a{facts}"), [(0, None), (2, Some("facts"))]);
        assert_eq!(names("{facts\n}"), [(0, None), (7, None)]);
        assert_eq!(names("{facts"), [(0, None)]);
    }

    #[test]
    fn kinds_speak_of_known_placeholders_only() {
        for kind in &KINDS {
            assert!(kind.required.iter().chain(kind.refused).all(|name| is_known(name)));
            assert!(kind.required.iter().all(|name| !kind.refused.contains(name)));
        }
    }
}
