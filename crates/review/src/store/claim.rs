//! Finding the next case, and giving back what expired. A claim costs a few index probes,
//! however many cases there are.

use kit::db::{DbError, Sql, Tx, json};
use kit::{Time, args};
use serde::Serialize;

use super::list;
use super::row::{CaseRow, case_columns, cases};
use crate::case::Case;

/// For each queue the rank of its first free case, what the reviewer holds, and when the lease
/// that ends first ends: one probe of an index each.
static PEEK: Sql = Sql::new(
    "SELECT q.queue,
            (SELECT f.rank_time FROM cases AS f
              WHERE f.queue = q.queue AND f.state = 1 AND f.lease_until = 0
                AND (f.excluded_reviewer_id = '' OR f.excluded_reviewer_id <> $2)
              ORDER BY f.rank_time, f.case_id LIMIT 1) AS rank_time,
            (SELECT count(*) FROM cases AS h
              WHERE h.lease_reviewer_id = $2 AND h.lease_until > 0 AND h.lease_until > $3) AS held,
            coalesce((SELECT e.lease_until FROM cases AS e
              WHERE e.lease_until > 0 ORDER BY e.lease_until LIMIT 1), 0) AS first_end
       FROM jsonb_to_recordset($1) AS q(queue text)",
);
/// The limit is written out: with a parameter in its place PostgreSQL may plan a scan. So it
/// would without the comparison with the empty text: most cases exclude nobody, and from
/// `<> $2` alone it concludes that hardly a row is left and sorts what in truth are all.
static HEAD: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM cases AS c
      WHERE c.queue = $1 AND c.state = 1 AND c.lease_until = 0
        AND (c.excluded_reviewer_id = '' OR c.excluded_reviewer_id <> $2)
      ORDER BY c.rank_time, c.case_id LIMIT 1 FOR UPDATE SKIP LOCKED",
));
static HELD: Sql = Sql::new(
    "SELECT count(*) FROM cases
      WHERE lease_reviewer_id = $1 AND lease_until > 0 AND lease_until > $2",
);
static EXPIRED: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM cases AS c WHERE c.lease_until > 0 AND c.lease_until <= $1
      ORDER BY c.lease_until LIMIT 100 FOR UPDATE SKIP LOCKED",
));
static WAITING: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM cases AS c WHERE c.queue = $1 AND c.state = 1 AND c.lease_until = 0
      ORDER BY c.rank_time, c.case_id LIMIT 100 FOR UPDATE SKIP LOCKED",
));

pub(super) static STATEMENTS: [&Sql; 5] = [&PEEK, &HEAD, &HELD, &EXPIRED, &WAITING];

/// Expired leases that one transaction takes back; the number is written out in the statement.
pub const EXPIRED_MAX: usize = 100;

#[derive(Serialize)]
struct QueueRow<'a> {
    queue: &'a str,
}

struct PeekRow {
    queue: String,
    rank_time: Option<i64>,
    held: i64,
    first_end: i64,
}

kit::record!(PeekRow: queue, rank_time, held, first_end);

/// What there is to claim.
#[derive(Debug)]
pub struct Peek {
    /// The queues that have a free case for the reviewer, the one with the next case first.
    pub queues: Vec<String>,
    /// Cases that the reviewer holds.
    pub held: i64,
    /// Whether a lease has expired that was not taken back yet.
    pub expired: bool,
}

/// Looks at the heads of queues, without locking anything.
pub async fn peek(
    tx: &mut Tx,
    queues: &[String],
    reviewer_id: &str,
    now: Time,
) -> Result<Peek, DbError> {
    let wanted: Vec<QueueRow<'_>> = queues.iter().map(|queue| QueueRow { queue }).collect();
    let rows: Vec<PeekRow> = tx.fetch_all(&PEEK, args![json(&wanted), reviewer_id, now]).await?;
    let held = rows.first().map_or(0, |row| row.held);
    let expired =
        rows.first().is_some_and(|row| row.first_end > 0 && row.first_end <= now.micros());
    let mut heads: Vec<(i64, String)> =
        rows.into_iter().filter_map(|row| Some((row.rank_time?, row.queue))).collect();
    heads.sort();
    Ok(Peek { queues: heads.into_iter().map(|(_, queue)| queue).collect(), held, expired })
}

/// Locks the first free case of a queue that nobody else is claiming just now.
pub async fn lock_head(
    tx: &mut Tx,
    queue: &str,
    reviewer_id: &str,
) -> Result<Option<Case>, DbError> {
    let row: Option<CaseRow> = tx.fetch_optional(&HEAD, args![queue, reviewer_id]).await?;
    row.map(Case::try_from).transpose()
}

/// How many cases a reviewer holds.
pub async fn held(tx: &mut Tx, reviewer_id: &str, now: Time) -> Result<i64, DbError> {
    let (held,): (i64,) = tx.fetch_one(&HELD, args![reviewer_id, now]).await?;
    Ok(held)
}

/// Locks cases whose lease has expired, at most [`EXPIRED_MAX`].
pub async fn lock_expired(tx: &mut Tx, now: Time) -> Result<Vec<Case>, DbError> {
    cases(tx.fetch_all(&EXPIRED, args![now]).await?)
}

/// The first queue after `after` that cases are or were in.
pub async fn next_queue(tx: &mut Tx, after: &str) -> Result<Option<String>, DbError> {
    let row: Option<(String,)> = tx.fetch_optional(&list::NEXT_QUEUE, args![after]).await?;
    Ok(row.map(|(queue,)| queue))
}

/// Locks free cases of a queue, at most 100.
pub async fn lock_waiting(tx: &mut Tx, queue: &str) -> Result<Vec<Case>, DbError> {
    cases(tx.fetch_all(&WAITING, args![queue]).await?)
}
