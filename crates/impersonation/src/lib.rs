//! The impersonation service: finds who imitates whom, and carries the claims of the imitated.
//!
//! What holds always:
//! - The accounts of a protected identity are never found to imitate it, nor are its affiliates.
//! - An index in memory is what one built from the database would be: it follows the service's
//!   own event log, and says up to which event it is current.
//! - A likeness and an exemption are two findings: neither changes the other.
//! - One pair of identity and account has one match, ever.
//!
//! A profile goes [`rpc`] → [`memory`] → the rows of its hits → [`exemption`]; writes go
//! through [`store`] with their events, and come back to every replica's index by the log.

pub mod campaign;
pub mod check;
pub mod claim;
pub mod claimant;
pub mod crowd;
pub mod detect;
pub mod digest;
pub mod dismissal;
pub mod events;
pub mod exemption;
pub mod expiry;
pub mod follow;
pub mod gauges;
pub mod identity;
pub mod journal;
pub mod judge;
pub mod keeper;
pub mod label;
pub mod matching;
pub mod memory;
pub mod observing;
pub mod patrol;
pub mod people;
pub mod picture;
pub mod profile;
pub mod proof;
pub mod round;
pub mod rpc;
mod running;
pub mod search;
pub mod shelf;
pub mod snapshot;
pub mod store;
pub mod thresholds;

pub use running::{Deps, Peers, Running, start};

/// The name of the service: of its schema, its file and its section of the configuration.
pub const NAME: &str = "impersonation";

/// The schema.
pub static MIGRATIONS: kit::db::Migrations =
    kit::migrations!["0001_identities", "0002_claims", "0003_claim_appeals"];
