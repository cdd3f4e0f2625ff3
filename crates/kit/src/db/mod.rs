//! The database of one service: SQLite in a file or a schema on PostgreSQL, behind one API.
//!
//! Statements are written once, as `static NAME: Sql`; changes go through [`tx!`](crate::tx),
//! reads through [`Db::read`]. It must not know any service's tables.

mod args;
mod error;
mod migrate;
mod query;
mod sql;
mod tx;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use opentelemetry::metrics::{Counter, Histogram};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};
use tokio::sync::watch;

#[doc(hidden)]
pub use sqlx;

pub use args::{Arg, Hex, Record, json};
pub use error::{DbError, Outcome};
pub use migrate::Migrations;
#[doc(hidden)]
pub use migrate::STATEMENTS;
use query::Lent;
pub use sql::Sql;
pub(crate) use tx::backoff;
pub use tx::{Attempts, TX_ATTEMPTS_MAX, Tx};

/// Connections to PostgreSQL that a process opens for one service, unless configured.
pub const CONNECTIONS_MAX_DEFAULT: u32 = 10;
/// Connections that read a SQLite file side by side.
const SQLITE_READERS: u32 = 4;
/// How long a call waits for a free connection before it is told that there is too much work.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages of SQLite's log before it is copied into the file.
const WAL_AUTOCHECKPOINT_PAGES: &str = "8000";
/// How PostgreSQL plans. Every join of ours is a batch in a JSON parameter against an index, but
/// the planner takes any such batch for 100 rows, and would rather read a whole table of ten
/// thousand than probe its index a hundred times: for one row, a hundred times dearer.
const PLANNING: [(&str, &str); 4] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];
/// Prepared statements kept by each connection; more than all statements of a service.
const STATEMENTS_PER_CONNECTION: usize = 512;

/// Where a service's database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DbConfig {
    /// A schema on a PostgreSQL server.
    Postgres {
        /// `postgres://user:password@host:port/database`; a secret.
        url: String,
        /// The schema, made by [`Db::migrate`]: lower-case letters, digits and underscores.
        schema: String,
        /// Connections that this process opens at most.
        connections_max: u32,
        /// Plan every statement for its actual parameters. Needed where a parameter decides the
        /// plan, such as `IN (SELECT … LIMIT $n FOR UPDATE SKIP LOCKED)`.
        force_custom_plan: bool,
    },
    /// A file.
    Sqlite {
        /// The file, made when missing.
        path: PathBuf,
    },
}

impl DbConfig {
    /// The database of `service` at `place`: a `postgres://` URL, where the schema is the
    /// service's name, or a directory, where the file is `<service>.sqlite`.
    pub fn at(place: &str, service: &str) -> DbConfig {
        if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            DbConfig::Postgres {
                url: place.to_owned(),
                schema: service.replace('-', "_"),
                connections_max: CONNECTIONS_MAX_DEFAULT,
                force_custom_plan: false,
            }
        } else {
            DbConfig::Sqlite { path: Path::new(place).join(format!("{service}.sqlite")) }
        }
    }
}

/// Without the URL: it may hold a password.
impl fmt::Debug for DbConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DbConfig::Postgres { schema, .. } => write!(f, "PostgreSQL, schema {schema}"),
            DbConfig::Sqlite { path } => write!(f, "SQLite, {}", path.display()),
        }
    }
}

/// A service's database. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    config: DbConfig,
    pools: Pools,
    /// SQLite's "table.column, …" to the name of the unique index on them.
    unique_names: RwLock<HashMap<String, String>>,
    /// Number of the last event known to be committed.
    head: watch::Sender<i64>,
    /// True once streams of events are to end.
    closing: watch::Sender<bool>,
    /// Whether the task that notices other processes' events was started.
    tailed: AtomicBool,
}

enum Pools {
    Postgres(PgPool),
    Sqlite { write: SqlitePool, read: SqlitePool },
}

impl Db {
    /// Connects. The schema must then be brought up by [`Db::migrate`] or checked by
    /// [`Db::check_schema`].
    ///
    /// # Errors
    /// If the file cannot be opened or the server cannot be reached.
    pub async fn open(config: &DbConfig) -> Result<Db, DbError> {
        let pools = match config {
            DbConfig::Postgres { .. } => open_postgres(config).await,
            DbConfig::Sqlite { path } => open_sqlite(path).await,
        };
        let pools = pools.map_err(|error| DbError::from_driver(error, |_| String::new()))?;
        Ok(Db(Arc::new(Inner {
            config: config.clone(),
            pools,
            unique_names: RwLock::default(),
            head: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            tailed: AtomicBool::new(false),
        })))
    }

    /// Reads outside transactions: committed rows, each statement by itself.
    pub fn read(&self) -> Read<'_> {
        Read(self)
    }

    /// Prepares a statement without running it: a test prepares all statements of a service on
    /// both databases.
    ///
    /// # Errors
    /// What is wrong with the statement.
    pub async fn prepare(&self, sql: &'static Sql) -> Result<(), DbError> {
        let prepared = match self.pools() {
            Pools::Postgres(pool) => pool.acquire().await.map(Lent::Postgres),
            Pools::Sqlite { write, .. } => write.acquire().await.map(Lent::Sqlite),
        };
        let mut lent = prepared.map_err(|error| self.error(error))?;
        lent.connection().prepare(sql).await.map_err(|error| self.error(error))
    }

    /// Which database it is; for start-up messages and for benchmarks.
    pub fn config(&self) -> &DbConfig {
        &self.0.config
    }

    /// Ends every stream of events that this process serves, so that shutdown need not wait for
    /// their readers; each is told to come back.
    pub fn end_streams(&self) {
        self.0.closing.send_replace(true);
    }

    /// Waits for running statements and closes all connections.
    pub async fn close(&self) {
        self.end_streams();
        match self.pools() {
            Pools::Postgres(pool) => pool.close().await,
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
        }
    }
}

/// For the other modules of this crate.
impl Db {
    fn pools(&self) -> &Pools {
        &self.0.pools
    }

    /// The driver's error as ours, with the constraint's name also on SQLite.
    fn error(&self, error: sqlx::Error) -> DbError {
        DbError::from_driver(error, |error| match error.constraint() {
            Some(name) => name.to_owned(),
            None => self.constraint_name(error.message()),
        })
    }

    /// From SQLite's words: `UNIQUE constraint failed: t.a, t.b`, `CHECK constraint failed: c`.
    fn constraint_name(&self, message: &str) -> String {
        let Some((kind, detail)) = message.split_once(" constraint failed: ") else {
            return "foreign_key".to_owned();
        };
        if kind.ends_with("CHECK") {
            return detail.to_owned();
        }
        if let Some(index) = detail.strip_prefix("index '") {
            return index.trim_end_matches('\'').to_owned();
        }
        let names = self.0.unique_names.read().unwrap_or_else(|poison| poison.into_inner());
        names.get(detail).cloned().unwrap_or_else(|| detail.to_owned())
    }

    pub(crate) fn raise_head(&self, seq: i64) {
        self.0.head.send_if_modified(|head| {
            let raised = seq > *head;
            *head = seq.max(*head);
            raised
        });
    }

    pub(crate) fn head(&self) -> &watch::Sender<i64> {
        &self.0.head
    }

    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.subscribe()
    }

    /// True the first time.
    pub(crate) fn start_tail(&self) -> bool {
        !self.0.tailed.swap(true, std::sync::atomic::Ordering::SeqCst)
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.0.pools, Pools::Postgres(_))
    }

    /// A handle that does not keep the database open.
    pub(crate) fn downgrade(&self) -> WeakDb {
        WeakDb(Arc::downgrade(&self.0))
    }
}

/// A handle that does not keep the database open.
pub(crate) struct WeakDb(std::sync::Weak<Inner>);

impl WeakDb {
    pub(crate) fn upgrade(&self) -> Option<Db> {
        self.0.upgrade().map(Db)
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Db({:?})", self.0.config)
    }
}

/// Reads outside transactions.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a>(&'a Db);

impl<'a> Read<'a> {
    /// All rows, in the statement's order.
    pub fn fetch_all<R: Record>(
        self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> BoxFuture<'a, Result<Vec<R>, DbError>> {
        Box::pin(async move {
            let mut lent = self.lend().await?;
            lent.connection().fetch_all(sql, args).await.map_err(|error| self.0.error(error))
        })
    }

    /// The row, or none.
    pub fn fetch_optional<R: Record>(
        self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> BoxFuture<'a, Result<Option<R>, DbError>> {
        Box::pin(async move {
            let mut lent = self.lend().await?;
            lent.connection().fetch_optional(sql, args).await.map_err(|error| self.0.error(error))
        })
    }

    /// The row that must be there.
    pub fn fetch_one<R: Record>(
        self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> BoxFuture<'a, Result<R, DbError>> {
        Box::pin(async move {
            let row = self.fetch_optional(sql, args).await?;
            row.ok_or_else(|| self.0.error(sqlx::Error::RowNotFound))
        })
    }

    async fn lend(self) -> Result<Lent, DbError> {
        let lent = match self.0.pools() {
            Pools::Postgres(pool) => pool.acquire().await.map(Lent::Postgres),
            Pools::Sqlite { read, .. } => read.acquire().await.map(Lent::Sqlite),
        };
        lent.map_err(|error| self.0.error(error))
    }
}

async fn open_postgres(config: &DbConfig) -> Result<Pools, sqlx::Error> {
    let DbConfig::Postgres { url, schema, connections_max, force_custom_plan } = config else {
        return Err(sqlx::Error::Configuration("not PostgreSQL".into()));
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if schema.is_empty() || !schema.chars().all(plain) {
        let message = "the schema's name may only have lower-case letters, digits and underscores";
        return Err(sqlx::Error::Configuration(message.into()));
    }
    let mut options = url
        .parse::<PgConnectOptions>()?
        .application_name("recourse")
        .disable_statement_logging()
        .statement_cache_capacity(STATEMENTS_PER_CONNECTION)
        .options([("search_path", schema.as_str())])
        .options(PLANNING);
    if *force_custom_plan {
        options = options.options([("plan_cache_mode", "force_custom_plan")]);
    }
    // A connection is checked when it comes back, so it need not be checked when it is lent.
    let pool = PgPoolOptions::new()
        .max_connections(*connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false);
    Ok(Pools::Postgres(pool.connect_with(options).await?))
}

async fn open_sqlite(path: &Path) -> Result<Pools, sqlx::Error> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        // Transactions are measured as a whole.
        .disable_statement_logging()
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged write survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", WAL_AUTOCHECKPOINT_PAGES)
        .statement_cache_capacity(STATEMENTS_PER_CONNECTION);
    let pool = |connections: u32| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    // The writer first: it makes the file, which a reader cannot.
    let write = pool(1).connect_with(options.clone().create_if_missing(true)).await?;
    let read = pool(SQLITE_READERS).connect_with(options.read_only(true)).await?;
    Ok(Pools::Sqlite { write, read })
}

/// The instruments of this module.
struct Metrics {
    transactions: Counter<u64>,
    retries: Counter<u64>,
    duration: Histogram<f64>,
}

fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
        let meter = opentelemetry::global::meter("recourse.kit.db");
        Metrics {
            transactions: meter.u64_counter("recourse.db.transactions").build(),
            retries: meter.u64_counter("recourse.db.transaction_retries").build(),
            duration: meter
                .f64_histogram("recourse.db.transaction_duration")
                .with_unit("s")
                .build(),
        }
    });
    &METRICS
}
