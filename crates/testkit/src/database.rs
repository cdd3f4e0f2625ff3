//! A whole PostgreSQL database for a test that runs the real suite, which makes a schema for each
//! service.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::db::POSTGRES_URL;

/// An empty database, dropped with the value.
#[derive(Debug)]
pub struct FreshDatabase {
    server: String,
    name: String,
    url: String,
}

impl FreshDatabase {
    /// Its `postgres://` URL.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(error) = run(&self.server, drop) {
            // Only litter: it must not hide what the test found.
            eprintln!("the database {} was left behind: {error}", self.name);
        }
    }
}

/// A fresh database; `None`, and a word about it, without `RECOURSE_TEST_POSTGRES`.
///
/// # Panics
/// If the server cannot be reached.
pub fn fresh() -> Option<FreshDatabase> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    static SAID: Once = Once::new();
    let Ok(server) = std::env::var(POSTGRES_URL) else {
        SAID.call_once(|| eprintln!("PostgreSQL skipped, because {POSTGRES_URL} is not set"));
        return None;
    };
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    let name = format!("suite_{}_{number}", std::process::id());
    // Left behind by a process that was killed and had the same number.
    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    run(&server, drop).expect("the PostgreSQL server answers");
    run(&server, format!("CREATE DATABASE {name}")).expect("a database can be made");
    let base = server.rsplit_once('/').map_or(server.as_str(), |(base, _)| base);
    let url = format!("{base}/{name}");
    Some(FreshDatabase { server, name, url })
}

/// Runs one statement on a connection of its own, from any context.
fn run(server: &str, sql: String) -> Result<(), String> {
    let server = server.to_owned();
    let running = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let mut connection =
                PgConnection::connect(&server).await.map_err(|error| error.to_string())?;
            let ran = connection.execute(AssertSqlSafe(sql)).await;
            ran.map(|_| ()).map_err(|error| error.to_string())
        })
    });
    running.join().unwrap_or_else(|_| Err("a statement panicked".to_owned()))
}
