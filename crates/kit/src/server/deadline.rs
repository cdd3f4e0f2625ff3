//! Nothing is worked on for longer than its caller waits.

use std::time::Duration;

use http::HeaderMap;

use super::call::{Call, Remaining};
use super::render::response_of;
use super::step::Handle;
use super::{Request, Response};
use crate::error::Error;

/// How much earlier than the caller's deadline ours fires. tonic watches the same deadline
/// and would answer CANCELLED.
const EARLIER: Duration = Duration::from_millis(1);

/// The step. A stream has no longest time of its own; its caller's deadline covers the time to
/// its headers here, and the caller ends the rest.
#[derive(Clone)]
pub(super) struct Deadline<H> {
    unary_max: Duration,
    inner: H,
}

impl<H> Deadline<H> {
    pub fn new(unary_max: Duration, inner: H) -> Deadline<H> {
        Deadline { unary_max, inner }
    }
}

impl<H: Handle> Handle for Deadline<H> {
    async fn handle(&self, request: Request) -> Response {
        let asked = timeout(request.headers());
        let call = Call::of(&request);
        let streams = call
            .as_ref()
            .and_then(|call| call.method())
            .is_none_or(|method| method.client_streaming || method.server_streaming);
        let limit = match asked {
            Some(asked) if !streams => Some(asked.min(self.unary_max)),
            None if !streams => Some(self.unary_max),
            asked => asked,
        };
        let request_id = call.map(|call| call.request_id.clone()).unwrap_or_default();
        let answer = Remaining::new(limit, request_id).scope(self.inner.handle(request));
        let Some(limit) = limit else { return answer.await };
        let in_time = tokio::time::timeout(limit.saturating_sub(EARLIER), answer).await;
        in_time.unwrap_or_else(|_| response_of(Error::deadline_exceeded()))
    }
}

/// The `grpc-timeout` header: up to eight digits and a unit. One that is malformed counts as
/// none.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.is_empty() || number.len() > 8 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_the_protocol_says() {
        let table = [
            ("1H", Some(3_600_000)),
            ("2M", Some(120_000)),
            ("3S", Some(3_000)),
            ("500m", Some(500)),
            ("99999999u", Some(99_999)),
            ("0n", Some(0)),
            ("123456789S", None),
            ("S", None),
            ("", None),
            ("-1S", None),
            ("1s", None),
            ("1.5S", None),
            ("é", None),
        ];
        for (text, millis) in table {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", http::HeaderValue::from_bytes(text.as_bytes()).unwrap());
            let read = timeout(&headers).map(|span| span.as_millis());
            assert_eq!(read, millis, "{text}");
        }
        assert_eq!(timeout(&HeaderMap::new()), None);
    }
}
