//! What review does to the cases of appeals, and what it means for the appeals.
//!
//! It must not judge: a ruling is passed on as review gave it.

use contracts::appeals::v1::appeal::Outcome;
use contracts::review::v1::case::Kind;
use contracts::review::v1::decision::Outcome as Verdict;
use contracts::review::v1::review_event::Event;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use contracts::review::v1::{AppealCaseDecided, Case, ReviewEvent, WatchReviewEventsRequest};
use kit::client::Peer;
use kit::db::Tx;
use kit::follow::{self, EventStream, Follow, Message};
use kit::{Clock, Error, Ids, Time};
use tonic::Status;

use crate::appeal::{self, Change, Ruling};
use crate::events::Events;
use crate::store;

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

/// Which appeal an event is about, and what it means for it; `None` for what is not about
/// appeals.
pub fn meaning(event: &ReviewEvent) -> Option<(&str, Change)> {
    match event.event.as_ref()? {
        Event::CaseOpened(opened) => {
            let case = opened.case.as_ref().filter(|case| case.kind() == Kind::Appeal)?;
            let Case { appeal_id, case_id, .. } = case;
            Some((appeal_id, Change::TakenUp { case_id: case_id.clone() }))
        }
        Event::AppealCaseDecided(decided) => Some((&decided.appeal_id, ruling(decided)?)),
        // A case of an appeal is only withdrawn because the appeal was.
        Event::CaseWithdrawn(_)
        | Event::ImpersonationAdded(_)
        | Event::ReportAdded(_)
        | Event::CaseEscalated(_)
        | Event::CaseDecided(_) => None,
    }
}

fn ruling(decided: &AppealCaseDecided) -> Option<Change> {
    let decision = decided.decision.as_ref()?;
    let outcome = match decision.outcome() {
        Verdict::Upheld => Outcome::Upheld,
        Verdict::Overturned => Outcome::Overturned,
        Verdict::PartiallyOverturned => Outcome::PartiallyOverturned,
        Verdict::Unspecified | Verdict::Violation | Verdict::NoViolation => return None,
    };
    Some(Change::Decided(Ruling {
        case_id: decided.case_id.clone(),
        decision_id: decision.decision_id.clone(),
        outcome,
        reasons: decision.appeal_reasons.clone(),
    }))
}

/// Applies a batch of review's events, telling of it with `events`.
///
/// # Errors
/// If a statement fails.
pub async fn apply(tx: &mut Tx, batch: &[ReviewEvent], events: Events<'_>) -> Result<(), Error> {
    for (appeal_id, change) in batch.iter().filter_map(meaning) {
        let Some(appeal) = store::lock(tx, appeal_id).await? else {
            // Review hears what another deployment's appeals service filed: nothing to tell here.
            tracing::warn!(appeal.id = appeal_id, "review tells of an unknown appeal");
            continue;
        };
        let Ok(Some(changed)) = appeal::after(&appeal, &change, events.now) else { continue };
        store::put(tx, &changed).await?;
        tx.append(match change {
            Change::TakenUp { .. } => events.in_review(&changed),
            Change::Decided(_) => events.decided(&changed),
            Change::Withdrawn => events.withdrawn(&changed),
        });
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

    fn opened(kind: Kind) -> ReviewEvent {
        let case = Case {
            case_id: "case_2".to_owned(),
            kind: kind.into(),
            appeal_id: "app_1".to_owned(),
            ..Case::default()
        };
        event(Event::CaseOpened(review::CaseOpened { case: Some(case), ..Default::default() }))
    }

    fn heard(outcome: Verdict) -> ReviewEvent {
        let decision = review::Decision {
            decision_id: "dec_2".to_owned(),
            outcome: outcome.into(),
            appeal_reasons: "satire".to_owned(),
            ..Default::default()
        };
        event(Event::AppealCaseDecided(AppealCaseDecided {
            case_id: "case_2".to_owned(),
            appeal_id: "app_1".to_owned(),
            decision: Some(decision),
            ..Default::default()
        }))
    }

    #[test]
    fn each_event_means_what_the_table_says() {
        let taken_up = Change::TakenUp { case_id: "case_2".to_owned() };
        let ruled = |outcome| {
            Some(Change::Decided(Ruling {
                case_id: "case_2".to_owned(),
                decision_id: "dec_2".to_owned(),
                outcome,
                reasons: "satire".to_owned(),
            }))
        };
        for (told, means) in [
            (opened(Kind::Appeal), Some(taken_up)),
            (opened(Kind::Reports), None),
            (heard(Verdict::Upheld), ruled(Outcome::Upheld)),
            (heard(Verdict::Overturned), ruled(Outcome::Overturned)),
            (heard(Verdict::PartiallyOverturned), ruled(Outcome::PartiallyOverturned)),
            (heard(Verdict::Violation), None),
            (event(Event::CaseDecided(Default::default())), None),
            (event(Event::CaseWithdrawn(Default::default())), None),
            (event(Event::ReportAdded(Default::default())), None),
            (ReviewEvent::default(), None),
        ] {
            let found = meaning(&told);
            assert!(found.as_ref().is_none_or(|(appeal_id, _)| *appeal_id == "app_1"));
            assert_eq!(found.map(|(_, change)| change), means, "{told:?}");
        }
    }
}
