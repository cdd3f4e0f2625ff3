//! Matches: dismissed by staff.

use contracts::impersonation::v1::{DismissMatchRequest, DismissMatchResponse};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn dismiss_match(
    inner: &Inner,
    request: Request<DismissMatchRequest>,
) -> Answer<DismissMatchResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
