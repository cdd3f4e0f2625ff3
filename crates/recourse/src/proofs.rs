//! Where the keys come from that proofs of identity are encrypted with.

use std::path::Path;

use impersonation::proof::Keys;
use kit::db::DbConfig;

/// The name of the key file in the data directory of the embedded database.
const FILE: &str = "impersonation-proofs.key";

/// The keys of the configured file; on the embedded database without one, those of a file in the
/// data directory, made on the first start so that only this user can read it. On PostgreSQL
/// without a file there are none, and proofs are refused.
///
/// # Errors
/// What is wrong with the file, for people.
pub fn keys(configured: Option<&Path>, database: &DbConfig) -> Result<Option<Keys>, String> {
    let wrong = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(path) = configured {
        return Keys::read(path).map(Some).map_err(|error| wrong(path, error));
    }
    let DbConfig::Sqlite { path } = database else { return Ok(None) };
    let Some(directory) = path.parent() else { return Ok(None) };
    let path = directory.join(FILE);
    Keys::read_or_make(&path).map(Some).map_err(|error| wrong(&path, error))
}
