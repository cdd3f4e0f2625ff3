//! The keys that sign tokens, each with the algorithms that it may be used with.
//!
//! A token chooses among our keys, never its own algorithm: a public key is not accepted as a
//! shared secret, and "none" is no algorithm.

use std::path::PathBuf;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};

use super::config::KeySource;

/// Bytes of a shared secret, at least: as many as the hash has.
pub const SECRET_BYTES_MIN: usize = 32;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the key file {0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// The file is no key set.
    #[error("the key file {0} is no JSON Web Key Set: {1}")]
    NoKeySet(PathBuf, serde_json::Error),
    /// The set holds no key that can verify a token.
    #[error("no key of the kinds RS256, ES256, EdDSA and HS256 was found")]
    NoneUsable,
    /// A shared secret is too short.
    #[error("a shared secret has at least {SECRET_BYTES_MIN} bytes")]
    SecretTooShort,
}

/// One key.
pub(super) struct Key {
    /// Its name, by which tokens may ask for it.
    pub id: Option<String>,
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

/// Loads the keys of a source.
pub(super) fn load(source: &KeySource) -> Result<Vec<Key>, KeyError> {
    let keys = match source {
        KeySource::JwksFile(path) => {
            let text =
                std::fs::read(path).map_err(|error| KeyError::Unreadable(path.clone(), error))?;
            let set: JwkSet = serde_json::from_slice(&text)
                .map_err(|error| KeyError::NoKeySet(path.clone(), error))?;
            set.keys.iter().filter_map(from_jwk).collect()
        }
        KeySource::PublicKey(pem) => from_pem(pem.as_bytes()).into_iter().collect(),
        KeySource::Secret(secret) if secret.expose().len() < SECRET_BYTES_MIN => {
            return Err(KeyError::SecretTooShort);
        }
        KeySource::Secret(secret) => {
            let key = DecodingKey::from_secret(secret.expose().as_bytes());
            vec![Key { id: None, algorithm: Algorithm::HS256, key }]
        }
    };
    if keys.is_empty() { Err(KeyError::NoneUsable) } else { Ok(keys) }
}

/// A key of a set, unless it is of another kind or for another use: sets may hold such.
fn from_jwk(jwk: &Jwk) -> Option<Key> {
    if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        AlgorithmParameters::OctetKey(_) => Algorithm::HS256,
        _ => return None,
    };
    let named = jwk.common.key_algorithm.map(|named| named.to_string());
    if named.is_some_and(|named| named != format!("{algorithm:?}")) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(Key { id: jwk.common.key_id.clone(), algorithm, key })
}

fn from_pem(pem: &[u8]) -> Option<Key> {
    let rsa = DecodingKey::from_rsa_pem(pem).map(|key| (Algorithm::RS256, key));
    let ec = || DecodingKey::from_ec_pem(pem).map(|key| (Algorithm::ES256, key));
    let ed = || DecodingKey::from_ed_pem(pem).map(|key| (Algorithm::EdDSA, key));
    let (algorithm, key) = rsa.or_else(|_| ec()).or_else(|_| ed()).ok()?;
    Some(Key { id: None, algorithm, key })
}
