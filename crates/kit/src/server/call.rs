//! What the stack knows about a call, worked out once and carried along.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::contract::Method;

/// A call on its way through the stack; in the request's extensions.
#[derive(Debug)]
pub(crate) struct Call {
    pub target: Target,
    /// Names the call in the log and in internal errors.
    pub request_id: String,
}

/// What is called.
#[derive(Debug)]
pub(crate) enum Target {
    /// An RPC of the contract whose service is mounted here.
    Method(Arc<Method>),
    /// Health or reflection, at this path.
    Infrastructure(String),
    /// Nothing that is served here.
    Unknown,
}

impl Call {
    /// The call that a request carries.
    pub fn of(request: &super::Request) -> Option<Arc<Call>> {
        request.extensions().get::<Arc<Call>>().cloned()
    }

    /// The RPC, if it is one of the contract's.
    pub fn method(&self) -> Option<&Arc<Method>> {
        match &self.target {
            Target::Method(method) => Some(method),
            Target::Infrastructure(_) | Target::Unknown => None,
        }
    }

    /// What logs, spans and measurements call it: `package.Service/Method`, after OpenTelemetry's
    /// conventions for RPC. An unknown one is whatever the caller wrote, hence not shown.
    pub fn name(&self) -> &str {
        let path = match &self.target {
            Target::Method(method) => &method.path,
            Target::Infrastructure(path) => path,
            Target::Unknown => "unknown",
        };
        path.trim_start_matches('/')
    }

    /// The domain of errors.
    pub fn domain(&self) -> &str {
        self.method().map_or("recourse", |method| &method.domain)
    }

    /// Whether the answer may be a stream that lives on after its headers.
    pub fn streams(&self) -> bool {
        match &self.target {
            Target::Method(method) => method.server_streaming,
            Target::Infrastructure(_) => true,
            Target::Unknown => false,
        }
    }
}

/// How long the caller of the current call still waits, and the id of the call.
#[derive(Clone, Debug)]
pub struct Remaining {
    watch: Stopwatch,
    limit: Option<Duration>,
    /// The id of the call.
    pub request_id: String,
}

tokio::task_local! {
    static CURRENT: Remaining;
}

impl Remaining {
    pub(crate) fn new(limit: Option<Duration>, request_id: String) -> Remaining {
        Remaining { watch: Stopwatch::start(), limit, request_id }
    }

    /// The time left; `None` if the caller waits for as long as it takes.
    pub fn time_left(&self) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(self.watch.elapsed()))
    }

    /// Runs a future as part of the call, so that calls which it makes inherit the deadline.
    pub(crate) async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }
}

/// The call that this task is answering, if it is; tasks spawned from it are not.
pub fn remaining() -> Option<Remaining> {
    CURRENT.try_with(Remaining::clone).ok()
}
