//! Rows with a name that sounds roughly like one of a question's: of very many those that are
//! written most alike in Latin letters.
//!
//! It must not know how they were found.

use std::cmp::Reverse;
use std::sync::Arc;

use super::question::Question;
use super::segment::Segment;

/// How many are held beside the question: those that sound most alike.
const MOST: usize = 32;
/// And where a name is not in Latin letters: mostly by nothing but its sound it is then met.
const MOST_FOREIGN: usize = 160;
/// And how many of them are told.
const TOLD: usize = 48;
/// How many are looked at together.
const GROUP: usize = 32;

/// How much two names sound alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sound {
    /// But for one sound, roughly the same.
    NearGist,
    /// Roughly the same.
    Gist,
    /// The same.
    Same,
}

impl Sound {
    /// As a share of what the same sound says.
    pub const fn share(self) -> f32 {
        match self {
            Sound::NearGist => 0.25,
            Sound::Gist => 0.5,
            Sound::Same => 1.0,
        }
    }
}

/// A row that was heard of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// The segment it is in.
    pub segment: u32,
    /// The row.
    pub row: u32,
    /// Which name of the question's.
    pub name: u8,
    /// How much it sounds like that.
    pub sound: Sound,
    /// How many with this sound came before it in the segment: the more famous ones.
    pub before: u32,
    /// How alike the two are written in Latin letters, 0 to 1, once that was looked at.
    pub likeness: f32,
}

impl Heard {
    /// How alike the names are, from what is known, 0 to 1.
    pub fn name_likeness(&self) -> f32 {
        let least = match self.sound {
            Sound::Same => 0.7,
            Sound::Gist => 0.5,
            Sound::NearGist => 0.0,
        };
        (0.95 * self.likeness).max(least)
    }
}

/// Leaves of those that were heard of the most alike, each row once, and says how alike they are.
pub fn settle(heard: &mut Vec<Heard>, segments: &[Arc<Segment>], question: &Question) {
    let most = if question.is_foreign { MOST_FOREIGN } else { MOST };
    let mut keep = |most: usize| {
        if heard.len() > most {
            heard.select_nth_unstable_by_key(most, |one| {
                (Reverse(one.sound), one.before, one.segment, one.row)
            });
            heard.truncate(most);
        }
        heard.sort_unstable_by_key(|one| (one.segment, one.row, one.name, Reverse(one.sound)));
        heard.dedup_by_key(|one| (one.segment, one.row, one.name));
    };
    // What sounds the same sounds roughly the same, too, and is there twice.
    keep(2 * most);
    keep(most);
    for group in heard.chunk_by_mut(|a, b| a.segment == b.segment) {
        let segment = &segments[group[0].segment as usize];
        for group in group.chunks_mut(GROUP) {
            segment.touch(group.iter().map(|one| one.row));
            for one in group {
                let Some(latin) = question.in_latin(one.name) else { continue };
                let keys = segment.keys(one.row).filter(|(of, _)| !of.is_of_handle_only());
                one.likeness = keys.map(|(_, key)| latin.likeness(key)).fold(0.0, f32::max);
            }
        }
    }
    let order = |a: &Heard, b: &Heard| {
        let likeness = b.name_likeness().total_cmp(&a.name_likeness());
        likeness.then((a.segment, a.row, a.name).cmp(&(b.segment, b.row, b.name)))
    };
    heard.sort_unstable_by(order);
    heard.truncate(TOLD);
}
