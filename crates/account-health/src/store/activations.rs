//! Which version of the pack was in force here, and since when.

use kit::db::{Db, DbError, Sql, Tx};
use kit::{Clock, Time, args};

static LATEST: Sql =
    Sql::new("SELECT seq, version, apply_time FROM activations ORDER BY seq DESC LIMIT 1");
static LOCK: Sql = Sql::new(
    "SELECT seq, version, apply_time FROM activations ORDER BY seq DESC LIMIT 1 FOR UPDATE",
);
static AS_OF: Sql = Sql::new(
    "SELECT seq, version, apply_time FROM activations
      WHERE apply_time <= $1 ORDER BY seq DESC LIMIT 1",
);
static INSERT: Sql = Sql::new(
    "INSERT INTO activations (seq, version, activate_time, apply_time) VALUES ($1, $2, $3, $4)",
);

/// Every statement of this module.
pub static ALL: &[&Sql] = &[&LATEST, &LOCK, &AS_OF, &INSERT];

/// A version of the pack coming into force here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// 1, 2, 3, …
    pub seq: i64,
    /// The version of the pack.
    pub version: i64,
    /// Since when standings are worked out under it, microseconds UTC.
    pub apply_time: i64,
}

kit::record!(Activation: seq, version, apply_time);

/// The one in force, which stays so until the end of the transaction. Locked before any account,
/// so that an entry is never written under ladders that are no longer in force by its time.
pub async fn lock(tx: &mut Tx) -> Result<Option<Activation>, DbError> {
    tx.fetch_optional(&LOCK, args![]).await
}

/// The one in force.
pub async fn in_force(db: &Db) -> Result<Option<Activation>, DbError> {
    db.read().fetch_optional(&LATEST, args![]).await
}

/// The one that was in force at an instant.
pub async fn as_of(db: &Db, at: Time) -> Result<Option<Activation>, DbError> {
    db.read().fetch_optional(&AS_OF, args![at]).await
}

/// Stores that a version that the policy service activated at `activated` is in force from now
/// on, or from just after the one before.
pub async fn apply(
    tx: &mut Tx,
    version: i64,
    activated: Time,
    clock: &Clock,
) -> Result<Activation, DbError> {
    let last = lock(tx).await?;
    // Read under the lock: later than every entry written under the one before.
    let now = clock.now();
    let seq = last.map_or(0, |last| last.seq).saturating_add(1);
    let after = last.map_or(i64::MIN, |last| last.apply_time.saturating_add(1));
    let apply_time = now.micros().max(after);
    tx.execute(&INSERT, args![seq, version, activated, apply_time]).await?;
    Ok(Activation { seq, version, apply_time })
}
