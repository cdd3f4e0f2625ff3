//! Claiming, prolonging and giving back. A claim is one transaction of a few statements whose
//! cost does not depend on how many cases wait.

use std::time::Duration;

use contracts::review::v1::{
    ClaimCaseRequest, ClaimCaseResponse, ClaimNextCaseRequest, ClaimNextCaseResponse, Lease,
    ReleaseCaseRequest, ReleaseCaseResponse, RenewLeaseRequest, RenewLeaseResponse,
};
use kit::db::Tx;
use kit::idempotency::{Call, Claim};
use kit::{Caller, Error, Time, tx};
use pack::Pack;
use tonic::{Request, Response, Status};

use super::Review;
use super::refusal::{self, case_not_found, queue_unknown};
use crate::case::{Case, Ended, Held, LEASE_DEFAULT, LEASES_MAX};
use crate::{lease, render, store};

/// Cases that are tried in one claim before it is said that none is available: more than one
/// only when others claim the same at the same time.
const ROUNDS_MAX: u32 = 3;

/// ClaimNextCase.
pub async fn next(
    review: &Review,
    request: Request<ClaimNextCaseRequest>,
) -> Result<Response<ClaimNextCaseResponse>, Status> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = review.clock.now();
    let pack = review.packs.current()?;
    let call = Call::new(&caller.subject, &message.request_id, "ClaimNextCase", &message, now);
    let response = tx!(review.db, "claim_next_case", |tx| -> Result<_, Error> {
        let pending = match call.claim::<ClaimNextCaseResponse>(tx).await? {
            Claim::Replay(response) => return Ok(response),
            Claim::Fresh(pending) => pending,
        };
        let queues = queues(&pack, &message.queues)?;
        let reviewer = store::reviewer::lock(tx, &caller.subject, &review.ids, now).await?;
        let stored = next_case(review, tx, &queues, &reviewer, now).await?;
        let case = claim(tx, stored, &reviewer, message.lease_seconds, now).await?;
        let response = ClaimNextCaseResponse { case: Some(render::case(&case, now)) };
        pending.answer(tx, &response).await?;
        Ok(response)
    })?;
    Ok(Response::new(response))
}

/// ClaimCase.
pub async fn named(
    review: &Review,
    request: Request<ClaimCaseRequest>,
) -> Result<Response<ClaimCaseResponse>, Status> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = review.clock.now();
    let call = Call::new(&caller.subject, &message.request_id, "ClaimCase", &message, now);
    let response = tx!(review.db, "claim_case", |tx| -> Result<_, Error> {
        let pending = match call.claim::<ClaimCaseResponse>(tx).await? {
            Claim::Replay(response) => return Ok(response),
            Claim::Fresh(pending) => pending,
        };
        let reviewer = store::reviewer::lock(tx, &caller.subject, &review.ids, now).await?;
        let found = store::case::lock(tx, &message.case_id, &caller.subject).await?;
        let (stored, _) = found.ok_or_else(|| case_not_found(&message.case_id))?;
        let token = stored.fencing_token;
        let case = claim(tx, stored, &reviewer, message.lease_seconds, now).await?;
        // Prolonging what one holds already adds nothing to what one holds.
        if case.fencing_token != token && store::claim::held(tx, &reviewer, now).await? > LEASES_MAX
        {
            return Err(too_many_leases());
        }
        let response = ClaimCaseResponse { case: Some(render::case(&case, now)) };
        pending.answer(tx, &response).await?;
        Ok(response)
    })?;
    Ok(Response::new(response))
}

/// RenewLease.
pub async fn renew(
    review: &Review,
    request: Request<RenewLeaseRequest>,
) -> Result<Response<RenewLeaseResponse>, Status> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = review.clock.now();
    let call = Call::new(&caller.subject, &message.request_id, "RenewLease", &message, now);
    let response = tx!(review.db, "renew_lease", |tx| -> Result<_, Error> {
        let pending = match call.claim::<RenewLeaseResponse>(tx).await? {
            Claim::Replay(response) => return Ok(response),
            Claim::Fresh(pending) => pending,
        };
        let found = store::case::lock(tx, &message.case_id, &caller.subject).await?;
        let (stored, reviewer) = found.ok_or_else(|| case_not_found(&message.case_id))?;
        let mut case = stored.clone();
        let held = Held { reviewer_id: &reviewer, fencing_token: message.fencing_token };
        case.renew(held, lease_span(message.lease_seconds), now)
            .map_err(|refused| refusal::error(&message.case_id, refused))?;
        store::case::save_lease(tx, &stored, &case).await?;
        let lease: Option<Lease> = render::case(&case, now).lease;
        let response = RenewLeaseResponse { lease };
        pending.answer(tx, &response).await?;
        Ok(response)
    })?;
    Ok(Response::new(response))
}

/// ReleaseCase.
pub async fn release(
    review: &Review,
    request: Request<ReleaseCaseRequest>,
) -> Result<Response<ReleaseCaseResponse>, Status> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = review.clock.now();
    let call = Call::new(&caller.subject, &message.request_id, "ReleaseCase", &message, now);
    let response = tx!(review.db, "release_case", |tx| -> Result<_, Error> {
        let pending = match call.claim::<ReleaseCaseResponse>(tx).await? {
            Claim::Replay(response) => return Ok(response),
            Claim::Fresh(pending) => pending,
        };
        let found = store::case::lock(tx, &message.case_id, &caller.subject).await?;
        let (stored, reviewer) = found.ok_or_else(|| case_not_found(&message.case_id))?;
        let mut case = stored.clone();
        let held = Held { reviewer_id: &reviewer, fencing_token: message.fencing_token };
        let ended =
            case.release(held, now).map_err(|refused| refusal::error(&message.case_id, refused))?;
        match ended {
            Ended::Free => store::case::save_lease(tx, &stored, &case).await?,
            Ended::Withdrawn => {
                store::case::save(tx, &[(&stored, &case)]).await?;
                lease::append_withdrawn(tx, &review.ids, now, &case);
            }
        }
        let response = ReleaseCaseResponse { case: Some(render::case(&case, now)) };
        pending.answer(tx, &response).await?;
        Ok(response)
    })?;
    Ok(Response::new(response))
}

/// The queues to look in: those asked for, or all that are not exclusive.
fn queues(pack: &Pack, wanted: &[String]) -> Result<Vec<String>, Error> {
    if wanted.is_empty() {
        let open = pack.queues().iter().filter(|queue| !queue.exclusive);
        return Ok(open.map(|queue| queue.code.clone()).collect());
    }
    let unknown: Vec<(usize, &String)> =
        wanted.iter().enumerate().filter(|(_, code)| pack.queue(code).is_none()).collect();
    let Some((_, first)) = unknown.first() else { return Ok(wanted.to_vec()) };
    let error = unknown.iter().fold(queue_unknown(first), |error, (at, _)| {
        error.and_invalid(format!("queues[{at}]"), "must be a queue of the active pack")
    });
    Err(error)
}

/// Locks the case whose turn it is. Expired leases are taken back first, so that what they held
/// has its turn too.
async fn next_case(
    review: &Review,
    tx: &mut Tx,
    queues: &[String],
    reviewer_id: &str,
    now: Time,
) -> Result<Case, Error> {
    for _ in 0..ROUNDS_MAX {
        let mut peek = store::claim::peek(tx, queues, reviewer_id, now).await?;
        if peek.expired && lease::take_back(tx, &review.ids, now).await? > 0 {
            peek = store::claim::peek(tx, queues, reviewer_id, now).await?;
        }
        if peek.held >= LEASES_MAX {
            return Err(too_many_leases());
        }
        for queue in &peek.queues {
            if let Some(case) = store::claim::lock_head(tx, queue, reviewer_id).await? {
                return Ok(case);
            }
        }
        if peek.queues.is_empty() {
            break;
        }
    }
    Err(Error::not_found("NO_CASE_AVAILABLE").message("no case waits in those queues for you"))
}

async fn claim(
    tx: &mut Tx,
    stored: Case,
    reviewer_id: &str,
    lease_seconds: i32,
    now: Time,
) -> Result<Case, Error> {
    let mut case = stored.clone();
    case.claim(reviewer_id, lease_span(lease_seconds), now)
        .map_err(|refused| refusal::error(&stored.case_id, refused))?;
    store::case::save_lease(tx, &stored, &case).await?;
    Ok(case)
}

/// The bounds of the contract are enforced at the edge.
fn lease_span(seconds: i32) -> Duration {
    match u64::try_from(seconds) {
        Ok(0) | Err(_) => LEASE_DEFAULT,
        Ok(seconds) => Duration::from_secs(seconds),
    }
}

fn too_many_leases() -> Error {
    Error::resource_exhausted("TOO_MANY_LEASES")
        .message(format!("a reviewer holds at most {LEASES_MAX} cases at a time"))
        .meta("limit", LEASES_MAX.to_string())
        .quota("leases", format!("at most {LEASES_MAX} cases: decide or release one first"))
}
