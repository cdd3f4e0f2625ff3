//! Review: reports, matches and claims of impersonation, and appeals become cases; reviewers hold
//! them under leases and decide.
//!
//! It follows the events of reports, appeals and impersonation ([`follow`]), ranks cases
//! ([`rank`]) in queues ([`queue`]), and serves claims, decisions, notes and lists ([`rpc`]). It never punishes an
//! account: others follow its events and act.
//!
//! Invariants:
//! - a subject has at most one open case in each area, an appeal exactly one case;
//! - a case is held by at most one reviewer at a time, and who lost the lease changes nothing:
//!   the fencing token rises with every new holder;
//! - a decision, the end of the lease, the mark on the decision that it overturns and the event
//!   commit together; decided and withdrawn cases never change again;
//! - an appeal is never heard by who took the decision;
//! - nobody learns here who reported, and reviewers appear as pseudonyms.

pub mod case;
pub mod follow;
pub mod hearing;
pub mod intake;
pub mod queue;
pub mod rank;
pub mod rpc;
pub mod store;

mod event;
mod lease;
mod render;
mod running;
mod verdict;

pub use running::{Deps, Peers, Running, start, sweep};

/// The name of the service: of its schema, its file and its health check.
pub const NAME: &str = "review";

/// Its schema.
pub static MIGRATIONS: kit::db::Migrations = kit::migrations!["0001_cases", "0002_impersonation"];
