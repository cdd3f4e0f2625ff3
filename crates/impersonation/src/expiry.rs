//! What happens by itself as time passes: protections, verifications and exemptions run out. One
//! bounded task in each replica; they share the work row by row.

use std::time::Duration;

use contracts::impersonation::v1::exemption::State;
use kit::db::Db;
use kit::{Clock, Error, Ids, clock, tx};

use crate::events::Events;
use crate::store::{exemptions, identities};

/// How often it is looked whether something is due.
const EVERY: Duration = Duration::from_millis(500);
/// Rows of one transaction.
const BATCH_ROWS: usize = 100;
/// Why an exemption ended that nobody ended.
const RAN_OUT: &str = "its time ran out";

/// What lets things run out.
#[derive(Clone, Debug)]
pub struct Expiry {
    /// The database.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
}

impl Expiry {
    /// Runs until it is dropped.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.once().await {
                tracing::warn!(%error, "what is due did not run out, will try again");
            }
            clock::sleep(EVERY).await;
        }
    }

    /// Lets everything run out that is due.
    ///
    /// # Errors
    /// If the database cannot be changed.
    pub async fn once(&self) -> Result<(), Error> {
        while self.identities().await? == BATCH_ROWS {}
        while self.exemptions().await? == BATCH_ROWS {}
        Ok(())
    }

    async fn identities(&self) -> Result<usize, Error> {
        let (ids, now) = (&self.ids, self.clock.now());
        tx!(self.db, "expire_identities", |tx| -> Result<usize, Error> {
            let mut due = identities::lock_due(tx, now, BATCH_ROWS).await?;
            for identity in &mut due {
                let changed = identity.run_out(now);
                identities::update(tx, identity).await?;
                let (events, identity_id) = (Events { ids, now }, &identity.identity_id);
                if !changed.lapsed.is_empty() {
                    tx.append(events.changed(identity_id, changed.clone()));
                }
                if changed.over {
                    tx.append(events.ended(identity_id, identity.state));
                }
            }
            Ok(due.len())
        })
    }

    async fn exemptions(&self) -> Result<usize, Error> {
        let (ids, now) = (&self.ids, self.clock.now());
        tx!(self.db, "expire_exemptions", |tx| -> Result<usize, Error> {
            let due = exemptions::lock_due(tx, now, BATCH_ROWS).await?;
            let count = due.len();
            for mut exemption in due {
                exemptions::end(tx, &exemption.exemption_id, RAN_OUT, now).await?;
                exemption.set_state(State::Ended);
                RAN_OUT.clone_into(&mut exemption.end_reason);
                exemption.update_time = Some(now.into());
                tx.append(Events { ids, now }.exemption(exemption));
            }
            Ok(count)
        })
    }
}
