//! What the log says of a call, and what it must not say.

use std::io::Write;
use std::sync::{LazyLock, Mutex, PoisonError};

use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// Collects log lines of the test's own thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Lines;

    fn make_writer(&'w self) -> Lines {
        self.clone()
    }
}

/// Kept beside that of a test. Where there is but one, whoever comes to a line of code first is
/// asked whether it is logged, and a test on another thread, which logs nothing, answers for all.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

impl Lines {
    fn collect() -> (Lines, tracing::subscriber::DefaultGuard) {
        LazyLock::force(&SECOND);
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(lines.clone())
            .finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    /// The lines so far; they are forgotten.
    fn take(&self) -> Vec<serde_json::Value> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn each_call_has_one_line_at_the_level_of_its_code() {
    let (lines, _guard) = Lines::collect();
    let code = Arc::new(std::sync::atomic::AtomicI32::new(0));
    let answer = code.clone();
    let stack = open(behaviour(move |_| {
        let code = Code::from_i32(answer.load(Ordering::SeqCst));
        async move { if code == Code::Ok { ok() } else { Status::new(code, "text").into_http() } }
    }));
    for (sent, level, name) in [
        (Code::Ok, "INFO", "OK"),
        (Code::NotFound, "INFO", "NOT_FOUND"),
        (Code::Unavailable, "WARN", "UNAVAILABLE"),
        (Code::Unknown, "ERROR", "INTERNAL"),
    ] {
        code.store(sent as i32, Ordering::SeqCst);
        stack.status("Echo", valid(), &[("x-request-id", "r-1")]).await;
        let lines = lines.take();
        let access: Vec<_> = lines.iter().filter(|line| line["target"] == "kit::access").collect();
        let [line] = access.as_slice() else { panic!("{lines:?}") };
        assert_eq!((&line["level"], &line["fields"]["code"]), (&level.into(), &name.into()));
        assert_eq!(line["fields"]["method"], format!("{SERVICE}/Echo"));
        assert_eq!(line["fields"]["request_id"], "r-1");
        assert!(line["fields"]["duration_ms"].is_number());
    }
}

#[tokio::test]
async fn a_stream_has_its_line_when_it_ends_or_is_given_up() {
    let (lines, _guard) = Lines::collect();
    let stack = open(behaviour(async |request: Request| {
        match request.headers().contains_key("x-endless") {
            true => streamed(futures_util::stream::pending()),
            false => streamed(futures_util::stream::iter([])),
        }
    }));
    // What the making of a server says.
    lines.take();
    let mut endless = request("Watch", valid());
    endless.headers_mut().insert("x-endless", "1".parse().unwrap());
    let response = stack.call(endless).await;
    let early = lines.take();
    assert!(early.is_empty(), "{early:?}");
    drop(response);
    assert_eq!(lines.take()[0]["fields"]["code"], "CANCELLED");
    stack.status("Watch", valid(), &[]).await;
    assert_eq!(lines.take()[0]["fields"]["code"], "OK");
}

#[tokio::test]
async fn a_fault_is_logged_once_with_its_causes_and_the_request_id() {
    let (lines, _guard) = Lines::collect();
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::fmt::Error);
    let stack = open(behaviour(async |_| {
        Status::from(Error::internal(Outer(std::fmt::Error))).into_http()
    }));
    stack.status("Echo", valid(), &[("x-request-id", "r-2")]).await;
    let lines = lines.take();
    let faults: Vec<_> = lines.iter().filter(|line| !line["fields"]["error"].is_null()).collect();
    let [fault] = faults.as_slice() else { panic!("{lines:?}") };
    assert!(fault["fields"]["error"].as_str().unwrap().starts_with("outer: "));
    assert_eq!(fault["span"]["request.id"], "r-2");
}

#[tokio::test]
async fn the_log_names_no_person_and_shows_no_token() {
    let (lines, _guard) = Lines::collect();
    let stack = tokens(behaviour(async |_| ok()));
    let token = token("ann-the-reporter", &["sample.echo"], later());
    let bearer = format!("Bearer {token}");
    for header in [bearer.as_str(), "Bearer forged-token"] {
        stack.status("Echo", valid(), &[("authorization", header)]).await;
    }
    let text = format!("{:?}", lines.take());
    for secret in ["ann-the-reporter", token.as_str(), "forged-token"] {
        assert!(!text.contains(secret));
    }
}
