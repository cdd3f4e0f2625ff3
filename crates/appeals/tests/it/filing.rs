//! Filing: what is admitted, what is refused and why, repeats and races.

use std::sync::atomic::Ordering;
use std::time::Duration;

use contracts::accounthealth::v1::Statement;
use contracts::accounthealth::v1::statement::State as StatementState;
use contracts::appeals::v1::appeal::{Outcome, State};
use contracts::appeals::v1::appeal_event::Event;
use futures_util::future::join_all;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::world::{
    PERSON, START, WINDOW, World, decoded, each, file, get, meta, nobody, reason, request,
    request_id, statement, withdraw,
};

#[tokio::test]
async fn an_appeal_is_stored_with_its_event() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        let mut client = world.creator();
        let appeal = file(&mut client, "dec_1").await.unwrap();
        assert!(kit::id::is_id("app", &appeal.appeal_id));
        assert_eq!(
            (appeal.account_id.as_str(), appeal.decision_id.as_str()),
            ("creator-1", "dec_1")
        );
        assert_eq!(appeal.statement_id, "sor_of_dec_1");
        assert_eq!(appeal.subject, statement("dec_1").subject);
        assert_eq!((appeal.state(), appeal.outcome()), (State::Filed, Outcome::Unspecified));
        assert_eq!(appeal.grounds, "it is satire");
        assert_eq!(appeal.evidence_urls, ["https://example.com/\"quoted\""]);
        assert_eq!(
            (appeal.create_time, appeal.update_time),
            (Some(START.into()), Some(START.into()))
        );
        assert_eq!(get(&mut client, &appeal.appeal_id).await.unwrap(), appeal);

        let events = world.events().await;
        assert_eq!(events.len(), 1);
        let Some(Event::AppealFiled(filed)) = decoded(&events[0]).event else { panic!() };
        assert_eq!(filed.appeal, Some(appeal));
        assert_eq!(filed.appealed_case_id, "case_of_dec_1");
    }
}

#[tokio::test]
async fn only_the_account_decided_against_appeals() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        let foreign = file(&mut world.client("creator-2", PERSON), "dec_1").await.unwrap_err();
        let missing = file(&mut world.creator(), "dec_2").await.unwrap_err();
        for (status, decision_id) in [(foreign, "dec_1"), (missing, "dec_2")] {
            assert_eq!(status.code(), Code::NotFound);
            assert_eq!(reason(&status), "DECISION_NOT_FOUND");
            assert_eq!(meta(&status, "decision_id"), decision_id);
        }
        assert!(world.events().await.is_empty());
    }
}

#[tokio::test]
async fn the_window_is_from_the_issue_to_before_the_end() {
    const MICRO: Duration = Duration::from_micros(1);
    for world in each().await {
        for decision_id in ["dec_1", "dec_2", "dec_3", "dec_4"] {
            world.account_health.put(statement(decision_id));
        }
        let mut client = world.creator();
        let end = START.plus(WINDOW);
        for (decision_id, now, admitted) in [
            ("dec_1", START.minus(MICRO), false),
            ("dec_2", START, true),
            ("dec_3", end.minus(MICRO), true),
            ("dec_4", end, false),
        ] {
            world.clock.set(now);
            match file(&mut client, decision_id).await {
                Ok(_) => assert!(admitted, "{decision_id}"),
                Err(status) => {
                    assert!(!admitted, "{decision_id}");
                    assert_eq!(status.code(), Code::FailedPrecondition);
                    assert_eq!(reason(&status), "APPEAL_WINDOW_CLOSED");
                    assert_eq!(meta(&status, "appeal_end_time"), end.to_string());
                }
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_appealed_against_is_refused() {
    for world in each().await {
        world.account_health.put(Statement { appealable: false, ..statement("dec_1") });
        world.account_health.put(Statement { appeal_end_time: None, ..statement("dec_2") });
        let superseded = StatementState::Superseded.into();
        world.account_health.put(Statement { state: superseded, ..statement("dec_3") });
        for decision_id in ["dec_1", "dec_2", "dec_3"] {
            let status = file(&mut world.creator(), decision_id).await.unwrap_err();
            assert_eq!(status.code(), Code::FailedPrecondition);
            assert_eq!(reason(&status), "NOT_APPEALABLE");
        }
        assert!(world.events().await.is_empty());
    }
}

#[tokio::test]
async fn a_decision_is_appealed_against_once_even_after_a_withdrawal() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        let mut client = world.creator();
        let appeal = file(&mut client, "dec_1").await.unwrap();
        for _ in 0..2 {
            let status = file(&mut client, "dec_1").await.unwrap_err();
            assert_eq!(status.code(), Code::AlreadyExists);
            assert_eq!(reason(&status), "APPEAL_DUPLICATE");
            assert_eq!(meta(&status, "appeal_id"), appeal.appeal_id);
            let _ = withdraw(&mut client, &appeal.appeal_id).await;
        }
    }
}

#[tokio::test]
async fn a_repeat_is_answered_the_same_whatever_has_happened_since() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        world.account_health.put(statement("dec_2"));
        let mut client = world.creator();
        let request = request(request_id(), "dec_1");
        let first = client.file_appeal(request.clone()).await.unwrap().into_inner();
        let asked = world.account_health.asked.load(Ordering::SeqCst);
        world.clock.advance(WINDOW);
        world.account_health.down.store(true, Ordering::SeqCst);
        let again = client.file_appeal(request.clone()).await.unwrap().into_inner();
        assert_eq!(again, first);
        let mut other = request;
        other.decision_id = "dec_2".to_owned();
        let status = client.file_appeal(other).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::AlreadyExists, "REQUEST_ID_CONFLICT")
        );
        assert_eq!(world.account_health.asked.load(Ordering::SeqCst), asked, "nobody is asked");
        assert_eq!(world.events().await.len(), 1);
    }
}

#[tokio::test]
async fn without_account_health_the_caller_is_told_to_come_back() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        world.account_health.down.store(true, Ordering::SeqCst);
        let request = request(request_id(), "dec_1");
        let refused = world.creator().file_appeal(request.clone()).await.unwrap_err();
        world.account_health.down.store(false, Ordering::SeqCst);
        // A refusal is not kept: the same request succeeds later.
        world.creator().file_appeal(request.clone()).await.unwrap();
        // Nor is there an answer where nobody listens.
        let World { db, account_health, .. } = world;
        let world = World::on(db, account_health, nobody()).await;
        let silent = file(&mut world.creator(), "dec_2").await.unwrap_err();
        for status in [refused, silent] {
            assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "NOT_READY"));
            assert!(status.get_error_details().retry_info().is_some());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_appeals_against_one_decision_one_is_admitted() {
    for world in each().await {
        let client = world.creator();
        for round in 0..10 {
            let decision_id = format!("dec_{round}");
            world.account_health.put(statement(&decision_id));
            let racing = (0..8).map(|_| {
                let (mut client, decision_id) = (client.clone(), decision_id.clone());
                tokio::spawn(async move { file(&mut client, &decision_id).await })
            });
            let results: Vec<_> =
                join_all(racing).await.into_iter().map(|result| result.unwrap()).collect();
            let won: Vec<_> = results.iter().flatten().collect();
            assert_eq!(won.len(), 1);
            for status in results.iter().filter_map(|result| result.as_ref().err()) {
                assert_eq!(reason(status), "APPEAL_DUPLICATE");
                assert_eq!(meta(status, "appeal_id"), won[0].appeal_id);
            }
        }
        assert_eq!(world.events().await.len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_repeats_file_one_appeal() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        let request = request(request_id(), "dec_1");
        let racing = (0..8).map(|_| {
            let (mut client, request) = (world.creator(), request.clone());
            tokio::spawn(async move { client.file_appeal(request).await.unwrap().into_inner() })
        });
        let mut answers: Vec<_> = join_all(racing).await.into_iter().map(Result::unwrap).collect();
        answers.dedup();
        assert_eq!(answers.len(), 1);
        assert_eq!(world.events().await.len(), 1);
    }
}
