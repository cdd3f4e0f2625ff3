//! Proofs of identity at rest: each encrypted by itself under AES-256-GCM, bound to its claim.
//!
//! A file holds the keys, one a line as 64 hexadecimal digits: the first encrypts, the others only
//! open what was encrypted before a change of keys. It must not know where proofs are kept.

use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use contracts::impersonation::v1::Proof;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce, which stands before what it encrypts.
const NONCE_BYTES: usize = 12;
/// Bytes of a key's hash that name it.
const ID_BYTES: usize = 8;

/// The keys that proofs are encrypted with. Cheap to clone; shows nothing of them.
#[derive(Clone)]
pub struct Keys(Arc<[Key]>);

struct Key {
    id: String,
    key: RandomizedNonceKey,
}

/// A proof as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which key opens it.
    pub key_id: String,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl Keys {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read or holds no keys; the text says which line is wrong, not what is in it.
    pub fn read(path: &Path) -> io::Result<Keys> {
        Keys::parse(&std::fs::read_to_string(path)?)
    }

    /// Reads the file, or makes it with one fresh key that only this user can read.
    ///
    /// # Errors
    /// As for [`Keys::read`], or if it cannot be written.
    pub fn read_or_make(path: &Path) -> io::Result<Keys> {
        match Keys::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => return read,
        }
        let mut fresh = [0; KEY_BYTES];
        aws_lc_rs::rand::fill(&mut fresh).map_err(|_| io::Error::other("no randomness"))?;
        let digits: String = fresh.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(mut file) => {
                writeln!(file, "{digits}")?;
                file.sync_all()?;
            }
            // Another process of this service was first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        Keys::read(path)
    }

    /// Keys from the text of a file.
    ///
    /// # Errors
    /// As for [`Keys::read`].
    pub fn parse(text: &str) -> io::Result<Keys> {
        let lines = text.lines().enumerate().filter(|(_, line)| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        });
        let keys: Result<Vec<Key>, String> = lines
            .map(|(number, line)| {
                let wrong = || format!("line {}: a key has 64 hexadecimal digits", number + 1);
                key(line.trim()).ok_or_else(wrong)
            })
            .collect();
        let keys = keys.map_err(|wrong| io::Error::new(io::ErrorKind::InvalidData, wrong))?;
        if keys.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file holds no key"));
        }
        Ok(Keys(keys.into()))
    }

    /// Encrypts the proof of a claim.
    ///
    /// # Errors
    /// If the cipher fails, which it does only without randomness.
    pub fn seal(&self, claim_id: &str, proof: &Proof) -> Result<Sealed, Failed> {
        let Some(first) = self.0.first() else { return Err(Failed) };
        let mut bytes = proof.encode_to_vec();
        let bound = Aad::from(claim_id.as_bytes());
        let nonce = first.key.seal_in_place_append_tag(bound, &mut bytes).map_err(|_| Failed)?;
        let bytes = [nonce.as_ref().as_slice(), &bytes].concat();
        Ok(Sealed { key_id: first.id.clone(), bytes })
    }

    /// Decrypts the proof of a claim.
    ///
    /// # Errors
    /// If its key is not here, it was changed, or it is another claim's.
    pub fn open(&self, claim_id: &str, sealed: &Sealed) -> Result<Proof, Failed> {
        let key = self.0.iter().find(|key| key.id == sealed.key_id).ok_or(Failed)?;
        let (nonce, rest) = sealed.bytes.split_at_checked(NONCE_BYTES).ok_or(Failed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Failed)?;
        let mut rest = rest.to_vec();
        let bound = Aad::from(claim_id.as_bytes());
        let plain = key.key.open_in_place(nonce, bound, &mut rest).map_err(|_| Failed)?;
        Proof::decode(&*plain).map_err(|_| Failed)
    }
}

/// A proof could not be encrypted or decrypted. Says no more, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a proof could not be encrypted or decrypted")
    }
}

impl std::error::Error for Failed {}

fn key(digits: &str) -> Option<Key> {
    if digits.len() != 2 * KEY_BYTES || !digits.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok();
    let bytes: Vec<u8> = (0..KEY_BYTES).map(byte).collect::<Option<_>>()?;
    let hash = Sha256::digest(&bytes);
    let id = hash[..ID_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    Some(Key { id, key: RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof() -> Proof {
        Proof { document: b"passport".repeat(100), media_type: "image/png".to_owned() }
    }

    #[test]
    fn a_proof_opens_only_as_it_was_and_for_its_claim() {
        let keys = Keys::parse(&"ab".repeat(32)).unwrap();
        let sealed = keys.seal("clm_1", &proof()).unwrap();
        assert!(!sealed.bytes.windows(8).any(|bytes| bytes == b"passport"));
        assert_eq!(keys.open("clm_1", &sealed), Ok(proof()));
        assert_eq!(keys.open("clm_2", &sealed), Err(Failed));
        assert_ne!(keys.seal("clm_1", &proof()).unwrap().bytes, sealed.bytes, "a nonce of its own");
        for at in [0, NONCE_BYTES, sealed.bytes.len() - 1] {
            let mut changed = sealed.clone();
            changed.bytes[at] ^= 1;
            assert_eq!(keys.open("clm_1", &changed), Err(Failed), "byte {at}");
        }
        let short = Sealed { bytes: vec![1; 5], ..sealed.clone() };
        assert_eq!(keys.open("clm_1", &short), Err(Failed));
        // After a change of keys the old one still opens, and a stranger's does not.
        let both = Keys::parse(&format!("{}\n{}\n", "cd".repeat(32), "ab".repeat(32))).unwrap();
        assert_eq!(both.open("clm_1", &sealed), Ok(proof()));
        assert_ne!(both.seal("clm_1", &proof()).unwrap().key_id, sealed.key_id);
        let other = Keys::parse(&"cd".repeat(32)).unwrap();
        assert_eq!(other.open("clm_1", &sealed), Err(Failed));
    }

    #[test]
    fn the_file_is_made_once_and_only_for_its_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proofs.key");
        let made = Keys::read_or_make(&path).unwrap();
        let again = Keys::read_or_make(&path).unwrap();
        let sealed = made.seal("clm_1", &proof()).unwrap();
        assert_eq!(again.open("clm_1", &sealed), Ok(proof()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(!format!("{made:?}").contains(&std::fs::read_to_string(&path).unwrap()[..8]));
        for wrong in ["", "# nothing\n", "abcd", &"zz".repeat(32), &"é".repeat(32)] {
            assert!(Keys::parse(wrong).is_err(), "{wrong}");
        }
    }
}
