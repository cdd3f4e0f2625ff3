//! A running service behind a socket, and callers of it.

use std::sync::{Arc, LazyLock};

use contracts::policy::v1::policy_service_client::PolicyServiceClient;
use contracts::policy::v1::{
    ActivatePackRequest, GetPackRequest, Pack, PackFile, PackVersion, PolicyEvent,
    PublishPackRequest,
};
use kit::client::Peer;
use kit::db::Db;
use kit::server::{Server, ServerConfig};
use kit::{Auth, Clock, Contract, Credentials, Ids, Time};
use testkit::db::TestDb;
use tokio::sync::watch;
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::tiny;

/// When the world's clock stands at first: 2026-11-22T00:00:00Z.
pub const START: Time = Time::from_seconds(1_795_305_600);

/// A client over a socket.
pub type Client = PolicyServiceClient<Peer>;

/// A running service on one database.
pub struct World {
    pub db: TestDb,
    pub clock: Clock,
    pub client: Client,
    stop: watch::Sender<bool>,
}

/// A world on each database that there is.
pub async fn each() -> Vec<World> {
    let mut worlds = Vec::new();
    for db in testkit::db::each(&policy::MIGRATIONS).await {
        let (clock, (stop, stopped)) = (Clock::manual(START), watch::channel(false));
        let client = serve(&db, &clock, stopped).await;
        worlds.push(World { db, clock, client, stop });
    }
    worlds
}

impl World {
    /// Another replica on the same database.
    pub async fn replica(&self) -> Client {
        serve(&self.db.another().await, &self.clock, self.stop.subscribe()).await
    }

    /// Every event so far.
    pub async fn events(&self) -> Vec<PolicyEvent> {
        let events = kit::events::page(&self.db, 0, i64::MAX).await.unwrap();
        events.iter().map(|event| event.decode().unwrap()).collect()
    }
}

/// A service on a database, behind a socket; gives a client that calls as "publisher".
async fn serve(db: &Db, clock: &Clock, stop: watch::Receiver<bool>) -> Client {
    let deps = policy::Deps { db: db.clone(), clock: clock.clone(), ids: Ids::system(), stop };
    let running = policy::start(deps).await.unwrap();
    let auth = Arc::new(Auth::Open);
    let config = ServerConfig::loopback();
    let bound = Server::new(&contract(), config, auth, Clock::system(), Ids::system())
        .add_when(running.server(), running.readiness())
        .bind()
        .await
        .unwrap();
    let address = format!("http://{}", bound.address());
    tokio::spawn(bound.serve_until(std::future::pending()));
    tokio::spawn(running.finished());
    let peer = Peer::new(&contract(), address, Credentials::open("publisher")).unwrap();
    PolicyServiceClient::new(peer)
}

fn contract() -> Contract {
    static CONTRACT: LazyLock<Contract> =
        LazyLock::new(|| Contract::load(contracts::DESCRIPTOR_SET).unwrap());
    CONTRACT.clone()
}

/// A new request id.
pub fn request_id() -> String {
    Ids::system().new_uuid()
}

/// The tiny pack under another name, and so of another digest.
pub fn tiny(name: &str) -> Vec<PackFile> {
    tiny::changed("pack.yaml", "tiny", name)
}

/// Publishes files.
pub async fn publish(client: &Client, files: Vec<PackFile>) -> Result<PackVersion, Status> {
    let request = PublishPackRequest { request_id: request_id(), files };
    let response = client.clone().publish_pack(request).await?;
    Ok(response.into_inner().pack.unwrap())
}

/// Activates a version.
pub async fn activate(
    client: &Client,
    version: i64,
    expected_active_version: i64,
) -> Result<PackVersion, Status> {
    let request_id = request_id();
    let request = ActivatePackRequest { request_id, version, expected_active_version };
    let response = client.clone().activate_pack(request).await?;
    Ok(response.into_inner().pack.unwrap())
}

/// Reads a version, 0 for the active one.
pub async fn get(client: &Client, version: i64) -> Result<Pack, Status> {
    let response = client.clone().get_pack(GetPackRequest { version }).await?;
    Ok(response.into_inner().pack.unwrap())
}

/// The reason of an error.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// One entry of the metadata of an error.
pub fn meta(status: &Status, key: &str) -> String {
    let info = status.get_details_error_info();
    info.and_then(|info| info.metadata.get(key).cloned()).unwrap_or_default()
}

/// The fields that an error names as wrong.
pub fn wrong_fields(status: &Status) -> Vec<String> {
    let wrong = status.get_details_bad_request().map(|bad| bad.field_violations);
    wrong.unwrap_or_default().into_iter().map(|violation| violation.field).collect()
}
