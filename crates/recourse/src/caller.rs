//! Calling the suite as somebody: the client side of the replay, the demo and the policy commands.
//!
//! It knows how to say who calls and when a call is worth repeating; it must not know what is
//! called.

use std::{future::Future, time::Duration};

use kit::auth::{TokenSpec, mint};
use kit::clock::{self, Clock};
use kit::config::Secret;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

/// For how long a call is repeated while the suite cannot be reached or is too busy, in seconds.
pub const PATIENCE_SECONDS: u64 = 180;
/// The longest wait between two tries, in milliseconds.
const BACKOFF_MS_MAX: u64 = 1_000;
/// For how long a minted token is good.
const TOKEN_FOR: Duration = Duration::from_secs(3_600);
/// The scopes that a minted token holds: all that the replay, the demo and the policy commands
/// need.
const SCOPES: [&str; 18] = [
    "policy.read",
    "policy.publish",
    "policy.activate",
    "reports.file",
    "reports.read",
    "reports.watch",
    "review.decide",
    "review.read",
    "review.watch",
    "accounthealth.read",
    "accounthealth.read_all",
    "accounthealth.check",
    "accounthealth.watch",
    "appeals.file",
    "appeals.read",
    "appeals.read_all",
    "appeals.watch",
    "impersonation.read_all",
];

/// How a caller proves who it is.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// The suite runs open on loopback and believes the subject it is told.
    Open,
    /// Tokens are signed with the suite's shared secret (HS256), one for each person.
    Secret(Secret),
}

impl Credentials {
    /// Those of a suite that checks tokens with a shared secret.
    pub fn secret(secret: &str) -> Credentials {
        Credentials::Secret(Secret::new(secret))
    }
}

/// A suite that can be called as anybody.
#[derive(Debug, Clone)]
pub struct Suite {
    channel: Channel,
    credentials: Credentials,
    clock: Clock,
}

impl Suite {
    /// A suite at an address such as "http://127.0.0.1:7700"; connects with the first call.
    pub fn at(address: &str, credentials: Credentials) -> Result<Suite, String> {
        let endpoint = Endpoint::from_shared(address.to_owned())
            .map_err(|error| format!("{address} is not an address: {error}"))?
            .connect_timeout(Duration::from_secs(5))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_while_idle(true);
        Ok(Suite { channel: endpoint.connect_lazy(), credentials, clock: Clock::system() })
    }

    /// The channel to all of its services.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A request of somebody.
    pub fn request<T>(&self, subject: &str, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        match &self.credentials {
            Credentials::Open => {
                if let Ok(subject) = subject.parse::<MetadataValue<Ascii>>() {
                    metadata.insert("recourse-subject", subject);
                }
            }
            Credentials::Secret(secret) => {
                let spec = TokenSpec {
                    subject: subject.to_owned(),
                    scopes: SCOPES.map(str::to_owned).to_vec(),
                    expires: self.clock.now().plus(TOKEN_FOR),
                    ..TokenSpec::default()
                };
                // A token that cannot be made leaves the call to be refused by name.
                let bearer = mint(secret, &spec).ok();
                if let Some(Ok(bearer)) = bearer.map(|token| format!("Bearer {token}").parse()) {
                    metadata.insert("authorization", bearer);
                }
            }
        }
        request
    }
}

/// Whether the same call may be repeated: the suite was away or too busy. Every mutating RPC
/// carries a request_id, so repeating one cannot do it twice.
pub fn worth_repeating(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded => true,
        Code::Aborted | Code::ResourceExhausted => status.get_details_retry_info().is_some(),
        // A connection that breaks while an answer is under way.
        Code::Unknown | Code::Cancelled | Code::Internal => {
            std::error::Error::source(status).is_some()
        }
        _ => false,
    }
}

/// The reason in a status's ErrorInfo; empty where it has none.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// Repeats a call while it is worth it, with growing waits, for at most [`PATIENCE_SECONDS`].
pub async fn persist<T, F>(mut call: impl FnMut() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    let started = clock::Stopwatch::start();
    let mut wait_ms = 10;
    loop {
        match call().await {
            Ok(response) => return Ok(response.into_inner()),
            Err(status)
                if worth_repeating(&status)
                    && started.elapsed() < Duration::from_secs(PATIENCE_SECONDS) =>
            {
                tracing::debug!(%status, wait_ms, "repeating a call");
                clock::sleep(Duration::from_millis(wait_ms)).await;
                wait_ms = (wait_ms * 2).min(BACKOFF_MS_MAX);
            }
            Err(status) => return Err(status),
        }
    }
}
