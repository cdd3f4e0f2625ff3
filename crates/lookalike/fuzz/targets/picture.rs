//! Any bytes as a picture: read or refused, within the memory and time that libFuzzer allows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lookalike::picture::{Limits, Picture};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes: 1 << 16, pixels: 1 << 20 };
    if let Ok(picture) = Picture::read(bytes, limits) {
        assert!(picture.quality() <= 100);
        // Looks do not depend on how a file was coded: a few are enough, and leave time for files.
        assert_eq!(picture.looks().take(3).count(), 3);
        assert!(picture.windows().len() <= 1_544);
    }
});
