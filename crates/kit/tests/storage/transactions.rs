//! Transactions: commit, rollback, retries, constraints by name, and futures that handlers can
//! box.

use std::future::Future;
use std::pin::Pin;

use kit::args;
use kit::db::{Db, DbError, Outcome, Sql, Tx};
use kit::error::Error;
use tonic::{Code, Status};

use crate::{ADD, AMOUNT, MIGRATIONS, amount, count, put};

struct Handler {
    db: Db,
    prefix: String,
}

impl Handler {
    /// As `#[tonic::async_trait]` writes it: a boxed future that must be `Send`, borrowing self
    /// and the request.
    fn call<'a>(
        &'a self,
        names: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<i64, Status>> + Send + 'a>> {
        Box::pin(async move {
            let mut runs = 0;
            let total = kit::tx!(self.db, "handler", |tx| -> Result<i64, Error> {
                runs += 1;
                for name in names {
                    put(tx, &format!("{}{name}", self.prefix), 1).await?;
                }
                let (count,) = tx.fetch_one::<(i64,)>(&crate::COUNT, args![]).await?;
                if count > 2 {
                    return Err(Error::failed_precondition("TOO_MANY"));
                }
                Ok(count)
            })?;
            assert_eq!(runs, 1);
            Ok(total)
        })
    }
}

#[tokio::test]
async fn ok_commits_and_err_rolls_back_inside_a_boxed_handler() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let handler = Handler { db: db.clone(), prefix: "p_".to_owned() };
        let names = ["a".to_owned(), "b".to_owned()];
        let calls = [handler.call(&names), handler.call(&names[..0])];
        for call in calls {
            assert_eq!(call.await.unwrap(), 2);
        }
        let status = handler.call(&["c".to_owned()]).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(count(&db).await, 2);
    }
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing_and_frees_the_writer() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let (reached, wait) = tokio::sync::oneshot::channel::<()>();
        let other = db.clone();
        let mut reached = Some(reached);
        let task = tokio::spawn(async move {
            kit::tx!(other, "dropped", |tx| -> Result<(), DbError> {
                put(tx, "x", 1).await?;
                let _ = reached.take().expect("runs once").send(());
                std::future::pending().await
            })
        });
        wait.await.unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        kit::tx!(*db, "after", |tx| -> Result<(), DbError> { put(tx, "y", 2).await }).unwrap();
        assert_eq!((amount(&db, "x").await, amount(&db, "y").await), (None, Some(2)));
    }
}

#[tokio::test]
async fn a_swallowed_statement_error_cannot_be_committed() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let outcome = kit::tx!(*db, "swallow", |tx| -> Result<(), DbError> {
            put(tx, "a", 1).await?;
            let _ = put(tx, "a", 2).await;
            Ok(())
        });
        assert!(outcome.unwrap_err().on_constraint("things_pkey"));
        assert_eq!(count(&db).await, 0);
    }
}

#[tokio::test]
async fn constraints_have_the_same_names_on_both_databases() {
    static INSERT: Sql =
        Sql::new("INSERT INTO things (id, amount, owner, slot, data) VALUES ($1, $2, $3, $4, $5)");
    static PART: Sql = Sql::new("INSERT INTO parts (thing, part) VALUES ($1, $2)");
    async fn insert(
        tx: &mut Tx,
        id: &str,
        amount: i64,
        slot: i64,
        data: &[u8],
    ) -> Result<(), DbError> {
        tx.execute(&INSERT, args![id, amount, "o", slot, data]).await.map(drop)
    }
    for db in testkit::db::each(&MIGRATIONS).await {
        kit::tx!(*db, "first", |tx| -> Result<(), DbError> {
            insert(tx, "a", 1, 1, b"x").await?;
            tx.execute(&PART, args!["a", "p"]).await.map(drop)
        })
        .unwrap();
        for (id, amount, slot, data, name) in [
            ("a", 2, 2, b"y", "things_pkey"),
            ("b", 2, 1, b"y", "things_one_per_slot"),
            ("b", 1, 2, b"y", "things_owner_amount_key"),
            ("b", 2, 2, b"x", "things_data"),
            ("b", -1, 2, b"y", "things_amount_positive"),
        ] {
            let outcome = kit::tx!(*db, "second", |tx| -> Result<(), DbError> {
                insert(tx, id, amount, slot, data).await
            });
            let error = outcome.unwrap_err();
            assert!(error.on_constraint(name), "{name}: {error}");
            assert_eq!(error.is_unique_violation(), name != "things_amount_positive");
            assert_eq!(error.outcome(), Outcome::NotCommitted);
            assert_eq!(Error::from(error).code(), Code::Internal);
        }
        let outcome = kit::tx!(*db, "part", |tx| -> Result<u64, DbError> {
            tx.execute(&PART, args!["a", "p"]).await
        });
        assert!(outcome.unwrap_err().on_constraint("parts_named_pkey"));
    }
}

/// Adds one to both rows, `first` locked first. `meet` pauses between the two the first time.
async fn add_to_both(
    db: &Db,
    (first, second): (&str, &str),
    meet: Option<&tokio::sync::Barrier>,
) -> u32 {
    let mut runs = 0;
    kit::tx!(db, "add_to_both", |tx| -> Result<(), Error> {
        runs += 1;
        tx.execute(&ADD, args![first, 1]).await?;
        if let (Some(meet), 1) = (meet, runs) {
            meet.wait().await;
        }
        tx.execute(&ADD, args![second, 1]).await?;
        let _: (i64,) = tx.fetch_one(&AMOUNT, args![first]).await?;
        Ok(())
    })
    .unwrap();
    runs
}

#[tokio::test]
async fn a_deadlock_is_run_again_until_both_have_committed() {
    for db in testkit::db::each(&MIGRATIONS).await {
        kit::tx!(*db, "make", |tx| -> Result<(), DbError> {
            put(tx, "a", 0).await?;
            put(tx, "b", 0).await
        })
        .unwrap();
        // On PostgreSQL each holds its first row before either asks for its second. SQLite lets
        // only one begin.
        let meet = tokio::sync::Barrier::new(2);
        let meet = db.is_postgres().then_some(&meet);
        let runs =
            tokio::join!(add_to_both(&db, ("a", "b"), meet), add_to_both(&db, ("b", "a"), meet));
        assert_eq!(runs.0 + runs.1, if db.is_postgres() { 3 } else { 2 });
        assert_eq!((amount(&db, "a").await, amount(&db, "b").await), (Some(2), Some(2)));
    }
}

#[tokio::test]
async fn many_at_once_on_the_same_rows_all_commit() {
    const TASKS: i64 = 16;
    for db in testkit::db::each(&MIGRATIONS).await {
        kit::tx!(*db, "make", |tx| -> Result<(), DbError> {
            put(tx, "a", 0).await?;
            put(tx, "b", 0).await
        })
        .unwrap();
        let all = (0..TASKS).map(|_| add_to_both(&db, ("a", "b"), None));
        futures_util::future::join_all(all).await;
        assert_eq!((amount(&db, "a").await, amount(&db, "b").await), (Some(TASKS), Some(TASKS)));
    }
}

fn db_is_postgres(db: &Db) -> bool {
    matches!(db.config(), kit::db::DbConfig::Postgres { .. })
}

#[tokio::test]
async fn attempts_end_and_the_caller_is_told_to_come_back() {
    /// Fails as a serialisation failure does, on PostgreSQL.
    static FAIL: Sql = Sql::new("SELECT fail()");
    static MAKE: Sql = Sql::new(
        "CREATE FUNCTION fail() RETURNS BIGINT LANGUAGE plpgsql AS
         'BEGIN RAISE EXCEPTION USING ERRCODE = ''40001''; END'",
    );
    let Some(db) = testkit::db::postgres(&MIGRATIONS).await else { return };
    kit::tx!(*db, "make", |tx| -> Result<u64, DbError> { tx.execute(&MAKE, args![]).await })
        .unwrap();
    let mut runs = 0;
    let outcome = kit::tx!(*db, "fail", |tx| -> Result<(), Error> {
        runs += 1;
        // The body's own error does not hide that the statement met contention.
        tx.execute(&FAIL, args![]).await.map(drop).map_err(Error::internal)
    });
    assert_eq!(runs, kit::db::TX_ATTEMPTS_MAX);
    assert_eq!(outcome.unwrap_err().code(), Code::Internal);
    let outcome =
        kit::tx!(*db, "fail", |tx| -> Result<u64, Error> { Ok(tx.execute(&FAIL, args![]).await?) });
    let error = outcome.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::Aborted, "CONFLICT_RETRY"));
}

#[tokio::test]
async fn a_lost_race_for_a_unique_row_is_run_again_only_when_asked() {
    for db in testkit::db::each(&MIGRATIONS).await {
        for asked in [false, true] {
            let mut runs = 0;
            let name = format!("unique-{asked}");
            let other = db.clone();
            let outcome = kit::tx!(*db, "look_then_insert", |tx| -> Result<i64, DbError> {
                runs += 1;
                if asked {
                    tx.retry_unique_violations();
                }
                let found: Option<(i64,)> = tx.fetch_optional(&AMOUNT, args![&name]).await?;
                if let Some((amount,)) = found {
                    return Ok(amount);
                }
                if db_is_postgres(&other) {
                    kit::tx!(other, "rival", |tx| -> Result<(), DbError> {
                        put(tx, &name, 5).await
                    })?;
                    put(tx, &name, 6).await?;
                }
                Ok(6)
            });
            match (db.is_postgres(), asked) {
                (true, true) => assert_eq!((outcome.unwrap(), runs), (5, 2)),
                (true, false) => assert!(outcome.unwrap_err().is_unique_violation()),
                // One writer: there is no race to lose.
                (false, _) => assert_eq!((outcome.unwrap(), runs), (6, 1)),
            }
        }
    }
}

#[tokio::test]
async fn a_closed_database_is_unavailable_with_a_time_to_come_back() {
    for db in testkit::db::each(&MIGRATIONS).await {
        db.close().await;
        let outcome =
            kit::tx!(*db, "late", |tx| -> Result<(), Status> { Ok(put(tx, "a", 1).await?) });
        let status = outcome.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        let details = tonic_types::StatusExt::get_error_details(&status);
        assert!(details.retry_info().is_some());
        assert_eq!(details.error_info().unwrap().metadata["committed"], "no");
    }
}

static DIE: Sql = Sql::new("SELECT pg_terminate_backend(pg_backend_pid())");

#[tokio::test]
async fn a_connection_lost_before_the_commit_is_replaced_and_the_body_run_again() {
    let Some(db) = testkit::db::postgres(&MIGRATIONS).await else { return };
    let mut runs = 0;
    kit::tx!(*db, "dies_once", |tx| -> Result<(), DbError> {
        runs += 1;
        put(tx, "a", runs).await?;
        if runs == 1 {
            tx.execute(&DIE, args![]).await?;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!((runs, amount(&db, "a").await), (2, Some(2)));
}

#[tokio::test]
async fn a_connection_lost_at_the_commit_leaves_the_outcome_unknown_and_is_not_run_again() {
    static FUNCTION: Sql = Sql::new(
        "CREATE FUNCTION die() RETURNS TRIGGER LANGUAGE plpgsql AS
         'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
    );
    static TRIGGER: Sql = Sql::new(
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION die()",
    );
    let Some(db) = testkit::db::postgres(&MIGRATIONS).await else { return };
    kit::tx!(*db, "make", |tx| -> Result<(), DbError> {
        tx.execute(&FUNCTION, args![]).await?;
        tx.execute(&TRIGGER, args![]).await?;
        Ok(())
    })
    .unwrap();
    let mut runs = 0;
    let outcome = kit::tx!(*db, "dies_at_commit", |tx| -> Result<(), DbError> {
        runs += 1;
        put(tx, "a", 1).await
    });
    let error = outcome.unwrap_err();
    assert_eq!((runs, error.outcome()), (1, Outcome::Unknown));
    let status = Status::from(error);
    assert_eq!(status.code(), Code::Unavailable);
    let details = tonic_types::StatusExt::get_error_details(&status);
    assert_eq!(details.error_info().unwrap().metadata["committed"], "unknown");
}
