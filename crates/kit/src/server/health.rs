//! Health of each service and of all, and reflection: what the server itself answers.

use std::collections::HashMap;
use std::time::Duration;

use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::util::BoxCloneSyncService;

use super::serve::ServeError;
use super::shutdown::Shutdown;
use super::{Mounted, Ready};
use crate::clock;
use crate::contract::Contract;

/// How often services are asked whether they are ready.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// The services of the server itself, and the means to say how it is.
pub(super) fn infrastructure(
    contract: &Contract,
    names: &[&'static str],
) -> Result<(HashMap<&'static str, Mounted>, HealthReporter), ServeError> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let reflection = || {
        names
            .iter()
            .fold(tonic_reflection::server::Builder::configure(), |builder, name| {
                builder.with_service_name(*name)
            })
            .with_service_name("grpc.health.v1.Health")
            .register_encoded_file_descriptor_set(contract.descriptors())
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let v1 = reflection().build_v1().map_err(|error| ServeError::Reflection(error.to_string()))?;
    let v1alpha =
        reflection().build_v1alpha().map_err(|error| ServeError::Reflection(error.to_string()))?;
    let services = HashMap::from([
        (name_of(&health), BoxCloneSyncService::new(health)),
        (name_of(&v1), BoxCloneSyncService::new(v1)),
        (name_of(&v1alpha), BoxCloneSyncService::new(v1alpha)),
    ]);
    Ok((services, reporter))
}

fn name_of<S: NamedService>(_: &S) -> &'static str {
    S::NAME
}

/// Keeps the health of each service, and of all as "", at what they say of themselves, until
/// the server stops; then nothing is serving.
pub(super) async fn report(
    reporter: HealthReporter,
    services: Vec<(&'static str, Ready)>,
    shutdown: Shutdown,
) {
    let mut stopping = shutdown.signal();
    loop {
        let mut all = true;
        for (name, ready) in &services {
            let is_ready = ready();
            all &= is_ready;
            reporter.set_service_status(name, status(is_ready)).await;
        }
        reporter.set_service_status("", status(all)).await;
        tokio::select! {
            () = &mut stopping => break,
            () = clock::sleep(ASK_EVERY) => {}
        }
    }
    for name in services.iter().map(|(name, _)| *name).chain([""]) {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
    }
}

fn status(is_ready: bool) -> ServingStatus {
    if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing }
}
