//! The weekly digests: once a week is over, one for each monitored identity, each exactly once,
//! whichever replica makes it. Weeks during which nothing ran are made up for.
//!
//! A round goes through the identities in order of their ids; how far it has come commits with
//! what it made. It waits until everything that happened in the week is in the journal.

use std::time::Duration;

use contracts::impersonation::v1::Digest;
use kit::db::Db;
use kit::{Clock, Error, Ids, Time, clock, tx};

use crate::digest::{self, ID_PREFIX, WEEK, week_of};
use crate::events::Events;
use crate::journal;
use crate::store::{cursors, digests, matches};

/// How often it is looked whether a week is over.
const EVERY: Duration = Duration::from_secs(1);
/// How long after its end a week's digests are begun: transactions of its last moments have
/// committed by then, and replicas' clocks agree on that it is over.
pub const GRACE: Duration = Duration::from_secs(60);
/// How often it is looked whether the journal has come far enough, and how many times.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: u32 = 100;
/// Digests of one transaction.
const BATCH_IDENTITIES: usize = 20;

/// Makes digests.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// The database.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
}

impl Rounds {
    /// Runs until it is dropped.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.once().await {
                tracing::warn!(%error, "digests were not made, will try again");
            }
            clock::sleep(EVERY).await;
        }
    }

    /// Makes the digests of the weeks that are over, unless they are made.
    ///
    /// # Errors
    /// If the database cannot be read or changed.
    pub async fn once(&self) -> Result<(), Error> {
        let last = week_of(self.clock.now().minus(GRACE)).minus(WEEK);
        let weeks = digest::due(digests::last_made(&self.db, last).await?, last);
        if weeks.is_empty() || !self.is_complete().await? {
            return Ok(());
        }
        for start in weeks {
            while self.some(start).await? {}
        }
        Ok(())
    }

    /// Whether everything that was committed until now is in the journal, waiting a little for it.
    async fn is_complete(&self) -> Result<bool, Error> {
        let head = kit::events::head(&self.db).await?;
        for _ in 0..LOOKS {
            if cursors::place(&self.db, journal::NAME).await? >= head.seq {
                return Ok(true);
            }
            clock::sleep(LOOK_EVERY).await;
        }
        Ok(false)
    }

    /// Makes some; false once all are made.
    async fn some(&self, start: Time) -> Result<bool, Error> {
        let (ids, now) = (&self.ids, self.clock.now());
        tx!(self.db, "make_digests", |tx| -> Result<bool, Error> {
            let Some(after) = digests::lock_round(tx, start).await? else { return Ok(false) };
            let end = start.plus(WEEK);
            let page = digests::monitored(tx, &after, end, BATCH_IDENTITIES).await?;
            for (identity_id, account_id) in &page {
                let events = digests::events(tx, identity_id).await?;
                let (counted, lines) = digest::count(start, &events);
                let found = matches::lock_some(tx, lines.iter().map(String::as_str)).await?;
                let line = |id: &String| {
                    let of = found.iter().find(|found| found.shown.match_id == *id)?;
                    Some(digest::line(&of.shown))
                };
                let made = Digest {
                    digest_id: ids.new_id(ID_PREFIX, now),
                    identity_id: identity_id.clone(),
                    account_id: account_id.clone(),
                    lines: lines.iter().filter_map(line).collect(),
                    create_time: Some(now.into()),
                    ..counted
                };
                if digests::insert(tx, &made, start).await? {
                    tx.append(Events { ids, now }.digest(made));
                }
            }
            let done = page.len() < BATCH_IDENTITIES;
            let last = page.last().map_or(after.as_str(), |(identity_id, _)| identity_id);
            digests::move_round(tx, start, last, done).await?;
            Ok(!done)
        })
    }
}
