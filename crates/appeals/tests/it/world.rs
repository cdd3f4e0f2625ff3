//! A running service beside its account-health, callers of it, and what they say.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use appeals::rpc::Appeals;
use appeals::{Deps, Peers, Running};
use contracts::accounthealth::v1::Statement;
use contracts::accounthealth::v1::statement::State;
use contracts::appeals::v1::appeals_service_client::AppealsServiceClient;
use contracts::appeals::v1::appeals_service_server::AppealsServiceServer;
use contracts::appeals::v1::{
    Appeal, AppealEvent, FileAppealRequest, GetAppealRequest, WithdrawAppealRequest,
};
use contracts::types::v1::{Subject, SubjectType};
use kit::auth::Scopes;
use kit::client::Peer;
use kit::events::Event;
use kit::{Caller, Clock, Contract, Credentials, Ids, Time};
use testkit::db::TestDb;
use tokio::sync::watch;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use crate::account_health::{self, Knows};
use crate::impersonation;

/// When the world's clock stands at first: when the statements are issued.
pub const START: Time = Time::from_seconds(1_763_786_000);
/// How long a statement may be appealed against.
pub const WINDOW: Duration = Duration::from_secs(180 * 24 * 60 * 60);
/// What a person's credentials hold.
pub const PERSON: &str = "appeals.file appeals.read";
/// What a member of staff's credentials hold.
pub const STAFF: &str = "appeals.read appeals.read_all";

/// A running service on one database.
pub struct World {
    pub running: Running,
    pub clock: Clock,
    pub account_health: Arc<Knows>,
    pub impersonation: Arc<impersonation::Knows>,
    _stop: watch::Sender<bool>,
    pub db: TestDb,
}

/// A client within the process, which calls as somebody.
pub type Client = AppealsServiceClient<InterceptedService<AppealsServiceServer<Appeals>, As>>;

/// Puts a caller into each request, as the server's stack does after it has verified one.
#[derive(Clone)]
pub struct As(Arc<Caller>);

impl tonic::service::Interceptor for As {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.extensions_mut().insert(self.0.clone());
        Ok(request)
    }
}

/// A world on each database that there is.
pub async fn each() -> Vec<World> {
    let mut worlds = Vec::new();
    for db in testkit::db::each(&appeals::MIGRATIONS).await {
        let (account_health, peer) = account_health::start().await;
        worlds.push(World::on(db, account_health, peer).await);
    }
    worlds
}

impl World {
    /// A service on a database, which follows nobody.
    pub async fn on(db: TestDb, account_health: Arc<Knows>, peer: Peer) -> World {
        let (knows, impersonation) = impersonation::start().await;
        World::wired(db, (account_health, peer), (knows, Some(impersonation))).await
    }

    /// Another service on the same database, without an impersonation service.
    pub async fn without_impersonation(self) -> World {
        let account_health = account_health::start().await;
        World::wired(self.db, account_health, (self.impersonation, None)).await
    }

    async fn wired(
        db: TestDb,
        (account_health, peer): (Arc<Knows>, Peer),
        (knows, impersonation): (Arc<impersonation::Knows>, Option<Peer>),
    ) -> World {
        let clock = Clock::manual(START);
        let (stop, stopped) = watch::channel(false);
        let running = appeals::start(Deps {
            db: db.clone(),
            clock: clock.clone(),
            ids: Ids::system(),
            peers: Peers { review: nobody(), account_health: peer, impersonation },
            stop: stopped,
        });
        World {
            running: running.await.unwrap(),
            clock,
            account_health,
            impersonation: knows,
            _stop: stop,
            db,
        }
    }

    /// A client that calls as `subject` with these scopes.
    pub fn client(&self, subject: &str, scopes: &str) -> Client {
        let scopes = Scopes::parse(scopes);
        let caller = Caller { subject: subject.to_owned(), actor: None, scopes };
        AppealsServiceClient::with_interceptor(self.running.server(), As(Arc::new(caller)))
    }

    /// A client that calls as the creator who was decided against.
    pub fn creator(&self) -> Client {
        self.client("creator-1", PERSON)
    }

    /// Every event so far.
    pub async fn events(&self) -> Vec<Event> {
        kit::events::page(&self.db, 0, i64::MAX).await.unwrap()
    }

    /// The names of the kinds of events so far.
    pub async fn kinds(&self) -> Vec<String> {
        self.events().await.into_iter().map(|event| event.kind).collect()
    }
}

/// The contract, compiled once.
pub fn contract() -> Contract {
    static CONTRACT: LazyLock<Contract> =
        LazyLock::new(|| Contract::load(contracts::DESCRIPTOR_SET).unwrap());
    CONTRACT.clone()
}

/// A peer at which nobody answers.
pub fn nobody() -> Peer {
    let credentials = Credentials::open("service:appeals");
    Peer::new(&contract(), "http://127.0.0.1:9", credentials).unwrap()
}

/// What an event says.
pub fn decoded(event: &Event) -> AppealEvent {
    event.decode().unwrap()
}

/// The statement of a decision against creator-1 that may be appealed against.
pub fn statement(decision_id: &str) -> Statement {
    Statement {
        statement_id: format!("sor_of_{decision_id}"),
        account_id: "creator-1".to_owned(),
        state: State::Issued.into(),
        decision_id: decision_id.to_owned(),
        case_id: format!("case_of_{decision_id}"),
        subject: Some(Subject {
            r#type: SubjectType::Video.into(),
            id: "v1".to_owned(),
            owner_account_id: "creator-1".to_owned(),
        }),
        appealable: true,
        issue_time: Some(START.into()),
        appeal_end_time: Some(START.plus(WINDOW).into()),
        ..Statement::default()
    }
}

/// A new request id.
pub fn request_id() -> String {
    Ids::system().new_uuid()
}

/// An appeal against a decision.
pub fn request(request_id: String, decision_id: &str) -> FileAppealRequest {
    FileAppealRequest {
        request_id,
        decision_id: decision_id.to_owned(),
        grounds: "it is satire".to_owned(),
        evidence_urls: vec!["https://example.com/\"quoted\"".to_owned()],
    }
}

/// Files an appeal under a new request id.
pub async fn file(client: &mut Client, decision_id: &str) -> Result<Appeal, Status> {
    let request = request(request_id(), decision_id);
    client.file_appeal(request).await.map(|response| response.into_inner().appeal.unwrap())
}

/// An appeal as this caller sees it.
pub async fn get(client: &mut Client, appeal_id: &str) -> Result<Appeal, Status> {
    let request = GetAppealRequest { appeal_id: appeal_id.to_owned() };
    client.get_appeal(request).await.map(|response| response.into_inner().appeal.unwrap())
}

/// Withdraws an appeal under a new request id.
pub async fn withdraw(client: &mut Client, appeal_id: &str) -> Result<Appeal, Status> {
    let request =
        WithdrawAppealRequest { request_id: request_id(), appeal_id: appeal_id.to_owned() };
    client.withdraw_appeal(request).await.map(|response| response.into_inner().appeal.unwrap())
}

/// The reason of an error.
pub fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// One entry of an error's metadata.
pub fn meta(status: &Status, key: &str) -> String {
    let details = status.get_error_details();
    let info = details.error_info();
    info.and_then(|info| info.metadata.get(key).cloned()).unwrap_or_default()
}

/// The fields that an error names as wrong.
pub fn wrong_fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let wrong = details.bad_request().map(|bad| bad.field_violations.clone());
    wrong.unwrap_or_default().into_iter().map(|violation| violation.field).collect()
}
