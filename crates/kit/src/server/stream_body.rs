//! A response stream after its headers: the same care as before them.
//!
//! Its frames are polled inside the call's span, a panic becomes INTERNAL, its error gets its
//! final form, its end is recorded, and it ends with the server.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::Span;

use super::access_log::Record;
use super::render;
use super::shutdown::Signal;
use crate::error::Error;

/// Messages that a stream may still deliver after the server began to stop.
const LAST_MESSAGES_MAX: u32 = 16;

/// The body of a streamed response.
pub(super) struct StreamBody {
    inner: Body,
    record: Record,
    span: Span,
    /// `None` once the server has begun to stop.
    stopping: Option<Signal>,
    delivered_since: u32,
    ended: bool,
}

impl StreamBody {
    pub fn wrap(inner: Body, record: Record, span: Span, stopping: Signal) -> Body {
        let stopping = Some(stopping);
        Body::new(StreamBody { inner, record, span, stopping, delivered_since: 0, ended: false })
    }

    /// The last frame: an error in its final form.
    fn end(&mut self, status: &Status) -> Frame<Bytes> {
        let mut trailers = HeaderMap::new();
        // A status that cannot be written as a header has no message that could be shown.
        if status.add_header(&mut trailers).is_err() {
            trailers.insert("grpc-status", http::HeaderValue::from(Code::Internal as i32));
        }
        self.end_with(trailers)
    }

    fn end_with(&mut self, mut trailers: HeaderMap) -> Frame<Bytes> {
        render::finish(&mut trailers, &self.record.call);
        self.record.code = render::code(&trailers).unwrap_or(Code::Ok);
        self.ended = true;
        Frame::trailers(trailers)
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            http_body::Body::poll_frame(Pin::new(&mut self.inner), cx)
        }));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(None)) => {
                self.ended = true;
                self.record.code = Code::Ok;
                Poll::Ready(None)
            }
            Ok(Poll::Ready(Some(Ok(frame)))) => Poll::Ready(Some(match frame.into_trailers() {
                Ok(trailers) => self.end_with(trailers),
                Err(frame) => frame,
            })),
            Ok(Poll::Ready(Some(Err(status)))) => Poll::Ready(Some(self.end(&status))),
            Err(panic) => {
                let status = Status::from(render::panicked(panic.as_ref()));
                Poll::Ready(Some(self.end(&status)))
            }
        }
    }
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let span = this.span.clone();
        let _entered = span.enter();
        if this.stopping.as_mut().is_some_and(|signal| signal.as_mut().poll(cx).is_ready()) {
            this.stopping = None;
        }
        let frame = this.poll_inner(cx);
        if this.stopping.is_some() || this.ended {
            return frame.map(|frame| frame.map(Ok));
        }
        // The server stops: what is ready is still delivered, up to a bound, then it ends.
        this.delivered_since += 1;
        if frame.is_ready() && this.delivered_since <= LAST_MESSAGES_MAX {
            return frame.map(|frame| frame.map(Ok));
        }
        let error = Error::unavailable("SHUTTING_DOWN")
            .message("the service is stopping; resume from the last token elsewhere");
        let status = Status::from(error);
        Poll::Ready(Some(Ok(this.end(&status))))
    }
}
