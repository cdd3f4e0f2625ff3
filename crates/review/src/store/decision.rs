//! Decisions: written once, and marked when an appeal overturns them.

use contracts::review::v1::{Decision, Violation};
use kit::db::{Arg, Db, DbError, Sql, Tx, json};
use kit::{Time, args};
use serde::Serialize;

use super::row::narrow;

macro_rules! decision_columns {
    () => {
        "d.decision_id, d.case_id, d.outcome, d.policy, d.severity, d.facts, d.actions, d.region,
         d.appeal_reasons, d.pack_version, d.reviewer_id, d.decide_time, d.rationale,
         d.overturned_by_decision_id, d.appealed_decision_id, d.manifestly_unfounded"
    };
}

static INSERT: Sql = Sql::new(
    "INSERT INTO decisions (decision_id, case_id, outcome, policy, severity, facts, actions,
            region, appeal_reasons, pack_version, reviewer_id, decide_time, rationale,
            overturned_by_decision_id, appealed_decision_id, manifestly_unfounded)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', $14, $15)",
);
static OVERTURN: Sql = Sql::new(
    "UPDATE decisions SET overturned_by_decision_id = $2
      WHERE decision_id = $1 AND overturned_by_decision_id = ''",
);
static GET: Sql = Sql::new(concat!(
    "SELECT ",
    decision_columns!(),
    " FROM decisions AS d WHERE d.decision_id = $1"
));
static LOCK: Sql = Sql::new(concat!(
    "SELECT ",
    decision_columns!(),
    " FROM decisions AS d WHERE d.decision_id = $1 FOR UPDATE"
));
static SOME: Sql = Sql::new(concat!(
    "SELECT ",
    decision_columns!(),
    " FROM jsonb_to_recordset($1) AS k(id text) CROSS JOIN decisions AS d
      WHERE d.decision_id = k.id",
));

pub(super) static STATEMENTS: [&Sql; 5] = [&INSERT, &OVERTURN, &GET, &LOCK, &SOME];

struct DecisionRow {
    decision_id: String,
    case_id: String,
    outcome: i64,
    policy: String,
    severity: i64,
    facts: String,
    actions: String,
    region: String,
    appeal_reasons: String,
    pack_version: i64,
    reviewer_id: String,
    decide_time: i64,
    rationale: String,
    overturned_by_decision_id: String,
    appealed_decision_id: String,
    manifestly_unfounded: bool,
}

kit::record!(
    DecisionRow:
    decision_id, case_id, outcome, policy, severity, facts, actions, region, appeal_reasons,
    pack_version, reviewer_id, decide_time, rationale, overturned_by_decision_id,
    appealed_decision_id, manifestly_unfounded
);

impl TryFrom<DecisionRow> for Decision {
    type Error = DbError;

    fn try_from(row: DecisionRow) -> Result<Decision, DbError> {
        let actions = row.actions.split(',').filter(|number| !number.is_empty());
        let actions: Result<Vec<i32>, _> = actions.map(str::parse).collect();
        let actions = actions.map_err(|_| DbError::internal("column actions holds no numbers"))?;
        let violation = (!row.policy.is_empty()).then_some(Violation {
            policy: row.policy,
            severity: narrow("severity", row.severity)?,
            facts: row.facts,
            actions,
            region: row.region,
        });
        Ok(Decision {
            decision_id: row.decision_id,
            case_id: row.case_id,
            outcome: narrow("outcome", row.outcome)?,
            violation,
            appeal_reasons: row.appeal_reasons,
            pack_version: row.pack_version,
            reviewer_id: row.reviewer_id,
            decide_time: Some(Time::from_micros(row.decide_time).into()),
            rationale: row.rationale,
            overturned_by_decision_id: row.overturned_by_decision_id,
            appealed_decision_id: row.appealed_decision_id,
            manifestly_unfounded: row.manifestly_unfounded,
        })
    }
}

/// Writes a decision, taken at `now`.
pub async fn insert(tx: &mut Tx, decision: &Decision, now: Time) -> Result<(), DbError> {
    let none = Violation::default();
    let found = decision.violation.as_ref().unwrap_or(&none);
    let actions: Vec<String> = found.actions.iter().map(i32::to_string).collect();
    let args = args![
        &decision.decision_id,
        &decision.case_id,
        decision.outcome,
        &found.policy,
        found.severity,
        &found.facts,
        actions.join(","),
        &found.region,
        &decision.appeal_reasons,
        decision.pack_version,
        &decision.reviewer_id,
        now,
        &decision.rationale,
        &decision.appealed_decision_id,
        decision.manifestly_unfounded
    ];
    tx.execute(&INSERT, args).await?;
    Ok(())
}

/// Marks a decision as overturned by another. The first to overturn it stands.
pub async fn overturn(tx: &mut Tx, decision_id: &str, by: &str) -> Result<(), DbError> {
    tx.execute(&OVERTURN, args![decision_id, by]).await?;
    Ok(())
}

/// A decision, locked until the end of the transaction.
pub async fn lock(tx: &mut Tx, decision_id: &str) -> Result<Option<Decision>, DbError> {
    let row: Option<DecisionRow> = tx.fetch_optional(&LOCK, args![decision_id]).await?;
    row.map(Decision::try_from).transpose()
}

/// A committed decision.
pub async fn get(db: &Db, decision_id: &str) -> Result<Option<Decision>, DbError> {
    let row: Option<DecisionRow> = db.read().fetch_optional(&GET, args![decision_id]).await?;
    row.map(Decision::try_from).transpose()
}

#[derive(Serialize)]
struct IdRow<'a> {
    id: &'a str,
}

/// Committed decisions, in no order; unknown ids are passed over.
pub async fn some(db: &Db, decision_ids: &[&str]) -> Result<Vec<Decision>, DbError> {
    if decision_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<DecisionRow> = db.read().fetch_all(&SOME, args![wanted(decision_ids)]).await?;
    rows.into_iter().map(Decision::try_from).collect()
}

/// The same as the transaction sees them.
pub async fn find(tx: &mut Tx, decision_ids: &[&str]) -> Result<Vec<Decision>, DbError> {
    if decision_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<DecisionRow> = tx.fetch_all(&SOME, args![wanted(decision_ids)]).await?;
    rows.into_iter().map(Decision::try_from).collect()
}

fn wanted(decision_ids: &[&str]) -> Arg {
    let rows: Vec<IdRow<'_>> = decision_ids.iter().map(|id| IdRow { id }).collect();
    json(&rows)
}
