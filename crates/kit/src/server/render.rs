//! What every error has in common: a reason and a domain, nothing of our insides.
//!
//! Whatever a handler, tonic or a panic leaves behind passes here: an error without
//! `ErrorInfo` gets one, INTERNAL and UNKNOWN lose all detail but the request id.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::pb;

use super::call::{Call, Target};
use super::step::Handle;
use super::{Request, Response};
use crate::error::{Error, INTERNAL_MESSAGE};

/// The header with the encoded `google.rpc.Status`.
const DETAILS: &str = "grpc-status-details-bin";
/// The type of `ErrorInfo` inside it.
const ERROR_INFO: &str = "google.rpc.ErrorInfo";

/// Base64 as clients write it, with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The step.
#[derive(Clone)]
pub(super) struct Render<H> {
    inner: H,
}

impl<H> Render<H> {
    pub fn new(inner: H) -> Render<H> {
        Render { inner }
    }
}

impl<H: Handle> Handle for Render<H> {
    async fn handle(&self, request: Request) -> Response {
        let Some(call) = Call::of(&request) else { return self.inner.handle(request).await };
        let mut response = match &call.target {
            Target::Unknown => response_of(unknown_method()),
            _ => {
                let answer = AssertUnwindSafe(self.inner.handle(request)).catch_unwind().await;
                answer.unwrap_or_else(|panic| response_of(panicked(panic.as_ref())))
            }
        };
        finish(response.headers_mut(), &call);
        response
    }
}

fn unknown_method() -> Error {
    Error::unimplemented("UNKNOWN_METHOD").message("there is no such RPC on this server")
}

/// The response that carries an error.
pub(super) fn response_of(error: Error) -> Response {
    Status::from(error).into_http()
}

/// The error after a panic, whose text goes to the log only.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::internal(format!("a handler panicked: {}", text.unwrap_or("without a message")))
}

/// The code that headers or trailers carry; `None` if they carry none.
pub(super) fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

/// The code as the standard writes it.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Puts an error in headers or trailers into its final form; leaves a success alone.
pub(super) fn finish(headers: &mut HeaderMap, call: &Call) {
    let Some(code) = code(headers).filter(|code| *code != Code::Ok) else { return };
    let mut status = details(headers);
    status.code = code as i32;
    if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
        mask(&mut status, headers);
    }
    let place = status.details.iter().position(|any| any.type_url.ends_with(ERROR_INFO));
    let known = place.and_then(|at| pb::ErrorInfo::decode(&*status.details[at].value).ok());
    let masked = status.code == Code::Internal as i32;
    if !masked && known.as_ref().is_some_and(|info| !info.domain.is_empty()) {
        return;
    }
    let mut info = known.unwrap_or_else(|| pb::ErrorInfo {
        reason: reason_for(code).to_owned(),
        ..pb::ErrorInfo::default()
    });
    call.domain().clone_into(&mut info.domain);
    if masked {
        info.metadata.insert("request_id".to_owned(), call.request_id.clone());
    }
    let any = prost_types::Any {
        type_url: format!("type.googleapis.com/{ERROR_INFO}"),
        value: info.encode_to_vec(),
    };
    match place {
        Some(at) => status.details[at] = any,
        None => status.details.insert(0, any),
    }
    write(headers, &status);
}

/// The status that the headers carry, message included.
fn details(headers: &HeaderMap) -> pb::Status {
    let bytes = headers.get(DETAILS).and_then(|value| LENIENT.decode(value.as_bytes()).ok());
    let status = bytes.and_then(|bytes| pb::Status::decode(&*bytes).ok());
    status.unwrap_or_else(|| pb::Status { message: message(headers), ..pb::Status::default() })
}

/// The message, which is percent-encoded as a header.
fn message(headers: &HeaderMap) -> String {
    let only = ["grpc-status", "grpc-message"]
        .into_iter()
        .filter_map(|name| Some((HeaderName::from_static(name), headers.get(name)?.clone())));
    let status = Status::from_header_map(&only.collect());
    status.map(|status| status.message().to_owned()).unwrap_or_default()
}

/// Takes everything away from an internal error. What did not go through our own error type
/// is logged here; what did, is logged already.
fn mask(status: &mut pb::Status, headers: &mut HeaderMap) {
    if status.message != INTERNAL_MESSAGE {
        tracing::error!(error = %message(headers), "a call failed by our own fault");
    }
    status.code = Code::Internal as i32;
    INTERNAL_MESSAGE.clone_into(&mut status.message);
    status.details.clear();
    headers.insert("grpc-status", HeaderValue::from(Code::Internal as i32));
    headers.insert("grpc-message", HeaderValue::from_static(MASKED_HEADER));
}

/// [`INTERNAL_MESSAGE`] as a header: percent-encoding leaves all its characters alone.
const MASKED_HEADER: &str = INTERNAL_MESSAGE;

fn write(headers: &mut HeaderMap, status: &pb::Status) {
    let details = STANDARD_NO_PAD.encode(status.encode_to_vec());
    if let Ok(value) = HeaderValue::try_from(details) {
        headers.insert(DETAILS, value);
    }
}

/// The reason of an error that named none: tonic's own, or a bare status of a handler.
fn reason_for(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "INVALID_REQUEST",
        Code::Unavailable => "NOT_READY",
        Code::Aborted => "CONFLICT_RETRY",
        Code::ResourceExhausted => "MESSAGE_TOO_LARGE",
        Code::Unimplemented => "UNKNOWN_METHOD",
        Code::Unknown | Code::DataLoss => "INTERNAL",
        other => code_name(other),
    }
}
