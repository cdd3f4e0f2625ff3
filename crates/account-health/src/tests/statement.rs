//! Statements in words.

use contracts::accounthealth::v1 as proto;
use contracts::types::v1::{Feature, Severity};

use super::build::{day, pack, subject};
use crate::statement::{PLACEHOLDERS, fill, render};

fn statement(kind: &str) -> proto::Statement {
    proto::Statement {
        statement_id: "sor_1".to_owned(),
        kind: kind.to_owned(),
        policy: "spam".to_owned(),
        policy_edition: "2026-01".to_owned(),
        severity: Severity::Medium as i32,
        subject: Some(subject()),
        facts: "they wrote {appeal_until} and {{facts}}".to_owned(),
        restrictions: vec![
            proto::Restriction {
                feature: Feature::Live as i32,
                start_time: Some(day(1).to_timestamp()),
                end_time: Some(day(8).to_timestamp()),
                ..proto::Restriction::default()
            },
            proto::Restriction {
                feature: Feature::Messaging as i32,
                start_time: Some(day(1).to_timestamp()),
                ..proto::Restriction::default()
            },
        ],
        points: 4,
        issue_time: Some(day(1).to_timestamp()),
        appeal_end_time: Some(day(181).to_timestamp()),
        ..proto::Statement::default()
    }
}

#[test]
fn texts_are_filled_in_once_in_the_language_asked_for() {
    let mut english = statement("violation");
    render(&mut english, &pack(1), "en-GB");
    assert_eq!((english.locale.as_str(), english.title.as_str()), ("en", "Spam: 4"));
    let expected = "they wrote {appeal_until} and {{facts}}|\
         Going live (1970-01-02T00:00:00Z / 1970-01-09T00:00:00Z), \
         messaging (1970-01-02T00:00:00Z / …)|1970-07-01T00:00:00Z|none|{unknown}";
    assert_eq!(english.body, expected);
    let mut german = english.clone();
    render(&mut german, &pack(1), "de");
    assert_eq!((german.locale.as_str(), german.title.as_str()), ("de", "Spam (de): 4 Punkte"));
    assert!(german.body.contains("LIVE gehen") && german.body.contains("|keine|"));
    let mut other = english.clone();
    render(&mut other, &pack(1), "fr");
    assert_eq!(other, english, "the pack's default");
}

#[test]
fn every_placeholder_has_a_value_and_nothing_else_has() {
    let template: String = PLACEHOLDERS.iter().map(|name| format!("{{{name}}};")).collect();
    let mut pack = pack(1).proto().clone();
    let texts = pack.statement_texts.iter_mut().find(|one| one.kind == "violation").unwrap();
    texts.body.as_mut().unwrap().texts.insert("en".to_owned(), template);
    let mut filled = statement("violation");
    filled.facts = "facts".to_owned();
    render(&mut filled, &pack::Pack::new(pack), "en");
    assert!(!filled.body.contains('{'), "{}", filled.body);
    assert!(filled.body.contains("Spam;Do not.;facts;"), "{}", filled.body);
}

#[test]
fn what_is_missing_is_said_to_be_nothing() {
    let mut bare = statement("violation");
    bare.restrictions.clear();
    bare.appeal_end_time = None;
    bare.policy = "gone".to_owned();
    render(&mut bare, &pack(1), "de");
    assert_eq!(bare.title, "gone: 4 Punkte");
    assert!(bare.body.contains("|keine|keine|keine|"), "{}", bare.body);
    let mut unknown = statement("unheard_of");
    render(&mut unknown, &pack(1), "en");
    assert_eq!((unknown.title.as_str(), unknown.body.as_str()), ("", ""));
}

#[test]
fn braces_that_are_no_placeholder_stay() {
    let value = |name: &str| (name == "a").then(|| "{b}".to_owned());
    for (template, filled) in [
        ("", ""),
        ("{a}{a}", "{b}{b}"),
        ("{ a }", "{ a }"),
        ("{{a}}", "{{b}}"),
        ("{", "{"),
        ("a}", "a}"),
        ("{b{a}", "{b{b}"),
        ("ä{a}中", "ä{b}中"),
    ] {
        assert_eq!(fill(template, value), filled, "{template}");
    }
}
