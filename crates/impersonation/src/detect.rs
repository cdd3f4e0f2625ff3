//! The detector as this service uses it: everything that is taken from it comes through here.
//!
//! It compares folded names and hashes one by one until the detector's own index takes its place.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use crate::picture::Role;

/// A PDQ hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pdq(pub [u64; 4]);

impl Pdq {
    /// From its 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Pdq {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_be_bytes(chunk.try_into().unwrap_or_default());
        }
        Pdq(words)
    }

    /// Its 32 bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// In how many bits it differs.
    pub fn distance(&self, other: &Pdq) -> u32 {
        self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }
}

/// Somebody who is protected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    /// Names it in answers.
    pub number: u64,
    /// Its handle.
    pub handle: String,
    /// Its display name.
    pub display_name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Its pictures.
    pub avatars: Vec<Pdq>,
    /// Its bio.
    pub bio: String,
    /// Its links.
    pub links: Vec<String>,
    /// How many follow it.
    pub followers: u64,
}

/// An account that may imitate somebody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Its handle.
    pub handle: String,
    /// Its display name.
    pub display_name: String,
    /// Its pictures.
    pub avatars: Vec<Pdq>,
    /// Its bio.
    pub bio: String,
    /// Its links.
    pub links: Vec<String>,
    /// How many follow it.
    pub followers: Option<u64>,
    /// How old it is.
    pub age_days: Option<u32>,
    /// Names that it had.
    pub former_names: Vec<String>,
}

/// What is wanted of a check.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// How many at most.
    pub limit: usize,
    /// From which probability on.
    pub min_probability: f32,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Most probable first.
    pub matches: Vec<Found>,
    /// Whether its work ran out.
    pub truncated: bool,
}

/// One likeness.
#[derive(Clone, Debug)]
pub struct Found {
    /// Of whom.
    pub number: u64,
    /// How probable.
    pub probability: f32,
    /// The sum of the points.
    pub score: f32,
    /// What it rests on: signal, points, words.
    pub evidence: Vec<(String, f32, String)>,
}

/// Space that checks use again.
#[derive(Debug, Default)]
pub struct Scratch;

/// A change of an index.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// An identity is protected, or has changed.
    Set(Identity),
    /// The identity of this number is protected no longer.
    Remove(u64),
}

/// The protected identities in memory. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Index(Arc<BTreeMap<u64, Identity>>);

/// Names the model: probabilities of different models do not compare.
pub fn model_version() -> &'static str {
    "none"
}

/// The probability that a share of harmless profiles reaches.
pub fn probability_at(false_positive_rate: f64) -> f64 {
    (1.0 - 100.0 * false_positive_rate).clamp(0.3, 0.99)
}

/// The hashes of a picture's views, and its quality.
///
/// # Errors
/// Why it cannot be read, for people.
pub fn read_image(_image: &[u8], _role: Role) -> Result<(Vec<Pdq>, i32), String> {
    Err("only hashes are taken".to_owned())
}

fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Index {
    /// An index of these.
    pub fn build(identities: Vec<Identity>) -> Index {
        Index(Arc::new(
            identities.into_iter().map(|identity| (identity.number, identity)).collect(),
        ))
    }

    /// The index after some changes; later ones win.
    #[must_use]
    pub fn after(&self, changes: Vec<Change>) -> Index {
        let mut all = BTreeMap::clone(&self.0);
        for change in changes {
            match change {
                Change::Set(identity) => all.insert(identity.number, identity),
                Change::Remove(number) => all.remove(&number),
            };
        }
        Index(Arc::new(all))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes that they take.
    pub fn memory(&self) -> usize {
        self.0.len() * size_of::<Identity>()
    }

    /// What a profile looks like.
    pub fn check(&self, profile: &Profile, _scratch: &mut Scratch, ask: Ask) -> Checked {
        let mut matches: Vec<Found> =
            self.0.values().filter_map(|identity| compare(identity, profile)).collect();
        matches.retain(|found| found.probability >= ask.min_probability);
        matches.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.number.cmp(&b.number)));
        let truncated = false;
        matches.truncate(ask.limit);
        Checked { matches, truncated }
    }

    /// Writes all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(format!("{:?}", self.0).as_bytes())
    }

    /// Reads all.
    ///
    /// # Errors
    /// If it is not an index.
    pub fn read_from(_from: &mut impl Read) -> io::Result<Index> {
        Err(io::Error::other("not an index"))
    }
}

fn compare(identity: &Identity, profile: &Profile) -> Option<Found> {
    let mut evidence = Vec::new();
    let names = [&identity.handle, &identity.display_name];
    let names: Vec<String> = names.into_iter().chain(&identity.aliases).map(|n| fold(n)).collect();
    for (signal, name) in [("handle", &profile.handle), ("name", &profile.display_name)] {
        let name = fold(name);
        if !name.is_empty() && names.contains(&name) {
            evidence.push((signal.to_owned(), 2.0, format!("{signal} equal when folded")));
        }
    }
    let near = |a: &Pdq| profile.avatars.iter().map(|b| a.distance(b)).min();
    if let Some(bits) = identity.avatars.iter().filter_map(near).min()
        && bits <= 31
    {
        evidence.push(("avatar".to_owned(), 3.0, format!("avatar within {bits} of 256 bits")));
    }
    if evidence.is_empty() {
        return None;
    }
    let score: f32 = evidence.iter().map(|(_, points, _)| points).sum();
    let probability = 1.0 / (1.0 + (3.0 - score).exp());
    Some(Found { number: identity.number, probability, score, evidence })
}
