//! Claims of the imitated.

use contracts::impersonation::v1::{
    FileClaimRequest, FileClaimResponse, GetClaimProofRequest, GetClaimProofResponse,
    GetClaimRequest, GetClaimResponse, GetClaimantStandingRequest, GetClaimantStandingResponse,
    ListClaimsRequest, ListClaimsResponse, WithdrawClaimRequest, WithdrawClaimResponse,
};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn file_claim(
    inner: &Inner,
    request: Request<FileClaimRequest>,
) -> Answer<FileClaimResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn get_claim(
    inner: &Inner,
    request: Request<GetClaimRequest>,
) -> Answer<GetClaimResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn list_claims(
    inner: &Inner,
    request: Request<ListClaimsRequest>,
) -> Answer<ListClaimsResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn withdraw_claim(
    inner: &Inner,
    request: Request<WithdrawClaimRequest>,
) -> Answer<WithdrawClaimResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn get_claim_proof(
    inner: &Inner,
    request: Request<GetClaimProofRequest>,
) -> Answer<GetClaimProofResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn get_claimant_standing(
    inner: &Inner,
    request: Request<GetClaimantStandingRequest>,
) -> Answer<GetClaimantStandingResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
