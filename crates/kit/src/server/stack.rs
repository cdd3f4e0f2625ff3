//! What a call passes through, outermost first. This is the one place that lists it.

use std::sync::Arc;

use super::access_log::AccessLog;
use super::authenticate::Authenticate;
use super::authorise::Authorise;
use super::deadline::Deadline;
use super::dispatch::Dispatch;
use super::limit::Limit;
use super::render::Render;
use super::shutdown::Shutdown;
use super::step::Handle;
use super::trace::{Known, Trace};
use super::validation::Validation;
use super::{Limits, Mounted};
use crate::auth::Auth;
use crate::clock::Clock;
use crate::id::Ids;
use crate::telemetry::RpcMetrics;

/// What the steps share.
pub(super) struct Parts {
    pub known: Arc<Known>,
    pub services: std::collections::HashMap<&'static str, Mounted>,
    pub auth: Arc<Auth>,
    pub limits: Limits,
    pub clock: Clock,
    pub ids: Ids,
    pub shutdown: Shutdown,
}

/// The stack. CORS and gRPC-web, which translate other protocols into this one, stand around
/// it where it is served.
#[rustfmt::skip] // A list is easier to read than a staircase.
pub(super) fn stack(parts: Parts) -> impl Handle {
    let Parts { known, services, auth, limits, clock, ids, shutdown } = parts;

    // Which RPC is meant, the call's id, its span, and what the caller traces it under.
    Trace::new(known, clock.clone(), ids,
    // One line and one measurement for each call, however it ends; a stream ends with the
    // server at the latest.
    AccessLog::new(RpcMetrics::new(), shutdown,
    // Every error gets its domain, internal detail is masked, a panic becomes INTERNAL.
    Render::new(
    // What would be too much at once is refused before it costs anything.
    Limit::new(limits.in_flight_max,
    // Nothing is worked on for longer than its caller waits.
    Deadline::new(limits.unary_timeout,
    // Who calls.
    Authenticate::new(auth,
    // Whether they may, by the scope that the proto names. Before anything is looked at.
    Authorise::new(
    // Whether the request keeps the rules that the proto names, all violations at once.
    Validation::new(limits.request_bytes_max, clock,
    // The handler.
    Dispatch::new(services)))))))))
}
