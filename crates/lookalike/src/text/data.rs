//! The tables of characters, words and phrases that come with the crate, parsed once. It must
//! not know what they are used for.

/// Letters written with other characters.
pub(super) const ALPHABETS: &str = include_str!("../../data/alphabets.tsv");
/// What single characters read as.
pub(super) const LOOKS: &str = include_str!("../../data/looks.tsv");
/// Signs that stand for letters between letters.
pub(super) const SYMBOLS: &str = include_str!("../../data/symbols.tsv");
/// Forms of one Han character.
pub(super) const HAN: &str = include_str!("../../data/han.tsv");
/// Han characters of nearly the same strokes.
pub(super) const HAN_ALIKE: &str = include_str!("../../data/han_alike.tsv");
/// Letters that frame names.
pub(super) const DECOR: &str = include_str!("../../data/decor.tsv");
/// Words that are added to names.
pub(super) const AFFIXES: &str = include_str!("../../data/affixes.tsv");
/// Phrases by which an account says that it is not the subject.
pub(super) const DISCLAIMERS: &str = include_str!("../../data/disclaimers.tsv");
/// The regions that have a flag.
pub(super) const REGIONS: &str = include_str!("../../data/regions.tsv");

/// The rows of a table as (first column, the rest); comments and empty lines left out.
pub(super) fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}
