//! Calls to other services: one connection each, with credentials, deadline and trace.
//!
//! A [`Peer`] stands in for the channel of a generated client:
//! `ReportsServiceClient::new(peer)`. It connects when it is first used and again whenever the
//! connection breaks. Knows no service by name.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::Service;

use crate::auth::Credentials;
use crate::contract::Contract;
use crate::error::Error;
use crate::{server, telemetry};

/// How long a unary call to a peer may take, unless its own caller waits for less.
pub const CALL_TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a silent connection is asked whether it is still there.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
/// How long it may take to answer that.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Another service, as the channel of its generated client. Cheap to clone.
#[derive(Clone)]
pub struct Peer {
    channel: Channel,
    shared: Arc<Shared>,
}

struct Shared {
    contract: Contract,
    credentials: Credentials,
    timeout: Duration,
}

/// Why a peer's address cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{address} is no address of a service: {source}")]
pub struct PeerError {
    address: String,
    source: tonic::transport::Error,
}

impl Peer {
    /// The service at an address such as `http://reports:8440`. Does not connect yet; call it
    /// inside the runtime.
    ///
    /// # Errors
    /// If the address is malformed.
    pub fn new(
        contract: &Contract,
        address: impl Into<String>,
        credentials: Credentials,
    ) -> Result<Peer, PeerError> {
        let address = address.into();
        let endpoint = Endpoint::from_shared(address.clone())
            .map_err(|source| PeerError { address, source })?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_EVERY)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        let shared =
            Shared { contract: contract.clone(), credentials, timeout: CALL_TIMEOUT_DEFAULT };
        Ok(Peer { channel: endpoint.connect_lazy(), shared: Arc::new(shared) })
    }

    /// The same peer with another longest time for unary calls.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Peer {
        let shared = Shared {
            contract: self.shared.contract.clone(),
            credentials: self.shared.credentials.clone(),
            timeout,
        };
        Peer { shared: Arc::new(shared), ..self }
    }
}

impl Shared {
    /// How long the call may take; `None` for a stream, which may take for ever.
    fn limit(&self, path: &str) -> Option<Duration> {
        let streams = self
            .contract
            .method(path)
            .is_some_and(|method| method.server_streaming || method.client_streaming);
        if streams {
            return None;
        }
        let left = server::remaining().and_then(|remaining| remaining.time_left());
        Some(left.map_or(self.timeout, |left| left.min(self.timeout)))
    }

    fn prepare(&self, request: &mut http::Request<Body>) -> Result<Option<Duration>, Status> {
        let limit = self.limit(request.uri().path());
        let headers = request.headers_mut();
        let (name, value) = self.credentials.header()?;
        headers.insert(name, value);
        telemetry::pass_trace_on(headers);
        if let Some(call) = server::remaining()
            && let Ok(value) = HeaderValue::try_from(call.request_id)
        {
            headers.insert("x-request-id", value);
        }
        let Some(limit) = limit else { return Ok(None) };
        // A deadline that the caller of this client has set itself, and which is nearer, stays.
        if !headers.contains_key("grpc-timeout") {
            // Eight digits are the most that the header holds: a hundred seconds and more.
            let micros = limit.as_micros().min(99_999_999);
            if let Ok(value) = HeaderValue::try_from(format!("{micros}u")) {
                headers.insert("grpc-timeout", value);
            }
        }
        Ok(Some(limit))
    }
}

impl Service<http::Request<Body>> for Peer {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.channel.poll_ready(cx).map_err(failed)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let limit = match self.shared.prepare(&mut request) {
            Ok(limit) => limit,
            Err(status) => return Box::pin(async { Err(status) }),
        };
        let answer = self.channel.call(request);
        Box::pin(async move {
            let answer = async { answer.await.map_err(failed) };
            let Some(limit) = limit else { return answer.await };
            let in_time = tokio::time::timeout(limit, answer).await;
            in_time.unwrap_or_else(|_| Err(Error::deadline_exceeded().into()))
        })
    }
}

/// Why a call failed. The channel keeps the deadline, too: where it is the first to see that it has
/// passed, on a machine with much to do, it says that the call was cancelled, which nobody did.
fn failed(error: tonic::transport::Error) -> Status {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if error.is::<tonic::TimeoutExpired>() {
            return Error::deadline_exceeded().into();
        }
        cause = error.source();
    }
    Status::from_error(error.into())
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("channel", &self.channel).finish_non_exhaustive()
    }
}
