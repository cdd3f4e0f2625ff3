//! Rows of exemptions.

use contracts::impersonation::v1::Exemption;
use contracts::impersonation::v1::exemption::State;
use kit::db::{Db, DbError, Sql, Tx, json};
use kit::{Time, args};

use super::{keys, number, rows};
use crate::exemption::NEVER;

/// Sorts after every exemption's id.
pub const ID_MAX: &str = super::id_max!("exm");

/// Whole rows: what [`Row`] reads.
macro_rules! select {
    ($which:literal) => {
        Sql::new(concat!(
            "SELECT e.exemption_id, e.account_id, e.identity_id, e.kind, e.state, e.evidence,
                    e.end_reason, e.create_time, e.update_time, e.expire_time ",
            $which
        ))
    };
}

static INSERT: Sql = Sql::new(
    "INSERT INTO exemptions (exemption_id, account_id, identity_id, kind, state, evidence,
                             end_reason, create_time, update_time, expire_time)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
static UPDATE: Sql = Sql::new(
    "UPDATE exemptions SET state = $2, end_reason = $3, update_time = $4 WHERE exemption_id = $1",
);
static LOCK: Sql = select!("FROM exemptions AS e WHERE e.exemption_id = $1 FOR UPDATE");
static IN_FORCE: Sql = select!(
    "FROM jsonb_to_recordset($1) AS n(k text) CROSS JOIN exemptions AS e
      WHERE e.account_id = n.k AND e.state <> 3 AND e.expire_time > $2
      ORDER BY e.exemption_id"
);
static LIST_ACCOUNT: Sql = select!(
    "FROM exemptions AS e WHERE e.account_id = $1 AND ($2 = '' OR e.identity_id = $2)
        AND e.exemption_id < $3 ORDER BY e.exemption_id DESC LIMIT $4"
);
static LIST_IDENTITY: Sql = select!(
    "FROM exemptions AS e WHERE e.identity_id = $1 AND e.exemption_id < $2
      ORDER BY e.exemption_id DESC LIMIT $3"
);
static ACCOUNTS: Sql = Sql::new(
    "SELECT DISTINCT account_id FROM exemptions WHERE account_id > $1
      ORDER BY account_id LIMIT $2",
);
static LIST_ALL: Sql =
    select!("FROM exemptions AS e WHERE e.exemption_id < $1 ORDER BY e.exemption_id DESC LIMIT $2");
static DUE: Sql = select!(
    "FROM exemptions AS e WHERE e.state <> 3 AND e.expire_time <= $1
      ORDER BY e.expire_time, e.exemption_id LIMIT $2 FOR UPDATE SKIP LOCKED"
);

pub(super) static STATEMENTS: [&Sql; 9] =
    [&INSERT, &UPDATE, &LOCK, &IN_FORCE, &ACCOUNTS, &LIST_ACCOUNT, &LIST_IDENTITY, &LIST_ALL, &DUE];

struct Row {
    exemption_id: String,
    account_id: String,
    identity_id: String,
    kind: i64,
    state: i64,
    evidence: String,
    end_reason: String,
    create_time: i64,
    update_time: i64,
    expire_time: i64,
}

kit::record!(
    Row:
    exemption_id, account_id, identity_id, kind, state, evidence, end_reason, create_time,
    update_time, expire_time
);

impl From<Row> for Exemption {
    fn from(row: Row) -> Exemption {
        let expires = row.expire_time != NEVER.micros();
        Exemption {
            exemption_id: row.exemption_id,
            account_id: row.account_id,
            identity_id: row.identity_id,
            kind: number(row.kind),
            state: number(row.state),
            evidence: row.evidence,
            create_time: Some(Time::from_micros(row.create_time).into()),
            update_time: Some(Time::from_micros(row.update_time).into()),
            expire_time: expires.then(|| Time::from_micros(row.expire_time).into()),
            end_reason: row.end_reason,
        }
    }
}

fn exemptions(rows: Vec<Row>) -> Vec<Exemption> {
    rows.into_iter().map(Exemption::from).collect()
}

/// Stores a new exemption.
///
/// # Errors
/// If the statement fails.
pub async fn insert(tx: &mut Tx, new: &Exemption, now: Time) -> Result<(), DbError> {
    let expire = new.expire_time.as_ref().and_then(Time::from_timestamp).unwrap_or(NEVER);
    let arguments = args![
        &new.exemption_id,
        &new.account_id,
        &new.identity_id,
        new.kind,
        new.state,
        &new.evidence,
        &new.end_reason,
        now,
        now,
        expire,
    ];
    tx.execute(&INSERT, arguments).await.map(drop)
}

/// Stores that an exemption has ended.
///
/// # Errors
/// If the statement fails.
pub async fn end(tx: &mut Tx, exemption_id: &str, why: &str, now: Time) -> Result<(), DbError> {
    let arguments = args![exemption_id, State::Ended as i32, why, now];
    tx.execute(&UPDATE, arguments).await.map(drop)
}

/// An exemption, locked until the end of the transaction.
///
/// # Errors
/// If the statement fails.
pub async fn lock(tx: &mut Tx, exemption_id: &str) -> Result<Option<Exemption>, DbError> {
    let row: Option<Row> = tx.fetch_optional(&LOCK, args![exemption_id]).await?;
    Ok(row.map(Exemption::from))
}

/// What holds for these accounts at an instant, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub async fn in_force<'a>(
    db: &Db,
    account_ids: impl IntoIterator<Item = &'a str>,
    at: Time,
) -> Result<Vec<Exemption>, DbError> {
    let arguments = args![json(&keys(account_ids)), at];
    Ok(exemptions(db.read().fetch_all(&IN_FORCE, arguments).await?))
}

/// A page of the accounts that have or had an exemption, after one, in order.
///
/// # Errors
/// If the database cannot be read.
pub async fn accounts(db: &Db, after: &str, limit: usize) -> Result<Vec<String>, DbError> {
    let found: Vec<(String,)> = db.read().fetch_all(&ACCOUNTS, args![after, rows(limit)]).await?;
    Ok(found.into_iter().map(|(account_id,)| account_id).collect())
}

/// A page of exemptions before an id, newest first; an empty account or identity does not narrow
/// it down.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(
    db: &Db,
    account_id: &str,
    identity_id: &str,
    before: &str,
    limit: usize,
) -> Result<Vec<Exemption>, DbError> {
    let (read, limit) = (db.read(), rows(limit));
    let found = match (account_id, identity_id) {
        ("", "") => read.fetch_all(&LIST_ALL, args![before, limit]).await?,
        ("", identity) => read.fetch_all(&LIST_IDENTITY, args![identity, before, limit]).await?,
        (account, identity) => {
            read.fetch_all(&LIST_ACCOUNT, args![account, identity, before, limit]).await?
        }
    };
    Ok(exemptions(found))
}

/// Exemptions whose time has run out by `now`, locked.
///
/// # Errors
/// If the statement fails.
pub async fn lock_due(tx: &mut Tx, now: Time, limit: usize) -> Result<Vec<Exemption>, DbError> {
    Ok(exemptions(tx.fetch_all(&DUE, args![now, rows(limit)]).await?))
}
