//! Taking back leases that have expired, and moving cases out of queues that a new pack no
//! longer has. Both change only what nobody holds.

use contracts::review::v1::CaseWithdrawn;
use contracts::review::v1::review_event::Event;
use kit::db::{DbError, Tx};
use kit::{Ids, Time};
use pack::Pack;

use crate::case::{Case, Ended};
use crate::queue::{self, Facts};
use crate::{event, store};

/// Takes back expired leases, as many as one transaction may; answers how many. A case that was
/// only kept open for its holder is withdrawn.
pub async fn take_back(tx: &mut Tx, ids: &Ids, now: Time) -> Result<usize, DbError> {
    let expired = store::claim::lock_expired(tx, now).await?;
    let mut freed = expired.clone();
    for case in &mut freed {
        if case.expire(now) == Some(Ended::Withdrawn) {
            append_withdrawn(tx, ids, now, case);
        }
    }
    let changed: Vec<(&Case, &Case)> = expired.iter().zip(&freed).collect();
    store::case::save(tx, &changed).await?;
    Ok(changed.len())
}

/// Tells that a case of reports was withdrawn.
pub fn append_withdrawn(tx: &mut Tx, ids: &Ids, now: Time, case: &Case) {
    let withdrawn = CaseWithdrawn { case_id: case.case_id.clone(), appeal_id: String::new() };
    event::append(tx, ids, now, &case.case_id, Event::CaseWithdrawn(withdrawn));
}

/// Moves some of the free cases that wait in a queue which the pack does not have; answers how
/// many.
pub async fn reroute(tx: &mut Tx, pack: &Pack, now: Time) -> Result<usize, DbError> {
    let mut last = String::new();
    while let Some(waiting) = store::claim::next_queue(tx, &last).await? {
        if pack.queue(&waiting).is_none() {
            let moved = reroute_queue(tx, pack, &waiting, now).await?;
            if moved > 0 {
                return Ok(moved);
            }
        }
        last = waiting;
    }
    Ok(0)
}

async fn reroute_queue(
    tx: &mut Tx,
    pack: &Pack,
    waiting: &str,
    now: Time,
) -> Result<usize, DbError> {
    let stored = store::claim::lock_waiting(tx, waiting).await?;
    let mut moved = stored.clone();
    for case in &mut moved {
        let exclusive = pack.reason(&case.first_reason);
        let facts = Facts {
            appeal: case.appeal.is_some(),
            area: &case.area,
            subject_type: case.subject.r#type(),
            severity: case.severity,
            source: case.source,
            exclusive_queue: exclusive.map_or("", |reason| &reason.exclusive_queue),
        };
        let to = queue::choose(pack, &facts).to_owned();
        case.route(&to, now);
    }
    let changed: Vec<(&Case, &Case)> =
        stored.iter().zip(&moved).filter(|(stored, case)| stored.queue != case.queue).collect();
    store::case::save(tx, &changed).await?;
    Ok(changed.len())
}
