//! A row that may be imitated, and which of many are worth a close look.
//!
//! It must not know how they were found.

use std::cmp::Ordering;
use std::sync::Arc;

use super::segment::Segment;

/// Beyond this distance pictures have nothing in common.
pub const FAR: u16 = 128;

/// Of how many candidates that are kept one is kept for its display name alone, lest a handle that
/// is like many others take all places.
const ONE_SHOWN_OF: usize = 3;

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
    /// What makes it worth a close look, all together.
    pub promise: f32,
}

impl Candidate {
    /// One of which nothing is known yet.
    pub const fn new(segment: u32, row: u32) -> Candidate {
        Candidate {
            segment,
            row,
            avatar: FAR,
            name: 0.0,
            sound: 0.0,
            words: false,
            shown: 0.0,
            promise: 0.0,
        }
    }

    /// Notes how alike a name is, and whether it is the display name.
    pub fn is_alike(&mut self, name: f32, shown: bool) {
        self.name = self.name.max(name);
        if shown {
            self.shown = self.shown.max(name);
        }
    }

    /// The most promising first; between equals the famous one, which lies first, so that the
    /// choice is always one.
    pub fn order(&self, other: &Candidate) -> Ordering {
        let promise = other.promise.total_cmp(&self.promise);
        promise.then((self.segment, self.row).cmp(&(other.segment, other.row)))
    }
}

/// Has the first hash of each fetched, all together, for reading them next.
pub fn touch_avatars(candidates: &[Candidate], segments: &[Arc<Segment>]) {
    let first = |one: &Candidate| {
        let hash = segments[one.segment as usize].avatars(one.row).next();
        hash.map_or(0, |hash| hash.0[0])
    };
    std::hint::black_box(candidates.iter().fold(0, |all, one| all ^ first(one)));
}

/// Keeps so many: some for their display names, and else the most promising.
pub fn keep(candidates: &mut Vec<Candidate>, most: usize) {
    if candidates.len() <= most {
        return;
    }
    let shown = most / ONE_SHOWN_OF;
    candidates
        .select_nth_unstable_by(shown, |a, b| b.shown.total_cmp(&a.shown).then_with(|| a.order(b)));
    candidates[shown..].select_nth_unstable_by(most - shown, Candidate::order);
    candidates.truncate(most);
}
