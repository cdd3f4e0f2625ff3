//! How far this service's own tasks have come in its event log, and the lease on moving on.

use kit::db::{Db, DbError, Sql, Tx};
use kit::{Time, args, tx};

static MAKE: Sql = Sql::new(
    "INSERT INTO cursors (name, seq, holder, lease_until) VALUES ($1, 0, '', 0)
     ON CONFLICT (name) DO NOTHING",
);
static TAKE: Sql = Sql::new(
    "UPDATE cursors SET holder = $2, lease_until = $3
      WHERE name = $1 AND (holder = $2 OR lease_until < $4)
     RETURNING seq",
);
static MOVE: Sql =
    Sql::new("UPDATE cursors SET seq = $4 WHERE name = $1 AND holder = $2 AND seq = $3");
static PLACE: Sql = Sql::new("SELECT seq FROM cursors WHERE name = $1");
static RELEASE: Sql =
    Sql::new("UPDATE cursors SET holder = '', lease_until = 0 WHERE name = $1 AND holder = $2");

pub(super) static STATEMENTS: [&Sql; 5] = [&MAKE, &TAKE, &MOVE, &PLACE, &RELEASE];

/// Takes or renews the lease until `until`; answers the place, or none while another holds it.
///
/// # Errors
/// If the database cannot be changed.
pub async fn take(
    db: &Db,
    name: &str,
    holder: &str,
    (now, until): (Time, Time),
) -> Result<Option<i64>, DbError> {
    tx!(db, "take_cursor", |tx| -> Result<Option<i64>, DbError> {
        tx.execute(&MAKE, args![name]).await?;
        let taken: Option<(i64,)> =
            tx.fetch_optional(&TAKE, args![name, holder, until, now]).await?;
        Ok(taken.map(|(seq,)| seq))
    })
}

/// Moves the place with the effect of what lies between; false if another has moved it.
///
/// # Errors
/// If the statement fails.
pub async fn advance(
    tx: &mut Tx,
    name: &str,
    holder: &str,
    (from, to): (i64, i64),
) -> Result<bool, DbError> {
    Ok(tx.execute(&MOVE, args![name, holder, from, to]).await? == 1)
}

/// Gives the lease back.
///
/// # Errors
/// If the database cannot be changed.
pub async fn release(db: &Db, name: &str, holder: &str) -> Result<(), DbError> {
    tx!(db, "release_cursor", |tx| -> Result<(), DbError> {
        tx.execute(&RELEASE, args![name, holder]).await.map(drop)
    })
}

/// The number of the last event that is done; 0 before the first.
///
/// # Errors
/// If the database cannot be read.
pub async fn place(db: &Db, name: &str) -> Result<i64, DbError> {
    let row: Option<(i64,)> = db.read().fetch_optional(&PLACE, args![name]).await?;
    Ok(row.map_or(0, |(seq,)| seq))
}
