//! Rows of protected identities and of their accounts.

use contracts::impersonation::v1::ProtectedIdentity;
use contracts::impersonation::v1::protected_identity::State;
use kit::db::{Db, DbError, Hex, Sql, Tx, json};
use kit::{Time, args};
use prost::Message as _;
use serde::Serialize;

use super::{decode, keys, number, rows};
use crate::identity::Identity;
use crate::picture::Pictures;

/// Sorts after every identity's id.
pub const ID_MAX: &str = super::id_max!("idn");

/// Whole rows: what [`Row`] reads.
macro_rules! select {
    ($which:literal) => {
        Sql::new(concat!(
            "SELECT i.identity_id, i.number, i.state, i.spec, i.pictures, i.verifications,
                    i.end_reason, i.create_time, i.update_time, i.version ",
            $which
        ))
    };
}

static INSERT: Sql = Sql::new(
    "INSERT INTO identities (identity_id, number, state, owner_account_id, spec, pictures,
                             verifications, end_reason, create_time, update_time,
                             known_since_time, next_lapse_time, version, monitored)
     SELECT identity_id, number, state, owner_account_id, spec, pictures, verifications,
            end_reason, create_time, update_time, known_since_time, next_lapse_time, version,
            monitored
       FROM jsonb_to_recordset($1)
         AS n(identity_id text, number bigint, state bigint, owner_account_id text, spec bytea,
              pictures bytea, verifications bytea, end_reason text, create_time bigint,
              update_time bigint, known_since_time bigint, next_lapse_time bigint,
              version bigint, monitored boolean)",
);
static UPDATE: Sql = Sql::new(
    "UPDATE identities SET state = $2, owner_account_id = $3, spec = $4, pictures = $5,
            verifications = $6, end_reason = $7, update_time = $8, known_since_time = $9,
            next_lapse_time = $10, version = $11, monitored = $12
      WHERE identity_id = $1",
);
static GET: Sql = select!("FROM identities AS i WHERE i.identity_id = $1");
static LOCK: Sql = select!("FROM identities AS i WHERE i.identity_id = $1 FOR UPDATE");
static SOME: Sql = select!(
    "FROM jsonb_to_recordset($1) AS n(k text) CROSS JOIN identities AS i
      WHERE i.identity_id = n.k ORDER BY i.identity_id"
);
static HITS: Sql = select!(
    "FROM jsonb_to_recordset($1) AS n(k bigint) CROSS JOIN identities AS i
      WHERE i.number = n.k ORDER BY i.number"
);
static ALL: Sql = select!("FROM identities AS i WHERE i.number > $1 ORDER BY i.number LIMIT $2");
static LIST: Sql = select!(
    "FROM identities AS i WHERE i.identity_id > $1 AND ($2 = 0 OR i.state = $2)
      ORDER BY i.identity_id LIMIT $3"
);
static LIST_OF: Sql = select!(
    "FROM identity_accounts AS a CROSS JOIN identities AS i
      WHERE a.account_id = $1 AND a.kind = 0 AND i.identity_id = a.identity_id
        AND i.identity_id > $2 AND ($3 = 0 OR i.state = $3)
      ORDER BY i.identity_id LIMIT $4"
);
static DUE: Sql = select!(
    "FROM identities AS i WHERE i.state = 1 AND i.next_lapse_time <= $1
      ORDER BY i.next_lapse_time, i.identity_id LIMIT $2 FOR UPDATE SKIP LOCKED"
);
static LAST_NUMBER: Sql = Sql::new("SELECT value FROM counters WHERE name = $1");
static ADD_ACCOUNTS: Sql = Sql::new(
    "INSERT INTO identity_accounts (account_id, identity_id, kind)
     SELECT account_id, identity_id, kind
       FROM jsonb_to_recordset($1) AS n(account_id text, identity_id text, kind bigint)",
);
static DROP_ACCOUNTS: Sql = Sql::new("DELETE FROM identity_accounts WHERE identity_id = $1");
static ENROLLED: Sql = Sql::new(
    "SELECT a.account_id FROM jsonb_to_recordset($1) AS n(k text)
       CROSS JOIN identity_accounts AS a
      WHERE a.account_id = n.k AND a.kind = 0 AND a.identity_id <> $2
      ORDER BY a.account_id",
);

pub(super) static STATEMENTS: [&Sql; 14] = [
    &INSERT,
    &UPDATE,
    &GET,
    &LOCK,
    &SOME,
    &HITS,
    &ALL,
    &LIST,
    &LIST_OF,
    &DUE,
    &LAST_NUMBER,
    &ADD_ACCOUNTS,
    &DROP_ACCOUNTS,
    &ENROLLED,
];

struct Row {
    identity_id: String,
    number: i64,
    state: i64,
    spec: Vec<u8>,
    pictures: Vec<u8>,
    verifications: Vec<u8>,
    end_reason: String,
    create_time: i64,
    update_time: i64,
    version: i64,
}

kit::record!(
    Row:
    identity_id, number, state, spec, pictures, verifications, end_reason, create_time,
    update_time, version
);

impl Row {
    fn identity(self) -> Result<Identity, DbError> {
        let of = &self.identity_id;
        let state = State::try_from(number(self.state))
            .map_err(|_| DbError::internal(format!("{of} has an unknown state")))?;
        let verified: ProtectedIdentity = decode(&self.verifications, of)?;
        Ok(Identity {
            number: self.number,
            state,
            spec: decode(&self.spec, of)?,
            pictures: decode(&self.pictures, of)?,
            verifications: verified.verifications,
            end_reason: self.end_reason,
            create_time: Time::from_micros(self.create_time),
            update_time: Time::from_micros(self.update_time),
            version: self.version,
            identity_id: self.identity_id,
        })
    }
}

fn identities(rows: Vec<Row>) -> Result<Vec<Identity>, DbError> {
    rows.into_iter().map(Row::identity).collect()
}

#[derive(Serialize)]
struct NewRow<'a> {
    identity_id: &'a str,
    number: i64,
    state: i32,
    owner_account_id: &'a str,
    spec: Hex<'a>,
    pictures: Hex<'a>,
    verifications: Hex<'a>,
    end_reason: &'a str,
    create_time: i64,
    update_time: i64,
    known_since_time: i64,
    next_lapse_time: i64,
    version: i64,
    monitored: bool,
}

#[derive(Serialize)]
struct Account<'a> {
    account_id: &'a str,
    identity_id: &'a str,
    kind: i32,
}

/// What an identity's columns of bytes hold.
fn bytes(identity: &Identity) -> [Vec<u8>; 3] {
    let verified = ProtectedIdentity {
        verifications: identity.verifications.clone(),
        ..ProtectedIdentity::default()
    };
    let pictures: &Pictures = &identity.pictures;
    [identity.spec.encode_to_vec(), pictures.encode_to_vec(), verified.encode_to_vec()]
}

/// Stores new identities with their accounts and numbers them.
///
/// # Errors
/// If a statement fails; on the constraint `identity_accounts_own` if an account is enrolled.
pub async fn insert(tx: &mut Tx, new: &mut [Identity]) -> Result<(), DbError> {
    let first = super::numbers(tx, "identities", new.len()).await?;
    for (number, identity) in (first..).zip(new.iter_mut()) {
        identity.number = number;
    }
    let columns: Vec<[Vec<u8>; 3]> = new.iter().map(bytes).collect();
    let batch: Vec<NewRow<'_>> = new
        .iter()
        .zip(&columns)
        .map(|(identity, [spec, pictures, verifications])| NewRow {
            identity_id: &identity.identity_id,
            number: identity.number,
            state: identity.state as i32,
            owner_account_id: identity.owner(),
            spec: Hex(spec),
            pictures: Hex(pictures),
            verifications: Hex(verifications),
            end_reason: &identity.end_reason,
            create_time: identity.create_time.micros(),
            update_time: identity.update_time.micros(),
            known_since_time: identity.known_since().micros(),
            next_lapse_time: identity.next_lapse().micros(),
            version: identity.version,
            monitored: identity.spec.monitored,
        })
        .collect();
    tx.execute(&INSERT, args![json(&batch)]).await?;
    add_accounts(tx, new).await
}

async fn add_accounts(tx: &mut Tx, of: &[Identity]) -> Result<(), DbError> {
    let mut batch: Vec<Account<'_>> = Vec::new();
    for identity in of {
        let identity_id = identity.identity_id.as_str();
        let own = identity.spec.account_ids.iter().map(|id| (id, 0));
        let affiliates = identity.spec.affiliates.iter().map(|a| (&a.account_id, a.kind));
        batch.extend(own.chain(affiliates).map(|(id, kind)| Account {
            account_id: id,
            identity_id,
            kind,
        }));
    }
    batch.sort_unstable_by_key(|account| (account.account_id, account.identity_id));
    if batch.is_empty() {
        return Ok(());
    }
    tx.execute(&ADD_ACCOUNTS, args![json(&batch)]).await.map(drop)
}

/// Stores what an identity is now, with its accounts; it has none once its protection is over.
///
/// # Errors
/// If a statement fails; on the constraint `identity_accounts_own` if an account is enrolled.
pub async fn update(tx: &mut Tx, identity: &Identity) -> Result<(), DbError> {
    let [spec, pictures, verifications] = bytes(identity);
    let arguments = args![
        &identity.identity_id,
        identity.state as i32,
        identity.owner(),
        spec,
        pictures,
        verifications,
        &identity.end_reason,
        identity.update_time,
        identity.known_since(),
        identity.next_lapse(),
        identity.version,
        identity.spec.monitored,
    ];
    tx.execute(&UPDATE, arguments).await?;
    tx.execute(&DROP_ACCOUNTS, args![&identity.identity_id]).await?;
    match identity.state {
        State::Active => add_accounts(tx, std::slice::from_ref(identity)).await,
        _ => Ok(()),
    }
}

/// Which of these accounts are another identity's own.
///
/// # Errors
/// If the statement fails.
pub async fn enrolled<'a>(
    tx: &mut Tx,
    account_ids: impl IntoIterator<Item = &'a str>,
    but_of: &str,
) -> Result<Vec<String>, DbError> {
    let batch = keys(account_ids);
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<(String,)> = tx.fetch_all(&ENROLLED, args![json(&batch), but_of]).await?;
    Ok(found.into_iter().map(|(account_id,)| account_id).collect())
}

/// An identity, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn get(db: &Db, identity_id: &str) -> Result<Option<Identity>, DbError> {
    let row: Option<Row> = db.read().fetch_optional(&GET, args![identity_id]).await?;
    row.map(Row::identity).transpose()
}

/// An identity within a transaction.
///
/// # Errors
/// If the statement fails.
pub async fn get_in(tx: &mut Tx, identity_id: &str) -> Result<Option<Identity>, DbError> {
    let row: Option<Row> = tx.fetch_optional(&GET, args![identity_id]).await?;
    row.map(Row::identity).transpose()
}

/// An identity, locked until the end of the transaction.
///
/// # Errors
/// If the statement fails.
pub async fn lock(tx: &mut Tx, identity_id: &str) -> Result<Option<Identity>, DbError> {
    let row: Option<Row> = tx.fetch_optional(&LOCK, args![identity_id]).await?;
    row.map(Row::identity).transpose()
}

/// These identities, as committed, in order of their ids.
///
/// # Errors
/// If the database cannot be read.
pub async fn some<'a>(
    db: &Db,
    identity_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Identity>, DbError> {
    identities(db.read().fetch_all(&SOME, args![json(&keys(identity_ids))]).await?)
}

/// The identities with these numbers, in order of the numbers.
///
/// # Errors
/// If the database cannot be read.
pub async fn hits(db: &Db, numbers: &[u64]) -> Result<Vec<Identity>, DbError> {
    #[derive(Serialize)]
    struct Number {
        k: u64,
    }
    let batch: Vec<Number> = numbers.iter().map(|&k| Number { k }).collect();
    identities(db.read().fetch_all(&HITS, args![json(&batch)]).await?)
}

/// All identities after a number, whatever their state, in order.
///
/// # Errors
/// If the database cannot be read.
pub async fn all(db: &Db, after: i64, limit: usize) -> Result<Vec<Identity>, DbError> {
    identities(db.read().fetch_all(&ALL, args![after, rows(limit)]).await?)
}

/// The greatest number that any identity has.
///
/// # Errors
/// If the database cannot be read.
pub async fn last_number(db: &Db) -> Result<i64, DbError> {
    let (last,): (i64,) = db.read().fetch_one(&LAST_NUMBER, args!["identities"]).await?;
    Ok(last)
}

/// A page of all identities, or of those in a state, after an id.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(
    db: &Db,
    state: State,
    after: &str,
    limit: usize,
) -> Result<Vec<Identity>, DbError> {
    let arguments = args![after, state as i32, rows(limit)];
    identities(db.read().fetch_all(&LIST, arguments).await?)
}

/// A page of the identities whose own account this is, after an id.
///
/// # Errors
/// If the database cannot be read.
pub async fn list_of(
    db: &Db,
    account_id: &str,
    state: State,
    after: &str,
    limit: usize,
) -> Result<Vec<Identity>, DbError> {
    let arguments = args![account_id, after, state as i32, rows(limit)];
    identities(db.read().fetch_all(&LIST_OF, arguments).await?)
}

/// Identities of which something has run out by `now`, locked.
///
/// # Errors
/// If the statement fails.
pub async fn lock_due(tx: &mut Tx, now: Time, limit: usize) -> Result<Vec<Identity>, DbError> {
    identities(tx.fetch_all(&DUE, args![now, rows(limit)]).await?)
}
