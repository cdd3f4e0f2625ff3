//! Wiring: from what the service stands on to a server that can be mounted, and its tasks.

use std::path::PathBuf;

use contracts::impersonation::v1::CheckProfileRequest;
use contracts::impersonation::v1::impersonation_service_server::ImpersonationServiceServer;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use kit::client::Peer;
use kit::db::Db;
use kit::follow::Follower;
use kit::group_commit::GroupCommit;
use kit::{Clock, Contract, Error, Ids, idempotency};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::check::{Checker, Other};
use crate::detect::Engine;
use crate::expiry::Expiry;
use crate::follow::ReviewFollower;
use crate::gauges::Gauges;
use crate::journal::Journal;
use crate::keeper::Keeper;
use crate::memory::{Memory, Shard};
use crate::observing::Observing;
use crate::patrol::{Beat, Patrol};
use crate::people::People;
use crate::proof::Keys;
use crate::round::Rounds;
use crate::rpc::{Impersonation, Inner};

/// What the service stands on.
pub struct Deps {
    /// Its database, migrated.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// The rules of the contract, for the items of streams.
    pub contract: Contract,
    /// What compares: the detector with its weights.
    pub engine: Engine,
    /// A directory of this process's own, for snapshots of the index; none for no snapshots.
    pub directory: Option<PathBuf>,
    /// Which part of the identities this process holds.
    pub shard: Shard,
    /// How many observed profiles it keeps in memory; 0 for none.
    pub profiles_max: usize,
    /// The processes that hold the other parts.
    pub others: Vec<Other>,
    /// The services that it follows.
    pub peers: Peers,
    /// What proofs of identity are encrypted with; without, claims with a proof are refused.
    pub proof_keys: Option<Keys>,
    /// True once the process is to end.
    pub stop: watch::Receiver<bool>,
}

/// The services that this one follows.
#[derive(Default)]
pub struct Peers {
    /// The review service, which decides about matches and claims; none where it is not deployed.
    pub review: Option<Peer>,
}

/// The running service.
pub struct Running {
    service: Impersonation,
    memory: Memory,
    keeper: Keeper,
    observing: GroupCommit<Observing>,
    review: Option<Follower>,
    patrols: [Patrol; 2],
    journal: Journal,
    keeping: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
    stop: watch::Receiver<bool>,
}

/// Starts the service's tasks. It answers at once; checks once its index is complete.
///
/// # Errors
/// None at present.
pub async fn start(deps: Deps) -> Result<Running, Error> {
    let Deps { db, clock, ids, contract, engine, directory, shard, others, .. } = deps;
    let Deps { profiles_max, peers, proof_keys, stop, .. } = deps;
    let memory = Memory::new(shard, engine, profiles_max);
    let keeper = Keeper {
        memory: memory.clone(),
        db: db.clone(),
        clock: clock.clone(),
        directory,
        stop: stop.clone(),
    };
    let people = People { memory: memory.clone(), db: db.clone() };
    let checker = Checker::new(db.clone(), clock.clone(), memory.clone(), others);
    let observing = GroupCommit::start_overlapped(&db, Observing { ids: ids.clone() });
    let holder = Ids::system().new_uuid();
    let patrols = [Beat::Accounts, Beat::Identities].map(|beat| {
        let (checker, ids, holder) = (checker.clone(), ids.clone(), holder.clone());
        Patrol { beat, checker, ids, holder }
    });
    let expiry = Expiry { db: db.clone(), clock: clock.clone(), ids: ids.clone() };
    let journal = Journal {
        db: db.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
        memory: memory.clone(),
        holder,
    };
    let gauges = Gauges { db: db.clone(), clock: clock.clone(), memory: memory.clone() };
    let rounds = Rounds { db: db.clone(), clock: clock.clone(), ids: ids.clone() };
    let review = peers.review.map(|peer| {
        let (review, clock) = (ReviewServiceClient::new(peer), clock.clone());
        let follower = ReviewFollower { review, clock, ids: ids.clone() };
        Follower::start(&db, follower)
    });
    let mut tasks = vec![
        idempotency::keep_swept(&db, &clock),
        tokio::spawn(people.run()),
        tokio::spawn(expiry.run()),
        tokio::spawn(journal.clone().run()),
        tokio::spawn(rounds.run()),
        tokio::spawn(gauges.run()),
    ];
    tasks.extend(patrols.iter().cloned().map(|patrol| tokio::spawn(patrol.run())));
    let keeping = tokio::spawn(keeper.clone().run());
    let rules = contract.rules_of::<CheckProfileRequest>();
    let inner = Inner {
        db,
        clock,
        ids,
        checker,
        proof_keys,
        observing: observing.clone(),
        rules,
        stop: stop.clone(),
    };
    let service = Impersonation::new(inner);
    Ok(Running {
        service,
        memory,
        keeper,
        observing,
        review,
        patrols,
        journal,
        keeping,
        tasks,
        stop,
    })
}

impl Running {
    /// The server to mount.
    pub fn server(&self) -> ImpersonationServiceServer<Impersonation> {
        ImpersonationServiceServer::new(self.service.clone())
    }

    /// What this process has in memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Asks whether checks can be answered.
    pub fn readiness(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let memory = self.memory.clone();
        move || memory.is_ready()
    }

    /// Waits for the end: after `stop`, until what was accepted is done and the index is saved.
    pub async fn finished(mut self) {
        // An error means that nobody is left to say it.
        let _ = self.stop.wait_for(|stop| *stop).await;
        self.observing.close().await;
        if let Some(review) = self.review {
            review.stop().await;
        }
        // It ends between two changes, so that what is saved is whole.
        let _ = self.keeping.await;
        for task in self.tasks {
            task.abort();
            // Ended, one way or the other.
            let _ = task.await;
        }
        for patrol in &self.patrols {
            patrol.release().await;
        }
        self.journal.release().await;
        self.keeper.save().await;
    }
}
