//! The parts of a transition that need no account: what a statement says of a violation, and
//! which events tell the difference between two standings. Pure.

use contracts::accounthealth::v1 as proto;
use contracts::accounthealth::v1::account_health_event::Event;
use contracts::accounthealth::v1::restriction_lifted::Cause;
use contracts::policy::v1::Rule;
use contracts::review::v1::Decision;
use kit::Time;
use pack::Pack;

use crate::ledger::Entry;
use crate::message;
use crate::standing::Timeline;

/// The kind of the event that tells how an account stands now.
pub const STANDING_CHANGED: &str = "standing_changed";

/// An event and the name of its kind.
pub type Told = (&'static str, Event);

/// What differs between a standing that was told and the one that holds `at` now: first the
/// standing, then what was lifted, then what was applied. Nothing if it is the same but for its
/// instant and the version of the pack.
///
/// `cause` is why a restriction is gone whose time was not over and in whose place nothing came.
pub fn told(old: &proto::Standing, new: &proto::Standing, at: Time, cause: Cause) -> Vec<Told> {
    let same = old.tier == new.tier
        && old.ladders == new.ladders
        && old.restrictions == new.restrictions
        && old.active_violation_count == new.active_violation_count;
    if same {
        return Vec::new();
    }
    let mut told = vec![(
        STANDING_CHANGED,
        Event::StandingChanged(proto::StandingChanged {
            standing: Some(new.clone()),
            previous_tier: old.tier,
        }),
    )];
    let account_id = &new.account_id;
    for gone in old.restrictions.iter().filter(|one| !new.restrictions.contains(one)) {
        let over = gone.end_time.as_ref().and_then(Time::from_timestamp);
        let replaced = new.restrictions.iter().any(|one| one.feature == gone.feature);
        let cause = match over {
            Some(end) if end <= at => Cause::Expired,
            _ if replaced => Cause::Replaced,
            _ => cause,
        };
        let lifted = proto::RestrictionLifted {
            account_id: account_id.clone(),
            restriction: Some(gone.clone()),
            cause: cause as i32,
        };
        told.push(("restriction_lifted", Event::RestrictionLifted(lifted)));
    }
    for come in new.restrictions.iter().filter(|one| !old.restrictions.contains(one)) {
        let applied = proto::RestrictionApplied {
            account_id: account_id.clone(),
            restriction: Some(come.clone()),
        };
        told.push(("restriction_applied", Event::RestrictionApplied(applied)));
    }
    told
}

/// Says in a statement what an entry costs and which restrictions it brought.
pub fn state_violation(
    statement: &mut proto::Statement,
    entry: &Entry,
    timeline: &Timeline<'_>,
    at: Time,
) {
    let Some(violation) = entry.violation() else { return };
    statement.policy.clone_from(&violation.policy);
    statement.policy_edition.clone_from(&violation.edition);
    statement.severity = violation.severity as i32;
    let warning = timeline.is_warning(&entry.entry_id);
    statement.points = if warning { 0 } else { violation.points };
    statement.expire_time = violation.expire.and_then(message::bounded);
    let brought = timeline.brought_by(&entry.entry_id, at);
    statement.restrictions = brought.iter().map(message::restriction).collect();
}

/// Says in a statement what the decision found and on which ground.
pub fn state_rule(statement: &mut proto::Statement, decision: &Decision, rule: &Rule) {
    statement.ground = rule.ground;
    statement.ground_reference.clone_from(&rule.ground_reference);
    if let Some(found) = &decision.violation {
        statement.facts.clone_from(&found.facts);
        statement.region.clone_from(&found.region);
        let given = if found.actions.is_empty() { &rule.actions } else { &found.actions };
        statement.actions.clone_from(given);
    }
}

/// Says in a statement by which nothing is left which violation it was that fell.
pub fn carry_over(old: &proto::Statement, new: &mut proto::Statement) {
    new.policy.clone_from(&old.policy);
    new.policy_edition.clone_from(&old.policy_edition);
    new.severity = old.severity;
    new.ground = old.ground;
    new.ground_reference.clone_from(&old.ground_reference);
    new.facts.clone_from(&old.facts);
    new.region.clone_from(&old.region);
    new.dsa_category.clone_from(&old.dsa_category);
    new.dsa_keywords.clone_from(&old.dsa_keywords);
}

/// DSA category and keywords: of the case's reason; where the pack no longer has it, of the
/// first reason that suggests the policy.
pub fn dsa(pack: &Pack, reason: &str, policy: &str) -> (String, Vec<String>) {
    let suggested = || pack.proto().reasons.iter().find(|one| one.policy == policy);
    pack.reason(reason)
        .or_else(suggested)
        .map(|reason| (reason.dsa_category.clone(), reason.dsa_keywords.clone()))
        .unwrap_or_default()
}
