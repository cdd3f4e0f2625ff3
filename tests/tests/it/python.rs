//! The journey from Python, with code that grpcio generated from our protos.

use std::path::Path;
use std::process::Command;

use crate::support::{Place, options, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_walks_the_journey() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if !root.join("target/tools/python/generated/recourse").is_dir() {
        eprintln!(
            "skipped, because the Python client is not installed: scripts/python-client install"
        );
        return;
    }
    let place = Place::each().remove(0);
    let suite = start(options(&place)).await;
    let address = suite.url().replace("http://", "");
    let walked = tokio::task::spawn_blocking(move || {
        Command::new(root.join("scripts/python-client")).args(["run", &address]).output()
    });
    let output = walked.await.expect("a task").expect("the script runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{wrong}");
    assert!(said.contains("reads as it should"), "{said}");
    suite.stop().await.expect("a good end");
}
