//! The storage half of the kit, on SQLite always and on PostgreSQL when RECOURSE_TEST_POSTGRES
//! is set (`scripts/postgres start`).

#![expect(clippy::unwrap_used, reason = "what a helper cannot do fails its test")]

mod events;
mod follow;
mod group_commit;
mod idempotency;
mod mirror;
mod schema;
mod statements;
mod transactions;
mod watch;

use kit::args;
use kit::clock::Time;
use kit::db::{Db, DbError, Migrations, Sql, Tx};
use kit::events::NewEvent;

/// A table with every kind of column that services may use.
static MIGRATIONS: Migrations = Migrations::new(&[(
    "0001_things",
    "CREATE TABLE things (
         id     TEXT   NOT NULL PRIMARY KEY,
         amount BIGINT NOT NULL,
         flag   BOOLEAN,
         ratio  DOUBLE PRECISION,
         data   BYTEA,
         extra  JSONB,
         owner  TEXT,
         slot   BIGINT,
         CONSTRAINT things_amount_positive CHECK (amount >= 0),
         CONSTRAINT things_one_per_slot UNIQUE (owner, slot),
         UNIQUE (owner, amount)
     );
     CREATE UNIQUE INDEX things_data ON things (data);
     CREATE TABLE parts (
         part  TEXT NOT NULL,
         thing TEXT NOT NULL,
         CONSTRAINT parts_named_pkey PRIMARY KEY (thing, part)
     );",
)]);

static PUT: Sql = Sql::new("INSERT INTO things (id, amount) VALUES ($1, $2)");
static ADD: Sql = Sql::new("UPDATE things SET amount = amount + $2 WHERE id = $1");
static AMOUNT: Sql = Sql::new("SELECT amount FROM things WHERE id = $1 FOR UPDATE");
static COUNT: Sql = Sql::new("SELECT count(*) FROM things");

async fn put(tx: &mut Tx, id: &str, amount: i64) -> Result<(), DbError> {
    tx.execute(&PUT, args![id, amount]).await.map(drop)
}

async fn amount(db: &Db, id: &str) -> Option<i64> {
    static READ: Sql = Sql::new("SELECT amount FROM things WHERE id = $1");
    let row: Option<(i64,)> = db.read().fetch_optional(&READ, args![id]).await.unwrap();
    row.map(|(amount,)| amount)
}

async fn count(db: &Db) -> i64 {
    db.read().fetch_one::<(i64,)>(&COUNT, args![]).await.unwrap().0
}

#[derive(Clone, PartialEq, prost::Message)]
struct Note {
    #[prost(string, tag = "1")]
    text: String,
}

fn note(text: impl Into<String>) -> Note {
    Note { text: text.into() }
}

fn event(text: &str) -> NewEvent {
    NewEvent::of(format!("evt_{text}"), "key", "noted", Time::from_seconds(7), &note(text))
}

/// Appends one event in a transaction of its own.
async fn emit(db: &Db, text: &str) {
    kit::tx!(db, "emit", |tx| -> Result<(), DbError> {
        tx.append(event(text));
        Ok(())
    })
    .unwrap();
}
