//! The state of the index and the thresholds.

use contracts::impersonation::v1::{
    GetIndexStatusRequest, GetIndexStatusResponse, GetThresholdsRequest, GetThresholdsResponse,
    SetThresholdsRequest, SetThresholdsResponse,
};
use kit::idempotency::{Call, Claim};
use kit::watch::Token;
use kit::{Caller, Error, events, tx};
use tonic::{Request, Response};

use super::{Answer, Inner};
use crate::events::Events;
use crate::store::settings;
use crate::thresholds;

/// See the contract.
pub(super) async fn get_index_status(
    inner: &Inner,
    _request: Request<GetIndexStatusRequest>,
) -> Answer<GetIndexStatusResponse> {
    let memory = &inner.checker.memory;
    let (state, progress, shard) = (memory.state(), memory.progress(), memory.shard());
    let head = events::head(&inner.db).await.map_err(Error::from)?;
    let (profiles, profile_bytes) = memory.crowd().size();
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let position = match progress.log_id.as_str() {
        "" => String::new(),
        log_id => Token { log_id: log_id.to_owned(), seq: state.seq }.encode(),
    };
    Ok(Response::new(GetIndexStatusResponse {
        ready: progress.ready,
        identity_count: number(state.index.len()),
        identity_bytes: number(state.index.memory()),
        profile_count: number(profiles),
        profile_bytes: number(profile_bytes),
        rebuilt_count: progress.rebuilt,
        rebuild_total: progress.total,
        position,
        behind_count: (head.seq - state.seq).max(0),
        shard: i32::try_from(shard.number).unwrap_or(i32::MAX),
        shard_count: i32::try_from(shard.count).unwrap_or(i32::MAX),
        model_version: memory.engine().version().to_owned(),
        snapshot_time: progress.snapshot_time.map(Into::into),
    }))
}

/// See the contract.
pub(super) async fn get_thresholds(
    inner: &Inner,
    _request: Request<GetThresholdsRequest>,
) -> Answer<GetThresholdsResponse> {
    let set = settings::thresholds(&inner.db).await.map_err(Error::from)?;
    let in_force = thresholds::in_force(set.as_ref(), inner.checker.memory.engine());
    Ok(Response::new(GetThresholdsResponse { thresholds: Some(in_force) }))
}

/// See the contract.
pub(super) async fn set_thresholds(
    inner: &Inner,
    request: Request<SetThresholdsRequest>,
) -> Answer<SetThresholdsResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (now, ids) = (inner.clock.now(), &inner.ids);
    let call = Call::new(&caller.subject, &message.request_id, "SetThresholds", &message, now);
    let set =
        thresholds::check(&message.thresholds.unwrap_or_default(), inner.checker.memory.engine())?;
    let answer = tx!(inner.db, "set_thresholds", |tx| -> Result<SetThresholdsResponse, Error> {
        let pending = match call.claim(tx).await? {
            Claim::Replay(answer) => return Ok(answer),
            Claim::Fresh(pending) => pending,
        };
        settings::put_thresholds(tx, &set, now).await?;
        tx.append(Events { ids, now }.thresholds(set));
        let answer = SetThresholdsResponse { thresholds: Some(set) };
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })?;
    Ok(Response::new(answer))
}
