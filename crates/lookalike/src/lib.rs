//! Who looks like whom: the look-alike detector.
//!
//! Pure: no IO, no clock, no database, no protobuf. It must not know what is done about a likeness;
//! it says how sure it is, and why.

mod column;
pub mod detector;
mod distance;
pub mod index;
pub mod lab;
mod packed;
pub mod picture;
pub mod population;
pub mod profile;
pub mod score;
mod shares;
pub mod text;
