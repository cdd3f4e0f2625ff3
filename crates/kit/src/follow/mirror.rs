//! A value of another service, kept current in memory: fetched once, and again after each event
//! of a stream.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;
use tonic::Status;

use super::EventStream;
use crate::clock::sleep;
use crate::db::backoff;
use crate::error::Error;

/// The longest first wait after a failure; doubles with each further one.
const BACKOFF_BASE: Duration = Duration::from_millis(50);
/// The longest wait after a failure.
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// A value kept current. Cheap to clone; the last clone's end ends the following.
pub struct Mirror<T> {
    name: &'static str,
    value: watch::Receiver<Option<Arc<T>>>,
    /// Ends the task when the last clone is dropped.
    _task: Option<Arc<Task>>,
}

struct Task(tokio::task::JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Clone for Mirror<T> {
    fn clone(&self) -> Mirror<T> {
        Mirror { name: self.name, value: self.value.clone(), _task: self._task.clone() }
    }
}

impl<T: Send + Sync + 'static> Mirror<T> {
    /// Begins: opens the stream with `open`, then gets the value with `fetch`, and gets it again
    /// whenever events have come. Losing the stream loses nothing: the value is fetched again
    /// once it is open; until then the last one stands.
    pub fn start<E, Fetch, Fetched, Open, Opened>(
        name: &'static str,
        fetch: Fetch,
        open: Open,
    ) -> Mirror<T>
    where
        E: Send + 'static,
        Fetch: Fn() -> Fetched + Send + Sync + 'static,
        Fetched: Future<Output = Result<T, Error>> + Send,
        Open: Fn(String) -> Opened + Send + Sync + 'static,
        Opened: Future<Output = Result<EventStream<E>, Status>> + Send,
    {
        let (publish, value) = watch::channel(None);
        let task = tokio::spawn(async move {
            let mut token = String::new();
            let mut failures = 0;
            loop {
                let ended = session(&fetch, &open, &publish, &mut token, &mut failures).await;
                let Err(error) = ended;
                failures += 1;
                tracing::warn!(mirror = name, failures, %error, "will mirror again");
                sleep(backoff(failures, BACKOFF_BASE, BACKOFF_MAX)).await;
            }
        });
        Mirror { name, value, _task: Some(Arc::new(Task(task))) }
    }

    /// A value that never changes; for tests, and where there is nothing to follow.
    pub fn fixed(value: T) -> Mirror<T> {
        let (_, value) = watch::channel(Some(Arc::new(value)));
        Mirror { name: "fixed", value, _task: None }
    }

    /// The value as last fetched.
    ///
    /// # Errors
    /// UNAVAILABLE with reason NOT_READY before the first.
    pub fn get(&self) -> Result<Arc<T>, Error> {
        self.value.borrow().clone().ok_or_else(|| {
            Error::unavailable("NOT_READY")
                .message(format!("{} has not been loaded yet", self.name))
                .meta("waiting_for", self.name)
        })
    }

    /// Waits for the first value.
    pub async fn ready(&self) -> Arc<T> {
        self.wait_for(|_| true).await
    }

    /// Waits for a value that `is_it` accepts.
    pub async fn wait_for(&self, is_it: impl Fn(&T) -> bool) -> Arc<T> {
        let mut value = self.value.clone();
        let wanted = value.wait_for(|value| value.as_deref().is_some_and(&is_it)).await;
        match wanted.map(|value| value.clone()) {
            Ok(Some(value)) => value,
            // The task runs as long as this handle lives, and a fixed value has no other.
            _ => std::future::pending().await,
        }
    }
}

/// From opening the stream to losing it.
async fn session<T, E, Fetch, Fetched, Open, Opened>(
    fetch: &Fetch,
    open: &Open,
    publish: &watch::Sender<Option<Arc<T>>>,
    token: &mut String,
    failures: &mut u32,
) -> Result<std::convert::Infallible, Error>
where
    Fetch: Fn() -> Fetched,
    Fetched: Future<Output = Result<T, Error>>,
    Open: Fn(String) -> Opened,
    Opened: Future<Output = Result<EventStream<E>, Status>>,
{
    let opened = open(token.clone()).await;
    let mut stream = opened.map_err(|status| {
        if !matches!(status.code(), tonic::Code::Unavailable | tonic::Code::Cancelled) {
            // The token may be what is wrong: the value is fetched anyway, so begin anew.
            token.clear();
        }
        ended(status)
    })?;
    publish.send_replace(Some(Arc::new(fetch().await?)));
    *failures = 0;
    loop {
        let mut next = Some(stream.next().await);
        let mut changed = false;
        while let Some(message) = next {
            let message = message.ok_or_else(|| ended(Status::unavailable("the stream ended")))?;
            let message = message.map_err(ended)?;
            changed |= message.event.is_some();
            *token = message.token;
            next = stream.next().now_or_never();
        }
        if changed {
            publish.send_replace(Some(Arc::new(fetch().await?)));
        }
    }
}

fn ended(status: Status) -> Error {
    Error::unavailable("NOT_READY").caused_by(status)
}

impl<T> fmt::Debug for Mirror<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mirror({})", self.name)
    }
}
