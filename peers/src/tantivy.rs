//! tantivy: a fuzzy query of distance 2 over terms, a document each, then ordered by edits.

use tantivy::collector::DocSetCollector;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{FAST, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, Term, doc};

use crate::handles;
use crate::{Outcome, answer, resident};

const EDITS: u8 = 2;
const BUILD_BYTES: usize = 1 << 30;

/// Builds the index in a folder, in another process than the one whose memory is measured.
pub fn build(protected: &str, folder: &str) -> Outcome<()> {
    let mut schema = Schema::builder();
    let terms = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    let handle =
        schema.add_text_field("handle", TextOptions::default().set_indexing_options(terms));
    let number = schema.add_u64_field("number", FAST);
    let index = Index::create_in_dir(folder, schema.build())?;
    let mut writer = index.writer_with_num_threads(1, BUILD_BYTES)?;
    for (place, text) in handles::protected(protected)?.iter().enumerate() {
        writer.add_document(doc!(handle => text.to_lowercase(), number => place as u64))?;
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    Ok(())
}

/// Measures it.
pub fn measure(protected: &str, attacks: &str, folder: &str) -> Outcome<()> {
    let handles: Vec<String> =
        handles::protected(protected)?.iter().map(|handle| handle.to_lowercase()).collect();
    let mut attacks = handles::attacks(attacks)?;
    attacks.iter_mut().for_each(|attack| attack.handle = attack.handle.to_lowercase());
    let before = resident()?;
    let index = Index::open_in_dir(folder)?;
    let handle = index.schema().get_field("handle")?;
    let searcher = index.reader()?.searcher();
    let numbers: Vec<_> = searcher
        .segment_readers()
        .iter()
        .map(|segment| segment.fast_fields().u64("number"))
        .collect::<Result<_, _>>()?;
    let look = |attack: &handles::Attack| {
        let term = Term::from_field_text(handle, &attack.handle);
        let query = FuzzyTermQuery::new(term, EDITS, true);
        let found = searcher.search(&query, &DocSetCollector)?;
        let found = found.iter().filter_map(|at| {
            let number = numbers[at.segment_ord as usize].first(at.doc_id)?;
            Some(number as u32)
        });
        let best = handles::by_edits(&attack.handle, found, &handles);
        Ok(handles::place(best, attack.subject))
    };
    // Its files are mapped: they count once they were read.
    for attack in &attacks {
        look(attack)?;
    }
    let bytes = (resident()? - before) as f64 / handles.len() as f64;
    answer(&attacks, bytes, look)
}
