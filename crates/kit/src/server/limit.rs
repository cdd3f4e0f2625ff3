//! Refuses what would be too much at once, before it costs anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::call::Call;
use super::render::response_of;
use super::step::Handle;
use super::{Request, Response};
use crate::error::Error;

/// How long a refused caller waits, at least, before it tries again.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// The step: one bound for the whole server, however many connections there are. A call holds
/// its place until its response headers are there, so that a stream does not hold one for its
/// life. Health and reflection pass freely: an overloaded server is alive.
#[derive(Clone)]
pub(super) struct Limit<H> {
    places: Arc<Semaphore>,
    inner: H,
}

impl<H> Limit<H> {
    pub fn new(in_flight_max: usize, inner: H) -> Limit<H> {
        Limit { places: Arc::new(Semaphore::new(in_flight_max)), inner }
    }
}

impl<H: Handle> Handle for Limit<H> {
    async fn handle(&self, request: Request) -> Response {
        if Call::of(&request).is_none_or(|call| call.method().is_none()) {
            return self.inner.handle(request).await;
        }
        let Ok(_place) = self.places.try_acquire() else {
            let error = Error::unavailable("OVERLOADED")
                .message("too many calls at once; nothing was done")
                .retry_after(RETRY_AFTER);
            return response_of(error);
        };
        self.inner.handle(request).await
    }
}
