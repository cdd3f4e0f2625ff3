//! Exemptions: declared, granted, ended, listed.

use contracts::impersonation::v1::{
    DeclareExemptionRequest, DeclareExemptionResponse, EndExemptionRequest, EndExemptionResponse,
    GrantExemptionRequest, GrantExemptionResponse, ListExemptionsRequest, ListExemptionsResponse,
};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn declare_exemption(
    inner: &Inner,
    request: Request<DeclareExemptionRequest>,
) -> Answer<DeclareExemptionResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn grant_exemption(
    inner: &Inner,
    request: Request<GrantExemptionRequest>,
) -> Answer<GrantExemptionResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn end_exemption(
    inner: &Inner,
    request: Request<EndExemptionRequest>,
) -> Answer<EndExemptionResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn list_exemptions(
    inner: &Inner,
    request: Request<ListExemptionsRequest>,
) -> Answer<ListExemptionsResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
