//! From the domain to the messages of the contract. Pure.

use contracts::accounthealth::v1 as proto;
use contracts::types::v1::Tier;
use kit::Time;

use crate::ledger::{self, Body, Entry};
use crate::standing::{Place, Standing, Timeline};
use crate::walk::Span;

/// The latest instant that a timestamp can hold, 9999-12-31T23:59:59Z; what ends later never
/// ends.
const LAST: Time = Time::from_seconds(253_402_300_799);

/// A standing as of an instant, under the ladders of a version of the pack.
pub fn standing(
    account_id: &str,
    standing: &Standing,
    as_of: Time,
    pack_version: i64,
) -> proto::Standing {
    proto::Standing {
        account_id: account_id.to_owned(),
        tier: standing.tier as i32,
        ladders: standing.ladders.iter().map(place).collect(),
        restrictions: standing.restrictions.iter().map(restriction).collect(),
        active_violation_count: standing.active_violations,
        next_change_time: standing.next_change.and_then(bounded),
        as_of_time: Some(as_of.to_timestamp()),
        pack_version,
    }
}

/// How an account stands of which nothing is known.
pub fn good_standing(account_id: &str, as_of: Time) -> proto::Standing {
    proto::Standing {
        account_id: account_id.to_owned(),
        tier: Tier::Good as i32,
        as_of_time: Some(as_of.to_timestamp()),
        ..proto::Standing::default()
    }
}

/// A restriction.
pub fn restriction(span: &Span) -> proto::Restriction {
    proto::Restriction {
        feature: span.feature as i32,
        start_time: Some(span.start.to_timestamp()),
        end_time: span.end.and_then(bounded),
        ladder: span.ladder.clone(),
        entry_id: span.entry_id.clone(),
    }
}

/// The entries of an account as they are at an instant, in the order given: which are warnings,
/// which were voided, which count.
pub fn entries(entries: &[Entry], timeline: &Timeline<'_>, at: Time) -> Vec<proto::Entry> {
    let voids = ledger::voids(entries, at);
    let message = |entry: &Entry| {
        let void = voids.get(entry.entry_id.as_str()).map(|void| void.entry_id.as_str());
        one_entry(entry, timeline.is_warning(&entry.entry_id), void, at)
    };
    entries.iter().map(message).collect()
}

/// One entry at an instant, given the void that voids it.
pub fn one_entry(entry: &Entry, warning: bool, void: Option<&str>, at: Time) -> proto::Entry {
    let common = proto::Entry {
        entry_id: entry.entry_id.clone(),
        account_id: entry.account_id.clone(),
        decision_id: entry.decision_id.clone(),
        case_id: entry.case_id.clone(),
        subject: Some(entry.subject.clone()),
        voided_by_entry_id: void.unwrap_or_default().to_owned(),
        create_time: Some(entry.create_time.to_timestamp()),
        pack_version: entry.pack_version,
        statement_id: entry.statement_id.clone(),
        ..proto::Entry::default()
    };
    match &entry.body {
        Body::Violation(violation) => proto::Entry {
            kind: proto::entry::Kind::Violation as i32,
            policy: violation.policy.clone(),
            policy_edition: violation.edition.clone(),
            severity: violation.severity as i32,
            points: violation.points,
            ladders: violation.ladders.clone(),
            warning,
            effective_time: Some(violation.effective.to_timestamp()),
            expire_time: violation.expire.and_then(bounded),
            active: void.is_none() && violation.counts_at(at),
            ..common
        },
        Body::Void { voids_entry_id } => proto::Entry {
            kind: proto::entry::Kind::Void as i32,
            voids_entry_id: voids_entry_id.clone(),
            effective_time: Some(entry.create_time.to_timestamp()),
            ..common
        },
    }
}

/// As a timestamp; none if it is later than any, which is never.
pub fn bounded(time: Time) -> Option<prost_types::Timestamp> {
    (time <= LAST).then(|| time.to_timestamp())
}

fn place(place: &Place) -> proto::LadderStanding {
    let points = |points: i64| i32::try_from(points).unwrap_or(i32::MAX);
    proto::LadderStanding {
        ladder: place.ladder.clone(),
        points: points(place.points),
        reached_points: points(place.reached),
        next_threshold_points: points(place.next),
    }
}
