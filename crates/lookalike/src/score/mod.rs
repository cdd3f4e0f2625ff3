//! What a likeness is worth: features of a profile beside an identity, the model that weighs
//! them, and words for what it found.
//!
//! It must not know how candidates are found, nor what is done about a likeness.

pub mod bait;
pub mod evidence;
pub mod features;
mod forest;
pub mod model;
mod names;

pub use evidence::Evidence;
pub use features::{FEATURES, Features, Signal};
pub use model::Model;
