//! Published versions kept in memory. They never change, so that any may be dropped and read
//! again; which one is active is asked anew each time, since another replica may have changed it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kit::Error;
use kit::db::Db;
use pack::Pack;

use crate::store;

/// How many versions are kept, each of at most [`crate::check::limits::COMPILED_BYTES_MAX`].
pub const VERSIONS_KEPT_MAX: usize = 16;

/// The versions read so far. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Versions {
    db: Db,
    kept: Arc<Mutex<BTreeMap<i64, Arc<Pack>>>>,
}

impl Versions {
    pub fn new(db: Db) -> Versions {
        Versions { db, kept: Arc::default() }
    }

    /// A version, 0 for the active one.
    ///
    /// # Errors
    /// PACK_NOT_FOUND, or NO_ACTIVE_PACK.
    pub async fn get(&self, version: i64) -> Result<Arc<Pack>, Error> {
        let version = if version == 0 { self.active().await? } else { version };
        if let Some(pack) = self.lock().get(&version) {
            return Ok(Arc::clone(pack));
        }
        let found = store::compiled(&self.db, version).await?;
        let pack = Arc::new(Pack::new(found.ok_or_else(|| not_found(version))?));
        let mut kept = self.lock();
        if kept.len() >= VERSIONS_KEPT_MAX {
            // The oldest is the least likely to be asked for again.
            kept.pop_first();
        }
        kept.insert(version, Arc::clone(&pack));
        Ok(pack)
    }

    async fn active(&self) -> Result<i64, Error> {
        match store::head(&self.db).await?.active_version {
            0 => Err(Error::failed_precondition("NO_ACTIVE_PACK").violation(
                "STATE",
                "packs/active",
                "activate a published version first",
            )),
            version => Ok(version),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Arc<Pack>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is no such version.
pub(crate) fn not_found(version: i64) -> Error {
    let version = version.to_string();
    Error::not_found("PACK_NOT_FOUND").resource("pack", &version).meta("version", &version)
}
