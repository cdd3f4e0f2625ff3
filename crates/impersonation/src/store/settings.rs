//! Rows of settings.

use contracts::impersonation::v1::Thresholds;
use kit::db::{Db, DbError, Sql, Tx};
use kit::{Time, args};
use prost::Message as _;

static GET: Sql = Sql::new("SELECT value FROM settings WHERE name = $1");
static PUT: Sql = Sql::new(
    "INSERT INTO settings (name, value, update_time) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, update_time = excluded.update_time",
);

pub(super) static STATEMENTS: [&Sql; 2] = [&GET, &PUT];

/// The name of the row.
const THRESHOLDS: &str = "thresholds";

/// The thresholds that were set; none while nobody has set any.
///
/// # Errors
/// If the database cannot be read.
pub async fn thresholds(db: &Db) -> Result<Option<Thresholds>, DbError> {
    let row: Option<(Vec<u8>,)> = db.read().fetch_optional(&GET, args![THRESHOLDS]).await?;
    row.map(|(value,)| super::decode(&value, THRESHOLDS)).transpose()
}

/// Sets the thresholds.
///
/// # Errors
/// If the statement fails.
pub async fn put_thresholds(tx: &mut Tx, to: &Thresholds, now: Time) -> Result<(), DbError> {
    tx.execute(&PUT, args![THRESHOLDS, to.encode_to_vec(), now]).await.map(drop)
}
