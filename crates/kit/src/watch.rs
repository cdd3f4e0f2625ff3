//! Streams of a service's events: resumable at any event, in commit order, bounded in memory.
//!
//! A stream reads pages from the log and wakes up after commits of this process at once, and of
//! others within [`TAIL_EVERY`]. It must not know what the events mean.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;

use crate::clock::{Stopwatch, sleep};
use crate::db::Db;
use crate::error::Error;
use crate::events::{self, Event, Head};

/// Events read from the database at once.
pub const PAGE_EVENTS: i64 = 500;
/// How often a stream reads new events at most while they keep coming, so that under load one
/// read and one transaction of a follower serve many. A stream that was idle reads at once.
pub const PAGE_EVERY: Duration = Duration::from_millis(4);
/// Messages waiting for one reader.
pub const BUFFER_MESSAGES: usize = 256;
/// How often the log's head is read for events of other processes, on PostgreSQL.
pub const TAIL_EVERY: Duration = Duration::from_millis(25);
/// The same on SQLite, which only one process writes as a rule.
const TAIL_EVERY_SQLITE: Duration = Duration::from_secs(1);
/// Format of a resume token.
const TOKEN_VERSION: u8 = 1;
/// Longest token that is looked at, in characters.
const TOKEN_CHARS_MAX: usize = 256;

/// A place in a log: after the event with that number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The log's random name.
    pub log_id: String,
    /// The number of the last event seen; 0 before the first.
    pub seq: i64,
}

impl Token {
    /// As callers see it.
    pub fn encode(&self) -> String {
        let mut bytes = vec![TOKEN_VERSION];
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.log_id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// From what [`Token::encode`] gave; `None` for anything else.
    pub fn decode(text: &str) -> Option<Token> {
        if text.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (seq, log_id) = rest.split_at_checked(size_of::<i64>())?;
        let seq = i64::from_be_bytes(seq.try_into().ok()?);
        let log_id = String::from_utf8(log_id.to_vec()).ok()?;
        (*version == TOKEN_VERSION && seq >= 0).then_some(Token { log_id, seq })
    }
}

/// The limits of one stream.
#[derive(Clone, Copy, Debug)]
pub struct WatchOptions {
    /// While there is nothing to tell, a checkpoint is sent this often.
    pub checkpoint_every: Duration,
    /// A reader that takes nothing for this long is cut off.
    pub patience: Duration,
    /// Messages waiting for the reader.
    pub buffer: usize,
}

impl Default for WatchOptions {
    fn default() -> WatchOptions {
        WatchOptions {
            checkpoint_every: Duration::from_secs(5),
            patience: Duration::from_secs(30),
            buffer: BUFFER_MESSAGES,
        }
    }
}

/// What becomes one message of the stream.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The resume token that leads to what comes after this.
    pub token: String,
    /// The event; `None` in a checkpoint, which only moves the token forward.
    pub event: Option<&'a Event>,
}

/// The stream that a Watch RPC answers with.
pub struct WatchStream<M> {
    messages: mpsc::Receiver<M>,
    end: End,
}

impl<M> WatchStream<M> {
    /// True if nothing more is added to what is buffered.
    pub fn is_over(&self) -> bool {
        self.messages.is_closed()
    }
}

/// Why the stream ended, told after what was buffered.
type End = Arc<Mutex<Option<Status>>>;

impl<M> Stream for WatchStream<M> {
    type Item = Result<M, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.messages.poll_recv(cx).map(|message| match message {
            Some(message) => Some(Ok(message)),
            None => self.end.lock().unwrap_or_else(|poison| poison.into_inner()).take().map(Err),
        })
    }
}

/// Begins a stream of the log's events after `resume_token`; empty means from the oldest event
/// there is. `render` makes the messages; `None` leaves an event out. Once the stream has caught
/// up for the first time, and then while idle, a checkpoint is sent.
///
/// # Errors
/// INVALID_ARGUMENT with RESUME_TOKEN_INVALID if the token is not of this log; OUT_OF_RANGE with
/// RESUME_TOKEN_OUT_OF_RANGE if its event is not there yet or what follows it is not kept any
/// more. The stream itself ends with RESOURCE_EXHAUSTED and WATCH_TOO_SLOW, with UNAVAILABLE when
/// the service stops or loses its database, or with what `render` answers.
pub async fn watch<M, F>(
    db: &Db,
    resume_token: &str,
    options: WatchOptions,
    render: F,
) -> Result<WatchStream<M>, Error>
where
    M: Send + 'static,
    F: FnMut(Item<'_>) -> Result<Option<M>, Error> + Send + 'static,
{
    let head = events::head(db).await?;
    let at = start(resume_token, &head)?;
    db.raise_head(head.seq);
    start_tail(db);
    let (out, messages) = mpsc::channel(options.buffer.max(1));
    let end = End::default();
    let pump = Pump { db: db.clone(), log_id: head.log_id, at, out, options, render, sent: None };
    let slot = end.clone();
    tokio::spawn(async move {
        let status = pump.run().await;
        if let Err(Stop::Because(error)) = status {
            *slot.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(error);
        }
    });
    Ok(WatchStream { messages, end })
}

/// The number after which to begin.
fn start(resume_token: &str, head: &Head) -> Result<i64, Error> {
    if resume_token.is_empty() {
        return Ok(head.trimmed);
    }
    match Token::decode(resume_token) {
        Some(token) if token.log_id == head.log_id => {
            if (head.trimmed..=head.seq).contains(&token.seq) {
                Ok(token.seq)
            } else {
                Err(out_of_range())
            }
        }
        _ => Err(Error::invalid_argument("RESUME_TOKEN_INVALID")
            .message("resume_token is not of this stream")
            .and_invalid("resume_token", "must be empty or a token that this stream gave")),
    }
}

fn out_of_range() -> Error {
    Error::out_of_range("RESUME_TOKEN_OUT_OF_RANGE")
        .message("the events after resume_token are not there (any more): begin anew")
}

enum Stop {
    /// The reader has gone.
    Unheard,
    Because(Status),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Because(error.into())
    }
}

struct Pump<M, F> {
    db: Db,
    log_id: String,
    /// Number of the last event that was rendered or left out.
    at: i64,
    out: mpsc::Sender<M>,
    options: WatchOptions,
    render: F,
    /// Since when nothing was sent; `None` before the first time.
    sent: Option<Stopwatch>,
}

impl<M, F> Pump<M, F>
where
    M: Send + 'static,
    F: FnMut(Item<'_>) -> Result<Option<M>, Error> + Send + 'static,
{
    async fn run(mut self) -> Result<(), Stop> {
        let mut head = self.db.head().subscribe();
        let mut caught_up = false;
        let mut paged: Option<Stopwatch> = None;
        loop {
            if caught_up && *head.borrow() <= self.at {
                self.idle(&mut head).await?;
                continue;
            }
            if let Some(rest) = paged.and_then(|paged| PAGE_EVERY.checked_sub(paged.elapsed())) {
                sleep(rest).await;
            }
            paged = Some(Stopwatch::start());
            let page = events::page(&self.db, self.at, PAGE_EVENTS).await.map_err(Error::from)?;
            if page.len() as i64 == PAGE_EVENTS {
                // There is more: nothing to wait for.
                paged = None;
            }
            if page.is_empty() {
                if !caught_up {
                    caught_up = true;
                    self.checkpoint().await?;
                }
                self.idle(&mut head).await?;
                continue;
            }
            for event in &page {
                if event.seq != self.at + 1 {
                    return Err(out_of_range().into());
                }
                self.at = event.seq;
                let item = Item { token: self.token(), event: Some(event) };
                if let Some(message) = (self.render)(item)? {
                    self.send(message).await?;
                }
            }
            if self.sent.is_some_and(|sent| sent.elapsed() >= self.options.checkpoint_every) {
                self.checkpoint().await?;
            }
        }
    }

    fn token(&self) -> String {
        Token { log_id: self.log_id.clone(), seq: self.at }.encode()
    }

    async fn checkpoint(&mut self) -> Result<(), Stop> {
        let item = Item { token: self.token(), event: None };
        match (self.render)(item)? {
            Some(message) => self.send(message).await,
            None => Ok(()),
        }
    }

    /// Waits for an event after `at`, sending checkpoints.
    async fn idle(&mut self, head: &mut tokio::sync::watch::Receiver<i64>) -> Result<(), Stop> {
        if *head.borrow() > self.at {
            // Committed, but not in the page: removed by retention, or read a moment too early.
            let now = events::head(&self.db).await.map_err(Error::from)?;
            if now.trimmed > self.at {
                return Err(out_of_range().into());
            }
            sleep(TAIL_EVERY).await;
            return Ok(());
        }
        let mut closing = self.db.closing();
        let at = self.at;
        tokio::select! {
            () = until(head, |head| *head > at) => Ok(()),
            () = until(&mut closing, |closing| *closing) => Err(ending().into()),
            () = self.out.closed() => Err(Stop::Unheard),
            () = sleep(self.options.checkpoint_every) => self.checkpoint().await,
        }
    }

    async fn send(&mut self, message: M) -> Result<(), Stop> {
        self.sent = Some(Stopwatch::start());
        let message = match self.out.try_send(message) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(Stop::Unheard),
            Err(mpsc::error::TrySendError::Full(message)) => message,
        };
        let mut closing = self.db.closing();
        tokio::select! {
            sent = self.out.send(message) => sent.map_err(|_| Stop::Unheard),
            () = until(&mut closing, |closing| *closing) => Err(ending().into()),
            () = sleep(self.options.patience) => Err(self.too_slow().into()),
        }
    }

    fn too_slow(&self) -> Error {
        Error::resource_exhausted("WATCH_TOO_SLOW")
            .message("the reader took nothing for too long: resume from the last token")
            .meta("patience_ms", self.options.patience.as_millis().to_string())
            .retry_after(Duration::from_secs(1))
    }
}

/// Waits for the value, without holding it. The sender lives as long as the database.
async fn until<T>(value: &mut tokio::sync::watch::Receiver<T>, is_it: impl FnMut(&T) -> bool) {
    let _ = value.wait_for(is_it).await.map(drop);
}

fn ending() -> Error {
    Error::unavailable("SHUTTING_DOWN")
        .message("the service is stopping: resume from the last token")
}

/// Starts the one task of this process that notices other processes' events.
fn start_tail(db: &Db) {
    if !db.start_tail() {
        return;
    }
    let every = if db.is_postgres() { TAIL_EVERY } else { TAIL_EVERY_SQLITE };
    let weak = db.downgrade();
    tokio::spawn(async move {
        loop {
            sleep(every).await;
            let Some(db) = weak.upgrade() else { return };
            if *db.closing().borrow() {
                return;
            }
            if db.head().receiver_count() == 0 {
                continue;
            }
            match events::head(&db).await {
                Ok(head) => db.raise_head(head.seq),
                Err(error) => tracing::debug!(%error, "the head of the log could not be read"),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn tokens_round_trip_and_anything_else_is_no_token() {
        let token = Token { log_id: "log".to_owned(), seq: 42 };
        let text = token.encode();
        assert_eq!(Token::decode(&text), Some(token));
        let negative = Token { log_id: "log".to_owned(), seq: -1 }.encode();
        for text in ["", "A", "AAAA", "!!", &text[1..], &negative, &"A".repeat(257)] {
            assert_eq!(Token::decode(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_token_that_encodes_to_it_or_none(text in "[A-Za-z0-9_-]{0,80}") {
            if let Some(token) = Token::decode(&text) {
                proptest::prop_assert_eq!(Token::decode(&token.encode()), Some(token));
            }
        }
    }
}
