//! How the parts of the stack fit together: each handles a request by itself or hands it on.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower::Service;

use super::{Request, Response};

/// Answers every request; an error is an answer, too. Steps wrap one another statically, so
/// that the whole stack is one future.
pub(crate) trait Handle: Clone + Send + Sync + 'static {
    /// Answers a request.
    fn handle(&self, request: Request) -> impl Future<Output = Response> + Send;
}

/// The stack as a tower service, which is what tonic serves.
#[derive(Clone)]
pub(super) struct Tower<H>(pub H);

impl<H: Handle> Service<Request> for Tower<H> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let stack = self.0.clone();
        Box::pin(async move { Ok(stack.handle(request).await) })
    }
}
