//! Matches: read.

use contracts::impersonation::v1::{
    GetMatchRequest, GetMatchResponse, ListMatchesRequest, ListMatchesResponse,
};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn get_match(
    inner: &Inner,
    request: Request<GetMatchRequest>,
) -> Answer<GetMatchResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn list_matches(
    inner: &Inner,
    request: Request<ListMatchesRequest>,
) -> Answer<ListMatchesResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
