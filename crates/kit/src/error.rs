//! Errors as the caller sees them, and the one place where they become a gRPC status.
//!
//! A handler builds an [`Error`] and `?` turns it into a [`Status`] with `google.rpc` details.
//! The domain of `ErrorInfo` and the request id of an internal error are filled in by the
//! error layer of the server, which knows them. This module knows no domain noun.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{
    ErrorDetails, FieldViolation, PreconditionViolation, QuotaViolation, StatusExt as _,
};

/// What an INTERNAL error says, whatever went wrong; the log has the rest.
pub const INTERNAL_MESSAGE: &str = "internal error: the log has the detail under this request id";

/// How long a caller waits before it tries again, unless the error says otherwise.
pub const RETRY_AFTER_DEFAULT: Duration = Duration::from_millis(500);

/// Fields named in one answer, at most: what clients accept of headers is bounded.
const FIELDS_MAX: usize = 32;

/// Characters of a message, at most, for the same reason.
const MESSAGE_CHARS_MAX: usize = 400;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error on its way to the caller: code, reason and everything that the caller may use to
/// decide what to do.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    reason: String,
    message: Option<String>,
    domain: String,
    meta: HashMap<String, String>,
    fields: Vec<FieldViolation>,
    violations: Vec<PreconditionViolation>,
    quotas: Vec<QuotaViolation>,
    resource: Option<(String, String)>,
    retry_after: Option<Duration>,
    source: Option<Source>,
}

/// The codes, one constructor each. `reason` is the name of a value of the service's
/// `ErrorReason` enum without its prefix, for example `CASE_NOT_FOUND`.
impl Error {
    fn new(code: Code, reason: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            code,
            reason: reason.into(),
            message: None,
            domain: String::new(),
            meta: HashMap::new(),
            fields: Vec::new(),
            violations: Vec::new(),
            quotas: Vec::new(),
            resource: None,
            retry_after: None,
            source: None,
        }))
    }

    /// INVALID_ARGUMENT, reason INVALID_REQUEST, one field wrong. Add the others with
    /// [`Error::and_invalid`]; a caller is told of all at once.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Error {
        Error::invalid_request().and_invalid(field, description)
    }

    /// INVALID_ARGUMENT, reason INVALID_REQUEST, no field named yet.
    pub fn invalid_request() -> Error {
        Error::new(Code::InvalidArgument, "INVALID_REQUEST")
    }

    /// INVALID_ARGUMENT with a reason of its own.
    pub fn invalid_argument(reason: impl Into<String>) -> Error {
        Error::new(Code::InvalidArgument, reason)
    }

    /// NOT_FOUND. Name what is missing with [`Error::resource`].
    pub fn not_found(reason: impl Into<String>) -> Error {
        Error::new(Code::NotFound, reason)
    }

    /// ALREADY_EXISTS. Name what exists with [`Error::resource`].
    pub fn already_exists(reason: impl Into<String>) -> Error {
        Error::new(Code::AlreadyExists, reason)
    }

    /// FAILED_PRECONDITION: an illegal transition, a closed window. Say which with
    /// [`Error::violation`].
    pub fn failed_precondition(reason: impl Into<String>) -> Error {
        Error::new(Code::FailedPrecondition, reason)
    }

    /// ABORTED: a stale etag, or retries exhausted (then with [`Error::retry_after`]).
    pub fn aborted(reason: impl Into<String>) -> Error {
        Error::new(Code::Aborted, reason)
    }

    /// OUT_OF_RANGE: past what is kept or what exists.
    pub fn out_of_range(reason: impl Into<String>) -> Error {
        Error::new(Code::OutOfRange, reason)
    }

    /// PERMISSION_DENIED, reason PERMISSION_DENIED: the caller lacks `scope`. Answered before
    /// the existence of anything is looked up.
    pub fn permission_denied(scope: impl Into<String>) -> Error {
        Error::new(Code::PermissionDenied, "PERMISSION_DENIED").meta("scope", scope)
    }

    /// UNAUTHENTICATED, reason UNAUTHENTICATED; `message` says what is wrong with the
    /// credentials without repeating them.
    pub fn unauthenticated(message: impl Into<String>) -> Error {
        Error::new(Code::Unauthenticated, "UNAUTHENTICATED").message(message)
    }

    /// UNAVAILABLE: too much at once, not ready, or a dependency is down. Carries RetryInfo.
    pub fn unavailable(reason: impl Into<String>) -> Error {
        Error::new(Code::Unavailable, reason).retry_after(RETRY_AFTER_DEFAULT)
    }

    /// RESOURCE_EXHAUSTED: a quota, a size, a reader that is too slow.
    pub fn resource_exhausted(reason: impl Into<String>) -> Error {
        Error::new(Code::ResourceExhausted, reason)
    }

    /// DEADLINE_EXCEEDED, reason DEADLINE_EXCEEDED.
    pub fn deadline_exceeded() -> Error {
        Error::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
            .message("the deadline passed before the answer was ready")
    }

    /// UNIMPLEMENTED: no such RPC.
    pub fn unimplemented(reason: impl Into<String>) -> Error {
        Error::new(Code::Unimplemented, reason)
    }

    /// What a failed call to a peer is to our own caller. That the peer cannot answer for now
    /// is UNAVAILABLE, reason NOT_READY, metadata `peer`; anything else is our fault, INTERNAL.
    /// Look at the status first ([`reason_of`]) where the caller is to hear of it.
    pub fn from_peer(peer: impl Into<String>, status: Status) -> Error {
        match status.code() {
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::ResourceExhausted
            | Code::Aborted => {
                let peer = peer.into();
                Error::unavailable("NOT_READY")
                    .message(format!("the service {peer} does not answer for now"))
                    .meta("peer", peer)
                    .caused_by(status)
            }
            _ => Error::internal(status),
        }
    }

    /// INTERNAL: our fault. The caller gets a fixed sentence and the request id; `source` and
    /// its causes go to the log, once.
    pub fn internal(source: impl Into<Source>) -> Error {
        let mut error = Error::new(Code::Internal, "INTERNAL");
        error.0.source = Some(source.into());
        error
    }
}

/// What the error carries besides code and reason.
impl Error {
    /// The sentence for people: lower case, no full stop, every dynamic part also in
    /// [`Error::meta`]. Without one, the reason in words stands in its place.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Error {
        self.0.message = Some(message.into());
        self
    }

    /// The service that gives the error, for example `reports.recourse`. Only needed where no
    /// server layer fills it in.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Error {
        self.0.domain = domain.into();
        self
    }

    /// One entry of `ErrorInfo.metadata`.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<String>) -> Error {
        self.0.meta.insert(key.into(), value.into());
        self
    }

    /// One more wrong field: its path (`items[2].name`) and what is wrong with it.
    #[must_use]
    pub fn and_invalid(self, field: impl Into<String>, description: impl Into<String>) -> Error {
        self.and_invalid_rule(field, description, "")
    }

    /// One more wrong field with the id of the rule that it breaks, such as `string.max_len`.
    #[must_use]
    pub fn and_invalid_rule(
        mut self,
        field: impl Into<String>,
        description: impl Into<String>,
        rule: impl Into<String>,
    ) -> Error {
        let mut violation = FieldViolation::new(field, description);
        violation.reason = rule.into();
        self.0.fields.push(violation);
        self
    }

    /// One unmet precondition: its kind (`STATE`, `WINDOW`), the subject (`cases/case_…`), and
    /// a sentence that says how to meet it.
    #[must_use]
    pub fn violation(
        mut self,
        kind: impl Into<String>,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Error {
        self.0.violations.push(PreconditionViolation::new(kind, subject, description));
        self
    }

    /// One exhausted quota: whose, and a sentence with the limit.
    #[must_use]
    pub fn quota(mut self, subject: impl Into<String>, description: impl Into<String>) -> Error {
        self.0.quotas.push(QuotaViolation::new(subject, description));
        self
    }

    /// The resource meant: its type (`case`) and its name or id. Also put into the metadata
    /// under `<type>_id`.
    #[must_use]
    pub fn resource(mut self, kind: impl Into<String>, name: impl Into<String>) -> Error {
        let (kind, name) = (kind.into(), name.into());
        self.0.meta.insert(format!("{kind}_id"), name.clone());
        self.0.resource = Some((kind, name));
        self
    }

    /// How long the caller should wait before it tries again.
    #[must_use]
    pub fn retry_after(mut self, span: Duration) -> Error {
        self.0.retry_after = Some(span);
        self
    }

    /// What caused it. Never shown to the caller; logged for INTERNAL errors.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Error {
        self.0.source = Some(source.into());
        self
    }
}

/// Reading.
impl Error {
    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// How many fields are named as wrong.
    pub fn invalid_fields(&self) -> usize {
        self.0.fields.len()
    }

    /// `Err(self)` if a field is named as wrong: how a parser that collects violations ends.
    ///
    /// # Errors
    /// The error itself.
    pub fn if_any_invalid(self) -> Result<(), Error> {
        if self.0.fields.is_empty() { Ok(()) } else { Err(self) }
    }

    fn text(&self) -> String {
        match (&self.0.message, self.0.code, self.0.fields.as_slice()) {
            (_, Code::Internal | Code::Unknown, _) => INTERNAL_MESSAGE.to_owned(),
            (Some(message), _, _) => message.clone(),
            (None, _, [one]) => format!("{}: {}", one.field, one.description),
            (None, _, [one, rest @ ..]) => {
                format!("{}: {} (and {} more)", one.field, one.description, rest.len())
            }
            (None, _, []) => self.0.reason.to_lowercase().replace('_', " "),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.reason, self.text())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The one conversion site. An INTERNAL error is logged here, inside the request's span.
impl From<Error> for Status {
    fn from(error: Error) -> Status {
        let message: String = error.text().chars().take(MESSAGE_CHARS_MAX).collect();
        let mut inner = *error.0;
        inner.fields.truncate(FIELDS_MAX);
        if let (Code::Internal, Some(source)) = (inner.code, &inner.source) {
            tracing::error!(error = %Chain(source.as_ref()), "a call failed by our own fault");
        }
        let mut details = ErrorDetails::with_error_info(inner.reason, inner.domain, inner.meta);
        if !inner.fields.is_empty() {
            details.set_bad_request(inner.fields);
        }
        if !inner.violations.is_empty() {
            details.set_precondition_failure(inner.violations);
        }
        if !inner.quotas.is_empty() {
            details.set_quota_failure(inner.quotas);
        }
        if let Some((kind, name)) = inner.resource {
            details.set_resource_info(kind, name, "", message.clone());
        }
        if let Some(span) = inner.retry_after {
            details.set_retry_info(Some(span));
        }
        let mut status = Status::with_error_details(inner.code, message, details);
        if let Some(source) = inner.source {
            status.set_source(Arc::from(source));
        }
        status
    }
}

/// The reason that a status of another service carries in its `ErrorInfo`.
pub fn reason_of(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

/// An error and its causes on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
