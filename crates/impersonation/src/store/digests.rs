//! Rows of digests, of what they are made from, and of how far their making has come.

use contracts::impersonation::v1::Digest;
use contracts::impersonation::v1::r#match::State;
use kit::db::{Db, DbError, Sql, Tx};
use kit::{Time, args};
use prost::Message as _;

use super::{decode, number, rows};
use crate::digest::Event;

/// What happened to the matches of one identity that a digest looks at, newest first.
const EVENTS_MAX: usize = 20_000;

static TELL: Sql = Sql::new(
    "INSERT INTO match_changes (seq, identity_id, match_id, state, probability, time)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (seq) DO NOTHING",
);
static EVENTS: Sql = Sql::new(
    "SELECT match_id, time, state, probability FROM match_changes WHERE identity_id = $1
      ORDER BY seq DESC LIMIT $2",
);
static INSERT: Sql = Sql::new(
    "INSERT INTO digests (digest_id, identity_id, start_time, digest) VALUES ($1, $2, $3, $4)
     ON CONFLICT (identity_id, start_time) DO NOTHING",
);
static GET: Sql = Sql::new("SELECT digest FROM digests WHERE digest_id = $1");
static LIST: Sql = Sql::new(
    "SELECT digest FROM digests WHERE identity_id = $1 AND start_time < $2
      ORDER BY start_time DESC LIMIT $3",
);
static BEGIN: Sql = Sql::new(
    "INSERT INTO digest_rounds (start_time, identity_id, done) VALUES ($1, '', false)
     ON CONFLICT (start_time) DO NOTHING",
);
static ROUND: Sql =
    Sql::new("SELECT identity_id, done FROM digest_rounds WHERE start_time = $1 FOR UPDATE");
static MOVE: Sql =
    Sql::new("UPDATE digest_rounds SET identity_id = $2, done = $3 WHERE start_time = $1");
static LAST: Sql = Sql::new(
    "SELECT start_time FROM digest_rounds WHERE done AND start_time <= $1
      ORDER BY start_time DESC LIMIT 1",
);
static MONITORED: Sql = Sql::new(
    "SELECT identity_id, owner_account_id FROM identities
      WHERE monitored AND state = 1 AND identity_id > $1 AND create_time < $2
      ORDER BY identity_id LIMIT $3",
);

pub(super) static STATEMENTS: [&Sql; 10] =
    [&TELL, &EVENTS, &INSERT, &GET, &LIST, &BEGIN, &ROUND, &MOVE, &LAST, &MONITORED];

/// Records what the event with number `seq` told about a match of an identity.
///
/// # Errors
/// If the statement fails.
pub async fn tell(tx: &mut Tx, seq: i64, identity_id: &str, event: &Event) -> Result<(), DbError> {
    let arguments = args![
        seq,
        identity_id,
        &event.match_id,
        event.state as i32,
        event.probability,
        event.time,
    ];
    tx.execute(&TELL, arguments).await.map(drop)
}

struct EventRow {
    match_id: String,
    time: i64,
    state: i64,
    probability: f64,
}

kit::record!(EventRow: match_id, time, state, probability);

/// What happened to the matches of an identity, in order.
///
/// # Errors
/// If the statement fails.
pub async fn events(tx: &mut Tx, identity_id: &str) -> Result<Vec<Event>, DbError> {
    let found: Vec<EventRow> = tx.fetch_all(&EVENTS, args![identity_id, rows(EVENTS_MAX)]).await?;
    let event = |row: EventRow| Event {
        match_id: row.match_id,
        time: Time::from_micros(row.time),
        state: State::try_from(number(row.state)).unwrap_or_default(),
        probability: row.probability,
    };
    Ok(found.into_iter().rev().map(event).collect())
}

/// Stores a digest; false if there is one of that identity and week.
///
/// # Errors
/// If the statement fails.
pub async fn insert(tx: &mut Tx, digest: &Digest, start: Time) -> Result<bool, DbError> {
    let arguments = args![&digest.digest_id, &digest.identity_id, start, digest.encode_to_vec()];
    Ok(tx.execute(&INSERT, arguments).await? == 1)
}

/// A digest, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn get(db: &Db, digest_id: &str) -> Result<Option<Digest>, DbError> {
    let row: Option<(Vec<u8>,)> = db.read().fetch_optional(&GET, args![digest_id]).await?;
    row.map(|(digest,)| decode(&digest, digest_id)).transpose()
}

/// A page of an identity's digests of weeks before one, newest first.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(
    db: &Db,
    identity_id: &str,
    before: Time,
    limit: usize,
) -> Result<Vec<Digest>, DbError> {
    let arguments = args![identity_id, before, rows(limit)];
    let found: Vec<(Vec<u8>,)> = db.read().fetch_all(&LIST, arguments).await?;
    found.into_iter().map(|(digest,)| decode(&digest, identity_id)).collect()
}

/// The last week up to one of which all digests are made; none if there is none. Whoever's clock
/// was ahead may have made those of later ones.
///
/// # Errors
/// If the database cannot be read.
pub async fn last_made(db: &Db, last: Time) -> Result<Option<Time>, DbError> {
    let row: Option<(i64,)> = db.read().fetch_optional(&LAST, args![last]).await?;
    Ok(row.map(|(start,)| Time::from_micros(start)))
}

/// How far the making of a week's digests has come, locked until the end of the transaction; the
/// last identity that is done, none if all are.
///
/// # Errors
/// If a statement fails.
pub async fn lock_round(tx: &mut Tx, start: Time) -> Result<Option<String>, DbError> {
    tx.execute(&BEGIN, args![start]).await?;
    let (last, done): (String, bool) = tx.fetch_one(&ROUND, args![start]).await?;
    Ok((!done).then_some(last))
}

/// Records how far it has come.
///
/// # Errors
/// If the statement fails.
pub async fn move_round(tx: &mut Tx, start: Time, last: &str, done: bool) -> Result<(), DbError> {
    tx.execute(&MOVE, args![start, last, done]).await.map(drop)
}

/// Identities after an id that are monitored and were enrolled before an instant, each with its
/// owner's account.
///
/// # Errors
/// If the statement fails.
pub async fn monitored(
    tx: &mut Tx,
    after: &str,
    before: Time,
    limit: usize,
) -> Result<Vec<(String, String)>, DbError> {
    tx.fetch_all(&MONITORED, args![after, before, rows(limit)]).await
}
