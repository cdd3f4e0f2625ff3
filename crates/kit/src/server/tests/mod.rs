//! The whole stack without sockets: one request in, one response out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Full, StreamBody};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use super::shutdown::{ShutdownTrigger, shutdown};
use super::stack::{Parts, stack};
use super::step::Handle;
use super::trace::Known;
use super::*;
use crate::auth::{AuthConfig, Caller, TokenSpec, mint};
use crate::clock::{self, Time};
use crate::config::Secret;
use crate::error::{Error, INTERNAL_MESSAGE};
use crate::fixture::{CONTRACT, wire};

const SECRET: &str = "a secret of thirty-two bytes or more";
const SERVICE: &str = "recourse.sample.v1.SampleService";
const NOW: Time = Time::from_seconds(1_000_000);

mod access;
mod ends;
mod log;
mod requests;
mod sockets;

/// What a test's handler does with a request.
pub(super) type Behaviour =
    Arc<dyn Fn(Request) -> futures_util::future::BoxFuture<'static, Response> + Send + Sync>;

/// A frame with a message.
pub(super) fn frame(message: &[u8]) -> Bytes {
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(message);
    frame.into()
}

/// A successful unary answer.
pub(super) fn ok() -> Response {
    let mut response = Response::new(Body::new(Full::new(frame(&[]))));
    response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    response
}

/// A streamed answer.
pub(super) fn streamed<S>(frames: S) -> Response
where
    S: futures_util::Stream<Item = Result<http_body::Frame<Bytes>, Status>> + Send + 'static,
{
    Response::new(Body::new(StreamBody::new(frames)))
}

pub(super) fn behaviour<F, O>(handler: F) -> Behaviour
where
    F: Fn(Request) -> O + Send + Sync + 'static,
    O: Future<Output = Response> + Send + 'static,
{
    Arc::new(move |request| Box::pin(handler(request)))
}

fn mounted(behaviour: Behaviour) -> HashMap<&'static str, Mounted> {
    let service = tower::service_fn(move |request| {
        let answer = behaviour(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    HashMap::from([(SERVICE, BoxCloneSyncService::new(service))])
}

struct Stack {
    handle: Box<dyn Fn(Request) -> futures_util::future::BoxFuture<'static, Response>>,
    clock: Clock,
    stop: ShutdownTrigger,
}

fn stack_with(auth: Auth, clock: Clock, limits: Limits, behaviour: Behaviour) -> Stack {
    let (stop, shutdown) = shutdown();
    let parts = Parts {
        known: Arc::new(Known::new(&CONTRACT, |service| service == SERVICE)),
        services: mounted(behaviour),
        auth: Arc::new(auth),
        limits,
        clock: clock.clone(),
        ids: Ids::seeded(1),
        shutdown,
    };
    let stack = stack(parts);
    let handle = Box::new(move |request| {
        let stack = stack.clone();
        Box::pin(async move { stack.handle(request).await }) as _
    });
    Stack { handle, clock, stop }
}

fn open(behaviour: Behaviour) -> Stack {
    stack_with(Auth::Open, Clock::manual(NOW), Limits::default(), behaviour)
}

fn tokens(behaviour: Behaviour) -> Stack {
    let clock = Clock::manual(NOW);
    let auth = Auth::new(AuthConfig::secret(SECRET), &clock).unwrap();
    stack_with(auth, clock, Limits::default(), behaviour)
}

fn request(method: &str, body: impl Into<Bytes>) -> Request {
    http::Request::post(format!("/{SERVICE}/{method}"))
        .header("content-type", "application/grpc")
        .body(Body::new(Full::new(body.into())))
        .unwrap()
}

fn valid() -> Bytes {
    frame(&wire::bytes(1, "hi"))
}

fn token(subject: &str, scopes: &[&str], expires: Time) -> String {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let spec = TokenSpec { subject: subject.into(), scopes, expires, ..TokenSpec::default() };
    mint(&Secret::new(SECRET), &spec).unwrap()
}

fn later() -> Time {
    NOW.plus(Duration::from_secs(60))
}

impl Stack {
    async fn call(&self, request: Request) -> Response {
        (self.handle)(request).await
    }

    /// The status of a call with these headers, wherever it stands.
    async fn status(&self, method: &str, body: Bytes, headers: &[(&str, &str)]) -> Status {
        let mut request = request(method, body);
        for (name, value) in headers {
            let name = http::HeaderName::try_from(*name).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        ended(self.call(request).await).await
    }
}

/// The status at the end of a response.
async fn ended(response: Response) -> Status {
    let status = Status::from_header_map(response.headers());
    let trailers = response.into_body().collect().await.unwrap().trailers().cloned();
    let trailers = trailers.and_then(|trailers| Status::from_header_map(&trailers));
    status.or(trailers).unwrap_or_else(|| Status::ok(""))
}

/// Code and reason; asserts the domain that every error has.
fn verdict(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info().expect("every error has ErrorInfo");
    assert_eq!(info.domain, "sample.recourse");
    (status.code(), info.reason)
}

fn denied(reason: &str, code: Code) -> (Code, String) {
    (code, reason.to_owned())
}
