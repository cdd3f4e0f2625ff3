//! How an account stands: a pure function of its ledger, the ladders in force and an instant.
//!
//! A ledger under ladders is a whole [`Timeline`]; an instant of it is a [`Standing`]. What is
//! still to come by itself (expiries, ends of restrictions) is in the timeline already, so that
//! nothing need be computed again when its time comes. No IO, no clock.

use std::collections::{BTreeMap, HashMap, HashSet};

use contracts::types::v1::{Feature, Tier};
use kit::Time;

use crate::ladder::{Ladder, Step};
use crate::ledger::{self, Entry, Violation};
use crate::walk::{self, Span, Walked};

/// How an account stands at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Over all ladders.
    pub tier: Tier,
    /// On each ladder that a standing violation names, in the pack's order.
    pub ladders: Vec<Place>,
    /// What is restricted: for each feature the restriction that ends last, in order of feature.
    pub restrictions: Vec<Span>,
    /// How many violations count.
    pub active_violations: i64,
    /// When it changes next if nothing happens; `None` if never.
    pub next_change: Option<Time>,
}

/// A place on a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The ladder.
    pub ladder: String,
    /// The points that count; never negative.
    pub points: i64,
    /// The threshold of the step that it is at; 0 for none.
    pub reached: i64,
    /// The threshold of the next step; 0 for none.
    pub next: i64,
}

/// All that a ledger means under given ladders, over time.
#[derive(Debug)]
pub struct Timeline<'a> {
    walked: Vec<(&'a Ladder, Walked<'a>)>,
    /// For each feature, the restrictions in force one after the other. Each ends where it says
    /// or where the next begins, whichever comes first.
    in_force: BTreeMap<i32, Vec<Span>>,
    violations: Vec<ledger::Standing<'a>>,
    warnings: HashSet<&'a str>,
}

/// How the account of a ledger stands at an instant, by what was known at that instant.
pub fn standing(entries: &[Entry], ladders: &[Ladder], at: Time) -> Standing {
    Timeline::new(entries, ladders, at).at(at)
}

impl<'a> Timeline<'a> {
    /// What the entries written by `as_of` mean, those voided by `as_of` left out.
    pub fn new(entries: &'a [Entry], ladders: &'a [Ladder], as_of: Time) -> Timeline<'a> {
        let violations = ledger::standing(entries, as_of);
        let walked: Vec<(&Ladder, Walked<'_>)> = ladders
            .iter()
            .filter(|ladder| {
                violations.iter().any(|one| one.violation.ladders.contains(&ladder.code))
            })
            .map(|ladder| (ladder, walk::walk(ladder, &violations)))
            .collect();
        let spans = walked.iter().flat_map(|(_, walked)| &walked.spans);
        let in_force = in_force(spans.cloned());
        let warnings = warnings(&walked, &violations);
        Timeline { walked, in_force, violations, warnings }
    }

    /// How the account stands at an instant.
    pub fn at(&self, at: Time) -> Standing {
        let ladders: Vec<Place> =
            self.walked.iter().map(|(ladder, walked)| place(ladder, walked.balance(at))).collect();
        let restrictions = self.restrictions(at);
        let caution = self.walked.iter().any(|(ladder, walked)| {
            ladder.caution_points > 0 && walked.balance(at) >= ladder.caution_points
        });
        let tier = if restrictions.iter().any(|one| one.feature == Feature::Account) {
            Tier::Suspended
        } else if !restrictions.is_empty() {
            Tier::Restricted
        } else if caution {
            Tier::Caution
        } else {
            Tier::Good
        };
        let active = self.violations.iter().filter(|one| one.violation.counts_at(at)).count();
        Standing {
            tier,
            ladders,
            restrictions,
            active_violations: i64::try_from(active).unwrap_or(i64::MAX),
            next_change: self.next_change(at),
        }
    }

    /// Whether the entry is a first warning: on every ladder in force on which it would count.
    pub fn is_warning(&self, entry_id: &str) -> bool {
        self.warnings.contains(entry_id)
    }

    /// The restrictions that an entry brought and that are not over at `at`: for each feature
    /// the one that ends last, in order of feature.
    pub fn brought_by(&self, entry_id: &str, at: Time) -> Vec<Span> {
        let mut brought: BTreeMap<i32, &Span> = BTreeMap::new();
        let spans = self.walked.iter().flat_map(|(_, walked)| &walked.spans);
        for span in spans.filter(|span| span.entry_id == entry_id && span.ends_after(at)) {
            let kept = brought.entry(span.feature as i32).or_insert(span);
            if last_instant(kept) < last_instant(span) {
                *kept = span;
            }
        }
        brought.into_values().cloned().collect()
    }

    fn restrictions(&self, at: Time) -> Vec<Span> {
        let of_feature = |spans: &Vec<Span>| {
            let begun = spans.partition_point(|span| span.start <= at);
            let last = spans.get(begun.checked_sub(1)?)?;
            last.covers(at).then(|| last.clone())
        };
        self.in_force.values().filter_map(of_feature).collect()
    }

    fn next_change(&self, at: Time) -> Option<Time> {
        let counted = self.violations.iter().flat_map(|one| {
            let Violation { effective, expire, .. } = *one.violation;
            let lasts = expire.is_none_or(|expire| effective < expire);
            [lasts.then_some(effective), expire.filter(|_| lasts)]
        });
        // Where the next restriction takes the place of one, that one's own end changes nothing.
        let restricted = self.in_force.values().flat_map(|spans| {
            spans.iter().enumerate().flat_map(move |(index, span)| {
                let replaced =
                    |end: &Time| spans.get(index + 1).is_some_and(|next| next.start < *end);
                [Some(span.start), span.end.filter(|end| !replaced(end))]
            })
        });
        counted.chain(restricted).flatten().filter(|change| *change > at).min()
    }
}

fn place(ladder: &Ladder, points: i64) -> Place {
    let reached = ladder.steps.iter().rfind(|step| step.threshold <= points);
    let next = ladder.steps.iter().find(|step| step.threshold > points);
    let threshold = |step: Option<&Step>| step.map_or(0, |step| step.threshold);
    Place {
        ladder: ladder.code.clone(),
        points,
        reached: threshold(reached),
        next: threshold(next),
    }
}

/// Of all restrictions those in force: at each instant the one that ends last; the one that
/// began first where two end together. A restriction that another outlasts is never seen again,
/// so each is in force for one span at most.
fn in_force(spans: impl Iterator<Item = Span>) -> BTreeMap<i32, Vec<Span>> {
    let mut by_feature: BTreeMap<i32, Vec<Span>> = BTreeMap::new();
    let mut spans: Vec<Span> = spans.filter(|span| last_instant(span) > span.start).collect();
    spans.sort_by(|a, b| {
        (a.start, last_instant(b), &a.entry_id).cmp(&(b.start, last_instant(a), &b.entry_id))
    });
    for span in spans {
        let kept = by_feature.entry(span.feature as i32).or_default();
        if kept.last().is_none_or(|last| last_instant(last) < last_instant(&span)) {
            kept.push(span);
        }
    }
    by_feature
}

/// The end for comparing: no end is the last of all.
fn last_instant(span: &Span) -> Time {
    span.end.unwrap_or(Time::from_micros(i64::MAX))
}

fn warnings<'a>(
    walked: &[(&Ladder, Walked<'a>)],
    violations: &[ledger::Standing<'a>],
) -> HashSet<&'a str> {
    let mut warned: HashMap<&str, usize> = HashMap::new();
    for entry_id in walked.iter().flat_map(|(_, walked)| &walked.warnings) {
        *warned.entry(entry_id).or_default() += 1;
    }
    let counted = |one: &&ledger::Standing<'a>| {
        let on =
            |(ladder, _): &&(&Ladder, Walked<'_>)| one.violation.ladders.contains(&ladder.code);
        let ladders = walked.iter().filter(on).count();
        ladders > 0 && warned.get(one.entry_id) == Some(&ladders)
    };
    violations.iter().filter(counted).map(|one| one.entry_id).collect()
}
