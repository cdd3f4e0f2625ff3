//! The claims of a token, and the making of tokens with a shared secret.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::config::Secret;

/// What a token says. Times are seconds since the epoch.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Claims {
    pub sub: String,
    pub exp: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

/// One audience or several.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub fn names(&self, audience: &str) -> bool {
        match self {
            Audience::One(one) => one == audience,
            Audience::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

/// Who acts for the subject (RFC 8693).
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Actor {
    pub sub: String,
}

/// A token to be made.
#[derive(Clone, Debug, Default)]
pub struct TokenSpec {
    /// Whom it names.
    pub subject: String,
    /// The scopes that it holds; none leaves the claim out.
    pub scopes: Vec<String>,
    /// Who acts for the subject.
    pub actor: Option<String>,
    /// Until when it holds.
    pub expires: Time,
    /// Who says so.
    pub issuer: Option<String>,
    /// For whom it is.
    pub audience: Option<String>,
}

/// Makes a token (HS256): for tests, for local use and between services that share a secret.
///
/// # Errors
/// If the signing library refuses the key.
pub fn mint(secret: &Secret, spec: &TokenSpec) -> Result<String, jsonwebtoken::errors::Error> {
    #[expect(clippy::cast_precision_loss, reason = "seconds fit a double for ages to come")]
    let exp = spec.expires.seconds() as f64;
    let claims = Claims {
        sub: spec.subject.clone(),
        exp,
        nbf: None,
        scope: (!spec.scopes.is_empty()).then(|| spec.scopes.join(" ")),
        iss: spec.issuer.clone(),
        aud: spec.audience.clone().map(Audience::One),
        act: spec.actor.clone().map(|sub| Actor { sub }),
    };
    let key = EncodingKey::from_secret(secret.expose().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
}
