//! Boosted trees: each tree corrects what the ones before it got wrong.
//!
//! Second-order boosting on histograms, as J. Friedman, "Greedy Function Approximation" (2001) and
//! T. Chen and C. Guestrin, "XGBoost" (2016) describe it, with bounds that keep each feature's
//! effect to one direction. It must not know what the features mean.

use crate::score::features::{FEATURES, Features};
use crate::score::model::Node;

/// How many values of a feature are told apart.
const BINS: usize = 128;

/// How to fit.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How many trees.
    pub trees: usize,
    /// How many questions deep a tree is.
    pub depth: usize,
    /// How much of each correction is taken.
    pub rate: f32,
    /// The most that a leaf may say before [`Settings::rate`]. Imitations are so rare that, at
    /// first, a leaf of many of them has hardly any curvature: its own best would be far too much.
    pub step: f32,
    /// How much leaves are drawn to nought.
    pub ridge: f32,
    /// How much evidence a leaf needs, as a sum of second derivatives.
    pub least: f32,
    /// The share of examples that each tree is fitted to.
    pub sample: f32,
    /// Where chance starts.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            trees: 200,
            depth: 5,
            rate: 0.12,
            step: 3.0,
            ridge: 1.0,
            least: 1.0,
            sample: 0.7,
            seed: 7,
        }
    }
}

/// Examples, each with its weight, and whether it is an imitation.
#[derive(Debug, Default)]
pub struct Examples {
    /// What is seen.
    pub features: Vec<Features>,
    /// What it is.
    pub labels: Vec<bool>,
    /// How much it counts.
    pub weights: Vec<f32>,
}

/// The fitted trees.
#[derive(Debug, Default)]
pub struct Trees {
    /// Log-odds before anything is seen.
    pub base: f32,
    /// Where each tree starts.
    pub roots: Vec<u32>,
    /// The nodes of all trees.
    pub nodes: Vec<Node>,
}

/// A small generator of chance: xorshift64*.
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// The next number below 1.
    pub fn draw(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// The columns, each value as the number of its bin; and where bins end.
struct Binned {
    columns: Vec<Vec<u8>>,
    edges: Vec<Vec<f32>>,
}

impl Binned {
    fn of(examples: &Examples) -> Binned {
        let mut binned = Binned { columns: Vec::new(), edges: Vec::new() };
        let step = (examples.features.len() / 200_000).max(1);
        for feature in 0..FEATURES.len() {
            let mut sample: Vec<f32> =
                examples.features.iter().step_by(step).map(|row| row[feature]).collect();
            // Imitations are few: all of them help to place the edges.
            let imitations = examples.features.iter().zip(&examples.labels);
            let imitations = imitations.filter(|(_, label)| **label).map(|(row, _)| row[feature]);
            let imitations: Vec<f32> = imitations.collect();
            sample.sort_by(f32::total_cmp);
            let mut imitations = imitations;
            imitations.sort_by(f32::total_cmp);
            let mut edges = Vec::new();
            for values in [&sample, &imitations] {
                let half = BINS / 2 - 1;
                edges.extend((1..=half).filter_map(|bin| values.get(bin * values.len() / half)));
            }
            edges.sort_by(f32::total_cmp);
            edges.dedup();
            let bin = |row: &Features| edges.partition_point(|edge| *edge <= row[feature]) as u8;
            binned.columns.push(examples.features.iter().map(bin).collect());
            binned.edges.push(edges);
        }
        binned
    }
}

/// First and second derivatives of the loss, added up; in so many digits that what is left of a
/// sum without all of its parts is nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    first: f64,
    second: f64,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.first += other.first;
        self.second += other.second;
    }

    fn less(self, other: Sum) -> Sum {
        Sum { first: self.first - other.first, second: self.second - other.second }
    }
}

/// A node being grown.
#[derive(Debug, Clone, Copy)]
struct Growing {
    sum: Sum,
    /// The bounds within which the node's value may lie.
    low: f32,
    high: f32,
    /// Its question: feature, first bin not below, value bounds of the halves.
    split: Option<(usize, u8)>,
    /// Where the lower half is.
    below: usize,
}

impl Growing {
    fn value(&self, settings: &Settings) -> f32 {
        let best = -self.sum.first / (self.sum.second + f64::from(settings.ridge));
        (best as f32).clamp(-settings.step, settings.step).clamp(self.low, self.high)
    }
}

/// Fits trees.
pub fn fit(examples: &Examples, settings: &Settings) -> Trees {
    let binned = Binned::of(examples);
    let weight = |label: bool| {
        let all = examples.labels.iter().zip(&examples.weights);
        all.filter(|(known, _)| **known == label).map(|(_, weight)| f64::from(*weight)).sum::<f64>()
    };
    let base = (weight(true).max(1e-9) / weight(false).max(1e-9)).ln() as f32;
    let mut trees = Trees { base, ..Trees::default() };
    let mut scores = vec![base; examples.labels.len()];
    let mut chance = Chance(settings.seed | 1);
    for _ in 0..settings.trees {
        let mut sums = Vec::with_capacity(scores.len());
        for ((score, label), weight) in scores.iter().zip(&examples.labels).zip(&examples.weights) {
            let taken = chance.draw() < settings.sample;
            let likely = 1.0 / (1.0 + (-score).exp());
            let weight = if taken { *weight } else { 0.0 };
            sums.push(Sum {
                first: f64::from(weight * (likely - f32::from(*label))),
                second: f64::from(weight * (likely * (1.0 - likely)).max(1e-6)),
            });
        }
        let (grown, leaf_of) = grow(&binned, &sums, settings);
        for (score, leaf) in scores.iter_mut().zip(&leaf_of) {
            *score += settings.rate * grown[*leaf as usize].value(settings);
        }
        trees.roots.push(trees.nodes.len() as u32);
        trees.nodes.extend(nodes(&grown, &binned, settings));
    }
    trees
}

/// Grows one tree, level by level; says in which node each example ends.
fn grow(binned: &Binned, sums: &[Sum], settings: &Settings) -> (Vec<Growing>, Vec<u16>) {
    let mut total = Sum::default();
    sums.iter().for_each(|sum| total.add(*sum));
    let root =
        Growing { sum: total, low: f32::NEG_INFINITY, high: f32::INFINITY, split: None, below: 0 };
    let mut grown = vec![root];
    let mut node_of = vec![0u16; sums.len()];
    let mut level = 0..1;
    for _ in 0..settings.depth {
        let histograms = histograms(binned, sums, &node_of, level.clone());
        let next = grown.len();
        for node in level.clone() {
            let own = |feature: usize| {
                let first = (node - level.start) * BINS;
                &histograms[feature][first..first + BINS]
            };
            if let Some((split, halves)) = best_split(&grown[node], own, settings) {
                grown[node].split = Some(split);
                grown[node].below = grown.len();
                grown.extend(halves);
            }
        }
        if grown.len() == next {
            break;
        }
        for (example, node) in node_of.iter_mut().enumerate() {
            let at = &grown[*node as usize];
            if let Some((feature, bin)) = at.split {
                let not_below = binned.columns[feature][example] >= bin;
                *node = (at.below + usize::from(not_below)) as u16;
            }
        }
        level = next..grown.len();
    }
    (grown, node_of)
}

/// For each feature and each node of a level, the sums by bin; on two threads.
fn histograms(
    binned: &Binned,
    sums: &[Sum],
    node_of: &[u16],
    level: std::ops::Range<usize>,
) -> Vec<Vec<Sum>> {
    let of = |column: &Vec<u8>| {
        let mut histogram = vec![Sum::default(); level.len() * BINS];
        for ((bin, sum), node) in column.iter().zip(sums).zip(node_of) {
            if level.contains(&(*node as usize)) {
                histogram[(*node as usize - level.start) * BINS + *bin as usize].add(*sum);
            }
        }
        histogram
    };
    let (left, right) = binned.columns.split_at(binned.columns.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| right.iter().map(of).collect::<Vec<_>>());
        let mut all: Vec<Vec<Sum>> = left.iter().map(of).collect();
        match other.join() {
            Ok(more) => all.extend(more),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        all
    })
}

/// The question that helps most, and the halves it makes.
fn best_split<'a>(
    node: &Growing,
    histogram: impl Fn(usize) -> &'a [Sum],
    settings: &Settings,
) -> Option<((usize, u8), [Growing; 2])> {
    let (ridge, least) = (f64::from(settings.ridge), f64::from(settings.least));
    let gain = |sum: Sum, value: f32| {
        let value = f64::from(value);
        -(sum.first * value + 0.5 * (sum.second + ridge) * value * value)
    };
    let before = gain(node.sum, node.value(settings));
    let mut best: Option<(f64, (usize, u8), [Growing; 2])> = None;
    for (feature, of) in FEATURES.iter().enumerate() {
        let mut below = Sum::default();
        for (bin, sum) in histogram(feature).iter().enumerate().take(BINS - 1) {
            below.add(*sum);
            let above = node.sum.less(below);
            if below.second < least || above.second < least {
                continue;
            }
            let half = |sum| Growing { sum, split: None, below: 0, ..*node };
            let mut halves = [half(below), half(above)];
            let values = halves.map(|half| half.value(settings));
            let against = f32::from(of.sign) * (values[1] - values[0]) < 0.0;
            if against {
                continue;
            }
            let gained = gain(below, values[0]) + gain(above, values[1]) - before;
            if gained > best.as_ref().map_or(1e-3, |best| best.0) {
                let middle = (values[0] + values[1]) / 2.0;
                match of.sign {
                    1 => (halves[0].high, halves[1].low) = (middle, middle),
                    -1 => (halves[0].low, halves[1].high) = (middle, middle),
                    _ => {}
                }
                best = Some((gained, (feature, bin as u8 + 1), halves));
            }
        }
    }
    best.map(|(_, split, halves)| (split, halves))
}

/// A tree as the model keeps it, with the mean of its leaves at each node.
fn nodes(grown: &[Growing], binned: &Binned, settings: &Settings) -> Vec<Node> {
    let mut nodes: Vec<Node> = grown
        .iter()
        .map(|node| match node.split {
            Some((feature, bin)) => Node {
                feature: feature as u16,
                below: node.below as u16,
                threshold: binned.edges[feature][bin as usize - 1],
                value: 0.0,
            },
            None => Node {
                feature: Node::LEAF,
                below: 0,
                threshold: 0.0,
                value: settings.rate * node.value(settings),
            },
        })
        .collect();
    for place in (0..nodes.len()).rev() {
        if nodes[place].feature != Node::LEAF {
            let below = nodes[place].below as usize;
            let weight = |place: usize| grown[place].sum.second.max(1e-6) as f32;
            let (one, two) = (weight(below), weight(below + 1));
            nodes[place].value =
                (nodes[below].value * one + nodes[below + 1].value * two) / (one + two);
        }
    }
    nodes
}
