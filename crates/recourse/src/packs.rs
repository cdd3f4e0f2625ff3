//! `recourse policy`: packs checked here, and published, activated and compared through the policy
//! service's RPCs.
//!
//! It must not know what a pack says.

use std::path::Path;

use contracts::policy::v1 as proto;
use contracts::policy::v1::pack_change::Kind;
use contracts::policy::v1::policy_service_client::PolicyServiceClient;
use tonic::Status;
use tonic_types::StatusExt;

use crate::caller::{Credentials, Suite, persist, reason};

/// Who publishes and activates when the suite runs open.
const OPERATOR: &str = "operator";

/// Checks a folder. Errors list every mistake, one a line.
pub fn check(folder: &Path) -> Result<String, String> {
    let files = policy::read_folder(folder).map_err(|error| error.to_string())?;
    let pack = policy::check(&files).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(|mistake| line(folder, mistake)).collect();
        lines.join("\n")
    })?;
    Ok(format!(
        "{} is a good pack: {} reasons, {} policies, {} ladders, {} queues, in {}",
        folder.display(),
        pack.reasons.len(),
        pack.policies.len(),
        pack.ladders.len(),
        pack.queues.len(),
        pack.locales.join(", "),
    ))
}

fn line(folder: &Path, mistake: &proto::PackMistake) -> String {
    let path = folder.join(&mistake.path);
    match mistake.line {
        0 => format!("{}: {}", path.display(), mistake.description),
        line => format!("{}:{line}: {}", path.display(), mistake.description),
    }
}

/// Publishes a folder as the next version.
pub async fn publish(suite: &Suite, folder: &Path) -> Result<String, String> {
    let files = policy::read_folder(folder).map_err(|error| error.to_string())?;
    let published = publish_files(suite, files).await.map_err(|status| explain(&status))?;
    Ok(format!(
        "version {} of {:?}, digest {}",
        published.version, published.name, published.digest
    ))
}

/// Publishes files; the same files again answer with the same version.
pub async fn publish_files(
    suite: &Suite,
    files: Vec<proto::PackFile>,
) -> Result<proto::PackVersion, Status> {
    let request_id = kit::Ids::system().new_uuid();
    let response = persist(|| {
        let mut client = PolicyServiceClient::new(suite.channel());
        let message =
            proto::PublishPackRequest { request_id: request_id.clone(), files: files.clone() };
        let request = suite.request(OPERATOR, message);
        async move { client.publish_pack(request).await }
    });
    Ok(response.await?.pack.unwrap_or_default())
}

/// The version in force; 0 for none.
pub async fn active_version(suite: &Suite) -> Result<i64, Status> {
    let response = persist(|| {
        let mut client = PolicyServiceClient::new(suite.channel());
        let request = suite.request(OPERATOR, proto::GetPackRequest { version: 0 });
        async move { client.get_pack(request).await }
    });
    match response.await {
        Ok(response) => Ok(response.pack.unwrap_or_default().version),
        Err(status) if reason(&status) == "NO_ACTIVE_PACK" => Ok(0),
        Err(status) => Err(status),
    }
}

/// Puts a version in force in the place of the one expected to be.
pub async fn activate(suite: &Suite, version: i64, expected: i64) -> Result<(), Status> {
    let request_id = kit::Ids::system().new_uuid();
    let response = persist(|| {
        let mut client = PolicyServiceClient::new(suite.channel());
        let message = proto::ActivatePackRequest {
            request_id: request_id.clone(),
            version,
            expected_active_version: expected,
        };
        let request = suite.request(OPERATOR, message);
        async move { client.activate_pack(request).await }
    });
    response.await.map(|_| ())
}

/// `recourse policy activate`.
pub async fn activate_command(
    suite: &Suite,
    version: i64,
    expected: Option<i64>,
) -> Result<String, String> {
    let expected = match expected {
        Some(expected) => expected,
        None => active_version(suite).await.map_err(|status| explain(&status))?,
    };
    activate(suite, version, expected).await.map_err(|status| explain(&status))?;
    Ok(format!("version {version} is in force"))
}

/// `recourse policy diff`.
pub async fn diff(suite: &Suite, from: i64, to: i64) -> Result<String, String> {
    let response = persist(|| {
        let mut client = PolicyServiceClient::new(suite.channel());
        let message = proto::DiffPacksRequest { from_version: from, to_version: to };
        let request = suite.request(OPERATOR, message);
        async move { client.diff_packs(request).await }
    });
    let changes = response.await.map_err(|status| explain(&status))?.changes;
    let lines: Vec<String> = changes
        .iter()
        .map(|change| match change.kind() {
            Kind::Added => format!("+ {}: {}", change.path, change.after),
            Kind::Removed => format!("- {}: {}", change.path, change.before),
            _ => format!("~ {}: {} -> {}", change.path, change.before, change.after),
        })
        .collect();
    match lines.is_empty() {
        true => Ok("no differences".to_owned()),
        false => Ok(lines.join("\n")),
    }
}

/// A status for people, with every wrong field.
pub fn explain(status: &Status) -> String {
    let mut lines = vec![format!("{} ({})", status.message(), reason(status))];
    if let Some(bad) = status.get_details_bad_request() {
        let fields = bad.field_violations.into_iter();
        lines.extend(fields.map(|wrong| format!("{}: {}", wrong.field, wrong.description)));
    }
    lines.join("\n")
}

/// Puts the default pack in force where none is; tries until the policy service answers.
pub async fn put_default_in_force(address: String, secret: Option<kit::config::Secret>) {
    let credentials = secret.map_or(Credentials::Open, Credentials::Secret);
    let suite = match Suite::at(&address, credentials) {
        Ok(suite) => suite,
        Err(error) => {
            tracing::error!(%error, "the default pack could not be put in force");
            return;
        }
    };
    let put = async {
        if active_version(&suite).await? == 0 {
            let published = publish_files(&suite, policy::default_pack()).await?;
            activate(&suite, published.version, 0).await?;
            tracing::info!(version = published.version, "the default pack is in force");
        }
        Ok::<_, Status>(())
    };
    match put.await {
        // Another replica was quicker.
        Err(status) if reason(&status) == "ACTIVE_VERSION_CHANGED" => {}
        Err(status) => tracing::error!(%status, "the default pack could not be put in force"),
        Ok(()) => {}
    }
}
