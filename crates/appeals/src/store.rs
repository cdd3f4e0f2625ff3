//! All SQL of this service. It decides nothing: which state follows which is
//! [`appeal`](crate::appeal)'s, and what may be filed [`admissibility`](crate::admissibility)'s.

use contracts::appeals::v1::Appeal;
use contracts::types::v1::Subject;
use kit::Time;
use kit::args;
use kit::db::{Db, DbError, Sql, Tx, json};

/// Sorts after every appeal's id, in any collation: ids begin with a digit up to 7.
pub const ID_MAX: &str = "app_z";

/// Whole rows: what [`Stored`] reads.
macro_rules! select {
    ($which:literal) => {
        Sql::new(concat!(
            "SELECT appeal_id, account_id, decision_id, statement_id, subject_type, subject_id,
                    owner_account_id, grounds, CAST(evidence_urls AS TEXT) AS evidence_urls,
                    create_time, state, outcome, outcome_reasons, case_id, appeal_decision_id,
                    update_time, claim_id
               FROM appeals ",
            $which
        ))
    };
}

static FILE: Sql = Sql::new(
    "INSERT INTO appeals (appeal_id, account_id, decision_id, statement_id, appealed_case_id,
                          subject_type, subject_id, owner_account_id, grounds, evidence_urls,
                          create_time, state, outcome, outcome_reasons, case_id,
                          appeal_decision_id, update_time, claim_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', '', '', $11, $14)",
);
static EARLIER: Sql =
    Sql::new("SELECT appeal_id FROM appeals WHERE decision_id = $1 AND account_id = $2");
static GET: Sql = select!("WHERE appeal_id = $1");
static LOCK: Sql = select!("WHERE appeal_id = $1 FOR UPDATE");
static LIST: Sql =
    select!("WHERE account_id = $1 AND appeal_id < $2 ORDER BY appeal_id DESC LIMIT $3");
static PUT: Sql = Sql::new(
    "UPDATE appeals SET state = $2, outcome = $3, outcome_reasons = $4, case_id = $5,
                        appeal_decision_id = $6, update_time = $7
      WHERE appeal_id = $1",
);

/// Every statement, for the test that prepares them on both databases.
pub static ALL: [&Sql; 6] = [&FILE, &EARLIER, &GET, &LOCK, &LIST, &PUT];

struct Stored {
    appeal_id: String,
    account_id: String,
    decision_id: String,
    statement_id: String,
    subject_type: i64,
    subject_id: String,
    owner_account_id: String,
    grounds: String,
    evidence_urls: String,
    create_time: i64,
    state: i64,
    outcome: i64,
    outcome_reasons: String,
    case_id: String,
    appeal_decision_id: String,
    update_time: i64,
    claim_id: String,
}

kit::record!(
    Stored:
    appeal_id, account_id, decision_id, statement_id, subject_type, subject_id, owner_account_id,
    grounds, evidence_urls, create_time, state, outcome, outcome_reasons, case_id,
    appeal_decision_id, update_time, claim_id
);

impl Stored {
    fn appeal(self) -> Result<Appeal, DbError> {
        let evidence_urls = serde_json::from_str(&self.evidence_urls).map_err(|error| {
            DbError::internal(format!("the evidence of {} is not a list: {error}", self.appeal_id))
        })?;
        Ok(Appeal {
            appeal_id: self.appeal_id,
            account_id: self.account_id,
            decision_id: self.decision_id,
            statement_id: self.statement_id,
            claim_id: self.claim_id,
            subject: Some(Subject {
                r#type: number(self.subject_type),
                id: self.subject_id,
                owner_account_id: self.owner_account_id,
            }),
            state: number(self.state),
            outcome: number(self.outcome),
            outcome_reasons: self.outcome_reasons,
            grounds: self.grounds,
            evidence_urls,
            case_id: self.case_id,
            appeal_decision_id: self.appeal_decision_id,
            create_time: Some(Time::from_micros(self.create_time).into()),
            update_time: Some(Time::from_micros(self.update_time).into()),
        })
    }
}

/// A number of one of the contract's enums.
fn number(stored: i64) -> i32 {
    i32::try_from(stored).unwrap_or_default()
}

fn time(time: &Option<prost_types::Timestamp>) -> Time {
    time.as_ref().and_then(Time::from_timestamp).unwrap_or_default()
}

/// Stores a new appeal against the decision of `appealed_case_id`.
///
/// # Errors
/// On the constraint `appeals_one_per_side` if the account has one already; or if the statement
/// fails.
pub async fn file(tx: &mut Tx, appeal: &Appeal, appealed_case_id: &str) -> Result<(), DbError> {
    let subject = appeal.subject.clone().unwrap_or_default();
    let arguments = args![
        &appeal.appeal_id,
        &appeal.account_id,
        &appeal.decision_id,
        &appeal.statement_id,
        appealed_case_id,
        subject.r#type,
        subject.id,
        subject.owner_account_id,
        &appeal.grounds,
        json(&appeal.evidence_urls),
        time(&appeal.create_time),
        appeal.state,
        appeal.outcome,
        &appeal.claim_id,
    ];
    tx.execute(&FILE, arguments).await.map(drop)
}

/// The id of an account's appeal against a decision, if there is one.
///
/// # Errors
/// If the statement fails.
pub async fn earlier(
    tx: &mut Tx,
    decision_id: &str,
    account_id: &str,
) -> Result<Option<String>, DbError> {
    let found: Option<(String,)> =
        tx.fetch_optional(&EARLIER, args![decision_id, account_id]).await?;
    Ok(found.map(|(appeal_id,)| appeal_id))
}

/// The same, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn filed(
    db: &Db,
    decision_id: &str,
    account_id: &str,
) -> Result<Option<String>, DbError> {
    let found: Option<(String,)> =
        db.read().fetch_optional(&EARLIER, args![decision_id, account_id]).await?;
    Ok(found.map(|(appeal_id,)| appeal_id))
}

/// An appeal, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn get(db: &Db, appeal_id: &str) -> Result<Option<Appeal>, DbError> {
    let stored: Option<Stored> = db.read().fetch_optional(&GET, args![appeal_id]).await?;
    stored.map(Stored::appeal).transpose()
}

/// An appeal, locked until the end of the transaction.
///
/// # Errors
/// If the statement fails.
pub async fn lock(tx: &mut Tx, appeal_id: &str) -> Result<Option<Appeal>, DbError> {
    let stored: Option<Stored> = tx.fetch_optional(&LOCK, args![appeal_id]).await?;
    stored.map(Stored::appeal).transpose()
}

/// An account's appeals before an id, newest first.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(
    db: &Db,
    account_id: &str,
    before: &str,
    limit: usize,
) -> Result<Vec<Appeal>, DbError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<Stored> = db.read().fetch_all(&LIST, args![account_id, before, limit]).await?;
    rows.into_iter().map(Stored::appeal).collect()
}

/// Stores how an appeal stands now.
///
/// # Errors
/// If the statement fails.
pub async fn put(tx: &mut Tx, appeal: &Appeal) -> Result<(), DbError> {
    let arguments = args![
        &appeal.appeal_id,
        appeal.state,
        appeal.outcome,
        &appeal.outcome_reasons,
        &appeal.case_id,
        &appeal.appeal_decision_id,
        time(&appeal.update_time),
    ];
    tx.execute(&PUT, arguments).await.map(drop)
}
