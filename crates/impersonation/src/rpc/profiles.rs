//! The population: profiles observed and forgotten.

use contracts::impersonation::v1::{
    ForgetProfilesRequest, ForgetProfilesResponse, ObserveProfilesRequest, ObserveProfilesResponse,
};
use kit::idempotency::{Call, Claim};
use kit::{Caller, Error, tx};
use tonic::{Request, Response};

use super::{Answer, Inner};
use crate::events::Events;
use crate::observing::Job;
use crate::store::profiles;

/// See the contract.
pub(super) async fn observe_profiles(
    inner: &Inner,
    request: Request<ObserveProfilesRequest>,
) -> Answer<ObserveProfilesResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = inner.clock.now();
    let call = Call::new(&caller.subject, &message.request_id, "ObserveProfiles", &message, now);
    let mut wrong = Error::invalid_argument("BATCH_REFUSED");
    let mut profiles = Vec::with_capacity(message.profiles.len());
    for (index, given) in message.profiles.into_iter().enumerate() {
        let path = format!("profiles[{index}]");
        if given.account_id.is_empty() {
            wrong = wrong.and_invalid(format!("{path}.account_id"), "must be given");
        }
        let kept;
        (kept, wrong) = inner.checker.kept(given, &path, wrong).await?;
        profiles.push(kept);
    }
    wrong.if_any_invalid()?;
    inner.observing.submit(Job { call, profiles, now }).await.map(Response::new)
}

/// See the contract.
pub(super) async fn forget_profiles(
    inner: &Inner,
    request: Request<ForgetProfilesRequest>,
) -> Answer<ForgetProfilesResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (now, ids) = (inner.clock.now(), &inner.ids);
    let call = Call::new(&caller.subject, &message.request_id, "ForgetProfiles", &message, now);
    let answer = tx!(inner.db, "forget_profiles", |tx| -> Result<ForgetProfilesResponse, Error> {
        let pending = match call.claim(tx).await? {
            Claim::Replay(answer) => return Ok(answer),
            Claim::Fresh(pending) => pending,
        };
        let accounts = message.account_ids.iter().map(String::as_str);
        let forgotten = profiles::forget(tx, accounts).await?;
        let forgotten_count = i32::try_from(forgotten.len()).unwrap_or(i32::MAX);
        if !forgotten.is_empty() {
            tx.append(Events { ids, now }.forgotten(forgotten));
        }
        let answer = ForgetProfilesResponse { forgotten_count };
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })?;
    Ok(Response::new(answer))
}
