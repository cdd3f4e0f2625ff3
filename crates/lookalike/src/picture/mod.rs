//! Pictures: from image bytes to hashes of several views, and an index of hashes.
//!
//! It must not know what an account or an identity is: an owner is a number.

mod chunks;
mod hashes;
mod pdq;

pub use hashes::{Budget, Found, HashIndex, Hit, OWNED_MAX, Reach, ReadError, Scratch};
pub use pdq::{HexError, Pdq};
