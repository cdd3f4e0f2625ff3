//! Rows of matches. Each is written through its columns of bytes and numbers at once, so that
//! whoever changes one locks it, changes the [`Stored`] and puts it back.

use contracts::impersonation::v1::Match;
use contracts::impersonation::v1::r#match::State;
use kit::db::{Db, DbError, Sql, Tx, json};
use kit::{Time, args};
use prost::Message as _;

use super::{decode, keys, number, rows};
use crate::profile::Look;

/// Sorts after every match's id.
pub const ID_MAX: &str = super::id_max!("mat");

/// Whole rows: what [`Row`] reads.
macro_rules! select {
    ($which:literal) => {
        Sql::new(concat!(
            "SELECT m.match_id, m.identity_id, m.account_id, m.state, m.snapshot, m.look,
                    m.campaign_id, m.case_id, m.decision_id, m.reopen_count, m.create_time,
                    m.update_time ",
            $which
        ))
    };
}

static INSERT: Sql = Sql::new(
    "INSERT INTO matches (match_id, identity_id, account_id, state, consequence, probability,
                          snapshot, look, campaign_id, case_id, decision_id, reopen_count,
                          create_time, update_time)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
);
static UPDATE: Sql = Sql::new(
    "UPDATE matches SET state = $2, consequence = $3, probability = $4, snapshot = $5, look = $6,
            campaign_id = $7, case_id = $8, decision_id = $9, reopen_count = $10, update_time = $11
      WHERE match_id = $1",
);
static GET: Sql = select!("FROM matches AS m WHERE m.match_id = $1");
static LOCK: Sql = select!("FROM matches AS m WHERE m.match_id = $1 FOR UPDATE");
static LOCK_OF_ACCOUNTS: Sql = select!(
    "FROM jsonb_to_recordset($1) AS n(k text) CROSS JOIN matches AS m
      WHERE m.account_id = n.k ORDER BY m.match_id FOR UPDATE"
);
static LOCK_OF_CASE: Sql = select!(
    "FROM matches AS m WHERE m.case_id = $1 AND m.case_id <> '' ORDER BY m.match_id FOR UPDATE"
);
static LOCK_SOME: Sql = select!(
    "FROM jsonb_to_recordset($1) AS n(k text) CROSS JOIN matches AS m
      WHERE m.match_id = n.k ORDER BY m.match_id FOR UPDATE"
);
static OF_PAIR: Sql = select!("FROM matches AS m WHERE m.identity_id = $1 AND m.account_id = $2");
static LOCK_OF_IDENTITY: Sql = select!(
    "FROM matches AS m WHERE m.identity_id = $1 AND m.match_id > $2
      ORDER BY m.match_id LIMIT $3 FOR UPDATE"
);
static LIST_IDENTITY: Sql = select!(
    "FROM matches AS m WHERE m.identity_id = $1 AND m.match_id < $2
        AND ($3 = '' OR m.account_id = $3) AND ($4 = 0 OR m.state = $4)
        AND ($5 = '' OR m.campaign_id = $5)
      ORDER BY m.match_id DESC LIMIT $6"
);
static LIST_ACCOUNT: Sql = select!(
    "FROM matches AS m WHERE m.account_id = $1 AND m.match_id < $2 AND ($3 = 0 OR m.state = $3)
        AND ($4 = '' OR m.campaign_id = $4)
      ORDER BY m.match_id DESC LIMIT $5"
);
static LIST_CAMPAIGN: Sql = select!(
    "FROM matches AS m WHERE m.campaign_id = $1 AND m.campaign_id <> '' AND m.match_id < $2
        AND ($3 = 0 OR m.state = $3)
      ORDER BY m.match_id DESC LIMIT $4"
);
static LIST_STATE: Sql = select!(
    "FROM matches AS m WHERE m.state = $1 AND m.match_id < $2 ORDER BY m.match_id DESC LIMIT $3"
);
static LIST_ALL: Sql =
    select!("FROM matches AS m WHERE m.match_id < $1 ORDER BY m.match_id DESC LIMIT $2");

pub(super) static STATEMENTS: [&Sql; 14] = [
    &INSERT,
    &UPDATE,
    &GET,
    &LOCK,
    &LOCK_OF_ACCOUNTS,
    &LOCK_OF_CASE,
    &LOCK_SOME,
    &OF_PAIR,
    &LOCK_OF_IDENTITY,
    &LIST_IDENTITY,
    &LIST_ACCOUNT,
    &LIST_CAMPAIGN,
    &LIST_STATE,
    &LIST_ALL,
];

/// A match as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// As the contract shows it.
    pub shown: Match,
    /// How the account looked when it was last found.
    pub look: Look,
}

impl Stored {
    /// Where it stands.
    pub fn state(&self) -> State {
        self.shown.state()
    }
}

struct Row {
    match_id: String,
    identity_id: String,
    account_id: String,
    state: i64,
    snapshot: Vec<u8>,
    look: Vec<u8>,
    campaign_id: String,
    case_id: String,
    decision_id: String,
    reopen_count: i64,
    create_time: i64,
    update_time: i64,
}

kit::record!(
    Row:
    match_id, identity_id, account_id, state, snapshot, look, campaign_id, case_id, decision_id,
    reopen_count, create_time, update_time
);

impl Row {
    fn stored(self) -> Result<Stored, DbError> {
        let snapshot: Match = decode(&self.snapshot, &self.match_id)?;
        let look = Look::read(&self.look)
            .ok_or_else(|| DbError::internal(format!("{} has no look", self.match_id)))?;
        let shown = Match {
            match_id: self.match_id,
            identity_id: self.identity_id,
            account_id: self.account_id,
            state: number(self.state),
            campaign_id: self.campaign_id,
            case_id: self.case_id,
            decision_id: self.decision_id,
            reopen_count: number(self.reopen_count),
            create_time: Some(Time::from_micros(self.create_time).into()),
            update_time: Some(Time::from_micros(self.update_time).into()),
            ..snapshot
        };
        Ok(Stored { shown, look })
    }
}

fn all(rows: Vec<Row>) -> Result<Vec<Stored>, DbError> {
    rows.into_iter().map(Row::stored).collect()
}

fn micros(time: &Option<prost_types::Timestamp>) -> i64 {
    time.as_ref().and_then(Time::from_timestamp).unwrap_or(Time::from_micros(0)).micros()
}

/// The column `snapshot`: what no other column holds.
fn snapshot(shown: &Match) -> Vec<u8> {
    Match {
        likeness: shown.likeness.clone(),
        identity: shown.identity.clone(),
        profile: shown.profile.clone(),
        reopen_changes: shown.reopen_changes.clone(),
        ..Match::default()
    }
    .encode_to_vec()
}

/// Stores a new match.
///
/// # Errors
/// If the statement fails.
pub async fn insert(tx: &mut Tx, new: &Stored) -> Result<(), DbError> {
    let Stored { shown, look } = new;
    let likeness = shown.likeness.clone().unwrap_or_default();
    let arguments = args![
        &shown.match_id,
        &shown.identity_id,
        &shown.account_id,
        shown.state,
        likeness.consequence,
        likeness.probability,
        snapshot(shown),
        look.bytes(),
        &shown.campaign_id,
        &shown.case_id,
        &shown.decision_id,
        shown.reopen_count,
        micros(&shown.create_time),
        micros(&shown.update_time),
    ];
    tx.execute(&INSERT, arguments).await.map(drop)
}

/// Stores what a match is now.
///
/// # Errors
/// If the statement fails.
pub async fn update(tx: &mut Tx, changed: &Stored) -> Result<(), DbError> {
    let Stored { shown, look } = changed;
    let likeness = shown.likeness.clone().unwrap_or_default();
    let arguments = args![
        &shown.match_id,
        shown.state,
        likeness.consequence,
        likeness.probability,
        snapshot(shown),
        look.bytes(),
        &shown.campaign_id,
        &shown.case_id,
        &shown.decision_id,
        shown.reopen_count,
        micros(&shown.update_time),
    ];
    tx.execute(&UPDATE, arguments).await.map(drop)
}

/// A match, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn get(db: &Db, match_id: &str) -> Result<Option<Stored>, DbError> {
    let row: Option<Row> = db.read().fetch_optional(&GET, args![match_id]).await?;
    row.map(Row::stored).transpose()
}

/// A match, locked until the end of the transaction.
///
/// # Errors
/// If the statement fails.
pub async fn lock(tx: &mut Tx, match_id: &str) -> Result<Option<Stored>, DbError> {
    let row: Option<Row> = tx.fetch_optional(&LOCK, args![match_id]).await?;
    row.map(Row::stored).transpose()
}

/// All matches of these accounts, locked, in order of their ids.
///
/// # Errors
/// If the statement fails.
pub async fn lock_of_accounts<'a>(
    tx: &mut Tx,
    account_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Stored>, DbError> {
    all(tx.fetch_all(&LOCK_OF_ACCOUNTS, args![json(&keys(account_ids))]).await?)
}

/// The matches of a case, locked, in order of their ids.
///
/// # Errors
/// If the statement fails.
pub async fn lock_of_case(tx: &mut Tx, case_id: &str) -> Result<Vec<Stored>, DbError> {
    all(tx.fetch_all(&LOCK_OF_CASE, args![case_id]).await?)
}

/// These matches, locked, in order of their ids.
///
/// # Errors
/// If the statement fails.
pub async fn lock_some<'a>(
    tx: &mut Tx,
    match_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Stored>, DbError> {
    all(tx.fetch_all(&LOCK_SOME, args![json(&keys(match_ids))]).await?)
}

/// The match of a pair within a transaction.
///
/// # Errors
/// If the statement fails.
pub async fn of_pair(
    tx: &mut Tx,
    identity_id: &str,
    account_id: &str,
) -> Result<Option<Stored>, DbError> {
    let row: Option<Row> = tx.fetch_optional(&OF_PAIR, args![identity_id, account_id]).await?;
    row.map(Row::stored).transpose()
}

/// The matches of an identity after an id, locked, in order of their ids.
///
/// # Errors
/// If the statement fails.
pub async fn lock_of_identity(
    tx: &mut Tx,
    identity_id: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<Stored>, DbError> {
    all(tx.fetch_all(&LOCK_OF_IDENTITY, args![identity_id, after, rows(limit)]).await?)
}

/// What is asked for; what is empty or unspecified does not narrow the list.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    /// Of this identity.
    pub identity_id: &'a str,
    /// Of this account.
    pub account_id: &'a str,
    /// In this state.
    pub state: State,
    /// Of this campaign.
    pub campaign_id: &'a str,
}

/// A page of matches before an id, newest first, by whatever narrows them down most.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(
    db: &Db,
    filter: Filter<'_>,
    before: &str,
    limit: usize,
) -> Result<Vec<Stored>, DbError> {
    let Filter { identity_id, account_id, state, campaign_id } = filter;
    let (read, limit, state) = (db.read(), rows(limit), state as i32);
    let found: Vec<Row> = if !identity_id.is_empty() {
        let arguments = args![identity_id, before, account_id, state, campaign_id, limit];
        read.fetch_all(&LIST_IDENTITY, arguments).await?
    } else if !account_id.is_empty() {
        read.fetch_all(&LIST_ACCOUNT, args![account_id, before, state, campaign_id, limit]).await?
    } else if !campaign_id.is_empty() {
        read.fetch_all(&LIST_CAMPAIGN, args![campaign_id, before, state, limit]).await?
    } else if state != 0 {
        read.fetch_all(&LIST_STATE, args![state, before, limit]).await?
    } else {
        read.fetch_all(&LIST_ALL, args![before, limit]).await?
    };
    all(found)
}
