//! Statements of reasons in words: the texts of the pack, filled in, in a language. Pure; the
//! same statement, pack and language always give the same text.
//!
//! A text is filled in one pass: what looks like a placeholder inside the facts or any other
//! value stays as it is. Nothing is escaped; a statement is plain text.

use contracts::accounthealth::v1 as proto;
use contracts::policy::v1::LocalizedText;
use contracts::types::v1::{ContentAction, Subject, SubjectType};
use kit::Time;
use pack::Pack;

/// The situations for which a pack has texts.
pub mod kind {
    /// A violation that costs its points.
    pub const VIOLATION: &str = "violation";
    /// A first violation, which costs none.
    pub const WARNING: &str = "violation_warning";
    /// The decision fell on appeal.
    pub const OVERTURNED: &str = "overturned";
    /// The decision fell on appeal and a milder one took its place.
    pub const PARTIALLY_OVERTURNED: &str = "partially_overturned";
}

/// What a text may have in braces; the policy service refuses any other. Others stay as they are.
pub const PLACEHOLDERS: [&str; 16] = [
    "policy_title",
    "policy_text",
    "facts",
    "actions",
    "restrictions",
    "points",
    "expires",
    "appeal_until",
    "ground",
    "ground_reference",
    "source",
    "subject_type",
    "subject_id",
    "statement_id",
    "appeal_reasons",
    "edition",
];

/// Fills in the statement's language, headline and text, from the pack that it was written
/// from. `wanted` is a BCP 47 tag; the pack's default language where it has nothing near it.
pub fn render(statement: &mut proto::Statement, pack: &Pack, wanted: &str) {
    let locale = pack.resolve_locale(wanted).to_owned();
    let words = Words { statement, pack, locale: &locale };
    let text = |text: Option<&LocalizedText>| {
        text.map(|text| fill(pack.text(text, &locale), |name| words.value(name)))
    };
    let texts = pack.statement_text(&statement.kind);
    let title = texts.and_then(|texts| text(texts.title.as_ref())).unwrap_or_default();
    let body = texts.and_then(|texts| text(texts.body.as_ref())).unwrap_or_default();
    statement.title = title;
    statement.body = body;
    statement.locale = locale;
}

/// Puts values in the place of `{name}`, in one pass. What has no value stays as it is.
pub fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        let inside = &from[1..];
        let filled = inside.find('}').and_then(|close| {
            let name = &inside[..close];
            value(name).map(|value| (value, &inside[close + 1..]))
        });
        rest = match filled {
            Some((value, after)) => {
                out.push_str(&value);
                after
            }
            None => {
                out.push('{');
                inside
            }
        };
    }
    out.push_str(rest);
    out
}

/// The values of one statement in one language.
struct Words<'a> {
    statement: &'a proto::Statement,
    pack: &'a Pack,
    locale: &'a str,
}

impl Words<'_> {
    fn value(&self, name: &str) -> Option<String> {
        let statement = self.statement;
        Some(match name {
            "policy_title" => self.policy().0,
            "policy_text" => self.policy().1,
            "facts" => statement.facts.clone(),
            "actions" => self.list(statement.actions().map(|one| self.action(one)).collect()),
            "restrictions" => {
                self.list(statement.restrictions.iter().map(|one| self.restriction(one)).collect())
            }
            "points" => statement.points.to_string(),
            "expires" => self.time(statement.expire_time.as_ref()),
            "appeal_until" => self.time(statement.appeal_end_time.as_ref()),
            "ground" => self.label("ground", statement.ground().as_str_name(), "DECISION_GROUND_"),
            "ground_reference" => statement.ground_reference.clone(),
            "source" => self.label("source", statement.source().as_str_name(), "SOURCE_"),
            "subject_type" => {
                let subject = statement.subject.as_ref().map(Subject::r#type);
                let subject = subject.unwrap_or(SubjectType::Unspecified);
                self.label("subject", subject.as_str_name(), "SUBJECT_TYPE_")
            }
            "subject_id" => statement.subject.as_ref().map(|one| one.id.clone())?,
            "statement_id" => statement.statement_id.clone(),
            "appeal_reasons" => statement.appeal_reasons.clone(),
            "edition" => statement.policy_edition.clone(),
            _ => return None,
        })
    }

    fn action(&self, action: ContentAction) -> String {
        self.label("action", action.as_str_name(), "CONTENT_ACTION_")
    }

    /// The pack's word for a value of an enum, under "prefix.value".
    fn label(&self, group: &str, value: &str, prefix: &str) -> String {
        let value = value.strip_prefix(prefix).unwrap_or(value).to_ascii_lowercase();
        let key = format!("{group}.{value}");
        let word = self.pack.label(&key, self.locale);
        // A word that the pack lacks reads better without its group.
        if word == key { value.replace('_', " ") } else { word.to_owned() }
    }

    /// What stands for nothing; every pack has a word for it.
    fn nothing(&self) -> String {
        self.pack.label("none", self.locale).to_owned()
    }

    fn list(&self, words: Vec<String>) -> String {
        if words.is_empty() { self.nothing() } else { words.join(", ") }
    }

    /// ISO 8601 in UTC, cut to seconds.
    fn time(&self, timestamp: Option<&prost_types::Timestamp>) -> String {
        let time = timestamp.and_then(Time::from_timestamp);
        time.map_or_else(|| self.nothing(), seconds)
    }

    /// The restriction and its span as an ISO 8601 interval, open where there is no end in
    /// sight: needs no words of any language.
    fn restriction(&self, one: &proto::Restriction) -> String {
        let name = self.label("feature", one.feature().as_str_name(), "FEATURE_");
        let time = |timestamp: &Option<prost_types::Timestamp>| {
            timestamp.as_ref().and_then(Time::from_timestamp).map(seconds)
        };
        let start = time(&one.start_time).unwrap_or_default();
        let end = time(&one.end_time).unwrap_or_else(|| "…".to_owned());
        format!("{name} ({start} / {end})")
    }

    /// Title and wording of the policy in the edition that the statement names.
    fn policy(&self) -> (String, String) {
        let statement = self.statement;
        let at = statement.issue_time.as_ref().and_then(Time::from_timestamp).unwrap_or_default();
        let word = |text: &LocalizedText| self.pack.text(text, self.locale).to_owned();
        let in_force = self.pack.resolve(&statement.policy, &statement.region, at);
        if let Some(found) = in_force.filter(|found| found.edition == statement.policy_edition) {
            return (word(found.title), word(found.text));
        }
        // Another edition took effect between the decision and the statement.
        let editions = self.pack.policy(&statement.policy).map(|policy| &policy.editions);
        let edition = editions
            .into_iter()
            .flatten()
            .find(|edition| edition.edition == statement.policy_edition);
        let text = |text: Option<&LocalizedText>| text.map(word).unwrap_or_default();
        match edition {
            Some(edition) => (text(edition.title.as_ref()), text(edition.text.as_ref())),
            None => (statement.policy.clone(), String::new()),
        }
    }
}

fn seconds(time: Time) -> String {
    Time::from_seconds(time.seconds()).to_string()
}
