//! Rows of the population.

use contracts::impersonation::v1::Profile;
use kit::db::{Db, DbError, Hex, Sql, Tx, json};
use kit::{Time, args};
use prost::Message as _;
use serde::Serialize;

use super::{decode, keys, rows};
use crate::profile::{Look, Observed};

static LOCK: Sql = Sql::new(
    "SELECT p.account_id, p.number, p.profile, p.look, p.name_time
       FROM jsonb_to_recordset($1) AS n(k text) CROSS JOIN profiles AS p
      WHERE p.account_id = n.k ORDER BY p.account_id FOR UPDATE",
);
static SOME: Sql = Sql::new(
    "SELECT p.account_id, p.number, p.profile, p.look, p.name_time
       FROM jsonb_to_recordset($1) AS n(k text) CROSS JOIN profiles AS p
      WHERE p.account_id = n.k ORDER BY p.account_id",
);
static ALL: Sql = Sql::new(
    "SELECT account_id, number, profile, look, name_time FROM profiles WHERE number > $1
      ORDER BY number LIMIT $2",
);
static HITS: Sql = Sql::new(
    "SELECT p.account_id, p.number, p.profile, p.look, p.name_time
       FROM jsonb_to_recordset($1) AS n(k bigint) CROSS JOIN profiles AS p
      WHERE p.number = n.k ORDER BY p.number",
);
static STAND: Sql = Sql::new(
    "SELECT h.seq, c.value FROM event_head AS h CROSS JOIN counters AS c
      WHERE h.id = 1 AND c.name = 'profiles'",
);
static PUT: Sql = Sql::new(
    "INSERT INTO profiles (account_id, number, profile, look, name_time, update_time)
     SELECT account_id, number, profile, look, name_time, CAST($2 AS BIGINT)
       FROM jsonb_to_recordset($1)
         AS n(account_id text, number bigint, profile bytea, look bytea, name_time bigint)
      WHERE true
     ON CONFLICT (account_id) DO UPDATE SET profile = excluded.profile, look = excluded.look,
                                            name_time = excluded.name_time,
                                            update_time = excluded.update_time",
);
static FORGET: Sql = Sql::new(
    "DELETE FROM profiles WHERE account_id IN
            (SELECT k FROM jsonb_to_recordset($1) AS n(k text))
     RETURNING account_id",
);

pub(super) static STATEMENTS: [&Sql; 7] = [&LOCK, &SOME, &ALL, &HITS, &STAND, &PUT, &FORGET];

struct Row {
    account_id: String,
    number: i64,
    profile: Vec<u8>,
    look: Vec<u8>,
    name_time: i64,
}

kit::record!(Row: account_id, number, profile, look, name_time);

impl Row {
    fn observed(self) -> Result<Observed, DbError> {
        let profile: Profile = decode(&self.profile, &self.account_id)?;
        let look = Look::read(&self.look)
            .ok_or_else(|| DbError::internal(format!("{} has no look", self.account_id)))?;
        let name_time = Time::from_micros(self.name_time);
        Ok(Observed { number: self.number, profile, look, name_time })
    }
}

fn observed(rows: Vec<Row>) -> Result<Vec<Observed>, DbError> {
    rows.into_iter().map(Row::observed).collect()
}

/// Rows that one statement reads or writes; more take several.
const BATCH_ROWS: usize = 2_000;

/// Those of these accounts that are known, locked, in order of their ids.
///
/// # Errors
/// If the statement fails.
pub async fn lock<'a>(
    tx: &mut Tx,
    account_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Observed>, DbError> {
    let mut found = Vec::new();
    for some in keys(account_ids).chunks(BATCH_ROWS) {
        found.extend(observed(tx.fetch_all(&LOCK, args![json(some)]).await?)?);
    }
    Ok(found)
}

/// Those of these accounts that are known, as committed, in order of their ids.
///
/// # Errors
/// If the database cannot be read.
pub async fn some<'a>(
    db: &Db,
    account_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Observed>, DbError> {
    observed(db.read().fetch_all(&SOME, args![json(&keys(account_ids))]).await?)
}

/// All profiles after a number, in order.
///
/// # Errors
/// If the database cannot be read.
pub async fn all(db: &Db, after: i64, limit: usize) -> Result<Vec<Observed>, DbError> {
    observed(db.read().fetch_all(&ALL, args![after, rows(limit)]).await?)
}

/// The profiles with these numbers, as far as they are known, in order of the numbers.
///
/// # Errors
/// If the database cannot be read.
pub async fn hits(db: &Db, numbers: &[i64]) -> Result<Vec<Observed>, DbError> {
    #[derive(Serialize)]
    struct Number {
        k: i64,
    }
    let batch: Vec<Number> = numbers.iter().map(|&k| Number { k }).collect();
    observed(db.read().fetch_all(&HITS, args![json(&batch)]).await?)
}

/// The number of the last event, and of the last profile that was new by then.
///
/// # Errors
/// If the database cannot be read.
pub async fn stand(db: &Db) -> Result<(i64, i64), DbError> {
    db.read().fetch_one(&STAND, args![]).await
}

/// Stores profiles, known or new; numbers the new ones, whose number is 0.
///
/// # Errors
/// If a statement fails.
pub async fn put(tx: &mut Tx, batch: &mut [&mut Observed], now: Time) -> Result<(), DbError> {
    #[derive(Serialize)]
    struct New<'a> {
        account_id: &'a str,
        number: i64,
        profile: Hex<'a>,
        look: Hex<'a>,
        name_time: i64,
    }
    let new = batch.iter().filter(|observed| observed.number == 0).count();
    if new > 0 {
        let first = super::numbers(tx, "profiles", new).await?;
        let unnumbered = batch.iter_mut().filter(|observed| observed.number == 0);
        for (number, observed) in (first..).zip(unnumbered) {
            observed.number = number;
        }
    }
    batch.sort_unstable_by(|a, b| a.profile.account_id.cmp(&b.profile.account_id));
    let profiles: Vec<Vec<u8>> = batch.iter().map(|o| o.profile.encode_to_vec()).collect();
    let rows: Vec<New<'_>> = batch
        .iter()
        .zip(&profiles)
        .map(|(observed, profile)| New {
            account_id: &observed.profile.account_id,
            number: observed.number,
            profile: Hex(profile),
            look: Hex(observed.look.bytes()),
            name_time: observed.name_time.micros(),
        })
        .collect();
    for some in rows.chunks(BATCH_ROWS) {
        tx.execute(&PUT, args![json(some), now]).await?;
    }
    Ok(())
}

/// Forgets accounts; answers which were known, in order.
///
/// # Errors
/// If the statement fails.
pub async fn forget<'a>(
    tx: &mut Tx,
    account_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>, DbError> {
    let forgotten: Vec<(String,)> = tx.fetch_all(&FORGET, args![json(&keys(account_ids))]).await?;
    let mut forgotten: Vec<String> = forgotten.into_iter().map(|(id,)| id).collect();
    forgotten.sort_unstable();
    Ok(forgotten)
}
