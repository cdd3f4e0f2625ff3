//! Who looks like whom: the look-alike detector.
//!
//! Pure: no IO, no clock, no database, no protobuf. It must not know what is done about a likeness;
//! it says how sure it is, and why.

pub mod picture;
pub mod population;
pub mod text;
