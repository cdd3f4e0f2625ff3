//! The laboratory: reads labelled accounts, fits the model to them and measures the detector.
//!
//! Everything is reproducible from the data and a seed. It must not be needed to check a profile.

pub mod accounts;
pub mod boost;
pub mod fit;
pub mod measure;
pub mod pictures;
