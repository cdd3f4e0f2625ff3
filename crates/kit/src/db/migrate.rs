//! Bringing a schema up to date, or refusing one that this program does not know. The kit's own
//! tables have their own numbers, apart from the service's.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use super::query::{Connection, Lent};
use super::{Db, DbConfig, DbError, Pools, Sql};
use crate::id::Ids;

static KIT: Migrations = crate::migrations!["0001_event_log"];

/// Where the kit's own numbers are kept.
const KIT_TABLE: &str = "_kit_migrations";
/// Where the service's numbers are kept.
const SERVICE_TABLE: &str = "_service_migrations";

static KIT_APPLIED: Sql =
    Sql::new("SELECT version, checksum FROM _kit_migrations WHERE success ORDER BY version");
static SERVICE_APPLIED: Sql =
    Sql::new("SELECT version, checksum FROM _service_migrations WHERE success ORDER BY version");
static MAKE_HEAD: Sql = Sql::new(
    "INSERT INTO event_head (id, log_id, seq, trimmed) VALUES (1, $1, 0, 0)
     ON CONFLICT (id) DO NOTHING",
);
/// All statements of this module that both databases run, for the test that prepares them.
#[doc(hidden)]
pub static STATEMENTS: [&Sql; 3] = [&KIT_APPLIED, &SERVICE_APPLIED, &MAKE_HEAD];

static UNIQUE_INDEXES: Sql = Sql::new(
    "SELECT t.name AS table_name, i.name AS index_name, i.origin, c.name AS column_name,
            t.sql AS definition
       FROM sqlite_master AS t, pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c
      WHERE t.type = 'table' AND i.\"unique\" = 1
      ORDER BY t.name, i.name, c.seqno",
);

/// A crate's numbered SQL files, embedded: write [`migrations!`](crate::migrations).
#[derive(Debug)]
pub struct Migrations(&'static [(&'static str, &'static str)]);

/// The files `migrations/<name>.sql` of the crate where it is written, in order:
/// `static MIGRATIONS: Migrations = kit::migrations!["0001_cases", "0002_notes"];`.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        $crate::db::Migrations::new(&[$((
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
        )),*])
    };
}

impl Migrations {
    /// From names (`0001_what_it_does`) and texts.
    pub const fn new(files: &'static [(&'static str, &'static str)]) -> Migrations {
        Migrations(files)
    }

    /// The files of `directory` that are not listed, for a test that none was forgotten.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn unlisted(&self, directory: &Path) -> std::io::Result<Vec<String>> {
        let mut unlisted = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let listed = |(listed, _): &(&str, &str)| name.strip_suffix(".sql") == Some(listed);
            if !self.0.iter().any(listed) {
                unlisted.push(name);
            }
        }
        Ok(unlisted)
    }

    /// True if `directory` has all the files, so that they are most likely from there.
    pub fn are_in(&self, directory: &Path) -> bool {
        let file = |name: &str| directory.join(format!("{name}.sql"));
        !self.0.is_empty() && self.0.iter().all(|(name, _)| file(name).is_file())
    }

    fn parse(&self) -> Result<Vec<Migration>, DbError> {
        let parse = |(index, (name, text)): (usize, &(&'static str, &'static str))| {
            let (number, words) = name.split_once('_').unwrap_or((name, ""));
            let version: i64 = number.parse().unwrap_or_default();
            if usize::try_from(version) != Ok(index + 1) {
                return Err(DbError::schema(format!(
                    "migration {name} should be number {:04}: they count from 0001 without gaps",
                    index + 1
                )));
            }
            let words = Cow::Owned(words.replace('_', " "));
            Ok(Migration::new(version, words, MigrationType::Simple, text.into_sql_str(), false))
        };
        self.0.iter().enumerate().map(parse).collect()
    }
}

struct IndexColumn {
    table_name: String,
    index_name: String,
    origin: String,
    column_name: Option<String>,
    definition: String,
}

crate::record!(IndexColumn: table_name, index_name, origin, column_name, definition);

impl Db {
    /// Brings the schema up to date: the kit's own tables, then the service's numbered files.
    /// Safe to run from many processes at once.
    ///
    /// # Errors
    /// If a file that was applied has changed since, if the schema is newer than this program,
    /// or if a statement fails (then nothing of that file is applied).
    pub async fn migrate(&self, service: &Migrations) -> Result<(), DbError> {
        let schemas = match self.config() {
            DbConfig::Postgres { schema, .. } => vec![Cow::Owned(schema.clone())],
            DbConfig::Sqlite { .. } => Vec::new(),
        };
        self.run(&migrator(&KIT, KIT_TABLE, schemas)?).await?;
        self.run(&migrator(service, SERVICE_TABLE, Vec::new())?).await?;
        let log_id = Ids::system().new_uuid();
        crate::tx!(self, "make_event_log", |tx| -> Result<(), DbError> {
            tx.execute(&MAKE_HEAD, crate::args![&log_id]).await?;
            Ok(())
        })?;
        self.learn_unique_names().await
    }

    /// Refuses a schema that is older or newer than this program, without changing anything.
    ///
    /// # Errors
    /// Says which migration is missing, unknown or different, and what to do.
    pub async fn check_schema(&self, service: &Migrations) -> Result<(), DbError> {
        for (sql, known) in [(&KIT_APPLIED, &KIT), (&SERVICE_APPLIED, service)] {
            let applied = match self.read().fetch_all::<(i64, Vec<u8>)>(sql, Vec::new()).await {
                Ok(applied) => applied,
                Err(error) if error.is_outage() => return Err(error),
                Err(_) => {
                    return Err(DbError::schema(format!(
                        "{:?} was never migrated: run `recourse migrate` first",
                        self.config()
                    )));
                }
            };
            if let Some(wrong) = mismatch(&known.parse()?, &applied) {
                return Err(DbError::schema(format!("{:?}: {wrong}", self.config())));
            }
        }
        self.learn_unique_names().await
    }

    async fn run(&self, migrator: &Migrator) -> Result<(), DbError> {
        let lent = match self.pools() {
            Pools::Postgres(pool) => pool.acquire().await.map(Lent::Postgres),
            Pools::Sqlite { write, .. } => write.acquire().await.map(Lent::Sqlite),
        };
        let mut lent = lent.map_err(|error| self.error(error))?;
        let result = match lent.connection() {
            Connection::Postgres(live) => apply(migrator, live).await,
            Connection::Sqlite(live) => apply(migrator, live).await,
        };
        if result.is_err() {
            // The driver keeps the migration lock when it fails; the connection's end frees it.
            let closed = match lent {
                Lent::Postgres(connection) => connection.close().await,
                Lent::Sqlite(connection) => connection.close().await,
            };
            closed.map_err(|error| self.error(error))?;
        }
        result.map_err(|error| match error {
            MigrateError::Execute(error) => self.error(error),
            error => DbError::schema(format!("{:?}: {}", self.config(), Causes(&error))),
        })
    }

    /// SQLite names the columns of a violated unique index instead of the index.
    async fn learn_unique_names(&self) -> Result<(), DbError> {
        if self.is_postgres() {
            return Ok(());
        }
        let rows: Vec<IndexColumn> = self.read().fetch_all(&UNIQUE_INDEXES, Vec::new()).await?;
        let mut names = HashMap::new();
        for index in rows.chunk_by(|a, b| a.index_name == b.index_name) {
            let columns: Vec<&str> =
                index.iter().filter_map(|row| row.column_name.as_deref()).collect();
            let table = &index[0].table_name;
            let words: Vec<String> = columns.iter().map(|c| format!("{table}.{c}")).collect();
            names.insert(words.join(", "), unique_name(&index[0], &columns));
        }
        *self.0.unique_names.write().unwrap_or_else(|poison| poison.into_inner()) = names;
        Ok(())
    }
}

async fn apply<C: Migrate + Send>(
    migrator: &Migrator,
    connection: &mut C,
) -> Result<(), MigrateError> {
    migrator.run_direct(None, connection, false).await
}

fn migrator(
    source: &Migrations,
    table: &'static str,
    create_schemas: Vec<Cow<'static, str>>,
) -> Result<Migrator, DbError> {
    Ok(Migrator {
        migrations: Cow::Owned(source.parse()?),
        table_name: Cow::Borrowed(table),
        create_schemas: Cow::Owned(create_schemas),
        ..Migrator::DEFAULT
    })
}

/// What is wrong with the applied migrations, as a sentence.
fn mismatch(known: &[Migration], applied: &[(i64, Vec<u8>)]) -> Option<String> {
    for (version, checksum) in applied {
        match known.iter().find(|migration| migration.version == *version) {
            None => {
                return Some(format!(
                    "the schema has migration {version:04}, which this program does not know: \
                     run a newer program"
                ));
            }
            Some(migration) if *migration.checksum != **checksum => {
                return Some(format!(
                    "migration {version:04} was changed after it was applied: restore its file"
                ));
            }
            Some(_) => {}
        }
    }
    let missing =
        known.iter().find(|migration| applied.iter().all(|(v, _)| *v != migration.version))?;
    Some(format!(
        "the schema lacks migration {:04} ({}): run `recourse migrate`",
        missing.version, missing.description
    ))
}

/// The name as PostgreSQL would report it: the index's own, the constraint's as written, or
/// PostgreSQL's default.
fn unique_name(index: &IndexColumn, columns: &[&str]) -> String {
    if index.origin == "c" {
        return index.index_name.clone();
    }
    let kind = if index.origin == "pk" { "PRIMARY KEY" } else { "UNIQUE" };
    for part in index.definition.split("CONSTRAINT ").skip(1) {
        let Some((name, rest)) = part.split_once(char::is_whitespace) else { continue };
        let listed = rest
            .trim_start()
            .strip_prefix(kind)
            .and_then(|rest| rest.trim_start().strip_prefix('('))
            .and_then(|rest| rest.split_once(')'))
            .map(|(list, _)| list.split(',').map(str::trim).collect::<Vec<_>>());
        if listed.as_deref() == Some(columns) {
            return name.to_owned();
        }
    }
    match index.origin.as_str() {
        "pk" => format!("{}_pkey", index.table_name),
        _ => format!("{}_{}_key", index.table_name, columns.join("_")),
    }
}

/// An error and its causes in one sentence.
struct Causes<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
