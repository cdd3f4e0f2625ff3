//! Answers already given: a mutating call repeated with the same `request_id` gets the same
//! answer, and does nothing twice.
//!
//! A call claims its id as the first statement of its transaction and stores the answer as one
//! of the last, so that id, effect and answer commit together; a failed call leaves no trace.
//! Two calls with one id at the same time wait for each other. It must not know any service.

mod claims;

use std::marker::PhantomData;
use std::time::Duration;

use prost::Message;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::args;
use crate::clock::{Clock, Time, sleep};
use crate::db::{Db, DbError, Hex, Sql, Tx, json};
use crate::error::Error;
use claims::{CLAIM, RELEASE, State};

pub use claims::Claims;

/// How long an answer is kept: a repeat after that is a new call.
pub const KEEP: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How often [`keep_swept`] looks for old answers.
pub const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// Answers that [`sweep`] deletes in one transaction.
const SWEEP_BATCH: i64 = 1_000;

static KNOWN: Sql = Sql::new(
    "SELECT r.caller, r.request_id, r.fingerprint, r.response
       FROM jsonb_to_recordset($1) AS n(caller text, request_id text)
       JOIN requests AS r ON r.caller = n.caller AND r.request_id = n.request_id",
);
static ANSWER: Sql = Sql::new(
    "UPDATE requests SET response = n.response
       FROM jsonb_to_recordset($1) AS n(caller text, request_id text, response bytea)
      WHERE requests.caller = n.caller AND requests.request_id = n.request_id",
);
static SWEEP: Sql = Sql::new(
    "DELETE FROM requests WHERE (caller, request_id) IN
     (SELECT caller, request_id FROM requests WHERE time < $1 ORDER BY time LIMIT $2)",
);

/// All statements of this module, for the test that prepares them.
#[doc(hidden)]
pub static STATEMENTS: [&Sql; 5] = [&CLAIM, &KNOWN, &ANSWER, &RELEASE, &SWEEP];

/// One mutating call, as far as its repetition is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    caller: String,
    request_id: String,
    fingerprint: Vec<u8>,
    time: Time,
}

impl Call {
    /// The call that `caller` made of `method` with `message` under `request_id` (a UUID that
    /// the server's validation has checked) at `now`.
    ///
    /// The fingerprint is of the encoded message: its maps must be ordered (`btree_map`).
    pub fn new<M: Message>(
        caller: impl Into<String>,
        request_id: impl Into<String>,
        method: &str,
        message: &M,
        now: Time,
    ) -> Call {
        let mut hash = Sha256::new();
        hash.update(method.as_bytes());
        hash.update([0]);
        hash.update(message.encode_to_vec());
        Call {
            caller: caller.into(),
            // The same UUID, however it is written.
            request_id: request_id.into().to_ascii_lowercase(),
            fingerprint: hash.finalize().to_vec(),
            time: now,
        }
    }

    /// Claims the id. Must be the first statement of the transaction.
    ///
    /// # Errors
    /// ALREADY_EXISTS with reason REQUEST_ID_CONFLICT if the id was used for another call.
    pub async fn claim<M: Message + Default + Clone>(
        &self,
        tx: &mut Tx,
    ) -> Result<Claim<M>, Error> {
        let mut claims = Claims::claim(tx, vec![self.clone()]).await?;
        match claims.states.pop() {
            Some(State::Fresh(_)) => Ok(Claim::Fresh(Pending(self.key_owned(), PhantomData))),
            Some(State::Replay(response)) => Ok(Claim::Replay(response)),
            Some(State::Conflict) => Err(conflict(self)),
            Some(State::SameAs(_)) | None => {
                Err(DbError::internal("one claim has one state of its own").into())
            }
        }
    }

    /// The answer that was given to this call before, if any. Claims nothing: for a call that
    /// would do something slow, or be refused, before it comes to its transaction.
    ///
    /// # Errors
    /// ALREADY_EXISTS with reason REQUEST_ID_CONFLICT if the id was used for another call.
    pub async fn answered<M: Message + Default>(&self, db: &Db) -> Result<Option<M>, Error> {
        let keys = args![json(&[self.key()])];
        let row: Option<(String, String, Vec<u8>, Vec<u8>)> =
            db.read().fetch_optional(&KNOWN, keys).await?;
        let Some((_, _, fingerprint, response)) = row else { return Ok(None) };
        if fingerprint != self.fingerprint {
            return Err(conflict(self));
        }
        decode(&response).map(Some).map_err(Error::from)
    }

    fn key(&self) -> Key<'_> {
        Key { caller: &self.caller, request_id: &self.request_id }
    }

    fn key_owned(&self) -> (String, String) {
        (self.caller.clone(), self.request_id.clone())
    }
}

/// What claiming one id found.
#[derive(Debug)]
#[must_use]
pub enum Claim<M> {
    /// Never seen: do the work, then [`Pending::answer`].
    Fresh(Pending<M>),
    /// Done before: give this answer again.
    Replay(M),
}

/// A claimed id that still needs its answer.
#[derive(Debug)]
#[must_use = "store the answer, or a repeat will not find it"]
pub struct Pending<M>((String, String), PhantomData<fn(M)>);

impl<M: Message> Pending<M> {
    /// Stores the answer, to be given again. Before the end of the same transaction.
    ///
    /// # Errors
    /// If the statement fails.
    pub async fn answer(self, tx: &mut Tx, response: &M) -> Result<(), DbError> {
        let (caller, request_id) = &self.0;
        let bytes = response.encode_to_vec();
        let row = Answer { caller, request_id, response: Hex(&bytes) };
        tx.execute(&ANSWER, args![json(&[row])]).await?;
        tx.answered(1);
        Ok(())
    }
}

/// Deletes the answers that are older than [`KEEP`], in transactions of a bounded size.
///
/// # Errors
/// If the database cannot be changed.
pub async fn sweep(db: &Db, now: Time) -> Result<u64, DbError> {
    let mut deleted = 0;
    loop {
        let batch = crate::tx!(db, "sweep_requests", |tx| -> Result<u64, DbError> {
            tx.execute(&SWEEP, args![now.minus(KEEP), SWEEP_BATCH]).await
        })?;
        deleted += batch;
        if batch < SWEEP_BATCH.unsigned_abs() {
            return Ok(deleted);
        }
    }
}

/// Sweeps now and every [`SWEEP_EVERY`], until the database is dropped or the task is aborted.
pub fn keep_swept(db: &Db, clock: &Clock) -> tokio::task::JoinHandle<()> {
    let (weak, clock) = (db.downgrade(), clock.clone());
    tokio::spawn(async move {
        while let Some(db) = weak.upgrade() {
            match sweep(&db, clock.now()).await {
                Ok(0) => {}
                Ok(deleted) => tracing::info!(deleted, "old answers were swept"),
                Err(error) => tracing::warn!(%error, "old answers will be swept later"),
            }
            drop(db);
            sleep(SWEEP_EVERY).await;
        }
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
struct Key<'a> {
    caller: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Answer<'a> {
    caller: &'a str,
    request_id: &'a str,
    response: Hex<'a>,
}

fn decode<M: Message + Default>(response: &[u8]) -> Result<M, DbError> {
    M::decode(response)
        .map_err(|error| DbError::internal(format!("the stored answer does not decode: {error}")))
}

fn conflict(call: &Call) -> Error {
    Error::already_exists("REQUEST_ID_CONFLICT")
        .message("this request_id was used for a call with other content")
        .meta("request_id", &call.request_id)
}
