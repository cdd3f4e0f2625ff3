//! Where two texts differ: the cheapest way from one to the other, where look-alikes cost
//! little. It must not know what the differences mean.

use super::key::{Folder, Key};
use super::table::TABLE;

/// The characters of each text that are compared.
const COMPARED: usize = 64;

/// A part in which the texts differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// The part of the first text.
    pub(super) ours: String,
    /// The part of the second.
    pub(super) theirs: String,
    /// Whether both look alike.
    pub(super) alike: bool,
    /// Whether it only repeats its neighbour.
    pub(super) repeats: bool,
    /// Whether it follows the one before it at once.
    joined: bool,
}

impl Change {
    /// The number of characters that it changes.
    pub(super) fn letters(&self) -> usize {
        self.ours.chars().count().max(self.theirs.chars().count())
    }
}

const SAME: u16 = 0;
const ALIKE: u16 = 2;
const SEPARATOR: u16 = 1;
const REMOVED: u16 = 4;
const REPLACED: u16 = 5;

fn replaces(ours: char, theirs: char) -> u16 {
    if ours == theirs {
        return SAME;
    }
    if alike(ours, theirs) || alike(theirs, ours) { ALIKE } else { REPLACED }
}

/// Whether one looks like the other, small or as a capital.
fn alike(one: char, other: char) -> bool {
    let looks = TABLE.entry(other).looks();
    let styled = |one: char| {
        let style = TABLE.entry(one).style;
        style != 0 && looks == [style]
    };
    !looks.is_empty() && TABLE.entry(one).looks() == looks
        || styled(one)
        || one.to_uppercase().any(styled)
}

fn removes(own: char) -> u16 {
    if TABLE.entry(own).reads() { REMOVED } else { SEPARATOR }
}

/// The parts in which two texts differ, in order.
pub(super) fn changes(ours: &str, theirs: &str) -> Vec<Change> {
    let ours: Vec<char> = ours.chars().take(COMPARED).collect();
    let theirs: Vec<char> = theirs.chars().take(COMPARED).collect();
    let width = theirs.len() + 1;
    let mut costs = vec![0_u16; (ours.len() + 1) * width];
    for i in 0..=ours.len() {
        for j in 0..=theirs.len() {
            if i + j > 0 {
                costs[i * width + j] = cheapest(&costs, width, (&ours, i), (&theirs, j)).0;
            }
        }
    }
    let (mut i, mut j) = (ours.len(), theirs.len());
    let mut steps = Vec::with_capacity(i + j);
    while i + j > 0 {
        let (_, back_i, back_j) = cheapest(&costs, width, (&ours, i), (&theirs, j));
        (i, j) = (i - back_i, j - back_j);
        steps.push((back_i == 1, back_j == 1));
    }
    steps.reverse();
    gather(&ours, &theirs, &steps)
}

type Text<'a> = (&'a [char], usize);

/// The least cost up to a place, and the step that leads there.
fn cheapest(
    costs: &[u16],
    width: usize,
    (ours, i): Text,
    (theirs, j): Text,
) -> (u16, usize, usize) {
    let mut best = (u16::MAX, 0, 0);
    let mut consider = |cost: u16, step: (usize, usize)| {
        let total = costs[(i - step.0) * width + j - step.1].saturating_add(cost);
        if total < best.0 {
            best = (total, step.0, step.1);
        }
    };
    if i > 0 && j > 0 {
        consider(replaces(ours[i - 1], theirs[j - 1]), (1, 1));
    }
    if i > 0 {
        consider(removes(ours[i - 1]), (1, 0));
    }
    if j > 0 {
        consider(removes(theirs[j - 1]), (0, 1));
    }
    best
}

/// Joins steps that differ and stand side by side: removed ones to one, replaced ones alone.
fn gather(ours: &[char], theirs: &[char], steps: &[(bool, bool)]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let (mut i, mut j) = (0, 0);
    let mut open: Option<(bool, bool)> = None;
    for &(left, right) in steps {
        let same = left && right && ours[i] == theirs[j];
        if same {
            open = None;
        } else {
            if open != Some((left, right)) || left && right {
                let joined = open.is_some();
                let alike = left && right;
                changes.push(Change { alike, repeats: true, joined, ..Change::default() });
            }
            open = Some((left, right));
        }
        if let Some(change) = changes.last_mut().filter(|_| !same) {
            let beside = |text: &[char], at: usize| {
                at > 0 && text[at - 1] == text[at] || text.get(at + 1) == Some(&text[at])
            };
            if left {
                change.ours.push(ours[i]);
                change.repeats &= beside(ours, i);
            }
            if right {
                change.theirs.push(theirs[j]);
                change.repeats &= beside(theirs, j);
            }
            if left && right {
                change.alike &= replaces(ours[i], theirs[j]) == ALIKE;
            }
        }
        (i, j) = (i + usize::from(left), j + usize::from(right));
    }
    join(changes)
}

/// Makes one of neighbours that look alike only together, as `rn` and `m`.
fn join(changes: Vec<Change>) -> Vec<Change> {
    let mut joined: Vec<Change> = Vec::with_capacity(changes.len());
    for change in changes {
        if let Some(last) = joined.last_mut().filter(|last| change.joined && !last.alike) {
            let ours = format!("{}{}", last.ours, change.ours);
            let theirs = format!("{}{}", last.theirs, change.theirs);
            let looks = folded(&ours);
            if !looks.is_empty() && looks == folded(&theirs) {
                *last = Change { ours, theirs, alike: true, joined: last.joined, repeats: false };
                continue;
            }
        }
        joined.push(change);
    }
    joined
}

fn folded(text: &str) -> Key {
    let mut folder = Folder::default();
    text.chars().for_each(|each| folder.extend(TABLE.entry(each).looks()));
    folder.key()
}
