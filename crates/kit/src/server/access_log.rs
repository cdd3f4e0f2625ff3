//! One line in the log and one measurement for each call. Says nothing about persons: no
//! subject, no address, no content.

use std::sync::Arc;
use std::time::Duration;

use tonic::Code;

use super::call::{Call, Target};
use super::shutdown::Shutdown;
use super::step::Handle;
use super::stream_body::StreamBody;
use super::{Request, Response, render};
use crate::clock::Stopwatch;
use crate::telemetry::RpcMetrics;

/// The step.
#[derive(Clone)]
pub(super) struct AccessLog<H> {
    metrics: RpcMetrics,
    shutdown: Shutdown,
    inner: H,
}

impl<H> AccessLog<H> {
    pub fn new(metrics: RpcMetrics, shutdown: Shutdown, inner: H) -> AccessLog<H> {
        AccessLog { metrics, shutdown, inner }
    }
}

impl<H: Handle> Handle for AccessLog<H> {
    async fn handle(&self, request: Request) -> Response {
        let Some(call) = Call::of(&request) else { return self.inner.handle(request).await };
        // Written when it is dropped, so that a call that the caller gave up has its line, too.
        let mut record = Record {
            call: call.clone(),
            watch: Stopwatch::start(),
            metrics: self.metrics.clone(),
            code: Code::Cancelled,
        };
        let response = self.inner.handle(request).await;
        match render::code(response.headers()) {
            // A stream goes on after its headers, and so does its record.
            None if call.streams() => response.map(|body| {
                StreamBody::wrap(body, record, tracing::Span::current(), self.shutdown.signal())
            }),
            code => {
                record.code = code.unwrap_or(Code::Ok);
                response
            }
        }
    }
}

/// The record of one call, written when it is dropped.
pub(super) struct Record {
    pub call: Arc<Call>,
    watch: Stopwatch,
    metrics: RpcMetrics,
    /// How it ended; "cancelled" until it is known better.
    pub code: Code,
}

impl Drop for Record {
    fn drop(&mut self) {
        let duration = self.watch.elapsed();
        if !matches!(self.call.target, Target::Infrastructure(_)) {
            self.metrics.record(self.call.name(), self.code, duration);
        }
        write(&self.call, self.code, duration);
    }
}

fn write(call: &Call, code: Code, duration: Duration) {
    let method = call.name();
    let duration_ms = duration.as_secs_f64() * 1e3;
    let request_id = call.request_id.as_str();
    /// The same line at another level.
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "kit::access",
                method, code = render::code_name(code), duration_ms, request_id, "rpc"
            )
        };
    }
    match (&call.target, code) {
        (Target::Infrastructure(_), _) => line!(debug),
        (_, Code::Internal | Code::Unknown | Code::DataLoss) => line!(error),
        (_, Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted) => line!(warn),
        _ => line!(info),
    }
}
