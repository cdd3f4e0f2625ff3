//! The mapping file of a replay: which columns of a CSV file are the report, the reviewers' labels
//! and the appeal.
//!
//! TOML. A text may hold column names in braces, which are replaced by the row's values:
//!
//! ```toml
//! name = "hatecheck"                      # request ids are derived from it
//! key = "{case_id}"                       # names a row; no two rows may share it
//!
//! [report]
//! subject_type = "COMMENT"                # a SubjectType without its prefix
//! subject_id = "hatecheck-{case_id}"
//! account_id = "templ_{templ_id}"         # who answers for it
//! reporter = "reader"
//! reason = "hate_speech.other"            # a reason of the active pack
//! explanation = ""                        # optional
//! text = "{test_case}"                    # optional
//! language = "en"                         # optional, no braces
//!
//! [review]
//! # column=reviewer; the first with a value decides
//! labels = ["label_1=annotator_1", "label_2=annotator_2"]
//! violation = ["hateful"]                 # values that mean a violation
//! # values that mean none; any other value is a mistake, an empty one is no label
//! no_violation = ["non-hateful"]
//! policy = "hate_speech"                  # the policy found violated
//! facts = "…"                             # for the statement of reasons
//!
//! [appeal]                                # optional: every violation is appealed, and
//!                                         # heard by the second label
//! grounds = "…"
//! ```
//!
//! It must not know how rows are driven.

use std::collections::BTreeSet;

use contracts::types::v1::SubjectType;
use kit::config::Reader;
use toml::Table;

/// A checked mapping.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The data set's name.
    pub name: String,
    /// The row's own name.
    pub key: Template,
    /// The report.
    pub report: Report,
    /// The reviewers.
    pub review: Review,
    /// The grounds of every appeal; none if nothing is appealed.
    pub appeal: Option<String>,
}

/// How a row is reported.
#[derive(Debug, Clone)]
pub struct Report {
    /// What kind of thing.
    pub subject_type: SubjectType,
    /// Which.
    pub subject_id: Template,
    /// Who answers for it.
    pub account_id: Template,
    /// Who reports it.
    pub reporter: Template,
    /// Why.
    pub reason: Template,
    /// In the reporter's words.
    pub explanation: Template,
    /// The content.
    pub text: Template,
    /// Its language.
    pub language: String,
}

/// How a row is judged.
#[derive(Debug, Clone)]
pub struct Review {
    /// Whose label stands in which column, first decider first.
    pub labels: Vec<Label>,
    /// Values that mean a violation.
    pub violation: Vec<String>,
    /// Values that mean none.
    pub no_violation: Vec<String>,
    /// The policy found violated.
    pub policy: String,
    /// The facts stated.
    pub facts: String,
}

/// A column and whose label it is.
#[derive(Debug, Clone)]
pub struct Label {
    /// The column.
    pub column: String,
    /// The reviewer.
    pub reviewer: String,
}

/// A text with column names in braces.
#[derive(Debug, Clone, Default)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Column(String),
}

impl Template {
    fn parse(text: &str) -> Result<Template, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (column, after) =
                after.split_once('}').ok_or_else(|| format!("no closing brace in {text:?}"))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Column(column.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Template(parts))
    }

    /// The text with the row's values in place.
    pub fn fill<'row>(&self, field: impl Fn(&str) -> &'row str) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            filled.push_str(match part {
                Part::Text(text) => text,
                Part::Column(column) => field(column),
            });
        }
        filled
    }

    fn columns(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Column(column) => Some(column.clone()),
        })
    }
}

impl Mapping {
    /// Reads a mapping; every mistake is listed.
    ///
    /// # Errors
    /// What is wrong, one mistake each.
    pub fn parse(toml: &[u8]) -> Result<Mapping, Vec<String>> {
        let text = std::str::from_utf8(toml).map_err(|error| vec![error.to_string()])?;
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| vec![error.to_string().trim_end().to_owned()])?;
        let appealed = table.contains_key("appeal");
        let mut reader = Reader::new(table, []);
        let mapping = Mapping {
            name: filled(&mut reader, "name"),
            key: template(&mut reader, "key"),
            report: Report {
                subject_type: subject_type(&mut reader),
                subject_id: template(&mut reader, "report.subject_id"),
                account_id: template(&mut reader, "report.account_id"),
                reporter: template(&mut reader, "report.reporter"),
                reason: template(&mut reader, "report.reason"),
                explanation: optional_template(&mut reader, "report.explanation"),
                text: optional_template(&mut reader, "report.text"),
                language: reader.or("report.language", String::new()),
            },
            review: Review {
                labels: labels(&mut reader),
                violation: reader.required("review.violation"),
                no_violation: reader.required("review.no_violation"),
                policy: filled(&mut reader, "review.policy"),
                facts: filled(&mut reader, "review.facts"),
            },
            appeal: appealed.then(|| filled(&mut reader, "appeal.grounds")),
        };
        let listed = |mistakes: Vec<kit::config::Mistake>| {
            mistakes.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        reader.finish().map_err(listed)?;
        Ok(mapping)
    }

    /// Every column that the mapping reads.
    pub fn columns(&self) -> BTreeSet<String> {
        let report = &self.report;
        let templates = [&self.key, &report.subject_id, &report.account_id, &report.reporter];
        let more = [&report.reason, &report.explanation, &report.text];
        let labels = self.review.labels.iter().map(|label| label.column.clone());
        templates.into_iter().chain(more).flat_map(Template::columns).chain(labels).collect()
    }
}

/// A text that must not be empty.
fn filled(reader: &mut Reader, path: &str) -> String {
    let text: String = reader.required(path);
    if reader.has(path) && text.is_empty() {
        reader.mistake(path, "expected a string that is not empty");
    }
    text
}

fn parsed(reader: &mut Reader, path: &str, text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|wrong| {
        reader.mistake(path, wrong);
        Template::default()
    })
}

fn template(reader: &mut Reader, path: &str) -> Template {
    let text = filled(reader, path);
    parsed(reader, path, &text)
}

fn optional_template(reader: &mut Reader, path: &str) -> Template {
    let text = reader.or(path, String::new());
    parsed(reader, path, &text)
}

fn subject_type(reader: &mut Reader) -> SubjectType {
    let name = filled(reader, "report.subject_type");
    let known = SubjectType::from_str_name(&format!("SUBJECT_TYPE_{name}"));
    known.filter(|known| *known != SubjectType::Unspecified).unwrap_or_else(|| {
        reader.mistake("report.subject_type", "expected a subject type such as \"COMMENT\"");
        SubjectType::Unspecified
    })
}

fn labels(reader: &mut Reader) -> Vec<Label> {
    let labels: Vec<String> = reader.required("review.labels");
    let mut read = Vec::new();
    for label in labels {
        match label.split_once('=') {
            Some((column, reviewer)) if !column.is_empty() && !reviewer.is_empty() => {
                read.push(Label { column: column.to_owned(), reviewer: reviewer.to_owned() });
            }
            _ => reader.mistake("review.labels", format!("{label:?}: expected column=reviewer")),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = include_str!("../../../../deploy/replays/hatecheck.toml");

    #[test]
    fn the_shipped_mapping_is_read() {
        let mapping = Mapping::parse(GOOD.as_bytes()).expect("a good mapping");
        assert_eq!(mapping.review.labels.len(), 10);
        assert_eq!(mapping.key.fill(|_| "7"), "7");
        assert!(mapping.columns().contains("test_case"));
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let bad = "name = \"\"\nkey = \"{case\"\nkye = 1\n[report]\nsubject_type = \"COMET\"\n\
            subject_id = \"a\"\naccount_id = \"b\"\nreporter = \"c\"\nreason = 7\n\
            [review]\nlabels = [\"label_1\"]\nviolation = [\"yes\"]\npolicy = \"p\"\n\
            facts = \"f\"\n";
        let mistakes = Mapping::parse(bad.as_bytes()).expect_err("a bad mapping").join("\n");
        let wrong = [
            "name:",
            "key:",
            "kye:",
            "report.subject_type:",
            "report.reason:",
            "review.labels:",
            "review.no_violation",
        ];
        for key in wrong {
            assert!(mistakes.contains(key), "{key} is not named in:\n{mistakes}");
        }
    }
}
