//! The real binary as processes that can be killed: a suite, and a replay against it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use kit::clock::Stopwatch;
use serde_json::Value;

pub const BINARY: &str = env!("CARGO_BIN_EXE_recourse");
/// How long a process may take to end.
const PATIENCE: Duration = Duration::from_secs(600);

/// Between two looks at a process.
#[expect(clippy::disallowed_methods, reason = "these tests run outside any runtime")]
pub fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A running suite, killed when dropped.
pub struct Suite {
    process: Child,
    pub address: String,
}

impl Suite {
    /// Starts the suite and waits until it says where it serves; None if it ended before.
    pub fn try_start(listen: &str, place: &str, env: &[(&str, String)]) -> Option<Suite> {
        let mut process = Command::new(BINARY)
            .args(["serve", "--listen", listen, "--data", place])
            .envs(env.iter().map(|(name, value)| (name, value)))
            .env("RECOURSE_TELEMETRY_LOG_FILTER", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let at = line.find("http://")?;
            Some(line[at..].split_whitespace().next()?.to_owned())
        });
        let Some(address) = address else {
            process.wait().expect("its end");
            return None;
        };
        // Go on reading, so that the suite never waits for a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Some(Suite { process, address })
    }

    pub fn start(listen: &str, place: &str) -> Suite {
        Suite::try_start(listen, place, &[]).expect("the suite prints its address")
    }

    pub fn listen(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("its state").is_some()
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        // SIGKILL on Unix: nothing is flushed, nothing is said.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A replay against a suite, killed when dropped.
pub struct Replay {
    process: Child,
    summary: PathBuf,
}

impl Replay {
    pub fn start(address: &str, mapping: &Path, csv: &Path, summary: &Path) -> Replay {
        let process = Command::new(BINARY)
            .args(["replay", "--address", address, "--mapping"])
            .arg(mapping)
            .arg("--data")
            .arg(csv)
            .arg("--summary")
            .arg(summary)
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary starts");
        Replay { process, summary: summary.to_owned() }
    }

    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("its state").is_some()
    }

    /// Waits for its end; what it wrote.
    pub fn summary(mut self) -> Value {
        let status = self.wait();
        assert!(status.success(), "the replay ended with {status}");
        let text = std::fs::read_to_string(&self.summary).expect("the summary");
        serde_json::from_str(&text).expect("JSON")
    }

    fn wait(&mut self) -> ExitStatus {
        let since = Stopwatch::start();
        loop {
            if let Some(status) = self.process.try_wait().expect("its state") {
                return status;
            }
            assert!(since.elapsed() < PATIENCE, "the replay did not end");
            pause();
        }
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
