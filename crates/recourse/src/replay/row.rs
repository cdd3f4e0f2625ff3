//! What one row of recorded data says should happen: the report, and the reviewers' verdicts in the
//! order in which they come to hear it. Pure; it must not know how any of it is carried out.

use std::collections::{HashMap, HashSet};

use contracts::types::v1::SubjectType;

use super::mapping::{Mapping, Template};

/// How many rows a file may have.
pub const ROWS_MAX: usize = 5_000_000;
/// How many mistakes are listed before the rest is only counted.
pub const MISTAKES_SHOWN_MAX: usize = 200;

/// What one row says should happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The row's own name within the data set; request ids are derived from it.
    pub key: String,
    /// What kind of thing is reported.
    pub subject_type: SubjectType,
    /// Which.
    pub subject_id: String,
    /// The account that answers for it.
    pub account_id: String,
    /// Who reports it.
    pub reporter: String,
    /// The reason, a code of the pack.
    pub reason: String,
    /// The reporter's explanation.
    pub explanation: String,
    /// The text of the content.
    pub text: String,
    /// The content's language.
    pub language: String,
    /// Those who judged it, in the order of the mapping's columns.
    pub verdicts: Vec<Verdict>,
}

/// One reviewer's judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Who.
    pub reviewer: String,
    /// Whether it is a violation.
    pub violation: bool,
}

/// Something wrong in the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// What is wrong and what was expected.
    pub description: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.description),
            line => write!(f, "line {line}: {}", self.description),
        }
    }
}

/// Reads a CSV file with a header under a mapping. Every mistake is found before anything is done
/// with any row.
pub fn read(csv: &[u8], mapping: &Mapping) -> Result<Vec<Row>, Vec<Mistake>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
    let whole = |description: String| vec![Mistake { line: 0, description }];
    let header = reader.headers().map_err(|error| whole(format!("no header: {error}")))?.clone();
    let columns: HashMap<&str, usize> =
        header.iter().enumerate().map(|(at, name)| (name, at)).collect();
    let mut mistakes: Vec<Mistake> = mapping
        .columns()
        .into_iter()
        .filter(|column| !columns.contains_key(column.as_str()))
        .map(|column| Mistake { line: 1, description: format!("no column {column:?}") })
        .collect();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let (mut rows, mut keys) = (Vec::new(), HashSet::new());
    for record in reader.records() {
        if rows.len() == ROWS_MAX {
            return Err(whole(format!("more than {ROWS_MAX} rows")));
        }
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                mistakes.push(Mistake { line, description: format!("not readable: {error}") });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let mut wrong = |description: String| mistakes.push(Mistake { line, description });
        if record.len() != header.len() {
            wrong(format!("{} fields, expected {}", record.len(), header.len()));
            continue;
        }
        let row = row(&record, &columns, mapping, &mut wrong);
        if !keys.insert(row.key.clone()) {
            wrong(format!("the key {:?} stands on an earlier line too", row.key));
        }
        rows.push(row);
    }
    if rows.is_empty() && mistakes.is_empty() {
        return Err(whole("no rows".to_owned()));
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

/// One row; what is wrong in it goes to `wrong`.
fn row(
    record: &csv::StringRecord,
    columns: &HashMap<&str, usize>,
    mapping: &Mapping,
    wrong: &mut impl FnMut(String),
) -> Row {
    let field = |column: &str| columns.get(column).and_then(|&at| record.get(at)).unwrap_or("");
    let fill = |template: &Template| template.fill(field);
    let report = &mapping.report;
    let row = Row {
        key: fill(&mapping.key),
        subject_type: report.subject_type,
        subject_id: fill(&report.subject_id),
        account_id: fill(&report.account_id),
        reporter: fill(&report.reporter),
        reason: fill(&report.reason),
        explanation: fill(&report.explanation),
        text: fill(&report.text),
        language: report.language.clone(),
        verdicts: mapping
            .review
            .labels
            .iter()
            .filter_map(|label| {
                let value = field(&label.column).trim();
                let violation = mapping.review.violation.iter().any(|known| known == value);
                let known = violation || mapping.review.no_violation.iter().any(|v| v == value);
                if !known && !value.is_empty() {
                    wrong(format!("{}: {value:?} is neither a violation nor none", label.column));
                }
                known.then(|| Verdict { reviewer: label.reviewer.clone(), violation })
            })
            .collect(),
    };
    for (name, value, limit) in [
        ("key", &row.key, 200),
        ("subject_id", &row.subject_id, 128),
        ("account_id", &row.account_id, 128),
        ("reporter", &row.reporter, 128),
        ("reason", &row.reason, 64),
    ] {
        let length = value.chars().count();
        if length == 0 || length > limit {
            wrong(format!("{name} has {length} characters, expected 1 to {limit}"));
        }
    }
    if row.text.chars().count() > 10_000 {
        wrong("the text is longer than 10000 characters".to_owned());
    }
    if row.verdicts.first().is_some_and(|first| first.violation)
        && mapping.appeal.is_some()
        && row.verdicts.len() < 2
    {
        wrong("a violation, but nobody else judged it to hear the appeal".to_owned());
    }
    row
}
