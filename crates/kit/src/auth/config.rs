//! Which keys sign tokens, and what else a token must say.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Reader, Secret};

/// How far the signer's clock may be from ours, unless configured.
pub const LEEWAY_DEFAULT: Duration = Duration::from_secs(30);

/// What tokens must be.
#[derive(Clone, Debug, Default)]
pub struct AuthConfig {
    /// Where the keys are; none is open mode.
    pub keys: Option<KeySource>,
    /// The issuer that tokens must name, if any.
    pub issuer: Option<String>,
    /// The audience that tokens must name, if any.
    pub audience: Option<String>,
    /// How far the signer's clock may be from ours.
    pub leeway: Duration,
}

/// Where the keys are that sign tokens.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A JSON Web Key Set; read again every minute.
    JwksFile(PathBuf),
    /// A public key in PEM form: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA).
    PublicKey(String),
    /// A secret of at least 32 bytes shared with the signer (HS256).
    Secret(Secret),
}

impl AuthConfig {
    /// Reads `<section>.jwks_file`, `.public_key`, `.secret` (at most one of the three),
    /// `.issuer`, `.audience` and `.leeway`.
    pub fn read(reader: &mut Reader, section: &str) -> AuthConfig {
        let jwks: Option<PathBuf> = reader.optional(&format!("{section}.jwks_file"));
        let public: Option<String> = reader.optional(&format!("{section}.public_key"));
        let secret: Option<Secret> = reader.optional(&format!("{section}.secret"));
        let mut sources: Vec<KeySource> = jwks
            .map(KeySource::JwksFile)
            .into_iter()
            .chain(public.map(KeySource::PublicKey))
            .chain(secret.map(KeySource::Secret))
            .collect();
        if sources.len() > 1 {
            reader.mistake(section, "expected one of jwks_file, public_key and secret");
        }
        AuthConfig {
            keys: sources.pop(),
            issuer: reader.optional(&format!("{section}.issuer")),
            audience: reader.optional(&format!("{section}.audience")),
            leeway: reader.or(&format!("{section}.leeway"), LEEWAY_DEFAULT),
        }
    }

    /// Tokens signed with a shared secret, nothing else demanded.
    pub fn secret(secret: impl Into<String>) -> AuthConfig {
        let keys = Some(KeySource::Secret(Secret::new(secret)));
        AuthConfig { keys, leeway: LEEWAY_DEFAULT, ..AuthConfig::default() }
    }
}
