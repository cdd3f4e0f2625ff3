//! Serves gRPC: mounts services, puts the stack around them, and ends in good order.
//!
//! `stack.rs` is the one place that lists what a call passes through. Each service gets health
//! and readiness; every port serves reflection, health and gRPC-web. Knows no service by name.

mod access_log;
mod authenticate;
mod authorise;
mod call;
mod config;
mod deadline;
mod dispatch;
mod health;
mod item_body;
mod limit;
mod render;
mod serve;
mod shutdown;
mod stack;
mod step;
mod stream_body;
mod trace;
mod validation;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;
use tower::util::BoxCloneSyncService;

pub use call::{Remaining, remaining};
pub use config::{Limits, ServerConfig};
pub(crate) use render::code_name;
pub use serve::{Bound, ServeError, listen};
pub use shutdown::shutdown_signal;

use crate::auth::Auth;
use crate::clock::Clock;
use crate::contract::Contract;
use crate::id::Ids;

/// A request before anything is decoded.
pub(crate) type Request = http::Request<Body>;
/// A response as it goes out.
pub(crate) type Response = http::Response<Body>;
/// A mounted tonic service.
pub(crate) type Mounted = BoxCloneSyncService<Request, Response, Infallible>;

type Ready = Box<dyn Fn() -> bool + Send + Sync>;

/// A server to be: services are added, then it is bound and served.
pub struct Server {
    contract: Contract,
    config: ServerConfig,
    auth: Arc<Auth>,
    clock: Clock,
    ids: Ids,
    services: HashMap<&'static str, Mounted>,
    ready: Vec<(&'static str, Ready)>,
}

impl Server {
    /// A server without services yet.
    pub fn new(
        contract: &Contract,
        config: ServerConfig,
        auth: Arc<Auth>,
        clock: Clock,
        ids: Ids,
    ) -> Server {
        let contract = contract.clone();
        let services = HashMap::new();
        Server { contract, config, auth, clock, ids, services, ready: Vec::new() }
    }

    /// Mounts a generated tonic server, which is ready as soon as it is mounted.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "it adds no numbers, and takes any service")]
    pub fn add<S>(self, service: S) -> Server
    where
        S: Service<Request, Response = Response, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.add_when(service, || true)
    }

    /// Mounts a generated tonic server whose health is SERVING while `ready` says so: followers
    /// caught up, database reachable. `ready` is asked four times a second and must not block.
    #[must_use]
    pub fn add_when<S>(
        mut self,
        service: S,
        ready: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Server
    where
        S: Service<Request, Response = Response, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.services.insert(S::NAME, BoxCloneSyncService::new(service));
        self.ready.push((S::NAME, Box::new(ready)));
        self
    }

    /// Takes the address; port 0 takes a free one. Nothing is answered until
    /// [`Bound::serve_until`].
    ///
    /// # Errors
    /// If the address is taken, if it is not loopback in open mode, or if a mounted service is
    /// not part of the contract.
    pub async fn bind(self) -> Result<Bound, ServeError> {
        let listener = listen(self.config.listen)?;
        self.bind_on(listener)
    }

    /// The same on an address that was taken before, by [`listen`]: for services that must know
    /// their own address while they are wired.
    ///
    /// # Errors
    /// See [`Server::bind`].
    pub fn bind_on(self, listener: std::net::TcpListener) -> Result<Bound, ServeError> {
        serve::bind(self, listener)
    }
}
