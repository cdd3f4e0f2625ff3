//! An indexed view of one published pack. It must not know where the pack came from; no IO, no
//! clock.

use std::collections::HashMap;

use contracts::policy::v1 as proto;
use contracts::types::v1::Severity;
use kit::Time;

/// One immutable version of the policy pack, indexed by code.
#[derive(Debug, Default)]
pub struct Pack {
    proto: proto::Pack,
    reasons: HashMap<String, usize>,
    policies: HashMap<String, usize>,
    ladders: HashMap<String, usize>,
    queues: HashMap<String, usize>,
    sla_minutes: HashMap<String, i32>,
    statement_texts: HashMap<String, usize>,
    labels: HashMap<String, usize>,
}

/// What a policy says for one region and instant.
#[derive(Debug, Clone, Copy)]
pub struct Effective<'a> {
    /// The name of the edition in force.
    pub edition: &'a str,
    /// The code of the regional overlay that was applied; empty for none.
    pub overlay: &'a str,
    /// What follows from a violation.
    pub rule: &'a proto::Rule,
    /// The policy's name, by language.
    pub title: &'a proto::LocalizedText,
    /// The policy's wording, by language.
    pub text: &'a proto::LocalizedText,
}

fn index<T>(items: &[T], key: impl Fn(&T) -> &str) -> HashMap<String, usize> {
    items.iter().enumerate().map(|(at, item)| (key(item).to_owned(), at)).collect()
}

impl Pack {
    /// Indexes a pack as the policy service answers it.
    pub fn new(proto: proto::Pack) -> Pack {
        Pack {
            reasons: index(&proto.reasons, |reason| &reason.code),
            policies: index(&proto.policies, |policy| &policy.code),
            ladders: index(&proto.ladders, |ladder| &ladder.code),
            queues: index(&proto.queues, |queue| &queue.code),
            sla_minutes: proto
                .sla_classes
                .iter()
                .map(|class| (class.code.clone(), class.minutes))
                .collect(),
            statement_texts: index(&proto.statement_texts, |text| &text.kind),
            labels: index(&proto.labels, |label| &label.key),
            proto,
        }
    }

    /// The pack as it was published.
    pub fn proto(&self) -> &proto::Pack {
        &self.proto
    }

    /// Its version, from 1.
    pub fn version(&self) -> i64 {
        self.proto.version
    }

    /// The reason with this code.
    pub fn reason(&self, code: &str) -> Option<&proto::Reason> {
        self.reasons.get(code).map(|&at| &self.proto.reasons[at])
    }

    /// The policy with this code.
    pub fn policy(&self, code: &str) -> Option<&proto::Policy> {
        self.policies.get(code).map(|&at| &self.proto.policies[at])
    }

    /// The ladder with this code.
    pub fn ladder(&self, code: &str) -> Option<&proto::Ladder> {
        self.ladders.get(code).map(|&at| &self.proto.ladders[at])
    }

    /// All ladders, in the pack's order.
    pub fn ladders(&self) -> &[proto::Ladder] {
        &self.proto.ladders
    }

    /// The queue with this code.
    pub fn queue(&self, code: &str) -> Option<&proto::Queue> {
        self.queues.get(code).map(|&at| &self.proto.queues[at])
    }

    /// All queues, first match first.
    pub fn queues(&self) -> &[proto::Queue] {
        &self.proto.queues
    }

    /// Minutes from the first report to the due time under a class.
    pub fn sla_minutes(&self, class: &str) -> Option<i32> {
        self.sla_minutes.get(class).copied()
    }

    /// What statements of reasons of this kind say.
    pub fn statement_text(&self, kind: &str) -> Option<&proto::StatementText> {
        self.statement_texts.get(kind).map(|&at| &self.proto.statement_texts[at])
    }

    /// The word for a key such as "feature.live" in a language; the key itself where the pack has
    /// none.
    pub fn label<'a>(&'a self, key: &'a str, locale: &str) -> &'a str {
        self.labels
            .get(key)
            .and_then(|&at| self.proto.labels[at].text.as_ref())
            .map_or(key, |text| self.text(text, locale))
    }

    /// A text in a language: that one, its base language, or the pack's default; empty where all
    /// are missing.
    pub fn text<'a>(&self, text: &'a proto::LocalizedText, locale: &str) -> &'a str {
        fallbacks(locale)
            .chain([self.proto.default_locale.as_str()])
            .find_map(|tag| text.texts.get(tag))
            .map_or("", String::as_str)
    }

    /// The language of the pack that serves a wanted BCP 47 tag: that one, the longest prefix of it
    /// that the pack has, a variant of the same base language, or the pack's default.
    pub fn resolve_locale(&self, tag: &str) -> &str {
        let locales = &self.proto.locales;
        let known = |wanted: &str| locales.iter().find(|have| have.eq_ignore_ascii_case(wanted));
        fallbacks(tag)
            .find_map(known)
            .or_else(|| {
                let base = tag.split('-').next().filter(|base| !base.is_empty())?;
                locales.iter().find(|have| {
                    have.split('-').next().is_some_and(|have| have.eq_ignore_ascii_case(base))
                })
            })
            .unwrap_or(&self.proto.default_locale)
    }

    /// What a policy says for a region at an instant: the last edition that is effective then, and
    /// of its overlays that name the region and are effective, the latest. None for an unknown
    /// policy or before its first edition.
    pub fn resolve(&self, policy: &str, region: &str, at: Time) -> Option<Effective<'_>> {
        let effective = |time: &Option<_>| {
            time.as_ref().and_then(Time::from_timestamp).is_none_or(|since| since <= at)
        };
        let editions = &self.policy(policy)?.editions;
        let edition = editions.iter().rev().find(|edition| effective(&edition.effective_time))?;
        let overlay = edition
            .overlays
            .iter()
            .filter(|overlay| effective(&overlay.effective_time))
            .filter(|overlay| overlay.regions.iter().any(|code| code.eq_ignore_ascii_case(region)))
            .max_by_key(|overlay| {
                overlay.effective_time.as_ref().map(|time| (time.seconds, time.nanos))
            });
        let title = edition.title.as_ref()?;
        let text = edition.text.as_ref()?;
        Some(Effective {
            edition: &edition.edition,
            overlay: overlay.map_or("", |overlay| &overlay.code),
            rule: overlay.and_then(|overlay| overlay.rule.as_ref()).or(edition.rule.as_ref())?,
            title,
            text: overlay.and_then(|overlay| overlay.text.as_ref()).unwrap_or(text),
        })
    }

    /// The points that a violation of a severity costs: those listed for it, else for the next
    /// lower one that is listed, else none. An unspecified severity means the rule's own.
    pub fn points(rule: &proto::Rule, severity: Severity) -> i32 {
        let severity = match severity {
            Severity::Unspecified => rule.severity,
            given => given as i32,
        };
        rule.points
            .iter()
            .filter(|listed| listed.severity <= severity)
            .max_by_key(|listed| listed.severity)
            .map_or(0, |listed| listed.points)
    }
}

/// A tag and its prefixes: "zh-Hant-TW", "zh-Hant", "zh".
fn fallbacks(tag: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(tag), |tag| tag.rfind('-').map(|end| &tag[..end]))
        .filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::types::v1::Severity::{Critical, High, Low, Medium, Unspecified};
    use proto::{LocalizedText, Policy, PolicyEdition, RegionalOverlay, Rule, SeverityPoints};

    fn text(word: &str) -> Option<LocalizedText> {
        Some(LocalizedText { texts: [("en".to_owned(), word.to_owned())].into() })
    }

    fn rule(expiry_days: i32) -> Option<Rule> {
        Some(Rule { expiry_days, ..Rule::default() })
    }

    fn second(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn edition(name: &str, since: i64, overlays: Vec<RegionalOverlay>) -> PolicyEdition {
        PolicyEdition {
            edition: name.to_owned(),
            effective_time: Some(second(since).into()),
            title: text(name),
            text: text(name),
            rule: rule(since as i32),
            overlays,
        }
    }

    fn overlay(code: &str, since: i64) -> RegionalOverlay {
        RegionalOverlay {
            code: code.to_owned(),
            regions: vec!["DE".to_owned(), "AT".to_owned()],
            effective_time: Some(second(since).into()),
            rule: rule(1_000 + since as i32),
            text: None,
        }
    }

    fn pack() -> Pack {
        let overlays = vec![overlay("later", 25), overlay("sooner", 21)];
        Pack::new(proto::Pack {
            version: 3,
            default_locale: "en".to_owned(),
            locales: vec!["en".to_owned(), "de".to_owned(), "zh-Hans".to_owned()],
            policies: vec![Policy {
                code: "spam".to_owned(),
                area: "spam".to_owned(),
                editions: vec![edition("first", 10, vec![]), edition("second", 20, overlays)],
            }],
            ..proto::Pack::default()
        })
    }

    #[test]
    fn the_edition_and_overlay_in_force_hold() {
        let pack = pack();
        let at = |region: &str, time: i64| {
            pack.resolve("spam", region, second(time))
                .map(|found| (found.edition, found.overlay, found.rule.expiry_days))
        };
        assert_eq!(at("", 9), None, "before the first edition");
        assert_eq!(at("", 10), Some(("first", "", 10)), "from its instant on");
        assert_eq!(at("", 19), Some(("first", "", 10)));
        assert_eq!(at("DE", 20), Some(("second", "", 20)), "no overlay is effective yet");
        assert_eq!(at("de", 21), Some(("second", "sooner", 1_021)));
        assert_eq!(at("AT", 25), Some(("second", "later", 1_025)), "the latest one");
        assert_eq!(at("FR", 25), Some(("second", "", 20)), "another region");
        assert!(pack.resolve("fraud", "", second(30)).is_none());
    }

    #[test]
    fn points_are_those_of_the_next_lower_listed_severity() {
        let listed =
            |severity: Severity, points| SeverityPoints { severity: severity as i32, points };
        let rule = Rule {
            severity: High as i32,
            points: vec![listed(Medium, 2), listed(Critical, 48)],
            ..Rule::default()
        };
        let cases = [(Low, 0), (Medium, 2), (High, 2), (Critical, 48), (Unspecified, 2)];
        for (severity, points) in cases {
            assert_eq!(Pack::points(&rule, severity), points, "{severity:?}");
        }
    }

    #[test]
    fn a_language_falls_back_to_its_base_then_to_the_default() {
        let pack = pack();
        let cases = [
            ("de", "de"),
            ("de-AT", "de"),
            ("DE", "de"),
            ("zh", "zh-Hans"),
            ("zh-Hans-CN", "zh-Hans"),
            ("fr", "en"),
            ("", "en"),
        ];
        for (wanted, found) in cases {
            assert_eq!(pack.resolve_locale(wanted), found, "{wanted}");
        }
        let text = LocalizedText {
            texts: [("en".to_owned(), "Live".to_owned()), ("de".to_owned(), "LIVE".to_owned())]
                .into(),
        };
        assert_eq!(pack.text(&text, "de-CH"), "LIVE");
        assert_eq!(pack.text(&text, "fr"), "Live");
        assert_eq!(
            pack.label("feature.live", "en"),
            "feature.live",
            "a missing label shows its key"
        );
    }
}
