//! What following reports and appeals reads and writes: a few statements for each batch.

use std::collections::BTreeSet;

use contracts::review::v1::CaseReport;
use contracts::types::v1::ContentSnapshot;
use kit::db::{Db, DbError, Hex, Sql, Tx, json};
use kit::{Time, args};
use prost::Message as _;
use serde::Serialize;

use super::row::{case_columns, cases, narrow};
use crate::case::Case;
use crate::intake::{Key, NewReport, StoredReport};

/// Locked in the order of their ids, as everywhere.
static OPEN_OF_KEYS: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM jsonb_to_recordset($1) AS k(subject_type bigint, subject_id text, area text)
      CROSS JOIN cases AS c
      WHERE c.subject_type = k.subject_type AND c.subject_id = k.subject_id AND c.area = k.area
        AND c.state = 1 AND c.kind <> 2
      ORDER BY c.case_id FOR UPDATE OF c",
));
static CASES: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM jsonb_to_recordset($1) AS k(id text) CROSS JOIN cases AS c
      WHERE c.case_id = k.id ORDER BY c.case_id FOR UPDATE OF c",
));
static OF_APPEALS: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM jsonb_to_recordset($1) AS k(id text) CROSS JOIN cases AS c
      WHERE c.appeal_id = k.id AND c.kind = 2 ORDER BY c.case_id FOR UPDATE OF c",
));
static REPORTS: Sql = Sql::new(
    "SELECT r.report_id, r.case_id, r.withdrawn
       FROM jsonb_to_recordset($1) AS k(id text) CROSS JOIN case_reports AS r
      WHERE r.report_id = k.id",
);
static INSERT_REPORTS: Sql = Sql::new(
    "INSERT INTO case_reports
            (report_id, case_id, reason, explanation, source, file_time, withdrawn, snapshot)
     SELECT report_id, case_id, reason, explanation, source, file_time, withdrawn, snapshot
       FROM jsonb_to_recordset($1) AS n(report_id text, case_id text, reason text,
            explanation text, source bigint, file_time bigint, withdrawn boolean,
            snapshot bytea)",
);
static MARK_WITHDRAWN: Sql = Sql::new(
    "UPDATE case_reports SET withdrawn = true
       FROM jsonb_to_recordset($1) AS k(id text) WHERE case_reports.report_id = k.id",
);
static OF_CASE: Sql = Sql::new(
    "SELECT report_id, reason, explanation, source, file_time, withdrawn, snapshot
       FROM case_reports WHERE case_id = $1 ORDER BY report_id LIMIT $2",
);

pub(super) static STATEMENTS: [&Sql; 7] =
    [&OPEN_OF_KEYS, &CASES, &OF_APPEALS, &REPORTS, &INSERT_REPORTS, &MARK_WITHDRAWN, &OF_CASE];

/// Reports that one case is shown with at most.
pub const REPORTS_SHOWN_MAX: i64 = 100;

#[derive(Serialize)]
struct KeyRow<'a> {
    subject_type: i32,
    subject_id: &'a str,
    area: &'a str,
}

#[derive(Serialize)]
struct IdRow<'a> {
    id: &'a str,
}

fn ids<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<IdRow<'a>> {
    ids.map(|id| IdRow { id }).collect()
}

/// Locks the open cases of these keys.
pub async fn lock_open(tx: &mut Tx, keys: &BTreeSet<Key>) -> Result<Vec<Case>, DbError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<KeyRow<'_>> = keys
        .iter()
        .map(|key| KeyRow {
            subject_type: key.subject_type as i32,
            subject_id: &key.subject_id,
            area: &key.area,
        })
        .collect();
    cases(tx.fetch_all(&OPEN_OF_KEYS, args![json(&rows)]).await?)
}

/// Locks cases by their ids.
pub async fn lock_cases(tx: &mut Tx, case_ids: &BTreeSet<&str>) -> Result<Vec<Case>, DbError> {
    if case_ids.is_empty() {
        return Ok(Vec::new());
    }
    cases(tx.fetch_all(&CASES, args![json(&ids(case_ids.iter().copied()))]).await?)
}

/// Locks the cases in which appeals are heard.
pub async fn lock_appeals(tx: &mut Tx, appeal_ids: &BTreeSet<&str>) -> Result<Vec<Case>, DbError> {
    cases(tx.fetch_all(&OF_APPEALS, args![json(&ids(appeal_ids.iter().copied()))]).await?)
}

struct ReportRow {
    report_id: String,
    case_id: String,
    withdrawn: bool,
}

kit::record!(ReportRow: report_id, case_id, withdrawn);

/// Where these reports are.
pub async fn reports(
    tx: &mut Tx,
    report_ids: &BTreeSet<&str>,
) -> Result<Vec<StoredReport>, DbError> {
    if report_ids.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = ids(report_ids.iter().copied());
    let rows: Vec<ReportRow> = tx.fetch_all(&REPORTS, args![json(&wanted)]).await?;
    let stored = |row: ReportRow| StoredReport {
        report_id: row.report_id,
        case_id: row.case_id,
        withdrawn: row.withdrawn,
    };
    Ok(rows.into_iter().map(stored).collect())
}

#[derive(Serialize)]
struct NewRow<'a> {
    report_id: &'a str,
    case_id: &'a str,
    reason: &'a str,
    explanation: &'a str,
    source: i32,
    file_time: Time,
    withdrawn: bool,
    snapshot: Hex<'a>,
}

/// Inserts the reports of a batch.
pub async fn insert_reports(tx: &mut Tx, reports: &[NewReport]) -> Result<(), DbError> {
    if reports.is_empty() {
        return Ok(());
    }
    let snapshots: Vec<Vec<u8>> = reports
        .iter()
        .map(|report| report.filed.snapshot.as_ref())
        .map(|snapshot| snapshot.map(ContentSnapshot::encode_to_vec).unwrap_or_default())
        .collect();
    let rows: Vec<NewRow<'_>> = reports
        .iter()
        .zip(&snapshots)
        .map(|(report, snapshot)| NewRow {
            report_id: &report.filed.report_id,
            case_id: &report.case_id,
            reason: &report.filed.reason,
            explanation: &report.filed.explanation,
            source: report.filed.source as i32,
            file_time: report.filed.file_time,
            withdrawn: report.withdrawn,
            snapshot: Hex(snapshot),
        })
        .collect();
    tx.execute(&INSERT_REPORTS, args![json(&rows)]).await?;
    Ok(())
}

/// Marks stored reports as withdrawn.
pub async fn mark_withdrawn(tx: &mut Tx, report_ids: &[String]) -> Result<(), DbError> {
    if !report_ids.is_empty() {
        let rows = ids(report_ids.iter().map(String::as_str));
        tx.execute(&MARK_WITHDRAWN, args![json(&rows)]).await?;
    }
    Ok(())
}

struct ShownRow {
    report_id: String,
    reason: String,
    explanation: String,
    source: i64,
    file_time: i64,
    withdrawn: bool,
    snapshot: Vec<u8>,
}

kit::record!(ShownRow: report_id, reason, explanation, source, file_time, withdrawn, snapshot);

/// The first reports of a case, as a reviewer sees them.
pub async fn of_case(db: &Db, case_id: &str) -> Result<Vec<CaseReport>, DbError> {
    let rows: Vec<ShownRow> =
        db.read().fetch_all(&OF_CASE, args![case_id, REPORTS_SHOWN_MAX]).await?;
    rows.into_iter().map(shown).collect()
}

fn shown(row: ShownRow) -> Result<CaseReport, DbError> {
    let snapshot = (!row.snapshot.is_empty())
        .then(|| ContentSnapshot::decode(row.snapshot.as_slice()))
        .transpose()
        .map_err(|error| DbError::internal(format!("a snapshot does not decode: {error}")))?;
    Ok(CaseReport {
        report_id: row.report_id,
        reason: row.reason,
        explanation: row.explanation,
        source: narrow("source", row.source)?,
        file_time: Some(Time::from_micros(row.file_time).into()),
        withdrawn: row.withdrawn,
        snapshot,
    })
}
