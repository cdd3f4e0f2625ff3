//! The event log: gapless numbers in commit order, whoever commits late.

use kit::args;
use kit::clock::Time;
use kit::db::{Db, DbError, Sql, json};
use kit::events::{self, NewEvent};

use crate::{MIGRATIONS, Note, count, emit, event, note, put};

async fn log(db: &Db) -> Vec<(i64, String)> {
    let page = events::page(db, 0, 10_000).await.unwrap();
    page.into_iter().map(|event| (event.seq, event.decode::<Note>().unwrap().text)).collect()
}

#[tokio::test]
async fn events_commit_with_their_transaction_or_not_at_all() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let failed = kit::tx!(*db, "fails", |tx| -> Result<(), DbError> {
            put(tx, "a", 1).await?;
            tx.append(event("lost"));
            Err(DbError::internal("on purpose"))
        });
        assert!(failed.is_err());
        kit::tx!(*db, "works", |tx| -> Result<(), DbError> {
            tx.append(event("one"));
            put(tx, "a", 1).await?;
            tx.append(event("two"));
            Ok(())
        })
        .unwrap();
        emit(&db, "three").await;
        assert_eq!(
            log(&db).await,
            [(1, "one".to_owned()), (2, "two".to_owned()), (3, "three".to_owned())]
        );
        let first = events::page(&db, 0, 1).await.unwrap().remove(0);
        assert_eq!((first.id.as_str(), first.key.as_str()), ("evt_one", "key"));
        assert_eq!((first.kind.as_str(), first.time()), ("noted", Time::from_seconds(7)));
        assert_eq!(count(&db).await, 1);
    }
}

#[tokio::test]
async fn however_many_events_a_transaction_has_they_are_numbered_in_order() {
    // More than two statements take.
    const MANY: usize = 4_500;
    for db in testkit::db::each(&MIGRATIONS).await {
        emit(&db, "before").await;
        kit::tx!(*db, "many", |tx| -> Result<(), DbError> {
            for number in 0..MANY {
                tx.append(event(&number.to_string()));
            }
            Ok(())
        })
        .unwrap();
        emit(&db, "after").await;
        let texts = (0..MANY).map(|number| number.to_string());
        let texts = ["before".to_owned()].into_iter().chain(texts).chain(["after".to_owned()]);
        assert!(log(&db).await.into_iter().eq((1..).zip(texts)));
    }
}

#[tokio::test]
async fn an_event_that_commits_late_holds_back_those_behind_it() {
    static WAITING: Sql = Sql::new(
        "SELECT count(*) FROM pg_stat_activity
          WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE event_head%'
            AND pid IN (SELECT pid FROM pg_locks WHERE relation = CAST('event_head' AS regclass))",
    );
    for db in testkit::db::each(&MIGRATIONS).await {
        let (appended, has_appended) = tokio::sync::oneshot::channel::<()>();
        let (go_on, wait) = tokio::sync::oneshot::channel::<()>();
        let (mut appended, mut wait) = (Some(appended), Some(wait));
        let late = db.clone();
        let a = tokio::spawn(async move {
            kit::tx!(late, "late", |tx| -> Result<(), DbError> {
                // What the runner does as the last step, done here so as to pause before COMMIT.
                let [advance, insert, ..] = events::STATEMENTS;
                let (seq,): (i64,) = tx.fetch_one(advance, args![1]).await?;
                let row = serde_json::json!([{"seq": seq, "event_id": "evt_a", "key": "k",
                    "kind": "noted", "time": 7, "payload": "\\x0a0161"}]);
                tx.execute(insert, args![json(&row)]).await?;
                let _ = appended.take().expect("runs once").send(());
                let _ = wait.take().expect("runs once").await;
                Ok(())
            })
        });
        has_appended.await.unwrap();
        let behind = db.clone();
        let b = tokio::spawn(async move { emit(&behind, "b").await });
        if db.is_postgres() {
            // Until B really stands in line for the log's row.
            while db.read().fetch_one::<(i64,)>(&WAITING, args![]).await.unwrap().0 == 0 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(log(&db).await, []);
        assert!(!b.is_finished());
        go_on.send(()).unwrap();
        a.await.unwrap().unwrap();
        b.await.unwrap();
        assert_eq!(log(&db).await, [(1, "a".to_owned()), (2, "b".to_owned())]);
    }
}

#[tokio::test]
async fn many_writers_leave_no_gap_and_a_reader_never_sees_one() {
    const WRITERS: usize = 8;
    const EACH: usize = 20;
    for db in testkit::db::each(&MIGRATIONS).await {
        let replica = db.another().await;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let db = if writer % 2 == 0 { db.clone() } else { replica.clone() };
                tokio::spawn(async move {
                    for n in 0..EACH {
                        emit(&db, &format!("{writer}-{n}")).await;
                    }
                })
            })
            .collect();
        let mut seen: i64 = 0;
        while seen < (WRITERS * EACH) as i64 {
            for event in events::page(&db, seen, 50).await.unwrap() {
                seen += 1;
                assert_eq!(event.seq, seen);
            }
            tokio::task::yield_now().await;
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(log(&db).await.len(), WRITERS * EACH);
    }
}

#[tokio::test]
async fn trimming_removes_the_old_and_keeps_the_numbers() {
    for db in testkit::db::each(&MIGRATIONS).await {
        kit::tx!(*db, "many", |tx| -> Result<(), DbError> {
            for n in 0..1_500 {
                let time = Time::from_seconds(n);
                tx.append(NewEvent::of("evt", "k", "noted", time, &note("n")));
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(events::trim(&db, Time::from_seconds(1_200)).await.unwrap(), 1_200);
        assert_eq!(events::trim(&db, Time::from_seconds(1_200)).await.unwrap(), 0);
        let head = events::head(&db).await.unwrap();
        assert_eq!((head.seq, head.trimmed), (1_500, 1_200));
        assert_eq!(events::page(&db, 0, 1).await.unwrap()[0].seq, 1_201);
        assert_eq!(events::trim(&db, Time::from_seconds(9_999)).await.unwrap(), 300);
        emit(&db, "next").await;
        assert_eq!(events::page(&db, 0, 1).await.unwrap()[0].seq, 1_501);
    }
}
