//! The ledger: entries are inserted and read, never changed.

use std::collections::HashMap;

use contracts::types::v1::{Severity, Subject};
use kit::db::{Db, DbError, Sql, Tx, json};
use kit::{Time, args};
use serde::Serialize;

use super::keys;
use crate::ledger::{Body, Entry, Violation};

/// `entries.kind` of a violation.
const VIOLATION: i64 = 1;
/// `entries.kind` of a void.
const VOID: i64 = 2;

static INSERT: Sql = Sql::new(
    "INSERT INTO entries (entry_id, account_id, kind, decision_id, case_id, subject_type,
            subject_id, policy, edition, severity, points, ladders, effective_time, expire_time,
            pack_version, voids_entry_id, statement_id, create_time)
     SELECT entry_id, account_id, kind, decision_id, case_id, subject_type,
            subject_id, policy, edition, severity, points, ladders, effective_time, expire_time,
            pack_version, voids_entry_id, statement_id, create_time
       FROM jsonb_to_recordset($1) AS n(entry_id text, account_id text, kind bigint,
            decision_id text, case_id text, subject_type bigint, subject_id text, policy text,
            edition text, severity bigint, points bigint, ladders jsonb, effective_time bigint,
            expire_time bigint, pack_version bigint, voids_entry_id text, statement_id text,
            create_time bigint)",
);
static OF_ACCOUNTS: Sql = Sql::new(
    "SELECT entry_id, account_id, decision_id, case_id, subject_type, subject_id, policy,
            edition, severity, points, ladders, effective_time, expire_time, pack_version,
            voids_entry_id, statement_id, create_time
       FROM entries
      WHERE account_id IN (SELECT id FROM jsonb_to_recordset($1) AS n(id text))
      ORDER BY account_id, create_time, entry_id",
);
static OF_ACCOUNT: Sql = Sql::new(
    "SELECT entry_id, account_id, decision_id, case_id, subject_type, subject_id, policy,
            edition, severity, points, ladders, effective_time, expire_time, pack_version,
            voids_entry_id, statement_id, create_time
       FROM entries
      WHERE account_id = $1
      ORDER BY create_time, entry_id",
);

/// Every statement of this module.
pub static ALL: &[&Sql] = &[&INSERT, &OF_ACCOUNTS, &OF_ACCOUNT];

struct Row {
    entry_id: String,
    account_id: String,
    decision_id: String,
    case_id: String,
    subject_type: i64,
    subject_id: String,
    policy: Option<String>,
    edition: Option<String>,
    severity: Option<i64>,
    points: Option<i64>,
    ladders: Option<sqlx::types::Json<Vec<String>>>,
    effective_time: Option<i64>,
    expire_time: Option<i64>,
    pack_version: i64,
    voids_entry_id: Option<String>,
    statement_id: String,
    create_time: i64,
}

kit::record!(
    Row:
    entry_id, account_id, decision_id, case_id, subject_type, subject_id, policy, edition,
    severity, points, ladders, effective_time, expire_time, pack_version, voids_entry_id,
    statement_id, create_time
);

#[derive(Serialize)]
struct New<'a> {
    entry_id: &'a str,
    account_id: &'a str,
    kind: i64,
    decision_id: &'a str,
    case_id: &'a str,
    subject_type: i32,
    subject_id: &'a str,
    policy: Option<&'a str>,
    edition: Option<&'a str>,
    severity: Option<i32>,
    points: Option<i32>,
    ladders: Option<&'a [String]>,
    effective_time: Option<i64>,
    expire_time: Option<i64>,
    pack_version: i64,
    voids_entry_id: Option<&'a str>,
    statement_id: &'a str,
    create_time: i64,
}

impl<'a> New<'a> {
    fn of(entry: &'a Entry) -> New<'a> {
        let violation = entry.violation();
        New {
            entry_id: &entry.entry_id,
            account_id: &entry.account_id,
            kind: if violation.is_some() { VIOLATION } else { VOID },
            decision_id: &entry.decision_id,
            case_id: &entry.case_id,
            subject_type: entry.subject.r#type,
            subject_id: &entry.subject.id,
            policy: violation.map(|one| one.policy.as_str()),
            edition: violation.map(|one| one.edition.as_str()),
            severity: violation.map(|one| one.severity as i32),
            points: violation.map(|one| one.points),
            ladders: violation.map(|one| one.ladders.as_slice()),
            effective_time: violation.map(|one| one.effective.micros()),
            expire_time: violation.and_then(|one| one.expire).map(Time::micros),
            pack_version: entry.pack_version,
            voids_entry_id: entry.voids(),
            statement_id: &entry.statement_id,
            create_time: entry.create_time.micros(),
        }
    }
}

/// Writes entries. A void comes after what it voids.
pub async fn insert(tx: &mut Tx, entries: &[Entry]) -> Result<(), DbError> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows: Vec<New<'_>> = entries.iter().map(New::of).collect();
    tx.execute(&INSERT, args![json(&rows)]).await.map(drop)
}

/// The ledgers of accounts, each in the order in which it was written.
pub async fn of_accounts(
    tx: &mut Tx,
    account_ids: &[&str],
) -> Result<HashMap<String, Vec<Entry>>, DbError> {
    let rows: Vec<Row> =
        tx.fetch_all(&OF_ACCOUNTS, args![keys(account_ids.iter().copied())]).await?;
    let mut ledgers: HashMap<String, Vec<Entry>> = HashMap::new();
    for row in rows {
        let entry = entry(row)?;
        ledgers.entry(entry.account_id.clone()).or_default().push(entry);
    }
    Ok(ledgers)
}

/// The ledger of an account, in the order in which it was written.
pub async fn of_account(db: &Db, account_id: &str) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<Row> = db.read().fetch_all(&OF_ACCOUNT, args![account_id]).await?;
    rows.into_iter().map(entry).collect()
}

fn entry(row: Row) -> Result<Entry, DbError> {
    let wrong = || DbError::internal(format!("entry {} is neither kind", row.entry_id));
    let body = match &row.voids_entry_id {
        Some(voided) => Body::Void { voids_entry_id: voided.clone() },
        None => {
            let number = |value: Option<i64>| {
                value.and_then(|value| i32::try_from(value).ok()).ok_or_else(wrong)
            };
            Body::Violation(Violation {
                policy: row.policy.clone().ok_or_else(wrong)?,
                edition: row.edition.clone().ok_or_else(wrong)?,
                severity: Severity::try_from(number(row.severity)?).map_err(|_| wrong())?,
                points: number(row.points)?,
                ladders: row.ladders.as_ref().ok_or_else(wrong)?.0.clone(),
                effective: row.effective_time.map(Time::from_micros).ok_or_else(wrong)?,
                expire: row.expire_time.map(Time::from_micros),
            })
        }
    };
    Ok(Entry {
        body,
        subject: Subject {
            r#type: i32::try_from(row.subject_type).unwrap_or_default(),
            id: row.subject_id,
            // A decision counts against the account that answers for its subject.
            owner_account_id: row.account_id.clone(),
        },
        entry_id: row.entry_id,
        account_id: row.account_id,
        decision_id: row.decision_id,
        case_id: row.case_id,
        pack_version: row.pack_version,
        statement_id: row.statement_id,
        create_time: Time::from_micros(row.create_time),
    })
}
