//! Campaigns: read.

use contracts::impersonation::v1::{
    GetCampaignRequest, GetCampaignResponse, ListCampaignsRequest, ListCampaignsResponse,
};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn get_campaign(
    inner: &Inner,
    request: Request<GetCampaignRequest>,
) -> Answer<GetCampaignResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}

/// See the contract.
pub(super) async fn list_campaigns(
    inner: &Inner,
    request: Request<ListCampaignsRequest>,
) -> Answer<ListCampaignsResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
