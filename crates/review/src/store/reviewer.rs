//! Who reviews, and under which pseudonym.

use kit::args;
use kit::db::{DbError, Sql, Tx};
use kit::{Ids, Time};

static LOCK: Sql = Sql::new("SELECT reviewer_id FROM reviewers WHERE subject = $1 FOR UPDATE");
static FIND: Sql = Sql::new("SELECT reviewer_id FROM reviewers WHERE subject = $1");
static INSERT: Sql = Sql::new(
    "INSERT INTO reviewers (subject, reviewer_id, create_time) VALUES ($1, $2, $3)
     ON CONFLICT (subject) DO NOTHING",
);

pub(super) static STATEMENTS: [&Sql; 3] = [&LOCK, &FIND, &INSERT];

/// The pseudonym of `subject`, made when it is seen for the first time. The row is locked until
/// the end of the transaction: claims of one reviewer take turns, so that the number of cases
/// that one may hold is exact.
pub async fn lock(tx: &mut Tx, subject: &str, ids: &Ids, now: Time) -> Result<String, DbError> {
    find_or_make(tx, &LOCK, subject, ids, now).await
}

/// The pseudonym of `subject`, made when it is seen for the first time.
pub async fn find(tx: &mut Tx, subject: &str, ids: &Ids, now: Time) -> Result<String, DbError> {
    find_or_make(tx, &FIND, subject, ids, now).await
}

async fn find_or_make(
    tx: &mut Tx,
    look: &'static Sql,
    subject: &str,
    ids: &Ids,
    now: Time,
) -> Result<String, DbError> {
    let known: Option<(String,)> = tx.fetch_optional(look, args![subject]).await?;
    if let Some((reviewer_id,)) = known {
        return Ok(reviewer_id);
    }
    let reviewer_id = ids.new_id("rvw", now);
    tx.execute(&INSERT, args![subject, &reviewer_id, now]).await?;
    let (reviewer_id,): (String,) = tx.fetch_one(look, args![subject]).await?;
    Ok(reviewer_id)
}
