//! Campaigns: read. Their matches are listed by ListMatches, their cases by review's ListCases.

use contracts::impersonation::v1::{
    GetCampaignRequest, GetCampaignResponse, ListCampaignsRequest, ListCampaignsResponse,
};
use kit::{Error, page};
use tonic::{Request, Response};

use super::{Answer, Inner, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use crate::store::campaigns;

/// See the contract.
pub(super) async fn get_campaign(
    inner: &Inner,
    request: Request<GetCampaignRequest>,
) -> Answer<GetCampaignResponse> {
    let campaign_id = &request.get_ref().campaign_id;
    let campaign = campaigns::get(&inner.db, campaign_id).await.map_err(Error::from)?;
    let campaign = campaign.ok_or_else(|| {
        Error::not_found("CAMPAIGN_NOT_FOUND")
            .message("there is no such campaign")
            .resource("campaign", campaign_id)
    })?;
    Ok(Response::new(GetCampaignResponse { campaign: Some(campaign) }))
}

/// See the contract.
pub(super) async fn list_campaigns(
    inner: &Inner,
    request: Request<ListCampaignsRequest>,
) -> Answer<ListCampaignsResponse> {
    let request = request.into_inner();
    let (identity_id, state) = (&request.identity_id, request.state());
    let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    let binding = page::binding(&["ListCampaigns", identity_id, state.as_str_name()]);
    let before: Option<String> = page::read(&request.page_token, &binding)?;
    let before = before.unwrap_or_else(|| campaigns::ID_MAX.to_owned());
    let found = campaigns::list(&inner.db, identity_id, state, &before, size + 1).await;
    let found = found.map_err(Error::from)?;
    let (campaigns, next_page_token) =
        page::cut(found, size, &binding, |last| last.campaign_id.clone());
    Ok(Response::new(ListCampaignsResponse { campaigns, next_page_token }))
}
