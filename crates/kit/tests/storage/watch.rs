//! Streams of events: resumption, checkpoints, limits, and the tokens that are refused.

use std::time::Duration;

use futures_util::StreamExt as _;
use kit::clock::Time;
use kit::db::{Db, DbError};
use kit::error::Error;
use kit::events;
use kit::watch::{Item, Token, WatchOptions, WatchStream, watch};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{MIGRATIONS, Note, emit, event};

/// A token and, unless it is a checkpoint, a text.
type Seen = (String, Option<String>);

fn render(item: Item<'_>) -> Result<Option<Seen>, Error> {
    let text = item.event.map(|event| event.decode::<Note>()).transpose()?.map(|note| note.text);
    Ok(Some((item.token, text)))
}

async fn open(db: &Db, token: &str) -> Result<WatchStream<Seen>, Error> {
    watch(db, token, WatchOptions::default(), render).await
}

async fn next_text(stream: &mut WatchStream<Seen>) -> Seen {
    loop {
        let seen = stream.next().await.expect("the stream goes on").unwrap();
        if seen.1.is_some() {
            return seen;
        }
    }
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().expect("every error has a reason").reason.clone()
}

#[tokio::test]
async fn a_stream_gives_what_was_what_comes_and_resumes_anywhere() {
    for db in testkit::db::each(&MIGRATIONS).await {
        for text in ["1", "2"] {
            emit(&db, text).await;
        }
        let mut stream = open(&db, "").await.unwrap();
        let mut tokens = vec![String::new()];
        for text in ["1", "2", "3", "4"] {
            if text > "2" {
                emit(&db, text).await;
            }
            let seen = next_text(&mut stream).await;
            assert_eq!(seen.1.as_deref(), Some(text));
            tokens.push(seen.0);
        }
        for (index, token) in tokens[..4].iter().enumerate() {
            let mut stream = open(&db, token).await.unwrap();
            let expected = (index + 1).to_string();
            assert_eq!(next_text(&mut stream).await.1.as_deref(), Some(expected.as_str()));
        }
        assert_eq!(events::head_token(&db).await.unwrap(), tokens[4]);
    }
}

#[tokio::test]
async fn another_process_is_noticed() {
    let Some(db) = testkit::db::postgres(&MIGRATIONS).await else { return };
    let replica = db.another().await;
    let mut stream = open(&db, "").await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().1, None);
    emit(&replica, "from afar").await;
    assert_eq!(next_text(&mut stream).await.1.as_deref(), Some("from afar"));
}

#[tokio::test]
async fn more_than_a_page_and_more_than_a_buffer_comes_through_in_order() {
    const EVENTS: usize = 1_234;
    for db in testkit::db::each(&MIGRATIONS).await {
        kit::tx!(*db, "many", |tx| -> Result<(), DbError> {
            (0..EVENTS).for_each(|n| tx.append(event(&n.to_string())));
            Ok(())
        })
        .unwrap();
        let mut stream = open(&db, "").await.unwrap();
        for n in 0..EVENTS {
            assert_eq!(next_text(&mut stream).await.1, Some(n.to_string()));
        }
    }
}

#[tokio::test]
async fn a_checkpoint_comes_on_catching_up_and_while_idle() {
    for db in testkit::db::each(&MIGRATIONS).await {
        emit(&db, "one").await;
        let options =
            WatchOptions { checkpoint_every: Duration::from_millis(20), ..WatchOptions::default() };
        // Leaves out every event: only checkpoints move the reader forward.
        let mut stream = watch(&db, "", options, |item: Item<'_>| {
            Ok(item.event.is_none().then_some(item.token))
        })
        .await
        .unwrap();
        let head = events::head_token(&db).await.unwrap();
        for _ in 0..3 {
            assert_eq!(stream.next().await.unwrap().unwrap(), head);
        }
        emit(&db, "two").await;
        let head = events::head_token(&db).await.unwrap();
        while stream.next().await.unwrap().unwrap() != head {}
    }
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_off_after_what_was_buffered() {
    const BUFFER: usize = 4;
    for db in testkit::db::each(&MIGRATIONS).await {
        let options = WatchOptions {
            patience: Duration::from_millis(50),
            buffer: BUFFER,
            ..WatchOptions::default()
        };
        for n in 0..BUFFER {
            emit(&db, &n.to_string()).await;
        }
        // As many as fit are waited for without end; with the checkpoint it is one too many.
        let mut stream = watch(&db, "", options, render).await.unwrap();
        let mut seen: Vec<Result<Seen, Status>> = Vec::new();
        while !stream.is_over() {
            tokio::task::yield_now().await;
        }
        while let Some(next) = stream.next().await {
            seen.push(next);
        }
        let end = seen.pop().unwrap().unwrap_err();
        assert_eq!(seen.len(), BUFFER);
        assert_eq!(
            (end.code(), reason(&end).as_str()),
            (Code::ResourceExhausted, "WATCH_TOO_SLOW")
        );
        let last = seen.pop().unwrap().unwrap().0;
        assert_eq!(last, events::head_token(&db).await.unwrap());
    }
}

#[tokio::test]
async fn tokens_of_elsewhere_of_the_future_and_of_the_forgotten_past_are_refused() {
    for db in testkit::db::each(&MIGRATIONS).await {
        for text in ["1", "2", "3"] {
            emit(&db, text).await;
        }
        let head = events::head(&db).await.unwrap();
        let token = |seq| Token { log_id: head.log_id.clone(), seq }.encode();
        let foreign = Token { log_id: "another".to_owned(), seq: 1 }.encode();
        for invalid in [foreign.as_str(), "junk"] {
            let error = open(&db, invalid).await.err().unwrap();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert_eq!(error.reason(), "RESUME_TOKEN_INVALID");
        }
        assert!(open(&db, &token(3)).await.is_ok());
        let mut stream = open(&db, &token(0)).await.unwrap();
        assert_eq!(next_text(&mut stream).await.1.as_deref(), Some("1"));

        assert_eq!(events::trim(&db, Time::from_seconds(100)).await.unwrap(), 3);
        emit(&db, "4").await;
        for range in [token(2), token(5)] {
            let error = open(&db, &range).await.err().unwrap();
            assert_eq!(error.code(), Code::OutOfRange);
            assert_eq!(error.reason(), "RESUME_TOKEN_OUT_OF_RANGE");
        }
        for first in [String::new(), token(3)] {
            let mut stream = open(&db, &first).await.unwrap();
            assert_eq!(next_text(&mut stream).await.1.as_deref(), Some("4"));
        }
    }
}

#[tokio::test]
async fn a_stream_that_falls_behind_retention_ends_out_of_range() {
    for db in testkit::db::each(&MIGRATIONS).await {
        for n in 0..3 {
            emit(&db, &n.to_string()).await;
        }
        let options = WatchOptions { buffer: 1, ..WatchOptions::default() };
        // Holds the stream at the first page's first event until everything else is gone.
        let mut stream = watch(&db, "", options, render).await.unwrap();
        next_text(&mut stream).await;
        // Far more than a page, so that the last page is read after the trimming.
        kit::tx!(*db, "many", |tx| -> Result<(), DbError> {
            (3..1_200).for_each(|n| tx.append(event(&n.to_string())));
            Ok(())
        })
        .unwrap();
        events::trim(&db, Time::from_seconds(100)).await.unwrap();
        emit(&db, "young").await;
        let mut end = None;
        while let Some(next) = stream.next().await {
            if let Err(status) = next {
                end = Some(status);
                break;
            }
        }
        let end = end.unwrap();
        assert_eq!(
            (end.code(), reason(&end).as_str()),
            (Code::OutOfRange, "RESUME_TOKEN_OUT_OF_RANGE")
        );
    }
}

#[tokio::test]
async fn streams_end_when_the_service_does() {
    for db in testkit::db::each(&MIGRATIONS).await {
        emit(&db, "one").await;
        let mut stream = open(&db, "").await.unwrap();
        next_text(&mut stream).await;
        db.end_streams();
        let end = loop {
            match stream.next().await.unwrap() {
                Ok(_) => {}
                Err(end) => break end,
            }
        };
        assert_eq!(end.code(), Code::Unavailable);
        assert!(end.get_error_details().retry_info().is_some());
        assert!(stream.next().await.is_none());
    }
}
