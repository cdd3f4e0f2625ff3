//! The case and everything that may happen to it. Pure: no IO, no clock; a refused command
//! leaves the case as it was.
//!
//! Invariants: at most one live lease; a fencing token rises with every new holder and never
//! falls; decided and withdrawn are final; every change that matters to a decision changes the
//! etag, a lease does not.

use std::time::Duration;

use contracts::review::v1::case::{Kind, State};
use contracts::review::v1::decision::Outcome;
use contracts::types::v1::{Severity, Source, Subject};
use kit::Time;

use crate::rank::rank_time;

/// How long a lease lasts unless the reviewer asks for another time.
pub const LEASE_DEFAULT: Duration = Duration::from_secs(300);
/// Cases that one reviewer may hold at a time.
pub const LEASES_MAX: i64 = 25;
/// How soon an appeal is to be decided, counted from its filing.
pub const APPEAL_DUE: Duration = Duration::from_secs(72 * 3_600);

/// Something to be decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// `case_…`.
    pub case_id: String,
    /// What brought it.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// What it is about.
    pub subject: Subject,
    /// Its policy area.
    pub area: String,
    /// The queue that it waits in.
    pub queue: String,
    /// Whether a reviewer moved it there.
    pub escalated: bool,
    /// The highest severity that its reasons assume.
    pub severity: Severity,
    /// The most trusted source among its reports.
    pub source: Source,
    /// Its reports that were not withdrawn.
    pub report_count: i64,
    /// Its matches and claims of impersonation that did not fall away.
    pub impersonation_count: i64,
    /// The reason of its first report; of an appeal, that of the appealed case.
    pub first_reason: String,
    /// The language of the content; empty where unknown.
    pub language: String,
    /// The policies that its reasons suggest, in order of arrival.
    pub suggested_policies: Vec<String>,
    /// When it is to be decided.
    pub due_time: Time,
    /// Its place in the queue.
    pub rank_time: Time,
    /// The lease last given, if it was neither returned nor taken back; may have expired.
    pub lease: Option<Lease>,
    /// The fencing token of the last lease; 0 before the first.
    pub fencing_token: i64,
    /// Rises with every change that matters to a decision.
    pub version: i64,
    /// Its decision; empty until decided.
    pub decision_id: String,
    /// Of an appeal: what it is about.
    pub appeal: Option<Appeal>,
    /// When it was opened.
    pub create_time: Time,
    /// When it last changed.
    pub update_time: Time,
}

/// The right to decide a case for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The holder's pseudonym.
    pub reviewer_id: String,
    /// The first instant at which it no longer holds.
    pub until: Time,
}

/// What an appeal is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeal {
    /// `app_…`.
    pub appeal_id: String,
    /// The decision appealed against.
    pub appealed_decision_id: String,
    /// The case of that decision.
    pub appealed_case_id: String,
    /// What the appellant says.
    pub grounds: String,
    /// The first decider, who may not hear it.
    pub excluded_reviewer_id: String,
}

/// What a report adds to a case.
#[derive(Clone, Copy, Debug)]
pub struct Added<'a> {
    /// The severity that its reason assumes.
    pub severity: Severity,
    /// Who brought it.
    pub source: Source,
    /// When a case of its reason is to be decided.
    pub due_time: Time,
    /// The policy that its reason suggests; empty for none.
    pub policy: &'a str,
    /// The language of the content; empty where unknown.
    pub language: &'a str,
}

/// What a holder shows to act under a lease.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Who acts.
    pub reviewer_id: &'a str,
    /// The fencing token that the lease was given with.
    pub fencing_token: i64,
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The case is decided or withdrawn.
    NotOpen(State),
    /// Somebody else holds it until then.
    Leased(Time),
    /// The lease ended or passed to somebody else; the token is the case's present one.
    LeaseLost(i64),
    /// It changed since it was seen; the etag is the present one.
    EtagMismatch(String),
    /// The reviewer took the decision appealed against.
    Excluded,
    /// The outcome does not fit the kind of case.
    VerdictNotApplicable,
}

/// How a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The case waits again.
    Free,
    /// Nothing that brought it is left, so it was withdrawn.
    Withdrawn,
}

/// Reading.
impl Case {
    /// The etag: opaque to callers.
    pub fn etag(&self) -> String {
        format!("v{}", self.version)
    }

    /// The lease, if it holds now.
    pub fn live_lease(&self, now: Time) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| now < lease.until)
    }

    /// Whether everything that brought it was withdrawn.
    pub fn nothing_left(&self) -> bool {
        self.kind != Kind::Appeal && self.report_count + self.impersonation_count == 0
    }

    fn check_open(&self) -> Result<(), Refusal> {
        if self.state == State::Open { Ok(()) } else { Err(Refusal::NotOpen(self.state)) }
    }

    fn check_held(&self, held: Held<'_>, now: Time) -> Result<(), Refusal> {
        let holds = self.fencing_token == held.fencing_token
            && self.live_lease(now).is_some_and(|lease| lease.reviewer_id == held.reviewer_id);
        if holds { Ok(()) } else { Err(Refusal::LeaseLost(self.fencing_token)) }
    }
}

/// What reviewers do.
impl Case {
    /// Gives the case to a reviewer. Who holds it already gets the lease prolonged, under the
    /// same fencing token.
    ///
    /// # Errors
    /// `NotOpen`, `Excluded`, `Leased`.
    pub fn claim(&mut self, reviewer_id: &str, span: Duration, now: Time) -> Result<(), Refusal> {
        self.check_open()?;
        if self.appeal.as_ref().is_some_and(|appeal| appeal.excluded_reviewer_id == reviewer_id) {
            return Err(Refusal::Excluded);
        }
        let until = now.plus(span);
        match self.live_lease(now) {
            Some(lease) if lease.reviewer_id != reviewer_id => {
                return Err(Refusal::Leased(lease.until));
            }
            Some(lease) => {
                let until = until.max(lease.until);
                self.lease = Some(Lease { reviewer_id: reviewer_id.to_owned(), until });
            }
            // Only kept open for the holder whose lease has expired.
            None if self.lease.is_some() && self.nothing_left() => {
                return Err(Refusal::NotOpen(State::Withdrawn));
            }
            None => {
                self.lease = Some(Lease { reviewer_id: reviewer_id.to_owned(), until });
                self.fencing_token += 1;
            }
        }
        self.update_time = now;
        Ok(())
    }

    /// Prolongs the lease, counted from now.
    ///
    /// # Errors
    /// `LeaseLost`.
    pub fn renew(&mut self, held: Held<'_>, span: Duration, now: Time) -> Result<(), Refusal> {
        self.check_held(held, now)?;
        let until = now.plus(span);
        self.lease = Some(Lease { reviewer_id: held.reviewer_id.to_owned(), until });
        self.update_time = now;
        Ok(())
    }

    /// Gives the case back.
    ///
    /// # Errors
    /// `LeaseLost`.
    pub fn release(&mut self, held: Held<'_>, now: Time) -> Result<Ended, Refusal> {
        self.check_held(held, now)?;
        Ok(self.end_lease(now))
    }

    /// Takes back a lease that has expired; `None` if there is none.
    pub fn expire(&mut self, now: Time) -> Option<Ended> {
        let expired = self.lease.as_ref().is_some_and(|lease| lease.until <= now);
        expired.then(|| self.end_lease(now))
    }

    /// Moves the case to another queue and ends the lease.
    ///
    /// # Errors
    /// `NotOpen`, `LeaseLost`.
    pub fn escalate(&mut self, held: Held<'_>, queue: &str, now: Time) -> Result<(), Refusal> {
        self.check_open()?;
        self.check_held(held, now)?;
        self.lease = None;
        self.escalated = true;
        queue.clone_into(&mut self.queue);
        self.changed(now);
        Ok(())
    }

    /// Decides the case and ends the lease.
    ///
    /// # Errors
    /// `NotOpen`, `LeaseLost`, `EtagMismatch`, `VerdictNotApplicable`.
    pub fn decide(
        &mut self,
        held: Held<'_>,
        etag: &str,
        outcome: Outcome,
        decision_id: &str,
        now: Time,
    ) -> Result<(), Refusal> {
        self.check_open()?;
        self.check_held(held, now)?;
        if self.etag() != etag {
            return Err(Refusal::EtagMismatch(self.etag()));
        }
        if !decides(outcome, self.kind) {
            return Err(Refusal::VerdictNotApplicable);
        }
        self.lease = None;
        self.state = State::Decided;
        decision_id.clone_into(&mut self.decision_id);
        self.changed(now);
        Ok(())
    }
}

/// What reporters and appellants do.
impl Case {
    /// Adds a report; its place in the queue never moves back.
    ///
    /// # Errors
    /// `NotOpen`.
    pub fn add_report(&mut self, added: Added<'_>, now: Time) -> Result<(), Refusal> {
        self.check_open()?;
        self.report_count += 1;
        self.absorb(added, now);
        Ok(())
    }

    fn absorb(&mut self, added: Added<'_>, now: Time) {
        self.severity = self.severity.max(added.severity);
        self.source = more_trusted(self.source, added.source);
        self.due_time = self.due_time.min(added.due_time);
        let suggested = added.policy.is_empty()
            || self.suggested_policies.iter().any(|policy| policy == added.policy);
        if !suggested {
            self.suggested_policies.push(added.policy.to_owned());
        }
        if self.language.is_empty() {
            added.language.clone_into(&mut self.language);
        }
        self.rank();
        self.changed(now);
    }

    /// Takes a report away. When none is left and nobody holds the case, it is withdrawn; who
    /// holds it may still decide.
    ///
    /// # Errors
    /// `NotOpen`: a decision or withdrawal stands.
    pub fn withdraw_report(&mut self, now: Time) -> Result<(), Refusal> {
        self.check_open()?;
        self.report_count = (self.report_count - 1).max(0);
        self.taken_away(now);
        Ok(())
    }

    fn taken_away(&mut self, now: Time) {
        self.rank();
        self.changed(now);
        if self.nothing_left() && self.live_lease(now).is_none() {
            self.end_lease(now);
        }
    }

    /// Closes the case of an appeal that was withdrawn, whoever holds it.
    ///
    /// # Errors
    /// `NotOpen`: a decision prevails.
    pub fn withdraw_appeal(&mut self, now: Time) -> Result<(), Refusal> {
        self.check_open()?;
        self.lease = None;
        self.state = State::Withdrawn;
        self.changed(now);
        Ok(())
    }

    /// Moves a waiting case to another queue, by the pack's rules.
    pub fn route(&mut self, queue: &str, now: Time) {
        queue.clone_into(&mut self.queue);
        self.changed(now);
    }

    /// Works out the place in the queue from what the case is now.
    pub fn rank(&mut self) {
        let count = self.report_count + self.impersonation_count;
        self.rank_time = rank_time(self.due_time, self.severity, count, self.source);
    }

    fn end_lease(&mut self, now: Time) -> Ended {
        self.lease = None;
        self.update_time = now;
        if !self.nothing_left() {
            return Ended::Free;
        }
        self.state = State::Withdrawn;
        self.changed(now);
        Ended::Withdrawn
    }

    fn changed(&mut self, now: Time) {
        self.version += 1;
        self.update_time = now;
    }
}

/// Whether an outcome can decide a kind of case.
pub fn decides(outcome: Outcome, kind: Kind) -> bool {
    match outcome {
        Outcome::Unspecified => false,
        Outcome::Violation | Outcome::NoViolation => kind != Kind::Appeal,
        Outcome::Upheld | Outcome::Overturned | Outcome::PartiallyOverturned => {
            kind == Kind::Appeal
        }
    }
}

/// A trusted flagger before a person before a model.
pub fn more_trusted(one: Source, other: Source) -> Source {
    let trust = |source| match source {
        Source::TrustedFlagger => 3,
        Source::User => 2,
        Source::Detector => 1,
        Source::Unspecified => 0,
    };
    if trust(other) > trust(one) { other } else { one }
}

mod impersonation;
#[cfg(test)]
mod tests;
