//! Looking at a picture again, with those in mind whom it may show.
//!
//! A picture is looked for among all by some looks at it. Here it is held by many more beside the
//! pictures of those whom the names lead to, and of those whom a glance at the index finds.

use std::collections::BTreeMap;

use super::{Detector, Scratch};
use crate::index::Index;
use crate::index::gather::Budget;
use crate::picture::{self, Pdq, Reach};
use crate::profile::Profile;

/// Within so many bits of a protected picture a window is taken for a look at it. Of pairs of
/// unrelated pictures one in 100,000 has such a window, and of edited pictures that no look met
/// every other one does.
const NEAR: u32 = 64;
/// Of whom nothing but a glance tells, where more than so many are protected, a picture must be
/// nearer: as much as the nearest of so many more is by chance.
const MANY: usize = 1_000;
/// How many bits nearer than all looks a window must be.
const NEARER: u32 = 8;
/// How many windows are taken.
const TAKEN: usize = 4;
/// How many owners of pictures that a glance finds are held beside all windows: the nearest.
const OWNERS: usize = 64;
/// What all glances together may do.
const ENTRIES: u64 = 10_000_000;

impl Detector {
    /// Which of a picture's [windows](crate::picture::Picture::windows) show what a protected
    /// picture shows and no look at it did, the nearest first: more hashes for the profile.
    pub fn look_again(
        &self,
        index: &Index,
        profile: &Profile,
        windows: &[Pdq],
        scratch: &mut Scratch,
    ) -> Vec<Pdq> {
        if windows.is_empty() {
            return Vec::new();
        }
        let named = Profile { avatars: Vec::new(), ..profile.clone() };
        self.gather(index, &named, scratch, &Budget::default());
        let by_chance = picture::nearer_by_chance(index.len() / MANY);
        let nearer = NEAR.saturating_sub(by_chance as u32);
        let glanced = glance(index, windows, nearer, &mut scratch.pictures);
        let candidates = scratch.gathered.candidates.iter();
        let candidates = candidates.map(|candidate| (candidate.segment, candidate.row, NEAR));
        let glanced = glanced.into_iter().map(|(segment, row)| (segment, row, nearer));
        let mut nearest: Vec<(u32, Pdq)> = candidates
            .chain(glanced)
            .filter_map(|(segment, row, near)| {
                let kept = index.segments()[segment as usize].avatars(row);
                let kept: Vec<Pdq> = kept.collect();
                let (seen, _) = closest(&profile.avatars, &kept)?;
                let (distance, window) = closest(windows, &kept)?;
                (distance <= near && distance + NEARER <= seen).then_some((distance, window))
            })
            .collect();
        nearest.sort_unstable();
        nearest.dedup_by_key(|(_, window)| *window);
        nearest.into_iter().take(TAKEN).map(|(_, window)| window).collect()
    }
}

/// The nearest owners of pictures that some windows find so near without looking far, by segment
/// and row.
fn glance(
    index: &Index,
    windows: &[Pdq],
    near: u32,
    space: &mut picture::Scratch,
) -> Vec<(u32, u32)> {
    let mut found = BTreeMap::<(u32, u32), u32>::new();
    let mut entries = 0;
    for (place, segment) in index.segments().iter().enumerate() {
        for window in windows {
            let left = ENTRIES.saturating_sub(entries);
            let budget = picture::Budget { entries: left, owners: OWNERS };
            let seen = segment.hashes().search(window, Reach::glance(near), budget, space);
            entries += seen.entries;
            for hit in seen.hits.iter().filter(|hit| segment.is_live(hit.owner)) {
                let nearest = found.entry((place as u32, hit.owner)).or_insert(hit.distance);
                *nearest = hit.distance.min(*nearest);
            }
        }
    }
    let mut nearest: Vec<(u32, (u32, u32))> =
        found.into_iter().map(|(row, at)| (at, row)).collect();
    nearest.sort_unstable();
    nearest.into_iter().take(OWNERS).map(|(_, row)| row).collect()
}

/// The hash that is nearest to any of the kept ones, and how near.
fn closest(hashes: &[Pdq], kept: &[Pdq]) -> Option<(u32, Pdq)> {
    let nearest = |hash: &Pdq| kept.iter().map(|kept| kept.distance(hash)).min();
    hashes.iter().filter_map(|hash| Some((nearest(hash)?, *hash))).min()
}
