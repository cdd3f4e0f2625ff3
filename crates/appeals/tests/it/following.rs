//! What review does to the case of an appeal reaches the appeal, once.

use appeals::events::Events;
use appeals::follow;
use contracts::appeals::v1::appeal::{Outcome, State};
use contracts::appeals::v1::appeal_event;
use contracts::review::v1 as review;
use contracts::review::v1::case::Kind;
use contracts::review::v1::decision::Outcome as Verdict;
use contracts::review::v1::review_event::Event;
use kit::{Error, Ids, tx};

use crate::world::{World, decoded, each, file, get, statement, withdraw};

fn event(event: Event) -> review::ReviewEvent {
    review::ReviewEvent { event: Some(event), ..Default::default() }
}

/// The case of an appeal was opened.
pub fn opened(appeal_id: &str) -> review::ReviewEvent {
    let case = review::Case {
        case_id: "case_2".to_owned(),
        kind: Kind::Appeal.into(),
        appeal_id: appeal_id.to_owned(),
        ..Default::default()
    };
    event(Event::CaseOpened(review::CaseOpened { case: Some(case), ..Default::default() }))
}

fn decided(appeal_id: &str, verdict: Verdict) -> review::ReviewEvent {
    let decision = review::Decision {
        decision_id: "dec_of_appeal".to_owned(),
        outcome: verdict.into(),
        appeal_reasons: "it is satire indeed".to_owned(),
        ..Default::default()
    };
    event(Event::AppealCaseDecided(review::AppealCaseDecided {
        case_id: "case_2".to_owned(),
        appeal_id: appeal_id.to_owned(),
        decision: Some(decision),
        ..Default::default()
    }))
}

/// An appeal was decided: the decision falls.
pub fn heard(appeal_id: &str) -> review::ReviewEvent {
    decided(appeal_id, Verdict::Overturned)
}

impl World {
    /// Review has done this.
    pub async fn review(&self, batch: &[review::ReviewEvent]) {
        let ids = Ids::system();
        let now = self.clock.now();
        let done: Result<(), Error> = tx!(self.db, "test_follow", |tx| {
            follow::apply(tx, batch, Events { ids: &ids, now }).await
        });
        done.unwrap();
    }
}

#[tokio::test]
async fn an_appeal_goes_the_way_of_its_case() {
    for world in each().await {
        let mut client = world.creator();
        for (decision_id, verdict, outcome) in [
            ("dec_1", Verdict::Upheld, Outcome::Upheld),
            ("dec_2", Verdict::Overturned, Outcome::Overturned),
            ("dec_3", Verdict::PartiallyOverturned, Outcome::PartiallyOverturned),
        ] {
            world.account_health.put(statement(decision_id));
            let appeal_id = file(&mut client, decision_id).await.unwrap().appeal_id;
            world.review(&[opened(&appeal_id)]).await;
            let appeal = get(&mut client, &appeal_id).await.unwrap();
            assert_eq!((appeal.state(), appeal.case_id.as_str()), (State::InReview, "case_2"));
            world.review(&[decided(&appeal_id, verdict)]).await;
            let appeal = get(&mut client, &appeal_id).await.unwrap();
            assert_eq!((appeal.state(), appeal.outcome()), (State::Decided, outcome));
            assert_eq!(appeal.outcome_reasons, "it is satire indeed");
            assert_eq!(appeal.appeal_decision_id, "dec_of_appeal");
            let events = world.events().await;
            let last = decoded(events.last().unwrap());
            let Some(appeal_event::Event::AppealDecided(told)) = last.event else { panic!() };
            assert_eq!(told.appeal, Some(appeal));
        }
        let way = ["appeal_filed", "appeal_in_review", "appeal_decided"];
        assert_eq!(world.kinds().await, way.repeat(3));
    }
}

#[tokio::test]
async fn a_hearing_prevails_over_a_withdrawal_that_it_did_not_know() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        let mut client = world.creator();
        let appeal_id = file(&mut client, "dec_1").await.unwrap().appeal_id;
        withdraw(&mut client, &appeal_id).await.unwrap();
        world.review(&[opened(&appeal_id)]).await;
        assert_eq!(get(&mut client, &appeal_id).await.unwrap().state(), State::Withdrawn);
        world.review(&[heard(&appeal_id)]).await;
        let appeal = get(&mut client, &appeal_id).await.unwrap();
        assert_eq!((appeal.state(), appeal.outcome()), (State::Decided, Outcome::Overturned));
        assert_eq!(appeal.case_id, "case_2");
        assert_eq!(world.kinds().await, ["appeal_filed", "appeal_withdrawn", "appeal_decided"]);
    }
}

#[tokio::test]
async fn what_is_told_twice_or_is_of_nobody_changes_nothing() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        let mut client = world.creator();
        let appeal_id = file(&mut client, "dec_1").await.unwrap().appeal_id;
        let told = [opened(&appeal_id), heard(&appeal_id)];
        world.review(&told).await;
        let appeal = get(&mut client, &appeal_id).await.unwrap();
        world.clock.advance(std::time::Duration::from_secs(60));
        world.review(&told).await;
        world.review(&[decided(&appeal_id, Verdict::Upheld)]).await;
        world.review(&[opened("app_of_nobody"), heard("app_of_nobody")]).await;
        assert_eq!(get(&mut client, &appeal_id).await.unwrap(), appeal);
        assert_eq!(world.events().await.len(), 3);
    }
}
