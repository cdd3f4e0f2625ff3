//! A fresh database for each test, on each database that there is: SQLite always, PostgreSQL
//! when `RECOURSE_TEST_POSTGRES` has its URL (`scripts/postgres start` gives one).

use std::ops::Deref;
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use kit::db::{Db, DbConfig, Migrations};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// The environment variable with the URL of a PostgreSQL server that tests may use.
pub const POSTGRES_URL: &str = "RECOURSE_TEST_POSTGRES";
/// Connections that a test's database opens at most: several can be open side by side.
const CONNECTIONS_MAX: u32 = 8;

/// A fresh, migrated database, deleted with its data when dropped. Derefs to [`Db`].
#[derive(Debug)]
pub struct TestDb {
    db: Db,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Directory(#[expect(dead_code, reason = "deletes itself when dropped")] tempfile::TempDir),
    Schema { url: String, name: String },
}

impl Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

impl TestDb {
    /// Another connection to the same database, as another replica would have.
    pub async fn another(&self) -> Db {
        Db::open(self.db.config()).await.expect("the test's database opens once more")
    }

    /// True on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.home, Home::Schema { .. })
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let Home::Schema { url, name } = &self.home else { return };
        let (url, name) = (url.clone(), name.clone());
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(drop_schema(&url, &name)).map_err(std::io::Error::other)
        });
        match cleaner.join() {
            Ok(Ok(())) => {}
            // Only litter: it must not hide what the test found.
            Ok(Err(error)) => eprintln!("a test's schema was left behind: {error}"),
            Err(_) => eprintln!("a test's schema was left behind"),
        }
    }
}

/// A fresh database of each kind, migrated with the kit's own tables and these.
///
/// If `migrations` are the files of the crate under test, it is also checked that they list
/// every file of its `migrations` directory.
///
/// # Panics
/// If a database cannot be opened or migrated.
pub async fn each(migrations: &Migrations) -> Vec<TestDb> {
    let mut all = vec![sqlite(migrations).await];
    all.extend(postgres(migrations).await);
    all
}

/// A fresh SQLite file.
///
/// # Panics
/// If it cannot be opened or migrated.
pub async fn sqlite(migrations: &Migrations) -> TestDb {
    check_listed(migrations);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let place = directory.path().to_string_lossy();
    let db = open(&DbConfig::at(&place, "test"), migrations).await;
    TestDb { db, home: Home::Directory(directory) }
}

/// A fresh schema on PostgreSQL; `None`, and a word about it, without `RECOURSE_TEST_POSTGRES`.
///
/// # Panics
/// If the server cannot be reached or the schema cannot be migrated.
pub async fn postgres(migrations: &Migrations) -> Option<TestDb> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let Ok(url) = std::env::var(POSTGRES_URL) else {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            eprintln!("PostgreSQL skipped, because {POSTGRES_URL} is not set");
        });
        return None;
    };
    check_listed(migrations);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    let name = format!("test_{}_{number}", std::process::id());
    // Left behind by a process that was killed and had the same number.
    drop_schema(&url, &name).await.expect("the PostgreSQL server answers");
    let config = DbConfig::Postgres {
        url: url.clone(),
        schema: name.clone(),
        connections_max: CONNECTIONS_MAX,
        force_custom_plan: false,
    };
    let db = open(&config, migrations).await;
    Some(TestDb { db, home: Home::Schema { url, name } })
}

async fn open(config: &DbConfig, migrations: &Migrations) -> Db {
    let db = Db::open(config).await.expect("the test's database opens");
    db.migrate(migrations).await.expect("the migrations run");
    db
}

async fn drop_schema(url: &str, name: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    // A task that the test left behind may be in a transaction, which it cannot end while this
    // blocks the runtime's only thread: its locks would be waited for in vain.
    let drop = format!(
        "SET client_min_messages = warning;
         SELECT pg_terminate_backend(l.pid)
           FROM pg_locks AS l
           JOIN pg_class AS c ON c.oid = l.relation
           JOIN pg_namespace AS n ON n.oid = c.relnamespace
          WHERE n.nspname = '{name}' AND l.pid <> pg_backend_pid();
         DROP SCHEMA IF EXISTS {name} CASCADE"
    );
    connection.execute(AssertSqlSafe(drop)).await?;
    connection.close().await
}

/// A migration that is written but not listed would never run.
fn check_listed(migrations: &Migrations) {
    let Some(package) = std::env::var_os("CARGO_MANIFEST_DIR") else { return };
    let directory = Path::new(&package).join("migrations");
    if migrations.are_in(&directory) {
        let unlisted = migrations.unlisted(&directory).expect("the directory can be read");
        assert!(unlisted.is_empty(), "not in the list of migrations: {unlisted:?}");
    }
}
