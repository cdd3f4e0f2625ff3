//! A request stream before it is decoded: each item must be something that can be decoded.
//!
//! Otherwise decoding would fail in the handler, and look like a fault of ours.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Frame;
use tonic::Status;
use tonic::body::Body;

use super::validation::{FRAME_HEADER_BYTES, broken, message_length};
use crate::error::Error;
use crate::validate::MessageRules;

/// The body of a streamed request. Holds back an item until it is complete and in order.
pub(super) struct ItemBody {
    inner: Body,
    rules: MessageRules,
    bytes_max: usize,
    /// What has arrived and is not handed on yet: less than one item and its header.
    pending: BytesMut,
    ended: bool,
}

impl ItemBody {
    pub fn wrap(inner: Body, rules: MessageRules, bytes_max: usize) -> Body {
        let pending = BytesMut::new();
        Body::new(ItemBody { inner, rules, bytes_max, pending, ended: false })
    }

    /// The complete items that have arrived; `None` if there is none.
    fn complete(&mut self) -> Result<Option<Bytes>, Error> {
        let mut end = 0;
        while self.pending.len() - end >= FRAME_HEADER_BYTES {
            let rest = &self.pending[end..];
            let length = FRAME_HEADER_BYTES + message_length(rest, self.bytes_max)?;
            let Some(frame) = rest.get(..length) else { break };
            self.rules.check_decodable(&frame[FRAME_HEADER_BYTES..])?;
            end += length;
        }
        Ok((end > 0).then(|| self.pending.split_to(end).freeze()))
    }

    fn poll_items(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Status>> {
        loop {
            if let Some(items) = self.complete()? {
                return Poll::Ready(Ok(Some(items)));
            }
            let polled = http_body::Body::poll_frame(Pin::new(&mut self.inner), cx);
            let Some(frame) = std::task::ready!(polled) else {
                let whole = self.pending.is_empty();
                let cut = || broken("the stream ended within an item").into();
                return Poll::Ready(if whole { Ok(None) } else { Err(cut()) });
            };
            // Trailers of a request say nothing to us.
            if let Ok(mut data) = frame?.into_data() {
                self.pending.extend_from_slice(&data.copy_to_bytes(data.remaining()));
            }
        }
    }
}

impl http_body::Body for ItemBody {
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
        let items = std::task::ready!(this.poll_items(cx));
        this.ended = !matches!(items, Ok(Some(_)));
        Poll::Ready(items.map(|items| items.map(Frame::data)).transpose())
    }
}
