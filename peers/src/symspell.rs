//! SymSpell: all deletions of up to two symbols, made beforehand.

use std::collections::HashMap;

use symspell::{AsciiStringStrategy, SymSpell, SymSpellBuilder, Verbosity};

use crate::handles;
use crate::{Outcome, answer, resident};

const EDITS: i64 = 2;

/// Measures it, with the crate's own defaults but for the distance.
pub fn measure(protected: &str, attacks: &str) -> Outcome<()> {
    let handles: Vec<String> =
        handles::protected(protected)?.iter().map(|handle| handle.to_lowercase()).collect();
    let mut attacks = handles::attacks(attacks)?;
    attacks.iter_mut().for_each(|attack| attack.handle = attack.handle.to_lowercase());
    let numbers: HashMap<&str, u32> = handles.iter().map(String::as_str).zip(0..).collect();
    let before = resident()?;
    let mut builder = SymSpellBuilder::<AsciiStringStrategy>::default();
    let mut index: SymSpell<_> = builder.max_dictionary_edit_distance(EDITS).build()?;
    for (number, handle) in handles.iter().enumerate() {
        // What counts more is told first among equally near ones.
        let line = format!("{handle}\t{}", handles.len() - number);
        index.load_dictionary_line(&line, 0, 1, "\t");
    }
    let bytes = (resident()? - before) as f64 / handles.len() as f64;
    answer(&attacks, bytes, |attack| {
        let found = index.lookup(&attack.handle, Verbosity::All, EDITS);
        let best = found.iter().filter_map(|found| numbers.get(found.term.as_str()).copied());
        Ok(handles::place(best, attack.subject))
    })
}
