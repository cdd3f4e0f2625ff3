//! The reports service: takes notices from people, trusted flaggers and models, gives receipts,
//! and tells each reporter what came of theirs.
//!
//! What holds always:
//! - A receipt means that the report and its event are stored.
//! - No event, answer or log line names a reporter; [`store::Stored`] cannot be asked for one.
//! - A report changes as [`standing::Standing::after`] says, and never leaves an end.
//! - What review does takes effect here exactly once, in the order in which it was done.
//!
//! A filing goes [`rpc`] → [`report::check`] → [`filing`] (one transaction for many) → events;
//! review's events come in through [`follow`].

pub mod events;
pub mod filing;
pub mod follow;
pub mod report;
pub mod rpc;
mod running;
pub mod standing;
pub mod store;

pub use running::{Deps, Peers, Running, start};

/// The name of the service: of its schema, its file and its section of the configuration.
pub const NAME: &str = "reports";

/// The schema.
pub static MIGRATIONS: kit::db::Migrations = kit::migrations!["0001_reports"];
