//! Repeated calls: the same answer, once the effect, and a named error for another payload.

use kit::args;
use kit::clock::Time;
use kit::db::{Db, DbError, Sql};
use kit::error::Error;
use kit::idempotency::{self, Call, Claim, Claims};
use tonic::{Code, Status};

use crate::{ADD, MIGRATIONS, Note, amount, note, put};

const NOW: Time = Time::from_seconds(1_000_000_000);

fn call(caller: &str, id: &str, message: &Note) -> Call {
    Call::new(caller, id, "PutThing", message, NOW)
}

/// Adds one to the counter, and answers with the number.
async fn add_one(db: &Db, caller: &str, id: &str, message: &Note) -> Result<Note, Error> {
    let call = call(caller, id, message);
    kit::tx!(db, "add_one", |tx| -> Result<Note, Error> {
        let pending = match call.claim(tx).await? {
            Claim::Replay(answer) => return Ok(answer),
            Claim::Fresh(pending) => pending,
        };
        if message.text == "refuse" {
            return Err(Error::failed_precondition("REFUSED"));
        }
        tx.execute(&ADD, args!["n", 1]).await?;
        let (n,): (i64,) = tx.fetch_one(&crate::AMOUNT, args!["n"]).await?;
        let answer = note(n.to_string());
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })
}

async fn counter(db: &Db) {
    kit::tx!(db, "make", |tx| -> Result<(), DbError> { put(tx, "n", 0).await }).unwrap();
}

#[tokio::test]
async fn a_repeat_gets_the_same_answer_and_another_payload_an_error() {
    for db in testkit::db::each(&MIGRATIONS).await {
        counter(&db).await;
        let (a, b) = (note("a"), note("b"));
        assert_eq!(add_one(&db, "ann", "ID-1", &a).await.unwrap(), note("1"));
        assert_eq!(add_one(&db, "ann", "id-1", &a).await.unwrap(), note("1"));
        let error = add_one(&db, "ann", "id-1", &b).await.unwrap_err();
        assert_eq!((error.code(), error.reason()), (Code::AlreadyExists, "REQUEST_ID_CONFLICT"));
        let other = Call::new("ann", "id-1", "OtherMethod", &a, NOW);
        let outcome = kit::tx!(*db, "other", |tx| -> Result<(), Error> {
            other.claim::<Note>(tx).await.map(|_| ())
        });
        assert_eq!(outcome.unwrap_err().reason(), "REQUEST_ID_CONFLICT");
        // Another caller's ids are its own.
        assert_eq!(add_one(&db, "bob", "id-1", &b).await.unwrap(), note("2"));
        assert_eq!(amount(&db, "n").await, Some(2));
    }
}

#[tokio::test]
async fn a_failed_call_leaves_its_id_free() {
    for db in testkit::db::each(&MIGRATIONS).await {
        counter(&db).await;
        let error = add_one(&db, "ann", "id-1", &note("refuse")).await.unwrap_err();
        assert_eq!(error.reason(), "REFUSED");
        assert_eq!(add_one(&db, "ann", "id-1", &note("a")).await.unwrap(), note("1"));
    }
}

#[tokio::test]
async fn a_claim_without_an_answer_cannot_be_committed() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let call = call("ann", "id-1", &note("a"));
        let outcome = kit::tx!(*db, "forgets", |tx| -> Result<(), Error> {
            let _ = call.claim::<Note>(tx).await?;
            Ok(())
        });
        assert_eq!(outcome.unwrap_err().code(), Code::Internal);
    }
}

#[tokio::test]
async fn a_race_of_repeats_has_one_effect_and_one_answer() {
    const TASKS: usize = 8;
    const ROUNDS: usize = 10;
    for db in testkit::db::each(&MIGRATIONS).await {
        counter(&db).await;
        let replica = db.another().await;
        let tasks = (0..TASKS).map(|task| {
            let db = if task % 2 == 0 { db.clone() } else { replica.clone() };
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for round in 0..ROUNDS {
                    let id = format!("id-{round}");
                    answers.push(add_one(&db, "ann", &id, &note("a")).await.unwrap());
                }
                answers
            })
        });
        let all = futures_util::future::join_all(tasks).await;
        let answers: Vec<Vec<Note>> = all.into_iter().map(Result::unwrap).collect();
        assert!(answers.iter().all(|one| *one == answers[0]));
        assert_eq!(amount(&db, "n").await, Some(ROUNDS as i64));
    }
}

/// Claims a batch; fresh calls are answered with their place, with the claims or after them;
/// "refuse" is refused.
async fn batch(
    db: &Db,
    beforehand: bool,
    calls: &[(&str, &str)],
) -> Vec<Result<String, (Code, Option<&'static str>)>> {
    let messages: Vec<Note> = calls.iter().map(|(_, text)| note(*text)).collect();
    let results = kit::tx!(db, "batch", |tx| -> Result<Vec<Result<Note, Status>>, Error> {
        let all = calls.iter().zip(&messages);
        let all = all.map(|((id, _), message)| call("ann", id, message)).collect();
        let place = |index| note(format!("place {index}"));
        let mut claims = if beforehand {
            Claims::claim_answered(tx, all, (0..calls.len()).map(place).collect()).await?
        } else {
            Claims::claim(tx, all).await?
        };
        for index in claims.fresh() {
            match calls[index].1 {
                "refuse" => claims.answer(index, Err(Error::failed_precondition("REFUSED"))),
                _ if beforehand => {}
                _ => claims.answer(index, Ok(place(index))),
            }
        }
        Ok(claims.finish(tx).await?)
    });
    let plain = |result: Result<Note, Status>| {
        result.map(|note| note.text).map_err(|status| (status.code(), None))
    };
    results.unwrap().into_iter().map(plain).collect()
}

#[tokio::test]
async fn a_batch_has_fresh_repeated_conflicting_and_twin_calls() {
    for beforehand in [false, true] {
        for db in testkit::db::each(&MIGRATIONS).await {
            let conflict = Err((Code::AlreadyExists, None));
            let refused = Err((Code::FailedPrecondition, None));
            let ok = |place: usize| Ok(format!("place {place}"));
            let first = batch(&db, beforehand, &[("z", "1"), ("a", "2")]).await;
            assert_eq!(first, [ok(0), ok(1)]);
            let second = batch(
                &db,
                beforehand,
                &[
                    ("new", "3"),
                    ("a", "2"),
                    ("z", "other"),
                    ("no", "refuse"),
                    ("new", "3"),
                    ("new", "else"),
                    ("no", "refuse"),
                ],
            )
            .await;
            let expected =
                [ok(0), ok(1), conflict.clone(), refused.clone(), ok(0), conflict, refused];
            assert_eq!(second, expected);
            assert_eq!(batch(&db, beforehand, &[("no", "now yes")]).await, [ok(0)]);
            assert_eq!(batch(&db, beforehand, &[]).await, []);
        }
    }
}

#[tokio::test]
async fn batches_in_any_order_race_without_a_second_effect() {
    const TASKS: usize = 8;
    const ROUNDS: usize = 10;
    let ids: Vec<String> = (0..30).map(|n| format!("id-{n}")).collect();
    for db in testkit::db::each(&MIGRATIONS).await {
        let replica = db.another().await;
        let tasks = (0..TASKS).map(|task| {
            let db = if task % 2 == 0 { db.clone() } else { replica.clone() };
            let mut ids = ids.clone();
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for round in 0..ROUNDS {
                    ids.rotate_left((task + round) % 7);
                    let calls: Vec<(&str, &str)> = ids.iter().map(|id| (&**id, "same")).collect();
                    let results = batch(&db, task % 4 < 2, &calls).await;
                    let mut pairs: Vec<(String, String)> =
                        ids.iter().cloned().zip(results.into_iter().map(Result::unwrap)).collect();
                    pairs.sort();
                    answers.push(pairs);
                }
                answers
            })
        });
        let all = futures_util::future::join_all(tasks).await;
        let answers: Vec<_> = all.into_iter().flat_map(Result::unwrap).collect();
        assert!(answers.iter().all(|one| *one == answers[0]));
    }
}

#[tokio::test]
async fn answers_are_swept_when_their_time_is_over() {
    static AGE: Sql = Sql::new("UPDATE requests SET time = $1 WHERE request_id = $2");
    static LEFT: Sql = Sql::new("SELECT request_id FROM requests ORDER BY request_id");
    for db in testkit::db::each(&MIGRATIONS).await {
        let ids: Vec<String> = (0..1_003).map(|n| format!("id-{n:04}")).collect();
        let calls: Vec<(&str, &str)> = ids.iter().map(|id| (&**id, "x")).collect();
        batch(&db, false, &calls).await;
        let limit = NOW.minus(idempotency::KEEP);
        let times = [("id-0000", NOW), ("id-0001", limit)];
        kit::tx!(*db, "age", |tx| -> Result<(), DbError> {
            static ALL: Sql = Sql::new("UPDATE requests SET time = $1");
            tx.execute(&ALL, args![limit.micros() - 1]).await?;
            for (id, time) in times {
                tx.execute(&AGE, args![time, id]).await?;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(idempotency::sweep(&db, NOW).await.unwrap(), 1_001);
        let left: Vec<(String,)> = db.read().fetch_all(&LEFT, args![]).await.unwrap();
        assert_eq!(left, [("id-0000".to_owned(),), ("id-0001".to_owned(),)]);
    }
}
