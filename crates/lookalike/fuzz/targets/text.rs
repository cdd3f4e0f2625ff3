//! Any text has a reading, within bounds, and two have an explanation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lookalike::text::{MAX_WORDS, Reader, explain, label};

fuzz_target!(|texts: (&str, &str)| {
    let reader = Reader::new();
    let (a, b) = (reader.read(texts.0), reader.read(texts.1));
    assert!(a.words.len() <= MAX_WORDS);
    assert!(a.plain.chars().count() <= 4 * 1_024);
    assert!(explain(&a, &b).chars().count() <= 160);
    let again = reader.read(&a.plain);
    assert_eq!(again.plain, a.plain);
    let _total = label(texts.0, texts.1, texts.1, texts.0);
});
