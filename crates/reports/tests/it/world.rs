//! A running service, callers of it, and what they say.

use std::sync::{Arc, LazyLock};

use contracts::policy::v1 as policy;
use contracts::reports::v1::reports_service_client::ReportsServiceClient;
use contracts::reports::v1::reports_service_server::ReportsServiceServer;
use contracts::reports::v1::{
    FileReportRequest, GetReportRequest, Receipt, Report, ReportEvent, WithdrawReportRequest,
};
use contracts::types::v1::{ContentSnapshot, Subject, SubjectType};
use kit::auth::Scopes;
use kit::client::Peer;
use kit::db::{Db, Sql};
use kit::events::Event;
use kit::{Caller, Clock, Contract, Credentials, Ids, Time, args};
use pack::{Pack, PackSource};
use reports::rpc::Reports;
use reports::{Deps, Peers, Running};
use testkit::db::TestDb;
use tokio::sync::watch;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

/// When the world's clock stands at first.
pub const START: Time = Time::from_seconds(1_763_786_000);
/// A reporter's name that is nowhere else.
pub const REPORTER: &str = "reporter-whom-nobody-may-know";
/// What a person's credentials hold.
pub const PERSON: &str = "reports.file reports.read";
/// What a member of staff's credentials hold.
pub const STAFF: &str = "reports.read reports.read_all";

static COUNT_REPORTS: Sql = Sql::new("SELECT CAST(count(*) AS BIGINT) FROM reports");
static COUNT_REQUESTS: Sql = Sql::new("SELECT CAST(count(*) AS BIGINT) FROM requests");

/// A running service on one database.
pub struct World {
    pub service: Service,
    pub db: TestDb,
}

/// A running service.
pub struct Service {
    pub running: Running,
    pub clock: Clock,
    stop: watch::Sender<bool>,
}

/// A client within the process, which calls as somebody.
pub type Client = ReportsServiceClient<InterceptedService<ReportsServiceServer<Reports>, As>>;

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
    for db in testkit::db::each(&reports::MIGRATIONS).await {
        let service = Service::on(&db, pack(&["spam", "fraud"], 7)).await;
        worlds.push(World { db, service });
    }
    worlds
}

impl Service {
    /// A service on a database, which follows nobody.
    pub async fn on(db: &Db, pack: Pack) -> Service {
        let clock = Clock::manual(START);
        let (stop, stopped) = watch::channel(false);
        let running = reports::start(Deps {
            db: db.clone(),
            clock: clock.clone(),
            ids: Ids::system(),
            peers: Peers { review: nobody() },
            packs: PackSource::fixed(pack),
            contract: contract(),
            stop: stopped,
        });
        Service { running: running.await.unwrap(), clock, stop }
    }

    /// A client that calls as `subject` with these scopes.
    pub fn client(&self, subject: &str, scopes: &str) -> Client {
        self.client_with(subject, Scopes::parse(scopes))
    }

    /// A client that calls as `subject` with these scopes.
    pub fn client_with(&self, subject: &str, scopes: Scopes) -> Client {
        let caller = Caller { subject: subject.to_owned(), actor: None, scopes };
        ReportsServiceClient::with_interceptor(self.running.server(), As(Arc::new(caller)))
    }

    /// Ends it in good order.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.running.finished().await;
    }
}

impl World {
    /// A client that calls as a person.
    pub fn person(&self, subject: &str) -> Client {
        self.service.client(subject, PERSON)
    }

    /// A client that calls as a member of staff.
    pub fn staff(&self) -> Client {
        self.service.client("staff", STAFF)
    }

    /// Every event so far.
    pub async fn events(&self) -> Vec<Event> {
        kit::events::page(&self.db, 0, i64::MAX).await.unwrap()
    }

    /// The numbers of reports, of events and of answers kept.
    pub async fn counts(&self) -> (i64, usize, i64) {
        let (reports,): (i64,) = self.db.read().fetch_one(&COUNT_REPORTS, args![]).await.unwrap();
        let (requests,): (i64,) = self.db.read().fetch_one(&COUNT_REQUESTS, args![]).await.unwrap();
        (reports, self.events().await.len(), requests)
    }
}

/// What an event says.
pub fn decoded(event: &Event) -> ReportEvent {
    event.decode().unwrap()
}

/// A peer at which nobody answers.
pub fn nobody() -> Peer {
    let credentials = Credentials::open("service:reports");
    Peer::new(&contract(), "http://127.0.0.1:9", credentials).unwrap()
}

/// The contract, compiled once.
pub fn contract() -> Contract {
    static CONTRACT: LazyLock<Contract> =
        LazyLock::new(|| Contract::load(contracts::DESCRIPTOR_SET).unwrap());
    CONTRACT.clone()
}

/// A pack with these reasons; "fraud" needs evidence and is about products and shops.
pub fn pack(reasons: &[&str], version: i64) -> Pack {
    let reason = |code: &&str| match *code {
        "fraud" => policy::Reason {
            code: "fraud".to_owned(),
            evidence_required: true,
            subject_types: vec![SubjectType::Product.into(), SubjectType::Shop.into()],
            ..Default::default()
        },
        code => policy::Reason { code: code.to_owned(), ..Default::default() },
    };
    let reasons = reasons.iter().map(reason).collect();
    Pack::new(policy::Pack { version, reasons, ..Default::default() })
}

/// A new request id.
pub fn request_id() -> String {
    Ids::system().new_uuid()
}

/// A request id that is always the same for a number.
pub fn numbered_id(number: usize) -> String {
    kit::id::derived_uuid(&["test", &number.to_string()])
}

/// What is reported.
pub fn video(id: &str) -> Subject {
    Subject {
        r#type: SubjectType::Video.into(),
        id: id.to_owned(),
        owner_account_id: "creator-1".to_owned(),
    }
}

/// A notice of spam about a video.
pub fn notice(request_id: String, video_id: &str) -> FileReportRequest {
    FileReportRequest {
        request_id,
        subject: Some(video(video_id)),
        reason: "spam".to_owned(),
        explanation: "the same comment everywhere".to_owned(),
        location_url: "https://example.com/v/1?t=10".to_owned(),
        evidence_urls: vec!["https://example.com/e/1".to_owned()],
        snapshot: Some(ContentSnapshot {
            text: "buy now".to_owned(),
            media_urls: vec!["https://cdn.example.com/1".to_owned()],
            language: "en".to_owned(),
        }),
        region: "DE".to_owned(),
        good_faith: true,
    }
}

/// Files a report and gives its receipt.
pub async fn file(client: &mut Client, video_id: &str) -> Receipt {
    let request = notice(request_id(), video_id);
    client.file_report(request).await.unwrap().into_inner().receipt.unwrap()
}

/// A report as this caller sees it.
pub async fn get(client: &mut Client, report_id: &str) -> Result<Report, Status> {
    let request = GetReportRequest { report_id: report_id.to_owned() };
    client.get_report(request).await.map(|response| response.into_inner().report.unwrap())
}

/// Withdraws a report.
pub async fn withdraw(client: &mut Client, report_id: &str) -> Result<Report, Status> {
    let request =
        WithdrawReportRequest { request_id: request_id(), report_id: report_id.to_owned() };
    client.withdraw_report(request).await.map(|response| response.into_inner().report.unwrap())
}

/// The reason of an error.
pub fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// The fields that an error names as wrong.
pub fn wrong_fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let wrong = details.bad_request().map(|bad| bad.field_violations.clone());
    wrong.unwrap_or_default().into_iter().map(|violation| violation.field).collect()
}

/// Whether the needle is anywhere in the bytes.
pub fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}
