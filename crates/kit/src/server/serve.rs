//! Binds the address, serves the stack on it, and stops in good order.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use tonic::transport::server::TcpIncoming;
use tonic_web::GrpcWebLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::health;
use super::shutdown::{Shutdown, ShutdownTrigger, shutdown};
use super::stack::{Parts, stack};
use super::step::Tower;
use super::trace::Known;
use super::{Ready, Server, ServerConfig};
use crate::auth::{ON_BEHALF_OF, OPEN_SUBJECT};
use crate::clock;

/// Streams that one connection may have open at a time.
const STREAMS_PER_CONNECTION_MAX: u32 = 1_024;
/// Bytes of headers that a request may have.
const HEADER_BYTES_MAX: u32 = 32 << 10;
/// How often a silent connection is asked whether it is still there.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);
/// How long it may take to answer that.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a browser may remember what it was allowed.
const CORS_MAX_AGE: Duration = Duration::from_secs(3_600);

/// Why a server cannot start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be taken.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, std::io::Error),
    /// In open mode anyone may do anything, which must not be reachable from elsewhere.
    #[error("without an [auth] configuration the server binds loopback only, not {0}")]
    OpenBeyondLoopback(SocketAddr),
    /// A mounted service is none of the contract's.
    #[error("the contract has no service {0}")]
    NotInContract(&'static str),
    /// Reflection could not be built from the descriptors.
    #[error("reflection: {0}")]
    Reflection(String),
    /// The transport failed.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// A server that has its address and does not answer yet.
pub struct Bound {
    address: SocketAddr,
    incoming: TcpIncoming,
    parts: Parts,
    ready: Vec<(&'static str, Ready)>,
    reporter: tonic_health::server::HealthReporter,
    trigger: ShutdownTrigger,
    shutdown: Shutdown,
    drain: Duration,
    cors: CorsLayer,
}

/// Takes an address; port 0 takes a free one. Callers wait until it is served.
///
/// # Errors
/// If the address is taken.
pub fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let failed = |error| ServeError::Bind(address, error);
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// See [`Server::bind_on`].
pub(super) fn bind(server: Server, listener: TcpListener) -> Result<Bound, ServeError> {
    let Server { contract, config, auth, clock, ids, mut services, ready } = server;
    let failed = |error| ServeError::Bind(config.listen, error);
    let address = listener.local_addr().map_err(failed)?;
    if auth.is_open() && !address.ip().is_loopback() {
        return Err(ServeError::OpenBeyondLoopback(address));
    }
    for name in services.keys() {
        if !contract.methods().any(|method| method.service == *name) {
            return Err(ServeError::NotInContract(name));
        }
    }
    let known = Arc::new(Known::new(&contract, |service| services.contains_key(service)));
    let names: Vec<&'static str> = services.keys().copied().collect();
    let (infrastructure, reporter) = health::infrastructure(&contract, &names)?;
    services.extend(infrastructure);
    let cors = cors(&config, auth.is_open());
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let (trigger, shutdown) = shutdown();
    let drain = config.limits.drain;
    let limits = config.limits;
    let parts = Parts { known, services, auth, limits, clock, ids, shutdown: shutdown.clone() };
    Ok(Bound { address, incoming, parts, ready, reporter, trigger, shutdown, drain, cors })
}

impl Bound {
    /// The address, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers calls until `signal` is ready. Then health says NOT_SERVING, nothing new is
    /// accepted, calls in flight are finished, streams are ended with UNAVAILABLE, and after
    /// the configured time to drain what is left is dropped.
    ///
    /// # Errors
    /// If the transport fails.
    pub async fn serve_until(self, signal: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Bound { address, incoming, parts, ready, reporter, trigger, shutdown, drain, cors } =
            self;
        let (resting, rest) = super::shutdown::shutdown();
        let health = tokio::spawn(health::report(reporter, ready, rest));
        let serving = tonic::transport::Server::builder()
            .accept_http1(true)
            .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .layer(cors)
            .layer(GrpcWebLayer::new())
            .serve_with_incoming_shutdown(Tower(stack(parts)), incoming, shutdown.signal());
        tracing::info!(%address, "serving");
        let stopped = async {
            signal.await;
            tracing::info!(%address, "stopping");
            // Health first, so that its watchers hear of it before their streams end.
            resting.begin();
            // Whether it panicked is in the log already.
            let _ended = health.await;
            trigger.begin();
            clock::sleep(drain).await;
        };
        tokio::select! {
            result = serving => result.map_err(ServeError::from),
            () = stopped => {
                tracing::warn!(%address, "calls were still open when the time to drain was over");
                Ok(())
            }
        }
    }
}

/// Which web pages may call. A browser shows other pages' scripts nothing of the answer, but
/// in open mode a call needs no credentials, hence only pages of this host.
fn cors(config: &ServerConfig, open: bool) -> CorsLayer {
    let configured: Vec<HeaderValue> =
        config.cors_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let allowed = AllowOrigin::predicate(move |origin, _| {
        configured.contains(origin) || open && is_loopback_origin(origin)
    });
    let header = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([http::Method::POST])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            header("x-grpc-web"),
            header("x-user-agent"),
            header("x-request-id"),
            header("grpc-timeout"),
            header("traceparent"),
            header(ON_BEHALF_OF),
            header(OPEN_SUBJECT),
        ])
        .expose_headers([
            header("grpc-status"),
            header("grpc-message"),
            header("grpc-status-details-bin"),
            header("x-request-id"),
        ])
        .max_age(CORS_MAX_AGE)
}

fn is_loopback_origin(origin: &HeaderValue) -> bool {
    let host = origin.to_str().ok().and_then(|origin| {
        let host = origin.strip_prefix("http://").or(origin.strip_prefix("https://"))?;
        Some(host.rsplit_once(':').map_or(host, |(host, _port)| host))
    });
    matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}
