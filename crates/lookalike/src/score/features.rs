//! What is seen when a profile is held beside an identity, as numbers.
//!
//! All names of the identity count alike: a profile's handle may imitate a display name and the
//! other way round. It must not weigh: each number means what its documentation says.

use super::bait;
use super::names::{beside, covered};
use crate::index::Index;
use crate::index::candidate::{Candidate, FAR};
use crate::index::gather::Gathered;
use crate::index::question::Question;
use crate::index::row::KeyOf;
use crate::index::segment::Segment;
use crate::picture::nearer_by_chance;
use crate::profile::Profile;
use crate::text::{MAX_WORDS, Reading, TrickKind, WordKind};

/// What a feature, and so a piece of evidence, speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// The profile's handle.
    Handle,
    /// Its display name.
    DisplayName,
    /// A name that it bore before.
    FormerName,
    /// Its picture.
    Avatar,
    /// What it says of itself.
    Bio,
    /// Its links.
    Link,
    /// How many follow it and the identity.
    Audience,
    /// How old it is.
    Age,
}

impl Signal {
    /// All of them.
    pub const ALL: [Signal; 8] = [
        Signal::Handle,
        Signal::DisplayName,
        Signal::FormerName,
        Signal::Avatar,
        Signal::Bio,
        Signal::Link,
        Signal::Audience,
        Signal::Age,
    ];
}

/// A feature: its name, what it speaks of, and which way it may count: 1 if more of it can only
/// make an imitation likelier, -1 if only less likely, 0 if either.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    /// Its name in the model's file.
    pub name: &'static str,
    /// What it speaks of.
    pub signal: Signal,
    /// Which way it may count.
    pub sign: i8,
}

const fn feature(name: &'static str, signal: Signal, sign: i8) -> Feature {
    Feature { name, signal, sign }
}

/// How many features speak of one name.
const PER_NAME: usize = 12;

/// All features, in the order of [`Features`].
pub const FEATURES: [Feature; 47] = [
    // How alike the name and the nearest key are, 0 to 1.
    feature("handle_likeness", Signal::Handle, 1),
    // How many symbols the nearest key has; symbols of large scripts count 2.
    feature("handle_length", Signal::Handle, 0),
    // How much of the name the longest key inside it makes up, 0 to 1.
    feature("handle_inside", Signal::Handle, 1),
    // How many symbols that key has.
    feature("handle_inside_length", Signal::Handle, 0),
    // How much of the nearest key the name makes up if it is a part of it.
    feature("handle_part", Signal::Handle, 1),
    // 2 if the nearest key is of the same kind of name, 1 of another kind, 0 none near.
    feature("handle_kind", Signal::Handle, 0),
    // 1 if the names are equal as written but for the case.
    feature("handle_as_written", Signal::Handle, 0),
    // How many letters were disguised, up to 6, where the names look alike.
    feature("handle_tricks", Signal::Handle, 1),
    // How many identities have an equal key, as a logarithm to 2.
    feature("handle_equal", Signal::Handle, -1),
    // How many have one within a few edits, as a logarithm to 2.
    feature("handle_near", Signal::Handle, -1),
    // How surprising the words of the name are, in bits.
    feature("handle_surprise", Signal::Handle, 1),
    // How many of its words are such as imitators add, where the rest is alike.
    feature("handle_added", Signal::Handle, 0),
    feature("display_likeness", Signal::DisplayName, 1),
    feature("display_length", Signal::DisplayName, 0),
    feature("display_inside", Signal::DisplayName, 1),
    feature("display_inside_length", Signal::DisplayName, 0),
    feature("display_part", Signal::DisplayName, 1),
    feature("display_kind", Signal::DisplayName, 0),
    feature("display_as_written", Signal::DisplayName, 0),
    feature("display_tricks", Signal::DisplayName, 1),
    feature("display_equal", Signal::DisplayName, -1),
    feature("display_near", Signal::DisplayName, -1),
    feature("display_surprise", Signal::DisplayName, 1),
    feature("display_added", Signal::DisplayName, 0),
    // 1 if a name sounds the same, less if roughly.
    feature("display_sound", Signal::DisplayName, 1),
    // 1 if a name has the same words in another order.
    feature("display_words", Signal::DisplayName, 1),
    // 2 if a former name is alike where none of now is, 1 if a change of name made one alike.
    feature("former_name", Signal::FormerName, 1),
    // How many of 256 bits differ between the nearest two views, and how many more would between
    // those of two unrelated pictures if there were but one pair; 128 at most, 129 if either has no
    // picture.
    feature("avatar_distance", Signal::Avatar, -1),
    // How many identities have this picture, as a logarithm to 2.
    feature("avatar_common", Signal::Avatar, -1),
    // How much the bios share, 0 to 1.
    feature("bio_likeness", Signal::Bio, 1),
    // How many words the identity's bio has, as bits.
    feature("bio_length", Signal::Bio, 0),
    // How much in the bio is said by those who lure people, see `bait`.
    feature("bio_bait", Signal::Bio, 1),
    // 2 if it links to where the identity links to, 1 if to the same host.
    feature("link_same", Signal::Link, 0),
    // 1 if it links to a messenger or a page of links.
    feature("link_relay", Signal::Link, 1),
    // How famous the identity is, in doublings of its followers.
    feature("audience_identity", Signal::Audience, 0),
    // How many follow the profile, in doublings, from 4 to 12: bought followers prove nothing.
    feature("audience_profile", Signal::Audience, -1),
    // How old the profile is, in doublings of days, from 5 to 9: bought accounts are old.
    feature("age", Signal::Age, -1),
    // How many candidates are as alike by name, as a logarithm to 2.
    feature("display_rivals", Signal::DisplayName, -1),
    // How alike handle and display name are to one another's counterpart taken together, 0 to 2.
    feature("handle_both", Signal::Handle, 1),
    // How many accounts have this picture, protected or not, as a logarithm to 2.
    feature("avatar_owners", Signal::Avatar, -1),
    // How many have this display name, as a logarithm to 2.
    feature("display_bearers", Signal::DisplayName, -1),
    // How many of the words of the identity's bio the profile's has, 0 to 1.
    feature("bio_kept", Signal::Bio, 1),
    // How much of a key the words of the name cover, in any order, 0 to 1.
    feature("handle_covered", Signal::Handle, 1),
    // How surprising those words are, in bits.
    feature("handle_covered_surprise", Signal::Handle, 1),
    feature("display_covered", Signal::DisplayName, 1),
    feature("display_covered_surprise", Signal::DisplayName, 1),
    // How well it is known how common pictures and names are, 0 to 1: what nobody else is known to
    // have says more where many are known.
    feature("others_known", Signal::Avatar, 0),
];

/// The features of one pair, in the order of [`FEATURES`].
pub type Features = [f32; FEATURES.len()];

/// From which likeness on two names count as alike where only that is asked.
const ALIKE: f32 = 0.85;

/// The place of "former_name".
pub const FORMER_NAME: usize = 26;
/// The place of "age".
pub const AGE: usize = 36;

/// What is not known.
pub const UNKNOWN: f32 = -1.0;

/// What of a profile's own speaks, whoever it may imitate.
#[derive(Debug, Clone, Copy, Default)]
pub struct Own {
    bait: f32,
    relay: f32,
    surprise: [f32; 2],
    words: [[f32; MAX_WORDS]; 2],
    owners: f32,
    bearers: f32,
    known: f32,
}

impl Own {
    /// Of a profile.
    pub fn of(profile: &Profile, question: &Question, index: &Index) -> Own {
        let frequencies = index.frequencies();
        let mut own = Own { bait: bait::in_text(&profile.bio), ..Own::default() };
        own.known = frequencies.others_known();
        own.owners = profile.avatars.first().map_or(0.0, |avatar| frequencies.owners(avatar));
        own.bearers = question.readings.get(1).map_or(0.0, |name| frequencies.bearers(name));
        own.relay = f32::from(profile.links.iter().any(|link| bait::is_relay(link)));
        for (name, surprise) in own.surprise.iter_mut().enumerate() {
            let words = question.readings[name].words.iter();
            for (word, surprise) in words.clone().zip(&mut own.words[name]) {
                *surprise = frequencies.surprise(word.key.as_bytes());
            }
            let names = words.zip(&own.words[name]);
            let names = names.filter(|(word, _)| word.kind == WordKind::Name);
            *surprise = names.map(|(_, surprise)| surprise).sum::<f32>().min(60.0);
        }
        own
    }
}

fn log2(count: u32) -> f32 {
    (count.max(1) as f32).log2().min(12.0)
}

/// How many disguises a name has.
fn tricks(reading: &Reading) -> f32 {
    {
        let counted = [
            TrickKind::Confusable,
            TrickKind::Leet,
            TrickKind::Fullwidth,
            TrickKind::Fancy,
            TrickKind::Invisible,
            TrickKind::Bidi,
            TrickKind::Mark,
            TrickKind::Repeat,
        ];
        let count: usize =
            counted.into_iter().map(|kind| reading.tricks.count(kind) as usize).sum();
        (count as f32).min(6.0)
    }
}

/// The features of a profile beside a candidate.
pub fn of_pair(
    (profile, question, own): (&Profile, &Question, &Own),
    gathered: &Gathered,
    candidate: &Candidate,
    segment: &Segment,
) -> Features {
    let mut features = [0.0; FEATURES.len()];
    let row = candidate.row;
    let kinds = [KeyOf::HANDLE, KeyOf::DISPLAY];
    let mut likeness = [0.0; 2];
    for (name, kind) in kinds.into_iter().enumerate() {
        let best = beside(question, name as u8, kind, segment, row);
        let reading = &question.readings[name];
        let near = best.likeness.max(best.inside) >= 0.6;
        let written = segment.names(row).nth(name).unwrap_or_default();
        let ours = [&profile.handle, &profile.display_name][name];
        let as_written = !written.is_empty() && written.eq_ignore_ascii_case(ours);
        let added = reading.words.iter().filter(|word| word.kind == WordKind::Affix).count();
        let first = name * PER_NAME;
        features[first..first + PER_NAME].copy_from_slice(&[
            best.likeness,
            best.length,
            best.inside,
            best.inside_length,
            best.part,
            if !near { 0.0 } else { 1.0 + f32::from(best.same_kind) },
            f32::from(as_written),
            if near && !as_written { tricks(reading) } else { 0.0 },
            log2(gathered.equal[name]),
            log2(gathered.near[name]),
            own.surprise[name],
            if near { added as f32 } else { 0.0 },
        ]);
        likeness[name] = best.likeness.max(best.inside);
    }
    let rest = &mut features[2 * PER_NAME..];
    rest[0] = candidate.sound;
    rest[1] = f32::from(candidate.words);
    rest[14] = likeness[0] + likeness[1];
    for name in 0..kinds.len() {
        let covered = covered(&question.readings[name], &own.words[name], segment, row);
        rest[18 + 2 * name..][..2].copy_from_slice(&[covered.0, covered.1]);
    }
    let former = (2..question.readings.len())
        .map(|name| beside(question, name as u8, KeyOf::HANDLE, segment, row).likeness);
    let former = former.fold(0.0, f32::max);
    rest[2] = match (former >= ALIKE, likeness[0].max(likeness[1]) >= ALIKE) {
        (true, false) => 2.0,
        (false, true) if question.readings.len() > 2 => 1.0,
        _ => 0.0,
    };
    add_others((profile, question, own), gathered, candidate, segment, rest);
    features
}

/// The features that are not of names, at their places behind those of handle and display name.
fn add_others(
    (profile, question, own): (&Profile, &Question, &Own),
    gathered: &Gathered,
    candidate: &Candidate,
    segment: &Segment,
    rest: &mut [f32],
) {
    let row = candidate.row;
    let pairs = profile.avatars.len() * segment.avatars(row).count();
    let apart = f32::from(candidate.avatar) + nearer_by_chance(pairs);
    rest[3] = if pairs > 0 { apart.min(f32::from(FAR)) } else { f32::from(FAR + 1) };
    rest[4] = log2(gathered.same_picture);
    rest[5] = segment.bio(row).likeness(question.bio);
    rest[6] = segment.bio(row).len() as f32;
    rest[7] = own.bait;
    let link = segment.link(row);
    let same_link = |whole: bool| {
        let ours = question.links.iter();
        link.host != 0
            && ours.clone().any(|our| our.host == link.host && (!whole || our.whole == link.whole))
    };
    rest[8] = if same_link(true) { 2.0 } else { f32::from(same_link(false)) };
    rest[9] = own.relay;
    rest[10] = f32::from(segment.fame(row)) / 8.0;
    rest[11] = question.fame.map_or(UNKNOWN, |fame| (f32::from(fame) / 8.0).clamp(4.0, 12.0));
    rest[12] =
        profile.age_days.map_or(UNKNOWN, |days| ((days as f32 + 1.0).log2()).clamp(5.0, 9.0));
    let rivals = gathered.candidates.iter().filter(|other| other.name >= candidate.name).count();
    rest[13] = log2(rivals as u32);
    rest[15] = own.owners;
    rest[16] = own.bearers;
    rest[17] = question.bio.kept(segment.bio(row));
    rest[22] = own.known;
}

/// The features without all that the evidence names as speaking for an imitation.
pub fn without_named(features: &Features, score: &super::model::Score) -> Features {
    let named = Signal::ALL.into_iter().filter(|signal| score.points[*signal as usize] > 0.0);
    named.fold(*features, |features, signal| without(&features, signal))
}

/// What speaks of a signal, made to say nothing: to see what an alarm would be without it.
pub fn without(features: &Features, signal: Signal) -> Features {
    let mut left = *features;
    for (place, feature) in FEATURES.iter().enumerate() {
        if feature.signal == signal {
            left[place] = match feature.name {
                "avatar_distance" => f32::from(FAR + 1),
                "audience_identity" | "audience_profile" | "age" => left[place],
                _ => 0.0,
            };
        }
    }
    left
}
