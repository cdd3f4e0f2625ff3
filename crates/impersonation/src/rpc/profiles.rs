//! The population: profiles observed and forgotten.

use contracts::impersonation::v1::{
    ForgetProfilesRequest, ForgetProfilesResponse, ObserveProfilesRequest, ObserveProfilesResponse,
};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn observe_profiles(
    inner: &Inner,
    request: Request<ObserveProfilesRequest>,
) -> Answer<ObserveProfilesResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn forget_profiles(
    inner: &Inner,
    request: Request<ForgetProfilesRequest>,
) -> Answer<ForgetProfilesResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
