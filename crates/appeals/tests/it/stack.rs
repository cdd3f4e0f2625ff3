//! Bad input for each RPC, through the whole stack over a socket.

use contracts::appeals::v1::appeals_service_client::AppealsServiceClient;
use contracts::appeals::v1::{
    FileAppealRequest, GetAppealRequest, ListAppealsRequest, WatchAppealEventsRequest,
    WithdrawAppealRequest,
};
use kit::client::Peer;
use tonic::{Code, Status};

use crate::socket;
use crate::world::{World, each, reason, request, request_id, wrong_fields};

/// Serves the world; gives a client over a socket, which calls as `developer`.
async fn serve(world: &World) -> AppealsServiceClient<Peer> {
    let server = socket::server().add_when(world.running.server(), world.running.readiness());
    AppealsServiceClient::new(socket::serve(server, "developer").await)
}

fn refused(status: &Status, fields: &[&str]) {
    assert_eq!(
        (status.code(), reason(status).as_str()),
        (Code::InvalidArgument, "INVALID_REQUEST")
    );
    assert_eq!(wrong_fields(status), fields);
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_done() {
    for world in each().await {
        let mut client = serve(&world).await;
        let status = client.file_appeal(FileAppealRequest::default()).await.unwrap_err();
        refused(&status, &["request_id", "decision_id", "grounds"]);
        for (grounds, evidence, fields) in [
            ("x".repeat(5_000), 10, None),
            ("x".repeat(5_001), 10, Some("grounds")),
            ("x".to_owned(), 11, Some("evidence_urls")),
        ] {
            let mut request = request(request_id(), "dec_1");
            request.grounds = grounds;
            request.evidence_urls = vec!["https://example.com".to_owned(); evidence];
            let status = client.file_appeal(request).await.unwrap_err();
            match fields {
                None => assert_eq!(reason(&status), "DECISION_NOT_FOUND"),
                Some(field) => refused(&status, &[field]),
            }
        }
        let mut long = request(request_id(), "dec_1");
        long.evidence_urls = vec!["x".repeat(2_049), String::new()];
        let status = client.file_appeal(long).await.unwrap_err();
        refused(&status, &["evidence_urls[0]", "evidence_urls[1]"]);

        let wrong = GetAppealRequest { appeal_id: "rep_1".to_owned() };
        refused(&client.get_appeal(wrong).await.unwrap_err(), &["appeal_id"]);
        let wrong = WithdrawAppealRequest::default();
        refused(&client.withdraw_appeal(wrong).await.unwrap_err(), &["request_id", "appeal_id"]);
        let wrong = ListAppealsRequest {
            account_id: "x".repeat(129),
            page_size: -1,
            page_token: "x".repeat(1_025),
        };
        let status = client.list_appeals(wrong).await.unwrap_err();
        refused(&status, &["account_id", "page_size", "page_token"]);
        let wrong = WatchAppealEventsRequest { resume_token: "x".repeat(257) };
        let status = client.watch_appeal_events(wrong).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(world.events().await.is_empty());
    }
}
