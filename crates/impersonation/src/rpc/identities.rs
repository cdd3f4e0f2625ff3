//! Protected identities: enrolment, change, verification, end.

use contracts::impersonation::v1::{
    EndProtectionRequest, EndProtectionResponse, EnrolIdentityRequest, EnrolIdentityResponse,
    GetIdentityRequest, GetIdentityResponse, ImportIdentitiesRequest, ImportIdentitiesResponse,
    ListIdentitiesRequest, ListIdentitiesResponse, UpdateIdentityRequest, UpdateIdentityResponse,
    VerifyAttributeRequest, VerifyAttributeResponse,
};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn enrol_identity(
    inner: &Inner,
    request: Request<EnrolIdentityRequest>,
) -> Answer<EnrolIdentityResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn import_identities(
    inner: &Inner,
    request: Request<ImportIdentitiesRequest>,
) -> Answer<ImportIdentitiesResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn update_identity(
    inner: &Inner,
    request: Request<UpdateIdentityRequest>,
) -> Answer<UpdateIdentityResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn verify_attribute(
    inner: &Inner,
    request: Request<VerifyAttributeRequest>,
) -> Answer<VerifyAttributeResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn end_protection(
    inner: &Inner,
    request: Request<EndProtectionRequest>,
) -> Answer<EndProtectionResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn get_identity(
    inner: &Inner,
    request: Request<GetIdentityRequest>,
) -> Answer<GetIdentityResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn list_identities(
    inner: &Inner,
    request: Request<ListIdentitiesRequest>,
) -> Answer<ListIdentitiesResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
