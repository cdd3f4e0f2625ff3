//! Mirrors: a value fetched again after each event, through lost streams and failed fetches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use kit::db::{Db, DbError};
use kit::error::Error;
use kit::follow::{Message, Mirror};
use kit::watch::{Item, WatchOptions, watch};
use tokio::sync::Semaphore;
use tonic::{Code, Status};

use crate::{ADD, MIGRATIONS, amount, event, put};

/// Adds to the mirrored amount, with its event.
async fn add(db: &Db, n: i64) {
    kit::tx!(db, "add", |tx| -> Result<(), DbError> {
        tx.execute(&ADD, kit::args!["n", n]).await?;
        tx.append(event("added"));
        Ok(())
    })
    .unwrap();
}

fn mirror(db: &Db, available: &Arc<AtomicBool>, break_stream: &Arc<Semaphore>) -> Mirror<i64> {
    let (source, up) = (db.clone(), available.clone());
    let fetch = move || {
        let (source, up) = (source.clone(), up.clone());
        async move {
            if !up.load(Ordering::SeqCst) {
                return Err(Error::unavailable("NOT_READY"));
            }
            amount(&source, "n").await.ok_or_else(|| Error::not_found("THING_NOT_FOUND"))
        }
    };
    let (source, breaks) = (db.clone(), break_stream.clone());
    let open = move |token: String| {
        let (source, breaks) = (source.clone(), breaks.clone());
        async move {
            let render = |item: Item<'_>| {
                Ok(Some(Message { token: item.token, event: item.event.map(drop) }))
            };
            let stream = watch(&source, &token, WatchOptions::default(), render).await?;
            let end = Box::pin(async move { breaks.acquire_owned().await.expect("open").forget() });
            Ok::<_, Status>(kit::follow::stream(stream.take_until(end), |message| message))
        }
    };
    Mirror::start("n", fetch, open)
}

#[tokio::test]
async fn a_mirror_follows_its_source() {
    for db in testkit::db::each(&MIGRATIONS).await {
        kit::tx!(*db, "make", |tx| -> Result<(), DbError> { put(tx, "n", 0).await }).unwrap();
        let (available, breaks) = (Arc::new(AtomicBool::new(false)), Arc::new(Semaphore::new(0)));
        let mirror = mirror(&db, &available, &breaks);
        let error = mirror.get().unwrap_err();
        assert_eq!((error.code(), error.reason()), (Code::Unavailable, "NOT_READY"));
        add(&db, 1).await;
        available.store(true, Ordering::SeqCst);
        assert_eq!(*mirror.ready().await, 1);
        for n in 2..10 {
            add(&db, 1).await;
            assert_eq!(*mirror.wait_for(|value| *value == n).await, n);
        }
        // Events that come while the stream is down are made up for.
        available.store(false, Ordering::SeqCst);
        breaks.add_permits(1);
        add(&db, 1).await;
        assert!(*mirror.get().unwrap() >= 9);
        available.store(true, Ordering::SeqCst);
        assert_eq!(*mirror.wait_for(|value| *value == 10).await, 10);
        assert_eq!(*mirror.clone().get().unwrap(), 10);
    }
}

#[test]
fn a_fixed_mirror_needs_no_source() {
    assert_eq!(*Mirror::fixed(5).get().unwrap(), 5);
}
