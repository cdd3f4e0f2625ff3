//! Account health: the ledger of what counts against an account, how it stands, what it may not
//! do, and the statement of reasons of every decision about it. It never judges content.
//!
//! What always holds:
//! - Entries are never changed or deleted. A void names the one entry that it voids, and can
//!   itself never be voided; a decision has its effect once.
//! - How an account stands is a pure function of its ledger, the ladders in force and an instant
//!   ([`standing`]): a voided entry is as if it had never been, in full; the balance is the sum
//!   of what counts and never negative; the order in which independent entries were written
//!   makes no difference.
//! - A reading as of an instant answers what was known here at that instant, under the pack in
//!   force here at that instant.
//! - Entry, standing, statement and events of a decision commit together, under the lock of the
//!   account's row.
//! - Every decided violation has its statement; one that takes another's place names it.
//!
//! Wiring: `follow` applies the decisions of review and the activations of policy; `sweep` tells
//! what changes as time passes; [`eligibility`] answers from memory; `rpc` serves.

mod account;
mod change;
pub mod eligibility;
mod follow;
pub mod ladder;
pub mod ledger;
mod message;
mod rpc;
mod running;
pub mod standing;
pub mod statement;
pub mod store;
mod sweep;
#[cfg(test)]
mod tests;
mod walk;

pub use rpc::AccountHealth;
pub use running::{Deps, Peers, Running, start};
pub use sweep::Sweep;
pub use walk::Span;

/// The service's name: its database, its place in addresses and credentials.
pub const NAME: &str = "account-health";

/// The service's schema.
pub static MIGRATIONS: kit::db::Migrations = kit::migrations!["0001_account_health"];
