//! The list of mistakes while it grows. It must not know what any mistake means.

use contracts::policy::v1::PackMistake;

/// How many mistakes one check lists; a last one says how many more there are.
pub const MISTAKES_MAX: usize = 1_000;

/// How long a description may be, in characters: it may quote what was found.
pub const DESCRIPTION_CHARS_MAX: usize = 300;

/// How many mistakes may come with the word that was meant: finding it takes time.
const SUGGESTIONS_MAX: usize = 100;

/// Longer words are compared by their beginning, in characters.
const WORD_CHARS_MAX: usize = 80;

/// A place in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    /// Which of the files, by its place in the order of paths.
    pub file: usize,
    /// From 1; 0 where no single line is at fault.
    pub line: u32,
}

/// Every mistake found so far.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    paths: Vec<String>,
    found: Vec<PackMistake>,
    beyond: usize,
}

impl Mistakes {
    /// None yet, in files with these paths.
    pub fn new(paths: Vec<String>) -> Mistakes {
        Mistakes { paths, ..Mistakes::default() }
    }

    /// How many there are so far.
    pub fn count(&self) -> usize {
        self.found.len() + self.beyond
    }

    /// Adds one.
    pub fn add(&mut self, spot: Spot, description: impl Into<String>) {
        let path = self.paths.get(spot.file).cloned().unwrap_or_default();
        self.add_at(path, spot.line, description);
    }

    /// Adds one in a file that may not exist.
    pub fn add_at(&mut self, path: impl Into<String>, line: u32, description: impl Into<String>) {
        if self.found.len() == MISTAKES_MAX {
            self.beyond += 1;
            return;
        }
        let line = i32::try_from(line).unwrap_or(i32::MAX);
        let mut description = description.into();
        if let Some((end, _)) = description.char_indices().nth(DESCRIPTION_CHARS_MAX) {
            description.truncate(end);
            description.push('…');
        }
        self.found.push(PackMistake { path: path.into(), line, description });
    }

    /// " (did you mean "x"?)" for the nearest of the known words, or nothing where none is near.
    pub fn near<'a>(&self, word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
        if self.count() >= SUGGESTIONS_MAX {
            return String::new();
        }
        let nearest = nearest(word, known);
        nearest.map_or(String::new(), |near| format!(" (did you mean \"{near}\"?)"))
    }

    /// All of them, by file and line.
    pub fn finish(mut self) -> Vec<PackMistake> {
        self.found.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        self.found.dedup();
        if self.beyond > 0 {
            let description = format!("and {} more mistakes", self.beyond);
            self.found.push(PackMistake { path: String::new(), line: 0, description });
        }
        self.found
    }
}

/// The nearest of the known words, if one is near.
fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = length.div_ceil(3).clamp(1, 4);
    let lower = word.to_lowercase();
    known
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(far, _)| *far <= limit)
        .min()
        .map(|(_, near)| near)
}

/// How many letters to change, add or drop to come from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(WORD_CHARS_MAX).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(WORD_CHARS_MAX).enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_sorted_and_counted_past_the_limit() {
        let mut mistakes = Mistakes::new(vec!["a.yaml".to_owned(), "b.yaml".to_owned()]);
        for line in (1..=1_002).rev() {
            mistakes.add(Spot { file: 1, line }, "wrong");
        }
        let found = mistakes.finish();
        assert_eq!(found.len(), MISTAKES_MAX + 1);
        assert_eq!((found[0].path.as_str(), found[0].line), ("b.yaml", 3));
        assert_eq!(found[MISTAKES_MAX].description, "and 2 more mistakes");
    }

    #[test]
    fn the_nearest_known_word_is_suggested() {
        let known = ["hate_speech", "harassment", "HIGH"];
        assert_eq!(nearest("hate_speach", known), Some("hate_speech"));
        assert_eq!(nearest("high", known), Some("HIGH"));
        assert_eq!(nearest("fraud", known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_long_description_is_cut_between_characters() {
        let mut mistakes = Mistakes::new(vec![]);
        mistakes.add_at("a.yaml", 1, "ü".repeat(DESCRIPTION_CHARS_MAX));
        mistakes.add_at("a.yaml", 2, "ü".repeat(DESCRIPTION_CHARS_MAX + 1));
        let found = mistakes.finish();
        assert_eq!(found[0].description.chars().count(), DESCRIPTION_CHARS_MAX);
        assert_eq!(found[1].description.chars().count(), DESCRIPTION_CHARS_MAX + 1);
        assert!(found[1].description.ends_with('…'));
    }
}
