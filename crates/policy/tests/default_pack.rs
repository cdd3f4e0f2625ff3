//! The default pack: that it is good, and that it says what a platform may rely on.

use std::collections::BTreeSet;

use contracts::policy::v1::{LocalizedText, Pack, Policy};
use contracts::types::v1::{Severity, SubjectType};
use kit::Time;

fn pack() -> Pack {
    policy::check(&policy::default_pack()).unwrap_or_else(|mistakes| {
        let list: Vec<String> = mistakes
            .iter()
            .map(|mistake| format!("{}:{}: {}", mistake.path, mistake.line, mistake.description))
            .collect();
        panic!("{}", list.join("\n"))
    })
}

fn named<'p>(pack: &'p Pack, code: &str) -> &'p Policy {
    pack.policies.iter().find(|policy| policy.code == code).expect("the policy is there")
}

/// 2026-11-22T00:00:00Z.
const NOW: Time = Time::from_seconds(1_795_305_600);

#[test]
fn it_covers_what_a_short_video_platform_with_a_shop_meets() {
    let pack = pack();
    assert!(pack.reasons.len() >= 36, "{} reasons", pack.reasons.len());
    assert!(pack.policies.len() >= 22, "{} policies", pack.policies.len());
    let reasons: BTreeSet<&str> = pack.reasons.iter().map(|reason| reason.code.as_str()).collect();
    for code in [
        "hate_speech.other",
        "ip.counterfeit",
        "ip.copyright",
        "ip.trademark",
        "shop.undisclosed_ad",
        "shop.product_mismatch",
        "ip.unoriginal",
        "live.not_live",
        "live.minor",
        "identity.hacked_account",
        "identity.impersonation",
        "service.mismoderation",
        "misleading.synthetic_media",
        "child_safety.sexual_abuse",
    ] {
        assert!(reasons.contains(code), "{code}");
    }
    let used: BTreeSet<&str> = pack.reasons.iter().map(|reason| reason.policy.as_str()).collect();
    let unused: Vec<&str> = pack.policies.iter().map(|policy| policy.code.as_str()).collect();
    assert!(unused.iter().all(|code| used.contains(code)), "every policy has a reason");
    let other = pack.reasons.iter().find(|reason| reason.code == "hate_speech.other").unwrap();
    let comment = SubjectType::Comment as i32;
    assert!(other.subject_types.is_empty() || other.subject_types.contains(&comment));
    assert_eq!(named(&pack, "hate_speech").area, "hate_speech");
    assert_eq!(other.policy, "hate_speech");
}

#[test]
fn sensitive_reasons_are_seen_by_specialists_alone() {
    let pack = pack();
    for reason in &pack.reasons {
        let sexual_abuse = ["child_sexual_abuse", "child_grooming"];
        if sexual_abuse.contains(&reason.policy.as_str()) {
            assert_eq!(reason.exclusive_queue, "child_safety", "{}", reason.code);
        }
        if reason.policy == "extremism" {
            assert_eq!(reason.exclusive_queue, "escalations", "{}", reason.code);
        }
    }
    let order: Vec<&str> = pack.queues.iter().map(|queue| queue.code.as_str()).collect();
    assert_eq!(
        order,
        ["urgent", "child_safety", "trusted", "shop", "general", "appeals", "escalations"]
    );
}

#[test]
fn a_critical_violation_reaches_the_top_step_at_once() {
    let pack = pack();
    for policy in &pack.policies {
        for edition in &policy.editions {
            let overlays = edition.overlays.iter().map(|overlay| &overlay.rule);
            for rule in overlays.chain([&edition.rule]).flatten() {
                let points = pack::Pack::points(rule, Severity::Critical);
                for ladder in &rule.ladders {
                    let ladder = pack.ladders.iter().find(|known| known.code == *ladder).unwrap();
                    let top = ladder.steps.last().unwrap().threshold_points;
                    assert!(points >= top, "{} {}: {points}", policy.code, edition.edition);
                }
                assert_eq!(rule.ladders.is_empty(), rule.points.is_empty(), "{}", policy.code);
            }
        }
    }
}

#[test]
fn ladders_follow_the_platforms_that_they_are_modelled_on() {
    let pack = pack();
    let thresholds = |code: &str| -> Vec<i32> {
        let ladder = pack.ladders.iter().find(|ladder| ladder.code == code).unwrap();
        ladder.steps.iter().map(|step| step.threshold_points).collect()
    };
    assert_eq!(thresholds("shop"), [12, 24, 36, 48]);
    assert_eq!(thresholds("community").last(), Some(&30));
    let community = &pack.ladders[0];
    assert_eq!((community.first_warning_days, community.caution_points), (90, 4));
    assert_eq!((community.repeat_rules[0].count, community.repeat_rules[0].window_days), (6, 90));
}

#[test]
fn editions_and_overlays_hold_when_and_where_they_should() {
    let view = pack::Pack::new(pack());
    let at = |policy: &str, region: &str, time: &str| {
        let time = time.parse().ok().and_then(|time| Time::from_timestamp(&time)).unwrap();
        let found = view.resolve(policy, region, time).expect("in force");
        (found.edition.to_owned(), found.overlay.to_owned(), found.rule.expiry_days)
    };
    let said = |edition: &str, overlay: &str, days| (edition.to_owned(), overlay.to_owned(), days);
    let day = "2026-11-22T00:00:00Z";
    assert_eq!(at("counterfeit", "", "2025-06-16T23:59:59Z"), said("2024-02", "", 180));
    assert_eq!(at("counterfeit", "", "2025-06-17T00:00:00Z"), said("2025-06", "", 90));
    assert_eq!(at("counterfeit", "", day), said("2026-01", "", 90));
    assert_eq!(at("counterfeit", "US", day), said("2026-01", "us-uk-rolling", 180));
    assert_eq!(at("synthetic_media", "", day), said("2024-02", "", 90));
    assert_eq!(at("synthetic_media", "", "2028-01-01T00:00:00Z"), said("2028-01", "", 90));
    assert_eq!(at("hate_speech", "DE", day).1, "de-incitement");
    assert_eq!(at("regulated_goods", "SA", day).1, "gulf-alcohol-and-gambling");
    assert_eq!(at("undisclosed_advertising", "FR", day).1, "fr-commercial-influence");
    let german = view.resolve("hate_speech", "DE", NOW).unwrap();
    assert_eq!(pack::Pack::points(german.rule, Severity::High), 6, "changed there");
    assert_eq!(pack::Pack::points(german.rule, Severity::Low), 1, "as in the edition");
    assert!(view.text(german.text, "de").contains("§ 130 StGB"));
}

#[test]
fn every_text_is_a_translation_and_not_a_copy() {
    let pack = pack();
    assert_eq!(pack.locales, ["en", "de", "zh-Hans"]);
    let mut texts: Vec<&LocalizedText> = Vec::new();
    texts.extend(pack.areas.iter().filter_map(|area| area.title.as_ref()));
    texts.extend(pack.reasons.iter().filter_map(|reason| reason.title.as_ref()));
    texts.extend(pack.labels.iter().filter_map(|label| label.text.as_ref()));
    for edition in pack.policies.iter().flat_map(|policy| &policy.editions) {
        texts.extend([&edition.title, &edition.text].into_iter().flatten());
        texts.extend(edition.overlays.iter().filter_map(|overlay| overlay.text.as_ref()));
    }
    for text in &pack.statement_texts {
        texts.extend([&text.title, &text.body].into_iter().flatten());
    }
    for text in texts {
        let chinese = &text.texts["zh-Hans"];
        let han = chinese.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
        assert!(han > 0, "{chinese}");
        let (english, german) = (&text.texts["en"], &text.texts["de"]);
        assert!(english.len() < 30 || english != german, "{english}");
    }
}
