//! What this service learns from its own log about matches: which of them belong together, and
//! what happened when, for digests.
//!
//! One process at a time reads on; what an event leads to commits with the place in the log, so
//! that it happens once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contracts::impersonation::v1::campaign::{Kind, State};
use contracts::impersonation::v1::impersonation_event::Event;
use contracts::impersonation::v1::r#match::State as MatchState;
use contracts::impersonation::v1::{Campaign, ImpersonationEvent, MatchFound, MatchResolved};
use kit::clock::sleep;
use kit::db::{Db, Tx};
use kit::{Clock, Error, Ids, Time, events, tx};

use crate::campaign::{ID_PREFIX, Plan, plan, traits};
use crate::digest;
use crate::events::{Events, kind};
use crate::memory::Memory;
use crate::store::{campaigns, cursors, digests};

/// The name of the place in the log.
pub const NAME: &str = "journal";
/// Events that are worked through in one transaction.
const PAGE_EVENTS: i64 = 100;
/// How long a process that fell silent holds the journal.
const LEASE: Duration = Duration::from_secs(3);
/// How often the lease is renewed while nothing happens, and others look whether it is free.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// The wait before another try.
const RETRY_EVERY: Duration = Duration::from_millis(500);
/// Matches that one event names at most.
const NAMED_MAX: usize = 500;

/// Keeps the journal.
#[derive(Clone, Debug)]
pub struct Journal {
    /// The database.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// Knows when there are new events.
    pub memory: Memory,
    /// Names this process.
    pub holder: String,
}

impl Journal {
    /// Reads on until it is dropped.
    pub async fn run(self) {
        // Leases are about real time.
        let real = Clock::system();
        loop {
            if let Err(error) = self.read(&real, &self.holder).await {
                tracing::warn!(%error, "the journal will be read on");
                sleep(RETRY_EVERY).await;
            }
        }
    }

    /// Gives the journal back, so that another process need not wait.
    pub async fn release(&self) {
        if let Err(error) = cursors::release(&self.db, NAME, &self.holder).await {
            tracing::debug!(%error, "the journal was left to lapse");
        }
    }

    async fn read(&self, real: &Clock, holder: &str) -> Result<(), Error> {
        loop {
            let lease = (real.now(), real.now().plus(LEASE));
            let Some(place) = cursors::take(&self.db, NAME, holder, lease).await? else {
                sleep(RENEW_EVERY).await;
                return Ok(());
            };
            let page = events::page(&self.db, place, PAGE_EVENTS).await?;
            let Some(last) = page.last().map(|event| event.seq) else {
                tokio::select! {
                    () = self.memory.reached(place + 1) => {}
                    () = sleep(RENEW_EVERY) => {}
                }
                continue;
            };
            let moved = tx!(self.db, "keep_journal", |tx| -> Result<bool, Error> {
                let enter = Enter { ids: &self.ids, now: self.clock.now() };
                enter.all(tx, &page).await?;
                Ok(cursors::advance(tx, NAME, holder, (place, last)).await?)
            })?;
            if !moved {
                return Ok(());
            }
        }
    }
}

/// Enters events.
#[derive(Clone, Copy, Debug)]
struct Enter<'a> {
    ids: &'a Ids,
    now: Time,
}

impl Enter<'_> {
    async fn all(self, tx: &mut Tx, page: &[events::Event]) -> Result<(), Error> {
        // Campaigns to be counted anew, each with the matches that became part of it.
        let mut touched: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for event in page {
            if ![kind::MATCH_FOUND, kind::MATCH_RESOLVED].contains(&event.kind.as_str()) {
                continue;
            }
            match event.decode::<ImpersonationEvent>()?.event {
                Some(Event::MatchFound(found)) => {
                    self.found(tx, event, &found, &mut touched).await?;
                }
                Some(Event::MatchResolved(resolved)) => {
                    resolved_entry(tx, event, &resolved).await?;
                    let of = campaigns::of_match(tx, &resolved.match_id).await?;
                    if let Some((campaign_id, _)) = of {
                        touched.entry(campaign_id).or_default();
                    }
                }
                _ => {}
            }
        }
        for (campaign_id, joined) in touched {
            self.recount(tx, &campaign_id, joined).await?;
        }
        Ok(())
    }

    async fn found(
        self,
        tx: &mut Tx,
        event: &events::Event,
        found: &MatchFound,
        touched: &mut BTreeMap<String, BTreeSet<String>>,
    ) -> Result<(), Error> {
        let Some(of) = &found.r#match else { return Ok(()) };
        let probability = of.likeness.as_ref().map_or(0.0, |likeness| likeness.probability);
        let entry = digest::Event {
            match_id: of.match_id.clone(),
            time: event.time(),
            state: MatchState::Open,
            probability,
        };
        digests::tell(tx, event.seq, &of.identity_id, &entry).await?;
        let traits = traits(of, &found.actor_marks, event.time());
        campaigns::put_traits(tx, &traits, &of.match_id).await?;
        let own = campaigns::of_match(tx, &of.match_id).await?;
        let before = own.as_ref().map(|(id, _)| id.clone());
        let peers = campaigns::peers(tx, &traits, &of.match_id).await?;
        if let Some(before) = &before {
            touched.entry(before.clone()).or_default();
        }
        let Some(plan) = plan(&of.match_id, own, &peers) else { return Ok(()) };
        // Whoever leaves a campaign for an actor's is counted there no longer.
        for peer in peers.iter().filter(|peer| plan.join.contains(&peer.match_id)) {
            if let Some((left, _)) = &peer.campaign {
                touched.entry(left.clone()).or_default();
            }
        }
        self.carry_out(tx, plan, event.time(), touched).await
    }

    async fn carry_out(
        self,
        tx: &mut Tx,
        plan: Plan,
        at: Time,
        touched: &mut BTreeMap<String, BTreeSet<String>>,
    ) -> Result<(), Error> {
        let into = match plan.into {
            Some(into) => into,
            None => self.begin(tx, plan.kind, at).await?,
        };
        let mut joined = plan.join;
        campaigns::join(tx, &joined, &into).await?;
        if !plan.absorb.is_empty() {
            joined.extend(campaigns::absorb(tx, &plan.absorb, &into).await?);
        }
        for absorbed in plan.absorb {
            touched.insert(absorbed, BTreeSet::new());
        }
        touched.entry(into).or_default().extend(joined);
        Ok(())
    }

    async fn begin(self, tx: &mut Tx, kind: Kind, at: Time) -> Result<String, Error> {
        let campaign = Campaign {
            campaign_id: self.ids.new_id(ID_PREFIX, self.now),
            kind: kind.into(),
            state: State::Open.into(),
            create_time: Some(at.into()),
            update_time: Some(self.now.into()),
            ..Campaign::default()
        };
        campaigns::put(tx, &campaign).await?;
        Ok(campaign.campaign_id)
    }

    /// Counts a campaign anew and tells of it if anything changed.
    async fn recount(
        self,
        tx: &mut Tx,
        campaign_id: &str,
        joined: BTreeSet<String>,
    ) -> Result<(), Error> {
        let Some(stored) = campaigns::lock(tx, campaign_id).await? else { return Ok(()) };
        let counts = campaigns::count(tx, campaign_id).await?;
        let mut changed = counted(&stored, &counts);
        if changed == stored && joined.is_empty() {
            return Ok(());
        }
        changed.update_time = Some(self.now.into());
        campaigns::put(tx, &changed).await?;
        changed.account_ids = campaigns::accounts(tx, campaign_id).await?;
        let events = Events { ids: self.ids, now: self.now };
        let joined: Vec<String> = joined.into_iter().collect();
        if joined.is_empty() {
            tx.append(events.campaign(changed, Vec::new()));
            return Ok(());
        }
        for some in joined.chunks(NAMED_MAX) {
            tx.append(events.campaign(changed.clone(), some.to_vec()));
        }
        Ok(())
    }
}

async fn resolved_entry(
    tx: &mut Tx,
    event: &events::Event,
    resolved: &MatchResolved,
) -> Result<(), Error> {
    let entry = digest::Event {
        match_id: resolved.match_id.clone(),
        time: event.time(),
        state: resolved.state(),
        probability: resolved.probability,
    };
    Ok(digests::tell(tx, event.seq, &resolved.identity_id, &entry).await?)
}

/// A campaign with the numbers of its matches, given by identity and state.
fn counted(stored: &Campaign, counts: &[(String, i32, i64)]) -> Campaign {
    let of = |wanted: &[MatchState]| {
        let wanted = counts.iter().filter(|(_, state, _)| {
            MatchState::try_from(*state).is_ok_and(|state| wanted.contains(&state))
        });
        wanted.map(|(.., count)| count).sum::<i64>()
    };
    let mut identities: BTreeMap<&str, i64> = BTreeMap::new();
    for (identity_id, _, count) in counts {
        *identities.entry(identity_id).or_default() += count;
    }
    let most = identities.iter().max_by_key(|(id, count)| (**count, std::cmp::Reverse(**id)));
    let open = of(&[MatchState::Open, MatchState::CaseOpened]);
    let state = if open > 0 { State::Open } else { State::Closed };
    Campaign {
        state: state.into(),
        identity_id: most.map_or_else(|| stored.identity_id.clone(), |(id, _)| (*id).to_owned()),
        match_count: counts.iter().map(|(.., count)| count).sum(),
        open_count: open,
        confirmed_count: of(&[MatchState::Confirmed]),
        ..stored.clone()
    }
}
