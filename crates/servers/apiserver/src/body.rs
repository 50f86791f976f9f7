//! The body of a response: bytes at once, a list in segments, or the frames of a watch.
//!
//! A list is its envelope and the stored bytes of its objects, one after the other. They are put
//! together frame by frame as the client reads, so a large list is never in memory twice, and a
//! frame is never so small that its own cost shows. Dropping a watch's body ends the watch.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use http_body::{Frame, SizeHint};

/// What small segments are gathered into.
const FRAME_BYTES: usize = 64 * 1024;

/// What is sent, frame by frame.
pub struct Body(Inner);

enum Inner {
    Full(Bytes),
    Segments { segments: std::vec::IntoIter<Bytes>, remaining_bytes: u64 },
    Stream(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self(Inner::Full(Bytes::new()))
    }

    /// These bytes.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self(Inner::Full(bytes.into()))
    }

    /// These segments, in order.
    pub fn segments(segments: Vec<Bytes>) -> Self {
        let remaining_bytes = segments.iter().map(|segment| segment.len() as u64).sum();
        Self(Inner::Segments { segments: segments.into_iter(), remaining_bytes })
    }

    /// Whether it goes on until somebody ends it.
    pub(crate) fn is_endless(&self) -> bool {
        matches!(self.0, Inner::Stream(_))
    }

    /// Whatever `stream` yields, until it ends or the body is dropped.
    pub fn stream(stream: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self(Inner::Stream(Box::pin(stream)))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.0 {
            Inner::Full(bytes) if bytes.is_empty() => None,
            Inner::Full(bytes) => Some(std::mem::take(bytes)),
            Inner::Segments { segments, remaining_bytes } => next_frame(segments).inspect(|frame| {
                *remaining_bytes = remaining_bytes.saturating_sub(frame.len() as u64);
            }),
            Inner::Stream(stream) => std::task::ready!(stream.as_mut().poll_next(context)),
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Full(bytes) => bytes.is_empty(),
            Inner::Segments { segments, .. } => segments.len() == 0,
            Inner::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Segments { remaining_bytes, .. } => SizeHint::with_exact(*remaining_bytes),
            Inner::Stream(_) => SizeHint::new(),
        }
    }
}

/// The next segment alone when it is large, else as many as fit in one frame.
fn next_frame(segments: &mut std::vec::IntoIter<Bytes>) -> Option<Bytes> {
    let first = segments.next()?;
    if first.len() >= FRAME_BYTES / 2 || segments.len() == 0 {
        return Some(first);
    }
    let mut frame = BytesMut::with_capacity(FRAME_BYTES);
    frame.extend_from_slice(&first);
    while let Some(next) = segments.as_slice().first() {
        if frame.len() + next.len() > FRAME_BYTES {
            break;
        }
        frame.extend_from_slice(next);
        segments.next();
    }
    Some(frame.freeze())
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Inner::Full(_) => "Body::full",
            Inner::Segments { .. } => "Body::segments",
            Inner::Stream(_) => "Body::stream",
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use http_body::Body as _;
    use http_body_util::BodyExt as _;

    use super::*;

    #[test]
    fn segments_arrive_whole_and_in_order_and_their_length_is_known_before() {
        let segments: Vec<Bytes> = (0..20_000).map(|n| Bytes::from(format!("{n},"))).collect();
        let expected: Vec<u8> = segments.concat();
        let body = Body::segments(segments);
        assert_eq!(body.size_hint().exact(), Some(expected.len() as u64));
        let received =
            body.collect().now_or_never().expect("it does not wait").expect("it cannot fail").to_bytes();
        assert_eq!(received, expected);
    }

    #[test]
    fn a_large_segment_is_not_copied() {
        let large = Bytes::from(vec![b'x'; FRAME_BYTES]);
        let address = large.as_ptr();
        let mut body = Body::segments(vec![large, Bytes::from_static(b"]")]);
        let frame = body.frame().now_or_never().flatten().expect("there is a frame").expect("it cannot fail");
        assert_eq!(frame.into_data().expect("it is data").as_ptr(), address);
    }
}
