//! The insights service: measures how the suite does, from what its services tell of what they do.
//!
//! What holds always:
//! - It changes nothing elsewhere, and asks nobody: whatever it knows it was told by events.
//! - It keeps no account, reviewer or reporter.
//! - Each event counts exactly once, and what an appeal corrects is corrected in the time in which
//!   it was decided first, so that an old figure that is asked for again is the true one.
//! - A share comes with its interval, and nothing is said to have drifted that chance explains.
//!
//! Events go [`follow`] → [`store`]; a question goes [`rpc`] → [`store`] → [`drift`].

pub mod drift;
pub mod follow;
pub mod gauges;
pub mod proportion;
pub mod rpc;
mod running;
pub mod store;

pub use running::{Deps, Peers, Running, start};

/// The name of the service: of its schema, its file and its section of the configuration.
pub const NAME: &str = "insights";

/// The schema.
pub static MIGRATIONS: kit::db::Migrations = kit::migrations!["0001_detector"];
