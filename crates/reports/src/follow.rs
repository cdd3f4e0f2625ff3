//! What review does to cases, and what it means for their reports.
//!
//! A batch of review's events becomes steps (pure), and each step a few set-based statements
//! with their events, in the one transaction that also stores how far this service has followed.
//! It must not judge: an outcome is passed on as review decided it.

use std::collections::HashSet;

use contracts::reports::v1::report::Outcome;
use contracts::review::v1::decision::Outcome as Verdict;
use contracts::review::v1::review_event::Event;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use contracts::review::v1::{Decision, ReviewEvent, WatchReviewEventsRequest};
use kit::client::Peer;
use kit::db::Tx;
use kit::follow::{self, EventStream, Follow, Message};
use kit::{Clock, Error, Ids, Time};
use tonic::Status;

use crate::events::Events;
use crate::standing::{Change, Standing};
use crate::store;

/// What some of review's events mean here.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Reports became part of cases: pairs of a report's and a case's id.
    TakeUp(Vec<(String, String)>),
    /// Something happened to all reports of a case.
    Case(String, Change),
}

/// What a batch of events means here, in order. Neighbouring events that make reports part of
/// cases become one step, so that a flood of reports costs one statement for each batch.
pub fn steps(events: &[ReviewEvent]) -> Vec<Step> {
    let mut steps = Vec::new();
    for event in events.iter().filter_map(|event| event.event.as_ref()) {
        let Some(step) = step(event) else { continue };
        match (steps.last_mut(), step) {
            (Some(Step::TakeUp(pairs)), Step::TakeUp(more)) => pairs.extend(more),
            (_, step) => steps.push(step),
        }
    }
    steps
}

fn step(event: &Event) -> Option<Step> {
    match event {
        Event::CaseOpened(opened) if !opened.report_id.is_empty() => {
            let case_id = opened.case.as_ref()?.case_id.clone();
            Some(Step::TakeUp(vec![(opened.report_id.clone(), case_id)]))
        }
        Event::ReportAdded(added) => {
            Some(Step::TakeUp(vec![(added.report_id.clone(), added.case_id.clone())]))
        }
        Event::CaseDecided(decided) => {
            let outcome = match verdict(decided.decision.as_ref())? {
                Verdict::Violation => Outcome::Actioned,
                Verdict::NoViolation => Outcome::NoViolation,
                _ => return None,
            };
            Some(Step::Case(decided.case_id.clone(), Change::Decided(outcome)))
        }
        // After a partial overturn a violation still stands, so the report was right.
        Event::AppealCaseDecided(decided) => {
            let decision = decided.decision.as_ref();
            let overturned = verdict(decision)? == Verdict::Overturned;
            let change = match decision?.violation {
                Some(_) => Change::FoundOnAppeal,
                // What another appeal put in its place is not this one's to take away.
                None if decided.overturned_before => return None,
                None => Change::Overturned,
            };
            overturned.then(|| Step::Case(decided.appealed_case_id.clone(), change))
        }
        // The case of an appeal; who withdrew their reports know; where a case waits is nothing
        // to its reporters.
        Event::CaseOpened(_)
        | Event::CaseWithdrawn(_)
        | Event::CaseEscalated(_)
        | Event::ImpersonationAdded(_) => None,
    }
}

fn verdict(decision: Option<&Decision>) -> Option<Verdict> {
    decision.map(Decision::outcome)
}

/// Follows review.
pub struct ReviewFollower {
    review: ReviewServiceClient<Peer>,
    clock: Clock,
    ids: Ids,
}

impl ReviewFollower {
    /// Follows the service behind this client.
    pub fn new(review: ReviewServiceClient<Peer>, clock: Clock, ids: Ids) -> ReviewFollower {
        ReviewFollower { review, clock, ids }
    }
}

impl Follow for ReviewFollower {
    type Event = ReviewEvent;

    fn name(&self) -> &'static str {
        "review"
    }

    async fn open(&self, resume_token: String) -> Result<EventStream<ReviewEvent>, Status> {
        let request = WatchReviewEventsRequest { resume_token };
        let stream = self.review.clone().watch_review_events(request).await?.into_inner();
        Ok(follow::stream(stream, |message| Message {
            token: message.resume_token,
            event: message.event,
        }))
    }

    async fn apply(&self, tx: &mut Tx, events: &[ReviewEvent]) -> Result<(), Error> {
        apply(tx, events, Events { ids: &self.ids, now: self.clock.now() }).await
    }

    fn describe(&self, event: &ReviewEvent) -> String {
        event.event_id.clone()
    }

    fn time(&self, event: &ReviewEvent) -> Option<Time> {
        event.time.as_ref().and_then(Time::from_timestamp)
    }
}

/// Applies a batch of review's events, telling of it with `events`.
///
/// # Errors
/// If a statement fails.
pub async fn apply(tx: &mut Tx, batch: &[ReviewEvent], events: Events<'_>) -> Result<(), Error> {
    for step in steps(batch) {
        match step {
            Step::TakeUp(pairs) => take_up(tx, &pairs, events).await?,
            Step::Case(case_id, change) => change_case(tx, &case_id, change, events).await?,
        }
    }
    Ok(())
}

async fn take_up(tx: &mut Tx, pairs: &[(String, String)], events: Events<'_>) -> Result<(), Error> {
    for (before, after) in Standing::moves(Change::TakenUp) {
        let changed = store::take_up(tx, pairs, before, after, events.now).await?;
        let mut changed: HashSet<&str> = changed.iter().map(String::as_str).collect();
        // In the order in which review told it.
        for (report_id, case_id) in pairs {
            if changed.remove(report_id.as_str()) {
                tx.append(events.in_review(report_id, case_id));
            }
        }
    }
    Ok(())
}

async fn change_case(
    tx: &mut Tx,
    case_id: &str,
    change: Change,
    events: Events<'_>,
) -> Result<(), Error> {
    for (before, after) in Standing::moves(change) {
        for report_id in store::move_case(tx, case_id, (before, after), events.now).await? {
            tx.append(events.resolved(&report_id, case_id, after.outcome, after.corrected));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use contracts::review::v1 as review;

    use super::*;

    fn event(event: Event) -> ReviewEvent {
        ReviewEvent { event: Some(event), ..ReviewEvent::default() }
    }

    fn opened(report_id: &str, case_id: &str) -> ReviewEvent {
        let case = review::Case { case_id: case_id.to_owned(), ..Default::default() };
        let report_id = report_id.to_owned();
        event(Event::CaseOpened(review::CaseOpened {
            case: Some(case),
            report_id,
            ..Default::default()
        }))
    }

    fn added(report_id: &str, case_id: &str) -> ReviewEvent {
        event(Event::ReportAdded(review::ReportAdded {
            case_id: case_id.to_owned(),
            report_id: report_id.to_owned(),
            report_count: 2,
        }))
    }

    fn decision(outcome: Verdict) -> Option<Decision> {
        Some(Decision { outcome: outcome.into(), ..Decision::default() })
    }

    fn decided(outcome: Verdict) -> ReviewEvent {
        event(Event::CaseDecided(review::CaseDecided {
            case_id: "c1".to_owned(),
            decision: decision(outcome),
            ..Default::default()
        }))
    }

    fn heard(outcome: Verdict) -> ReviewEvent {
        event(Event::AppealCaseDecided(review::AppealCaseDecided {
            case_id: "c9".to_owned(),
            appealed_case_id: "c1".to_owned(),
            decision: decision(outcome),
            ..Default::default()
        }))
    }

    /// An overturned decision, perhaps with what is found instead.
    fn heard_with(found: bool, overturned_before: bool) -> ReviewEvent {
        let violation = found.then(review::Violation::default);
        let decision = decision(Verdict::Overturned);
        event(Event::AppealCaseDecided(review::AppealCaseDecided {
            appealed_case_id: "c1".to_owned(),
            decision: decision.map(|decision| Decision { violation, ..decision }),
            overturned_before,
            ..Default::default()
        }))
    }

    fn change(change: Change) -> Vec<Step> {
        vec![Step::Case("c1".to_owned(), change)]
    }

    #[test]
    fn each_event_means_what_the_table_says() {
        let pair = || vec![Step::TakeUp(vec![("r1".to_owned(), "c1".to_owned())])];
        let withdrawn = event(Event::CaseWithdrawn(Default::default()));
        let escalated = event(Event::CaseEscalated(Default::default()));
        for (told, means) in [
            (opened("r1", "c1"), pair()),
            (added("r1", "c1"), pair()),
            (opened("", "c9"), vec![]),
            (decided(Verdict::Violation), change(Change::Decided(Outcome::Actioned))),
            (decided(Verdict::NoViolation), change(Change::Decided(Outcome::NoViolation))),
            (decided(Verdict::Upheld), vec![]),
            (heard(Verdict::Overturned), change(Change::Overturned)),
            (heard(Verdict::PartiallyOverturned), vec![]),
            (heard_with(true, false), change(Change::FoundOnAppeal)),
            (heard_with(true, true), change(Change::FoundOnAppeal)),
            (heard_with(false, true), vec![]),
            (heard(Verdict::Upheld), vec![]),
            (withdrawn, vec![]),
            (escalated, vec![]),
            (ReviewEvent::default(), vec![]),
        ] {
            assert_eq!(steps(std::slice::from_ref(&told)), means, "{told:?}");
        }
    }

    #[test]
    fn neighbours_share_a_step_and_order_is_kept() {
        let batch = [
            opened("r1", "c1"),
            added("r2", "c1"),
            heard(Verdict::Upheld),
            added("r3", "c2"),
            decided(Verdict::Violation),
            added("r4", "c2"),
        ];
        let steps = steps(&batch);
        assert_eq!(steps.len(), 3);
        assert!(matches!(&steps[0], Step::TakeUp(pairs) if pairs.len() == 3));
        assert!(matches!(&steps[1], Step::Case(case, _) if case == "c1"));
        assert!(matches!(&steps[2], Step::TakeUp(pairs) if pairs[0].0 == "r4"));
    }
}
