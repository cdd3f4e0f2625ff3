//! Digests for owners, and drift.

use contracts::impersonation::v1::{
    GetDigestRequest, GetDigestResponse, GetDriftRequest, GetDriftResponse, ListDigestsRequest,
    ListDigestsResponse,
};
use kit::{Caller, Error, Time, page};
use tonic::{Request, Response};

use super::identities::visible;
use super::{Answer, Inner, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use crate::gauges;
use crate::store::{digests, labels};

/// See the contract.
pub(super) async fn get_digest(
    inner: &Inner,
    request: Request<GetDigestRequest>,
) -> Answer<GetDigestResponse> {
    let caller = Caller::of(&request);
    let digest_id = &request.get_ref().digest_id;
    let not_found = || {
        Error::not_found("DIGEST_NOT_FOUND")
            .message("there is no such digest, or it is not of the caller's identity")
            .resource("digest", digest_id)
    };
    let digest = digests::get(&inner.db, digest_id).await.map_err(Error::from)?;
    let digest = digest.ok_or_else(not_found)?;
    // Somebody else's is answered as if there were none.
    visible(inner, &caller, &digest.identity_id).await.map_err(|_| not_found())?;
    Ok(Response::new(GetDigestResponse { digest: Some(digest) }))
}

/// See the contract.
pub(super) async fn list_digests(
    inner: &Inner,
    request: Request<ListDigestsRequest>,
) -> Answer<ListDigestsResponse> {
    let caller = Caller::of(&request);
    let request = request.into_inner();
    let identity_id = &request.identity_id;
    visible(inner, &caller, identity_id).await?;
    let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    let binding = page::binding(&["ListDigests", identity_id]);
    let before: Option<i64> = page::read(&request.page_token, &binding)?;
    let before = before.map_or(Time::from_micros(i64::MAX), Time::from_micros);
    let found = digests::list(&inner.db, identity_id, before, size + 1).await;
    let found = found.map_err(Error::from)?;
    let (digests, next_page_token) = page::cut(found, size, &binding, |last| {
        last.start_time.as_ref().and_then(Time::from_timestamp).map_or(0, Time::micros)
    });
    Ok(Response::new(ListDigestsResponse { digests, next_page_token }))
}

/// See the contract.
pub(super) async fn get_drift(
    inner: &Inner,
    request: Request<GetDriftRequest>,
) -> Answer<GetDriftResponse> {
    let request = request.into_inner();
    let time = |time: &Option<prost_types::Timestamp>| time.as_ref().and_then(Time::from_timestamp);
    let end = time(&request.end_time).unwrap_or_else(|| inner.clock.now());
    let start = time(&request.start_time).unwrap_or_else(|| end.minus(gauges::DRIFT));
    if end < start {
        return Err(Error::invalid("end_time", "must not be before start_time").into());
    }
    let (buckets, brier_score) = labels::drift(&inner.db, start, end).await.map_err(Error::from)?;
    Ok(Response::new(GetDriftResponse { buckets, brier_score }))
}
