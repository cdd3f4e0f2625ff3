//! The HateCheck replay against the real binary: at the end the services' own answers equal what
//! the CSV alone says, although the suite and the replay are both killed with SIGKILL at random
//! moments. On both databases.
//!
//! Here the first rows; `scripts/hatecheck` does the same with all of them and the release build.
//! The data is not part of the project: it is looked for where RECOURSE_HATECHECK_CSV says, else
//! beside the checkout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kit::Ids;
use kit::clock::Stopwatch;
use serde_json::{Value, json};

use crate::process::{BINARY, Replay, Suite, pause, root};

/// How often the suite is killed, and every how many of those the replay too.
const KILLS: u32 = 6;
const REPLAY_KILLED_EVERY: u32 = 2;

/// How many rows a build without optimisation replays; `scripts/hatecheck` replays all of them
/// with the release build.
const ROWS: usize = 400;

/// The first rows of the data in a folder, or None with a line that says what is skipped.
fn data(folder: &Path) -> Option<PathBuf> {
    let beside = root().join("../shared/data/hatecheck/test_suite_annotations.csv");
    let path = std::env::var_os("RECOURSE_HATECHECK_CSV").map_or(beside, PathBuf::from);
    if let Ok(text) = std::fs::read_to_string(&path) {
        let lines: Vec<&str> = text.lines().take(ROWS + 1).collect();
        let some = folder.join("rows.csv");
        std::fs::write(&some, lines.join("\n")).expect("a file");
        return Some(some);
    }
    eprintln!(
        "skipped, because the HateCheck data is not there: set RECOURSE_HATECHECK_CSV to \
         test_suite_annotations.csv"
    );
    None
}

/// What the CSV alone says.
fn expected(csv: &Path) -> Value {
    let mut reader = csv::Reader::from_path(csv).expect("the data");
    let header = reader.headers().expect("a header").clone();
    let labels: Vec<usize> = (1..=10)
        .map(|n| header.iter().position(|name| name == format!("label_{n}")).expect("a label"))
        .collect();
    let account = header.iter().position(|name| name == "templ_id").expect("templ_id");
    let mut cases: BTreeMap<&str, u64> = BTreeMap::new();
    let mut appeals: BTreeMap<&str, u64> = BTreeMap::new();
    let mut active: BTreeMap<String, u64> = BTreeMap::new();
    let mut overturned = 0u64;
    for record in reader.records() {
        let record = record.expect("a row");
        let mut given = labels.iter().map(|&at| &record[at]).filter(|label| !label.is_empty());
        if given.next() != Some("hateful") {
            *cases.entry("OUTCOME_NO_VIOLATION").or_default() += 1;
            continue;
        }
        *cases.entry("OUTCOME_VIOLATION").or_default() += 1;
        if given.next() == Some("hateful") {
            *appeals.entry("OUTCOME_UPHELD").or_default() += 1;
            *active.entry(format!("templ_{}", &record[account])).or_default() += 1;
        } else {
            *appeals.entry("OUTCOME_OVERTURNED").or_default() += 1;
            overturned += 1;
        }
    }
    json!({
        "cases": cases,
        "overturned_decisions": overturned,
        "appeals": appeals,
        "active_violations": active,
    })
}

/// Replays with kills at random moments; the summary that the last run wrote.
fn replay_with_kills(csv: &Path, place: &str, folder: &Path) -> Value {
    let summary = folder.join("summary.json");
    let mapping = root().join("deploy/replays/hatecheck.toml");
    let replay = |suite: &Suite| Replay::start(&suite.address, &mapping, csv, &summary);
    let mut suite = Suite::start("127.0.0.1:0", place);
    let listen = suite.listen().to_owned();
    let mut replaying = replay(&suite);
    let moments = Ids::system().new_uuid();
    for (kill, moment) in (1..=KILLS).zip(moments.as_bytes()) {
        let span = Duration::from_millis(700 + 8 * u64::from(*moment));
        let since = Stopwatch::start();
        while since.elapsed() < span && !replaying.has_ended() {
            pause();
        }
        drop(suite);
        suite = Suite::start(&listen, place);
        if kill % REPLAY_KILLED_EVERY == 0 {
            drop(replaying);
            replaying = replay(&suite);
        }
    }
    replaying.summary()
}

fn assert_as_the_data_says(summary: &Value, csv: &Path) {
    let Value::Object(expected) = expected(csv) else { unreachable!("an object") };
    for (key, value) in expected {
        assert_eq!(summary[&key], value, "{key}");
    }
    println!("{} rows, {:.0} rows/s", summary["rows"], summary["rows_per_second"]);
}

#[test]
fn a_killed_replay_ends_as_the_data_says_on_the_embedded_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(csv) = data(folder.path()) else { return };
    let place = folder.path().join("data");
    let summary = replay_with_kills(&csv, place.to_str().expect("UTF-8"), folder.path());
    assert_as_the_data_says(&summary, &csv);
}

#[test]
fn a_killed_replay_ends_as_the_data_says_on_postgresql() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(csv) = data(folder.path()) else { return };
    let Some(database) = testkit::database::fresh() else { return };
    let migrate = Command::new(BINARY).args(["migrate", "--data", database.url()]).status();
    assert!(migrate.expect("the binary starts").success());
    let summary = replay_with_kills(&csv, database.url(), folder.path());
    assert_as_the_data_says(&summary, &csv);
}
