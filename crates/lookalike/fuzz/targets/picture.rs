//! Any bytes as a picture: read or refused, within the memory and time that libFuzzer allows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lookalike::picture::{Limits, Picture};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes: 1 << 16, pixels: 1 << 20 };
    if let Ok(picture) = Picture::read(bytes, limits) {
        assert!(picture.quality() <= 100);
        // Two of each kind of look.
        assert!(picture.looks().step_by(9).count() >= 4);
        assert_eq!(picture.kept(4).len(), 4);
    }
});
