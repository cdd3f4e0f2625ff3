//! Labels: what review decided, with what the detector knew then.

use contracts::impersonation::v1::{ListLabelsRequest, ListLabelsResponse};
use kit::Error;
use tonic::Request;

use super::{Answer, Inner};

/// See the contract.
pub(super) async fn list_labels(
    inner: &Inner,
    request: Request<ListLabelsRequest>,
) -> Answer<ListLabelsResponse> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
