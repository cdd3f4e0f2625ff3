//! Hands the request to the service that it names.

use std::collections::HashMap;
use std::sync::Arc;

use tower::ServiceExt as _;

use super::call::{Call, Target};
use super::render::response_of;
use super::step::Handle;
use super::{Mounted, Request, Response};
use crate::error::Error;

/// The innermost step.
#[derive(Clone)]
pub(super) struct Dispatch {
    services: Arc<HashMap<&'static str, Mounted>>,
}

impl Dispatch {
    pub fn new(services: HashMap<&'static str, Mounted>) -> Dispatch {
        Dispatch { services: Arc::new(services) }
    }
}

impl Handle for Dispatch {
    async fn handle(&self, request: Request) -> Response {
        let call = Call::of(&request);
        let service = match call.as_deref().map(|call| &call.target) {
            Some(Target::Method(method)) => self.services.get(method.service.as_str()),
            Some(Target::Infrastructure(path)) => {
                let name = path.trim_start_matches('/').split('/').next();
                name.and_then(|name| self.services.get(name))
            }
            Some(Target::Unknown) | None => None,
        };
        match service {
            Some(service) => {
                let answer = service.clone().oneshot(request).await;
                answer.unwrap_or_else(|never| match never {})
            }
            None => response_of(Error::unimplemented("UNKNOWN_METHOD")),
        }
    }
}
