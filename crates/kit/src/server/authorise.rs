//! Whether the caller may call the RPC at all, by the scope that its proto names.

use std::sync::Arc;

use super::call::{Call, Target};
use super::render::response_of;
use super::step::Handle;
use super::{Request, Response};
use crate::auth::Caller;
use crate::contract::Method;
use crate::error::Error;

/// The step. What is not expressly allowed is denied: an RPC that names no scope, a request
/// that nobody has looked at. Answered before the request is read.
#[derive(Clone)]
pub(super) struct Authorise<H> {
    inner: H,
}

impl<H> Authorise<H> {
    pub fn new(inner: H) -> Authorise<H> {
        Authorise { inner }
    }
}

impl<H: Handle> Handle for Authorise<H> {
    async fn handle(&self, request: Request) -> Response {
        let verdict = match Call::of(&request).as_deref().map(|call| &call.target) {
            Some(Target::Infrastructure(_)) => Ok(()),
            Some(Target::Method(method)) => {
                allowed(method, request.extensions().get::<Arc<Caller>>())
            }
            Some(Target::Unknown) | None => Err(Error::permission_denied("")),
        };
        match verdict {
            Ok(()) => self.inner.handle(request).await,
            Err(error) => response_of(error),
        }
    }
}

fn allowed(method: &Method, caller: Option<&Arc<Caller>>) -> Result<(), Error> {
    let Some(access) = &method.access else {
        let error = Error::permission_denied("");
        return Err(error.message("this RPC names no scope, so that nobody may call it"));
    };
    match caller {
        _ if access.public => Ok(()),
        Some(caller) if caller.has(&access.scope) => Ok(()),
        Some(caller) if !caller.subject.is_empty() => {
            let message = format!("the credentials lack the scope {}", access.scope);
            Err(Error::permission_denied(&access.scope).message(message))
        }
        _ => Err(Error::unauthenticated("this RPC needs credentials: a bearer token")),
    }
}
