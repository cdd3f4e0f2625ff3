//! What is followed: the policy service, for which pack is in force here and since when; the
//! review service, for decisions, each of which changes the ledger of one account.
//!
//! A batch of decisions is one transaction: which pack is in force is locked first, then the
//! accounts in the order of their ids, so that two transactions never wait for each other in a
//! circle. Packs are fetched before a transaction begins, as their events come in.

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::policy::v1 as policy;
use contracts::policy::v1::policy_service_client::PolicyServiceClient;
use contracts::review::v1 as review;
use contracts::review::v1::decision::Outcome;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use futures_util::StreamExt as _;
use kit::client::Peer;
use kit::db::{Db, Tx};
use kit::follow::{EventStream, Follow, Message};
use kit::{Clock, Error, Ids, Time, clock};
use pack::PackSource;
use tonic::Status;

use crate::account::{Account, Changes, Desk};
use crate::ladder;
use crate::store::activations::Activation;
use crate::store::{accounts, activations, entries, statements};

/// How often it is looked whether a pack is in force, before decisions are followed.
const PACK_LOOK_EVERY: Duration = Duration::from_millis(20);
/// How many times, before the follower's lease is let go; well within its time.
const PACK_LOOKS: u32 = 50;

/// Follows the policy service.
pub struct PolicyFollower {
    /// Whom to follow.
    pub client: PolicyServiceClient<Peer>,
    /// Where packs come from.
    pub packs: PackSource,
    /// Where "now" comes from.
    pub clock: Clock,
}

impl Follow for PolicyFollower {
    type Event = policy::PolicyEvent;

    fn name(&self) -> &'static str {
        "policy"
    }

    async fn open(&self, resume_token: String) -> Result<EventStream<Self::Event>, Status> {
        let request = policy::WatchPolicyEventsRequest { resume_token };
        let stream = self.client.clone().watch_policy_events(request).await?.into_inner();
        let packs = self.packs.clone();
        let fetched = stream.then(move |message| {
            let packs = packs.clone();
            async move {
                let message = message?;
                if let Some((version, _)) = message.event.as_ref().and_then(activated) {
                    packs.version(version).await?;
                }
                Ok(Message { token: message.resume_token, event: message.event })
            }
        });
        Ok(fetched.boxed())
    }

    async fn apply(&self, tx: &mut Tx, events: &[Self::Event]) -> Result<(), Error> {
        for (version, at) in events.iter().filter_map(activated) {
            let now = activations::apply(tx, version, at, &self.clock).await?;
            tracing::info!(pack.version = now.version, "standings are worked out under a new pack");
        }
        Ok(())
    }

    fn describe(&self, event: &Self::Event) -> String {
        event.event_id.clone()
    }
}

/// The version that an event puts in force, and when.
fn activated(event: &policy::PolicyEvent) -> Option<(i64, Time)> {
    let Some(policy::policy_event::Event::PackActivated(activated)) = &event.event else {
        return None;
    };
    let at = event.time.as_ref().and_then(Time::from_timestamp).unwrap_or_default();
    Some((activated.pack.as_ref()?.version, at))
}

/// Follows the review service.
pub struct ReviewFollower {
    /// Whom to follow.
    pub client: ReviewServiceClient<Peer>,
    /// Which pack is in force here.
    pub db: Db,
    /// Where packs come from.
    pub packs: PackSource,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
}

impl Follow for ReviewFollower {
    type Event = review::ReviewEvent;

    fn name(&self) -> &'static str {
        "review"
    }

    /// Not before a pack is in force here: no decision was taken without one.
    async fn open(&self, resume_token: String) -> Result<EventStream<Self::Event>, Status> {
        let in_force = self.in_force().await?;
        self.packs.version(in_force.version).await?;
        let request = review::WatchReviewEventsRequest { resume_token };
        let stream = self.client.clone().watch_review_events(request).await?.into_inner();
        let packs = self.packs.clone();
        let fetched = stream.then(move |message| {
            let packs = packs.clone();
            async move {
                let message = message?;
                if let Some(ruling) = message.event.as_ref().and_then(Ruling::of) {
                    packs.version(ruling.pack_version()).await?;
                }
                Ok(Message { token: message.resume_token, event: message.event })
            }
        });
        Ok(fetched.boxed())
    }

    async fn apply(&self, tx: &mut Tx, events: &[Self::Event]) -> Result<(), Error> {
        let rulings: Vec<Ruling<'_>> = events.iter().filter_map(Ruling::of).collect();
        carry_out(tx, &rulings, &self.packs, &self.clock, &self.ids).await
    }

    fn describe(&self, event: &Self::Event) -> String {
        event.event_id.clone()
    }

    fn time(&self, event: &Self::Event) -> Option<Time> {
        Time::from_timestamp(event.time.as_ref()?)
    }
}

impl ReviewFollower {
    /// What is in force here, waited for a little: on a first start it is about to come.
    async fn in_force(&self) -> Result<Activation, Error> {
        for _ in 0..PACK_LOOKS {
            if let Some(in_force) = activations::in_force(&self.db).await? {
                return Ok(in_force);
            }
            clock::sleep(PACK_LOOK_EVERY).await;
        }
        Err(no_pack())
    }
}

fn no_pack() -> Error {
    Error::unavailable("NOT_READY").message("no pack is in force yet")
}

/// A decision that changes a ledger.
#[derive(Clone, Copy, Debug)]
enum Ruling<'a> {
    Case(&'a review::CaseDecided),
    Appeal(&'a review::AppealCaseDecided),
}

impl<'a> Ruling<'a> {
    /// None for every event that changes none.
    fn of(event: &'a review::ReviewEvent) -> Option<Ruling<'a>> {
        use review::review_event::Event;
        let found = |decision: &Option<review::Decision>, outcomes: &[Outcome]| {
            decision.as_ref().is_some_and(|decision| outcomes.contains(&decision.outcome()))
        };
        match event.event.as_ref()? {
            Event::CaseDecided(case) => {
                found(&case.decision, &[Outcome::Violation]).then_some(Ruling::Case(case))
            }
            Event::AppealCaseDecided(case) => {
                let fell = [Outcome::Overturned, Outcome::PartiallyOverturned];
                found(&case.decision, &fell).then_some(Ruling::Appeal(case))
            }
            _ => None,
        }
    }

    fn decision(&self) -> Option<&'a review::Decision> {
        match self {
            Ruling::Case(case) => case.decision.as_ref(),
            Ruling::Appeal(case) => case.decision.as_ref(),
        }
    }

    fn pack_version(&self) -> i64 {
        self.decision().map_or(0, |decision| decision.pack_version)
    }

    /// The account that answers for what was decided about.
    fn account_id(&self) -> Result<&'a str, Error> {
        let subject = match self {
            Ruling::Case(case) => case.subject.as_ref(),
            Ruling::Appeal(case) => case.subject.as_ref(),
        };
        let owner = subject.map(|subject| subject.owner_account_id.as_str());
        owner.filter(|owner| !owner.is_empty()).ok_or_else(|| {
            Error::internal("an event of review does not say which account answers for its subject")
        })
    }

    fn appealed_decision_id(&self) -> Option<&'a str> {
        match self {
            Ruling::Case(_) => None,
            Ruling::Appeal(case) => Some(case.decision.as_ref()?.appealed_decision_id.as_str()),
        }
    }
}

/// Carries out decisions in their order, in one transaction.
async fn carry_out(
    tx: &mut Tx,
    rulings: &[Ruling<'_>],
    packs: &PackSource,
    clock: &Clock,
    ids: &Ids,
) -> Result<(), Error> {
    if rulings.is_empty() {
        return Ok(());
    }
    let in_force = activations::lock(tx).await?.ok_or_else(no_pack)?;
    let mut locked = lock(tx, rulings).await?;
    let ladders = ladder::ladders(packs.version(in_force.version).await?.ladders());
    let desk = Desk {
        // Never before the pack in force came into force, whatever another replica's clock says.
        now: clock.now().max(Time::from_micros(in_force.apply_time)),
        ladders: &ladders,
        ladders_version: in_force.version,
        ids,
    };
    let mut changes = Changes::default();
    for ruling in rulings {
        let pack = packs.version(ruling.pack_version()).await?;
        let Some(account) = locked.get_mut(ruling.account_id()?) else { continue };
        match ruling {
            Ruling::Case(case) => account.enter(case, &pack, &desk, &mut changes)?,
            Ruling::Appeal(case) => account.hear(case, &pack, &desk, &mut changes)?,
        }
    }
    let changed: Vec<Account> =
        locked.into_values().filter(|account| !account.entries.is_empty()).collect();
    store(tx, &changed, changes, in_force.seq).await
}

/// The accounts decided about, with the statements that appeals supersede.
async fn lock(tx: &mut Tx, rulings: &[Ruling<'_>]) -> Result<BTreeMap<String, Account>, Error> {
    let mut ids = rulings.iter().map(Ruling::account_id).collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    let mut appealed: Vec<&str> = rulings.iter().filter_map(Ruling::appealed_decision_id).collect();
    appealed.sort_unstable();
    appealed.dedup();
    let accounts = accounts::lock(tx, &ids).await?;
    let mut locked: BTreeMap<String, Account> =
        accounts.into_iter().map(|account| (account.account_id.clone(), account)).collect();
    for statement in statements::of_decisions(tx, &appealed).await? {
        if let Some(account) = locked.get_mut(&statement.account_id) {
            account.statements.push(statement);
        }
    }
    Ok(locked)
}

/// Stores what has changed; the events last.
pub(crate) async fn store(
    tx: &mut Tx,
    accounts: &[Account],
    changes: Changes,
    activation: i64,
) -> Result<(), Error> {
    entries::insert(tx, &changes.entries).await?;
    statements::insert(tx, &changes.statements).await?;
    if !accounts.is_empty() {
        accounts::put(tx, accounts, activation).await?;
    }
    for event in changes.events {
        tx.append(event);
    }
    Ok(())
}
