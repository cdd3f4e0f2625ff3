//! The ledger of an account: entries that are never changed or deleted, and how a void makes
//! another entry as if it had never been. Pure; it knows no ladder, no storage and no clock.

use std::collections::HashMap;

use contracts::types::v1::{Severity, Subject};
use kit::Time;

/// One entry of the ledger of one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// "ent_…".
    pub entry_id: String,
    /// The account.
    pub account_id: String,
    /// What is entered.
    pub body: Body,
    /// The decision that it follows from; one decision has at most one entry of each kind.
    pub decision_id: String,
    /// The case of that decision.
    pub case_id: String,
    /// What the decision is about.
    pub subject: Subject,
    /// The version of the pack under which the decision was taken.
    pub pack_version: i64,
    /// The statement of reasons issued with it.
    pub statement_id: String,
    /// When it was written. Rises with each decision about the account, so that a reading as of
    /// an instant sees exactly what was known then.
    pub create_time: Time,
}

/// What an entry enters.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A violation, which costs points for a time.
    Violation(Violation),
    /// The voiding of a violation: both then count as if neither had ever been.
    Void {
        /// The entry that it voids; always a violation, since a void cannot be voided.
        voids_entry_id: String,
    },
}

/// A violation, as the rule in force when it was decided priced it.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The policy violated.
    pub policy: String,
    /// The edition of it in force.
    pub edition: String,
    /// How grave.
    pub severity: Severity,
    /// Points on each of its ladders, before any first warning; never negative.
    pub points: i32,
    /// The ladders on which they count.
    pub ladders: Vec<String>,
    /// Since when it counts.
    pub effective: Time,
    /// Until when, itself excluded; `None` for ever.
    pub expire: Option<Time>,
}

/// A violation that stands, with the identity of its entry.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Its entry.
    pub entry_id: &'a str,
    /// What it is.
    pub violation: &'a Violation,
}

impl Violation {
    /// Whether it counts at an instant: from its effective time on, until before its expiry.
    pub fn counts_at(&self, at: Time) -> bool {
        self.effective <= at && self.expire.is_none_or(|expire| at < expire)
    }
}

impl Entry {
    /// The violation that it enters, if it does.
    pub fn violation(&self) -> Option<&Violation> {
        match &self.body {
            Body::Violation(violation) => Some(violation),
            Body::Void { .. } => None,
        }
    }

    /// The entry that it voids, if it does.
    pub fn voids(&self) -> Option<&str> {
        match &self.body {
            Body::Violation(_) => None,
            Body::Void { voids_entry_id } => Some(voids_entry_id),
        }
    }
}

/// The voids among the entries written by `as_of`: from the voided entry to its void.
pub fn voids(entries: &[Entry], as_of: Time) -> HashMap<&str, &Entry> {
    let known = entries.iter().filter(|entry| entry.create_time <= as_of);
    known.filter_map(|entry| Some((entry.voids()?, entry))).collect()
}

/// The violations that stood as far as was known at `as_of`: written by then and not voided by
/// then. In the order in which they took effect, so that the order in which independent ones
/// were written does not matter.
pub fn standing(entries: &[Entry], as_of: Time) -> Vec<Standing<'_>> {
    let voids = voids(entries, as_of);
    let mut standing: Vec<Standing<'_>> = entries
        .iter()
        .filter(|entry| entry.create_time <= as_of)
        .filter(|entry| !voids.contains_key(entry.entry_id.as_str()))
        .filter_map(|entry| {
            Some(Standing { entry_id: &entry.entry_id, violation: entry.violation()? })
        })
        .collect();
    standing.sort_by_key(|one| (one.violation.effective, one.entry_id));
    standing
}
