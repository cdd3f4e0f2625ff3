//! Pictures: from image bytes to hashes of several views, and an index of hashes.
//!
//! It must not know what an account or an identity is: an owner is a number.

mod chunks;
mod decode;
mod hashes;
mod looks;
mod pdq;
mod transform;
mod views;
mod webp;
mod windows;

pub use decode::{Format, Limits, Refused, decode, format};
pub use hashes::{Budget, Found, HashIndex, Hit, OWNED_MAX, Reach, ReadError, Scratch};
pub use pdq::{HexError, Pdq, nearer_by_chance};
pub use transform::{Plane, Transform};
pub use views::{KEPT_MAX, Kind, Picture, QUALITY_MIN, View, looks_of};
