//! The state of the index and the thresholds.

use contracts::impersonation::v1::{
    GetIndexStatusRequest, GetIndexStatusResponse, GetThresholdsRequest, GetThresholdsResponse,
    SetThresholdsRequest, SetThresholdsResponse,
};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn get_index_status(
    inner: &Inner,
    request: Request<GetIndexStatusRequest>,
) -> Answer<GetIndexStatusResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn get_thresholds(
    inner: &Inner,
    request: Request<GetThresholdsRequest>,
) -> Answer<GetThresholdsResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn set_thresholds(
    inner: &Inner,
    request: Request<SetThresholdsRequest>,
) -> Answer<SetThresholdsResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
