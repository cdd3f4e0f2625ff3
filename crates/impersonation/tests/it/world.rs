//! A running service, callers of it, and what they say.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use contracts::impersonation::v1::avatar::Picture;
use contracts::impersonation::v1::impersonation_event::Event as Said;
use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::impersonation::v1::impersonation_service_server::ImpersonationServiceServer;
use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::{
    Avatar, CheckProfileRequest, CheckProfileResponse, EnrolIdentityRequest, IdentitySpec,
    ImpersonationEvent, ListMatchesRequest, Match, ObserveProfilesRequest, ObserveProfilesResponse,
    Profile, ProtectedIdentity,
};
use impersonation::check::Other;
use impersonation::detect::Engine;
use impersonation::gauges::Gauges;
use impersonation::memory::Shard;
use impersonation::rpc::Impersonation;
use impersonation::{Deps, Running};
use kit::auth::Scopes;
use kit::clock::{Stopwatch, sleep};
use kit::db::Db;
use kit::{Caller, Clock, Contract, Ids, Time};
use testkit::db::TestDb;
use tokio::sync::watch;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

/// When the world's clock stands at first.
pub const START: Time = Time::from_seconds(1_763_786_000);
/// How long anything that follows by itself may take at most.
pub const PATIENCE: Duration = Duration::from_secs(20);

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

/// How a service is started.
#[derive(Default)]
pub struct Shape {
    pub directory: Option<PathBuf>,
    pub shard: Option<Shard>,
    pub others: Vec<Other>,
    pub profiles_max: Option<usize>,
    pub engine: Option<Engine>,
}

/// A client within the process, which calls as somebody.
pub type Client =
    ImpersonationServiceClient<InterceptedService<ImpersonationServiceServer<Impersonation>, As>>;

/// Puts a caller into each request, as the server's stack does after it has verified one.
#[derive(Clone)]
pub struct As(Arc<Caller>);

impl tonic::service::Interceptor for As {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.extensions_mut().insert(self.0.clone());
        Ok(request)
    }
}

/// A world on each database that there is, ready for checks.
pub async fn each() -> Vec<World> {
    let mut worlds = Vec::new();
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let service = Service::on(&db, Shape::default()).await;
        worlds.push(World { db, service });
    }
    worlds
}

impl Service {
    /// A service on a database, ready for checks.
    pub async fn on(db: &Db, shape: Shape) -> Service {
        let service = Service::start(db, shape).await;
        within(service.running.memory().reached(0)).await;
        service
    }

    /// A service on a database, which may not be ready yet.
    pub async fn start(db: &Db, shape: Shape) -> Service {
        let clock = Clock::manual(START);
        let (stop, stopped) = watch::channel(false);
        let running = impersonation::start(Deps {
            db: db.clone(),
            clock: clock.clone(),
            ids: Ids::system(),
            contract: contract(),
            engine: shape.engine.unwrap_or_else(engine),
            directory: shape.directory,
            shard: shape.shard.unwrap_or(Shard::WHOLE),
            profiles_max: shape.profiles_max.unwrap_or(1_000_000),
            others: shape.others,
            peers: impersonation::Peers::default(),
            proof_keys: Some(proof_keys()),
            stop: stopped,
        });
        Service { running: running.await.unwrap(), clock, stop }
    }

    /// A client that calls as `subject` with these scopes.
    pub fn client(&self, subject: &str, scopes: &str) -> Client {
        let scopes = Scopes::parse(scopes);
        let caller = Caller { subject: subject.to_owned(), actor: None, scopes };
        ImpersonationServiceClient::with_interceptor(self.running.server(), As(Arc::new(caller)))
    }

    /// A client that may do everything.
    pub fn staff(&self) -> Client {
        let caller = Caller { subject: "staff".to_owned(), actor: None, scopes: Scopes::All };
        ImpersonationServiceClient::with_interceptor(self.running.server(), As(Arc::new(caller)))
    }

    /// A client with the scopes of a person.
    pub fn person(&self, subject: &str) -> Client {
        self.client(subject, "impersonation.read impersonation.declare impersonation.claim")
    }

    /// Waits until checks take everything into account that is committed.
    pub async fn current(&self, db: &Db) {
        let head = kit::events::head(db).await.unwrap();
        within(self.running.memory().reached(head.seq)).await;
    }

    /// Ends it in good order.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.running.finished().await;
    }
}

impl World {
    /// Every event so far.
    pub async fn events(&self) -> Vec<ImpersonationEvent> {
        events(&self.db).await
    }

    /// Waits until checks take everything into account that is committed.
    pub async fn current(&self) {
        self.service.current(&self.db).await;
    }

    /// What operations watch.
    pub fn gauges(&self) -> Gauges {
        let (clock, memory) = (self.service.clock.clone(), self.service.running.memory().clone());
        Gauges { db: (*self.db).clone(), clock, memory }
    }

    /// The matches of an account, once they are as wanted.
    pub async fn matches_when(
        &self,
        account_id: &str,
        wanted: impl Fn(&[Match]) -> bool,
    ) -> Vec<Match> {
        let begun = Stopwatch::start();
        loop {
            let found = matches(&mut self.service.staff(), account_id).await;
            if wanted(&found) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "still {found:#?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until an account has exactly one match, in this state.
    pub async fn one_match(&self, account_id: &str, state: State) -> Match {
        let is_it = |found: &[Match]| found.len() == 1 && found[0].state() == state;
        self.matches_when(account_id, is_it).await.remove(0)
    }
}

/// Every event in a database so far.
pub async fn events(db: &Db) -> Vec<ImpersonationEvent> {
    let page = kit::events::page(db, 0, i64::MAX).await.unwrap();
    page.iter().map(|event| event.decode().unwrap()).collect()
}

/// What the events say, in order.
pub fn said(events: Vec<ImpersonationEvent>) -> Vec<Said> {
    events.into_iter().filter_map(|event| event.event).collect()
}

/// Waits, but not for ever.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::select! {
        done = future => done,
        () = sleep(PATIENCE) => panic!("it did not happen"),
    }
}

/// Keys that only tests have.
pub fn proof_keys() -> impersonation::proof::Keys {
    impersonation::proof::Keys::parse(&"5a".repeat(32)).unwrap()
}

/// The contract, compiled once.
pub fn contract() -> Contract {
    static CONTRACT: LazyLock<Contract> =
        LazyLock::new(|| Contract::load(contracts::DESCRIPTOR_SET).unwrap());
    CONTRACT.clone()
}

/// A detector with a few weights of the tests' own, so that they hold whatever is shipped.
pub fn engine() -> Engine {
    static ENGINE: LazyLock<Engine> =
        LazyLock::new(|| Engine::with_model(include_str!("model.tsv")).unwrap());
    ENGINE.clone()
}

/// A new request id.
pub fn request_id() -> String {
    Ids::system().new_uuid()
}

/// A picture by its hash: another one for each number, half of the bits of any two differ.
pub fn picture(number: usize) -> Avatar {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let byte = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[3]
    };
    let pdq: Vec<u8> = (0..32).map(byte).collect();
    Avatar { picture: Some(Picture::Pdq(pdq)), quality: 90, ..Avatar::default() }
}

/// Somebody to be protected, with an account and a picture.
pub fn jane() -> IdentitySpec {
    IdentitySpec {
        kind: 1,
        account_ids: vec!["account-jane".to_owned()],
        handle: "janedoemusic".to_owned(),
        display_name: "Jane Doe Music".to_owned(),
        avatars: vec![picture(7)],
        bio: "Singer and songwriter from Tokyo".to_owned(),
        followers: 2_000_000,
        ..IdentitySpec::default()
    }
}

/// Somebody else for each number.
pub fn somebody(number: usize) -> IdentitySpec {
    let letters: String = format!("{:05}", number * 7_919 % 100_000)
        .bytes()
        .map(|digit| char::from(b"bdfgklmprs"[usize::from(digit - b'0')]))
        .flat_map(|letter| [letter, 'a'])
        .collect();
    IdentitySpec {
        kind: 1,
        account_ids: vec![format!("account-{number}")],
        display_name: format!("Mr {letters}"),
        handle: letters,
        avatars: vec![picture(1_000 + number)],
        ..IdentitySpec::default()
    }
}

/// A profile that looks just like an identity.
pub fn copy_of(spec: &IdentitySpec, account_id: &str) -> Profile {
    Profile {
        account_id: account_id.to_owned(),
        handle: spec.handle.clone(),
        display_name: spec.display_name.clone(),
        avatars: spec.avatars.clone(),
        bio: spec.bio.clone(),
        followers: Some(12),
        ..Profile::default()
    }
}

/// A profile that looks like nobody.
pub fn stranger(account_id: &str) -> Profile {
    Profile {
        account_id: account_id.to_owned(),
        handle: format!("quiet_{account_id}"),
        display_name: "Quiet Reader".to_owned(),
        avatars: vec![picture(200)],
        ..Profile::default()
    }
}

/// Puts somebody under protection.
pub async fn enrol(client: &mut Client, spec: IdentitySpec) -> ProtectedIdentity {
    let request = EnrolIdentityRequest { request_id: request_id(), spec: Some(spec) };
    client.enrol_identity(request).await.unwrap().into_inner().identity.unwrap()
}

/// Observes profiles.
pub async fn observe(client: &mut Client, profiles: Vec<Profile>) -> ObserveProfilesResponse {
    let request = ObserveProfilesRequest { request_id: request_id(), profiles };
    client.observe_profiles(request).await.unwrap().into_inner()
}

/// Checks a profile.
pub async fn check(client: &mut Client, profile: Profile) -> CheckProfileResponse {
    let request = CheckProfileRequest { profile: Some(profile), ..CheckProfileRequest::default() };
    client.check_profile(request).await.unwrap().into_inner()
}

/// All matches of an account.
pub async fn matches(client: &mut Client, account_id: &str) -> Vec<Match> {
    let request =
        ListMatchesRequest { account_id: account_id.to_owned(), ..ListMatchesRequest::default() };
    client.list_matches(request).await.unwrap().into_inner().matches
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
