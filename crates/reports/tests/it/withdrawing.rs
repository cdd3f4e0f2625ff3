//! Taking a report back.

use contracts::reports::v1::WithdrawReportRequest;
use contracts::reports::v1::report::State;
use contracts::reports::v1::report_event::Event;
use tonic::Code;

use crate::following::{decide, opened};
use crate::world::{decoded, each, file, get, reason, request_id, video, withdraw};

#[tokio::test]
async fn a_reporter_withdraws_a_report_until_it_is_resolved() {
    for world in each().await {
        let mut client = world.person("p1");
        let filed = file(&mut client, "v1").await.report_id;
        let in_review = file(&mut client, "v2").await.report_id;
        let resolved = file(&mut client, "v3").await.report_id;
        world.review(&[opened(&in_review, "case_2"), opened(&resolved, "case_3")]).await;
        world.review(&[decide("case_3", true)]).await;
        for report_id in [&filed, &in_review] {
            let report = withdraw(&mut client, report_id).await.unwrap();
            assert_eq!(report.state(), State::Withdrawn);
            assert_eq!(get(&mut client, report_id).await.unwrap(), report);
            let again = withdraw(&mut client, report_id).await.unwrap_err();
            assert_eq!(again.code(), Code::FailedPrecondition);
            assert_eq!(reason(&again), "REPORT_WITHDRAWN");
        }
        let refused = withdraw(&mut client, &resolved).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(reason(&refused), "REPORT_RESOLVED");

        let events = world.events().await;
        let told: Vec<_> = events.iter().filter(|e| e.kind == "report_withdrawn").collect();
        assert_eq!(told.len(), 2);
        let Some(Event::ReportWithdrawn(event)) = decoded(told[0]).event else { panic!() };
        assert_eq!((event.report_id, event.subject), (filed, Some(video("v1"))));
    }
}

#[tokio::test]
async fn nobody_else_withdraws_it() {
    for world in each().await {
        let report_id = file(&mut world.person("p1"), "v1").await.report_id;
        for mut client in [world.person("p2"), world.staff()] {
            let status = withdraw(&mut client, &report_id).await.unwrap_err();
            assert_eq!(reason(&status), "REPORT_NOT_FOUND");
        }
        let missing = withdraw(&mut world.person("p1"), "rep_nothing").await.unwrap_err();
        assert_eq!(reason(&missing), "REPORT_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_repeat_is_answered_the_same() {
    for world in each().await {
        let mut client = world.person("p1");
        let report_id = file(&mut client, "v1").await.report_id;
        let other = file(&mut client, "v1").await.report_id;
        let request = WithdrawReportRequest { request_id: request_id(), report_id };
        let first = client.withdraw_report(request.clone()).await.unwrap().into_inner();
        assert_eq!(client.withdraw_report(request.clone()).await.unwrap().into_inner(), first);
        let conflict = WithdrawReportRequest { report_id: other, ..request };
        let status = client.withdraw_report(conflict).await.unwrap_err();
        assert_eq!(reason(&status), "REQUEST_ID_CONFLICT");
        assert_eq!(world.events().await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_withdrawals_one_succeeds() {
    for world in each().await {
        let mut client = world.person("p1");
        for _ in 0..5 {
            let report_id = file(&mut client, "v1").await.report_id;
            let racing = (0..8).map(|_| {
                let (mut client, report_id) = (client.clone(), report_id.clone());
                tokio::spawn(async move { withdraw(&mut client, &report_id).await })
            });
            let mut won = 0;
            for result in futures_util::future::join_all(racing).await {
                match result.unwrap() {
                    Ok(_) => won += 1,
                    Err(status) => assert_eq!(reason(&status), "REPORT_WITHDRAWN"),
                }
            }
            assert_eq!(won, 1);
        }
        let events = world.events().await;
        assert_eq!(events.iter().filter(|e| e.kind == "report_withdrawn").count(), 5);
    }
}
