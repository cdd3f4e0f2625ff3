//! The event log: what happened in this service, in commit order, without gaps.
//!
//! An event is appended in the transaction that makes it true. Appending takes a lock on the
//! log's one row and holds it until the commit, so that a number becomes visible only after all
//! smaller ones: a reader that goes by numbers can never pass over an event that commits late.
//! This module knows events as bytes; what they mean is the service's.

use serde::Serialize;

use crate::args;
use crate::clock::Time;
use crate::db::{Db, DbError, Hex, Sql, Tx, json};

/// Events that one statement writes; more take several, so that no document grows without bound.
const APPEND_BATCH_EVENTS: usize = 2_000;
/// Events that [`trim`] deletes in one transaction.
const TRIM_BATCH_EVENTS: i64 = 1_000;

static ADVANCE: Sql = Sql::new("UPDATE event_head SET seq = seq + $1 WHERE id = 1 RETURNING seq");
static INSERT: Sql = Sql::new(
    "INSERT INTO events (seq, event_id, key, kind, time, payload)
     SELECT seq, event_id, key, kind, time, payload
       FROM jsonb_to_recordset($1) AS n(seq bigint, event_id text, key text, kind text,
                                        time bigint, payload bytea)",
);
static PAGE: Sql = Sql::new(
    "SELECT seq, event_id, key, kind, time, payload FROM events
      WHERE seq > $1 ORDER BY seq LIMIT $2",
);
static HEAD: Sql = Sql::new("SELECT log_id, seq, trimmed FROM event_head WHERE id = 1");
static OLDEST: Sql = Sql::new("SELECT seq, time FROM events ORDER BY seq LIMIT $1");
static DELETE_TO: Sql = Sql::new("DELETE FROM events WHERE seq <= $1");
static MARK_TRIMMED: Sql =
    Sql::new("UPDATE event_head SET trimmed = $1 WHERE id = 1 AND trimmed < $1");

/// All statements of the event log, for the test that prepares them.
#[doc(hidden)]
pub static STATEMENTS: [&Sql; 7] =
    [&ADVANCE, &INSERT, &PAGE, &HEAD, &OLDEST, &DELETE_TO, &MARK_TRIMMED];

/// An event to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id, `evt_…`.
    pub id: String,
    /// What it is about, such as an account's id.
    pub key: String,
    /// The name of its kind, such as `report_filed`.
    pub kind: &'static str,
    /// When it happened.
    pub time: Time,
    /// The service's event message.
    pub payload: Vec<u8>,
}

impl NewEvent {
    /// An event whose payload is `message`.
    pub fn of<M: prost::Message>(
        id: impl Into<String>,
        key: impl Into<String>,
        kind: &'static str,
        time: Time,
        message: &M,
    ) -> NewEvent {
        NewEvent { id: id.into(), key: key.into(), kind, time, payload: message.encode_to_vec() }
    }
}

/// An event in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number: 1, 2, 3, …
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// What it is about.
    pub key: String,
    /// The name of its kind.
    pub kind: String,
    /// When it happened, microseconds UTC.
    pub time_micros: i64,
    /// The service's event message.
    pub payload: Vec<u8>,
}

crate::record!(Event: seq, id = "event_id", key, kind, time_micros = "time", payload);

impl Event {
    /// When it happened.
    pub fn time(&self) -> Time {
        Time::from_micros(self.time_micros)
    }

    /// The payload as the service's message.
    ///
    /// # Errors
    /// If it is not one: the log was written by something else.
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M, DbError> {
        M::decode(self.payload.as_slice()).map_err(|error| {
            DbError::internal(format!("event {} ({}) does not decode: {error}", self.id, self.kind))
        })
    }
}

/// The log as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The log's random name.
    pub log_id: String,
    /// Number of the last event; 0 when there is none.
    pub seq: i64,
    /// Number of the last event that retention removed; 0 when none.
    pub trimmed: i64,
}

crate::record!(Head: log_id, seq, trimmed);

/// Where the log stands now.
///
/// # Errors
/// If the database cannot be read.
pub async fn head(db: &Db) -> Result<Head, DbError> {
    db.read().fetch_one(&HEAD, args![]).await
}

/// The resume token after the last event so far: a stream from it gives only what comes later.
///
/// # Errors
/// If the database cannot be read.
pub async fn head_token(db: &Db) -> Result<String, DbError> {
    let head = head(db).await?;
    Ok(crate::watch::Token { log_id: head.log_id, seq: head.seq }.encode())
}

/// The events after number `after`, oldest first, at most `limit`.
///
/// # Errors
/// If the database cannot be read.
pub async fn page(db: &Db, after: i64, limit: i64) -> Result<Vec<Event>, DbError> {
    db.read().fetch_all(&PAGE, args![after, limit]).await
}

/// Removes the events that happened before `before`, oldest first, in transactions of a bounded
/// size, and stops at the first that is younger. Answers how many it removed. A stream that had
/// not read them yet is then out of range.
///
/// # Errors
/// If the database cannot be changed.
pub async fn trim(db: &Db, before: Time) -> Result<u64, DbError> {
    let mut removed = 0;
    loop {
        let batch = crate::tx!(db, "trim_events", |tx| -> Result<u64, DbError> {
            let oldest: Vec<(i64, i64)> = tx.fetch_all(&OLDEST, args![TRIM_BATCH_EVENTS]).await?;
            let old = oldest.iter().take_while(|(_, time)| *time < before.micros());
            let Some((last, _)) = old.last() else { return Ok(0) };
            tx.execute(&MARK_TRIMMED, args![*last]).await?;
            tx.execute(&DELETE_TO, args![*last]).await
        })?;
        removed += batch;
        if batch < TRIM_BATCH_EVENTS.unsigned_abs() {
            return Ok(removed);
        }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    seq: i64,
    event_id: &'a str,
    key: &'a str,
    kind: &'a str,
    time: i64,
    payload: Hex<'a>,
}

impl<'a> Row<'a> {
    fn of(seq: i64, event: &'a NewEvent) -> Row<'a> {
        Row {
            seq,
            event_id: &event.id,
            key: &event.key,
            kind: event.kind,
            time: event.time.micros(),
            payload: Hex(&event.payload),
        }
    }
}

/// Writes the events as the last statements of a transaction. Answers the last number.
pub(crate) async fn append(tx: &mut Tx, events: &[NewEvent]) -> Result<Option<i64>, DbError> {
    let count = i64::try_from(events.len())
        .map_err(|_| DbError::internal("more events than can be numbered"))?;
    if count == 0 {
        return Ok(None);
    }
    let (last,): (i64,) = tx.fetch_one(&ADVANCE, args![count]).await?;
    let mut seq = last - count;
    for batch in events.chunks(APPEND_BATCH_EVENTS) {
        let numbered = |event| {
            seq += 1;
            Row::of(seq, event)
        };
        let rows: Vec<Row<'_>> = batch.iter().map(numbered).collect();
        tx.execute(&INSERT, args![json(&rows)]).await?;
    }
    Ok(Some(last))
}
