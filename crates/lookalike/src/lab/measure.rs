//! Measures the detector on labelled accounts: recall at given false-positive rates, by class;
//! whether the right identity comes first; whether probabilities are true.
//!
//! It must not know how the model was fitted.

use std::collections::BTreeMap;

use super::accounts::Account;
use super::fit::ageless;
use crate::detector::{Ask, Detector, Scratch, Seen};
use crate::index::Index;
use crate::index::gather::Budget;
use crate::shares;

/// Does something with each account on two threads; answers in the order of the accounts.
pub fn each<T: Send>(
    accounts: &[&Account],
    with: impl Fn(&Account, &mut Scratch) -> T + Sync,
) -> Vec<T> {
    let answers = shares::each(accounts, 2, |_, accounts| {
        let mut scratch = Scratch::default();
        accounts.iter().map(|account| with(account, &mut scratch)).collect::<Vec<T>>()
    });
    answers.into_iter().flatten().collect()
}

/// The best identity of each account with its score, whatever the score is.
pub fn top_matches(
    detector: &Detector,
    index: &Index,
    accounts: &[&Account],
) -> Vec<Option<(u64, f32)>> {
    each(accounts, |account, scratch| {
        let seen = detector.see(index, &ageless(account), scratch, &Budget::default());
        let mut room = Vec::new();
        let score = |seen: &Seen| detector.model.score(&seen.features, &mut room);
        let numbers = seen.iter().map(|seen| seen.number);
        let scored = numbers.zip(seen.iter().map(score));
        scored.max_by(|a, b| a.1.total_cmp(&b.1))
    })
}

/// The best score of each account; minus infinity if there is no candidate.
pub fn best_scores(detector: &Detector, index: &Index, accounts: &[&Account]) -> Vec<f32> {
    let tops = top_matches(detector, index, accounts);
    tops.into_iter().map(|top| top.map_or(f32::NEG_INFINITY, |(_, score)| score)).collect()
}

/// What a detector says of labelled accounts.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Of each imitation: the best identity and its score.
    pub imitations: Vec<Option<(u64, f32)>>,
    /// Of each imitation: whether that is the right identity.
    pub right: Vec<bool>,
    /// Of each unrelated account: the best score.
    pub unrelated: Vec<f32>,
}

impl Said {
    /// Asks the detector.
    pub fn of(
        detector: &Detector,
        index: &Index,
        imitations: &[&Account],
        unrelated: &[&Account],
    ) -> Said {
        let tops = top_matches(detector, index, imitations);
        let right = tops
            .iter()
            .zip(imitations)
            .map(|(top, account)| top.is_some_and(|(number, _)| Some(number) == account.subject));
        let right = right.collect();
        let unrelated = best_scores(detector, index, unrelated);
        Said { imitations: tops, right, unrelated }
    }

    /// The score that only this share of the unrelated accounts reaches.
    pub fn score_at(&self, rate: f32) -> f32 {
        let mut descending = self.unrelated.clone();
        descending.sort_by(|a, b| b.total_cmp(a));
        let place = (descending.len() as f32 * rate) as usize;
        descending.get(place).map_or(f32::INFINITY, |score| score + 1e-4)
    }
}

/// How the detector does.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The false-positive rates.
    pub rates: Vec<f32>,
    /// The scores that they stand for.
    pub scores: Vec<f32>,
    /// By class: how many, recall at each rate, the share whose best identity is the right one
    /// among those found at the widest rate, the share that is a candidate at all.
    pub classes: BTreeMap<String, ClassReport>,
    /// Unrelated accounts by tag: how many, and the share flagged at each rate.
    pub tags: BTreeMap<String, (usize, Vec<f32>)>,
    /// Probability in tenths: how many, their mean probability, the share of imitations.
    pub calibration: Vec<(usize, f32, f32)>,
    /// The mean squared error of the probability.
    pub brier: f32,
    /// Of alerts, the share that falls below its threshold without its strongest evidence.
    pub explained: f32,
}

/// One class.
#[derive(Debug, Clone, Default)]
pub struct ClassReport {
    /// How many imitations.
    pub count: usize,
    /// Recall at each rate: flagged, and the right identity first.
    pub recall: Vec<f32>,
    /// The share whose best identity is the right one.
    pub top: f32,
    /// The share whose identity is among the candidates.
    pub candidate: f32,
}

/// Puts together what was said of accounts, and asks what more is needed.
pub fn report(
    detector: &Detector,
    index: &Index,
    (imitations, unrelated): (&[&Account], &[&Account]),
    said: &Said,
    rates: &[f32],
) -> Report {
    let known = each(imitations, |account, scratch| {
        let seen = detector.see(index, &ageless(account), scratch, &Budget::default());
        seen.iter().any(|seen| Some(seen.number) == account.subject)
    });
    let scores: Vec<f32> = rates.iter().map(|rate| said.score_at(*rate)).collect();
    let mut report = Report { rates: rates.to_vec(), scores, ..Report::default() };
    let all = imitations.iter().zip(&known).zip(said.imitations.iter().zip(&said.right));
    for ((account, known), (top, right)) in all {
        let class = report.classes.entry(account.class.clone()).or_default();
        class.recall.resize(rates.len(), 0.0);
        class.count += 1;
        class.candidate += f32::from(*known);
        class.top += f32::from(*right);
        for (recall, threshold) in class.recall.iter_mut().zip(&report.scores) {
            *recall += f32::from(*right && top.is_some_and(|(_, score)| score >= *threshold));
        }
    }
    for class in report.classes.values_mut() {
        let count = class.count as f32;
        class.recall.iter_mut().for_each(|recall| *recall /= count);
        class.top /= count;
        class.candidate /= count;
    }
    for (account, score) in unrelated.iter().zip(&said.unrelated) {
        let (count, flagged) = report.tags.entry(account.class.clone()).or_default();
        flagged.resize(rates.len(), 0.0);
        *count += 1;
        for (flagged, threshold) in flagged.iter_mut().zip(&report.scores) {
            *flagged += f32::from(score >= threshold);
        }
    }
    for (count, flagged) in report.tags.values_mut() {
        flagged.iter_mut().for_each(|flagged| *flagged /= *count as f32);
    }
    let imitating = said.imitations.iter().map(|top| top.map_or(f32::NEG_INFINITY, |top| top.1));
    calibrate(&mut report, imitating, &said.unrelated);
    report.explained = explained(detector, index, imitations, &report.scores);
    report
}

fn calibrate(report: &mut Report, imitating: impl Iterator<Item = f32>, harmless: &[f32]) {
    let mut bins = vec![(0usize, 0.0f64, 0.0f64); 10];
    let (mut error, mut count) = (0.0f64, 0usize);
    let all = imitating.map(|score| (score, 1.0)).chain(harmless.iter().map(|score| (*score, 0.0)));
    for (score, label) in all {
        let likely = f64::from(crate::score::model::probability(score));
        let bin = &mut bins[((likely * 10.0) as usize).min(9)];
        bin.0 += 1;
        bin.1 += likely;
        bin.2 += label;
        error += (likely - label) * (likely - label);
        count += 1;
    }
    report.brier = (error / count.max(1) as f64) as f32;
    report.calibration = bins
        .into_iter()
        .map(|(count, likely, label)| {
            let of = count.max(1) as f64;
            (count, (likely / of) as f32, (label / of) as f32)
        })
        .collect();
}

/// Of imitations flagged at the narrowest rate: the share that no longer would be if what the
/// evidence names as speaking for it were taken away.
fn explained(detector: &Detector, index: &Index, imitations: &[&Account], scores: &[f32]) -> f32 {
    let threshold = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let fell = each(imitations, |account, scratch| {
        let seen = detector.see(index, &ageless(account), scratch, &Budget::default());
        let top = seen
            .iter()
            .map(|seen| (detector.model.explain(&seen.features), seen.features))
            .max_by(|a, b| a.0.score.total_cmp(&b.0.score))
            .filter(|(score, _)| score.score >= threshold)?;
        let left = crate::score::features::without_named(&top.1, &top.0);
        Some(detector.model.score(&left, &mut Vec::new()) < threshold)
    });
    let alerts: Vec<bool> = fell.into_iter().flatten().collect();
    alerts.iter().filter(|fell| **fell).count() as f32 / alerts.len().max(1) as f32
}

/// How long checks take, in microseconds: mean, median and the 99th percentile, on one thread, by
/// a clock that says how long it has been running.
pub fn latency(
    detector: &Detector,
    index: &Index,
    accounts: &[&Account],
    ask: &Ask,
    clock: impl Fn() -> std::time::Duration,
) -> [f64; 3] {
    let mut scratch = Scratch::default();
    let mut times: Vec<f64> = accounts
        .iter()
        .map(|account| {
            let start = clock();
            std::hint::black_box(detector.check(index, &account.profile, &mut scratch, ask));
            (clock() - start).as_secs_f64() * 1e6
        })
        .collect();
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    [mean, at(0.5), at(0.99)]
}
