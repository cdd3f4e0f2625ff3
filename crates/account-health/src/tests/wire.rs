//! The whole service over sockets: it follows a policy and a review service that are nothing but
//! event logs, and answers through the server stack.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use contracts::accounthealth::v1 as proto;
use contracts::policy::v1 as policy;
use contracts::review::v1 as review;
use contracts::types::v1::{Feature, Severity};
use kit::client::Peer;
use kit::db::{Db, Migrations};
use kit::events::NewEvent;
use kit::server::{Server, ServerConfig};
use kit::watch::{Item, WatchOptions, WatchStream};
use kit::{Auth, Clock, Contract, Credentials, Error, Ids, Time, tx};
use pack::PackSource;
use policy::policy_service_server::{PolicyService, PolicyServiceServer};
use proto::account_health_service_client::AccountHealthServiceClient;
use review::review_service_server::{ReviewService, ReviewServiceServer};
use testkit::db::TestDb;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::build::{ACCOUNT, day, pack};
use super::stage::{START_DAY, reason, violation};
use crate::{Deps, MIGRATIONS, Peers, Running, start};

static NO_TABLES: Migrations = Migrations::new(&[]);

/// A service that has a log and, of its RPCs, only those given and the rest unanswered.
macro_rules! fake {
    ($trait:ident for $fake:ident, $stream:ident = $watch:ident($asks:ty) -> $answers:ty;
     $({ $($given:tt)* })? $($rest:ident($request:ty) -> $response:ty;)*) => {
        #[tonic::async_trait]
        impl $trait for $fake {
            type $stream = WatchStream<$answers>;

            async fn $watch(
                &self,
                request: Request<$asks>,
            ) -> Result<Response<Self::$stream>, Status> {
                let token = &request.get_ref().resume_token;
                let render = |item: Item<'_>| {
                    let event = item.event.map(|event| event.decode()).transpose()?;
                    Ok(Some(<$answers>::from_log(event, item.token)))
                };
                let watch = kit::watch::watch(&self.db, token, WatchOptions::default(), render);
                Ok(Response::new(watch.await?))
            }

            $($($given)*)?

            $(async fn $rest(&self, _: Request<$request>) -> Result<Response<$response>, Status> {
                Err(Status::unimplemented("not needed here"))
            })*
        }
    };
}

trait FromLog<E> {
    fn from_log(event: Option<E>, resume_token: String) -> Self;
}

impl FromLog<policy::PolicyEvent> for policy::WatchPolicyEventsResponse {
    fn from_log(event: Option<policy::PolicyEvent>, resume_token: String) -> Self {
        Self { event, resume_token }
    }
}

impl FromLog<review::ReviewEvent> for review::WatchReviewEventsResponse {
    fn from_log(event: Option<review::ReviewEvent>, resume_token: String) -> Self {
        Self { event, resume_token }
    }
}

#[derive(Clone)]
struct FakePolicy {
    db: Db,
    active: Arc<Mutex<i64>>,
}

fake! { PolicyService for FakePolicy,
    WatchPolicyEventsStream =
        watch_policy_events(policy::WatchPolicyEventsRequest) -> policy::WatchPolicyEventsResponse;
    {
        async fn get_pack(
            &self,
            request: Request<policy::GetPackRequest>,
        ) -> Result<Response<policy::GetPackResponse>, Status> {
            let active = *self.active.lock().unwrap();
            let version = match request.get_ref().version {
                0 if active == 0 => return Err(Error::failed_precondition("NO_ACTIVE_PACK").into()),
                0 => active,
                version => version,
            };
            let pack = Some(pack(version).proto().clone());
            Ok(Response::new(policy::GetPackResponse { pack }))
        }
    }
    check_pack(policy::CheckPackRequest) -> policy::CheckPackResponse;
    publish_pack(policy::PublishPackRequest) -> policy::PublishPackResponse;
    activate_pack(policy::ActivatePackRequest) -> policy::ActivatePackResponse;
    list_packs(policy::ListPacksRequest) -> policy::ListPacksResponse;
    diff_packs(policy::DiffPacksRequest) -> policy::DiffPacksResponse;
    preview_policy(policy::PreviewPolicyRequest) -> policy::PreviewPolicyResponse;
}

#[derive(Clone)]
struct FakeReview {
    db: Db,
}

fake! { ReviewService for FakeReview,
    WatchReviewEventsStream =
        watch_review_events(review::WatchReviewEventsRequest) -> review::WatchReviewEventsResponse;
    claim_next_case(review::ClaimNextCaseRequest) -> review::ClaimNextCaseResponse;
    claim_case(review::ClaimCaseRequest) -> review::ClaimCaseResponse;
    renew_lease(review::RenewLeaseRequest) -> review::RenewLeaseResponse;
    release_case(review::ReleaseCaseRequest) -> review::ReleaseCaseResponse;
    decide_case(review::DecideCaseRequest) -> review::DecideCaseResponse;
    escalate_case(review::EscalateCaseRequest) -> review::EscalateCaseResponse;
    add_note(review::AddNoteRequest) -> review::AddNoteResponse;
    list_notes(review::ListNotesRequest) -> review::ListNotesResponse;
    get_case(review::GetCaseRequest) -> review::GetCaseResponse;
    list_cases(review::ListCasesRequest) -> review::ListCasesResponse;
    get_decision(review::GetDecisionRequest) -> review::GetDecisionResponse;
}

/// The two other services, and what tells them what to say.
struct Others {
    policy: FakePolicy,
    review: FakeReview,
    contract: Contract,
    address: String,
    _logs: [TestDb; 2],
}

impl Others {
    async fn start() -> Others {
        let logs = [testkit::db::sqlite(&NO_TABLES).await, testkit::db::sqlite(&NO_TABLES).await];
        let policy = FakePolicy { db: logs[0].clone(), active: Arc::default() };
        let review = FakeReview { db: logs[1].clone() };
        let contract = Contract::load(contracts::DESCRIPTOR_SET).unwrap();
        let bound = server(&contract)
            .add(PolicyServiceServer::new(policy.clone()))
            .add(ReviewServiceServer::new(review.clone()))
            .bind()
            .await
            .unwrap();
        let address = format!("http://{}", bound.address());
        tokio::spawn(bound.serve_until(std::future::pending()));
        Others { policy, review, contract, address, _logs: logs }
    }

    fn peer(&self) -> Peer {
        Peer::new(&self.contract, &self.address, Credentials::open("service:test")).unwrap()
    }

    async fn replica(&self, db: &Db, clock: &Clock, seed: u64) -> (Running, watch::Sender<bool>) {
        let (stopper, stop) = watch::channel(false);
        let deps = Deps {
            db: db.clone(),
            clock: clock.clone(),
            ids: Ids::seeded(seed),
            peers: Peers { review: self.peer(), policy: self.peer() },
            packs: PackSource::follow(self.peer()),
            stop,
        };
        (start(deps).await.unwrap(), stopper)
    }

    async fn activate(&self, version: i64, at: Time) {
        *self.policy.active.lock().unwrap() = version;
        let activated = policy::PackActivated {
            pack: Some(policy::PackVersion { version, ..policy::PackVersion::default() }),
            previous_version: version - 1,
        };
        let event = policy::PolicyEvent {
            event_id: format!("evt_{version}"),
            time: Some(at.to_timestamp()),
            event: Some(policy::policy_event::Event::PackActivated(activated)),
        };
        append(&self.policy.db, &event.event_id, at, &event).await;
    }

    async fn decide(&self, event: &review::ReviewEvent, at: Time) -> String {
        append(&self.review.db, &event.event_id, at, event).await;
        kit::events::head_token(&self.review.db).await.unwrap()
    }
}

async fn append<M: prost::Message>(db: &Db, id: &str, at: Time, event: &M) {
    tx!(db, "append", |tx| -> Result<(), Error> {
        tx.append(NewEvent::of(id, "key", "kind", at, event));
        Ok(())
    })
    .unwrap();
}

fn server(contract: &Contract) -> Server {
    let (auth, clock) = (Arc::new(Auth::Open), Clock::system());
    Server::new(contract, ServerConfig::loopback(), auth, clock, Ids::seeded(9))
}

async fn serve(contract: &Contract, running: &Running) -> AccountHealthServiceClient<Peer> {
    let server = server(contract).add_when(running.server(), running.readiness());
    let bound = server.bind().await.unwrap();
    let address = format!("http://{}", bound.address());
    tokio::spawn(bound.serve_until(std::future::pending()));
    let peer = Peer::new(contract, address, Credentials::open("service:test")).unwrap();
    AccountHealthServiceClient::new(peer)
}

async fn until(what: &str, is_it: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if is_it() {
            return;
        }
        kit::clock::sleep(Duration::from_millis(5)).await;
    }
    panic!("never {what}");
}

fn check(account_id: &str, feature: Feature) -> proto::CheckEligibilityRequest {
    let (account_id, feature) = (account_id.to_owned(), feature as i32);
    proto::CheckEligibilityRequest { account_id, feature }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_reach_every_replica_exactly_once() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let others = Others::start().await;
        let clock = Clock::manual(day(START_DAY));
        let now = clock.now();
        // Decided before this service ever ran, and before it learns of any pack.
        others.decide(&violation("a", ACCOUNT, Severity::Medium, now), now).await;
        let replica_db = db.another().await;
        let (here, stop_here) = others.replica(&db, &clock, 1).await;
        let (there, stop_there) = others.replica(&replica_db, &clock, 2).await;
        assert!(!here.readiness()());
        others.activate(1, now).await;
        let token = others.decide(&violation("b", ACCOUNT, Severity::Medium, now), now).await;
        let both = || [&here, &there].map(|one| one.following_review().position);
        until("followed", || both().contains(&token)).await;
        for running in [&here, &there] {
            let (ready, eligibility) = (running.readiness(), running.service().eligibility());
            until("ready", &ready).await;
            until("restricted", || {
                eligibility.against(ACCOUNT, Feature::Posting, now).is_ok_and(|it| it.len() == 1)
            })
            .await;
        }
        let mut client = serve(&others.contract, &there).await;
        let answer = client.check_eligibility(check(ACCOUNT, Feature::Live)).await.unwrap();
        assert!(!answer.into_inner().eligible);
        let account_id = ACCOUNT.to_owned();
        let request = proto::GetAccountHealthRequest { account_id, as_of_time: None };
        let standing = client.get_account_health(request).await.unwrap().into_inner();
        let standing = standing.standing.unwrap();
        assert_eq!((standing.active_violation_count, standing.ladders[0].points), (2, 8));
        stop_here.send_replace(true);
        stop_there.send_replace(true);
        here.finished().await;
        there.finished().await;
    }
}

#[tokio::test]
async fn malformed_requests_are_refused_at_the_door() {
    let db = testkit::db::sqlite(&MIGRATIONS).await;
    let others = Others::start().await;
    let (running, _stop) = others.replica(&db, &Clock::manual(day(START_DAY)), 1).await;
    let mut client = serve(&others.contract, &running).await;
    let long = "x".repeat(129);
    for request in [check("", Feature::Live), check(&long, Feature::Live)] {
        assert_eq!(reason(client.check_eligibility(request).await), "INVALID_REQUEST");
    }
    for feature in [0, 99] {
        let request = proto::CheckEligibilityRequest { account_id: "a".to_owned(), feature };
        assert_eq!(reason(client.check_eligibility(request).await), "INVALID_REQUEST");
    }
    let request = proto::GetAccountHealthRequest { account_id: long.clone(), as_of_time: None };
    assert_eq!(reason(client.get_account_health(request).await), "INVALID_REQUEST");
    let request = proto::ListEntriesRequest { page_size: -1, ..Default::default() };
    assert_eq!(reason(client.list_entries(request).await), "INVALID_REQUEST");
    let request = proto::ListStatementsRequest { account_id: long, ..Default::default() };
    assert_eq!(reason(client.list_statements(request).await), "INVALID_REQUEST");
    for key in [
        None,
        Some(proto::get_statement_request::Key::StatementId("dec_1".to_owned())),
        Some(proto::get_statement_request::Key::DecisionId(String::new())),
    ] {
        let request = proto::GetStatementRequest { key, locale: String::new() };
        assert_eq!(reason(client.get_statement(request).await), "INVALID_REQUEST");
    }
    let request = proto::SetAccountLocaleRequest {
        request_id: "not a uuid".to_owned(),
        account_id: "a".to_owned(),
        locale: "de".to_owned(),
    };
    assert_eq!(reason(client.set_account_locale(request.clone()).await), "INVALID_REQUEST");
    // No pack yet: nothing to resolve a language against.
    let request_id = "00000000-0000-4000-8000-000000000001".to_owned();
    let request = proto::SetAccountLocaleRequest { request_id, ..request };
    assert_eq!(reason(client.set_account_locale(request).await), "NOT_READY");
}
