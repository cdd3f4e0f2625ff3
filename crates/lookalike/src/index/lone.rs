//! Rows that have one word of a question's in their names: what is left of a name when the others
//! were left out or are no longer what they were.
//!
//! A word that many have leads to nobody: all that have it are counted, in all segments together,
//! before any is taken. It must not know how promising a row is by anything else.

use super::postings::Posting;
use super::question::Question;
use super::segment::Segment;

/// A row with a word of the question's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lone {
    /// Which of the question's words.
    pub probe: u32,
    /// The segment it is in.
    pub segment: u32,
    /// The row.
    pub row: u32,
}

/// Adds the live rows that a segment has of each word, one more than `most` at most, and says how
/// many postings were looked at.
pub fn add(
    lone: &mut Vec<Lone>,
    segment: u32,
    of: &Segment,
    question: &Question,
    most: usize,
) -> usize {
    of.words.touch(question.words.iter().map(|probe| probe.bucket));
    let mut looked_at = 0;
    for (number, probe) in (0..).zip(&question.words) {
        let rows = of.words.bucket(probe.bucket).inspect(|_| looked_at += 1);
        let has = |posting: &Posting| posting.tag == probe.tag && of.is_live(posting.row);
        let rows = rows.filter(has).take(most.saturating_add(1));
        lone.extend(rows.map(|posting| Lone { probe: number, segment, row: posting.row }));
    }
    looked_at
}

/// Leaves out those of words that more than `most` have.
pub fn settle(lone: &mut Vec<Lone>, most: usize) {
    lone.sort_unstable_by_key(|one| (one.probe, one.segment, one.row));
    let mut kept = 0;
    let mut at = 0;
    while at < lone.len() {
        let probe = lone[at].probe;
        let end = at + lone[at..].partition_point(|one| one.probe == probe);
        if end - at <= most {
            lone.copy_within(at..end, kept);
            kept += end - at;
        }
        at = end;
    }
    lone.truncate(kept);
}

/// How alike a name is at most that has no more than a word in common, even if it is that word:
/// less than one that is equal, however short.
const MOST: f32 = 0.84;

/// Which name has the word, and how alike that is: as to one that lies inside it.
pub fn name_likeness(lone: &Lone, question: &Question) -> (u8, f32) {
    let probe = &question.words[lone.probe as usize];
    let len = question.readings[probe.name as usize].looks.len().max(1) as f32;
    (probe.name, (0.3 + 0.6 * f32::from(probe.len) / len).min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_too_many_have_leads_to_nobody() {
        let of = |probe, segment, row| Lone { probe, segment, row };
        let mut lone =
            vec![of(2, 0, 5), of(1, 1, 1), of(1, 0, 9), of(3, 0, 1), of(1, 0, 2), of(2, 1, 5)];
        settle(&mut lone, 2);
        assert_eq!(lone, [of(2, 0, 5), of(2, 1, 5), of(3, 0, 1)]);
        settle(&mut lone, 1);
        assert_eq!(lone, [of(3, 0, 1)]);
        settle(&mut lone, 0);
        assert_eq!(lone, []);
    }
}
