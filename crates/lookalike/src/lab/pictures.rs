//! Measures how well a picture is found again once it was edited, at a distance that hardly any two
//! unrelated pictures are within.
//!
//! It must not know how pictures are edited or hashed.

use std::collections::BTreeMap;

use crate::detector::{Detector, Scratch};
use crate::index::Index;
use crate::index::candidate::FAR;
use crate::index::gather::Budget;
use crate::picture::{Pdq, nearer_by_chance};
use crate::profile::{Identity, Profile};
use crate::score::FEATURES;
use crate::shares;

/// Threads that measure.
const THREADS: usize = 2;

/// A picture that was made of an original.
#[derive(Debug, Clone)]
pub struct Edited {
    /// Of which.
    pub original: usize,
    /// How.
    pub edit: String,
    /// The hashes that it is looked for by.
    pub looks: Vec<Pdq>,
    /// Those that it is held by beside those it may show.
    pub windows: Vec<Pdq>,
}

/// How well one edit is seen through.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// How many pictures were edited so.
    pub count: usize,
    /// The share of which the original is a candidate and near enough.
    pub recall: f32,
}

/// What was measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// How many pairs of an edited picture and an original that it was not made of were held
    /// beside one another.
    pub pairs: u64,
    /// From 0 to 256: the most bits that a picture and its original may be apart, as the detector
    /// weighs it (see [`nearer_by_chance`]), such that not more than the wanted share of the pairs
    /// is as near; none if more than that are equal.
    pub within: Option<u16>,
    /// The share of the pairs that is.
    pub passing: f64,
    /// By edit.
    pub edits: BTreeMap<String, Seen>,
}

impl Report {
    /// The mean of the edits' recalls.
    pub fn mean(&self) -> f32 {
        let recalls = self.edits.values().map(|seen| seen.recall);
        recalls.sum::<f32>() / self.edits.len().max(1) as f32
    }
}

/// Measures with originals, each by the hashes that are kept of it, and pictures made of them, at a
/// share of unrelated pairs that may pass.
pub fn measure(
    detector: &Detector,
    originals: &[Vec<Pdq>],
    edited: &[Edited],
    rate: f64,
) -> Report {
    let identities = originals.iter().zip(0..).map(|(kept, number)| Identity {
        number,
        avatars: kept.clone(),
        ..Identity::default()
    });
    let identities: Vec<Identity> = identities.collect();
    let index = Index::build(&detector.reader, &identities, THREADS);
    let edited = looked_at_again(detector, &index, edited);
    let (pairs, within, passing) = within(originals, &edited, rate);
    let distance = FEATURES.iter().position(|feature| feature.name == "avatar_distance");
    let found = shares::each(&edited, THREADS, |_, edited| {
        let mut scratch = Scratch::default();
        let mut is_found = |edited: &Edited| {
            let profile = Profile { avatars: edited.looks.clone(), ..Profile::default() };
            let seen = detector.see(&index, &profile, &mut scratch, &Budget::default());
            let right = seen.iter().find(|seen| seen.number == edited.original as u64);
            let at = right.zip(distance).map(|(seen, place)| seen.features[place]);
            at.zip(within).is_some_and(|(at, within)| bits(at) <= within.min(FAR))
        };
        edited.iter().map(&mut is_found).collect::<Vec<bool>>()
    });
    let mut edits = BTreeMap::<String, Seen>::new();
    for (edited, found) in edited.iter().zip(found.concat()) {
        let seen = edits.entry(edited.edit.clone()).or_default();
        seen.count += 1;
        seen.recall += f32::from(found);
    }
    edits.values_mut().for_each(|seen| seen.recall /= seen.count as f32);
    Report { pairs, within, passing, edits }
}

/// The pictures by all hashes that a check would compare.
fn looked_at_again(detector: &Detector, index: &Index, edited: &[Edited]) -> Vec<Edited> {
    let again = shares::each(edited, THREADS, |_, edited| {
        let mut scratch = Scratch::default();
        let mut again = |edited: &Edited| {
            let profile = Profile { avatars: edited.looks.clone(), ..Profile::default() };
            let again = detector.look_again(index, &profile, &edited.windows, &mut scratch);
            let looks = profile.avatars.into_iter().chain(again).collect();
            // Of all pictures the windows are many, and they have served.
            Edited { edit: edited.edit.clone(), looks, windows: Vec::new(), ..*edited }
        };
        edited.iter().map(&mut again).collect::<Vec<Edited>>()
    });
    again.concat()
}

/// A number of bits as the report counts them.
fn bits(apart: f32) -> u16 {
    apart.round().clamp(0.0, 256.0) as u16
}

/// How many unrelated pairs there are, within which distance no more of them are than may pass, and
/// which share is.
fn within(originals: &[Vec<Pdq>], edited: &[Edited], rate: f64) -> (u64, Option<u16>, f64) {
    let counts = shares::each(edited, THREADS, |_, edited| {
        let mut counts = vec![0u64; 257];
        for edited in edited {
            let others = originals.iter().enumerate();
            for (_, kept) in others.filter(|(number, _)| *number != edited.original) {
                let looks = &edited.looks;
                let apart = kept.iter().flat_map(|hash| looks.iter().map(|l| l.distance(hash)));
                if let Some(nearest) = apart.min() {
                    let by_chance = nearer_by_chance(kept.len() * looks.len());
                    counts[usize::from(bits(nearest as f32 + by_chance))] += 1;
                }
            }
        }
        counts
    });
    let at = |distance: usize| counts.iter().map(|counts| counts[distance]).sum::<u64>();
    let pairs: u64 = (0..=256).map(at).sum();
    let (mut within, mut passed) = (None, 0);
    for distance in 0..=256 {
        let passing = passed + at(distance);
        if passing as f64 > rate * pairs as f64 {
            break;
        }
        (within, passed) = (Some(distance as u16), passing);
    }
    (pairs, within, passed as f64 / pairs.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_told_by_edit() {
        // Far from one another, as pictures are.
        let mut state = 1u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state ^ state >> 29
        };
        let originals: Vec<Vec<Pdq>> =
            (0..30).map(|_| vec![Pdq([draw(), draw(), draw(), draw()])]).collect();
        let edited: Vec<Edited> = (0..30)
            .flat_map(|original| {
                let [a, b, c, d] = originals[original][0].0;
                let made = [("near", Pdq([a ^ 7, b, c, d])), ("far", Pdq([!a, !b, !c, d]))];
                made.map(|(edit, hash)| Edited {
                    original,
                    edit: edit.into(),
                    looks: vec![hash],
                    windows: vec![],
                })
            })
            .collect();
        let report = measure(&Detector::default(), &originals, &edited, 0.0);
        assert_eq!(report.pairs, 60 * 29);
        assert!((40..128).contains(&report.within.unwrap()), "{:?}", report.within);
        assert_eq!(report.passing, 0.0);
        assert_eq!(report.edits["near"], Seen { count: 30, recall: 1.0 });
        assert_eq!(report.edits["far"], Seen { count: 30, recall: 0.0 });
        assert_eq!(report.mean(), 0.5);
        // Where unrelated pictures are equal, no distance is one that they are not within.
        let same = vec![originals[0].clone(); 2];
        let edited = [Edited {
            original: 0,
            edit: String::new(),
            looks: originals[0].clone(),
            windows: vec![],
        }];
        let report = measure(&Detector::default(), &same, &edited, 0.5);
        assert_eq!((report.within, report.mean()), (None, 0.0));
    }
}
