//! Fits the model to labelled accounts.
//!
//! One half of the accounts is fitted to, the other is kept for measuring; which half an account
//! belongs to depends on whom it imitates, so that no identity is in both. It must not know where
//! accounts come from.

use std::fmt::Write as _;

use super::accounts::Account;
use super::boost::{self, Chance, Examples, Settings};
use super::measure::{self, Said};
use crate::detector::{Detector, Scratch};
use crate::index::Index;
use crate::index::gather::Budget;
use crate::score::model::{Model, Threshold};

/// The false-positive rates at which thresholds are kept.
pub const RATES: [f32; 5] = [1e-2, 3e-3, 1e-3, 3e-4, 1e-4];
/// Of unrelated accounts' candidates that look harmless, one in so many is kept and counts for all.
const HARMLESS: f32 = 40.0;
/// How many unrelated accounts the first, rough model is fitted to.
const ROUGH: usize = 60_000;

/// Labelled accounts.
#[derive(Debug)]
pub struct Labelled<'a> {
    /// Imitations, each with whom it imitates.
    pub imitations: &'a [Account],
    /// Accounts that imitate nobody.
    pub unrelated: &'a [Account],
}

impl<'a> Labelled<'a> {
    /// The accounts that are kept for measuring: imitations and unrelated ones.
    pub fn kept(&self) -> (Vec<&'a Account>, Vec<&'a Account>) {
        let imitations = self.imitations.iter().filter(|account| !is_for_fitting(account));
        (imitations.collect(), self.unrelated.iter().skip(1).step_by(2).collect())
    }

    fn fitted(&self) -> (Vec<&'a Account>, Vec<&'a Account>) {
        let imitations = self.imitations.iter().filter(|account| is_for_fitting(account));
        (imitations.collect(), self.unrelated.iter().step_by(2).collect())
    }
}

/// A place where imitators live: what the model is fitted to is taken from several, of which some
/// protect few and some many, some know how common names and pictures are and some do not. What
/// it learns then holds in all of them.
#[derive(Debug)]
pub struct World<'a> {
    /// Whom it protects.
    pub index: &'a Index,
    /// Its accounts.
    pub data: Labelled<'a>,
}

/// Whether an imitation is fitted to; else it is for measuring.
pub fn is_for_fitting(account: &Account) -> bool {
    account.subject.is_some_and(|subject| subject.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 0)
}

/// Fits the model. The detector reads and gathers; its own model is not used.
pub fn fit(detector: &Detector, worlds: &[World<'_>], settings: &Settings) -> Model {
    let mut rough = Examples::default();
    for World { index, data } in worlds {
        let (imitations, unrelated) = data.fitted();
        let first = &unrelated[..unrelated.len().min(ROUGH / worlds.len())];
        let all = |_: f32| 1.0;
        add_examples(&mut rough, detector, index, &imitations, first, None, &all, settings.seed);
    }
    let rough = model_of(boost::fit(&rough, &Settings { trees: 40, ..*settings }));

    let mut examples = Examples::default();
    let mut origin = String::from("Fitted to");
    for World { index, data } in worlds {
        let (imitations, unrelated) = data.fitted();
        // Where the rough model sees nothing, few examples say as much as many.
        let first = &unrelated[..unrelated.len().min(ROUGH / worlds.len())];
        let mut scores = measure::best_scores(&with_model(detector, &rough), index, first);
        scores.sort_by(f32::total_cmp);
        let harmless = scores.get(scores.len() * 8 / 10).copied().unwrap_or_default();
        let keep = move |score: f32| if score < harmless { 1.0 / HARMLESS } else { 1.0 };
        let rough = Some(&rough);
        let (of, seed) = (&mut examples, settings.seed);
        add_examples(of, detector, index, &imitations, &unrelated, rough, &keep, seed);
        let _ = write!(
            origin,
            " {} imitations and {} unrelated accounts among {} identities,",
            imitations.len(),
            unrelated.len(),
            index.len(),
        );
    }
    let mut model = model_of(boost::fit(&examples, settings));
    model.origin = format!("{} with {settings:?}.\n", origin.trim_end_matches(','));
    model
}

/// Makes the model's log-odds true and gives it thresholds, by what it says in each world of
/// accounts that it was not fitted to; what it says then. A threshold is the highest that any world
/// needs for its rate, so that the rate holds in all of them.
pub fn finish(model: &mut Model, worlds: Vec<Said>) -> Vec<Said> {
    let best = |top: &Option<(u64, f32)>| top.map_or(f32::NEG_INFINITY, |(_, score)| score);
    let found = worlds.iter().flat_map(|said| said.imitations.iter().map(best));
    let unrelated = worlds.iter().flat_map(|said| said.unrelated.iter().copied());
    let (scale, shift) = logistic(&found.collect::<Vec<_>>(), &unrelated.collect::<Vec<_>>());
    let now = |score: f32| scale * score + shift;
    let worlds: Vec<Said> = worlds
        .into_iter()
        .map(|said| Said {
            imitations: said.imitations.iter().map(|top| top.map(|(n, s)| (n, now(s)))).collect(),
            right: said.right,
            unrelated: said.unrelated.into_iter().map(now).collect(),
        })
        .collect();
    model.base = now(model.base);
    model.scale *= scale;
    model.thresholds.clear();
    for rate in RATES {
        let scores = worlds.iter().map(|said| said.score_at(rate));
        let score = scores.fold(f32::NEG_INFINITY, f32::max);
        let all = worlds.iter().flat_map(|said| said.imitations.iter().zip(&said.right));
        let found = all.clone().filter(|(top, right)| **right && best(top) >= score).count();
        let recall = found as f32 / all.count().max(1) as f32;
        model.thresholds.push(Threshold { false_positive_rate: rate, score, recall });
    }
    worlds
}

fn model_of(trees: boost::Trees) -> Model {
    let boost::Trees { base, roots, nodes } = trees;
    match Model::of_trees(base, roots, nodes) {
        Ok(model) => model,
        Err(error) => panic!("trees that were just grown: {error}"),
    }
}

fn with_model(detector: &Detector, model: &Model) -> Detector {
    Detector { reader: detector.reader, model: model.clone() }
}

/// Adds all pairs that a check would look at, labelled.
#[expect(clippy::too_many_arguments, reason = "one call of many parts, made twice")]
fn add_examples(
    examples: &mut Examples,
    detector: &Detector,
    index: &Index,
    imitations: &[&Account],
    unrelated: &[&Account],
    model: Option<&Model>,
    keep: &(impl Fn(f32) -> f32 + Sync),
    seed: u64,
) {
    let pairs = measure::each(imitations, |account, scratch: &mut Scratch| {
        let seen = detector.see(index, &ageless(account), scratch, &Budget::default());
        let label = |number: u64| Some(number) == account.subject;
        seen.into_iter().map(|seen| (seen.features, label(seen.number))).collect::<Vec<_>>()
    });
    for (features, label) in pairs.into_iter().flatten() {
        examples.features.push(features);
        examples.labels.push(label);
        examples.weights.push(1.0);
    }
    let pairs = measure::each(unrelated, |account, scratch: &mut Scratch| {
        let seen = detector.see(index, &ageless(account), scratch, &Budget::default());
        let first = account
            .profile
            .handle
            .bytes()
            .fold(seed, |seed, byte| (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut room = Vec::new();
        let mut chance = Chance(first | 1);
        chance.draw();
        let kept = seen.into_iter().filter_map(|seen| {
            let score = model.map(|model| model.score(&seen.features, &mut room));
            let share = score.map_or(1.0, keep);
            (share >= 1.0 || chance.draw() < share).then_some((seen.features, 1.0 / share))
        });
        kept.collect::<Vec<_>>()
    });
    for (features, weight) in pairs.into_iter().flatten() {
        examples.features.push(features);
        examples.labels.push(false);
        examples.weights.push(weight);
    }
}

/// The profile without its age: those who imitate today are young in the data, bought accounts
/// are not.
pub fn ageless(account: &Account) -> crate::profile::Profile {
    crate::profile::Profile { age_days: None, ..account.profile.clone() }
}

/// Scale and shift by which scores become true log-odds, by Newton's method on the logistic loss
/// with a weak pull towards leaving them as they are: where the two kinds lie quite apart, the
/// loss alone would make every score endlessly sure.
fn logistic(imitations: &[f32], unrelated: &[f32]) -> (f32, f32) {
    const PULL: f64 = 5.0;
    let known = |scores: &[f32], label: f64| -> Vec<(f64, f64)> {
        let finite = scores.iter().filter(|score| score.is_finite());
        finite.map(|score| (f64::from(*score), label)).collect()
    };
    let mut all = known(imitations, 1.0);
    all.extend(known(unrelated, 0.0));
    let (mut scale, mut shift) = (1.0f64, 0.0f64);
    for _ in 0..100 {
        let mut first = [PULL * (scale - 1.0), 0.1 * PULL * shift];
        let mut second = [PULL, 0.0, 0.1 * PULL];
        for (score, label) in &all {
            let likely = 1.0 / (1.0 + (-(scale * score + shift)).exp());
            let (wrong, width) = (likely - label, likely * (1.0 - likely));
            first[0] += wrong * score;
            first[1] += wrong;
            second[0] += width * score * score;
            second[1] += width * score;
            second[2] += width;
        }
        let determinant = second[0] * second[2] - second[1] * second[1];
        // Small steps: far from the best place Newton's own are too long.
        let step = |long: f64| long.clamp(-0.2, 0.2);
        scale -= step((second[2] * first[0] - second[1] * first[1]) / determinant);
        shift -= step((second[0] * first[1] - second[1] * first[0]) / determinant);
        scale = scale.max(0.05);
    }
    (scale as f32, shift as f32)
}
