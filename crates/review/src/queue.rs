//! Which queue a case waits in. Pure: no IO, no clock.

use contracts::policy::v1::Queue;
use contracts::types::v1::{Severity, Source, SubjectType};
use pack::Pack;

/// What the choice of a queue looks at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whether the case is an appeal.
    pub appeal: bool,
    /// The policy area.
    pub area: &'a str,
    /// The kind of subject.
    pub subject_type: SubjectType,
    /// The highest severity that its reasons assume.
    pub severity: Severity,
    /// The most trusted source among its reports.
    pub source: Source,
    /// The queue that the reason sends all its cases to; empty for none.
    pub exclusive_queue: &'a str,
}

/// The queue for a new case: the one that its reason prescribes, else the first in the pack's
/// order whose criteria match, else the first of the right kind, so that no case is ever without
/// one. Empty only under a pack without queues, which the policy service refuses.
pub fn choose<'a>(pack: &'a Pack, facts: &Facts<'_>) -> &'a str {
    if let Some(exclusive) = pack.queue(facts.exclusive_queue) {
        return &exclusive.code;
    }
    let queues = || pack.queues().iter();
    queues()
        .find(|queue| matches(queue, facts))
        .or_else(|| queues().find(|queue| !queue.exclusive && queue.appeals == facts.appeal))
        .or_else(|| queues().find(|queue| !queue.exclusive))
        .or_else(|| queues().next())
        .map_or("", |queue| &queue.code)
}

/// Where a case moves when its facts change; `None` when it stays. It moves into the exclusive
/// queue of a new reason and out of a queue that the pack no longer has; otherwise only forward
/// in the pack's order and not from where a reviewer put it. It never leaves an exclusive queue.
pub fn moved<'a>(
    pack: &'a Pack,
    current: &str,
    escalated: bool,
    facts: &Facts<'_>,
) -> Option<&'a str> {
    let position = |code: &str| pack.queues().iter().position(|queue| queue.code == code);
    let chosen = choose(pack, facts);
    let Some(here) = position(current) else {
        return Some(chosen).filter(|chosen| *chosen != current);
    };
    let there = position(chosen)?;
    let prescribed = chosen == facts.exclusive_queue && there != here;
    let forward = there < here && !escalated;
    (!pack.queues()[here].exclusive && (prescribed || forward)).then_some(chosen)
}

fn matches(queue: &Queue, facts: &Facts<'_>) -> bool {
    let any = |wanted: &[i32], given: i32| wanted.is_empty() || wanted.contains(&given);
    !queue.exclusive
        && queue.appeals == facts.appeal
        && (queue.areas.is_empty() || queue.areas.iter().any(|area| area == facts.area))
        && any(&queue.subject_types, facts.subject_type as i32)
        && any(&queue.sources, facts.source as i32)
        && queue.min_severity <= facts.severity as i32
}

#[cfg(test)]
mod tests {
    use contracts::policy::v1;

    use super::*;

    fn queue(code: &str, change: impl FnOnce(&mut Queue)) -> Queue {
        let mut queue = Queue { code: code.to_owned(), ..Queue::default() };
        change(&mut queue);
        queue
    }

    fn pack() -> Pack {
        let queues = vec![
            queue("urgent", |queue| queue.min_severity = Severity::Critical as i32),
            queue("child_safety", |queue| queue.exclusive = true),
            queue("flaggers", |queue| queue.sources = vec![Source::TrustedFlagger as i32]),
            queue("fraud_live", |queue| {
                queue.areas = vec!["fraud".to_owned()];
                queue.subject_types = vec![SubjectType::Live as i32];
            }),
            queue("general", |_| {}),
            queue("appeals", |queue| queue.appeals = true),
            queue("late_exclusive", |queue| queue.exclusive = true),
        ];
        Pack::new(v1::Pack { queues, ..v1::Pack::default() })
    }

    fn facts(change: impl FnOnce(&mut Facts<'static>)) -> Facts<'static> {
        let mut facts = Facts {
            appeal: false,
            area: "spam",
            subject_type: SubjectType::Video,
            severity: Severity::Low,
            source: Source::User,
            exclusive_queue: "",
        };
        change(&mut facts);
        facts
    }

    #[test]
    fn the_first_queue_that_matches_takes_the_case() {
        let pack = pack();
        for (facts, queue) in [
            (facts(|_| {}), "general"),
            (facts(|f| f.severity = Severity::High), "general"),
            (facts(|f| f.severity = Severity::Critical), "urgent"),
            (facts(|f| f.source = Source::TrustedFlagger), "flaggers"),
            (facts(|f| f.area = "fraud"), "general"),
            (facts(|f| (f.area, f.subject_type) = ("fraud", SubjectType::Live)), "fraud_live"),
            (facts(|f| f.exclusive_queue = "child_safety"), "child_safety"),
            (facts(|f| f.exclusive_queue = "gone"), "general"),
            (facts(|f| f.appeal = true), "appeals"),
            (facts(|f| (f.appeal, f.severity) = (true, Severity::Critical)), "appeals"),
        ] {
            assert_eq!(choose(&pack, &facts), queue, "{facts:?}");
        }
    }

    #[test]
    fn no_case_is_without_a_queue() {
        let strict = queue("strict", |queue| queue.areas = vec!["fraud".to_owned()]);
        let central = queue("central", |queue| queue.exclusive = true);
        let of = |queues| Pack::new(v1::Pack { queues, ..v1::Pack::default() });
        let two = of(vec![central.clone(), strict]);
        assert_eq!(choose(&two, &facts(|_| {})), "strict");
        assert_eq!(choose(&two, &facts(|f| f.appeal = true)), "strict");
        assert_eq!(choose(&of(vec![central]), &facts(|_| {})), "central");
        assert_eq!(choose(&of(vec![]), &facts(|_| {})), "");
    }

    #[test]
    fn a_case_moves_only_forward_or_into_a_prescribed_queue() {
        let pack = pack();
        let worse = facts(|f| f.severity = Severity::Critical);
        let child = facts(|f| f.exclusive_queue = "child_safety");
        let late = facts(|f| f.exclusive_queue = "late_exclusive");
        for (current, escalated, facts, to) in [
            ("general", false, facts(|_| {}), None),
            ("general", false, worse, Some("urgent")),
            ("general", true, worse, None),
            ("child_safety", false, worse, None),
            ("urgent", false, facts(|_| {}), None),
            ("general", false, child, Some("child_safety")),
            ("urgent", false, child, Some("child_safety")),
            ("child_safety", false, child, None),
            ("general", false, late, Some("late_exclusive")),
            ("general", true, late, Some("late_exclusive")),
            ("child_safety", false, late, None),
            ("gone", false, facts(|_| {}), Some("general")),
            ("gone", true, worse, Some("urgent")),
        ] {
            assert_eq!(moved(&pack, current, escalated, &facts), to, "{current} {facts:?}");
        }
    }
}
