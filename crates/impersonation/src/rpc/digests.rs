//! Digests for owners, and drift.

use contracts::impersonation::v1::{
    GetDigestRequest, GetDigestResponse, GetDriftRequest, GetDriftResponse, ListDigestsRequest,
    ListDigestsResponse,
};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn get_digest(
    inner: &Inner,
    request: Request<GetDigestRequest>,
) -> Answer<GetDigestResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn list_digests(
    inner: &Inner,
    request: Request<ListDigestsRequest>,
) -> Answer<ListDigestsResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn get_drift(
    inner: &Inner,
    request: Request<GetDriftRequest>,
) -> Answer<GetDriftResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
