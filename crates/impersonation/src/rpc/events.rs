//! The stream of events.

use contracts::impersonation::v1::WatchImpersonationEventsRequest;
use kit::Error;
use tonic::Request;

use super::{Answer, Impersonation, Inner};
use contracts::impersonation::v1::impersonation_service_server::ImpersonationService;

/// See the contract.
pub(super) async fn watch_impersonation_events(
    inner: &Inner,
    request: Request<WatchImpersonationEventsRequest>,
) -> Answer<<Impersonation as ImpersonationService>::WatchImpersonationEventsStream> {
    let _ = (inner, request);
    Err(Error::unimplemented("UNKNOWN_METHOD").into())
}
