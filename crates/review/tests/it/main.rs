//! The review service through its RPCs and its followers, on every database that there is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod appeals;
mod claims;
mod decisions;
mod follow;
mod impersonation;
mod lists;
mod plans;
mod refusals;
mod streams;
mod world;
