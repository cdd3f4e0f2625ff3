//! What a decision does to an account: pure transitions from (account, decision, pack, ladders,
//! now) to entries, statements and events. No IO and no clock; ids come from the injected
//! source.
//!
//! A decision counts from when it was taken. One that takes the place of another on appeal
//! counts from when the first one did, so that time served under the first is served.

use contracts::accounthealth::v1 as proto;
use contracts::accounthealth::v1::account_health_event::Event;
use contracts::accounthealth::v1::restriction_lifted::Cause;
use contracts::review::v1 as review;
use contracts::types::v1::{Source, Subject};
use kit::events::NewEvent;
use kit::{Error, Ids, Time};
use pack::Pack;

use crate::change;
use crate::ladder::{self, Ladder};
use crate::ledger::{Body, Entry, Violation};
use crate::message;
use crate::standing::Timeline;
use crate::statement::{self, kind};

/// One microsecond: entries of one account are at least that far apart.
const TICK: std::time::Duration = std::time::Duration::from_micros(1);

/// An account, locked, with its whole ledger.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub account_id: String,
    /// The language wanted, as a BCP 47 tag; empty for the pack's default.
    pub locale: String,
    /// Its ledger.
    pub entries: Vec<Entry>,
    /// How it stands as far as events have told.
    pub announced: proto::Standing,
    /// The instant of its last change.
    pub last_time: Time,
    /// The statements that an appeal may supersede, with those issued just now.
    pub statements: Vec<proto::Statement>,
}

/// What holds while a batch is decided.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// Now.
    pub now: Time,
    /// The ladders in force.
    pub ladders: &'a [Ladder],
    /// The version of the pack that they are from.
    pub ladders_version: i64,
    /// Where ids come from.
    pub ids: &'a Ids,
}

/// What is to be stored.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Entries to insert.
    pub entries: Vec<Entry>,
    /// Statements to insert, without their texts.
    pub statements: Vec<proto::Statement>,
    /// Events to append, in order.
    pub events: Vec<NewEvent>,
}

/// What is common to a decision on reports and one on an appeal.
#[derive(Clone, Copy, Debug)]
struct Ruling<'a> {
    decision: &'a review::Decision,
    subject: &'a Subject,
    source: Source,
    reason: &'a str,
}

impl Account {
    /// Enters the violation that a case was decided to be, and states its reasons. Entering a
    /// decision that was entered before, or one that found none, does nothing.
    ///
    /// # Errors
    /// INTERNAL if the event lacks a part or the pack lacks the policy.
    pub fn enter(
        &mut self,
        decided: &review::CaseDecided,
        pack: &Pack,
        desk: &Desk<'_>,
        out: &mut Changes,
    ) -> Result<(), Error> {
        let decision = part(decided.decision.as_ref(), "decision")?;
        if decision.outcome() != review::decision::Outcome::Violation {
            return Ok(());
        }
        let subject = part(decided.subject.as_ref(), "subject")?;
        let (source, reason) = (decided.source(), decided.reason.as_str());
        self.record(Ruling { decision, subject, source, reason }, pack, desk, out)
    }

    /// Enters a first violation and states its reasons, unless that was done before.
    fn record(
        &mut self,
        ruling: Ruling<'_>,
        pack: &Pack,
        desk: &Desk<'_>,
        out: &mut Changes,
    ) -> Result<(), Error> {
        let decision = ruling.decision;
        if self.entry_of(&decision.decision_id).is_some() {
            return Ok(());
        }
        let at = self.tick(desk.now);
        let effective = decide_time(decision).min(at);
        let statement_id = desk.ids.new_id("sor", at);
        let (entry, rule) = self.violation(ruling, pack, effective, at, &statement_id, desk.ids)?;
        self.add(entry.clone(), out);
        let timeline = Timeline::new(&self.entries, desk.ladders, at);
        let warning = timeline.is_warning(&entry.entry_id);
        let text = if warning { kind::WARNING } else { kind::VIOLATION };
        let mut statement = self.statement(statement_id, text, ruling, at, pack);
        change::state_violation(&mut statement, &entry, &timeline, at);
        change::state_rule(&mut statement, decision, rule);
        statement.appealable = rule.appealable;
        let window = ladder::days(rule.appeal_window_days);
        statement.appeal_end_time = message::bounded(at.plus(window)).filter(|_| rule.appealable);
        let recorded = message::one_entry(&entry, warning, None, at);
        let recorded = proto::ViolationRecorded { entry: Some(recorded) };
        self.tell(desk, at, "violation_recorded", Event::ViolationRecorded(recorded), out);
        // Time aside, only other ladders can end a restriction when a violation comes.
        self.settle(desk, at, Cause::PolicyChanged, out);
        self.issue(statement, pack, desk, at, out);
        Ok(())
    }

    /// Carries out a decision on an appeal: voids the entry of the decision that fell, enters
    /// the milder violation where there is one, and states the new reasons in the place of the
    /// old. A decision that fell already, that upheld, or that never reached this ledger changes
    /// nothing. A violation found only on the appeal, where none stood, is entered like any first
    /// one: its account may appeal against it in turn.
    ///
    /// # Errors
    /// INTERNAL if the event lacks a part or the pack lacks the policy.
    pub fn hear(
        &mut self,
        decided: &review::AppealCaseDecided,
        pack: &Pack,
        desk: &Desk<'_>,
        out: &mut Changes,
    ) -> Result<(), Error> {
        let decision = part(decided.decision.as_ref(), "decision")?;
        let text = match decision.outcome() {
            review::decision::Outcome::Overturned => kind::OVERTURNED,
            review::decision::Outcome::PartiallyOverturned => kind::PARTIALLY_OVERTURNED,
            _ => return Ok(()),
        };
        let subject = part(decided.subject.as_ref(), "subject")?;
        let (source, reason) = (decided.source(), decided.reason.as_str());
        let ruling = Ruling { decision, subject, source, reason };
        if text == kind::OVERTURNED && decision.violation.is_some() {
            return self.record(ruling, pack, desk, out);
        }
        let Some(fallen) = self.fallen(&decision.appealed_decision_id) else { return Ok(()) };
        let at = self.tick(desk.now);
        let statement_id = desk.ids.new_id("sor", at);
        let void = self.void_of(&fallen, ruling, at, &statement_id, desk.ids);
        self.add(void.clone(), out);
        let milder = match text {
            kind::PARTIALLY_OVERTURNED => {
                let since = fallen.violation().map_or(at, |violation| violation.effective);
                Some(self.violation(ruling, pack, since, at, &statement_id, desk.ids)?)
            }
            _ => None,
        };
        if let Some((entry, _)) = &milder {
            self.add(entry.clone(), out);
        }
        let timeline = Timeline::new(&self.entries, desk.ladders, at);
        let mut statement = self.statement(statement_id, text, ruling, at, pack);
        statement.appeal_reasons.clone_from(&decision.appeal_reasons);
        let voided = message::one_entry(&fallen, false, Some(&void.entry_id), at);
        let voided = proto::EntryVoided {
            entry: Some(voided),
            void: Some(message::one_entry(&void, false, None, at)),
            overturned_by_decision_id: decision.decision_id.clone(),
        };
        let mut told = vec![("entry_voided", Event::EntryVoided(voided))];
        if let Some((entry, rule)) = &milder {
            change::state_violation(&mut statement, entry, &timeline, at);
            change::state_rule(&mut statement, decision, rule);
            let warning = timeline.is_warning(&entry.entry_id);
            let recorded = message::one_entry(entry, warning, None, at);
            let recorded = proto::ViolationRecorded { entry: Some(recorded) };
            told.push(("violation_recorded", Event::ViolationRecorded(recorded)));
        }
        for (name, event) in told {
            self.tell(desk, at, name, event, out);
        }
        self.settle(desk, at, Cause::Voided, out);
        self.supersede(&fallen.statement_id, &mut statement);
        self.issue(statement, pack, desk, at, out);
        Ok(())
    }

    /// Tells what has changed since it was last told, by an entry, the passing of time or other
    /// ladders. `cause` is why a restriction is gone whose time was not over.
    pub fn settle(&mut self, desk: &Desk<'_>, at: Time, cause: Cause, out: &mut Changes) {
        let standing = Timeline::new(&self.entries, desk.ladders, at).at(at);
        let now = message::standing(&self.account_id, &standing, at, desk.ladders_version);
        let told = change::told(&self.announced, &now, at, cause);
        self.announced = now;
        for (name, event) in told {
            self.tell(desk, at, name, event, out);
        }
    }

    /// The instant of the next change: now, but later than the last one.
    fn tick(&mut self, now: Time) -> Time {
        self.last_time = now.max(self.last_time.plus(TICK));
        self.last_time
    }

    fn entry_of(&self, decision_id: &str) -> Option<&Entry> {
        let of_it = |entry: &&Entry| entry.decision_id == decision_id;
        self.entries.iter().filter(of_it).find(|entry| entry.violation().is_some())
    }

    /// The violation entered for a decision, unless it was voided before.
    fn fallen(&self, decision_id: &str) -> Option<Entry> {
        let found = self.entry_of(decision_id);
        let Some(entry) = found else {
            tracing::warn!(decision.id = decision_id, "a decision fell that was never entered");
            return None;
        };
        let voided =
            self.entries.iter().any(|other| other.voids() == Some(entry.entry_id.as_str()));
        if voided {
            tracing::warn!(decision.id = decision_id, "a decision fell that fell before");
            return None;
        }
        Some(entry.clone())
    }

    fn add(&mut self, entry: Entry, out: &mut Changes) {
        out.entries.push(entry.clone());
        self.entries.push(entry);
    }

    fn violation<'p>(
        &self,
        ruling: Ruling<'_>,
        pack: &'p Pack,
        effective: Time,
        at: Time,
        statement_id: &str,
        ids: &Ids,
    ) -> Result<(Entry, &'p contracts::policy::v1::Rule), Error> {
        let decision = ruling.decision;
        let found = part(decision.violation.as_ref(), "violation")?;
        let decided = decide_time(decision);
        let in_force = pack.resolve(&found.policy, &found.region, decided).ok_or_else(|| {
            let version = pack.version();
            Error::internal(format!("pack {version} has no policy {} in force", found.policy))
        })?;
        let severity = match found.severity() {
            contracts::types::v1::Severity::Unspecified => in_force.rule.severity(),
            severity => severity,
        };
        let lasts = in_force.rule.expiry_days;
        let violation = Violation {
            policy: found.policy.clone(),
            edition: in_force.edition.to_owned(),
            severity,
            points: Pack::points(in_force.rule, severity).max(0),
            ladders: in_force.rule.ladders.clone(),
            effective,
            expire: (lasts > 0).then(|| effective.plus(ladder::days(lasts))),
        };
        let body = Body::Violation(violation);
        Ok((self.entry(body, ruling, at, statement_id, ids), in_force.rule))
    }

    fn void_of(
        &self,
        fallen: &Entry,
        ruling: Ruling<'_>,
        at: Time,
        statement_id: &str,
        ids: &Ids,
    ) -> Entry {
        let body = Body::Void { voids_entry_id: fallen.entry_id.clone() };
        self.entry(body, ruling, at, statement_id, ids)
    }

    fn entry(
        &self,
        body: Body,
        ruling: Ruling<'_>,
        at: Time,
        statement_id: &str,
        ids: &Ids,
    ) -> Entry {
        Entry {
            entry_id: ids.new_id("ent", at),
            account_id: self.account_id.clone(),
            body,
            decision_id: ruling.decision.decision_id.clone(),
            case_id: ruling.decision.case_id.clone(),
            subject: ruling.subject.clone(),
            pack_version: ruling.decision.pack_version,
            statement_id: statement_id.to_owned(),
            create_time: at,
        }
    }

    /// A statement of a decision, without what only a violation has.
    fn statement(
        &self,
        statement_id: String,
        kind: &str,
        ruling: Ruling<'_>,
        at: Time,
        pack: &Pack,
    ) -> proto::Statement {
        let violation = ruling.decision.violation.as_ref();
        let policy = violation.map(|found| found.policy.as_str()).unwrap_or_default();
        let (dsa_category, dsa_keywords) = change::dsa(pack, ruling.reason, policy);
        proto::Statement {
            statement_id,
            account_id: self.account_id.clone(),
            state: proto::statement::State::Issued as i32,
            decision_id: ruling.decision.decision_id.clone(),
            case_id: ruling.decision.case_id.clone(),
            subject: Some(ruling.subject.clone()),
            kind: kind.to_owned(),
            source: ruling.source as i32,
            dsa_category,
            dsa_keywords,
            issue_time: Some(at.to_timestamp()),
            pack_version: pack.version(),
            ..proto::Statement::default()
        }
    }

    /// Puts a statement in the place of another; where no violation is left, it says which one
    /// fell.
    fn supersede(&mut self, statement_id: &str, by: &mut proto::Statement) {
        by.supersedes_statement_id = statement_id.to_owned();
        let old = self.statements.iter_mut().find(|old| old.statement_id == statement_id);
        let Some(old) = old else { return };
        old.state = proto::statement::State::Superseded as i32;
        old.superseded_by_statement_id.clone_from(&by.statement_id);
        if by.policy.is_empty() {
            change::carry_over(old, by);
        }
    }

    fn issue(
        &mut self,
        statement: proto::Statement,
        pack: &Pack,
        desk: &Desk<'_>,
        at: Time,
        out: &mut Changes,
    ) {
        let mut rendered = statement.clone();
        statement::render(&mut rendered, pack, &self.locale);
        let issued = proto::StatementIssued { statement: Some(rendered) };
        self.tell(desk, at, "statement_issued", Event::StatementIssued(issued), out);
        self.statements.push(statement.clone());
        out.statements.push(statement);
    }

    fn tell(&self, desk: &Desk<'_>, at: Time, name: &'static str, event: Event, out: &mut Changes) {
        let event_id = desk.ids.new_id("evt", at);
        let message = proto::AccountHealthEvent {
            event_id: event_id.clone(),
            time: Some(at.to_timestamp()),
            event: Some(event),
        };
        out.events.push(NewEvent::of(event_id, &self.account_id, name, at, &message));
    }
}

/// When a decision was taken.
fn decide_time(decision: &review::Decision) -> Time {
    let time = decision.decide_time.as_ref().and_then(Time::from_timestamp);
    time.unwrap_or(Time::from_micros(i64::MAX))
}

/// A part that review always sends.
fn part<'a, T>(part: Option<&'a T>, name: &str) -> Result<&'a T, Error> {
    part.ok_or_else(|| Error::internal(format!("an event of review lacks its {name}")))
}
