//! What every service stands on: server stack, errors, ids, clock, configuration, storage and
//! the event log.
//!
//! It knows no domain noun: nothing here may name a report, a case or a decision, and it does
//! not depend on the generated contracts. Each module says what it must not know.

pub mod auth;
pub mod client;
pub mod clock;
pub mod config;
pub mod contract;
pub mod db;
pub mod error;
pub mod events;
pub mod fault;
pub mod follow;
pub mod group_commit;
pub mod id;
pub mod idempotency;
pub mod items;
pub mod page;
pub mod server;
pub mod telemetry;
pub mod validate;
pub mod watch;

#[cfg(test)]
mod fixture;

pub use auth::{Auth, Caller, Credentials};
pub use clock::{Clock, Time};
pub use contract::Contract;
pub use error::Error;
pub use id::Ids;
