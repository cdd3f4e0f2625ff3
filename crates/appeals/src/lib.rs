//! The appeals service: takes appeals from those who were decided against, checks that they are
//! admissible, has them heard in review, and tells the outcome with its reasons.
//!
//! What holds always:
//! - Only the account to which a decision's statement of reasons is addressed appeals against
//!   it, or the claimant of a claim of impersonation that it rejected; each once, within the
//!   window of the statement or the claim.
//! - No event names a claimant.
//! - An appeal changes as [`appeal::after`] says; once it is decided it never changes again.
//! - What review does takes effect here exactly once, in the order in which it was done.
//!
//! An appeal goes [`rpc`] → [`statements`] (account-health), else [`claims`] (impersonation) →
//! [`admissibility::admit`] → [`store`] → events; review's events come in through [`follow`].

pub mod admissibility;
pub mod appeal;
pub mod claims;
pub mod events;
pub mod follow;
pub mod rpc;
mod running;
pub mod statements;
pub mod store;

pub use running::{Deps, Peers, Running, start};

/// The name of the service: of its schema, its file and its section of the configuration.
pub const NAME: &str = "appeals";

/// The schema.
pub static MIGRATIONS: kit::db::Migrations = kit::migrations!["0001_appeals", "0002_claims"];
