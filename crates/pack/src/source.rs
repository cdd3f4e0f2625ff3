//! The active pack, kept current in memory, and any other version on demand.
//!
//! It knows the policy service's RPCs; it must not know who asks or why.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contracts::policy::v1::policy_service_client::PolicyServiceClient;
use contracts::policy::v1::{GetPackRequest, WatchPolicyEventsRequest};
use kit::Error;
use kit::follow::{Message, Mirror};
use tonic::Status;

use crate::Pack;

/// How many versions are kept in memory; they never change, so any may be dropped and fetched
/// again.
const VERSIONS_KEPT_MAX: usize = 64;

/// The packs that a service works under. Cheap to clone.
#[derive(Clone)]
pub struct PackSource {
    active: Mirror<Pack>,
    versions: Arc<Mutex<HashMap<i64, Arc<Pack>>>>,
    client: Option<PolicyServiceClient<kit::client::Peer>>,
}

impl std::fmt::Debug for PackSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackSource").finish_non_exhaustive()
    }
}

impl PackSource {
    /// Follows the policy service: fetches the active pack, and again whenever one is activated.
    pub fn follow(peer: kit::client::Peer) -> PackSource {
        let client = PolicyServiceClient::new(peer);
        let fetch = client.clone();
        let watch = client.clone();
        let active = Mirror::start(
            "policy_pack",
            move || {
                let client = fetch.clone();
                async move { get(client, 0).await.map_err(not_ready) }
            },
            move |resume_token| {
                let mut client = watch.clone();
                async move {
                    let request = WatchPolicyEventsRequest { resume_token };
                    let stream = client.watch_policy_events(request).await?.into_inner();
                    Ok(kit::follow::stream(stream, |message| Message {
                        token: message.resume_token,
                        event: message.event,
                    }))
                }
            },
        );
        PackSource { active, versions: Arc::default(), client: Some(client) }
    }

    /// Always the same pack, and no other; for tests.
    pub fn fixed(pack: Pack) -> PackSource {
        PackSource { active: Mirror::fixed(pack), versions: Arc::default(), client: None }
    }

    /// The same, with another version at hand; for tests.
    #[must_use]
    pub fn and(self, pack: Pack) -> PackSource {
        self.kept().insert(pack.version(), Arc::new(pack));
        self
    }

    /// The active pack. NOT_READY until the first one is known.
    pub fn current(&self) -> Result<Arc<Pack>, Error> {
        self.active.get()
    }

    /// Waits until an active pack is known.
    pub async fn ready(&self) {
        self.active.ready().await;
    }

    /// A version, active or not. NOT_READY while the policy service cannot be asked.
    pub async fn version(&self, version: i64) -> Result<Arc<Pack>, Error> {
        if let Ok(active) = self.current()
            && active.version() == version
        {
            return Ok(active);
        }
        if let Some(pack) = self.kept().get(&version) {
            return Ok(Arc::clone(pack));
        }
        let Some(client) = self.client.clone() else {
            return Err(Error::unavailable("NOT_READY").message("no policy service to ask"));
        };
        let pack = get(client, version).await.map_err(|status| {
            Error::from_peer("policy", status).meta("version", version.to_string())
        })?;
        let pack = Arc::new(pack);
        let mut kept = self.kept();
        if kept.len() >= VERSIONS_KEPT_MAX {
            kept.clear();
        }
        kept.insert(version, Arc::clone(&pack));
        Ok(pack)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<i64, Arc<Pack>>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fetches a version, 0 for the active one.
async fn get(
    mut client: PolicyServiceClient<kit::client::Peer>,
    version: i64,
) -> Result<Pack, Status> {
    let response = client.get_pack(GetPackRequest { version }).await?.into_inner();
    let pack = response.pack.ok_or_else(|| Status::internal("an answer without a pack"))?;
    Ok(Pack::new(pack))
}

/// Why there is no active pack: most often that none was activated yet, which is no fault.
fn not_ready(status: Status) -> Error {
    match kit::error::reason_of(&status).as_deref() {
        Some("NO_ACTIVE_PACK") => {
            Error::unavailable("NOT_READY").message("no policy pack was activated yet")
        }
        _ => Error::from_peer("policy", status),
    }
}
