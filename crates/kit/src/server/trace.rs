//! Outermost: finds out what is called, names the call, opens its span.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tonic::body::Body;
use tracing::Instrument as _;

use super::call::{Call, Target};
use super::step::Handle;
use super::{Request, Response};
use crate::clock::Clock;
use crate::contract::{Contract, Method};
use crate::id::Ids;
use crate::telemetry;

/// The header that names a call, taken from the caller and always answered.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Characters of a caller's request id, at most; a longer one is replaced.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// Services that belong to the server itself.
const INFRASTRUCTURE: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// What is served here.
pub(super) struct Known(HashMap<String, Arc<Method>>);

impl Known {
    /// The RPCs of the mounted services.
    pub fn new(contract: &Contract, is_mounted: impl Fn(&str) -> bool) -> Known {
        let methods = contract.methods().filter(|method| is_mounted(&method.service));
        Known(methods.map(|method| (method.path.clone(), method.clone())).collect())
    }

    fn target(&self, path: &str) -> Target {
        if let Some(method) = self.0.get(path) {
            return Target::Method(method.clone());
        }
        let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if INFRASTRUCTURE.contains(&service) {
            Target::Infrastructure(path.to_owned())
        } else {
            Target::Unknown
        }
    }
}

/// The step.
#[derive(Clone)]
pub(super) struct Trace<H> {
    known: Arc<Known>,
    clock: Clock,
    ids: Ids,
    inner: H,
}

impl<H> Trace<H> {
    pub fn new(known: Arc<Known>, clock: Clock, ids: Ids, inner: H) -> Trace<H> {
        Trace { known, clock, ids, inner }
    }

    fn request_id(&self, headers: &HeaderMap) -> String {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let usable = given.filter(|id| {
            (1..=REQUEST_ID_CHARS_MAX).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        });
        usable.map_or_else(|| self.ids.new_id("req", self.clock.now()), str::to_owned)
    }
}

impl<H: Handle> Handle for Trace<H> {
    async fn handle(&self, mut request: Request) -> Response {
        if !is_grpc(request.headers()) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return response;
        }
        let target = self.known.target(request.uri().path());
        let call = Arc::new(Call { target, request_id: self.request_id(request.headers()) });
        let span = tracing::info_span!(
            "rpc",
            "rpc.method" = call.name(),
            "request.id" = %call.request_id,
            "otel.name" = call.name(),
            "otel.kind" = "server",
        );
        telemetry::continue_trace(&span, request.headers());
        request.extensions_mut().insert(call.clone());
        let mut response = self.inner.handle(request).instrument(span).await;
        if let Ok(value) = HeaderValue::from_str(&call.request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(http::header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}
