//! Answering a stream of requests item by item, in order, with a bounded number under way.
//!
//! Nothing runs ahead of the reader: while it does not take answers, no more items are taken
//! from it. It must not know what an item is.

use std::future::Future;

use futures_util::{Stream, StreamExt as _, stream};
use tonic::Status;

use crate::error::Error;

/// Items of one stream that are under way at once.
pub const IN_FLIGHT_MAX: usize = 256;

/// Answers each item with what `handle` makes of it, put into a message by `render`, which also
/// gets its place counting from 0. The stream ends after the last item, with the error that the
/// items end with, or, once `stop` is over, with UNAVAILABLE and SHUTTING_DOWN; always after all
/// items that were taken are answered.
pub fn answers<I, T, A, M, H, F, R>(
    items: I,
    stop: impl Future<Output = ()> + Send + 'static,
    handle: H,
    render: R,
) -> impl Stream<Item = Result<M, Status>> + Send
where
    I: Stream<Item = Result<T, Status>> + Send + Unpin + 'static,
    T: Send + 'static,
    A: Send + 'static,
    M: Send + 'static,
    H: Fn(T) -> F + Send + 'static,
    F: Future<Output = Result<A, Status>> + Send + 'static,
    R: Fn(i64, Result<A, Status>) -> M + Clone + Send + 'static,
{
    until(items, stop)
        .enumerate()
        .map(move |(index, item)| {
            let handling = item.map(&handle);
            let render = render.clone();
            async move {
                let index = i64::try_from(index).unwrap_or(i64::MAX);
                let answer = handling?.await;
                Ok(render(index, answer))
            }
        })
        .buffered(IN_FLIGHT_MAX)
}

/// The items up to the first error or to `stop`, which becomes an error.
fn until<I, T>(
    items: I,
    stop: impl Future<Output = ()> + Send + 'static,
) -> impl Stream<Item = Result<T, Status>> + Send
where
    I: Stream<Item = Result<T, Status>> + Send + Unpin + 'static,
    T: Send + 'static,
{
    let begin = Some((items, Box::pin(stop)));
    stream::unfold(begin, |state| async move {
        let (mut items, mut stop) = state?;
        let next = tokio::select! {
            biased;
            () = &mut stop => Some(Err(shutting_down())),
            next = items.next() => next,
        };
        let more = matches!(next, Some(Ok(_)));
        next.map(|item| (item, more.then_some((items, stop))))
    })
}

fn shutting_down() -> Status {
    Error::unavailable("SHUTTING_DOWN")
        .message("the service is stopping: send the items without an answer again")
        .into()
}
