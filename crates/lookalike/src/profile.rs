//! What is known of an account: the protected one's and the one that may imitate it.
//!
//! Names as they are written, pictures as hashes. It must not know how they are compared.

use crate::picture::Pdq;

/// Somebody who is protected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    /// Names it in answers; the caller's.
    pub number: u64,
    /// Its handle, without a leading @.
    pub handle: String,
    /// Its display name.
    pub display_name: String,
    /// Other names by which people know it: stage names, brand marks, handles elsewhere.
    pub aliases: Vec<String>,
    /// Its pictures, each as the hash of one view; at most [`MAX_AVATARS`] are kept.
    pub avatars: Vec<Pdq>,
    /// What it says of itself.
    pub bio: String,
    /// Its own links; the first is kept.
    pub links: Vec<String>,
    /// How many follow it.
    pub followers: u64,
}

/// An account that may imitate somebody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Its handle, without a leading @; empty if unknown.
    pub handle: String,
    /// Its display name; empty if unknown.
    pub display_name: String,
    /// Its picture, as the hashes of several views of it; empty if unknown.
    pub avatars: Vec<Pdq>,
    /// What it says of itself.
    pub bio: String,
    /// Its links.
    pub links: Vec<String>,
    /// How many follow it, if known.
    pub followers: Option<u64>,
    /// How many days ago it was created, if known.
    pub age_days: Option<u32>,
    /// Names that it bore before, handles or display names.
    pub former_names: Vec<String>,
}

/// How many hashes of an identity's pictures are kept.
pub const MAX_AVATARS: usize = 32;
/// How many aliases of an identity are kept.
pub const MAX_ALIASES: usize = 16;

/// The words of a text as 128 bits, one a word: how much two texts share can be estimated from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WordSet(pub [u64; 2]);

impl WordSet {
    /// The words of a text: runs of letters and digits, lower-cased.
    pub fn of(text: &str) -> WordSet {
        let mut set = [0; 2];
        for word in text.split(|letter: char| !letter.is_alphanumeric()) {
            if word.is_empty() {
                continue;
            }
            let bit = hash_text(word) % 128;
            set[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        WordSet(set)
    }

    /// The share of words in common, from 0 to 1; 0 if either has none.
    pub fn likeness(self, other: WordSet) -> f32 {
        let pairs = || self.0.into_iter().zip(other.0);
        let both: u32 = pairs().map(|(a, b)| (a & b).count_ones()).sum();
        let any: u32 = pairs().map(|(a, b)| (a | b).count_ones()).sum();
        if any == 0 { 0.0 } else { both as f32 / any as f32 }
    }

    /// The share of another text's words that are here too, from 0 to 1; 0 if it has none.
    pub fn kept(self, other: WordSet) -> f32 {
        let both: u32 = self.0.into_iter().zip(other.0).map(|(a, b)| (a & b).count_ones()).sum();
        if other.is_empty() { 0.0 } else { both as f32 / other.len() as f32 }
    }

    /// How many bits are set: about how many words there are.
    pub fn len(self) -> u32 {
        self.0.into_iter().map(u64::count_ones).sum()
    }

    /// Whether there is no word.
    pub fn is_empty(self) -> bool {
        self.0 == [0; 2]
    }
}

/// A link by hashes: of its host and of the whole; 0 for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    /// The host, without "www.".
    pub host: u32,
    /// Host and path, without scheme, query and a closing slash.
    pub whole: u32,
}

impl Link {
    /// Of a link as people write it, with or without a scheme.
    pub fn of(link: &str) -> Link {
        let link = link.trim();
        let link = link.split_once("://").map_or(link, |(_, rest)| rest);
        let link = link.split(['?', '#']).next().unwrap_or_default();
        let link = link.strip_prefix("www.").unwrap_or(link).trim_end_matches('/');
        let host = link.split('/').next().unwrap_or_default();
        if host.is_empty() {
            return Link::default();
        }
        Link { host: hash_text(host) as u32 | 1, whole: hash_text(link) as u32 | 1 }
    }
}

/// A hash of a text's lower-case form.
fn hash_text(text: &str) -> u64 {
    let with = |state: u64, letter: char| {
        let state = (state ^ u64::from(letter)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        state ^ state >> 32
    };
    text.chars().fold(0, |state, letter| match letter.is_ascii() {
        true => with(state, letter.to_ascii_lowercase()),
        false => letter.to_lowercase().fold(state, with),
    })
}

/// A number of followers in steps of an eighth of a doubling, at most 255.
pub fn fame(followers: u64) -> u8 {
    (((followers + 1) as f64).log2() * 8.0).min(255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_compared_as_people_mean_them() {
        let link = Link::of("https://www.Example.com/Jane/?utm=1");
        assert_eq!(link, Link::of("example.com/jane"));
        assert_eq!(link.host, Link::of("http://example.com").host);
        assert_ne!(link.whole, Link::of("http://example.com").whole);
        assert_eq!(Link::of(" "), Link::default());
    }

    #[test]
    fn word_sets_estimate_what_texts_share() {
        let set = WordSet::of("Painter, mother, Tokyo");
        assert_eq!(set.likeness(WordSet::of("tokyo mother PAINTER")), 1.0);
        assert_eq!(set.likeness(WordSet::of("")), 0.0);
        assert_eq!(WordSet::of("tokyo mother painter and more").kept(set), 1.0);
        assert_eq!(set.kept(WordSet::default()), 0.0);
        assert!(WordSet::of("").is_empty());
        assert_eq!(set.len(), 3);
    }

    #[test]
    fn fame_grows_by_doublings() {
        assert_eq!((fame(0), fame(1), fame(1023)), (0, 8, 80));
        assert_eq!(fame(u64::MAX - 1), 255);
    }
}
