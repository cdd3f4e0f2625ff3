//! A case as a row. It must not know any statement.

use contracts::review::v1::case::{Kind, State};
use contracts::types::v1::{Severity, Source, Subject};
use kit::Time;
use kit::db::DbError;
use serde::Serialize;

use crate::case::{Appeal, Case, Lease};

/// The columns of `cases` that a [`CaseRow`] reads, in the order of the table.
macro_rules! case_columns {
    () => {
        "c.case_id, c.kind, c.state, c.subject_type, c.subject_id, c.owner_account_id, c.area,
         c.queue, c.escalated, c.severity, c.source, c.report_count, c.impersonation_count,
         c.first_reason, c.language, c.suggested_policies, c.due_time, c.rank_time,
         c.lease_reviewer_id, c.lease_until, c.fencing_token, c.version, c.decision_id,
         c.appeal_id, c.appealed_decision_id, c.appealed_case_id, c.appeal_grounds,
         c.excluded_reviewer_id, c.create_time, c.update_time"
    };
}
pub(super) use case_columns;

/// A row of `cases`; its columns are explained in the schema.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CaseRow {
    pub(super) case_id: String,
    kind: i64,
    state: i64,
    subject_type: i64,
    subject_id: String,
    owner_account_id: String,
    area: String,
    queue: String,
    escalated: bool,
    severity: i64,
    source: i64,
    report_count: i64,
    impersonation_count: i64,
    first_reason: String,
    language: String,
    suggested_policies: String,
    due_time: i64,
    rank_time: i64,
    lease_reviewer_id: String,
    lease_until: i64,
    fencing_token: i64,
    version: i64,
    decision_id: String,
    appeal_id: String,
    appealed_decision_id: String,
    appealed_case_id: String,
    appeal_grounds: String,
    excluded_reviewer_id: String,
    create_time: i64,
    update_time: i64,
}

kit::record!(
    CaseRow:
    case_id, kind, state, subject_type, subject_id, owner_account_id, area, queue, escalated,
    severity, source, report_count, impersonation_count, first_reason, language,
    suggested_policies, due_time, rank_time, lease_reviewer_id, lease_until, fencing_token,
    version, decision_id, appeal_id, appealed_decision_id, appealed_case_id, appeal_grounds,
    excluded_reviewer_id, create_time, update_time
);

impl From<&Case> for CaseRow {
    fn from(case: &Case) -> CaseRow {
        let lease = case.lease.as_ref();
        let appeal = case.appeal.clone().unwrap_or_else(no_appeal);
        CaseRow {
            case_id: case.case_id.clone(),
            kind: i64::from(case.kind as i32),
            state: i64::from(case.state as i32),
            subject_type: i64::from(case.subject.r#type),
            subject_id: case.subject.id.clone(),
            owner_account_id: case.subject.owner_account_id.clone(),
            area: case.area.clone(),
            queue: case.queue.clone(),
            escalated: case.escalated,
            severity: i64::from(case.severity as i32),
            source: i64::from(case.source as i32),
            report_count: case.report_count,
            impersonation_count: case.impersonation_count,
            first_reason: case.first_reason.clone(),
            language: case.language.clone(),
            suggested_policies: case.suggested_policies.join("\n"),
            due_time: case.due_time.micros(),
            rank_time: case.rank_time.micros(),
            lease_reviewer_id: lease.map(|lease| lease.reviewer_id.clone()).unwrap_or_default(),
            lease_until: lease.map_or(0, |lease| lease.until.micros()),
            fencing_token: case.fencing_token,
            version: case.version,
            decision_id: case.decision_id.clone(),
            appeal_id: appeal.appeal_id,
            appealed_decision_id: appeal.appealed_decision_id,
            appealed_case_id: appeal.appealed_case_id,
            appeal_grounds: appeal.grounds,
            excluded_reviewer_id: appeal.excluded_reviewer_id,
            create_time: case.create_time.micros(),
            update_time: case.update_time.micros(),
        }
    }
}

impl TryFrom<CaseRow> for Case {
    type Error = DbError;

    fn try_from(row: CaseRow) -> Result<Case, DbError> {
        let kind: Kind = known("kind", row.kind)?;
        let lease = (row.lease_until > 0).then_some(Lease {
            reviewer_id: row.lease_reviewer_id,
            until: Time::from_micros(row.lease_until),
        });
        let appeal = Appeal {
            appeal_id: row.appeal_id,
            appealed_decision_id: row.appealed_decision_id,
            appealed_case_id: row.appealed_case_id,
            grounds: row.appeal_grounds,
            excluded_reviewer_id: row.excluded_reviewer_id,
        };
        Ok(Case {
            case_id: row.case_id,
            kind,
            state: known::<State>("state", row.state)?,
            subject: Subject {
                r#type: narrow("subject_type", row.subject_type)?,
                id: row.subject_id,
                owner_account_id: row.owner_account_id,
            },
            area: row.area,
            queue: row.queue,
            escalated: row.escalated,
            severity: known::<Severity>("severity", row.severity)?,
            source: known::<Source>("source", row.source)?,
            report_count: row.report_count,
            impersonation_count: row.impersonation_count,
            first_reason: row.first_reason,
            language: row.language,
            suggested_policies: row.suggested_policies.lines().map(str::to_owned).collect(),
            due_time: Time::from_micros(row.due_time),
            rank_time: Time::from_micros(row.rank_time),
            lease,
            fencing_token: row.fencing_token,
            version: row.version,
            decision_id: row.decision_id,
            appeal: (kind == Kind::Appeal).then_some(appeal),
            create_time: Time::from_micros(row.create_time),
            update_time: Time::from_micros(row.update_time),
        })
    }
}

fn no_appeal() -> Appeal {
    Appeal {
        appeal_id: String::new(),
        appealed_decision_id: String::new(),
        appealed_case_id: String::new(),
        grounds: String::new(),
        excluded_reviewer_id: String::new(),
    }
}

/// A stored enum value as the contract's number.
pub(super) fn narrow(column: &str, value: i64) -> Result<i32, DbError> {
    i32::try_from(value)
        .map_err(|_| DbError::internal(format!("column {column} holds {value}, no enum's value")))
}

/// A stored enum value.
pub(super) fn known<E: TryFrom<i32>>(column: &str, value: i64) -> Result<E, DbError> {
    E::try_from(narrow(column, value)?)
        .map_err(|_| DbError::internal(format!("column {column} holds {value}, no enum's value")))
}

/// Rows as cases.
pub(super) fn cases(rows: Vec<CaseRow>) -> Result<Vec<Case>, DbError> {
    rows.into_iter().map(Case::try_from).collect()
}
