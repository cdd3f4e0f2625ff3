//! Checks: profiles, streams of them, names at a form, imitators of an identity.

use contracts::impersonation::v1::{
    CheckHandleRequest, CheckHandleResponse, CheckProfileRequest, CheckProfileResponse,
    FindImitatorsRequest, StreamChecksRequest,
};
use kit::Error;
use tonic::{Request, Streaming};

use super::{Answer, Impersonation, Inner};
use contracts::impersonation::v1::impersonation_service_server::ImpersonationService;

/// See the contract.
pub(super) async fn check_profile(
    inner: &Inner,
    request: Request<CheckProfileRequest>,
) -> Answer<CheckProfileResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn stream_checks(
    inner: &Inner,
    request: Request<Streaming<StreamChecksRequest>>,
) -> Answer<<Impersonation as ImpersonationService>::StreamChecksStream> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn check_handle(
    inner: &Inner,
    request: Request<CheckHandleRequest>,
) -> Answer<CheckHandleResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn find_imitators(
    inner: &Inner,
    request: Request<FindImitatorsRequest>,
) -> Answer<<Impersonation as ImpersonationService>::FindImitatorsStream> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
