//! Reading, locking and writing cases.

use kit::db::{Db, DbError, Sql, Tx, json};
use kit::{Time, args};
use serde::Serialize;

use super::row::{CaseRow, case_columns};
use crate::case::Case;
use crate::intake::Slot;

static INSERT: Sql = Sql::new(
    "INSERT INTO cases (case_id, kind, state, subject_type, subject_id, owner_account_id, area,
            queue, escalated, severity, source, report_count, impersonation_count, first_reason,
            language, suggested_policies, due_time, rank_time, lease_reviewer_id, lease_until,
            fencing_token, version, decision_id, appeal_id, appealed_decision_id,
            appealed_case_id, appeal_grounds, excluded_reviewer_id, create_time, update_time)
     SELECT case_id, kind, state, subject_type, subject_id, owner_account_id, area, queue,
            escalated, severity, source, report_count, impersonation_count, first_reason,
            language, suggested_policies, due_time, rank_time, lease_reviewer_id, lease_until,
            fencing_token, version, decision_id, appeal_id, appealed_decision_id,
            appealed_case_id, appeal_grounds, excluded_reviewer_id, create_time, update_time
       FROM jsonb_to_recordset($1) AS n(case_id text, kind bigint, state bigint,
            subject_type bigint, subject_id text, owner_account_id text, area text, queue text,
            escalated boolean, severity bigint, source bigint, report_count bigint,
            impersonation_count bigint, first_reason text, language text,
            suggested_policies text, due_time bigint,
            rank_time bigint, lease_reviewer_id text, lease_until bigint, fencing_token bigint,
            version bigint, decision_id text, appeal_id text, appealed_decision_id text,
            appealed_case_id text, appeal_grounds text, excluded_reviewer_id text,
            create_time bigint, update_time bigint)",
);
/// What grows with reports and stands in no index, so that a flood of reports of one subject
/// rewrites no index.
static UPDATE_BODY: Sql = Sql::new(
    "UPDATE cases
        SET severity = n.severity, source = n.source, report_count = n.report_count,
            impersonation_count = n.impersonation_count, language = n.language,
            suggested_policies = n.suggested_policies,
            due_time = n.due_time, version = n.version, update_time = n.update_time
       FROM jsonb_to_recordset($1) AS n(case_id text, severity bigint, source bigint,
            report_count bigint, impersonation_count bigint, language text,
            suggested_policies text, due_time bigint, version bigint, update_time bigint,
            was_version bigint, was_fencing_token bigint)
      WHERE cases.case_id = n.case_id AND cases.version = n.was_version
        AND cases.fencing_token = n.was_fencing_token",
);
/// Everything that may change.
static UPDATE_ALL: Sql = Sql::new(
    "UPDATE cases
        SET state = n.state, queue = n.queue, escalated = n.escalated, severity = n.severity,
            source = n.source, report_count = n.report_count,
            impersonation_count = n.impersonation_count, language = n.language,
            suggested_policies = n.suggested_policies, due_time = n.due_time,
            rank_time = n.rank_time, lease_reviewer_id = n.lease_reviewer_id,
            lease_until = n.lease_until, fencing_token = n.fencing_token, version = n.version,
            decision_id = n.decision_id, update_time = n.update_time
       FROM jsonb_to_recordset($1) AS n(case_id text, state bigint, queue text,
            escalated boolean, severity bigint, source bigint, report_count bigint,
            impersonation_count bigint, language text, suggested_policies text,
            due_time bigint, rank_time bigint,
            lease_reviewer_id text, lease_until bigint, fencing_token bigint, version bigint,
            decision_id text, update_time bigint, was_version bigint, was_fencing_token bigint)
      WHERE cases.case_id = n.case_id AND cases.version = n.was_version
        AND cases.fencing_token = n.was_fencing_token",
);
static UPDATE_LEASE: Sql = Sql::new(
    "UPDATE cases
        SET lease_reviewer_id = $2, lease_until = $3, fencing_token = $4, update_time = $5
      WHERE case_id = $1 AND version = $6 AND fencing_token = $7",
);
static GET: Sql =
    Sql::new(concat!("SELECT ", case_columns!(), " FROM cases AS c WHERE c.case_id = $1"));
/// With who the caller is, empty for somebody who never reviewed.
static LOCK: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    ", coalesce((SELECT reviewer_id FROM reviewers WHERE subject = $2), '') AS caller_id
       FROM cases AS c WHERE c.case_id = $1 FOR UPDATE",
));
static EXISTS: Sql = Sql::new("SELECT case_id FROM cases WHERE case_id = $1");

pub(super) static STATEMENTS: [&Sql; 7] =
    [&INSERT, &UPDATE_BODY, &UPDATE_ALL, &UPDATE_LEASE, &GET, &LOCK, &EXISTS];

/// A committed case.
pub async fn get(db: &Db, case_id: &str) -> Result<Option<Case>, DbError> {
    let row: Option<CaseRow> = db.read().fetch_optional(&GET, args![case_id]).await?;
    row.map(Case::try_from).transpose()
}

/// Whether there is such a case.
pub async fn exists(tx: &mut Tx, case_id: &str) -> Result<bool, DbError> {
    let found: Option<(String,)> = tx.fetch_optional(&EXISTS, args![case_id]).await?;
    Ok(found.is_some())
}

struct Locked {
    case: CaseRow,
    caller_id: String,
}

kit::record!(Locked: caller_id, ..case);

/// A case, locked until the end of the transaction, and the pseudonym of `subject`: empty for
/// somebody who never reviewed.
pub async fn lock(
    tx: &mut Tx,
    case_id: &str,
    subject: &str,
) -> Result<Option<(Case, String)>, DbError> {
    let row: Option<Locked> = tx.fetch_optional(&LOCK, args![case_id, subject]).await?;
    row.map(|row| Ok((Case::try_from(row.case)?, row.caller_id))).transpose()
}

/// Inserts new cases.
pub async fn insert(tx: &mut Tx, new: &[&Case]) -> Result<(), DbError> {
    if !new.is_empty() {
        let rows: Vec<CaseRow> = new.iter().map(|case| CaseRow::from(*case)).collect();
        tx.execute(&INSERT, args![json(&rows)]).await?;
    }
    Ok(())
}

/// Writes what only concerns the lease: of a claim, a renewal, a release.
pub async fn save_lease(tx: &mut Tx, stored: &Case, case: &Case) -> Result<(), DbError> {
    let lease = case.lease.as_ref();
    let holder = lease.map_or("", |lease| &lease.reviewer_id);
    let until = lease.map_or(Time::EPOCH, |lease| lease.until);
    let written = tx
        .execute(
            &UPDATE_LEASE,
            args![
                &case.case_id,
                holder,
                until,
                case.fencing_token,
                case.update_time,
                stored.version,
                stored.fencing_token
            ],
        )
        .await?;
    check_written(written, 1)
}

#[derive(Serialize)]
struct Change {
    #[serde(flatten)]
    row: CaseRow,
    was_version: i64,
    was_fencing_token: i64,
}

/// Writes changed cases, given as they were locked and as they are to be. All of them change
/// under the version and the fencing token that they were locked with, or the transaction fails.
pub async fn save(tx: &mut Tx, changed: &[(&Case, &Case)]) -> Result<(), DbError> {
    let (place, body): (Vec<_>, Vec<_>) =
        changed.iter().partition(|(stored, case)| is_indexed_change(stored, case));
    for (sql, changed) in [(&UPDATE_BODY, body), (&UPDATE_ALL, place)] {
        if changed.is_empty() {
            continue;
        }
        let rows: Vec<Change> = changed
            .iter()
            .map(|(stored, case)| Change {
                row: CaseRow::from(*case),
                was_version: stored.version,
                was_fencing_token: stored.fencing_token,
            })
            .collect();
        let written = tx.execute(sql, args![json(&rows)]).await?;
        check_written(written, rows.len())?;
    }
    Ok(())
}

fn is_indexed_change(stored: &Case, case: &Case) -> bool {
    stored.state != case.state
        || stored.queue != case.queue
        || stored.rank_time != case.rank_time
        || stored.lease != case.lease
        || stored.escalated != case.escalated
}

/// The rows were locked, so that anything else is a mistake of ours; it must not commit.
fn check_written(written: u64, expected: usize) -> Result<(), DbError> {
    if usize::try_from(written) == Ok(expected) {
        return Ok(());
    }
    Err(DbError::internal(format!("{written} of {expected} locked cases could be written")))
}

/// Writes what a batch did: new cases and changed ones.
pub async fn write(tx: &mut Tx, slots: &[Slot]) -> Result<(), DbError> {
    let new: Vec<&Case> =
        slots.iter().filter(|slot| slot.stored.is_none()).map(|slot| &slot.case).collect();
    let changed: Vec<(&Case, &Case)> = slots
        .iter()
        .filter_map(|slot| Some((slot.stored.as_ref()?, &slot.case)))
        .filter(|(stored, case)| stored != case)
        .collect();
    // What is closed first makes room in the index of open cases for what is opened.
    save(tx, &changed).await?;
    insert(tx, &new).await
}
