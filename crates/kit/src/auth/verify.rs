//! Verifies bearer tokens and works out who calls for whom.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::Validation;

use super::cache::Cache;
use super::caller::{Caller, Scopes};
use super::config::{AuthConfig, KeySource};
use super::keys::{self, Key, KeyError};
use super::token::Claims;
use super::{DELEGATE_SCOPE, ON_BEHALF_OF, is_subject};
use crate::clock::{Clock, Time};
use crate::error::Error;

/// How often a key file is read again, so that keys can be rotated and revoked.
pub const KEYS_REREAD_AFTER: Duration = Duration::from_secs(60);

/// Verifies tokens against the configured keys.
pub struct Verifier {
    config: AuthConfig,
    source: KeySource,
    keys: RwLock<Vec<Key>>,
    /// When the keys were read.
    read: Mutex<Time>,
    clock: Clock,
    known: Cache<Verified>,
}

/// What a token says, once its signature holds.
struct Verified {
    caller: Caller,
    /// Whether it has a `scope` claim at all.
    names_scopes: bool,
    from: Time,
    until: Time,
}

impl Verifier {
    /// A verifier with the configured keys; `None` if none are configured.
    ///
    /// # Errors
    /// If a key cannot be read.
    pub fn new(config: AuthConfig, clock: Clock) -> Result<Option<Verifier>, KeyError> {
        let Some(source) = config.keys.clone() else { return Ok(None) };
        let keys = RwLock::new(keys::load(&source)?);
        let read = Mutex::new(clock.now());
        Ok(Some(Verifier { config, source, keys, read, clock, known: Cache::new() }))
    }

    /// Who sent these headers; `None` if they hold no bearer token.
    ///
    /// # Errors
    /// UNAUTHENTICATED if a token does not hold; PERMISSION_DENIED if the bearer may not act
    /// for others.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, Error> {
        let now = self.clock.now();
        let Some(value) = headers.get(AUTHORIZATION) else {
            return match headers.contains_key(ON_BEHALF_OF) {
                true => Err(Error::unauthenticated("the gateway itself has no credentials")),
                false => Ok(None),
            };
        };
        let bearer = value.to_str().ok().and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let Some(bearer) = bearer else {
            return Err(Error::unauthenticated("expected `authorization: Bearer <token>`"));
        };
        let bearer = self.verified(bearer, now)?;
        let Some(person) = headers.get(ON_BEHALF_OF) else {
            return Ok(Some(bearer.caller.clone()));
        };
        bearer.caller.require(DELEGATE_SCOPE)?;
        let person = person.to_str().unwrap_or_default();
        let person = self.verified(person.trim(), now)?;
        Ok(Some(delegated(&bearer, &person)))
    }

    fn verified(&self, token: &str, now: Time) -> Result<Arc<Verified>, Error> {
        self.reread_keys(now);
        let verified = match self.known.get(token) {
            Some(known) => known,
            None => {
                let verified = Arc::new(self.verify(token)?);
                self.known.insert(token, verified.clone());
                verified
            }
        };
        let leeway = self.config.leeway;
        if now >= verified.until.plus(leeway) {
            return Err(Error::unauthenticated("the token has expired"));
        }
        if now < verified.from.minus(leeway) {
            return Err(Error::unauthenticated("the token is not valid yet"));
        }
        Ok(verified)
    }

    /// Everything about a token that does not change with time.
    fn verify(&self, token: &str) -> Result<Verified, Error> {
        let claims = self.signed_claims(token)?;
        if self.config.issuer.is_some() && claims.iss != self.config.issuer {
            return Err(Error::unauthenticated("the token is of another issuer"));
        }
        if let Some(audience) = &self.config.audience
            && !claims.aud.as_ref().is_some_and(|aud| aud.names(audience))
        {
            return Err(Error::unauthenticated("the token is for another audience"));
        }
        let actor = claims.act.map(|actor| actor.sub);
        if !is_subject(&claims.sub) || !actor.as_deref().is_none_or(is_subject) {
            return Err(Error::unauthenticated("the token names no usable subject"));
        }
        let scopes = claims.scope.as_deref().map_or(Scopes::None, Scopes::parse);
        Ok(Verified {
            caller: Caller { subject: claims.sub, actor, scopes },
            names_scopes: claims.scope.is_some(),
            from: claims.nbf.map_or(Time::from_micros(i64::MIN), time_of),
            until: time_of(claims.exp),
        })
    }

    fn signed_claims(&self, token: &str) -> Result<Claims, Error> {
        let unreadable = || Error::unauthenticated("the token is no signed JWT");
        let header = jsonwebtoken::decode_header(token).map_err(|_| unreadable())?;
        if header.crit.is_some() {
            return Err(Error::unauthenticated("the token demands unknown extensions"));
        }
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let candidates = keys.iter().filter(|key| {
            let named = header.kid.is_none() || key.id.is_none() || key.id == header.kid;
            named && key.algorithm == header.alg
        });
        for key in candidates {
            // Times are ours to check, with our clock; the signature is the library's.
            let mut validation = Validation::new(key.algorithm);
            validation.required_spec_claims.clear();
            validation.validate_exp = false;
            validation.validate_nbf = false;
            validation.validate_aud = false;
            match jsonwebtoken::decode::<Claims>(token, &key.key, &validation) {
                Ok(token) => return Ok(token.claims),
                Err(error) if is_about_claims(&error) => {
                    return Err(Error::unauthenticated("the token lacks sub or exp"));
                }
                Err(_) => {}
            }
        }
        Err(Error::unauthenticated("the token's signature does not hold under any known key"))
    }

    /// Keys may have been added or revoked. A file that is broken for the moment changes
    /// nothing, but is logged.
    fn reread_keys(&self, now: Time) {
        let KeySource::JwksFile(path) = &self.source else { return };
        {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            if now.since(*read) < KEYS_REREAD_AFTER {
                return;
            }
            *read = now;
        }
        match keys::load(&self.source) {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
                self.known.clear();
            }
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "the keys stay as they were");
            }
        }
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The person is the subject, the gateway the actor. The person's token can narrow what the
/// gateway may do, never widen it; and the right to delegate is not passed on.
fn delegated(gateway: &Verified, person: &Verified) -> Caller {
    let held = match &gateway.caller.scopes {
        Scopes::Only(scopes) => {
            let kept = scopes.iter().filter(|scope| *scope != DELEGATE_SCOPE).cloned();
            Scopes::Only(Arc::new(kept.collect()))
        }
        other => other.clone(),
    };
    let scopes = if person.names_scopes { held.and(&person.caller.scopes) } else { held };
    Caller {
        subject: person.caller.subject.clone(),
        actor: Some(gateway.caller.subject.clone()),
        scopes,
    }
}

fn is_about_claims(error: &jsonwebtoken::errors::Error) -> bool {
    matches!(error.kind(), jsonwebtoken::errors::ErrorKind::Json(_))
}

/// A JWT's NumericDate; absurd ones stop at the ends of time.
#[expect(clippy::cast_possible_truncation, reason = "casting a double saturates")]
fn time_of(seconds: f64) -> Time {
    Time::from_micros((seconds * 1e6) as i64)
}
