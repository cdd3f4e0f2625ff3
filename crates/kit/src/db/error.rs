//! What can go wrong with a database, told apart by what one can do about it, and whether the
//! transaction committed. It must not know any table.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;

/// How long a caller waits before it repeats a call that met contention or an outage.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// A failed statement or transaction. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DbError {
    kind: Kind,
    outcome: Outcome,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// Did the transaction commit?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No: nothing of it is stored.
    NotCommitted,
    /// Nobody knows: the connection was lost between the COMMIT and its answer. A repeat with
    /// the same `request_id` finds out.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Another transaction was in the way: the same one may succeed when run again.
    Contention,
    /// No connection within the pool's patience: too much work for the database.
    Overloaded,
    /// The database cannot be reached, or the connection was lost.
    Unreachable,
    /// This process has closed its connections.
    Closed,
    /// A constraint, by its name.
    Constraint { name: String, unique: bool },
    /// The schema is not the one that this program knows.
    Schema(String),
    /// A mistake of ours: a wrong statement, a row that does not decode.
    Internal(String),
}

impl DbError {
    /// A mistake found by the code around the statements, such as a row that must exist.
    pub fn internal(message: impl Into<String>) -> DbError {
        DbError::of(Kind::Internal(message.into()))
    }

    pub(crate) fn contention() -> DbError {
        DbError::of(Kind::Contention)
    }

    pub(super) fn schema(message: impl Into<String>) -> DbError {
        DbError::of(Kind::Schema(message.into()))
    }

    fn of(kind: Kind) -> DbError {
        DbError { kind, outcome: Outcome::NotCommitted, source: None }
    }

    /// From the driver's error; `name` finds the constraint's name where the driver does not
    /// tell it.
    pub(super) fn from_driver(
        error: sqlx::Error,
        name: impl Fn(&dyn sqlx::error::DatabaseError) -> String,
    ) -> DbError {
        let kind = match &error {
            sqlx::Error::Database(error) => kind_of(error.as_ref(), name),
            sqlx::Error::Io(_)
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Tls(_)
            | sqlx::Error::BeginFailed => Kind::Unreachable,
            sqlx::Error::PoolTimedOut => Kind::Overloaded,
            sqlx::Error::PoolClosed => Kind::Closed,
            _ => Kind::Internal("the driver refused the statement or the row".to_owned()),
        };
        DbError { kind, outcome: Outcome::NotCommitted, source: Some(Arc::new(error)) }
    }

    /// The same error as the answer to a COMMIT: a lost connection leaves the outcome unknown.
    pub(super) fn at_commit(mut self) -> DbError {
        if matches!(self.kind, Kind::Unreachable | Kind::Internal(_)) {
            self.outcome = Outcome::Unknown;
        }
        self
    }

    /// Whether the transaction that failed with this is stored.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// True if the constraint of that name was violated. The names are part of the schema:
    /// `CONSTRAINT name …`, `CREATE UNIQUE INDEX name …`, or PostgreSQL's own (`t_pkey`,
    /// `t_a_b_key`). SQLite does not say which foreign key failed: `foreign_key`.
    pub fn on_constraint(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Constraint { name: violated, .. } if violated == name)
    }

    /// True for a violated unique index or primary key.
    pub fn is_unique_violation(&self) -> bool {
        matches!(&self.kind, Kind::Constraint { unique: true, .. })
    }

    /// True if running the whole transaction again may succeed and cannot do anything twice.
    pub fn is_retryable(&self) -> bool {
        self.outcome == Outcome::NotCommitted
            && matches!(self.kind, Kind::Contention | Kind::Unreachable)
    }

    /// True if the fault is the database's present state rather than this call's content.
    pub(crate) fn is_outage(&self) -> bool {
        self.outcome == Outcome::Unknown
            || !matches!(self.kind, Kind::Constraint { .. } | Kind::Schema(_) | Kind::Internal(_))
    }
}

fn kind_of(
    error: &dyn sqlx::error::DatabaseError,
    name: impl Fn(&dyn sqlx::error::DatabaseError) -> String,
) -> Kind {
    use sqlx::error::ErrorKind;
    match error.kind() {
        ErrorKind::UniqueViolation => {
            return Kind::Constraint { name: name(error), unique: true };
        }
        ErrorKind::ForeignKeyViolation
        | ErrorKind::CheckViolation
        | ErrorKind::ExclusionViolation => {
            return Kind::Constraint { name: name(error), unique: false };
        }
        _ => {}
    }
    let code = error.code().unwrap_or_default();
    match code.as_ref() {
        // serialization_failure, deadlock_detected, lock_not_available; SQLITE_BUSY,
        // SQLITE_LOCKED, SQLITE_BUSY_RECOVERY, SQLITE_BUSY_SNAPSHOT
        "40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517" => Kind::Contention,
        // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections
        "57P01" | "57P02" | "57P03" | "53300" => Kind::Unreachable,
        // connection_exception and its kind
        code if code.len() == 5 && code.starts_with("08") => Kind::Unreachable,
        _ => Kind::Internal("the database refused the statement".to_owned()),
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Contention => f.write_str("another transaction was in the way")?,
            Kind::Overloaded => f.write_str("no database connection became free in time")?,
            Kind::Unreachable => f.write_str("the database cannot be reached")?,
            Kind::Closed => f.write_str("the database is closed")?,
            Kind::Constraint { name, .. } => write!(f, "constraint {name} was violated")?,
            Kind::Schema(message) | Kind::Internal(message) => f.write_str(message)?,
        }
        match self.outcome {
            Outcome::NotCommitted => Ok(()),
            Outcome::Unknown => f.write_str(" (unknown whether it committed)"),
        }
    }
}

impl std::error::Error for DbError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Error {
        let outcome = match error.outcome {
            Outcome::NotCommitted => "no",
            Outcome::Unknown => "unknown",
        };
        let answer = match &error.kind {
            Kind::Contention => Error::aborted("CONFLICT_RETRY")
                .message("other calls change the same records: try again"),
            Kind::Overloaded => Error::unavailable("OVERLOADED")
                .message("the service has more work than it can take now"),
            Kind::Unreachable | Kind::Closed => {
                Error::unavailable("NOT_READY").message("the storage cannot be reached now")
            }
            _ if error.outcome == Outcome::Unknown => Error::unavailable("NOT_READY")
                .message("the storage did not answer: repeat with the same request_id"),
            Kind::Constraint { .. } | Kind::Schema(_) | Kind::Internal(_) => {
                return Error::internal(error);
            }
        };
        answer.retry_after(RETRY_AFTER).meta("committed", outcome).caused_by(error)
    }
}

impl From<DbError> for tonic::Status {
    fn from(error: DbError) -> tonic::Status {
        Error::from(error).into()
    }
}
