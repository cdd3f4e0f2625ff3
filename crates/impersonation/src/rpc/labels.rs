//! Labels: what review decided, with what the detector knew then.

use contracts::impersonation::v1::{ListLabelsRequest, ListLabelsResponse};
use kit::{Error, page};
use tonic::{Request, Response};

use super::{Answer, Inner, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use crate::store::labels;

/// See the contract.
pub(super) async fn list_labels(
    inner: &Inner,
    request: Request<ListLabelsRequest>,
) -> Answer<ListLabelsResponse> {
    let request = request.into_inner();
    let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    let binding = page::binding(&["ListLabels"]);
    let after: Option<String> = page::read(&request.page_token, &binding)?;
    let after = after.unwrap_or_else(|| labels::ID_MIN.to_owned());
    let found = labels::list(&inner.db, &after, size + 1).await.map_err(Error::from)?;
    let (found, next_page_token) = page::cut(found, size, &binding, |(id, _)| id.clone());
    let labels = found.into_iter().map(|(_, label)| label).collect();
    Ok(Response::new(ListLabelsResponse { labels, next_page_token }))
}
