//! Pictures: from image bytes to hashes of several views, and an index of hashes.
