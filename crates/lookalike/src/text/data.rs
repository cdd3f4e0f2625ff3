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
/// Letters that are put in the place of Greek or Cyrillic ones.
pub(super) const HOME: &str = include_str!("../../data/home.tsv");
/// The regions that have a flag.
pub(super) const REGIONS: &str = include_str!("../../data/regions.tsv");

/// All of them.
const ALL: [&str; 10] =
    [ALPHABETS, LOOKS, SYMBOLS, HAN, HAN_ALIKE, DECOR, AFFIXES, DISCLAIMERS, HOME, REGIONS];

/// Names what names are read by: this version of the crate and its tables. What was read by others
/// does not compare with what is read now. The same on every machine.
#[must_use]
pub fn tables_hash() -> u64 {
    hash_of(ALL.into_iter().chain([env!("CARGO_PKG_VERSION")]))
}

/// FNV-1a of texts, each with its length.
fn hash_of<'a>(texts: impl Iterator<Item = &'a str>) -> u64 {
    let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    texts.fold(0xcbf2_9ce4_8422_2325, |hash, text| {
        let length = (text.len() as u64).to_le_bytes();
        length.into_iter().chain(text.bytes()).fold(hash, add)
    })
}

/// The rows of a table as (first column, the rest); comments and empty lines left out.
pub(super) fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_tells_and_where_it_ends() {
        let hash = |texts: &[&str]| hash_of(texts.iter().copied());
        assert_eq!(hash(&[]), 0xcbf2_9ce4_8422_2325);
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["ab", "c"]), hash(&["ab", "d"]));
        for left_out in 0..ALL.len() {
            let rest = ALL.iter().enumerate().filter(|(place, _)| *place != left_out);
            let rest = rest.map(|(_, table)| *table).chain([env!("CARGO_PKG_VERSION")]);
            assert_ne!(hash_of(rest), tables_hash(), "table {left_out}");
        }
        let tables = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/data")).unwrap();
        // Those of the scores are not read by.
        let others = ["baits.tsv", "model.tsv"];
        let named = |entry: std::io::Result<std::fs::DirEntry>| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.ends_with(".tsv") && !others.contains(&name.as_str())
        };
        assert_eq!(tables.map(named).filter(|is| *is).count(), ALL.len());
    }
}
