//! The model: trees whose values add up to the log-odds of an imitation, and the thresholds that
//! were measured with it.
//!
//! It is data: a text with a node a line, fitted reproducibly (see `fit`). It must not know how it
//! was fitted.

use std::fmt::Write as _;

use super::features::{AGE, FEATURES, FORMER_NAME, Features, Signal};
use super::forest::Forest;

/// The model that is shipped.
const SHIPPED: &str = include_str!("../../data/model.tsv");

/// One node of a tree: a question, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// The feature asked for; [`Node::LEAF`] for a leaf.
    pub feature: u16,
    /// Where to go if the feature is below the threshold; else to the next one.
    pub below: u16,
    /// The threshold.
    pub threshold: f32,
    /// The mean of what the leaves under it say: what is expected so far.
    pub value: f32,
}

impl Node {
    /// Marks a leaf.
    pub const LEAF: u16 = u16::MAX;
}

/// A threshold, and what was measured with it on data that the model was not fitted on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The share of unrelated accounts that score at least as much.
    pub false_positive_rate: f32,
    /// The score, in log-odds.
    pub score: f32,
    /// The share of imitations that score at least as much and name the right identity.
    pub recall: f32,
}

/// Trees that say how sure an imitation is, and thresholds of what they say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// What fitted it and on what, for people.
    pub origin: String,
    /// Log-odds before anything is seen.
    pub base: f32,
    /// What the sum of the trees is multiplied by, so that log-odds are true.
    pub scale: f32,
    /// From the widest false-positive rate to the narrowest.
    pub thresholds: Vec<Threshold>,
    /// Where each tree starts among the nodes.
    roots: Vec<u32>,
    /// The nodes of all trees.
    nodes: Vec<Node>,
    /// The same trees, for who wants nothing but their sum.
    forest: Forest,
}

/// What counts by a rule and is not fitted: labelled data say too much of it. Imitators of today
/// are young in such data and bought accounts are not; renames are hardly ever recorded.
#[derive(Debug)]
struct Fixed {
    feature: usize,
    /// From which value on, below which, and what it then adds to the log-odds.
    from: f32,
    below: f32,
    points: f32,
}

const FIXED: [Fixed; 4] = [
    // Younger than about a month, then than three.
    Fixed { feature: AGE, from: 0.0, below: 5.1, points: 0.4 },
    Fixed { feature: AGE, from: 5.1, below: 6.6, points: 0.2 },
    Fixed { feature: FORMER_NAME, from: 0.5, below: 1.5, points: 0.4 },
    Fixed { feature: FORMER_NAME, from: 1.5, below: 2.5, points: 0.8 },
];

impl Fixed {
    fn points(&self, features: &Features) -> f32 {
        let seen = features[self.feature];
        if self.from <= seen && seen < self.below { self.points } else { 0.0 }
    }
}

/// The score of a pair, and what each signal contributes to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Log-odds of an imitation.
    pub score: f32,
    /// Log-odds before anything is seen.
    pub base: f32,
    /// What each signal adds, in the order of [`Signal::ALL`]; with `base` they sum to the score.
    pub points: [f32; Signal::ALL.len()],
}

/// Why a text is no model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line} of the model: {what}")]
pub struct NoModel {
    /// The line, from 1.
    pub line: usize,
    /// What was expected.
    pub what: &'static str,
}

impl Model {
    /// The model that is shipped.
    ///
    /// # Panics
    /// If the file in the repository is broken, which a test would have seen.
    pub fn shipped() -> Model {
        match Model::parse(SHIPPED) {
            Ok(model) => model,
            Err(error) => panic!("the shipped model: {error}"),
        }
    }

    /// Of these trees, each of which starts at one of the roots.
    ///
    /// # Errors
    /// If a node leads out of its tree, or a tree is too large.
    pub fn of_trees(base: f32, roots: Vec<u32>, nodes: Vec<Node>) -> Result<Model, NoModel> {
        let mut model = Model { base, scale: 1.0, roots, nodes, ..Model::default() };
        model.check()?;
        let forest = Forest::of(&model.roots, &model.nodes);
        model.forest = forest.ok_or(NoModel { line: 0, what: "a tree has too many leaves" })?;
        Ok(model)
    }

    /// Log-odds of an imitation. `room` is used again from one to the next.
    pub fn score(&self, features: &Features, room: &mut Vec<u32>) -> f32 {
        let rules: f32 = FIXED.iter().map(|rule| rule.points(features)).sum();
        self.base + self.scale * self.forest.sum(features, room) + rules
    }

    /// The score with what each signal contributes: on the way down a tree, each question moves
    /// what is expected, and the move is its signal's.
    pub fn explain(&self, features: &Features) -> Score {
        let mut points = [0.0; Signal::ALL.len()];
        let mut base = self.base;
        for &root in &self.roots {
            let nodes = &self.nodes[root as usize..];
            let mut place = 0;
            base += self.scale * nodes[0].value;
            while nodes[place].feature != Node::LEAF {
                let signal = FEATURES[nodes[place].feature as usize].signal;
                let to = next(nodes, place, features);
                points[signal as usize] += self.scale * (nodes[to].value - nodes[place].value);
                place = to;
            }
        }
        for rule in &FIXED {
            points[FEATURES[rule.feature].signal as usize] += rule.points(features);
        }
        Score { score: base + points.iter().sum::<f32>(), base, points }
    }

    /// The score from which no more than this share of unrelated accounts is taken for imitators;
    /// between two measured rates, on the line between them in logarithms.
    pub fn threshold(&self, false_positive_rate: f32) -> f32 {
        let wanted = false_positive_rate.max(1e-9).ln();
        let points = &self.thresholds;
        let at = |point: &Threshold| point.false_positive_rate.ln();
        let after = points.partition_point(|point| at(point) > wanted);
        match (after.checked_sub(1).map(|place| &points[place]), points.get(after)) {
            (Some(wide), Some(narrow)) => {
                let share = (at(wide) - wanted) / (at(wide) - at(narrow));
                wide.score + share * (narrow.score - wide.score)
            }
            // Beyond what was measured nothing is promised: the nearest measured one, moved by
            // the log-odds that the rates differ by.
            (Some(last), None) => last.score + (at(last) - wanted),
            (None, Some(first)) => first.score + (at(first) - wanted),
            (None, None) => f32::INFINITY,
        }
    }

    /// Its text.
    pub fn to_text(&self) -> String {
        let mut text =
            String::from("# A model of imitation; made by `recourse impersonation fit`.\n");
        for line in self.origin.lines() {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(text, "model\t{}\t{}", self.base, self.scale);
        for Threshold { false_positive_rate, score, recall } in &self.thresholds {
            let _ = writeln!(text, "threshold\t{false_positive_rate}\t{score}\t{recall}");
        }
        for (place, node) in self.nodes.iter().enumerate() {
            if self.roots.contains(&(place as u32)) {
                text.push_str("tree\n");
            }
            let Node { feature, below, threshold, value } = node;
            let _ = match FEATURES.get(*feature as usize) {
                Some(feature) => writeln!(text, "{}\t{threshold}\t{below}\t{value}", feature.name),
                None => writeln!(text, "leaf\t{value}"),
            };
        }
        text
    }

    /// Reads its text.
    ///
    /// # Errors
    /// If a line is not what it should be, or a node leads out of its tree.
    pub fn parse(text: &str) -> Result<Model, NoModel> {
        let mut model = Model::default();
        for (place, line) in text.lines().enumerate() {
            let wrong = |what| NoModel { line: place + 1, what };
            if let Some(origin) = line.strip_prefix("# ") {
                if place > 0 {
                    model.origin.push_str(origin);
                    model.origin.push('\n');
                }
                continue;
            }
            let mut fields = line.split('\t');
            let kind = fields.next().unwrap_or_default();
            let mut number = || {
                let number = fields.next().and_then(|field| field.parse::<f32>().ok());
                number.filter(|number| number.is_finite()).ok_or(wrong("a number is missing"))
            };
            match kind {
                "model" => (model.base, model.scale) = (number()?, number()?),
                "threshold" => model.thresholds.push(Threshold {
                    false_positive_rate: number()?,
                    score: number()?,
                    recall: number()?,
                }),
                "tree" => model.roots.push(model.nodes.len() as u32),
                "leaf" => model.nodes.push(Node {
                    feature: Node::LEAF,
                    below: 0,
                    threshold: 0.0,
                    value: number()?,
                }),
                name => {
                    let known = FEATURES.iter().position(|feature| feature.name == name);
                    model.nodes.push(Node {
                        feature: known.ok_or(wrong("no such feature"))? as u16,
                        threshold: number()?,
                        below: number()? as u16,
                        value: number()?,
                    });
                }
            }
        }
        let Model { origin, base, scale, thresholds, roots, nodes, .. } = model;
        let rates = thresholds.iter().map(|threshold| threshold.false_positive_rate);
        if !rates.is_sorted_by(|a, b| a > b) {
            let what = "thresholds go from the widest rate to the narrowest";
            return Err(NoModel { line: 0, what });
        }
        Ok(Model { origin, scale, thresholds, ..Model::of_trees(base, roots, nodes)? })
    }

    /// Every question leads forward to a node of its own tree, and every tree ends.
    fn check(&self) -> Result<(), NoModel> {
        let wrong = |what| Err(NoModel { line: 0, what });
        let ends = self.roots.iter().skip(1).copied().chain([self.nodes.len() as u32]);
        for (&root, end) in self.roots.iter().zip(ends) {
            let tree = &self.nodes[root as usize..end as usize];
            if tree.is_empty() {
                return wrong("a tree has no node");
            }
            for (place, node) in tree.iter().enumerate() {
                let below = node.below as usize;
                if node.feature != Node::LEAF && (below <= place || below + 1 >= tree.len()) {
                    return wrong("a node leads out of its tree");
                }
            }
        }
        Ok(())
    }
}

fn next(nodes: &[Node], place: usize, features: &Features) -> usize {
    let node = &nodes[place];
    node.below as usize + usize::from(features[node.feature as usize] >= node.threshold)
}

/// The probability of log-odds.
pub fn probability(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Model {
        let leaf = |value| Node { feature: Node::LEAF, below: 0, threshold: 0.0, value };
        let nodes = vec![
            Node { feature: 0, below: 1, threshold: 0.5, value: 0.5 },
            leaf(-1.0),
            leaf(2.0),
            Node { feature: 27, below: 1, threshold: 32.0, value: 0.25 },
            leaf(3.0),
            leaf(-0.5),
        ];
        let thresholds = vec![
            Threshold { false_positive_rate: 0.01, score: -2.0, recall: 0.9 },
            Threshold { false_positive_rate: 0.0001, score: 2.0, recall: 0.5 },
        ];
        let trees = Model::of_trees(-5.0, vec![0, 3], nodes).unwrap();
        Model { origin: "Made by hand.\n".to_owned(), scale: 2.0, thresholds, ..trees }
    }

    #[test]
    fn points_sum_to_the_score() {
        let model = small();
        let mut features = [0.0; FEATURES.len()];
        features[0] = 0.9;
        features[27] = 12.0;
        features[AGE] = super::super::features::UNKNOWN;
        let score = model.explain(&features);
        assert_eq!(model.score(&features, &mut Vec::new()), 5.0);
        assert!((score.score - 5.0).abs() < 1e-5);
        assert!((score.base + score.points.iter().sum::<f32>() - 5.0).abs() < 1e-5);
        assert_eq!(score.points[Signal::Handle as usize], 3.0);
        assert_eq!(score.points[Signal::Avatar as usize], 5.5);
        // What counts by a rule is told like what was fitted.
        features[AGE] = 5.0;
        let young = model.explain(&features);
        assert!((young.points[Signal::Age as usize] - 0.4).abs() < 1e-5);
        assert!((young.score - model.score(&features, &mut Vec::new())).abs() < 1e-5);
    }

    #[test]
    fn a_model_is_written_and_read() {
        assert_eq!(Model::parse(&small().to_text()), Ok(small()));
        let broken = small().to_text().replace("handle_likeness", "luck");
        assert_eq!(Model::parse(&broken).unwrap_err().what, "no such feature");
        let mut endless = small();
        endless.nodes[0].below = 0;
        assert!(Model::parse(&endless.to_text()).is_err());
    }

    #[test]
    fn thresholds_are_found_between_measured_rates() {
        let model = small();
        assert_eq!(model.threshold(0.01), -2.0);
        assert!((model.threshold(0.001) - 0.0).abs() < 1e-4);
        assert!(model.threshold(0.000_01) > 4.0);
    }

    #[test]
    fn the_shipped_model_is_whole() {
        let model = Model::shipped();
        assert!(!model.roots.is_empty());
        assert!(model.thresholds.len() >= 3);
    }
}
