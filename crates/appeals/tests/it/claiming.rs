//! Appeals of claimants against the outcome of their claims: who may, when, how often, and that
//! no event says who.

use std::sync::atomic::Ordering;
use std::time::Duration;

use contracts::appeals::v1::appeal::{Outcome, State};
use contracts::appeals::v1::appeal_event::Event;
use contracts::impersonation::v1::appeal_route::Side;
use contracts::impersonation::v1::{AppealRoute, Claim, claim};
use kit::db::Sql;
use kit::{Error, args, tx};
use prost_types::Timestamp;
use tonic::Code;

use crate::following::{heard, opened};
use crate::world::{
    PERSON, START, WINDOW, decoded, each, file, get, meta, reason, statement, withdraw,
};

/// A claim of impersonation that a decision rejected.
fn rejected(claim_id: &str, decision_id: &str) -> Claim {
    Claim {
        claim_id: claim_id.to_owned(),
        imitator_account_id: "fake".to_owned(),
        state: claim::State::Decided.into(),
        outcome: claim::Outcome::NoImitation.into(),
        case_id: "case_1".to_owned(),
        appeal_route: Some(AppealRoute {
            decision_id: decision_id.to_owned(),
            side: Side::Claimant.into(),
            appeal_end_time: Some(START.plus(WINDOW).into()),
        }),
        update_time: Some(Timestamp::from(START)),
        ..Claim::default()
    }
}

#[tokio::test]
async fn a_claimant_appeals_once_and_no_event_says_who() {
    for world in each().await {
        world.impersonation.put("star-7", rejected("clm_1", "dec_1"));
        let mut star = world.client("star-7", PERSON);
        let appeal = file(&mut star, "dec_1").await.unwrap();
        assert_eq!(
            (appeal.account_id.as_str(), appeal.claim_id.as_str(), appeal.statement_id.as_str()),
            ("star-7", "clm_1", "")
        );
        assert_eq!(appeal.subject.as_ref().unwrap().owner_account_id, "fake");
        assert_eq!(get(&mut star, &appeal.appeal_id).await.unwrap(), appeal);
        let foreign = get(&mut world.client("fake", PERSON), &appeal.appeal_id).await.unwrap_err();
        assert_eq!(reason(&foreign), "APPEAL_NOT_FOUND");
        let again = file(&mut star, "dec_1").await.unwrap_err();
        assert_eq!(
            (again.code(), reason(&again).as_str()),
            (Code::AlreadyExists, "APPEAL_DUPLICATE")
        );
        assert_eq!(meta(&again, "appeal_id"), appeal.appeal_id);

        world.review(&[opened(&appeal.appeal_id), heard(&appeal.appeal_id)]).await;
        let won = get(&mut star, &appeal.appeal_id).await.unwrap();
        assert_eq!((won.state(), won.outcome()), (State::Decided, Outcome::Overturned));
        // The claim was corrected, and names another decision by now.
        let mut corrected = rejected("clm_1", "dec_of_appeal");
        corrected.appeal_route.as_mut().unwrap().side = Side::Account.into();
        world.impersonation.put("star-7", corrected);
        assert_eq!(reason(&file(&mut star, "dec_1").await.unwrap_err()), "APPEAL_DUPLICATE");
        let won = file(&mut star, "dec_of_appeal").await.unwrap_err();
        assert_eq!(reason(&won), "NOT_APPEALABLE");

        let events = world.events().await;
        assert_eq!(events.len(), 3);
        let Some(Event::AppealFiled(filed)) = decoded(&events[0]).event else { panic!() };
        assert_eq!(filed.appealed_case_id, "case_1");
        assert_eq!(filed.appeal.unwrap().claim_id, "clm_1");
        for event in &events {
            assert!(!format!("{:?} {event:?}", decoded(event)).contains("star-7"), "{event:?}");
        }
    }
}

#[tokio::test]
async fn strangers_the_late_and_the_early_are_refused() {
    for world in each().await {
        world.impersonation.put("star", rejected("clm_1", "dec_1"));
        for who in ["fan", "fake"] {
            let status = file(&mut world.client(who, PERSON), "dec_1").await.unwrap_err();
            assert_eq!(reason(&status), "DECISION_NOT_FOUND", "{who}");
        }
        let mut star = world.client("star", PERSON);
        let pending = Claim { appeal_route: None, ..rejected("clm_2", "dec_2") };
        world.impersonation.put("star", pending);
        assert_eq!(reason(&file(&mut star, "dec_2").await.unwrap_err()), "DECISION_NOT_FOUND");
        let end = START.plus(WINDOW);
        world.clock.set(end);
        let late = file(&mut star, "dec_1").await.unwrap_err();
        assert_eq!(reason(&late), "APPEAL_WINDOW_CLOSED");
        assert_eq!(meta(&late, "appeal_end_time"), end.to_string());
        world.clock.set(end.minus(Duration::from_micros(1)));
        world.impersonation.down.store(true, Ordering::SeqCst);
        let away = file(&mut star, "dec_1").await.unwrap_err();
        assert_eq!((away.code(), reason(&away).as_str()), (Code::Unavailable, "NOT_READY"));
        assert!(world.events().await.is_empty());
        world.impersonation.down.store(false, Ordering::SeqCst);
        file(&mut star, "dec_1").await.unwrap();
    }
}

#[tokio::test]
async fn one_side_or_claimant_takes_no_appeal_from_another() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        world.impersonation.put("star", rejected("clm_1", "dec_1"));
        world.impersonation.put("agent", rejected("clm_2", "dec_1"));
        let mut star = world.client("star", PERSON);
        let first = file(&mut star, "dec_1").await.unwrap();
        withdraw(&mut star, &first.appeal_id).await.unwrap();
        let agent = file(&mut world.client("agent", PERSON), "dec_1").await.unwrap();
        assert_eq!(agent.claim_id, "clm_2");
        let creator = file(&mut world.creator(), "dec_1").await.unwrap();
        assert_eq!(
            (creator.claim_id.as_str(), creator.statement_id.as_str()),
            ("", "sor_of_dec_1")
        );
    }
}

#[tokio::test]
async fn without_an_impersonation_service_the_others_appeal_and_claimants_are_told() {
    for world in each().await {
        let world = world.without_impersonation().await;
        world.account_health.put(statement("dec_1"));
        file(&mut world.creator(), "dec_1").await.unwrap();
        let status = file(&mut world.client("star", PERSON), "dec_2").await.unwrap_err();
        assert_eq!(reason(&status), "DECISION_NOT_FOUND");
        assert!(status.message().contains("no impersonation service is configured"), "{status}");
    }
}

/// The schema before claimants could appeal, with an appeal in it.
static BEFORE: kit::db::Migrations =
    kit::db::Migrations::new(&[("0001_before", include_str!("../../migrations/0001_appeals.sql"))]);
static OLD: Sql = Sql::new(
    "INSERT INTO appeals VALUES ('app_1', 'creator-1', 'dec_1', 'sor_1', 'case_1', 1, 'v1',
                                 'creator-1', 'satire', '[\"https://e.example\"]', 5, 3, 2, 'so',
                                 'case_2', 'dec_2', 7)",
);

#[tokio::test]
async fn appeals_of_before_are_kept() {
    for db in testkit::db::each(&BEFORE).await {
        tx!(db, "test_old", |tx| -> Result<(), Error> {
            tx.execute(&OLD, args![]).await?;
            Ok(())
        })
        .unwrap();
        db.migrate(&appeals::MIGRATIONS).await.unwrap();
        let kept = appeals::store::get(&db, "app_1").await.unwrap().unwrap();
        assert_eq!(kept.evidence_urls, ["https://e.example"]);
        assert_eq!((kept.state(), kept.outcome_reasons.as_str()), (State::Decided, "so"));
        assert_eq!(kept.claim_id, "");
    }
}
