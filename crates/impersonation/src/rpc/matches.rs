//! Matches: read.

use contracts::impersonation::v1::{
    GetMatchRequest, GetMatchResponse, ListMatchesRequest, ListMatchesResponse,
};
use kit::{Caller, Error, page};
use tonic::{Request, Response};

use super::identities::visible;
use super::{Answer, Inner, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, READ_ALL};
use crate::store::{identities, matches};

pub(super) fn not_found(match_id: &str) -> Error {
    Error::not_found("MATCH_NOT_FOUND")
        .message("there is no such match, or it is not of the caller's identity")
        .resource("match", match_id)
}

/// See the contract.
pub(super) async fn get_match(
    inner: &Inner,
    request: Request<GetMatchRequest>,
) -> Answer<GetMatchResponse> {
    let caller = Caller::of(&request);
    let match_id = &request.get_ref().match_id;
    let found = matches::get(&inner.db, match_id).await.map_err(Error::from)?;
    let found = found.ok_or_else(|| not_found(match_id))?.shown;
    if !caller.has(READ_ALL) {
        let identity = identities::get(&inner.db, &found.identity_id).await.map_err(Error::from)?;
        if !identity.is_some_and(|identity| identity.is_own(&caller.subject)) {
            return Err(not_found(match_id).into());
        }
    }
    Ok(Response::new(GetMatchResponse { r#match: Some(found) }))
}

/// See the contract.
pub(super) async fn list_matches(
    inner: &Inner,
    request: Request<ListMatchesRequest>,
) -> Answer<ListMatchesResponse> {
    let caller = Caller::of(&request);
    let request = request.into_inner();
    if !caller.has(READ_ALL) {
        if request.identity_id.is_empty() {
            caller.require(READ_ALL)?;
        }
        visible(inner, &caller, &request.identity_id).await?;
    }
    let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    let filter = matches::Filter {
        identity_id: &request.identity_id,
        account_id: &request.account_id,
        state: request.state(),
        campaign_id: &request.campaign_id,
    };
    let binding = page::binding(&[
        "ListMatches",
        filter.identity_id,
        filter.account_id,
        filter.state.as_str_name(),
        filter.campaign_id,
    ]);
    let before = page::read(&request.page_token, &binding)?;
    let before: String = before.unwrap_or_else(|| matches::ID_MAX.to_owned());
    let found = matches::list(&inner.db, filter, &before, size + 1).await.map_err(Error::from)?;
    let (found, next_page_token) =
        page::cut(found, size, &binding, |last| last.shown.match_id.clone());
    let matches = found.into_iter().map(|stored| stored.shown).collect();
    Ok(Response::new(ListMatchesResponse { matches, next_page_token }))
}
