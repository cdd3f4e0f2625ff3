//! Who calls: tokens are verified, callers are described, outgoing calls get credentials.
//!
//! A caller is whom the credentials name, never whom a body names. Without keys the server is
//! in open mode: it believes what the caller says of itself, and binds loopback only. Knows no
//! scope by name but `recourse.delegate`.

mod cache;
mod caller;
mod config;
mod credentials;
mod keys;
mod token;
mod verify;

#[cfg(test)]
mod key_tests;

use http::HeaderMap;

pub use caller::{Caller, Scopes};
pub use config::{AuthConfig, KeySource};
pub use credentials::Credentials;
pub use keys::KeyError;
pub use token::{TokenSpec, mint};
pub use verify::Verifier;

use crate::clock::Clock;
use crate::error::Error;

/// The header by which a gateway says for whom it acts: a token of that person.
pub const ON_BEHALF_OF: &str = "recourse-on-behalf-of";

/// The header by which a caller names itself in open mode.
pub const OPEN_SUBJECT: &str = "recourse-subject";

/// Who calls in open mode without saying so.
pub const OPEN_SUBJECT_DEFAULT: &str = "developer";

/// The scope that a caller needs to act for somebody else by header.
pub const DELEGATE_SCOPE: &str = "recourse.delegate";

/// Bytes of a subject, at most; it becomes a key in the database.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// How callers are recognised.
#[derive(Debug)]
pub enum Auth {
    /// Not at all: everyone holds every scope. For loopback only.
    Open,
    /// By signed tokens.
    Tokens(Box<Verifier>),
}

impl Auth {
    /// What the configuration says; open mode when it names no key.
    ///
    /// # Errors
    /// If a key cannot be read.
    pub fn new(config: AuthConfig, clock: &Clock) -> Result<Auth, KeyError> {
        match Verifier::new(config, clock.clone())? {
            Some(verifier) => Ok(Auth::Tokens(Box::new(verifier))),
            None => Ok(Auth::Open),
        }
    }

    /// Whether anyone may do anything.
    pub fn is_open(&self) -> bool {
        matches!(self, Auth::Open)
    }

    /// Who sent these headers; `None` if they hold no credentials.
    ///
    /// # Errors
    /// UNAUTHENTICATED if the credentials do not hold; PERMISSION_DENIED if the bearer may not
    /// act for others.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, Error> {
        match self {
            Auth::Open => open_caller(headers).map(Some),
            Auth::Tokens(verifier) => verifier.caller(headers),
        }
    }
}

fn open_caller(headers: &HeaderMap) -> Result<Caller, Error> {
    let subject = match headers.get(OPEN_SUBJECT) {
        None => OPEN_SUBJECT_DEFAULT,
        Some(value) => {
            value.to_str().ok().filter(|subject| is_subject(subject)).ok_or_else(|| {
                Error::unauthenticated("recourse-subject must be 1 to 256 visible characters")
            })?
        }
    };
    Ok(Caller { subject: subject.to_owned(), actor: None, scopes: Scopes::All })
}

/// Whether a subject may become a key: not empty, not long, no spaces or control characters.
fn is_subject(subject: &str) -> bool {
    !subject.is_empty()
        && subject.len() <= SUBJECT_BYTES_MAX
        && !subject.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_mode_believes_the_header_within_limits() {
        let mut headers = HeaderMap::new();
        let subject = |headers: &HeaderMap| Auth::Open.caller(headers).map(|c| c.unwrap().subject);
        assert_eq!(subject(&headers).unwrap(), "developer");
        headers.insert(OPEN_SUBJECT, "a".repeat(SUBJECT_BYTES_MAX).parse().unwrap());
        assert_eq!(subject(&headers).unwrap().len(), SUBJECT_BYTES_MAX);
        headers.insert(OPEN_SUBJECT, "a".repeat(SUBJECT_BYTES_MAX + 1).parse().unwrap());
        assert!(subject(&headers).is_err());
        headers.insert(OPEN_SUBJECT, "a b".parse().unwrap());
        assert!(subject(&headers).is_err());
    }
}
