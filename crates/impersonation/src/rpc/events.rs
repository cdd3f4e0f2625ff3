//! The stream of events.

use contracts::impersonation::v1::{
    ImpersonationEvent, WatchImpersonationEventsRequest, WatchImpersonationEventsResponse,
};
use kit::watch::{Item, WatchOptions, WatchStream};
use tonic::{Request, Response};

use super::{Answer, Inner};
use crate::events::kind::{PROFILES_FORGOTTEN, PROFILES_OBSERVED};

/// See the contract.
pub(super) async fn watch_impersonation_events(
    inner: &Inner,
    request: Request<WatchImpersonationEventsRequest>,
) -> Answer<WatchStream<WatchImpersonationEventsResponse>> {
    let WatchImpersonationEventsRequest { resume_token, include_profiles } = request.into_inner();
    let render = move |item: Item<'_>| {
        let of_profile = |kind: &str| kind == PROFILES_OBSERVED || kind == PROFILES_FORGOTTEN;
        if !include_profiles && item.event.is_some_and(|event| of_profile(&event.kind)) {
            return Ok(None);
        }
        let event = item.event.map(|event| event.decode::<ImpersonationEvent>()).transpose()?;
        Ok(Some(WatchImpersonationEventsResponse { event, resume_token: item.token }))
    };
    let options = WatchOptions::default();
    let stream = kit::watch::watch(&inner.db, &resume_token, options, render).await?;
    Ok(Response::new(stream))
}
