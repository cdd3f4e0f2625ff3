//! The loop of a follower: lease, stream, batches, and patience with what fails.

use std::convert::Infallible;
use std::sync::LazyLock;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge};
use tokio::sync::watch;
use tonic::{Code, Status};

use super::place::Place;
use super::{BATCH_MAX, EventStream, Follow, FollowerState, LEASE, Message};
use crate::clock::sleep;
use crate::db::{DbError, backoff};
use crate::error::{Chain, Error};
use crate::fault;

/// How often the lease is renewed, and how often others look whether it is free.
const RENEW_EVERY: Duration = Duration::from_millis(LEASE.as_millis() as u64 / 3);
/// The longest first wait after a failure; doubles with each further one.
const BACKOFF_BASE: Duration = Duration::from_millis(50);
/// The longest wait after a failure.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

pub(super) struct Runner<F> {
    place: Place,
    follow: F,
    state: watch::Sender<FollowerState>,
}

/// Why a stream was left.
enum Left {
    /// Another replica follows, or has moved the place.
    Overtaken,
    Failed(Error),
    Ended(Status),
}

impl From<DbError> for Left {
    fn from(error: DbError) -> Left {
        Left::Failed(error.into())
    }
}

/// Events that were ready together, each with the token after it.
struct Ready<E> {
    events: Vec<E>,
    tokens: Vec<String>,
    /// The token after the last message, which may be a checkpoint.
    last: Option<String>,
    end: Option<Status>,
}

impl<F: Follow> Runner<F> {
    pub(super) fn new(place: Place, follow: F, state: watch::Sender<FollowerState>) -> Runner<F> {
        Runner { place, follow, state }
    }

    pub(super) async fn run(self) {
        loop {
            let left = match self.session().await {
                Ok(never) => match never {},
                Err(left) => left,
            };
            self.state.send_modify(|state| state.connected = false);
            let error = match left {
                Left::Overtaken => {
                    self.state.send_modify(|state| state.leading = false);
                    sleep(RENEW_EVERY).await;
                    continue;
                }
                Left::Failed(error) => Chain(&error).to_string(),
                Left::Ended(status) => Chain(&status).to_string(),
            };
            self.pause(error).await;
        }
    }

    async fn pause(&self, error: String) {
        let failures = self.failed();
        tracing::warn!(follower = self.follow.name(), failures, error, "will follow again");
        sleep(backoff(failures, BACKOFF_BASE, BACKOFF_MAX)).await;
    }

    fn failed(&self) -> u32 {
        self.state.send_modify(|state| state.failures = state.failures.saturating_add(1));
        self.state.borrow().failures
    }

    /// From taking the lease to losing the stream.
    async fn session(&self) -> Result<Infallible, Left> {
        let Some(mut at) = self.place.take().await? else { return Err(Left::Overtaken) };
        self.state.send_modify(|state| {
            state.leading = true;
            state.position.clone_from(&at);
        });
        let mut stream = self.follow.open(at.clone()).await.map_err(Left::Ended)?;
        self.state.send_modify(|state| state.connected = true);
        let mut seen = at.clone();
        let mut renew = Box::pin(sleep(RENEW_EVERY));
        loop {
            let first = tokio::select! {
                first = stream.next() => first,
                () = &mut renew => {
                    renew = Box::pin(sleep(RENEW_EVERY));
                    self.advance(&mut at, &seen, &[]).await?;
                    continue;
                }
            };
            let ready = take_ready(first, &mut stream);
            let caught_up = ready.end.is_none() && ready.events.len() < BATCH_MAX;
            self.apply(&mut at, &ready).await?;
            if let Some(last) = ready.last {
                seen = last;
                if caught_up && seen != at {
                    // A checkpoint with nothing behind it: the place is as good as reached.
                    self.advance(&mut at, &seen, &[]).await?;
                }
            }
            if let Some(end) = ready.end {
                return Err(Left::Ended(end));
            }
        }
    }

    /// Applies a batch as a whole or, if that fails, one by one until all are done.
    async fn apply(&self, at: &mut String, ready: &Ready<F::Event>) -> Result<(), Left> {
        let Some(last) = ready.tokens.last() else { return Ok(()) };
        match self.advance(at, last, &ready.events).await {
            Err(Left::Failed(error)) => self.report(&ready.events, &error).await,
            result => return result,
        }
        for (event, token) in ready.events.iter().zip(&ready.tokens) {
            let event = std::slice::from_ref(event);
            while let Err(left) = self.advance(at, token, event).await {
                match left {
                    Left::Failed(error) => self.report(event, &error).await,
                    left => return Err(left),
                }
            }
        }
        Ok(())
    }

    /// Tells of events that could not be applied, and waits before they are tried again.
    async fn report(&self, events: &[F::Event], error: &Error) {
        let (failures, follower) = (self.failed(), self.follow.name());
        metrics().failures.add(1, &[KeyValue::new("follower", follower)]);
        let outage = matches!(error.code(), Code::Unavailable | Code::Aborted);
        let error = Chain(error).to_string();
        match events {
            [event] if !outage => {
                let event = self.follow.describe(event);
                tracing::error!(follower, event, failures, error, "an event cannot be applied");
            }
            events => {
                let count = events.len();
                tracing::warn!(follower, count, failures, error, "events are tried one by one");
            }
        }
        // A batch is parted at once; a single event waits its turn.
        if events.len() == 1 || outage {
            sleep(backoff(failures, BACKOFF_BASE, BACKOFF_MAX)).await;
        }
    }

    /// Moves the place to `to` together with the events' effect.
    async fn advance(&self, at: &mut String, to: &str, events: &[F::Event]) -> Result<(), Left> {
        let from = at.as_str();
        let name = self.follow.name();
        let moved = crate::tx!(self.place.db, name, |tx| -> Result<bool, Error> {
            if !self.place.advance(tx, from, to).await? {
                return Ok(false);
            }
            if !events.is_empty() {
                self.follow.apply(tx, events).await?;
            }
            Ok(true)
        })
        .map_err(Left::Failed)?;
        if !moved {
            return Err(Left::Overtaken);
        }
        fault::point("followed");
        to.clone_into(at);
        self.state.send_modify(|state| {
            to.clone_into(&mut state.position);
            state.failures = 0;
        });
        let label = [KeyValue::new("follower", name)];
        metrics().events.add(events.len() as u64, &label);
        if let Some(time) = events.last().and_then(|event| self.follow.time(event)) {
            metrics().lag.record(self.place.now().since(time).as_secs_f64(), &label);
        }
        Ok(())
    }
}

/// The first message and those that are ready behind it.
fn take_ready<E>(
    first: Option<Result<Message<E>, Status>>,
    stream: &mut EventStream<E>,
) -> Ready<E> {
    let mut ready = Ready { events: Vec::new(), tokens: Vec::new(), last: None, end: None };
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Some(Ok(message)) => {
                ready.last = Some(message.token.clone());
                if let Some(event) = message.event {
                    ready.events.push(event);
                    ready.tokens.push(message.token);
                }
            }
            Some(Err(status)) => ready.end = Some(status),
            None => ready.end = Some(Status::unavailable("the stream ended")),
        }
        if ready.end.is_some() || ready.events.len() == BATCH_MAX {
            break;
        }
        next = stream.next().now_or_never();
    }
    ready
}

struct Metrics {
    events: Counter<u64>,
    failures: Counter<u64>,
    lag: Gauge<f64>,
}

fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
        let meter = opentelemetry::global::meter("recourse.kit.follow");
        Metrics {
            events: meter.u64_counter("recourse.follow.events").build(),
            failures: meter.u64_counter("recourse.follow.failures").build(),
            lag: meter.f64_gauge("recourse.follow.lag").with_unit("s").build(),
        }
    });
    &METRICS
}
