//! Accounts: the lock of all that belongs to one, and the standing as it was told last.

use contracts::accounthealth::v1 as proto;
use kit::db::{Db, DbError, Hex, Sql, Tx, json};
use kit::{Time, args};
use prost::Message as _;
use serde::Serialize;

use super::keys;
use crate::account::Account;
use crate::message;
use crate::store::entries;

/// Accounts that a sweep settles in one transaction; the LIMIT of [`DUE`] and [`STALE`].
pub const SWEEP_BATCH: usize = 100;

static MAKE: Sql = Sql::new(
    "INSERT INTO accounts (account_id, locale, version, standing, restricted, last_entry_time)
     SELECT id, '', 0, $2, FALSE, 0
       FROM jsonb_to_recordset($1) AS n(id text)
      WHERE true
     ON CONFLICT (account_id) DO NOTHING",
);
static LOCK: Sql = Sql::new(
    "SELECT account_id, locale, standing, last_entry_time FROM accounts
      WHERE account_id IN (SELECT id FROM jsonb_to_recordset($1) AS n(id text))
      ORDER BY account_id
        FOR UPDATE",
);
static DUE: Sql = Sql::new(
    "SELECT account_id FROM accounts WHERE next_change_time <= $1
      ORDER BY next_change_time, account_id LIMIT 100 FOR UPDATE SKIP LOCKED",
);
static STALE: Sql = Sql::new(
    "SELECT account_id FROM accounts WHERE activation < $1
      ORDER BY activation, account_id LIMIT 100 FOR UPDATE SKIP LOCKED",
);
static PUT: Sql = Sql::new(
    "UPDATE accounts
        SET version = accounts.version + 1, standing = n.standing, restricted = n.restricted,
            next_change_time = n.next_change_time, activation = n.activation,
            last_entry_time = n.last_entry_time
       FROM jsonb_to_recordset($1) AS n(id text, standing bytea, restricted boolean,
            next_change_time bigint, activation bigint, last_entry_time bigint)
      WHERE accounts.account_id = n.id",
);
static PUT_LOCALE: Sql = Sql::new(
    "INSERT INTO accounts (account_id, locale, version, standing, restricted, last_entry_time)
     VALUES ($1, $2, 1, $3, FALSE, 0)
     ON CONFLICT (account_id) DO UPDATE
        SET locale = excluded.locale, version = accounts.version + 1",
);
static LOCALE: Sql = Sql::new("SELECT locale FROM accounts WHERE account_id = $1");
static RESTRICTED: Sql = Sql::new(
    "SELECT account_id, standing FROM accounts
      WHERE restricted AND account_id > $1 ORDER BY account_id LIMIT $2",
);
static COUNT_RESTRICTED: Sql = Sql::new("SELECT count(*) FROM accounts WHERE restricted");

/// Every statement of this module.
pub static ALL: &[&Sql] =
    &[&MAKE, &LOCK, &DUE, &STALE, &PUT, &PUT_LOCALE, &LOCALE, &RESTRICTED, &COUNT_RESTRICTED];

struct Row {
    account_id: String,
    locale: String,
    standing: Vec<u8>,
    last_entry_time: i64,
}

kit::record!(Row: account_id, locale, standing, last_entry_time);

/// Locks the accounts, in the order of their ids, making those that are not known yet; with
/// their ledgers.
pub async fn lock(tx: &mut Tx, ids: &[&str]) -> Result<Vec<Account>, DbError> {
    tx.execute(&MAKE, args![keys(ids.iter().copied()), Vec::new()]).await?;
    lock_known(tx, ids).await
}

/// Locks the accounts that are known.
pub async fn lock_known(tx: &mut Tx, ids: &[&str]) -> Result<Vec<Account>, DbError> {
    let rows: Vec<Row> = tx.fetch_all(&LOCK, args![keys(ids.iter().copied())]).await?;
    let mut ledgers = entries::of_accounts(tx, ids).await?;
    let account = |row: Row| -> Result<Account, DbError> {
        Ok(Account {
            entries: ledgers.remove(&row.account_id).unwrap_or_default(),
            announced: told(&row.account_id, &row.standing)?,
            account_id: row.account_id,
            locale: row.locale,
            last_time: Time::from_micros(row.last_entry_time),
            statements: Vec::new(),
        })
    };
    rows.into_iter().map(account).collect()
}

/// Locks up to [`SWEEP_BATCH`] accounts whose standing changes by `now`, none that another
/// transaction is busy with.
pub async fn lock_due(tx: &mut Tx, now: Time) -> Result<Vec<Account>, DbError> {
    let ids: Vec<(String,)> = tx.fetch_all(&DUE, args![now]).await?;
    lock_ids(tx, ids).await
}

/// Locks up to [`SWEEP_BATCH`] accounts whose standing was worked out under an earlier
/// activation, none that another transaction is busy with.
pub async fn lock_stale(tx: &mut Tx, activation: i64) -> Result<Vec<Account>, DbError> {
    let ids: Vec<(String,)> = tx.fetch_all(&STALE, args![activation]).await?;
    lock_ids(tx, ids).await
}

async fn lock_ids(tx: &mut Tx, ids: Vec<(String,)>) -> Result<Vec<Account>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = ids.iter().map(|(id,)| id.as_str()).collect();
    lock_known(tx, &ids).await
}

#[derive(Serialize)]
struct Put<'a> {
    id: &'a str,
    standing: Hex<'a>,
    restricted: bool,
    next_change_time: Option<i64>,
    activation: i64,
    last_entry_time: i64,
}

/// Stores how locked accounts stand now, under the ladders of an activation.
pub async fn put(tx: &mut Tx, accounts: &[Account], activation: i64) -> Result<(), DbError> {
    let bytes: Vec<Vec<u8>> =
        accounts.iter().map(|account| account.announced.encode_to_vec()).collect();
    let rows: Vec<Put<'_>> = accounts
        .iter()
        .zip(&bytes)
        .map(|(account, bytes)| {
            let next = account.announced.next_change_time.as_ref();
            Put {
                id: &account.account_id,
                standing: Hex(bytes),
                restricted: !account.announced.restrictions.is_empty(),
                next_change_time: next.and_then(Time::from_timestamp).map(Time::micros),
                activation,
                last_entry_time: account.last_time.micros(),
            }
        })
        .collect();
    tx.execute(&PUT, args![json(&rows)]).await.map(drop)
}

/// Stores the language in which an account is to be written to.
pub async fn put_locale(tx: &mut Tx, account_id: &str, locale: &str) -> Result<(), DbError> {
    tx.execute(&PUT_LOCALE, args![account_id, locale, Vec::new()]).await.map(drop)
}

/// The language in which an account is to be written to; empty where it was not told.
pub async fn locale(db: &Db, account_id: &str) -> Result<String, DbError> {
    let row: Option<(String,)> = db.read().fetch_optional(&LOCALE, args![account_id]).await?;
    Ok(row.map(|(locale,)| locale).unwrap_or_default())
}

/// The standings told last of the restricted accounts after `after`, in order of their ids, at
/// most `limit`.
pub async fn restricted(db: &Db, after: &str, limit: i64) -> Result<Vec<proto::Standing>, DbError> {
    let rows: Vec<(String, Vec<u8>)> =
        db.read().fetch_all(&RESTRICTED, args![after, limit]).await?;
    rows.iter().map(|(id, bytes)| told(id, bytes)).collect()
}

/// How many accounts are restricted.
pub async fn count_restricted(db: &Db) -> Result<i64, DbError> {
    let (count,): (i64,) = db.read().fetch_one(&COUNT_RESTRICTED, args![]).await?;
    Ok(count)
}

fn told(account_id: &str, bytes: &[u8]) -> Result<proto::Standing, DbError> {
    if bytes.is_empty() {
        return Ok(message::good_standing(account_id, Time::EPOCH));
    }
    proto::Standing::decode(bytes).map_err(|error| {
        DbError::internal(format!("the standing of {account_id} does not decode: {error}"))
    })
}
