//! Bad input for each RPC, through the whole stack over a socket.

use std::sync::Arc;

use contracts::reports::v1::reports_service_client::ReportsServiceClient;
use contracts::reports::v1::stream_reports_response::Result as Answer;
use contracts::reports::v1::{
    FileReportRequest, GetReportRequest, ListReportsRequest, StreamReportsRequest,
    WatchReportEventsRequest, WithdrawReportRequest,
};
use contracts::types::v1::Subject;
use futures_util::{StreamExt as _, stream};
use kit::client::Peer;
use kit::server::{Server, ServerConfig};
use kit::{Auth, Clock, Credentials, Ids};
use tonic::{Code, Status};

use crate::world::{World, contract, each, notice, reason, request_id, wrong_fields};

/// Serves the world; gives a client over a socket, which calls as `developer`.
async fn serve(world: &World) -> ReportsServiceClient<Peer> {
    let (clock, ids) = (Clock::system(), Ids::system());
    let auth = Arc::new(Auth::Open);
    let running = &world.service.running;
    let bound = Server::new(&contract(), ServerConfig::loopback(), auth, clock, ids)
        .add_when(running.server(), running.readiness())
        .bind()
        .await
        .unwrap();
    let address = format!("http://{}", bound.address());
    tokio::spawn(bound.serve_until(std::future::pending()));
    let peer = Peer::new(&contract(), address, Credentials::open("developer")).unwrap();
    ReportsServiceClient::new(peer)
}

fn refused(status: &Status, fields: &[&str]) {
    assert_eq!(
        (status.code(), reason(status).as_str()),
        (Code::InvalidArgument, "INVALID_REQUEST")
    );
    assert_eq!(wrong_fields(status), fields);
}

#[tokio::test]
async fn every_wrong_field_of_a_notice_is_named_and_nothing_is_done() {
    for world in each().await {
        let mut client = serve(&world).await;
        let status = client.file_report(FileReportRequest::default()).await.unwrap_err();
        refused(&status, &["request_id", "subject", "reason"]);

        let mut wrong = notice("not-a-uuid".to_owned(), "v1");
        wrong.subject = Some(Subject { r#type: 99, id: String::new(), ..Default::default() });
        wrong.reason = "x".repeat(65);
        wrong.explanation = "x".repeat(2_001);
        wrong.location_url = "x".repeat(2_049);
        wrong.evidence_urls = vec![String::new(); 11];
        wrong.region = "DEU".to_owned();
        let snapshot = wrong.snapshot.as_mut().unwrap();
        snapshot.text = "x".repeat(10_001);
        let status = client.file_report(wrong).await.unwrap_err();
        let named = wrong_fields(&status);
        for field in [
            "request_id",
            "subject.type",
            "subject.id",
            "subject.owner_account_id",
            "reason",
            "explanation",
            "location_url",
            "evidence_urls",
            "evidence_urls[0]",
            "snapshot.text",
            "region",
        ] {
            assert!(named.iter().any(|name| name == field), "{field} is not in {named:?}");
        }
        assert_eq!(world.counts().await, (0, 0, 0));
    }
}

#[tokio::test]
async fn a_notice_at_its_limits_is_taken() {
    for world in each().await {
        let mut client = serve(&world).await;
        let mut large = notice(request_id(), &"v".repeat(128));
        large.explanation = "ü".repeat(2_000);
        large.location_url = "x".repeat(2_048);
        large.evidence_urls = vec!["x".repeat(2_048); 10];
        large.snapshot.as_mut().unwrap().text = "🙂".repeat(10_000);
        client.file_report(large).await.unwrap();
        assert_eq!(world.counts().await, (1, 1, 1));
    }
}

#[tokio::test]
async fn bad_input_of_the_other_calls_is_named() {
    for world in each().await {
        let mut client = serve(&world).await;
        let wrong = GetReportRequest { report_id: "case_1".to_owned() };
        refused(&client.get_report(wrong).await.unwrap_err(), &["report_id"]);
        let wrong = WithdrawReportRequest::default();
        refused(&client.withdraw_report(wrong).await.unwrap_err(), &["request_id", "report_id"]);
        let wrong = ListReportsRequest {
            subject: Some(Subject::default()),
            page_size: -1,
            page_token: "x".repeat(1_025),
        };
        let status = client.list_reports(wrong).await.unwrap_err();
        let fields = ["subject.type", "subject.id", "subject.owner_account_id"];
        refused(&status, &[&fields[..], &["page_size", "page_token"]].concat());
        let wrong = WatchReportEventsRequest { resume_token: "x".repeat(257) };
        let status = client.watch_report_events(wrong).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn a_stream_over_a_socket_answers_each_item() {
    for world in each().await {
        let mut client = serve(&world).await;
        let items = (0..600).map(|number| {
            let mut notice = notice(request_id(), "v1");
            if number % 100 == 50 {
                notice.explanation = "x".repeat(2_001);
            }
            StreamReportsRequest { report: Some(notice) }
        });
        let answers = client.stream_reports(stream::iter(items)).await.unwrap().into_inner();
        let answers: Vec<_> = answers.map(|answer| answer.unwrap()).collect().await;
        assert!(answers.iter().map(|answer| answer.index).eq(0..600));
        let wrong = answers.iter().filter(|a| matches!(a.result, Some(Answer::Error(_))));
        assert_eq!(wrong.count(), 6);
        assert_eq!(world.counts().await, (594, 594, 594));
    }
}
