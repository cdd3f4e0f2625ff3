//! A running service that follows nobody, what it is told, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use contracts::impersonation::v1 as told;
use contracts::impersonation::v1::impersonation_event::Event;
use contracts::insights::v1::insights_service_client::InsightsServiceClient;
use contracts::insights::v1::insights_service_server::InsightsService as _;
use contracts::insights::v1::{GetDetectorDriftRequest, GetDetectorDriftResponse};
use insights::{Deps, Peers, Running};
use kit::client::Peer;
use kit::server::{Server, ServerConfig};
use kit::{Auth, Clock, Contract, Credentials, Error, Ids, Time, tx};
use testkit::db::TestDb;
use tokio::sync::watch;
use tonic::{Request, Status};

/// When the world's clock stands at first.
pub const START: Time = Time::from_seconds(1_763_786_000);
/// A day.
pub const DAY: Duration = Duration::from_hours(24);

/// A running service on one database.
pub struct World {
    pub running: Running,
    pub clock: Clock,
    _stop: watch::Sender<bool>,
    pub db: TestDb,
}

/// A world on each database that there is.
pub async fn each() -> Vec<World> {
    let mut worlds = Vec::new();
    for db in testkit::db::each(&insights::MIGRATIONS).await {
        let clock = Clock::manual(START);
        let (stop, stopped) = watch::channel(false);
        let credentials = Credentials::open("service:insights");
        // Nobody answers there.
        let impersonation = Peer::new(&contract(), "http://127.0.0.1:9", credentials).unwrap();
        let running = insights::start(Deps {
            db: db.clone(),
            clock: clock.clone(),
            peers: Peers { impersonation },
            stop: stopped,
        });
        worlds.push(World { running: running.await.unwrap(), clock, _stop: stop, db });
    }
    worlds
}

fn contract() -> Contract {
    Contract::load(contracts::DESCRIPTOR_SET).unwrap()
}

impl World {
    /// Impersonation tells this.
    pub async fn tell(&self, batch: &[told::ImpersonationEvent]) {
        let done: Result<(), Error> =
            tx!(self.db, "test_follow", |tx| { insights::follow::apply(tx, batch).await });
        done.unwrap();
    }

    /// How the detector did in a time.
    pub async fn drift(
        &self,
        request: GetDetectorDriftRequest,
    ) -> Result<GetDetectorDriftResponse, Status> {
        let service = self.running.service();
        service.get_detector_drift(Request::new(request)).await.map(tonic::Response::into_inner)
    }

    /// How it did lately.
    pub async fn lately(&self) -> GetDetectorDriftResponse {
        self.drift(GetDetectorDriftRequest::default()).await.unwrap()
    }

    /// A client over a socket, through the whole stack.
    pub async fn client(&self) -> InsightsServiceClient<Peer> {
        let (clock, ids) = (Clock::system(), Ids::system());
        let auth = Arc::new(Auth::Open);
        let server = Server::new(&contract(), ServerConfig::loopback(), auth, clock, ids);
        let server = server.add_when(self.running.server(), self.running.readiness());
        let bound = server.bind().await.unwrap();
        let address = format!("http://{}", bound.address());
        tokio::spawn(bound.serve_until(std::future::pending()));
        let peer = Peer::new(&contract(), address, Credentials::open("analyst")).unwrap();
        InsightsServiceClient::new(peer)
    }
}

fn event(id: &str, time: Time, event: Event) -> told::ImpersonationEvent {
    told::ImpersonationEvent {
        event_id: id.to_owned(),
        time: Some(time.into()),
        event: Some(event),
    }
}

/// The detector found something.
pub fn found(id: &str, time: Time, probability: f64, model: &str) -> told::ImpersonationEvent {
    let likeness = told::Likeness {
        probability,
        model_version: model.to_owned(),
        ..told::Likeness::default()
    };
    let found = told::Match { likeness: Some(likeness), ..told::Match::default() };
    let found = told::MatchFound { r#match: Some(found), ..told::MatchFound::default() };
    event(id, time, Event::MatchFound(found))
}

/// Reviewers decided something, at `decided`; told a second later.
pub fn label(id: &str, decided: Time, probability: f64, imitation: bool) -> told::MatchLabelled {
    told::MatchLabelled {
        label_id: id.to_owned(),
        imitation,
        probability,
        signals: vec!["avatar".to_owned(), "handle".to_owned()],
        model_version: "one".to_owned(),
        decide_time: Some(decided.into()),
        ..told::MatchLabelled::default()
    }
}

/// The event that tells it.
pub fn labelled(label: told::MatchLabelled) -> told::ImpersonationEvent {
    let decided = label.decide_time.as_ref().and_then(Time::from_timestamp).unwrap();
    let id = format!("evt_of_{}_{}", label.label_id, label.corrected);
    event(&id, decided.plus(Duration::from_secs(1)), Event::MatchLabelled(label))
}
