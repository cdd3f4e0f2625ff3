//! Which imitators belong together.
//!
//! Two matches whose accounts share a trait of one actor — a mark, a picture or a link or a bio
//! that is not the imitated one's, accounts made within half an hour of each other — are of one
//! campaign, and so is everything linked to them in this way. Matches of one identity found within
//! a day and a half of one another are a campaign too, from three on, as long as no actor is known.
//! An actor's campaign takes precedence: a match has one campaign.
//!
//! Pure: no IO, no clock, no ids.

use std::collections::{BTreeMap, BTreeSet};

use contracts::impersonation::v1::campaign::Kind;
use contracts::impersonation::v1::{AvatarHash, Match, ProfileSnapshot};
use kit::Time;
use sha2::{Digest as _, Sha256};

use crate::dismissal::{SAME_PICTURE_BITS, distance, hashes};

/// The type prefix of a campaign's id.
pub const ID_PREFIX: &str = "cmp";
/// Matches of one identity from which on they are a campaign without a known actor.
pub const IDENTITY_MIN: usize = 3;
/// Microseconds within which accounts are made in one burst, at most.
const BURST_MICROS: i64 = 3_600 * 1_000_000;
/// Microseconds within which matches of one identity are found in one wave, at most.
const WAVE_MICROS: i64 = 72 * 3_600 * 1_000_000;
/// Characters from which on a bio is its own.
const BIO_CHARS_MIN: usize = 20;
/// Bytes of a bio's hash that name it.
const BIO_HASH_BYTES: usize = 12;

static SHARED_HOSTS: &str = include_str!("../data/shared_hosts.tsv");

/// What two matches can have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trait {
    /// Whether it tells of one actor; otherwise of one wave against an identity.
    pub actor: bool,
    /// Its name, compared as a whole.
    pub name: String,
}

impl Trait {
    fn actor(kind: &str, value: &str) -> Trait {
        Trait { actor: true, name: format!("{kind}:{value}") }
    }
}

/// What a match found at `at` may have in common with others. `marks` are its account's.
pub fn traits(found: &Match, marks: &[String], at: Time) -> BTreeSet<Trait> {
    let mut traits = BTreeSet::new();
    let none = ProfileSnapshot::default();
    let profile = found.profile.as_ref().unwrap_or(&none);
    let identity = found.identity.as_ref().unwrap_or(&none);
    traits.extend(marks.iter().map(|mark| Trait::actor("mark", mark)));
    // All who copy a picture share its views, too; who copies one and shows others beside it may
    // have given views of it as pictures.
    let imitates = |avatar: &AvatarHash| {
        let near = |pdq| identity.avatars.iter().any(|own| is_near(&own.pdq, pdq));
        hashes(avatar).any(near)
    };
    let known = profile.avatars.iter().filter(|avatar| !avatar.pdq.is_empty());
    if !profile.avatars.iter().any(imitates) {
        traits.extend(known.map(|avatar| Trait::actor("picture", &hex(&avatar.pdq))));
    }
    let own: BTreeSet<String> = identity.links.iter().filter_map(|link| host(link)).collect();
    for host in profile.links.iter().filter_map(|link| host(link)) {
        if !own.contains(&host) && !is_shared(&host) {
            traits.insert(Trait::actor("link", &host));
        }
    }
    let bio = plain(&profile.bio);
    if bio.chars().count() >= BIO_CHARS_MIN && bio != plain(&identity.bio) {
        let hash = Sha256::digest(bio.as_bytes());
        traits.insert(Trait::actor("bio", &hex(&hash[..BIO_HASH_BYTES])));
    }
    let identity_id = &found.identity_id;
    if let Some(made) = profile.account_create_time.as_ref().and_then(Time::from_timestamp) {
        for slot in slots(made.micros(), BURST_MICROS) {
            traits.insert(Trait::actor("burst", &format!("{identity_id}:{slot}")));
        }
    }
    for slot in slots(at.micros(), WAVE_MICROS) {
        traits.insert(Trait { actor: false, name: format!("wave:{identity_id}:{slot}") });
    }
    traits
}

fn is_near(one: &[u8], other: &[u8]) -> bool {
    distance(one, other) <= SAME_PICTURE_BITS
}

/// The two spans of a length that an instant lies in, one begun half a length before the other:
/// instants at most half a length apart share one, those a length apart none.
fn slots(micros: i64, length: i64) -> [String; 2] {
    let half = length / 2;
    let slot = micros.div_euclid(half);
    [format!("{}", slot), format!("{}", slot + 1)]
}

/// The host of a link, in lower case and without "www."; none for what is no address.
fn host(link: &str) -> Option<String> {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let host = host.trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (host.contains('.') && !host.contains(char::is_whitespace)).then(|| host.to_owned())
}

fn is_shared(host: &str) -> bool {
    let lines = SHARED_HOSTS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.into_iter().any(|shared| {
        host == shared || host.strip_suffix(shared).is_some_and(|rest| rest.ends_with('.'))
    })
}

fn plain(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<&str>>().join(" ")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A match that shares a trait with the one that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub match_id: String,
    /// Its campaign and what holds that together; none for a match outside campaigns.
    pub campaign: Option<(String, Kind)>,
    /// Whether what they share tells of one actor.
    pub actor: bool,
}

/// What a match that was found does to campaigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What holds the campaign together.
    pub kind: Kind,
    /// The campaign that there is; none for a new one.
    pub into: Option<String>,
    /// The matches that become part of it, the one found among them if it was not.
    pub join: BTreeSet<String>,
    /// Campaigns of the same kind that turn out to be the same.
    pub absorb: BTreeSet<String>,
}

/// What the match `found`, in `campaign` already or not, does to campaigns, given all matches that
/// share a trait with it; `None` if it stays where it is.
pub fn plan(found: &str, campaign: Option<(String, Kind)>, peers: &[Peer]) -> Option<Plan> {
    let actor: Vec<&Peer> = peers.iter().filter(|peer| peer.actor).collect();
    let by_actor = campaign.as_ref().is_some_and(|(_, kind)| *kind == Kind::Actor);
    if !actor.is_empty() {
        return merged(Kind::Actor, found, campaign, &actor, 2);
    }
    if by_actor {
        return None;
    }
    // Whoever is known to belong to an actor is not counted again.
    let free = peers
        .iter()
        .filter(|peer| peer.campaign.as_ref().is_none_or(|(_, kind)| *kind == Kind::Identity));
    merged(Kind::Identity, found, campaign, &free.collect::<Vec<_>>(), IDENTITY_MIN)
}

fn merged(
    kind: Kind,
    found: &str,
    campaign: Option<(String, Kind)>,
    peers: &[&Peer],
    least: usize,
) -> Option<Plan> {
    let of_kind = |campaign: &Option<(String, Kind)>| {
        campaign.as_ref().filter(|(_, have)| *have == kind).map(|(id, _)| id.clone())
    };
    let all: BTreeMap<&str, Option<String>> = peers
        .iter()
        .map(|peer| (peer.match_id.as_str(), of_kind(&peer.campaign)))
        .chain([(found, of_kind(&campaign))])
        .collect();
    let mut campaigns: BTreeSet<String> = all.values().flatten().cloned().collect();
    let join: BTreeSet<String> =
        all.iter().filter(|(_, of)| of.is_none()).map(|(id, _)| (*id).to_owned()).collect();
    // Ids sort by time: the oldest campaign goes on.
    let into = campaigns.pop_first();
    if into.is_none() && join.len() < least || join.is_empty() && campaigns.is_empty() {
        return None;
    }
    Some(Plan { kind, into, join, absorb: campaigns })
}

#[cfg(test)]
mod tests;
