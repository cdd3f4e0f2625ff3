//! Transactions: named, counted, run again after contention, and clear about whether they
//! committed. It must not know any service's tables; the event log's append is its last step.

use std::time::Duration;

use futures_util::future::BoxFuture;
use opentelemetry::KeyValue;
use sqlx::{Postgres, Sqlite, Transaction};

use super::args::{Arg, Record};
use super::error::DbError;
use super::query::Connection;
use super::sql::Sql;
use super::{Db, metrics};
use crate::clock::{self, Stopwatch};
use crate::events::{self, NewEvent};
use crate::fault;

/// How often a transaction's body is run before contention is the caller's to handle.
pub const TX_ATTEMPTS_MAX: u32 = 8;
/// The longest wait before the second attempt; doubles with each further attempt.
const BACKOFF_BASE: Duration = Duration::from_millis(4);
/// The longest wait between two attempts.
const BACKOFF_MAX: Duration = Duration::from_millis(250);

/// A running transaction. Dropping it rolls back.
///
/// After a failed statement the transaction cannot commit, on either database: use
/// `ON CONFLICT` where a conflict is expected.
pub struct Tx {
    live: Live,
    db: Db,
    events: Vec<NewEvent>,
    failed: Option<DbError>,
    retry_unique: bool,
    /// Claimed request ids that have no answer yet.
    unanswered: usize,
}

enum Live {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

impl Tx {
    /// All rows, in the statement's order.
    pub fn fetch_all<'a, R: Record>(
        &'a mut self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> BoxFuture<'a, Result<Vec<R>, DbError>> {
        Box::pin(async move {
            let result = self.connection().fetch_all(sql, args).await;
            self.note(result)
        })
    }

    /// The row, or none. More than one is a mistake in the statement; the first is given.
    pub fn fetch_optional<'a, R: Record>(
        &'a mut self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> BoxFuture<'a, Result<Option<R>, DbError>> {
        Box::pin(async move {
            let result = self.connection().fetch_optional(sql, args).await;
            self.note(result)
        })
    }

    /// The row that must be there.
    pub fn fetch_one<'a, R: Record>(
        &'a mut self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> BoxFuture<'a, Result<R, DbError>> {
        Box::pin(async move {
            let result = self.connection().fetch_optional(sql, args).await;
            self.note(result.and_then(|row| row.ok_or(sqlx::Error::RowNotFound)))
        })
    }

    /// Runs the statement; answers how many rows it inserted, changed or deleted.
    pub fn execute<'a>(
        &'a mut self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> BoxFuture<'a, Result<u64, DbError>> {
        Box::pin(async move {
            let result = self.connection().execute(sql, args).await;
            self.note(result)
        })
    }

    /// Adds an event to what this transaction appends to the log. Written as the last statements
    /// before the commit, in the order of the calls, so that the log's lock is held briefly.
    pub fn append(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// A violated unique index in this transaction means that another one got there first: run
    /// the body again, which will then find the other's row. For bodies that look before they
    /// insert.
    pub fn retry_unique_violations(&mut self) {
        self.retry_unique = true;
    }

    /// Counts claimed request ids, so that none can be committed without its answer.
    pub(crate) fn claimed(&mut self, count: usize) {
        self.unanswered += count;
    }

    pub(crate) fn answered(&mut self, count: usize) {
        self.unanswered = self.unanswered.saturating_sub(count);
    }

    fn connection(&mut self) -> Connection<'_> {
        match &mut self.live {
            Live::Postgres(tx) => Connection::Postgres(tx),
            Live::Sqlite(tx) => Connection::Sqlite(tx),
        }
    }

    /// Remembers a failed statement: the runner decides by it, whatever the body makes of it.
    fn note<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, DbError> {
        result.map_err(|error| {
            let error = self.db.error(error);
            self.failed.get_or_insert_with(|| error.clone());
            error
        })
    }

    async fn commit(mut self) -> Result<(), DbError> {
        if let Some(error) = self.failed.take() {
            // PostgreSQL would answer this COMMIT with a silent ROLLBACK.
            self.rollback().await;
            return Err(error);
        }
        if self.unanswered > 0 {
            self.rollback().await;
            return Err(DbError::internal("a claimed request_id got no answer to store"));
        }
        let batch = std::mem::take(&mut self.events);
        let head = events::append(&mut self, &batch).await?;
        fault::point("before_commit");
        let result = match self.live {
            Live::Postgres(tx) => tx.commit().await,
            Live::Sqlite(tx) => tx.commit().await,
        };
        result.map_err(|error| self.db.error(error).at_commit())?;
        fault::point("after_commit");
        if let Some(head) = head {
            self.db.raise_head(head);
        }
        Ok(())
    }

    async fn rollback(self) {
        let result = match self.live {
            Live::Postgres(tx) => tx.rollback().await,
            Live::Sqlite(tx) => tx.rollback().await,
        };
        if let Err(error) = result {
            // The connection is gone and the database rolls back by itself.
            tracing::debug!(%error, "a rollback was not answered");
        }
    }
}

/// Runs a body as one transaction, again after contention, and evaluates to its
/// `Result<T, E>` where `E: From<DbError>`.
///
/// `tx!(db, "name", |tx| { … Ok(value) })`, or with the type written out,
/// `tx!(db, "name", |tx| -> Result<T, E> { … })`. Inside, `?` and `return` end the body, and
/// `tx` is a `&mut Tx`. `Err` rolls back; `Ok` commits. The body is run up to
/// [`TX_ATTEMPTS_MAX`] times, so it must not move out of what it captures nor do anything
/// outside the transaction. An expression inside an `async fn`; it awaits by itself.
///
/// (A method that takes an async closure would read better, but the future of such a method is
/// not `Send` inside a gRPC handler once the closure captures a reference.)
#[macro_export]
macro_rules! tx {
    ($db:expr, $name:expr, |$tx:ident| $body:block) => {
        $crate::tx!(@run $db, $name, $tx, _, $body)
    };
    ($db:expr, $name:expr, |$tx:ident| -> $result:ty $body:block) => {
        $crate::tx!(@run $db, $name, $tx, $result, $body)
    };
    (@run $db:expr, $name:expr, $tx:ident, $result:ty, $body:block) => {{
        let mut attempts = $crate::db::Attempts::new(&$db, $name);
        loop {
            let mut running = match attempts.begin().await {
                Ok(running) => running,
                Err(error) => break Err(::std::convert::From::from(error)),
            };
            let outcome: $result = {
                let $tx: &mut $crate::db::Tx = &mut running;
                (async $body).await
            };
            if let Some(done) = attempts.end(running, outcome).await {
                break done;
            }
        }
    }};
}

/// What [`tx!`](crate::tx) expands to: the attempts at one transaction.
#[doc(hidden)]
pub struct Attempts<'a> {
    db: &'a Db,
    name: &'static str,
    made: u32,
    watch: Stopwatch,
}

impl<'a> Attempts<'a> {
    pub fn new(db: &'a Db, name: &'static str) -> Attempts<'a> {
        Attempts { db, name, made: 0, watch: Stopwatch::start() }
    }

    pub async fn begin(&mut self) -> Result<Tx, DbError> {
        loop {
            self.made += 1;
            let error = match begin(self.db).await {
                Ok(live) => {
                    return Ok(Tx {
                        live,
                        db: self.db.clone(),
                        events: Vec::new(),
                        failed: None,
                        retry_unique: false,
                        unanswered: 0,
                    });
                }
                Err(error) => self.db.error(error),
            };
            if !self.again(&error, false).await {
                self.count("unavailable");
                return Err(error);
            }
        }
    }

    /// `None`: run the body again.
    pub async fn end<T, E: From<DbError>>(
        &mut self,
        mut tx: Tx,
        outcome: Result<T, E>,
    ) -> Option<Result<T, E>> {
        let retry_unique = tx.retry_unique;
        match outcome {
            Ok(value) => match tx.commit().await {
                Ok(()) => {
                    self.count("committed");
                    Some(Ok(value))
                }
                Err(error) if self.again(&error, retry_unique).await => None,
                Err(error) => {
                    self.count("failed");
                    Some(Err(error.into()))
                }
            },
            Err(error) => {
                let failed = tx.failed.take();
                tx.rollback().await;
                match failed {
                    Some(failed) if self.again(&failed, retry_unique).await => None,
                    Some(_) => {
                        self.count("failed");
                        Some(Err(error))
                    }
                    None => {
                        self.count("refused");
                        Some(Err(error))
                    }
                }
            }
        }
    }

    async fn again(&self, error: &DbError, retry_unique: bool) -> bool {
        let worth = error.is_retryable() || (retry_unique && error.is_unique_violation());
        if !worth || self.made >= TX_ATTEMPTS_MAX {
            return false;
        }
        metrics().retries.add(1, &[KeyValue::new("db.transaction", self.name)]);
        tracing::debug!(transaction = self.name, attempt = self.made, %error, "run again");
        clock::sleep(backoff(self.made, BACKOFF_BASE, BACKOFF_MAX)).await;
        true
    }

    fn count(&self, outcome: &'static str) {
        let labels =
            [KeyValue::new("db.transaction", self.name), KeyValue::new("outcome", outcome)];
        metrics().transactions.add(1, &labels);
        metrics().duration.record(self.watch.elapsed().as_secs_f64(), &labels);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that begins transactions")]
async fn begin(db: &Db) -> Result<Live, sqlx::Error> {
    match db.pools() {
        super::Pools::Postgres(pool) => pool.begin().await.map(Live::Postgres),
        // A deferred BEGIN could fail in the middle, when the first write finds another writer.
        super::Pools::Sqlite { write, .. } => {
            write.begin_with("BEGIN IMMEDIATE").await.map(Live::Sqlite)
        }
    }
}

/// A random wait between half and the whole of `base * 2^(attempt - 1)`, at most `max`.
pub(crate) fn backoff(attempt: u32, base: Duration, max: Duration) -> Duration {
    let whole = base.saturating_mul(1 << (attempt - 1).min(16)).min(max);
    // Without randomness from the system the wait is the whole: only less well spread.
    let random = getrandom::u32().unwrap_or(u32::MAX);
    whole / 2 + (whole / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}
