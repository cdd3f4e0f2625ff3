//! Who calls: from the credentials, never from the body.

use std::sync::Arc;

use super::call::Call;
use super::render::response_of;
use super::step::Handle;
use super::{Request, Response};
use crate::auth::{Auth, Caller};

/// The step: leaves an `Arc<Caller>` in the extensions; without credentials, an anonymous one.
/// Credentials that do not hold are refused even where none are needed.
#[derive(Clone)]
pub(super) struct Authenticate<H> {
    auth: Arc<Auth>,
    inner: H,
}

impl<H> Authenticate<H> {
    pub fn new(auth: Arc<Auth>, inner: H) -> Authenticate<H> {
        Authenticate { auth, inner }
    }
}

impl<H: Handle> Handle for Authenticate<H> {
    async fn handle(&self, mut request: Request) -> Response {
        if Call::of(&request).is_some_and(|call| call.method().is_some()) {
            match self.auth.caller(request.headers()) {
                Ok(caller) => {
                    let caller = Arc::new(caller.unwrap_or_else(Caller::anonymous));
                    request.extensions_mut().insert(caller);
                }
                Err(error) => return response_of(error),
            }
        }
        self.inner.handle(request).await
    }
}
