//! What an outgoing call shows to the service that it calls.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use super::OPEN_SUBJECT;
use super::token::{TokenSpec, mint};
use crate::clock::{Clock, Time};
use crate::config::Secret;
use crate::error::Error;

/// How long a token made here holds.
const MINTED_FOR: Duration = Duration::from_secs(300);
/// How long a token made here, or read from a file, is used before the next is fetched.
const USED_FOR: Duration = Duration::from_secs(60);

/// The credentials of a service. Cheap to clone.
#[derive(Clone)]
pub struct Credentials(Arc<Source>);

enum Source {
    Open {
        subject: String,
    },
    Fixed(Secret),
    File {
        path: PathBuf,
        last: Mutex<Option<(Time, HeaderValue)>>,
        clock: Clock,
    },
    Minted {
        secret: Secret,
        spec: TokenSpec,
        last: Mutex<Option<(Time, HeaderValue)>>,
        clock: Clock,
    },
}

impl Credentials {
    /// For peers in open mode: only a name, such as `service:review`.
    pub fn open(subject: impl Into<String>) -> Credentials {
        Credentials(Arc::new(Source::Open { subject: subject.into() }))
    }

    /// A token that does not change.
    pub fn fixed(token: Secret) -> Credentials {
        Credentials(Arc::new(Source::Fixed(token)))
    }

    /// A token in a file that somebody keeps fresh; read again every minute.
    pub fn file(path: PathBuf, clock: Clock) -> Credentials {
        Credentials(Arc::new(Source::File { path, last: Mutex::new(None), clock }))
    }

    /// Tokens made with the secret that the peers verify with, naming this service and what
    /// it needs. `spec.expires` is filled in.
    pub fn minted(secret: Secret, spec: TokenSpec, clock: Clock) -> Credentials {
        Credentials(Arc::new(Source::Minted { secret, spec, last: Mutex::new(None), clock }))
    }

    /// The header to send.
    ///
    /// # Errors
    /// INTERNAL if there is no token to send: ours to mend, not the caller's.
    pub(crate) fn header(&self) -> Result<(HeaderName, HeaderValue), Error> {
        let value = match &*self.0 {
            Source::Open { subject } => {
                let value = HeaderValue::from_str(subject).map_err(Error::internal)?;
                return Ok((HeaderName::from_static(OPEN_SUBJECT), value));
            }
            Source::Fixed(token) => bearer(token.expose())?,
            Source::File { path, last, clock } => reused(last, clock.now(), |_| {
                std::fs::read_to_string(path).map_err(Error::internal)
            })?,
            Source::Minted { secret, spec, last, clock } => reused(last, clock.now(), |now| {
                let spec = TokenSpec { expires: now.plus(MINTED_FOR), ..spec.clone() };
                mint(secret, &spec).map_err(Error::internal)
            })?,
        };
        Ok((AUTHORIZATION, value))
    }
}

/// The header made last, unless it is too old.
fn reused(
    last: &Mutex<Option<(Time, HeaderValue)>>,
    now: Time,
    make: impl Fn(Time) -> Result<String, Error>,
) -> Result<HeaderValue, Error> {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((made, value)) = &*last
        && now.since(*made) < USED_FOR
    {
        return Ok(value.clone());
    }
    let value = bearer(make(now)?.trim())?;
    *last = Some((now, value.clone()));
    Ok(value)
}

fn bearer(token: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(Error::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match &*self.0 {
            Source::Open { subject } => return write!(f, "Credentials::open({subject})"),
            Source::Fixed(_) => "fixed",
            Source::File { .. } => "file",
            Source::Minted { .. } => "minted",
        };
        write!(f, "Credentials::{kind}")
    }
}
