//! Rows of claims, of their proofs, and of who looked at these.

use contracts::impersonation::v1::claim::State;
use contracts::impersonation::v1::{AppealRoute, Claim};
use kit::db::{Db, DbError, Sql, Tx};
use kit::{Time, args};
use prost::Message as _;

use super::{decode, number, rows};
use crate::claimant::Past;
use crate::proof::Sealed;

/// Sorts after every claim's id.
pub const ID_MAX: &str = super::id_max!("clm");
/// Claims of somebody that count for their standing, newest first.
pub const HISTORY_MAX: usize = 1_000;

/// Whole rows: what [`Row`] reads.
macro_rules! select {
    ($which:literal) => {
        Sql::new(concat!(
            "SELECT c.claim_id, c.claimant, c.imitator_account_id, c.identity_id, c.account_id,
                    c.role, c.state, c.outcome, c.outcome_corrected, c.statement, c.proof_kept,
                    c.case_id, c.match_id, c.decision_id, c.appeal_side, c.appeal_end_time,
                    c.create_time, c.update_time ",
            $which
        ))
    };
}

static INSERT: Sql = Sql::new(
    "INSERT INTO claims (claim_id, claimant, imitator_account_id, identity_id, account_id, role,
                         state, outcome, outcome_corrected, statement, good_faith, proof_kept,
                         proof_drop_time, case_id, match_id, decision_id, appeal_side,
                         appeal_end_time, decide_time, create_time, update_time)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 0, false, $8, $9, $10, 0, '', $11, '', 0, 0, 0, $12, $12)",
);
static UPDATE: Sql = Sql::new(
    "UPDATE claims SET state = $2, outcome = $3, outcome_corrected = $4, proof_kept = $5,
            proof_drop_time = CASE WHEN proof_drop_time = 0 THEN $6 ELSE proof_drop_time END,
            case_id = $7, decision_id = $8, appeal_side = $9,
            appeal_end_time = $10,
            decide_time = CASE WHEN decide_time = 0 THEN $11 ELSE decide_time END,
            update_time = $12
      WHERE claim_id = $1",
);
static GET: Sql = select!("FROM claims AS c WHERE c.claim_id = $1");
static LOCK: Sql = select!("FROM claims AS c WHERE c.claim_id = $1 FOR UPDATE");
static LOCK_OF_CASE: Sql = select!(
    "FROM claims AS c WHERE c.case_id = $1 AND c.case_id <> '' ORDER BY c.claim_id FOR UPDATE"
);
static LIST_OWN: Sql = select!(
    "FROM claims AS c WHERE c.claimant = $1 AND c.claim_id < $2 AND ($3 = 0 OR c.state = $3)
      ORDER BY c.claim_id DESC LIMIT $4"
);
static LIST_IMITATOR: Sql = select!(
    "FROM claims AS c WHERE c.imitator_account_id = $1 AND c.claim_id < $2
        AND ($3 = 0 OR c.state = $3)
      ORDER BY c.claim_id DESC LIMIT $4"
);
static LIST_STATE: Sql = select!(
    "FROM claims AS c WHERE c.state = $1 AND c.claim_id < $2 ORDER BY c.claim_id DESC LIMIT $3"
);
static LIST_ALL: Sql =
    select!("FROM claims AS c WHERE c.claim_id < $1 ORDER BY c.claim_id DESC LIMIT $2");
static OF_DECISION: Sql = select!(
    "FROM claims AS c WHERE c.claimant = $1 AND c.decision_id = $2
        AND c.decision_id <> '' ORDER BY c.claim_id LIMIT 1"
);
static HISTORY: Sql = Sql::new(
    "SELECT create_time, decide_time, outcome FROM claims WHERE claimant = $1
      ORDER BY claim_id DESC LIMIT $2",
);
static KEEP_PROOF: Sql =
    Sql::new("INSERT INTO claim_proofs (claim_id, key_id, sealed) VALUES ($1, $2, $3)");
static DROP_PROOF: Sql = Sql::new("DELETE FROM claim_proofs WHERE claim_id = $1");
static PROOF: Sql = Sql::new("SELECT key_id, sealed FROM claim_proofs WHERE claim_id = $1");
static LOOK: Sql =
    Sql::new("INSERT INTO proof_looks (look_id, claim_id, subject, time) VALUES ($1, $2, $3, $4)");

pub(super) static STATEMENTS: [&Sql; 15] = [
    &INSERT,
    &UPDATE,
    &GET,
    &LOCK,
    &LOCK_OF_CASE,
    &LIST_OWN,
    &LIST_IMITATOR,
    &LIST_STATE,
    &LIST_ALL,
    &OF_DECISION,
    &HISTORY,
    &KEEP_PROOF,
    &DROP_PROOF,
    &PROOF,
    &LOOK,
];

/// A claim and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// As the contract shows it.
    pub shown: Claim,
    /// Who claims.
    pub claimant: String,
}

struct Row {
    claim_id: String,
    claimant: String,
    imitator_account_id: String,
    identity_id: String,
    account_id: String,
    role: i64,
    state: i64,
    outcome: i64,
    outcome_corrected: bool,
    statement: Vec<u8>,
    proof_kept: bool,
    case_id: String,
    match_id: String,
    decision_id: String,
    appeal_side: i64,
    appeal_end_time: i64,
    create_time: i64,
    update_time: i64,
}

kit::record!(
    Row:
    claim_id, claimant, imitator_account_id, identity_id, account_id, role, state, outcome,
    outcome_corrected, statement, proof_kept, case_id, match_id, decision_id, appeal_side,
    appeal_end_time, create_time, update_time
);

impl Row {
    fn stored(self) -> Result<Stored, DbError> {
        let said: Claim = decode(&self.statement, &self.claim_id)?;
        let appeal_route = (!self.decision_id.is_empty()).then(|| AppealRoute {
            decision_id: self.decision_id,
            side: number(self.appeal_side),
            appeal_end_time: Some(Time::from_micros(self.appeal_end_time).into()),
        });
        let shown = Claim {
            claim_id: self.claim_id,
            role: number(self.role),
            identity_id: self.identity_id,
            account_id: self.account_id,
            imitator_account_id: self.imitator_account_id,
            proof_kept: self.proof_kept,
            state: number(self.state),
            outcome: number(self.outcome),
            outcome_corrected: self.outcome_corrected,
            case_id: self.case_id,
            appeal_route,
            match_id: self.match_id,
            create_time: Some(Time::from_micros(self.create_time).into()),
            update_time: Some(Time::from_micros(self.update_time).into()),
            ..said
        };
        Ok(Stored { shown, claimant: self.claimant })
    }
}

fn all(rows: Vec<Row>) -> Result<Vec<Stored>, DbError> {
    rows.into_iter().map(Row::stored).collect()
}

/// Stores a new claim, taken at `now`.
///
/// # Errors
/// If the statement fails.
pub async fn insert(tx: &mut Tx, new: &Stored, good_faith: bool, now: Time) -> Result<(), DbError> {
    let Stored { shown, claimant } = new;
    let said = Claim {
        explanation: shown.explanation.clone(),
        evidence_urls: shown.evidence_urls.clone(),
        ..Claim::default()
    };
    let arguments = args![
        &shown.claim_id,
        claimant,
        &shown.imitator_account_id,
        &shown.identity_id,
        &shown.account_id,
        shown.role,
        shown.state,
        said.encode_to_vec(),
        good_faith,
        shown.proof_kept,
        &shown.match_id,
        now,
    ];
    tx.execute(&INSERT, arguments).await.map(drop)
}

/// Stores what a claim is now. Once it keeps no proof, the proof is deleted, which is recorded.
///
/// # Errors
/// If a statement fails.
pub async fn update(tx: &mut Tx, changed: &Claim, now: Time) -> Result<(), DbError> {
    let mut drop_time = Time::EPOCH;
    if !changed.proof_kept && tx.execute(&DROP_PROOF, args![&changed.claim_id]).await? > 0 {
        drop_time = now;
    }
    let route = changed.appeal_route.clone().unwrap_or_default();
    let end = route.appeal_end_time.as_ref().and_then(Time::from_timestamp).unwrap_or(Time::EPOCH);
    let decided = if changed.state() == State::Decided { now } else { Time::EPOCH };
    let arguments = args![
        &changed.claim_id,
        changed.state,
        changed.outcome,
        changed.outcome_corrected,
        changed.proof_kept,
        drop_time,
        &changed.case_id,
        &route.decision_id,
        route.side,
        end,
        decided,
        now,
    ];
    tx.execute(&UPDATE, arguments).await.map(drop)
}

/// A claim, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn get(db: &Db, claim_id: &str) -> Result<Option<Stored>, DbError> {
    let row: Option<Row> = db.read().fetch_optional(&GET, args![claim_id]).await?;
    row.map(Row::stored).transpose()
}

/// The first claim of somebody that a decision settled, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn of_decision(
    db: &Db,
    claimant: &str,
    decision_id: &str,
) -> Result<Option<Stored>, DbError> {
    let row: Option<Row> =
        db.read().fetch_optional(&OF_DECISION, args![claimant, decision_id]).await?;
    row.map(Row::stored).transpose()
}

/// A claim, locked until the end of the transaction.
///
/// # Errors
/// If the statement fails.
pub async fn lock(tx: &mut Tx, claim_id: &str) -> Result<Option<Stored>, DbError> {
    let row: Option<Row> = tx.fetch_optional(&LOCK, args![claim_id]).await?;
    row.map(Row::stored).transpose()
}

/// The claims of a case, locked, in order of their ids.
///
/// # Errors
/// If the statement fails.
pub async fn lock_of_case(tx: &mut Tx, case_id: &str) -> Result<Vec<Stored>, DbError> {
    all(tx.fetch_all(&LOCK_OF_CASE, args![case_id]).await?)
}

/// Whose claims are listed.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// Those of a claimant.
    Claimant(&'a str),
    /// Those about an account.
    Imitator(&'a str),
    /// Everybody's.
    All,
}

/// A page of claims before an id, newest first; an unspecified state does not narrow it down.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(
    db: &Db,
    whose: Whose<'_>,
    state: State,
    before: &str,
    limit: usize,
) -> Result<Vec<Stored>, DbError> {
    let (read, limit, state) = (db.read(), rows(limit), state as i32);
    let found = match whose {
        Whose::Claimant(who) => read.fetch_all(&LIST_OWN, args![who, before, state, limit]).await?,
        Whose::Imitator(id) => {
            read.fetch_all(&LIST_IMITATOR, args![id, before, state, limit]).await?
        }
        Whose::All if state != 0 => {
            read.fetch_all(&LIST_STATE, args![state, before, limit]).await?
        }
        Whose::All => read.fetch_all(&LIST_ALL, args![before, limit]).await?,
    };
    all(found)
}

fn past((created, decided, outcome): (i64, i64, i64)) -> Past {
    Past {
        file_time: Time::from_micros(created),
        decide_time: (decided > 0).then(|| Time::from_micros(decided)),
        outcome: number(outcome).try_into().unwrap_or_default(),
    }
}

/// How somebody's latest claims fared, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn history(db: &Db, claimant: &str) -> Result<Vec<Past>, DbError> {
    let found: Vec<(i64, i64, i64)> =
        db.read().fetch_all(&HISTORY, args![claimant, rows(HISTORY_MAX)]).await?;
    Ok(found.into_iter().map(past).collect())
}

/// The same within a transaction.
///
/// # Errors
/// If the statement fails.
pub async fn history_in(tx: &mut Tx, claimant: &str) -> Result<Vec<Past>, DbError> {
    let found: Vec<(i64, i64, i64)> =
        tx.fetch_all(&HISTORY, args![claimant, rows(HISTORY_MAX)]).await?;
    Ok(found.into_iter().map(past).collect())
}

/// Keeps the proof of a claim.
///
/// # Errors
/// If the statement fails.
pub async fn keep_proof(tx: &mut Tx, claim_id: &str, sealed: &Sealed) -> Result<(), DbError> {
    let arguments = args![claim_id, &sealed.key_id, sealed.bytes.clone()];
    tx.execute(&KEEP_PROOF, arguments).await.map(drop)
}

/// The proof of a claim, while it is kept.
///
/// # Errors
/// If the statement fails.
pub async fn proof(tx: &mut Tx, claim_id: &str) -> Result<Option<Sealed>, DbError> {
    let row: Option<(String, Vec<u8>)> = tx.fetch_optional(&PROOF, args![claim_id]).await?;
    Ok(row.map(|(key_id, bytes)| Sealed { key_id, bytes }))
}

/// Records that somebody looked at the proof of a claim.
///
/// # Errors
/// If the statement fails.
pub async fn look(
    tx: &mut Tx,
    look_id: &str,
    claim_id: &str,
    subject: &str,
    now: Time,
) -> Result<(), DbError> {
    tx.execute(&LOOK, args![look_id, claim_id, subject, now]).await.map(drop)
}
