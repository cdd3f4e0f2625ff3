//! What each RPC refuses: what does not exist, what the pack does not have, and, over a socket,
//! what breaks the contract.

use std::sync::Arc;

use contracts::review::v1::review_service_client::ReviewServiceClient;
use contracts::review::v1::review_service_server::{ReviewService as _, ReviewServiceServer};
use contracts::review::v1::*;
use contracts::types::v1::Subject;
use kit::auth::AuthConfig;
use kit::server::{Server, ServerConfig};
use kit::{Auth, Contract};
use tokio::sync::oneshot;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::world::{World, by, no_violation, reason, violation};

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    for world in World::each().await {
        let case_id = "case_00000000000000000000000000".to_owned();
        let request_id = || world.ids.new_uuid();
        let missing = Case { case_id: case_id.clone(), etag: "v1".to_owned(), ..Case::default() };
        let note = AddNoteRequest {
            request_id: request_id(),
            case_id: case_id.clone(),
            text: "x".to_owned(),
        };
        let renew = RenewLeaseRequest {
            request_id: request_id(),
            case_id: case_id.clone(),
            fencing_token: 1,
            lease_seconds: 0,
        };
        let escalate = EscalateCaseRequest {
            request_id: request_id(),
            case_id: case_id.clone(),
            fencing_token: 1,
            queue: String::new(),
            reason: "x".to_owned(),
        };
        let notes = ListNotesRequest { case_id: case_id.clone(), ..Default::default() };
        let review = &world.review;
        let case = GetCaseRequest { case_id: case_id.clone() };
        for found in [
            reason(world.claim("ann", &case_id).await),
            reason(world.release("ann", &missing).await),
            reason(world.decide("ann", &missing, no_violation()).await),
            reason(review.renew_lease(by("ann", renew)).await),
            reason(review.escalate_case(by("ann", escalate)).await),
            reason(review.add_note(by("ann", note)).await),
            reason(review.list_notes(Request::new(notes)).await),
            reason(review.get_case(Request::new(case)).await),
        ] {
            assert_eq!(found, "CASE_NOT_FOUND");
        }
        let decision = GetDecisionRequest { decision_id: "dec_1".to_owned() };
        let error = review.get_decision(Request::new(decision)).await.unwrap_err();
        let resource = error.get_error_details().resource_info().cloned().unwrap();
        assert_eq!((error.code(), resource.resource_name.as_str()), (Code::NotFound, "dec_1"));
        assert_eq!(reason::<()>(Err(error)), "DECISION_NOT_FOUND");
    }
}

#[tokio::test]
async fn queues_are_those_of_the_active_pack() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let error = world.claim_next("ann", &["general", "vip", "gone"]).await.unwrap_err();
        let details = error.get_error_details();
        let wrong: Vec<String> = details
            .bad_request()
            .unwrap()
            .field_violations
            .iter()
            .map(|violation| violation.field.clone())
            .collect();
        assert_eq!(wrong, ["queues[1]", "queues[2]"], "all of them at once");
        assert_eq!(details.error_info().unwrap().metadata["queue"], "vip");
        assert_eq!(reason::<()>(Err(error)), "QUEUE_UNKNOWN");

        let case = world.claim("ann", &case_id).await.unwrap();
        let escalate = |case: &Case, fencing_token, queue: &str| {
            let request = EscalateCaseRequest {
                request_id: world.ids.new_uuid(),
                case_id: case.case_id.clone(),
                fencing_token,
                queue: queue.to_owned(),
                reason: "x".to_owned(),
            };
            world.review.escalate_case(by("ann", request))
        };
        let before = world.everything().await;
        assert_eq!(reason(escalate(&case, 1, "vip").await), "QUEUE_UNKNOWN");
        assert_eq!(reason(escalate(&case, 2, "vip").await), "LEASE_LOST", "told first");
        assert_eq!(reason(escalate(&case, 1, "appeals").await), "INVALID_REQUEST");
        assert_eq!(reason(escalate(&case, 1, "general").await), "INVALID_REQUEST");
        assert_eq!(world.everything().await, before);
        // An exclusive queue may be named; then nobody is left to escalate to.
        escalate(&case, 1, "central").await.unwrap();
        world.claim("ann", &case_id).await.unwrap();
        assert_eq!(reason(escalate(&case, 2, "").await), "NO_ESCALATION");
    }
}

/// Review behind a real port, with the contract's rules and scopes enforced.
async fn served(world: &World) -> (ReviewServiceClient<Channel>, oneshot::Sender<()>) {
    let contract = Contract::load(contracts::DESCRIPTOR_SET).unwrap();
    let auth = Auth::new(AuthConfig::default(), &world.clock).unwrap();
    let (config, auth) = (ServerConfig::loopback(), Arc::new(auth));
    let server = Server::new(&contract, config, auth, world.clock.clone(), world.ids.clone())
        .add(ReviewServiceServer::new(world.review.clone()));
    let bound = server.bind().await.unwrap();
    let address = format!("http://{}", bound.address());
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(bound.serve_until(async move {
        let _ = stopped.await;
    }));
    (ReviewServiceClient::connect(address).await.unwrap(), stop)
}

fn fields(error: &Status) -> Vec<String> {
    let details = error.get_error_details();
    let mut fields: Vec<String> = details
        .bad_request()
        .map(|bad| bad.field_violations.iter().map(|wrong| wrong.field.clone()).collect())
        .unwrap_or_default();
    fields.sort();
    fields
}

#[tokio::test]
async fn what_breaks_the_contract_is_refused_at_the_edge() {
    for world in World::each().await {
        let (mut client, stop) = served(&world).await;
        let wrong = |error: Status| {
            assert_eq!(error.code(), Code::InvalidArgument, "{error:?}");
            fields(&error)
        };
        let uuid = || world.ids.new_uuid();
        let case_id = || "case_00000000000000000000000000".to_owned();

        let request = ClaimNextCaseRequest {
            request_id: "not a uuid".to_owned(),
            queues: vec!["general".to_owned(), String::new(), "general".to_owned()],
            lease_seconds: 3_601,
        };
        let found = wrong(client.claim_next_case(request).await.unwrap_err());
        assert_eq!(found, ["lease_seconds", "queues", "queues[1]", "request_id"]);
        let queues = (0..21).map(|number| number.to_string()).collect();
        let request = ClaimNextCaseRequest { request_id: uuid(), queues, lease_seconds: 0 };
        assert_eq!(wrong(client.claim_next_case(request).await.unwrap_err()), ["queues"]);

        let request = ClaimCaseRequest { lease_seconds: -1, ..Default::default() };
        let found = wrong(client.claim_case(request).await.unwrap_err());
        assert_eq!(found, ["case_id", "lease_seconds", "request_id"]);
        let request = RenewLeaseRequest { case_id: "rep_1".to_owned(), ..Default::default() };
        let found = wrong(client.renew_lease(request).await.unwrap_err());
        assert_eq!(found, ["case_id", "fencing_token", "request_id"]);
        let found = wrong(client.release_case(ReleaseCaseRequest::default()).await.unwrap_err());
        assert_eq!(found, ["case_id", "fencing_token", "request_id"]);

        let found = wrong(client.decide_case(DecideCaseRequest::default()).await.unwrap_err());
        assert_eq!(found, ["case_id", "etag", "fencing_token", "request_id", "verdict"]);
        let mut oversize = DecideCaseRequest {
            request_id: uuid(),
            case_id: case_id(),
            fencing_token: 1,
            etag: "v1".to_owned(),
            verdict: Some(violation("spam_links")),
            rationale: "x".repeat(5_001),
        };
        assert_eq!(wrong(client.decide_case(oversize.clone()).await.unwrap_err()), ["rationale"]);
        oversize.rationale = "x".repeat(5_000);
        let error = client.decide_case(oversize).await.unwrap_err();
        assert_eq!(reason::<()>(Err(error)), "CASE_NOT_FOUND", "at the limit it goes through");

        let request = EscalateCaseRequest { reason: "x".repeat(2_001), ..Default::default() };
        let found = wrong(client.escalate_case(request).await.unwrap_err());
        assert_eq!(found, ["case_id", "fencing_token", "reason", "request_id"]);
        let request = AddNoteRequest { text: "x".repeat(5_001), ..Default::default() };
        let found = wrong(client.add_note(request).await.unwrap_err());
        assert_eq!(found, ["case_id", "request_id", "text"]);
        let request = ListNotesRequest { page_size: -1, ..Default::default() };
        assert_eq!(wrong(client.list_notes(request).await.unwrap_err()), ["case_id", "page_size"]);
        let found = wrong(client.get_case(GetCaseRequest::default()).await.unwrap_err());
        assert_eq!(found, ["case_id"]);
        let found = wrong(client.get_decision(GetDecisionRequest::default()).await.unwrap_err());
        assert_eq!(found, ["decision_id"]);
        let request = ListCasesRequest {
            state: 99,
            kind: -1,
            subject: Some(Subject::default()),
            page_size: -1,
            ..Default::default()
        };
        let found = wrong(client.list_cases(request).await.unwrap_err());
        let expected = ["kind", "page_size", "state", "subject.id", "subject.owner_account_id"];
        assert_eq!(found[..5], expected);
        drop(stop);
    }
}
