//! The detector: holds a profile beside all protected identities and says which it may imitate,
//! how sure that is and why.
//!
//! It must not know what is done about it.

mod again;

use crate::distance::Pattern;
use crate::index::Index;
use crate::index::gather::{Budget, Gathered};
use crate::index::question::Question;
use crate::picture::{self, Pdq};
use crate::profile::Profile;
use crate::score::features::{self, Own};
use crate::score::model::{self, Score};
use crate::score::{Evidence, Features, Model, evidence};
use crate::text::Reader;

/// How many candidates are looked at closely if only their handles are: that costs little.
const CLOSE_HANDLES: usize = 256;

/// Reads names and weighs likenesses. Made once.
#[derive(Debug)]
pub struct Detector {
    /// Reads names.
    pub reader: Reader,
    /// Weighs.
    pub model: Model,
}

impl Default for Detector {
    fn default() -> Detector {
        Detector { reader: Reader::new(), model: Model::shipped() }
    }
}

/// Room for one check after the other; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    question: Question,
    gathered: Gathered,
    written: Pattern,
    trees: Vec<u32>,
    pictures: picture::Scratch,
}

/// What is wanted of a check.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// How many matches at most.
    pub limit: usize,
    /// The score, in log-odds, from which a candidate is a match.
    pub min_score: f32,
    /// How much may be done.
    pub budget: Budget,
}

impl Default for Ask {
    fn default() -> Ask {
        Ask { limit: 5, min_score: 0.0, budget: Budget::default() }
    }
}

/// Somebody whom a profile may imitate.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The identity's number.
    pub number: u64,
    /// How likely it is, 0 to 1.
    pub probability: f32,
    /// The same in log-odds.
    pub score: f32,
    /// Log-odds before anything is seen; with the points of the evidence it sums to the score.
    pub base: f32,
    /// Why, what weighs most first.
    pub evidence: Vec<Evidence>,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// The likeliest first.
    pub matches: Vec<Match>,
    /// Whether the budget did not suffice to look at all that the names and pictures led to.
    pub truncated: bool,
}

/// A candidate with its features, for fitting and measuring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The identity's number.
    pub number: u64,
    /// The features.
    pub features: Features,
}

impl Detector {
    /// Whom a profile may imitate.
    pub fn check(
        &self,
        index: &Index,
        profile: &Profile,
        scratch: &mut Scratch,
        ask: &Ask,
    ) -> Checked {
        self.gather(index, profile, scratch, &ask.budget);
        self.weigh(index, profile, scratch, ask, |_| true)
    }

    /// Whom an account may imitate of which only the handle is known: those whose handles are
    /// nearest, as many as may match, are weighed as [`Detector::check`] weighs them.
    pub fn check_handle(
        &self,
        index: &Index,
        handle: &str,
        scratch: &mut Scratch,
        ask: &Ask,
    ) -> Checked {
        let nearest = self.nearest_handles(index, handle, scratch, &ask.budget);
        let named: Vec<u64> = nearest.iter().take(ask.limit).map(|(number, _)| *number).collect();
        let profile = Profile { handle: handle.to_owned(), ..Profile::default() };
        self.weigh(index, &profile, scratch, ask, |number| named.contains(&number))
    }

    /// Weighs those of the gathered candidates that are to be.
    fn weigh(
        &self,
        index: &Index,
        profile: &Profile,
        scratch: &mut Scratch,
        ask: &Ask,
        which: impl Fn(u64) -> bool,
    ) -> Checked {
        let own = Own::of(profile, &scratch.question, index);
        let mut scored: Vec<(f32, usize)> = Vec::with_capacity(scratch.gathered.candidates.len());
        let features = |place: usize, scratch: &Scratch| {
            let candidate = &scratch.gathered.candidates[place];
            let segment = &index.segments()[candidate.segment as usize];
            let profile = (profile, &scratch.question, &own);
            features::of_pair(profile, &scratch.gathered, candidate, segment)
        };
        for place in 0..scratch.gathered.candidates.len() {
            let candidate = &scratch.gathered.candidates[place];
            if !which(index.segments()[candidate.segment as usize].number(candidate.row)) {
                continue;
            }
            let seen = features(place, scratch);
            let score = self.model.score(&seen, &mut scratch.trees);
            if score >= ask.min_score {
                scored.push((score, place));
            }
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut matches: Vec<Match> = Vec::with_capacity(scored.len().min(ask.limit));
        for (_, place) in scored {
            let candidate = &scratch.gathered.candidates[place];
            let segment = &index.segments()[candidate.segment as usize];
            let number = segment.number(candidate.row);
            if matches.len() == ask.limit || matches.iter().any(|known| known.number == number) {
                continue;
            }
            let seen = features(place, scratch);
            let Score { score, base, points } = self.model.explain(&seen);
            let evidence = evidence::of(
                &self.reader,
                &scratch.question.readings,
                (profile, &segment.row(candidate.row)),
                &seen,
                &points,
            );
            let probability = model::probability(score);
            matches.push(Match { number, probability, score, base, evidence });
        }
        Checked { matches, truncated: scratch.gathered.truncated }
    }

    /// All candidates that a check looks at closely, with their features.
    pub fn see(
        &self,
        index: &Index,
        profile: &Profile,
        scratch: &mut Scratch,
        budget: &Budget,
    ) -> Vec<Seen> {
        self.gather(index, profile, scratch, budget);
        let own = Own::of(profile, &scratch.question, index);
        let candidates = scratch.gathered.candidates.iter();
        candidates
            .map(|candidate| {
                let segment = &index.segments()[candidate.segment as usize];
                let profile = (profile, &scratch.question, &own);
                Seen {
                    number: segment.number(candidate.row),
                    features: features::of_pair(profile, &scratch.gathered, candidate, segment),
                }
            })
            .collect()
    }

    /// Whose handles are most like this one, and how much, from 0 to 1: for who knows nothing
    /// else, since the model weighs whole profiles. By looks for two thirds, so that a disguise
    /// is seen through; by the letters as written for one, so that of those who look the same
    /// the nearest comes first.
    pub fn nearest_handles(
        &self,
        index: &Index,
        handle: &str,
        scratch: &mut Scratch,
        budget: &Budget,
    ) -> Vec<(u64, f32)> {
        let profile = Profile { handle: handle.to_owned(), ..Profile::default() };
        let budget = Budget { close: budget.close.max(CLOSE_HANDLES), ..*budget };
        self.gather(index, &profile, scratch, &budget);
        let Scratch { question, gathered, written, .. } = scratch;
        written.set(handle.to_lowercase().as_bytes());
        let candidates = gathered.candidates.iter().map(|candidate| {
            let segment = &index.segments()[candidate.segment as usize];
            let own = segment.names(candidate.row).next().unwrap_or_default().to_lowercase();
            let keys = segment.keys(candidate.row);
            let looks = keys
                .flat_map(|(_, key)| question.keys().iter().map(|own| own.pattern.likeness(key)))
                .fold(candidate.name, f32::max);
            let likeness = (2.0 * looks + written.likeness(own.as_bytes())) / 3.0;
            (segment.number(candidate.row), likeness)
        });
        let mut nearest: Vec<(u64, f32)> = candidates.collect();
        nearest.sort_by(|a, b| b.1.total_cmp(&a.1));
        nearest
    }

    fn gather(&self, index: &Index, profile: &Profile, scratch: &mut Scratch, budget: &Budget) {
        let Scratch { question, gathered, .. } = scratch;
        question.set(&self.reader, profile);
        gathered.clear();
        let avatars: &[Pdq] = &profile.avatars;
        for (place, segment) in index.segments().iter().enumerate() {
            gathered.add(place as u32, segment, question, avatars, budget);
        }
        gathered.take_lone(question, budget);
        gathered.take_heard(index.segments(), question);
        gathered.compare_alike(index.segments(), question, budget);
        gathered.keep_best(index.segments(), question, avatars, budget);
    }
}
