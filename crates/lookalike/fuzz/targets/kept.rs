//! Any bytes as a written index of hashes or population: read as such, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lookalike::picture::{Budget, HashIndex, Pdq, Reach, Scratch};
use lookalike::population::Population;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(index) = HashIndex::read_from(&mut &bytes[..]) {
        let mut written = Vec::new();
        index.write_to(&mut written).expect("memory takes it");
        assert_eq!(written[..], bytes[..written.len()]);
        let mut scratch = Scratch::default();
        index.search(&Pdq::default(), Reach::SAME, Budget::default(), &mut scratch);
    }
    if let Ok(population) = Population::read_from(&mut &bytes[..]) {
        let mut written = Vec::new();
        population.write_to(&mut written).expect("memory takes it");
        let again = Population::read_from(&mut written.as_slice()).expect("it was written");
        assert_eq!(again.len(), population.len());
    }
});
