//! Some or all services in one process on one address. They talk to one another through tonic all
//! the same.
//!
//! It knows how services are wired; it must not know what any of them does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use impersonation::check::Other;
use impersonation::detect::Engine;
use impersonation::memory::Shard;
use kit::auth::{Auth, AuthConfig, Credentials, TokenSpec};
use kit::client::Peer;
use kit::config::Secret;
use kit::db::{Db, DbConfig};
use kit::server::{Bound, Server, ServerConfig, listen};
use kit::{Clock, Contract, Ids};
use pack::PackSource;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cli::Service;
use crate::{databases, proofs};

/// The scopes that the services themselves need of one another.
const SERVICE_SCOPES: [&str; 8] = [
    "policy.read",
    "reports.watch",
    "review.watch",
    "accounthealth.read_all",
    "appeals.watch",
    "impersonation.watch",
    "impersonation.claims_appeal",
    // Shards of the index ask one another.
    "impersonation.check",
];

/// What a suite is started from.
#[derive(Debug, Clone)]
pub struct Options {
    /// The services; several share the process and the address.
    pub services: Vec<Service>,
    /// Where to listen and how much to take on.
    pub server: ServerConfig,
    /// A data directory, or a postgres:// URL.
    pub place: String,
    /// What tokens must be; the default is open mode.
    pub auth: AuthConfig,
    /// The secret that the services mint their own tokens with; none if `token_file` or open.
    pub secret: Option<Secret>,
    /// A file with the token that the services call one another with.
    pub token_file: Option<std::path::PathBuf>,
    /// Addresses of services that run elsewhere; the others are here.
    pub peers: BTreeMap<Service, String>,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// Whether the default pack is put in force if none is.
    pub default_pack: bool,
    /// How the index of protected identities is kept.
    pub index: IndexOptions,
    /// A file with the keys that proofs of identity are encrypted with; without one, see
    /// [`proofs`](crate::proofs).
    pub proof_key_file: Option<std::path::PathBuf>,
}

/// How many observed profiles are kept in memory unless told otherwise: some 3 GB.
pub const PROFILES_MAX_DEFAULT: usize = 20_000_000;

/// How the index of protected identities is kept.
#[derive(Debug, Clone)]
pub struct IndexOptions {
    /// The addresses of the processes that share it, by shard; empty for one that holds all.
    pub shards: Vec<String>,
    /// Which of them this process is.
    pub shard: u32,
    /// How many observed profiles are kept in memory; 0 for none.
    pub profiles_max: usize,
    /// A file with the detector's weights; the ones that are shipped without it.
    pub model: Option<std::path::PathBuf>,
    /// Where snapshots of it are; on the embedded database, the data directory without it.
    pub snapshots: Option<std::path::PathBuf>,
}

impl Default for IndexOptions {
    fn default() -> IndexOptions {
        IndexOptions {
            shards: Vec::new(),
            shard: 0,
            profiles_max: PROFILES_MAX_DEFAULT,
            model: None,
            snapshots: None,
        }
    }
}

impl Options {
    /// All services, open, on a free loopback port, with the default pack.
    pub fn open(place: &str) -> Options {
        Options {
            services: Service::ALL.to_vec(),
            server: ServerConfig::loopback(),
            place: place.to_owned(),
            auth: AuthConfig::default(),
            secret: None,
            token_file: None,
            peers: BTreeMap::new(),
            clock: Clock::system(),
            ids: Ids::system(),
            default_pack: true,
            index: IndexOptions::default(),
            proof_key_file: None,
        }
    }
}

/// A running suite.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<Result<(), String>>,
}

impl Running {
    /// Where it serves, such as "http://127.0.0.1:7700".
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it and waits until what it accepted is done.
    ///
    /// # Errors
    /// If serving failed.
    pub async fn stop(self) -> Result<(), String> {
        self.stop.send_replace(true);
        self.ended().await
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If serving failed.
    pub async fn ended(self) -> Result<(), String> {
        self.serving.await.map_err(|error| format!("the suite ended badly: {error}"))?
    }

    /// Something to tell it to stop with, from elsewhere.
    pub fn stopper(&self) -> watch::Sender<bool> {
        self.stop.clone()
    }
}

/// What the wiring of one suite shares.
struct Wiring {
    contract: Contract,
    options: Options,
    own_address: String,
    stop: watch::Receiver<bool>,
    databases: Vec<Db>,
    tasks: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Wiring {
    /// Another service, wherever it runs, as `caller` calls it.
    fn peer(&self, caller: Service, service: Service) -> Result<Peer, String> {
        let address = self.options.peers.get(&service).unwrap_or(&self.own_address);
        self.peer_at(caller, address)
    }

    /// Whatever serves at an address, as `caller` calls it.
    fn peer_at(&self, caller: Service, address: &str) -> Result<Peer, String> {
        let subject = format!("service:{}", caller.name());
        let clock = self.options.clock.clone();
        let credentials = match (&self.options.secret, &self.options.token_file) {
            (Some(secret), _) => {
                let scopes = SERVICE_SCOPES.map(str::to_owned).to_vec();
                let spec = TokenSpec { subject, scopes, ..TokenSpec::default() };
                let spec = TokenSpec {
                    issuer: self.options.auth.issuer.clone(),
                    audience: self.options.auth.audience.clone(),
                    ..spec
                };
                Credentials::minted(secret.clone(), spec, clock)
            }
            (None, Some(path)) => Credentials::file(path.clone(), clock),
            (None, None) => Credentials::open(subject),
        };
        Peer::new(&self.contract, address, credentials).map_err(|error| error.to_string())
    }

    /// The other shards of the index, and which one this process holds.
    fn shards(&self) -> Result<(Shard, Vec<Other>), String> {
        let IndexOptions { shards, shard, .. } = &self.options.index;
        let mut others = Vec::new();
        for (number, address) in (0..).zip(shards).filter(|(number, _)| number != shard) {
            let peer = self.peer_at(Service::Impersonation, address)?;
            others.push(Other { shard: number, peer });
        }
        let count = u32::try_from(shards.len().max(1)).map_err(|error| error.to_string())?;
        Ok((Shard { number: *shard, count }, others))
    }

    /// The detector with its weights.
    fn engine(&self) -> Result<Engine, String> {
        let Some(path) = &self.options.index.model else { return Ok(Engine::shipped()) };
        let wrong = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Engine::with_model(&text).map_err(wrong)
    }

    /// Where snapshots of the index go.
    fn snapshots(&self, db: &Db) -> Option<std::path::PathBuf> {
        let beside = match db.config() {
            DbConfig::Sqlite { path } => path.parent().map(Into::into),
            DbConfig::Postgres { .. } => None,
        };
        self.options.index.snapshots.clone().or(beside)
    }

    async fn database(&mut self, service: Service) -> Result<Db, String> {
        let db = databases::open(service, &self.options.place).await?;
        self.databases.push(db.clone());
        Ok(db)
    }

    /// Starts a service and mounts it.
    async fn mount(&mut self, server: Server, service: Service) -> Result<Server, String> {
        let failed = |error: kit::Error| format!("{}: {error}", service.name());
        let db = self.database(service).await?;
        let (clock, ids) = (self.options.clock.clone(), self.options.ids.clone());
        let stop = self.stop.clone();
        /// Mounts a started service and keeps its end.
        macro_rules! mount {
            ($running:expr) => {{
                let running = $running.await.map_err(failed)?;
                let mounted = server.add_when(running.server(), running.readiness());
                self.tasks.push(Box::pin(running.finished()));
                Ok(mounted)
            }};
        }
        let review = || self.peer(service, Service::Review);
        let packs = || Ok::<_, String>(PackSource::follow(self.peer(service, Service::Policy)?));
        let contract = self.contract.clone();
        match service {
            Service::Policy => mount!(policy::start(policy::Deps { db, clock, ids, stop })),
            Service::Reports => {
                let (peers, packs) = (reports::Peers { review: review()? }, packs()?);
                let deps = reports::Deps { db, clock, ids, peers, packs, contract, stop };
                mount!(reports::start(deps))
            }
            Service::Review => {
                let reports = self.peer(service, Service::Reports)?;
                let appeals = self.peer(service, Service::Appeals)?;
                let impersonation = Some(self.peer(service, Service::Impersonation)?);
                let peers = review::Peers { reports, appeals, impersonation };
                let packs = packs()?;
                mount!(review::start(review::Deps { db, clock, ids, peers, packs, stop }))
            }
            Service::AccountHealth => {
                let policy = self.peer(service, Service::Policy)?;
                let peers = account_health::Peers { review: review()?, policy };
                let packs = packs()?;
                let deps = account_health::Deps { db, clock, ids, peers, packs, stop };
                mount!(account_health::start(deps))
            }
            Service::Appeals => {
                let account_health = self.peer(service, Service::AccountHealth)?;
                let impersonation = Some(self.peer(service, Service::Impersonation)?);
                let peers = appeals::Peers { review: review()?, account_health, impersonation };
                mount!(appeals::start(appeals::Deps { db, clock, ids, peers, stop }))
            }
            Service::Impersonation => {
                let deps = self.impersonation(db, review()?)?;
                mount!(impersonation::start(deps))
            }
            Service::Insights => {
                let impersonation = self.peer(service, Service::Impersonation)?;
                let peers = insights::Peers { impersonation };
                mount!(insights::start(insights::Deps { db, clock, peers, stop }))
            }
        }
    }

    /// What impersonation stands on.
    fn impersonation(&self, db: Db, review: Peer) -> Result<impersonation::Deps, String> {
        let (directory, engine) = (self.snapshots(&db), self.engine()?);
        let (shard, others) = self.shards()?;
        let key_file = self.options.proof_key_file.as_deref();
        let proof_keys = proofs::keys(key_file, db.config())?;
        Ok(impersonation::Deps {
            db,
            clock: self.options.clock.clone(),
            ids: self.options.ids.clone(),
            contract: self.contract.clone(),
            engine,
            directory,
            shard,
            profiles_max: self.options.index.profiles_max,
            others,
            peers: impersonation::Peers { review: Some(review) },
            proof_keys,
            stop: self.stop.clone(),
        })
    }
}

/// Starts a suite; returns when it answers.
///
/// # Errors
/// What is wrong, for people: the address, a database, a schema, a configuration.
pub async fn start(options: Options) -> Result<Running, String> {
    let contract = Contract::load(contracts::DESCRIPTOR_SET).map_err(|error| error.to_string())?;
    let auth = Auth::new(options.auth.clone(), &options.clock).map_err(|e| e.to_string())?;
    // The services are wired before they are served, and must know their own address then.
    let listener = listen(options.server.listen).map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let own_address = format!("http://{address}");
    let (stop, stopped) = watch::channel(false);
    let (clock, ids) = (options.clock.clone(), options.ids.clone());
    let services = options.services.clone();
    let config = options.server.clone();
    let mut wiring = Wiring {
        contract: contract.clone(),
        options,
        own_address,
        stop: stopped.clone(),
        databases: Vec::new(),
        tasks: Vec::new(),
    };
    let mut server = Server::new(&contract, config, Arc::new(auth), clock, ids);
    for service in services {
        server = wiring.mount(server, service).await?;
    }
    let bound = server.bind_on(listener).map_err(|error| error.to_string())?;
    let Options { services, default_pack, secret, .. } = wiring.options.clone();
    let own_address = wiring.own_address.clone();
    let serving = tokio::spawn(serve(bound, wiring, stopped));
    if default_pack && services.contains(&Service::Policy) {
        crate::packs::put_default_in_force(own_address, secret).await;
    }
    Ok(Running { address, stop, serving })
}

/// Serves until told to stop, then ends in order: calls, streams, followers and writers, databases.
async fn serve(
    bound: Bound,
    wiring: Wiring,
    mut stop: watch::Receiver<bool>,
) -> Result<(), String> {
    let Wiring { databases, tasks, .. } = wiring;
    let ending = databases.clone();
    let signal = async move {
        // An error means that the handle is gone, which is the end as well.
        let _ = stop.wait_for(|stop| *stop).await;
        for db in &ending {
            db.end_streams();
        }
    };
    let served = bound.serve_until(signal).await.map_err(|error| error.to_string());
    for task in tasks {
        task.await;
    }
    for db in databases {
        db.close().await;
    }
    served
}
