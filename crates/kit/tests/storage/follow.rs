//! Followers: each event takes effect exactly once, through restarts, rivals and failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kit::args;
use kit::db::{Db, DbError, Sql, Tx, json};
use kit::error::Error;
use kit::events;
use kit::follow::{BATCH_MAX, EventStream, Follow, Follower, Message};
use kit::watch::{Item, WatchOptions, watch};
use tonic::Status;

use crate::{MIGRATIONS, Note, count, emit, event, note};

/// Puts each event of the source as a thing here, and appends an event of its own.
#[derive(Clone)]
struct Copies {
    source: Db,
    /// Ends every stream after so many messages.
    break_after: Option<usize>,
    /// Fails each batch that has this event, so many times.
    poison: Option<(&'static str, Arc<AtomicU32>)>,
    largest: Arc<AtomicU32>,
}

impl Copies {
    fn of(source: &Db) -> Copies {
        Copies { source: source.clone(), break_after: None, poison: None, largest: Arc::default() }
    }
}

#[derive(serde::Serialize)]
struct Row<'a> {
    id: &'a str,
}

/// No ON CONFLICT: a second effect of an event would be an error.
static INSERT: Sql = Sql::new(
    "INSERT INTO things (id, amount) SELECT id, 1 FROM jsonb_to_recordset($1) AS n(id text)",
);

impl Follow for Copies {
    type Event = Note;

    fn name(&self) -> &'static str {
        "copies"
    }

    async fn open(&self, resume_token: String) -> Result<EventStream<Note>, Status> {
        let render = |item: Item<'_>| {
            let event = item.event.map(|event| event.decode::<Note>()).transpose()?;
            Ok(Some(Message { token: item.token, event }))
        };
        let stream = watch(&self.source, &resume_token, WatchOptions::default(), render).await?;
        let limit = self.break_after.unwrap_or(usize::MAX);
        let stream = futures_util::StreamExt::take(stream, limit);
        Ok(kit::follow::stream(stream, |message| message))
    }

    async fn apply(&self, tx: &mut Tx, events: &[Note]) -> Result<(), Error> {
        self.largest.fetch_max(events.len() as u32, Ordering::SeqCst);
        let rows: Vec<Row<'_>> = events.iter().map(|event| Row { id: &event.text }).collect();
        tx.execute(&INSERT, args![json(&rows)]).await?;
        for one in events {
            tx.append(event(&format!("copy of {}", one.text)));
        }
        if let Some((poison, times)) = &self.poison
            && events.iter().any(|event| event.text == *poison)
            && times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
        {
            return Err(Error::internal("an event that cannot be applied"));
        }
        Ok(())
    }

    fn describe(&self, event: &Note) -> String {
        event.text.clone()
    }
}

async fn emit_many(db: &Db, from: usize, to: usize) {
    kit::tx!(db, "many", |tx| -> Result<(), DbError> {
        (from..to).for_each(|n| tx.append(event(&format!("{n:04}"))));
        Ok(())
    })
    .unwrap();
}

/// Checks that the copies and their events are those of 0..total, in order, each once.
async fn check(db: &Db, total: usize) {
    assert_eq!(count(db).await, total as i64);
    let log = events::page(db, 0, 100_000).await.unwrap();
    let texts: Vec<Note> = log.iter().map(|event| event.decode().unwrap()).collect();
    let expected: Vec<Note> = (0..total).map(|n| note(format!("copy of {n:04}"))).collect();
    assert_eq!(texts, expected);
}

/// A source and a follower's database of the same kind.
async fn pairs() -> Vec<(testkit::db::TestDb, testkit::db::TestDb)> {
    let sources = testkit::db::each(&MIGRATIONS).await;
    sources.into_iter().zip(testkit::db::each(&MIGRATIONS).await).collect()
}

#[tokio::test]
async fn a_follower_applies_what_was_and_what_comes_in_batches() {
    for (source, db) in pairs().await {
        emit_many(&source, 0, 300).await;
        let copies = Copies::of(&source);
        let largest = copies.largest.clone();
        let follower = Follower::start(&db, copies);
        follower.wait_for(&events::head_token(&source).await.unwrap()).await;
        check(&db, 300).await;
        emit_many(&source, 300, 301).await;
        let head = events::head_token(&source).await.unwrap();
        follower.wait_for(&head).await;
        check(&db, 301).await;
        assert_eq!(follower.position(), head);
        assert!(follower.state().leading && follower.state().connected);
        let largest = largest.load(Ordering::SeqCst) as usize;
        assert!((2..=BATCH_MAX).contains(&largest), "{largest}");
        follower.stop().await;
    }
}

#[tokio::test]
async fn streams_that_break_and_followers_that_restart_lose_and_repeat_nothing() {
    for (source, db) in pairs().await {
        let mut total = 0;
        for round in 0..6 {
            emit_many(&source, total, total + 50).await;
            total += 50;
            let copies = Copies { break_after: Some(7 + round), ..Copies::of(&source) };
            let follower = Follower::start(&db, copies);
            let head = events::head_token(&source).await.unwrap();
            if round % 2 == 0 {
                follower.wait_for(&head).await;
                check(&db, total).await;
                follower.stop().await;
            } else {
                // Dropped wherever it is; the next one goes on from there.
                while count(&db).await < total as i64 - 40 {
                    tokio::task::yield_now().await;
                }
                drop(follower);
            }
        }
        let follower = Follower::start(&db, Copies::of(&source));
        follower.wait_for(&events::head_token(&source).await.unwrap()).await;
        check(&db, total).await;
    }
}

#[tokio::test]
async fn two_followers_of_one_name_have_one_effect() {
    for (source, db) in pairs().await {
        let replica = db.another().await;
        let a = Follower::start(&db, Copies::of(&source));
        let b = Follower::start(&replica, Copies::of(&source));
        for n in 0..5 {
            emit_many(&source, n * 40, n * 40 + 40).await;
        }
        while count(&db).await < 200 {
            tokio::task::yield_now().await;
        }
        while a.state().leading == b.state().leading {
            tokio::task::yield_now().await;
        }
        // The other takes over.
        let (leader, other) = if a.state().leading { (a, b) } else { (b, a) };
        leader.stop().await;
        emit_many(&source, 200, 240).await;
        other.wait_for(&events::head_token(&source).await.unwrap()).await;
        assert!(other.state().leading);
        check(&db, 240).await;
    }
}

/// Even without the lease, the place itself lets only one of two effects commit.
#[tokio::test]
async fn a_stolen_lease_cannot_repeat_an_effect() {
    static STEAL: Sql = Sql::new("UPDATE followers SET holder = '', lease_until = 0");
    for (source, db) in pairs().await {
        let a = Follower::start(&db, Copies::of(&source));
        let b = Follower::start(&db, Copies::of(&source));
        for n in 0..30 {
            emit_many(&source, n * 10, n * 10 + 10).await;
            kit::tx!(*db, "steal", |tx| -> Result<u64, DbError> {
                tx.execute(&STEAL, args![]).await
            })
            .unwrap();
        }
        while count(&db).await < 300 {
            tokio::task::yield_now().await;
        }
        check(&db, 300).await;
        drop((a, b));
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_applied_holds_up_the_stream_until_it_can() {
    const FAILURES: u32 = 4;
    for (source, db) in pairs().await {
        emit_many(&source, 0, 20).await;
        let left = Arc::new(AtomicU32::new(FAILURES));
        let copies = Copies { poison: Some(("0010", left.clone())), ..Copies::of(&source) };
        let follower = Follower::start(&db, copies);
        while left.load(Ordering::SeqCst) > 0 {
            // Nothing behind it, everything before it once it was tried by itself.
            assert!(count(&db).await <= 10);
            tokio::task::yield_now().await;
        }
        follower.wait_for(&events::head_token(&source).await.unwrap()).await;
        check(&db, 20).await;
        assert_eq!(follower.state().failures, 0);
    }
}

#[tokio::test]
async fn checkpoints_move_the_place_without_an_effect() {
    for (source, db) in pairs().await {
        emit(&source, "0000").await;
        let follower = Follower::start(&db, Copies::of(&source));
        let head = events::head_token(&source).await.unwrap();
        follower.wait_for(&head).await;
        follower.stop().await;
        check(&db, 1).await;
        let follower = Follower::start(&db, Copies::of(&source));
        follower.wait_for(&head).await;
        check(&db, 1).await;
    }
}
