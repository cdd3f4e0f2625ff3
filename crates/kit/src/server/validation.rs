//! Whether the request keeps the rules of its proto, on the bytes, before it is decoded.

use bytes::{Buf as _, Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use tonic::body::Body;

use super::call::Call;
use super::item_body::ItemBody;
use super::render::response_of;
use super::step::Handle;
use super::{Request, Response};
use crate::clock::Clock;
use crate::error::Error;

/// Bytes before each message: a flag and the length.
pub(super) const FRAME_HEADER_BYTES: usize = 5;

/// The step. A single request message is held against its rules. Of the items of a request
/// stream only that they can be decoded: what follows from a broken rule, whether the item or
/// the stream fails, is the handler's to say, with `Contract::rules_of`.
#[derive(Clone)]
pub(super) struct Validation<H> {
    request_bytes_max: usize,
    clock: Clock,
    inner: H,
}

impl<H> Validation<H> {
    pub fn new(request_bytes_max: usize, clock: Clock, inner: H) -> Validation<H> {
        Validation { request_bytes_max, clock, inner }
    }
}

impl<H: Handle> Handle for Validation<H> {
    async fn handle(&self, request: Request) -> Response {
        let call = Call::of(&request);
        let method = call.as_ref().and_then(|call| call.method());
        let Some(method) = method else { return self.inner.handle(request).await };
        if method.client_streaming {
            let (rules, bytes_max) = (method.rules.clone(), self.request_bytes_max);
            let request = request.map(|body| ItemBody::wrap(body, rules, bytes_max));
            return self.inner.handle(request).await;
        }
        let (parts, body) = request.into_parts();
        let checked = async {
            let frame = collect(body, self.request_bytes_max).await?;
            let message = message(&frame, self.request_bytes_max)?;
            method.rules.check_bytes(message, self.clock.now())?;
            Ok(frame)
        };
        match checked.await {
            Ok(frame) => {
                let body = Body::new(Full::new(frame));
                self.inner.handle(Request::from_parts(parts, body)).await
            }
            Err(error) => response_of(error),
        }
    }
}

/// The whole body; mostly it is there in one piece, which is then not copied.
async fn collect(mut body: Body, bytes_max: usize) -> Result<Bytes, Error> {
    let mut whole = Bytes::new();
    let mut pieces = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| broken("the body ended before it was complete"))?;
        let Ok(mut data) = frame.into_data() else { break };
        if whole.len() + pieces.len() + data.remaining() > bytes_max + FRAME_HEADER_BYTES {
            return Err(too_large(bytes_max));
        }
        if whole.is_empty() && pieces.is_empty() {
            whole = data;
        } else {
            pieces.extend_from_slice(&whole);
            whole.clear();
            pieces.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
    }
    Ok(if pieces.is_empty() { whole } else { pieces.freeze() })
}

/// The message inside the one frame that the body holds.
fn message(frame: &[u8], bytes_max: usize) -> Result<&[u8], Error> {
    let length = message_length(frame, bytes_max)?;
    let message = &frame[FRAME_HEADER_BYTES..];
    match length {
        length if length == message.len() => Ok(message),
        _ => Err(broken("the length before the message is not its length")),
    }
}

/// How long the message is that a frame announces.
pub(super) fn message_length(frame: &[u8], bytes_max: usize) -> Result<usize, Error> {
    let Some((header, _)) = frame.split_at_checked(FRAME_HEADER_BYTES) else {
        return Err(broken("the body holds no message"));
    };
    let length = header[1..].iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    match header[0] {
        0 if length > bytes_max => Err(too_large(bytes_max)),
        0 => Ok(length),
        1 => Err(Error::unimplemented("COMPRESSION_UNSUPPORTED")
            .message("compressed requests are not supported")),
        _ => Err(broken("the flag before the message is neither 0 nor 1")),
    }
}

pub(super) fn broken(what: &str) -> Error {
    Error::invalid_request().message(what)
}

fn too_large(bytes_max: usize) -> Error {
    Error::resource_exhausted("MESSAGE_TOO_LARGE")
        .message(format!("a request has at most {bytes_max} bytes"))
        .meta("limit_bytes", bytes_max.to_string())
}
