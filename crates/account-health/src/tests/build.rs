//! Small ledgers, ladders and packs.

use contracts::policy::v1 as policy;
use contracts::types::v1::{Feature, Severity, Subject, SubjectType};
use kit::Time;
use policy::LocalizedText;

use crate::ladder::{self, Ladder};
use crate::ledger::{Body, Entry, Violation};

pub const ACCOUNT: &str = "acct-1";
pub const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// So many days after the epoch.
pub fn day(days: i64) -> Time {
    Time::from_micros(days * DAY)
}

pub fn restrict(feature: Feature, duration_days: i32) -> policy::RestrictionRule {
    policy::RestrictionRule { feature: feature as i32, duration_days }
}

pub fn step(threshold_points: i32, restrictions: &[(Feature, i32)]) -> policy::LadderStep {
    let restrictions = restrictions.iter().map(|(feature, days)| restrict(*feature, *days));
    policy::LadderStep { threshold_points, restrictions: restrictions.collect() }
}

/// "community": live for 7 days at 4 points, live and posting for 14 at 8, everything from 12 on
/// for as long as it lasts; care from 3 on; a first slip of low severity in 90 days is free;
/// the third violation of a policy in 30 days stops comments for 10.
pub fn community() -> policy::Ladder {
    policy::Ladder {
        code: "community".to_owned(),
        title: None,
        steps: vec![
            step(4, &[(Feature::Live, 7)]),
            step(8, &[(Feature::Live, 14), (Feature::Posting, 14)]),
            step(12, &[(Feature::Account, 0)]),
        ],
        first_warning_days: 90,
        first_warning_max_severity: Severity::Low as i32,
        repeat_rules: vec![policy::RepeatRule {
            count: 3,
            window_days: 30,
            restrictions: vec![restrict(Feature::Commenting, 10)],
        }],
        caution_points: 3,
    }
}

/// "shop": selling stops at 6 points for as long as they stay.
pub fn shop() -> policy::Ladder {
    policy::Ladder {
        code: "shop".to_owned(),
        steps: vec![step(6, &[(Feature::Selling, 0)])],
        ..policy::Ladder::default()
    }
}

pub fn both() -> Vec<Ladder> {
    ladder::ladders(&[community(), shop()])
}

/// A violation of "spam" on "community" that expires after 90 days.
pub fn violation(id: &str, since: Time, points: i32) -> Entry {
    priced(id, since, points, Severity::Medium, Some(90))
}

pub fn priced(
    id: &str,
    since: Time,
    points: i32,
    severity: Severity,
    lasts_days: Option<i64>,
) -> Entry {
    let body = Body::Violation(Violation {
        policy: "spam".to_owned(),
        edition: "2026-01".to_owned(),
        severity,
        points,
        ladders: vec!["community".to_owned()],
        effective: since,
        expire: lasts_days.map(|days| Time::from_micros(since.micros().saturating_add(days * DAY))),
    });
    entry(id, body, since)
}

pub fn void(id: &str, voids: &str, at: Time) -> Entry {
    entry(id, Body::Void { voids_entry_id: voids.to_owned() }, at)
}

pub fn entry(id: &str, body: Body, at: Time) -> Entry {
    Entry {
        entry_id: id.to_owned(),
        account_id: ACCOUNT.to_owned(),
        body,
        decision_id: format!("dec_{id}"),
        case_id: format!("case_{id}"),
        subject: subject(),
        pack_version: 1,
        statement_id: format!("sor_{id}"),
        create_time: at,
    }
}

pub fn subject() -> Subject {
    Subject {
        r#type: SubjectType::Video as i32,
        id: "video-1".to_owned(),
        owner_account_id: ACCOUNT.to_owned(),
    }
}

pub fn text(english: &str, german: &str) -> Option<LocalizedText> {
    let texts = [("en", english), ("de", german)];
    Some(LocalizedText { texts: texts.map(|(tag, text)| (tag.to_owned(), text.to_owned())).into() })
}

fn label(key: &str, english: &str, german: &str) -> policy::Label {
    policy::Label { key: key.to_owned(), text: text(english, german) }
}

fn statement_text(kind: &str, english: &str, german: &str) -> policy::StatementText {
    policy::StatementText {
        kind: kind.to_owned(),
        title: text("{policy_title}: {points}", "{policy_title}: {points} Punkte"),
        body: text(english, german),
    }
}

/// "spam" costs 1, 4 or 9 points for 90 days, "counterfeit" 6 on both ladders for ever.
pub fn pack(version: i64) -> pack::Pack {
    let rule = |points: [(Severity, i32); 3], expiry_days, ladders: &[&str]| policy::Rule {
        severity: Severity::Medium as i32,
        points: points
            .map(|(severity, points)| policy::SeverityPoints { severity: severity as i32, points })
            .into(),
        expiry_days,
        ground: 2,
        ground_reference: "Terms, 4.2".to_owned(),
        actions: vec![1],
        ladders: ladders.iter().map(|&code| code.to_owned()).collect(),
        appealable: true,
        appeal_window_days: 180,
    };
    let edition = |title: &str, rule| policy::PolicyEdition {
        edition: "2026-01".to_owned(),
        effective_time: Some(Time::EPOCH.to_timestamp()),
        title: text(title, &format!("{title} (de)")),
        text: text("Do not.", "Nicht."),
        rule: Some(rule),
        overlays: Vec::new(),
    };
    let of = |code: &str, edition| policy::Policy {
        code: code.to_owned(),
        area: "area".to_owned(),
        editions: vec![edition],
    };
    let (low, medium, high) = (Severity::Low, Severity::Medium, Severity::High);
    let spam = rule([(low, 1), (medium, 4), (high, 9)], 90, &["community"]);
    let fake = rule([(low, 6), (medium, 6), (high, 6)], 0, &["community", "shop"]);
    pack::Pack::new(policy::Pack {
        version,
        default_locale: "en".to_owned(),
        locales: vec!["en".to_owned(), "de".to_owned()],
        reasons: vec![policy::Reason {
            code: "spam.links".to_owned(),
            policy: "spam".to_owned(),
            dsa_category: "STATEMENT_CATEGORY_SCAMS_AND_FRAUD".to_owned(),
            dsa_keywords: vec!["KEYWORD_PHISHING".to_owned()],
            ..policy::Reason::default()
        }],
        policies: vec![of("spam", edition("Spam", spam)), of("fake", edition("Fakes", fake))],
        ladders: vec![community(), shop()],
        statement_texts: vec![
            statement_text(
                "violation",
                "{facts}|{restrictions}|{appeal_until}|{actions}|{unknown}",
                "{facts}|{restrictions}|{appeal_until}|{actions}|{unknown}",
            ),
            statement_text("violation_warning", "warned: {facts}", "verwarnt: {facts}"),
            statement_text("overturned", "sorry: {appeal_reasons}", "Verzeihung: {appeal_reasons}"),
            statement_text("partially_overturned", "partly: {appeal_reasons}", "teils"),
        ],
        labels: vec![
            label("feature.live", "Going live", "LIVE gehen"),
            label("severity.medium", "medium", "mittel"),
            label("none", "none", "keine"),
        ],
        ..policy::Pack::default()
    })
}
