//! Candidates: every row that a profile's names or pictures lead to, found in one segment after
//! the other within a budget, the most promising ones to be looked at closely.
//!
//! It must not judge: how promising a row is only decides whether it is looked at.

use std::sync::Arc;

use super::alike::{Alike, Best};
use super::candidate::{self, Candidate};
use super::heard::{self, Heard, Sound};
use super::keys::{self, Place};
use super::lone::{self, Lone};
use super::postings::Posting;
use super::question::{DISPLAY_NAME, Found, PartProbe, Question};
use super::seen::{NO_CANDIDATE, Seen};
use super::segment::Segment;
use crate::picture::{self, Pdq};
use crate::profile::MAX_AVATARS;

/// How much may be done for one profile.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// How many postings are looked at in a whole search.
    pub postings: usize,
    /// How many rows of one equal key are taken: the famous ones.
    pub per_key: usize,
    /// How many rows of a key that is only part of a name are taken.
    pub per_part: usize,
    /// How many rows that sound like a name are heard of, for each way to sound like it.
    pub per_sound: usize,
    /// And how many of a sound that is nearly that of a name.
    pub per_near_sound: usize,
    /// How many rows at most may have a word for it to lead to them by itself.
    pub per_word: usize,
    /// How many rows with a near picture are taken: the nearest. A picture that more have is a
    /// default or stock one and leads to nobody.
    pub per_picture: usize,
    /// Among how many hashes of one segment at most few that are given are looked for farther:
    /// among more it takes a third of a check and finds nobody.
    pub far_among: usize,
    /// How many keys are compared symbol by symbol, a key counted as often as it has a part in
    /// common: of all segments together, so that the answer does not hang on how many there are.
    pub comparisons: usize,
    /// How many candidates are looked at closely.
    pub close: usize,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            postings: 200_000,
            per_key: 256,
            per_part: 32,
            per_sound: 64,
            per_near_sound: 8,
            per_word: 64,
            per_picture: 64,
            far_among: 4_000_000,
            comparisons: 160,
            close: 13,
        }
    }
}

/// How far pictures are looked for: certainly within 31 bits, and many of those within 80.
const AVATARS: picture::Reach = picture::Reach::about(80);
/// And where only so few hashes are given: as looks at a picture there are more.
const FEW: usize = 4;
const FEW_AVATARS: picture::Reach = picture::Reach::far(80);

/// From this distance on two pictures may be as near by chance: five standard deviations below the
/// 128 bits that halves of a hash differ in.
const CHANCE: u16 = 88;

/// How much less promising a name is that is further away than what is promised: chosen with the
/// recall of imitations in view, since such names take the places of others.
const LESS_PROMISING: f32 = 0.2;

/// How much less promising an equal key is, in symbols of it that were not: of short ones many are
/// equal by chance. Chosen likewise, with those named first in view.
const SHORT: f32 = 0.6;

/// How many places are looked at before what they have in common is compared.
const GROUP: usize = 32;

/// What was found.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The candidates, the most promising first.
    pub candidates: Vec<Candidate>,
    /// Whether the budget did not suffice.
    pub truncated: bool,
    /// How many live rows have a key equal to one of the profile's, by its name.
    pub equal: [u32; super::question::MAX_NAMES],
    /// How many have one within an edit or two.
    pub near: [u32; super::question::MAX_NAMES],
    /// How many have a picture within 31 bits of the profile's one that most have.
    pub same_picture: u32,
    /// How many have one within 31 bits, by the profile's pictures.
    same: Vec<u32>,
    seen: Seen,
    alike: Best,
    heard: Vec<Heard>,
    lone: Vec<Lone>,
    pictures: picture::Scratch,
    postings: usize,
}

impl Gathered {
    /// Begins anew.
    pub fn clear(&mut self) {
        self.candidates.clear();
        self.truncated = false;
        self.equal = Default::default();
        self.near = Default::default();
        self.same_picture = 0;
        self.same.clear();
        self.seen.clear();
        self.alike.clear();
        self.heard.clear();
        self.lone.clear();
        self.postings = 0;
    }

    /// Adds what a segment has; keys that may be near are [compared](Gathered::compare_alike) when
    /// all segments were asked.
    pub fn add(
        &mut self,
        place: u32,
        segment: &Segment,
        question: &Question,
        avatars: &[Pdq],
        budget: &Budget,
    ) {
        self.add_whole(place, segment, question, budget);
        self.postings += lone::add(&mut self.lone, place, segment, question, budget.per_word);
        self.add_avatars(place, segment, avatars, budget);
        self.add_parts(place, segment, question, budget);
    }

    fn candidate(&mut self, segment: u32, row: u32) -> &mut Candidate {
        let slot = self.seen.slot(segment, row);
        if slot.place == NO_CANDIDATE {
            slot.place = self.candidates.len() as u32;
            self.candidates.push(Candidate::new(segment, row));
        }
        &mut self.candidates[slot.place as usize]
    }

    fn add_whole(&mut self, place: u32, segment: &Segment, question: &Question, budget: &Budget) {
        for (at, probe) in question.probes.iter().enumerate() {
            if at % GROUP == 0 {
                let group = question.probes.iter().skip(at).take(GROUP);
                segment.whole.touch(group.map(|probe| probe.bucket));
            }
            let reading = &question.readings[probe.name as usize];
            let mut taken = 0;
            for posting in segment.whole.bucket(probe.bucket) {
                self.postings += 1;
                if posting.tag != probe.tag || !segment.is_live(posting.row) {
                    continue;
                }
                if probe.found == Found::Equal {
                    self.equal[probe.name as usize] += 1;
                }
                taken += 1;
                let most = match probe.found {
                    Found::Equal | Found::Words => budget.per_key,
                    Found::Sound | Found::Gist => budget.per_sound,
                    Found::NearGist => budget.per_near_sound,
                    _ => budget.per_part,
                };
                if taken > most {
                    self.truncated |= probe.found == Found::Equal;
                    continue;
                }
                let sound = match probe.found {
                    Found::Sound => Some(Sound::Same),
                    Found::Gist => Some(Sound::Gist),
                    Found::NearGist => Some(Sound::NearGist),
                    _ => None,
                };
                if let Some(sound) = sound {
                    let (row, name) = (posting.row, probe.name);
                    let before = taken as u32;
                    let heard = Heard { segment: place, row, name, sound, before, likeness: 0.0 };
                    self.heard.push(heard);
                    continue;
                }
                let candidate = self.candidate(place, posting.row);
                let len = reading.looks.len().max(1) as f32;
                let name = match probe.found {
                    Found::Equal => 1.0 - SHORT / f32::from(probe.len),
                    Found::OneEdit => 1.0 - 1.0 / f32::from(probe.len),
                    // All its symbols are there.
                    Found::Swap => 1.0 - 0.5 / f32::from(probe.len),
                    Found::Inside(inside) => {
                        let inside = f32::from(inside);
                        // A long name is hardly there by chance, whatever stands around it.
                        (0.3 + 0.6 * inside / len).max(1.0 - 2.0 / inside)
                    }
                    Found::Words => 0.9,
                    Found::Sound | Found::Gist | Found::NearGist => continue,
                };
                candidate.is_alike(name, probe.name == DISPLAY_NAME);
                candidate.words |= probe.found == Found::Words;
            }
            if self.postings > budget.postings {
                self.truncated = true;
                return;
            }
        }
    }

    fn add_avatars(&mut self, place: u32, segment: &Segment, avatars: &[Pdq], budget: &Budget) {
        let mut pictures = std::mem::take(&mut self.pictures);
        let is_far = avatars.len() <= FEW && segment.hashes().len() <= budget.far_among;
        let budget = picture::Budget { owners: budget.per_picture, ..picture::Budget::default() };
        let reach = if is_far { FEW_AVATARS } else { AVATARS };
        self.same.resize(avatars.len(), 0);
        for (at, avatar) in avatars.iter().enumerate() {
            let found = segment.hashes().search(avatar, reach, budget, &mut pictures);
            // Many owners are no loss: such a picture is everybody's.
            self.truncated |= !found.complete && found.hits.len() < budget.owners;
            for hit in found.hits {
                if !segment.is_live(hit.owner) {
                    continue;
                }
                self.same[at] += u32::from(hit.distance <= 31);
                let candidate = self.candidate(place, hit.owner);
                candidate.avatar = candidate.avatar.min(hit.distance as u16);
            }
            self.same_picture = self.same_picture.max(self.same[at]);
        }
        self.pictures = pictures;
    }

    fn add_parts(&mut self, at: u32, segment: &Segment, question: &Question, budget: &Budget) {
        // First where what is promised is: mostly there is so much that the rest need not be seen.
        for is_beyond in [false, true] {
            let probes = question.part_probes.iter();
            let probes = probes.filter(|probe| probe.place.is_beyond == is_beyond);
            let mut rest = probes.peekable();
            while rest.peek().is_some() && (!is_beyond || self.alike.most() >= keys::BEYOND) {
                let group = rest.clone().take(GROUP);
                segment.parts.touch(group.map(|probe| probe.place.hash));
                for PartProbe { place, key } in rest.by_ref().take(GROUP) {
                    self.add_part(at, segment, place, *key);
                    self.alike.narrow(budget.comparisons);
                }
                if self.postings > budget.postings {
                    self.truncated = true;
                    return;
                }
            }
        }
    }

    fn add_part(&mut self, segment: u32, of: &Segment, place: &Place, key: u8) {
        let Some(bound) = place.bound(self.alike.most()) else { return };
        let alike = &mut self.alike;
        self.postings += of.parts.near(place.hash, place.mask, bound, |Posting { row, tag }| {
            if let Some(apart) = place.apart(tag) {
                alike.add(Alike { apart, row, segment, key });
            }
        });
    }

    /// Takes those that have a word in common which few have.
    pub fn take_lone(&mut self, question: &Question, budget: &Budget) {
        let mut all = std::mem::take(&mut self.lone);
        lone::settle(&mut all, budget.per_word);
        for lone in &all {
            let (name, likeness) = lone::name_likeness(lone, question);
            self.candidate(lone.segment, lone.row).is_alike(likeness, name == DISPLAY_NAME);
        }
        self.lone = all;
    }

    /// Takes those whose names sound most alike.
    pub fn take_heard(&mut self, segments: &[Arc<Segment>], question: &Question) {
        let mut all = std::mem::take(&mut self.heard);
        heard::settle(&mut all, segments, question);
        for heard in &all {
            let candidate = self.candidate(heard.segment, heard.row);
            candidate.is_alike(heard.name_likeness(), heard.name == DISPLAY_NAME);
            candidate.sound = candidate.sound.max(heard.sound.share());
        }
        self.heard = all;
    }

    /// Compares the keys that may be near: of too many those around whose common part the most is
    /// alike.
    pub fn compare_alike(
        &mut self,
        segments: &[Arc<Segment>],
        question: &Question,
        budget: &Budget,
    ) {
        let (mut alike, next) = self.alike.take(budget.comparisons);
        self.truncated |= next.is_some_and(|apart| apart < keys::BEYOND);
        alike.retain(|Alike { row, segment, key, .. }| {
            let slot = self.seen.slot(*segment, *row);
            let before = slot.compared;
            slot.compared |= 1 << key;
            before >> key & 1 == 0
        });
        alike.sort_unstable_by_key(|alike| alike.segment);
        for of_one in alike.chunk_by(|a, b| a.segment == b.segment) {
            let segment = &segments[of_one[0].segment as usize];
            for group in of_one.chunks(GROUP) {
                segment.touch(group.iter().map(|alike| alike.row));
                for alike in group {
                    self.compare(segment, question, *alike);
                }
            }
        }
        self.alike.give_back(alike);
    }

    fn compare(&mut self, segment: &Segment, question: &Question, alike: Alike) {
        let (row, query) = (alike.row, &question.keys()[alike.key as usize]);
        let len = query.pattern.key().len();
        let searched = || segment.keys(row).filter(|(of, _)| of.is_searched_with_edits());
        let keys = searched().filter(|(_, key)| {
            let most = keys::reach(key.len());
            key.len().abs_diff(len) <= most && query.pattern.lacks(key) as usize <= most
        });
        let (mut nearest, mut is_promised) = (None, false);
        for (_, key) in keys {
            let found = (query.pattern.distance(key) as usize, key.len());
            let (distance, len) = found;
            if distance <= keys::reach(len) {
                nearest = Some(nearest.map_or(found, |nearest| found.min(nearest)));
                // Of another key as far away the tolerance may be less.
                is_promised |= distance <= keys::tolerance(len);
            }
        }
        let Some((distance, key_len)) = nearest else { return };
        // What lies beside it by chance differs between indexes of the same rows.
        if segment.is_live(row) && searched().any(|(_, key)| question.leads_to(query, key)) {
            for (name, near) in self.near.iter_mut().enumerate() {
                *near += u32::from(is_promised && query.names >> name & 1 == 1);
            }
            let candidate = self.candidate(alike.segment, row);
            let less = if is_promised { 0.0 } else { LESS_PROMISING };
            let name = 1.0 - less - distance as f32 / len.max(key_len) as f32;
            candidate.is_alike(name, query.names >> DISPLAY_NAME & 1 == 1);
        }
    }

    /// Keeps the candidates that are worth a close look.
    pub fn keep_best(
        &mut self,
        segments: &[Arc<Segment>],
        question: &Question,
        avatars: &[Pdq],
        budget: &Budget,
    ) {
        // A picture that many have, such as a default one, says little of each.
        let rare = 1.0 / (1.0 + 0.5 * (self.same_picture.max(1) as f32).log2());
        if !avatars.is_empty() {
            candidate::touch_avatars(&self.candidates, segments);
        }
        for candidate in &mut self.candidates {
            let segment = &segments[candidate.segment as usize];
            for hash in segment.avatars(candidate.row).take(avatars.len() * MAX_AVATARS) {
                for avatar in avatars {
                    candidate.avatar = candidate.avatar.min(avatar.distance(&hash) as u16);
                }
            }
            let pairs = avatars.len() * segment.avatars(candidate.row).count();
            let apart = f32::from(candidate.avatar) + picture::nearer_by_chance(pairs);
            let apart = (apart / f32::from(CHANCE)).min(1.0);
            let picture = 1.0 - apart * apart * apart;
            candidate.promise = 2.0 * candidate.name + 3.0 * rare * picture;
        }
        // What else is known of a row costs memory to look at: only for those in question.
        candidate::keep(&mut self.candidates, 4 * budget.close.min(usize::MAX / 4));
        for candidate in &mut self.candidates {
            let segment = &segments[candidate.segment as usize];
            let link = segment.link(candidate.row);
            let linked = link.whole != 0 && question.links.contains(&link);
            candidate.promise += segment.bio(candidate.row).likeness(question.bio)
                + if linked { 0.7 } else { 0.0 }
                + f32::from(segment.fame(candidate.row)) / 500.0;
        }
        candidate::keep(&mut self.candidates, budget.close);
        self.candidates.sort_unstable_by(Candidate::order);
    }
}
