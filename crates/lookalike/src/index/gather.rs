//! Candidates: every row that a profile's names or pictures lead to, found in one segment after
//! the other within a budget, the most promising ones to be looked at closely.
//!
//! It must not judge: how promising a row is only decides whether it is looked at.

use std::cmp::Ordering;
use std::sync::Arc;

use super::keys;
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
    /// How many rows of a key that is only part of a name, or sounds like it, are taken.
    pub per_part: usize,
    /// How many rows with a near picture are taken: the nearest. A picture that more have is a
    /// default or stock one and leads to nobody.
    pub per_picture: usize,
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
            per_picture: 64,
            comparisons: 400,
            close: 13,
        }
    }
}

/// How far pictures are looked for: certainly within 31 bits, and many of those within 80.
const AVATARS: picture::Reach = picture::Reach::about(80);
/// Beyond this distance pictures have nothing in common.
pub const FAR: u16 = 128;

/// From this distance on two pictures may be as near by chance: five standard deviations below the
/// 128 bits that halves of a hash differ in.
const CHANCE: u16 = 88;

/// How much less promising a name is that is further away than what is promised: chosen with the
/// recall of imitations in view, since such names take the places of others.
const LESS_PROMISING: f32 = 0.2;

/// Of how many candidates that are kept one is kept for its display name alone, lest a handle that
/// is like many others take all places.
const ONE_SHOWN_OF: usize = 3;

/// How many places are looked at before what they have in common is compared.
const GROUP: usize = 32;

/// A row that may be imitated.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Which segment.
    pub segment: u32,
    /// Which of its rows.
    pub row: u32,
    /// The shortest distance of any two views of pictures, [`FAR`] if there is none.
    pub avatar: u16,
    /// How alike the names are as far as was found out, 0 to 1.
    pub name: f32,
    /// 1 if a name sounds the same, less if only roughly.
    pub sound: f32,
    /// Whether a name has the same words in another order.
    pub words: bool,
    /// How alike the display name is.
    shown: f32,
    promise: f32,
}

impl Candidate {
    /// Notes how alike a name is, and whether it is the display name.
    fn is_alike(&mut self, name: f32, shown: bool) {
        self.name = self.name.max(name);
        if shown {
            self.shown = self.shown.max(name);
        }
    }

    /// The most promising first; between equals the famous one, which lies first, so that the
    /// choice is always one.
    fn order(&self, other: &Candidate) -> Ordering {
        let promise = other.promise.total_cmp(&self.promise);
        promise.then((self.segment, self.row).cmp(&(other.segment, other.row)))
    }
}

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
    alike: Vec<Alike>,
    pictures: picture::Scratch,
    postings: usize,
}

/// A row of which a key may be near one of the question's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    /// In how many bits what is around a common part differs.
    apart: u8,
    row: u32,
    segment: u32,
    /// Which of the question's keys.
    key: u8,
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
        self.add_avatars(place, segment, avatars, budget);
        self.add_parts(place, segment, question, budget);
    }

    fn candidate(&mut self, segment: u32, row: u32) -> &mut Candidate {
        let slot = self.seen.slot(segment, row);
        if slot.place == NO_CANDIDATE {
            slot.place = self.candidates.len() as u32;
            self.candidates.push(Candidate {
                segment,
                row,
                avatar: FAR,
                name: 0.0,
                sound: 0.0,
                words: false,
                shown: 0.0,
                promise: 0.0,
            });
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
                    _ => budget.per_part,
                };
                if taken > most {
                    self.truncated |= probe.found == Found::Equal;
                    continue;
                }
                let candidate = self.candidate(place, posting.row);
                let len = reading.looks.len().max(1) as f32;
                let name = match probe.found {
                    Found::Equal => 1.0,
                    Found::OneEdit => 1.0 - 1.0 / len,
                    Found::Inside(inside) => {
                        let inside = f32::from(inside);
                        // A long name is hardly there by chance, whatever stands around it.
                        (0.3 + 0.6 * inside / len).max(1.0 - 2.0 / inside)
                    }
                    Found::Sound => 0.7,
                    Found::Gist => 0.5,
                    Found::Words => 0.9,
                };
                candidate.is_alike(name, probe.name == DISPLAY_NAME);
                let sound = match probe.found {
                    Found::Sound => 1.0,
                    Found::Gist => 0.5,
                    _ => 0.0,
                };
                candidate.sound = candidate.sound.max(sound);
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
        let budget = picture::Budget { owners: budget.per_picture, ..picture::Budget::default() };
        self.same.resize(avatars.len(), 0);
        for (at, avatar) in avatars.iter().enumerate() {
            let found = segment.hashes().search(avatar, AVATARS, budget, &mut pictures);
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
        for probes in question.part_probes.chunks(GROUP) {
            segment.parts.touch(probes.iter().map(|probe| probe.place.hash));
            for PartProbe { place, key } in probes {
                let bucket = segment.parts.bucket(place.hash);
                self.postings += bucket.len();
                self.alike.extend(bucket.filter_map(|Posting { row, tag }| {
                    place.apart(tag).map(|apart| Alike { apart, row, segment: at, key: *key })
                }));
            }
            if self.postings > budget.postings {
                self.truncated = true;
                return;
            }
        }
    }

    /// Compares the keys that may be near: of too many those around whose common part the most is
    /// alike.
    pub fn compare_alike(
        &mut self,
        segments: &[Arc<Segment>],
        question: &Question,
        budget: &Budget,
    ) {
        let mut alike = std::mem::take(&mut self.alike);
        if alike.len() > budget.comparisons {
            let (_, next, _) = alike.select_nth_unstable(budget.comparisons);
            self.truncated |= next.apart < keys::BEYOND;
            alike.truncate(budget.comparisons);
        }
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
        self.alike = alike;
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
        self.keep(4 * budget.close.min(usize::MAX / 4));
        for candidate in &mut self.candidates {
            let segment = &segments[candidate.segment as usize];
            let link = segment.link(candidate.row);
            let linked = link.whole != 0 && question.links.contains(&link);
            candidate.promise += segment.bio(candidate.row).likeness(question.bio)
                + if linked { 0.7 } else { 0.0 }
                + f32::from(segment.fame(candidate.row)) / 500.0;
        }
        self.keep(budget.close);
        self.candidates.sort_unstable_by(Candidate::order);
    }

    /// Keeps so many: some for their display names, and else the most promising.
    fn keep(&mut self, most: usize) {
        if self.candidates.len() <= most {
            return;
        }
        let shown = most / ONE_SHOWN_OF;
        self.candidates.select_nth_unstable_by(shown, |a, b| {
            b.shown.total_cmp(&a.shown).then_with(|| a.order(b))
        });
        self.candidates[shown..].select_nth_unstable_by(most - shown, Candidate::order);
        self.candidates.truncate(most);
    }
}
