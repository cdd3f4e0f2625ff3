//! The suite crashes between any two steps of the loop: before each commit that a small replay
//! causes and after every third, one crash a run, until a run ends without one. Each run ends in
//! the same state. RECOURSE_TEST_EVERY_CRASH=1 crashes after each commit, too: what it adds is that
//! the answer was not sent, and minutes.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::process::{Replay, Suite, pause};

const MAPPING: &str = "\
name = \"crash\"
key = \"{row}\"
[report]
subject_type = \"COMMENT\"
subject_id = \"c{row}\"
account_id = \"author\"
reporter = \"reader\"
reason = \"hate_speech.other\"
[review]
labels = [\"first=ana\", \"second=ben\"]
violation = [\"yes\"]
no_violation = [\"no\"]
policy = \"hate_speech\"
facts = \"It demeans a group.\"
[appeal]
grounds = \"It is a quotation.\"
";
const ROWS: &str = "row,first,second\n1,yes,no\n2,yes,yes\n3,no,yes\n";
/// How many runs go on at once.
const WORKERS: usize = 6;
/// More commits than the replay causes on the slowest machine, where leases are renewed more often:
/// that it crashes so late is a fault of this test.
const COMMITS_MAX: u32 = 2000;

fn expected() -> Value {
    json!({
        "cases": { "OUTCOME_VIOLATION": 2, "OUTCOME_NO_VIOLATION": 1 },
        "overturned_decisions": 1,
        "appeals": { "OUTCOME_UPHELD": 1, "OUTCOME_OVERTURNED": 1 },
        "active_violations": { "author": 1 },
    })
}

/// One run with a crash at the given commit; whether there was one.
fn run(folder: &Path, mapping: &Path, csv: &Path, crash_at: &str) -> bool {
    let place = folder.join("data");
    let place = place.to_str().expect("UTF-8");
    let env = [("RECOURSE_CRASH_AT", crash_at.to_owned())];
    let mut crashed = false;
    // A crash in the wiring, before it serves, is one as well.
    let mut suite = Suite::try_start("127.0.0.1:0", place, &env).unwrap_or_else(|| {
        crashed = true;
        Suite::start("127.0.0.1:0", place)
    });
    let listen = suite.listen().to_owned();
    let mut replay = Replay::start(&suite.address, mapping, csv, &folder.join("summary.json"));
    while !replay.has_ended() {
        if suite.has_ended() {
            assert!(!crashed, "{crash_at}: a second crash");
            crashed = true;
            suite = Suite::start(&listen, place);
        }
        pause();
    }
    let summary = replay.summary();
    let Value::Object(expected) = expected() else { unreachable!("an object") };
    for (key, value) in expected {
        assert_eq!(summary[&key], value, "{key} after a crash at {crash_at}");
    }
    crashed
}

fn crash_at_every(point: &str, step: u32) {
    let files = tempfile::tempdir().expect("a folder");
    let (mapping, csv) = (files.path().join("m.toml"), files.path().join("rows.csv"));
    std::fs::write(&mapping, MAPPING).expect("a file");
    std::fs::write(&csv, ROWS).expect("a file");
    // Most of a run is waiting for a lease of the process that died, so several go side by side.
    let next = AtomicU32::new(1);
    let survived = AtomicU32::new(0);
    let run_all = || {
        loop {
            let commit = next.fetch_add(step, Ordering::SeqCst);
            let folder = tempfile::tempdir().expect("a folder");
            if !run(folder.path(), &mapping, &csv, &format!("{point}:{commit}")) {
                return;
            }
            assert!(commit < COMMITS_MAX, "the replay still crashes at commit {commit}");
            survived.fetch_add(1, Ordering::SeqCst);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(run_all)).collect();
        workers.into_iter().for_each(|worker| worker.join().expect("a run that ends well"));
    });
    let survived = survived.into_inner();
    assert!(survived > 10, "only {survived} crashes: the point {point} is not there");
    println!("{point}: {survived} crashes survived");
}

#[test]
fn a_crash_before_any_commit_changes_nothing() {
    crash_at_every("before_commit", 1);
}

#[test]
fn a_crash_after_a_commit_changes_nothing() {
    let every = std::env::var_os("RECOURSE_TEST_EVERY_CRASH").is_some();
    crash_at_every("after_commit", if every { 1 } else { 3 });
}
