//! Trees laid out so that a sum of their leaves is quick to find.
//!
//! Not each tree's questions in turn, which waits for memory at every step, but each feature's, of
//! all trees, by their thresholds: one that is answered with yes rules out the leaves on its other
//! side, and the first leaf that is left of a tree is where a walk down would have ended. After
//! C. Lucchese and others, "QuickScorer" (2015). It must not know what the features mean.

use super::features::{FEATURES, Features};
use super::model::Node;

/// The most leaves of a tree: each is a bit.
pub const MAX_LEAVES: usize = 32;

/// A question, and which leaves remain if it is answered with yes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Question {
    threshold: f32,
    tree: u32,
    left: u32,
}

/// The trees.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forest {
    /// By feature, and then by their thresholds.
    questions: Vec<Question>,
    /// Where each feature's questions end.
    ends: Vec<usize>,
    /// What the leaves say, [`MAX_LEAVES`] a tree.
    values: Vec<f32>,
}

impl Forest {
    /// Of these trees; none if one has too many leaves.
    pub fn of(roots: &[u32], nodes: &[Node]) -> Option<Forest> {
        let mut forest =
            Forest { values: vec![0.0; roots.len() * MAX_LEAVES], ..Forest::default() };
        let mut questions: Vec<(u16, Question)> = Vec::new();
        for (tree, root) in roots.iter().enumerate() {
            let leaves = &mut forest.values[tree * MAX_LEAVES..(tree + 1) * MAX_LEAVES];
            let mut found = 0;
            let tree = Tree { number: tree as u32, nodes: &nodes[*root as usize..] };
            tree.read(0, leaves, &mut found, &mut questions)?;
        }
        questions.sort_by(|(one, a), (other, b)| {
            one.cmp(other).then(a.threshold.total_cmp(&b.threshold))
        });
        forest.ends = (0..FEATURES.len())
            .map(|feature| questions.partition_point(|(of, _)| usize::from(*of) <= feature))
            .collect();
        forest.questions = questions.into_iter().map(|(_, question)| question).collect();
        Some(forest)
    }

    /// The sum of the leaves in which these features end. `left` is room that is used again.
    pub fn sum(&self, features: &Features, left: &mut Vec<u32>) -> f32 {
        left.clear();
        left.resize(self.values.len() / MAX_LEAVES, u32::MAX);
        let mut start = 0;
        for (feature, end) in features.iter().zip(&self.ends) {
            for question in &self.questions[start..*end] {
                if *feature < question.threshold {
                    break;
                }
                left[question.tree as usize] &= question.left;
            }
            start = *end;
        }
        let leaves = left.iter().zip(self.values.as_chunks::<MAX_LEAVES>().0);
        leaves.map(|(left, values)| values[left.trailing_zeros() as usize % MAX_LEAVES]).sum()
    }
}

/// A tree that is being read.
struct Tree<'a> {
    number: u32,
    nodes: &'a [Node],
}

impl Tree<'_> {
    /// Reads what is under a node: leaves from left to right.
    fn read(
        &self,
        place: usize,
        leaves: &mut [f32],
        found: &mut usize,
        questions: &mut Vec<(u16, Question)>,
    ) -> Option<()> {
        let node = &self.nodes[place];
        if node.feature == Node::LEAF {
            *leaves.get_mut(*found)? = node.value;
            *found += 1;
            return Some(());
        }
        let first = *found;
        self.read(node.below as usize, leaves, found, questions)?;
        let below = ((1u64 << (*found - first)) - 1) << first;
        let Node { feature, threshold, .. } = *node;
        questions.push((feature, Question { threshold, tree: self.number, left: !below as u32 }));
        self.read(node.below as usize + 1, leaves, found, questions)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::score::model::Model;

    proptest! {
        /// A walk down every tree, which explains a score, ends in the leaves that are summed.
        #[test]
        fn the_sum_is_that_of_a_walk_down_each_tree(
            features in proptest::collection::vec((0.0f32..1.0, 0usize..4), FEATURES.len()),
        ) {
            let model = Model::shipped();
            let scaled = features.iter().map(|(at, scale)| at * [1.0, 4.0, 32.0, 140.0][*scale]);
            let features: Vec<f32> = scaled.collect();
            let features: Features = features.try_into().expect("as many as there are");
            let (score, walked) = (model.score(&features, &mut vec![7]), model.explain(&features));
            prop_assert!((score - walked.score).abs() < 1e-2, "{score} {}", walked.score);
        }
    }

    #[test]
    fn a_tree_of_too_many_leaves_is_refused() {
        // A chain: each question has a leaf below and the next question above.
        let chain = |questions: u16| -> Vec<Node> {
            let mut nodes = vec![Node { feature: 0, below: 1, threshold: 0.5, value: 0.0 }];
            for place in 1..=questions {
                let leaf = Node { feature: Node::LEAF, below: 0, threshold: 0.0, value: 1.0 };
                let on = Node { feature: 0, below: 2 * place + 1, threshold: 0.5, value: 0.0 };
                nodes.extend([leaf, if place == questions { leaf } else { on }]);
            }
            nodes
        };
        assert!(Forest::of(&[0], &chain(31)).is_some());
        assert!(Forest::of(&[0], &chain(32)).is_none());
    }
}
