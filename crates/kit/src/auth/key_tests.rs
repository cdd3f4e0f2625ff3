//! Keys of every kind, in every form, and tokens that try to misuse them.

use std::path::Path;
use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use super::*;
use crate::clock::Time;
use crate::config::{Reader, Secret};

const NOW: Time = Time::from_seconds(1_000_000);

/// A signer, its public key as JWK, and the algorithm.
struct Signer {
    key: EncodingKey,
    jwk: Jwk,
    algorithm: Algorithm,
}

fn signer(key: EncodingKey, algorithm: Algorithm, id: &str) -> Signer {
    let mut jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
    jwk.common.key_id = Some(id.to_owned());
    Signer { key, jwk, algorithm }
}

fn ed25519(seed: u8, id: &str) -> Signer {
    // The PKCS #8 form of a raw Ed25519 seed.
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend_from_slice(&[seed; 32]);
    signer(EncodingKey::from_ed_der(&der), Algorithm::EdDSA, id)
}

fn p256() -> (Signer, String) {
    let random = SystemRandom::new();
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref()).unwrap();
    let mut public = vec![
        0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 3, 1, 7, 3, 0x42, 0,
    ];
    public.extend_from_slice(pair.public_key().as_ref());
    let body = STANDARD.encode(public);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    (signer(EncodingKey::from_ec_der(der.as_ref()), Algorithm::ES256, "ec"), pem)
}

fn rsa() -> Signer {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = pair.as_der().unwrap();
    // PKCS #8 holds the PKCS #1 key after a header of 26 bytes.
    let pkcs1 = &der.as_ref()[26..];
    signer(EncodingKey::from_rsa_der(pkcs1), Algorithm::RS256, "rsa")
}

impl Signer {
    fn token(&self, id: Option<&str>, claims: &serde_json::Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = id.map(str::to_owned);
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

fn claims() -> serde_json::Value {
    serde_json::json!({ "sub": "ann", "scope": "a b", "exp": NOW.seconds() + 60 })
}

fn bearer(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    headers
}

fn write_set(path: &Path, signers: &[&Signer]) {
    let set = JwkSet { keys: signers.iter().map(|signer| signer.jwk.clone()).collect() };
    std::fs::write(path, serde_json::to_vec(&set).unwrap()).unwrap();
}

fn verifier(keys: KeySource, clock: &Clock) -> Auth {
    let config = AuthConfig { keys: Some(keys), ..AuthConfig::default() };
    Auth::new(config, clock).unwrap()
}

fn accepts(auth: &Auth, token: &str) -> bool {
    auth.caller(&bearer(token)).is_ok_and(|caller| caller.is_some())
}

#[test]
fn every_kind_of_key_verifies_its_own_tokens_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let signers = [ed25519(1, "ed"), p256().0, rsa()];
    write_set(&path, &signers.iter().collect::<Vec<_>>());
    let auth = verifier(KeySource::JwksFile(path), &Clock::manual(NOW));
    for signer in &signers {
        let id = signer.jwk.common.key_id.as_deref();
        assert!(accepts(&auth, &signer.token(id, &claims())), "{:?}", signer.algorithm);
        assert!(accepts(&auth, &signer.token(None, &claims())), "without a name");
        assert!(!accepts(&auth, &signer.token(Some("other"), &claims())), "another name");
    }
    assert!(!accepts(&auth, &ed25519(2, "ed").token(Some("ed"), &claims())), "another key");
}

#[test]
fn a_public_key_in_pem_form_is_no_shared_secret() {
    let (signer, pem) = p256();
    let auth = verifier(KeySource::PublicKey(pem.clone()), &Clock::manual(NOW));
    assert!(accepts(&auth, &signer.token(None, &claims())));
    let key = EncodingKey::from_secret(pem.as_bytes());
    let forged = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &key).unwrap();
    assert!(!accepts(&auth, &forged));
}

#[test]
fn keys_are_read_again_so_that_they_can_be_added_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let (old, new) = (ed25519(1, "old"), ed25519(2, "new"));
    write_set(&path, &[&old]);
    let clock = Clock::manual(NOW);
    let auth = verifier(KeySource::JwksFile(path.clone()), &clock);
    let mut claims = claims();
    claims["exp"] = (NOW.seconds() + 10_000).into();
    let (by_old, by_new) = (old.token(None, &claims), new.token(None, &claims));
    assert!(accepts(&auth, &by_old) && !accepts(&auth, &by_new));
    write_set(&path, &[&new]);
    assert!(accepts(&auth, &by_old), "not yet");
    clock.advance(Duration::from_secs(60));
    assert!(!accepts(&auth, &by_old) && accepts(&auth, &by_new));
    std::fs::write(&path, "rubbish").unwrap();
    clock.advance(Duration::from_secs(60));
    assert!(accepts(&auth, &by_new), "a broken file changes nothing");
}

#[test]
fn claims_are_held_against_the_configuration() {
    let secret = "a secret of thirty-two bytes or more";
    let config = AuthConfig {
        issuer: Some("idp".to_owned()),
        audience: Some("recourse".to_owned()),
        ..AuthConfig::secret(secret)
    };
    let auth = Auth::new(config, &Clock::manual(NOW)).unwrap();
    let sign = |changes: &[(&str, serde_json::Value)]| {
        let mut claims = claims();
        claims["iss"] = "idp".into();
        claims["aud"] = serde_json::json!(["other", "recourse"]);
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
    };
    let soon = NOW.seconds() + 31;
    let null = serde_json::Value::Null;
    assert!(accepts(&auth, &sign(&[])));
    assert!(accepts(&auth, &sign(&[("aud", "recourse".into()), ("nbf", (soon - 1).into())])));
    for (claim, value) in [
        ("iss", "other".into()),
        ("iss", null.clone()),
        ("aud", "other".into()),
        ("aud", null.clone()),
        ("nbf", soon.into()),
        ("exp", null.clone()),
        ("exp", (NOW.seconds() - 30).into()),
        ("sub", null),
        ("sub", "x".repeat(SUBJECT_BYTES_MAX + 1).into()),
        ("act", serde_json::json!({ "sub": "" })),
    ] {
        assert!(!accepts(&auth, &sign(&[(claim, value.clone())])), "{claim} {value}");
    }
    let acting = sign(&[("act", serde_json::json!({ "sub": "gateway" }))]);
    let caller = auth.caller(&bearer(&acting)).unwrap().unwrap();
    assert_eq!((caller.subject.as_str(), caller.actor.as_deref()), ("ann", Some("gateway")));
    assert!(caller.has("a") && caller.has("b") && !caller.has("a b"));
}

#[test]
fn keys_that_cannot_be_used_are_refused_at_start() {
    let clock = Clock::manual(NOW);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-999\"}]}").unwrap();
    for keys in [
        KeySource::Secret(Secret::new("x".repeat(31))),
        KeySource::PublicKey("rubbish".to_owned()),
        KeySource::JwksFile(path),
        KeySource::JwksFile(folder.path().join("missing")),
    ] {
        let config = AuthConfig { keys: Some(keys.clone()), ..AuthConfig::default() };
        assert!(Auth::new(config, &clock).is_err(), "{keys:?}");
    }
    assert!(Auth::new(AuthConfig::default(), &clock).unwrap().is_open());
}

#[test]
fn the_configuration_names_one_kind_of_key() {
    let read = |toml: &str| {
        let mut reader = Reader::new(toml.parse().unwrap(), []);
        let config = AuthConfig::read(&mut reader, "auth");
        (config, reader.finish())
    };
    let (config, result) = read("[auth]\nsecret = \"s\"\nissuer = \"i\"\nleeway = \"5s\"");
    assert!(result.is_ok() && matches!(config.keys, Some(KeySource::Secret(_))));
    assert_eq!(config.leeway, Duration::from_secs(5));
    let (_, result) = read("[auth]\nsecret = \"s\"\njwks_file = \"j\"");
    assert_eq!(result.unwrap_err().len(), 1);
    assert!(read("").0.keys.is_none());
}
