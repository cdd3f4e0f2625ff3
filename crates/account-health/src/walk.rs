//! One ladder, walked over the standing violations in the order in which they took effect:
//! balance, first warnings, and the restrictions that steps and repeat rules bring. Pure.
//!
//! The rules of the walk:
//! - A violation counts in the half-open span from its effective time to before its expiry. At
//!   one instant, what expires goes before what takes effect.
//! - A first warning costs no points: no standing violation of the same policy took effect on
//!   this ladder within the window before it.
//! - A step fires when one violation lifts the balance from below its threshold to it or over
//!   it; of several steps crossed by one violation only the highest fires. It fires again only
//!   after the balance fell below its threshold. So a pack repeats in a higher step what a lower
//!   one brings, where that is wanted after a jump.
//! - A restriction without a duration lasts until the balance falls below the threshold.
//! - A repeat rule fires when its count is reached within its window, whatever the points and
//!   whether they expired; again only after the count within the window fell below it.

use std::collections::{HashMap, VecDeque};

use contracts::types::v1::Feature;
use kit::Time;

use crate::ladder::{FirstWarning, Ladder, Repeat, Rule, Step};
use crate::ledger::{Standing, Violation};

/// A restriction that a violation brought on one ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What is restricted.
    pub feature: Feature,
    /// Since when.
    pub start: Time,
    /// Until when, itself excluded; `None` if there is no end in sight.
    pub end: Option<Time>,
    /// The ladder that brought it.
    pub ladder: String,
    /// The entry that brought it.
    pub entry_id: String,
}

impl Span {
    /// Whether it lasts at an instant.
    pub fn covers(&self, at: Time) -> bool {
        self.start <= at && self.ends_after(at)
    }

    /// Whether it is not over at an instant.
    pub fn ends_after(&self, at: Time) -> bool {
        self.end.is_none_or(|end| at < end)
    }
}

/// What walking one ladder gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walked<'a> {
    /// The balance from each instant on, in order of time; zero before the first.
    pub balances: Vec<(Time, i64)>,
    /// Every restriction, in the order in which they were brought.
    pub spans: Vec<Span>,
    /// The entries that are first warnings on this ladder.
    pub warnings: Vec<&'a str>,
}

impl Walked<'_> {
    /// The balance at an instant.
    pub fn balance(&self, at: Time) -> i64 {
        let after = self.balances.partition_point(|(since, _)| *since <= at);
        after.checked_sub(1).map_or(0, |last| self.balances[last].1)
    }
}

/// Walks a ladder. `standing` is in order of effective times.
pub fn walk<'a>(ladder: &Ladder, standing: &[Standing<'a>]) -> Walked<'a> {
    let mut walk = Walk { ladder, balance: 0, held: Vec::new(), walked: Walked::default() };
    let mut first = ladder.first_warning.map(First::new);
    let mut repeats: Vec<Counter<'_, 'a>> = ladder.repeats.iter().map(Counter::new).collect();
    let mut expiries = Expiries::default();
    for one in standing.iter().filter(|one| one.violation.ladders.contains(&ladder.code)) {
        let Violation { effective, expire, .. } = *one.violation;
        expiries.until(effective, |at, points| walk.expire(at, points));
        let warned = first.as_mut().is_some_and(|first| first.is_first(one.violation));
        if warned {
            walk.walked.warnings.push(one.entry_id);
        } else if expire.is_none_or(|expire| effective < expire) {
            let points = i64::from(one.violation.points.max(0));
            walk.enter(one, points);
            if let Some(expire) = expire {
                expiries.push(expire, points);
            }
        }
        for repeat in &mut repeats {
            if repeat.reaches(one.violation) {
                walk.fire(&repeat.rule.restrictions, one, None);
            }
        }
    }
    expiries.until(Time::from_micros(i64::MAX), |at, points| walk.expire(at, points));
    walk.walked
}

struct Walk<'w, 'a> {
    ladder: &'w Ladder,
    balance: i64,
    /// Restrictions that last as long as the balance is at a threshold: which, and which one.
    held: Vec<(usize, i64)>,
    walked: Walked<'a>,
}

impl Walk<'_, '_> {
    fn enter(&mut self, one: &Standing<'_>, points: i64) {
        let before = self.balance;
        self.balance = before.saturating_add(points);
        self.note(one.violation.effective);
        let crossed = |step: &&Step| before < step.threshold && step.threshold <= self.balance;
        if let Some(step) = self.ladder.steps.iter().rfind(crossed) {
            self.fire(&step.restrictions, one, Some(step.threshold));
        }
    }

    fn expire(&mut self, at: Time, points: i64) {
        self.balance = self.balance.saturating_sub(points).max(0);
        self.note(at);
        let (balance, spans) = (self.balance, &mut self.walked.spans);
        self.held.retain(|(span, threshold)| {
            let over = balance < *threshold;
            if over {
                spans[*span].end = Some(at);
            }
            !over
        });
    }

    /// `threshold`: whose balance holds the restrictions without a duration.
    fn fire(&mut self, rules: &[Rule], one: &Standing<'_>, threshold: Option<i64>) {
        let start = one.violation.effective;
        for rule in rules {
            if let (None, Some(threshold)) = (rule.span, threshold) {
                self.held.push((self.walked.spans.len(), threshold));
            }
            self.walked.spans.push(Span {
                feature: rule.feature,
                start,
                end: rule.span.map(|span| start.plus(span)),
                ladder: self.ladder.code.clone(),
                entry_id: one.entry_id.to_owned(),
            });
        }
    }

    fn note(&mut self, at: Time) {
        match self.walked.balances.last_mut() {
            Some((since, balance)) if *since == at => *balance = self.balance,
            _ => self.walked.balances.push((at, self.balance)),
        }
    }
}

/// Points that will go, by when.
#[derive(Default)]
struct Expiries(std::collections::BTreeMap<Time, i64>);

impl Expiries {
    fn push(&mut self, at: Time, points: i64) {
        let going = self.0.entry(at).or_default();
        *going = going.saturating_add(points);
    }

    /// Takes what goes up to `at`, itself included, in order.
    fn until(&mut self, at: Time, mut take: impl FnMut(Time, i64)) {
        while let Some(next) = self.0.first_entry().filter(|next| *next.key() <= at) {
            let (at, points) = next.remove_entry();
            take(at, points);
        }
    }
}

/// Finds first violations.
struct First<'a> {
    rule: FirstWarning,
    last: HashMap<&'a str, Time>,
}

impl<'a> First<'a> {
    fn new(rule: FirstWarning) -> First<'a> {
        First { rule, last: HashMap::new() }
    }

    fn is_first(&mut self, violation: &'a Violation) -> bool {
        let earlier = self.last.insert(&violation.policy, violation.effective);
        violation.severity <= self.rule.max_severity
            && earlier.is_none_or(|last| last.plus(self.rule.window) <= violation.effective)
    }
}

/// Counts violations of each policy within a window.
struct Counter<'r, 'a> {
    rule: &'r Repeat,
    seen: HashMap<&'a str, VecDeque<Time>>,
}

impl<'r, 'a> Counter<'r, 'a> {
    fn new(rule: &'r Repeat) -> Counter<'r, 'a> {
        Counter { rule, seen: HashMap::new() }
    }

    /// Whether this violation makes the count full.
    fn reaches(&mut self, violation: &'a Violation) -> bool {
        let seen = self.seen.entry(&violation.policy).or_default();
        while seen.front().is_some_and(|at| at.plus(self.rule.window) <= violation.effective) {
            seen.pop_front();
        }
        seen.push_back(violation.effective);
        seen.len() == self.rule.count
    }
}
