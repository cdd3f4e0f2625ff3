//! The policy service: holds the policy packs that every other service works under.
//!
//! A pack is a folder of YAML files ([`files`]), checked as a whole ([`check`](mod@check)) and
//! compiled into one message; the default one is carried along ([`default_pack`]).
//!
//! What holds always:
//! - Only a pack without any mistake is published, and a published version never changes.
//! - Equal files are one version, whoever publishes them and how often.
//! - At most one version is active, and it becomes so only from the one that the caller expected.
//! - A publication or activation and its event are stored together.
//!
//! A publication goes [`Policies`] → [`check()`] → [`store`] in one transaction → event. It must
//! not know what the other services do with a rule.

pub mod check;
mod default_pack;
pub mod diff;
pub mod files;
mod rpc;
mod running;
pub mod store;
mod versions;

pub use check::{PLACEHOLDERS, check};
pub use default_pack::default_pack;
pub use files::{FolderError, read_folder};
pub use rpc::Policies;
pub use running::{Deps, Running, start};
pub use versions::VERSIONS_KEPT_MAX;

/// The name of the service: of its schema, its file and its section of the configuration.
pub const NAME: &str = "policy";

/// The schema.
pub static MIGRATIONS: kit::db::Migrations = kit::migrations!["0001_packs"];
