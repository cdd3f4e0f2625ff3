//! Statements of reasons, without their texts: those are rendered from the pack when read.

use contracts::accounthealth::v1 as proto;
use kit::db::{Db, DbError, Hex, Sql, Tx, json};
use kit::{Time, args};
use prost::Message as _;
use serde::Serialize;

use super::keys;

static INSERT: Sql = Sql::new(
    "INSERT INTO statements (statement_id, account_id, decision_id, issue_time, content)
     SELECT statement_id, account_id, decision_id, issue_time, content
       FROM jsonb_to_recordset($1) AS n(statement_id text, account_id text, decision_id text,
                                        issue_time bigint, content bytea)",
);
static SUPERSEDE: Sql = Sql::new(
    "UPDATE statements SET superseded_by = n.superseded_by
       FROM jsonb_to_recordset($1) AS n(statement_id text, superseded_by text)
      WHERE statements.statement_id = n.statement_id AND statements.superseded_by IS NULL",
);
static OF_DECISIONS: Sql = Sql::new(
    "SELECT statement_id, superseded_by, content FROM statements
      WHERE decision_id IN (SELECT id FROM jsonb_to_recordset($1) AS n(id text))
      ORDER BY statement_id",
);
static BY_ID: Sql =
    Sql::new("SELECT statement_id, superseded_by, content FROM statements WHERE statement_id = $1");
static BY_DECISION: Sql =
    Sql::new("SELECT statement_id, superseded_by, content FROM statements WHERE decision_id = $1");
static PAGE: Sql = Sql::new(
    "SELECT statement_id, superseded_by, content FROM statements
      WHERE account_id = $1 AND (issue_time, statement_id) < ($2, $3)
      ORDER BY issue_time DESC, statement_id DESC LIMIT $4",
);

/// Every statement of this module.
pub static ALL: &[&Sql] = &[&INSERT, &SUPERSEDE, &OF_DECISIONS, &BY_ID, &BY_DECISION, &PAGE];

struct Row {
    statement_id: String,
    superseded_by: Option<String>,
    content: Vec<u8>,
}

kit::record!(Row: statement_id, superseded_by, content);

#[derive(Serialize)]
struct New<'a> {
    statement_id: &'a str,
    account_id: &'a str,
    decision_id: &'a str,
    issue_time: i64,
    content: Hex<'a>,
}

#[derive(Serialize)]
struct Superseded<'a> {
    statement_id: &'a str,
    superseded_by: &'a str,
}

/// Writes statements, and that they take the place of those that they name.
pub async fn insert(tx: &mut Tx, statements: &[proto::Statement]) -> Result<(), DbError> {
    if statements.is_empty() {
        return Ok(());
    }
    let contents: Vec<Vec<u8>> = statements.iter().map(prost::Message::encode_to_vec).collect();
    let rows: Vec<New<'_>> = statements
        .iter()
        .zip(&contents)
        .map(|(statement, content)| New {
            statement_id: &statement.statement_id,
            account_id: &statement.account_id,
            decision_id: &statement.decision_id,
            issue_time: issue_time(statement).micros(),
            content: Hex(content),
        })
        .collect();
    tx.execute(&INSERT, args![json(&rows)]).await?;
    let superseded: Vec<Superseded<'_>> = statements
        .iter()
        .filter(|statement| !statement.supersedes_statement_id.is_empty())
        .map(|statement| Superseded {
            statement_id: &statement.supersedes_statement_id,
            superseded_by: &statement.statement_id,
        })
        .collect();
    if !superseded.is_empty() {
        tx.execute(&SUPERSEDE, args![json(&superseded)]).await?;
    }
    Ok(())
}

/// The statements of decisions.
pub async fn of_decisions(
    tx: &mut Tx,
    decision_ids: &[&str],
) -> Result<Vec<proto::Statement>, DbError> {
    if decision_ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = keys(decision_ids.iter().copied());
    let rows: Vec<Row> = tx.fetch_all(&OF_DECISIONS, args![ids]).await?;
    rows.into_iter().map(statement).collect()
}

/// The statement with this id.
pub async fn by_id(db: &Db, statement_id: &str) -> Result<Option<proto::Statement>, DbError> {
    let row: Option<Row> = db.read().fetch_optional(&BY_ID, args![statement_id]).await?;
    row.map(statement).transpose()
}

/// The statement of a decision.
pub async fn by_decision(db: &Db, decision_id: &str) -> Result<Option<proto::Statement>, DbError> {
    let row: Option<Row> = db.read().fetch_optional(&BY_DECISION, args![decision_id]).await?;
    row.map(statement).transpose()
}

/// The statements of an account before a place, newest first, at most `limit`. The place of a
/// statement is its issue time in microseconds and its id; `None` for the newest.
pub async fn page(
    db: &Db,
    account_id: &str,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<proto::Statement>, DbError> {
    let (time, id) = before.unwrap_or((i64::MAX, String::new()));
    let rows: Vec<Row> = db.read().fetch_all(&PAGE, args![account_id, time, id, limit]).await?;
    rows.into_iter().map(statement).collect()
}

/// When a statement was issued.
pub fn issue_time(statement: &proto::Statement) -> Time {
    statement.issue_time.as_ref().and_then(Time::from_timestamp).unwrap_or_default()
}

fn statement(row: Row) -> Result<proto::Statement, DbError> {
    let mut statement = proto::Statement::decode(row.content.as_slice()).map_err(|error| {
        DbError::internal(format!("statement {} does not decode: {error}", row.statement_id))
    })?;
    if let Some(superseded_by) = row.superseded_by {
        statement.state = proto::statement::State::Superseded as i32;
        statement.superseded_by_statement_id = superseded_by;
    }
    Ok(statement)
}
