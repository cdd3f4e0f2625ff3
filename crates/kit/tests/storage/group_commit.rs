//! Group commit: one transaction for many, an answer for each, only after the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kit::db::{Db, Tx};
use kit::error::Error;
use kit::group_commit::{BATCH_MAX, Batch, GroupCommit, QUEUE_MAX};
use tokio::sync::Semaphore;
use tonic::{Code, Status};

use crate::{MIGRATIONS, amount, count, event, put};

/// Puts things by their names. "refuse" is refused by itself, "poison" breaks the transaction.
struct Puts {
    batches: Arc<AtomicUsize>,
    largest: Arc<AtomicUsize>,
    /// One permit lets one batch through.
    gate: Arc<Semaphore>,
    /// Tells when a batch has reached the gate.
    reached: Arc<Semaphore>,
}

impl Puts {
    fn new(permits: usize) -> Puts {
        Puts {
            batches: Arc::default(),
            largest: Arc::default(),
            gate: Arc::new(Semaphore::new(permits)),
            reached: Arc::new(Semaphore::new(0)),
        }
    }
}

impl Batch for Puts {
    type Job = String;
    type Out = String;

    fn name(&self) -> &'static str {
        "puts"
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        jobs: &[String],
    ) -> Result<Vec<Result<String, Status>>, Error> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        self.largest.fetch_max(jobs.len(), Ordering::SeqCst);
        let mut results = Vec::new();
        for job in jobs {
            results.push(match job.as_str() {
                "refuse" => Err(Error::failed_precondition("REFUSED").into()),
                "poison" => {
                    put(tx, "poison", -1).await?;
                    Ok(String::new())
                }
                name => {
                    put(tx, name, 1).await?;
                    tx.append(event(name));
                    Ok(format!("did {name}"))
                }
            });
        }
        self.reached.add_permits(1);
        self.gate.acquire().await.expect("never closed").forget();
        Ok(results)
    }
}

#[tokio::test]
async fn what_queues_while_a_batch_commits_is_the_next_batch() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let puts = Puts::new(0);
        let (batches, largest) = (puts.batches.clone(), puts.largest.clone());
        let (gate, reached) = (puts.gate.clone(), puts.reached.clone());
        let writer = GroupCommit::start(&db, puts);
        let first = tokio::spawn({
            let writer = writer.clone();
            async move { writer.submit("first".to_owned()).await }
        });
        reached.acquire().await.unwrap().forget();
        let names: Vec<String> = (0..BATCH_MAX + 1).map(|n| format!("n{n}")).collect();
        let mut rest: Vec<_> =
            names.iter().map(|name| Box::pin(writer.submit(name.clone()))).collect();
        for submit in &mut rest {
            assert!(futures_util::poll!(submit).is_pending());
        }
        assert!(!first.is_finished());
        assert_eq!(count(&db).await, 0);
        gate.add_permits(1_000);
        assert_eq!(first.await.unwrap().unwrap(), "did first");
        for (name, result) in names.iter().zip(futures_util::future::join_all(rest).await) {
            assert_eq!(result.unwrap(), format!("did {name}"));
        }
        assert_eq!(count(&db).await, 1 + names.len() as i64);
        assert_eq!(kit::events::head(&db).await.unwrap().seq, 1 + names.len() as i64);
        assert_eq!(batches.load(Ordering::SeqCst), 3);
        assert_eq!(largest.load(Ordering::SeqCst), BATCH_MAX);
    }
}

#[tokio::test]
async fn one_bad_job_fails_alone() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let writer = GroupCommit::start(&db, Puts::new(1_000));
        let jobs = ["a", "refuse", "poison", "b"].map(|job| writer.submit(job.to_owned()));
        let [a, refused, poison, b] =
            <[_; 4]>::try_from(futures_util::future::join_all(jobs).await).unwrap();
        assert_eq!((a.unwrap(), b.unwrap()), ("did a".to_owned(), "did b".to_owned()));
        assert_eq!(refused.unwrap_err().code(), Code::FailedPrecondition);
        assert_eq!(poison.unwrap_err().code(), Code::Internal);
        assert_eq!(count(&db).await, 2);
    }
}

#[tokio::test]
async fn the_queue_is_full_at_its_limit_and_not_before() {
    let db = testkit::db::sqlite(&MIGRATIONS).await;
    let puts = Puts::new(0);
    let (gate, reached) = (puts.gate.clone(), puts.reached.clone());
    let writer = GroupCommit::start(&db, puts);
    let mut first = Box::pin(writer.submit("first".to_owned()));
    assert!(futures_util::poll!(&mut first).is_pending());
    reached.acquire().await.unwrap().forget();
    let mut queued: Vec<_> =
        (0..QUEUE_MAX).map(|n| Box::pin(writer.submit(format!("n{n}")))).collect();
    for submit in &mut queued {
        assert!(futures_util::poll!(submit).is_pending());
    }
    let status = writer.submit("one too many".to_owned()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(tonic_types::StatusExt::get_error_details(&status).retry_info().is_some());
    gate.add_permits(1_000);
    first.await.unwrap();
    for result in futures_util::future::join_all(queued).await {
        result.unwrap();
    }
}

#[tokio::test]
async fn closing_finishes_what_was_accepted_and_takes_no_more() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let puts = Puts::new(0);
        let (gate, reached) = (puts.gate.clone(), puts.reached.clone());
        let writer = GroupCommit::start(&db, puts);
        let mut all: Vec<_> = (0..600).map(|n| Box::pin(writer.submit(format!("n{n}")))).collect();
        for submit in &mut all {
            assert!(futures_util::poll!(submit).is_pending());
        }
        reached.acquire().await.unwrap().forget();
        let mut closed = Box::pin(writer.close());
        assert!(futures_util::poll!(&mut closed).is_pending());
        gate.add_permits(1_000);
        closed.await;
        let status = writer.submit("late".to_owned()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        for result in futures_util::future::join_all(all).await {
            result.unwrap();
        }
        assert_eq!(count(&db).await, 600);
        assert_eq!(amount(&db, "late").await, None);
    }
}

/// The process dies between the statements and the commit: nobody was answered, nothing is
/// stored.
#[test]
fn a_death_before_the_commit_answers_nobody_and_stores_nothing() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    };
    let survivor = runtime();
    for db in survivor.block_on(testkit::db::each(&MIGRATIONS)) {
        let doomed = runtime();
        let config = db.config().clone();
        let puts = Puts::new(0);
        let reached = puts.reached.clone();
        let answer = doomed.spawn(async move {
            let db = Db::open(&config).await.unwrap();
            GroupCommit::start(&db, puts).submit("x".to_owned()).await
        });
        survivor.block_on(async { reached.acquire().await.unwrap().forget() });
        assert!(!answer.is_finished());
        doomed.shutdown_background();
        survivor.block_on(async {
            assert!(answer.await.is_err());
            let writer = GroupCommit::start(&db, Puts::new(10));
            assert_eq!(writer.submit("y".to_owned()).await.unwrap(), "did y");
            assert_eq!((amount(&db, "x").await, amount(&db, "y").await), (None, Some(1)));
            assert_eq!(kit::events::head(&db).await.unwrap().seq, 1);
        });
    }
}
