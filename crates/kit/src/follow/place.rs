//! A follower's place in the stream, and the lease on moving it, in the follower's own database.

use std::sync::Arc;

use super::LEASE;
use crate::args;
use crate::clock::{Clock, Time};
use crate::db::{Db, DbError, Sql, Tx};

static MAKE: Sql = Sql::new(
    "INSERT INTO followers (name, token, holder, lease_until) VALUES ($1, '', '', 0)
     ON CONFLICT (name) DO NOTHING",
);
static TAKE: Sql = Sql::new(
    "UPDATE followers SET holder = $2, lease_until = $3
      WHERE name = $1 AND (holder = $2 OR lease_until < $4)
     RETURNING token",
);
static MOVE: Sql = Sql::new(
    "UPDATE followers SET token = $4, lease_until = $5
      WHERE name = $1 AND holder = $2 AND token = $3",
);
static RELEASE: Sql =
    Sql::new("UPDATE followers SET holder = '', lease_until = 0 WHERE name = $1 AND holder = $2");

/// All statements of this module, for the test that prepares them.
pub static STATEMENTS: [&Sql; 4] = [&MAKE, &TAKE, &MOVE, &RELEASE];

#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) db: Db,
    name: &'static str,
    /// This follower, among all that have its name.
    holder: Arc<str>,
    clock: Clock,
}

impl Place {
    pub(super) fn new(db: Db, name: &'static str, holder: String) -> Place {
        Place { db, name, holder: holder.into(), clock: Clock::system() }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    fn until(&self) -> Time {
        self.now().plus(LEASE)
    }

    /// Takes the lease. Answers the stored token, or `None` while another holds the lease.
    pub(super) async fn take(&self) -> Result<Option<String>, DbError> {
        crate::tx!(self.db, "take_lease", |tx| -> Result<Option<String>, DbError> {
            tx.execute(&MAKE, args![self.name]).await?;
            let take = args![self.name, &*self.holder, self.until(), self.now()];
            let token: Option<(String,)> = tx.fetch_optional(&TAKE, take).await?;
            Ok(token.map(|(token,)| token))
        })
    }

    /// Moves the place and renews the lease; false if another follower has moved it.
    pub(super) async fn advance(&self, tx: &mut Tx, from: &str, to: &str) -> Result<bool, DbError> {
        let args = args![self.name, &*self.holder, from, to, self.until()];
        Ok(tx.execute(&MOVE, args).await? == 1)
    }

    /// Gives the lease back.
    pub(super) async fn release(&self) -> Result<(), DbError> {
        crate::tx!(self.db, "release_lease", |tx| -> Result<(), DbError> {
            tx.execute(&RELEASE, args![self.name, &*self.holder]).await.map(drop)
        })
    }
}
