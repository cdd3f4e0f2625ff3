//! What happens by itself: standings that change as time passes, and all standings when another
//! pack comes into force. One bounded task in each replica; they share the work row by row.
//!
//! Nothing waits for a sweep: reads work out how things stand at their instant. A sweep only
//! tells of it in events.

use std::time::Duration;

use contracts::accounthealth::v1::restriction_lifted::Cause;
use kit::db::Db;
use kit::{Clock, Error, Ids, Time, clock, idempotency, tx};
use pack::PackSource;

use crate::account::{Account, Changes, Desk};
use crate::follow;
use crate::ladder;
use crate::store::accounts::{self, SWEEP_BATCH};
use crate::store::activations;

/// How often it is looked whether something is due.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// Sweeps between two deletions of answers that are kept no longer.
const SWEEPS_PER_HOUSEKEEPING: u32 = 7_200;

/// What a sweep stands on.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The database.
    pub db: Db,
    /// Where packs come from.
    pub packs: PackSource,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
}

/// Why accounts are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Another pack came into force.
    Policy,
    /// An instant came at which their standing changes.
    Time,
}

impl Sweep {
    /// Sweeps until it is dropped.
    pub async fn run(self) {
        let mut sweeps = 0_u32;
        loop {
            if let Err(error) = self.once().await {
                tracing::warn!(%error, "standings were not settled, will try again");
            }
            if sweeps.is_multiple_of(SWEEPS_PER_HOUSEKEEPING)
                && let Err(error) = idempotency::sweep(&self.db, self.clock.now()).await
            {
                tracing::warn!(%error, "old answers were not deleted, will try again");
            }
            sweeps = sweeps.wrapping_add(1);
            clock::sleep(SWEEP_EVERY).await;
        }
    }

    /// Settles every account whose standing has changed since it was told, in transactions of a
    /// bounded size. Answers how many it looked at.
    ///
    /// # Errors
    /// If the database or the pack in force cannot be had.
    pub async fn once(&self) -> Result<usize, Error> {
        let mut settled = 0;
        // A new pack first, so that what it ends is told to have ended by it.
        for why in [Why::Policy, Why::Time] {
            loop {
                let batch = self.batch(why).await?;
                settled += batch;
                if batch < SWEEP_BATCH {
                    break;
                }
            }
        }
        Ok(settled)
    }

    async fn batch(&self, why: Why) -> Result<usize, Error> {
        let Some(in_force) = activations::in_force(&self.db).await? else { return Ok(0) };
        // Before the transaction: it may have to be fetched.
        let pack = self.packs.version(in_force.version).await?;
        let ladders = ladder::ladders(pack.ladders());
        tx!(self.db, "settle_accounts", |tx| -> Result<usize, Error> {
            if activations::lock(tx).await? != Some(in_force) {
                // Yet another pack: the next sweep takes that one.
                return Ok(0);
            }
            let now = self.clock.now().max(Time::from_micros(in_force.apply_time));
            let mut accounts = match why {
                Why::Policy => accounts::lock_stale(tx, in_force.seq).await?,
                Why::Time => accounts::lock_due(tx, now).await?,
            };
            let (ladders_version, ids) = (in_force.version, &self.ids);
            let desk = Desk { now, ladders: &ladders, ladders_version, ids };
            let changes = settle(&mut accounts, &desk, why);
            follow::store(tx, &accounts, changes, in_force.seq).await?;
            Ok(accounts.len())
        })
    }
}

fn settle(accounts: &mut [Account], desk: &Desk<'_>, why: Why) -> Changes {
    let cause = match why {
        Why::Policy => Cause::PolicyChanged,
        Why::Time => Cause::Expired,
    };
    let mut changes = Changes::default();
    for account in accounts {
        // Not before its last entry, which another replica's clock may have set.
        let at = desk.now.max(account.last_time);
        account.settle(desk, at, cause, &mut changes);
    }
    changes
}
