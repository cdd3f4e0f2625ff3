//! Group commit: concurrent calls of a hot RPC share one transaction.
//!
//! One writer takes whatever queued while the last batch committed, applies it in one
//! transaction and answers each call after the commit. There is no timer: a single caller waits
//! for nobody. It must not know what a job is.

use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tonic::Status;

use crate::db::{Db, Tx};
use crate::error::Error;

/// Calls that wait at most; one more is told to come back.
pub const QUEUE_MAX: usize = 4_096;
/// Calls that share one transaction at most.
pub const BATCH_MAX: usize = 256;
/// Transactions under way at once on PostgreSQL, where they may overlap.
const IN_FLIGHT_POSTGRES: u32 = 2;

/// What the writer does with a batch.
pub trait Batch: Send + Sync + 'static {
    /// What one call brings.
    type Job: Send + Sync + 'static;
    /// What one call gets.
    type Out: Send + 'static;

    /// The transaction's name.
    fn name(&self) -> &'static str;

    /// Does all jobs in the transaction, and gives one result for each, in order. May run again
    /// after contention. An `Err` for the whole makes the writer do each job by itself, so that
    /// one that cannot be done does not fail its neighbours.
    fn apply(
        &self,
        tx: &mut Tx,
        jobs: &[Self::Job],
    ) -> impl Future<Output = Result<Vec<Result<Self::Out, Status>>, Error>> + Send;
}

type Answer<B> = oneshot::Sender<Result<<B as Batch>::Out, Status>>;
type Queued<B> = (<B as Batch>::Job, Answer<B>);

/// The queue in front of one writer. Cheap to clone.
pub struct GroupCommit<B: Batch> {
    queue: mpsc::Sender<Queued<B>>,
    close: Arc<Closing>,
}

struct Closing {
    begin: tokio::sync::watch::Sender<bool>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl<B: Batch> Clone for GroupCommit<B> {
    fn clone(&self) -> GroupCommit<B> {
        GroupCommit { queue: self.queue.clone(), close: self.close.clone() }
    }
}

impl<B: Batch> GroupCommit<B> {
    /// Starts the writer. It ends when all handles are dropped or one is closed, after it has
    /// done what it accepted.
    pub fn start(db: &Db, batch: B) -> GroupCommit<B> {
        GroupCommit::with_in_flight(db, batch, 1)
    }

    /// Like [`GroupCommit::start`], with two transactions under way on PostgreSQL: while one
    /// waits for its commit, the next does its work. For batches whose transactions may run
    /// side by side; SQLite, which has one writer, has one.
    pub fn start_overlapped(db: &Db, batch: B) -> GroupCommit<B> {
        let in_flight = if db.is_postgres() { IN_FLIGHT_POSTGRES } else { 1 };
        GroupCommit::with_in_flight(db, batch, in_flight)
    }

    fn with_in_flight(db: &Db, batch: B, in_flight: u32) -> GroupCommit<B> {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let begin = tokio::sync::watch::Sender::new(false);
        let writer = Writer { db: db.clone(), batch: Arc::new(batch), in_flight };
        let writer = tokio::spawn(writer.run(jobs, begin.subscribe()));
        GroupCommit { queue, close: Arc::new(Closing { begin, writer: Mutex::new(Some(writer)) }) }
    }

    /// Queues a job and waits for its answer, which comes after the commit. If the caller stops
    /// waiting, the job is done all the same.
    ///
    /// # Errors
    /// UNAVAILABLE with reason OVERLOADED when the queue is full or closed; else what the batch
    /// answered.
    pub async fn submit(&self, job: B::Job) -> Result<B::Out, Status> {
        let (answer, answered) = oneshot::channel();
        if self.queue.try_send((job, answer)).is_err() {
            return Err(Error::unavailable("OVERLOADED")
                .message("too many writes are waiting: try again")
                .meta("queue_max", QUEUE_MAX.to_string())
                .into());
        }
        answered.await.unwrap_or_else(|_| {
            Err(Error::unavailable("NOT_READY")
                .message("the writer ended before it answered: repeat with the same request_id")
                .meta("committed", "unknown")
                .into())
        })
    }

    /// Takes no more jobs, and returns when all accepted ones are answered.
    pub async fn close(&self) {
        self.close.begin.send_replace(true);
        let writer = self.close.writer.lock().unwrap_or_else(|poison| poison.into_inner()).take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "a group commit writer failed");
        }
    }
}

struct Writer<B> {
    db: Db,
    batch: Arc<B>,
    /// Transactions under way at once.
    in_flight: u32,
}

impl<B: Batch> Writer<B> {
    async fn run(
        self,
        mut queue: mpsc::Receiver<Queued<B>>,
        mut closing: tokio::sync::watch::Receiver<bool>,
    ) {
        let room = Arc::new(Semaphore::new(self.in_flight as usize));
        loop {
            let place = room.clone().acquire_owned().await.expect("it is never closed");
            let mut waiting = Vec::with_capacity(BATCH_MAX);
            let taken = loop {
                tokio::select! {
                    taken = queue.recv_many(&mut waiting, BATCH_MAX) => break taken,
                    _ = closing.wait_for(|closing| *closing), if !queue.is_closed() => {
                        // What is in the queue is still done; nothing more gets in.
                        queue.close();
                    }
                }
            };
            if taken == 0 {
                drop(place);
                break;
            }
            let (db, batch) = (self.db.clone(), self.batch.clone());
            tokio::spawn(async move {
                answer(&db, &*batch, waiting).await;
                drop(place);
            });
        }
        let all = room.acquire_many(self.in_flight).await;
        all.expect("it is never closed").forget();
    }
}

async fn answer<B: Batch>(db: &Db, batch: &B, queued: Vec<Queued<B>>) {
    let (jobs, answers): (Vec<B::Job>, Vec<Answer<B>>) = queued.into_iter().unzip();
    for (answer, result) in answers.into_iter().zip(apply(db, batch, &jobs).await) {
        // A caller that has gone away needs no answer.
        let _ = answer.send(result);
    }
}

/// One result for each job, whatever happens.
async fn apply<B: Batch>(db: &Db, batch: &B, jobs: &[B::Job]) -> Vec<Result<B::Out, Status>> {
    let error = match transaction(db, batch, jobs).await {
        Ok(results) if results.len() == jobs.len() => return results,
        Ok(_) => Error::internal("a batch gave another number of results than it has jobs"),
        Err(error) => error,
    };
    // Our own fault or a refusal may be due to one of the jobs; an outage is due to none.
    let of_one_job = !matches!(error.code(), tonic::Code::Unavailable | tonic::Code::Aborted);
    if jobs.len() == 1 || !of_one_job {
        let status = Status::from(error);
        return jobs.iter().map(|_| Err(status.clone())).collect();
    }
    tracing::warn!(batch = batch.name(), jobs = jobs.len(), %error, "doing a batch one by one");
    let mut results = Vec::with_capacity(jobs.len());
    for job in jobs {
        results.push(match transaction(db, batch, std::slice::from_ref(job)).await {
            Ok(mut one) if one.len() == 1 => one.remove(0),
            Ok(_) => Err(Error::internal("a job gave more or less than one result").into()),
            Err(error) => Err(error.into()),
        });
    }
    results
}

async fn transaction<B: Batch>(
    db: &Db,
    batch: &B,
    jobs: &[B::Job],
) -> Result<Vec<Result<B::Out, Status>>, Error> {
    crate::tx!(db, batch.name(), |tx| { batch.apply(tx, jobs).await })
}
