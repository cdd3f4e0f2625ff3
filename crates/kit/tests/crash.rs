//! A process that dies before, after or between commits loses nothing that it acknowledged and
//! keeps nothing by halves. Needs the feature `fault`.
#![expect(clippy::unwrap_used, reason = "what a helper cannot do fails its test")]

use std::process::Command;

use kit::args;
use kit::clock::Time;
use kit::db::{Db, DbConfig, DbError, Migrations, Sql, Tx};
use kit::error::Error;
use kit::events::{self, NewEvent};
use kit::fault::CRASH_AT;
use kit::follow::{EventStream, Follow, Follower, Message};
use kit::group_commit::{Batch, GroupCommit};
use kit::watch::{Item, WatchOptions, watch};
use tonic::Status;

static MIGRATIONS: Migrations = Migrations::new(&[(
    "0001_names",
    "CREATE TABLE names (name TEXT NOT NULL PRIMARY KEY);
     CREATE TABLE copies (name TEXT NOT NULL PRIMARY KEY);",
)]);
static PUT: Sql = Sql::new("INSERT INTO names (name) VALUES ($1)");
static COPY: Sql = Sql::new("INSERT INTO copies (name) VALUES ($1)");
static NAMES: Sql = Sql::new("SELECT name FROM names ORDER BY name");
static COPIES: Sql = Sql::new("SELECT name FROM copies ORDER BY name");

/// Where the child finds its database: a directory, or a URL and a schema.
const PLACE: &str = "RECOURSE_TEST_CRASH_PLACE";
const SCHEMA: &str = "RECOURSE_TEST_CRASH_SCHEMA";
/// More than any point is passed before the child dies.
const NAMES_MAX: usize = 200;

struct Puts;

impl Batch for Puts {
    type Job = String;
    type Out = ();

    fn name(&self) -> &'static str {
        "puts"
    }

    async fn apply(&self, tx: &mut Tx, jobs: &[String]) -> Result<Vec<Result<(), Status>>, Error> {
        for name in jobs {
            tx.execute(&PUT, args![name]).await?;
            tx.append(NewEvent {
                id: format!("evt_{name}"),
                key: name.clone(),
                kind: "put",
                time: Time::EPOCH,
                payload: Vec::new(),
            });
        }
        Ok(jobs.iter().map(|_| Ok(())).collect())
    }
}

/// Copies each name, in the same database.
struct Copies(Db);

impl Follow for Copies {
    type Event = String;

    fn name(&self) -> &'static str {
        "copies"
    }

    async fn open(&self, resume_token: String) -> Result<EventStream<String>, Status> {
        let render = |item: Item<'_>| {
            let event = item.event.map(|event| event.key.clone());
            Ok(Some(Message { token: item.token, event }))
        };
        let stream = watch(&self.0, &resume_token, WatchOptions::default(), render).await?;
        Ok(kit::follow::stream(stream, |message| message))
    }

    async fn apply(&self, tx: &mut Tx, events: &[String]) -> Result<(), Error> {
        for name in events {
            tx.execute(&COPY, args![name]).await?;
        }
        Ok(())
    }

    fn describe(&self, event: &String) -> String {
        event.clone()
    }
}

/// Not a test by itself: what the child process runs until it dies.
#[tokio::test]
async fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let mut config = DbConfig::at(&place, "test");
    if let (DbConfig::Postgres { schema, .. }, Ok(name)) = (&mut config, std::env::var(SCHEMA)) {
        *schema = name;
    }
    let db = Db::open(&config).await.unwrap();
    db.check_schema(&MIGRATIONS).await.unwrap();
    let follower = Follower::start(&db, Copies(db.clone()));
    let writer = GroupCommit::start(&db, Puts);
    let round = std::env::var(CRASH_AT).unwrap();
    for n in 0..NAMES_MAX {
        let name = format!("{round}-{n:03}");
        let (one, two) =
            tokio::join!(writer.submit(format!("{name}-a")), writer.submit(format!("{name}-b")));
        one.and(two).unwrap();
        println!("acknowledged {name}-a");
        println!("acknowledged {name}-b");
    }
    // The lease of the one that died before has to lapse first.
    follower.wait_for(&events::head_token(&db).await.unwrap()).await;
}

#[tokio::test]
async fn a_death_at_any_point_loses_nothing_acknowledged_and_halves_nothing() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let mut acknowledged = Vec::new();
        for point in ["before_commit:9", "after_commit:12", "followed:3", "before_commit:2"] {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "child", "--nocapture"]).env(CRASH_AT, point);
            match db.config() {
                DbConfig::Sqlite { path } => {
                    child.env(PLACE, path.parent().unwrap());
                }
                DbConfig::Postgres { url, schema, .. } => {
                    child.env(PLACE, url).env(SCHEMA, schema);
                }
            }
            let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await;
            let output = output.unwrap();
            assert!(!output.status.success(), "the child did not die at {point}");
            let text = String::from_utf8(output.stdout).unwrap();
            let names = text.lines().filter_map(|line| line.split_once("acknowledged "));
            acknowledged.extend(names.map(|(_, name)| name.to_owned()));
        }
        check(&db, &acknowledged).await;
    }
}

async fn names(db: &Db, sql: &'static Sql) -> Vec<String> {
    let rows: Vec<(String,)> = db.read().fetch_all(sql, args![]).await.unwrap();
    rows.into_iter().map(|(name,)| name).collect()
}

async fn check(db: &Db, acknowledged: &[String]) {
    assert!(!acknowledged.is_empty());
    let stored = names(db, &NAMES).await;
    for name in acknowledged {
        assert!(stored.contains(name), "{name} was acknowledged and is lost");
    }
    let log = events::page(db, 0, 10_000).await.unwrap();
    let mut logged: Vec<String> = log.into_iter().map(|event| event.key).collect();
    logged.sort();
    assert_eq!(logged, stored, "an event without its row, or a row without its event");
    let follower = Follower::start(db, Copies(db.clone()));
    follower.wait_for(&events::head_token(db).await.unwrap()).await;
    assert_eq!(names(db, &COPIES).await, stored);
    kit::tx!(db, "still_writable", |tx| -> Result<(), DbError> {
        tx.execute(&PUT, args!["zz"]).await.map(drop)
    })
    .unwrap();
}
