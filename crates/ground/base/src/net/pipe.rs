//! An in-process connection: two lanes of bytes, each as slow and lossy as its link.
//!
//! **Invariants:** bytes arrive in order and completely, or not at all (a partition); a lane holds
//! at most [`limits::PIPE_BYTES`], then its writer waits.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Place;
use super::link::{Links, Waiter};
use crate::limits;

/// One end of an in-process connection.
#[derive(Debug)]
pub struct Pipe {
    links: Arc<Links>,
    here: Place,
    there: Place,
    inbound: Arc<Mutex<Lane>>,
    outbound: Arc<Mutex<Lane>>,
    /// Runs until the next bytes arrive.
    timer: Option<Pin<Box<Sleep>>>,
    /// Under which this end waits for a partition to heal, reading and writing; drawn when needed.
    waiter: Option<Waiter>,
    write_waiter: Option<Waiter>,
}

/// What is on its way in one direction.
#[derive(Debug, Default)]
struct Lane {
    chunks: VecDeque<Chunk>,
    /// Bytes in `chunks`.
    held: usize,
    /// The writer wrote its last; the end mark is the last chunk.
    is_closed: bool,
    /// Nobody will read on.
    is_abandoned: bool,
    latest_arrival: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Bytes and when they arrive; no bytes mark the end.
#[derive(Debug)]
struct Chunk {
    bytes: Bytes,
    arrival: Option<Instant>,
}

/// Both ends of a new connection from `near` to `far`.
pub(super) fn pipe(links: &Arc<Links>, near: &Place, far: &Place) -> (Pipe, Pipe) {
    let (there, back) = (Arc::default(), Arc::default());
    let end = |here: &Place, there: &Place, inbound: &Arc<_>, outbound: &Arc<_>| Pipe {
        links: Arc::clone(links),
        here: here.clone(),
        there: there.clone(),
        inbound: Arc::clone(inbound),
        outbound: Arc::clone(outbound),
        timer: None,
        waiter: None,
        write_waiter: None,
    };
    (end(near, far, &back, &there), end(far, near, &there, &back))
}

impl Pipe {
    /// Queues bytes or, with none, the end mark.
    fn send(&self, lane: &mut Lane, bytes: Bytes) {
        let arrival = self.links.arrival(&self.here, &self.there, bytes.len()).max(lane.latest_arrival);
        lane.latest_arrival = arrival;
        lane.held += bytes.len();
        lane.chunks.push_back(Chunk { bytes, arrival });
        if let Some(reader) = lane.reader.take() {
            reader.wake();
        }
    }

    /// Ready when what was to arrive at `arrival` is here.
    fn poll_arrived(&mut self, arrival: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(arrival) = arrival.filter(|arrival| *arrival > Instant::now()) {
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(arrival)));
            if timer.deadline() != arrival {
                timer.as_mut().reset(arrival);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        if !self.links.are_in_use() {
            return Poll::Ready(());
        }
        let waiter = *self.waiter.get_or_insert_with(|| self.links.waiter());
        self.links.poll_whole(waiter, &self.there, &self.here, context)
    }

    /// Ready when what the other end did is known here.
    fn poll_heard(&mut self, context: &Context<'_>) -> Poll<()> {
        let waiter = *self.write_waiter.get_or_insert_with(|| self.links.waiter());
        self.links.poll_whole(waiter, &self.there, &self.here, context)
    }

    fn close(&self) {
        let mut lane = lock(&self.outbound);
        if !std::mem::replace(&mut lane.is_closed, true) {
            self.send(&mut lane, Bytes::new());
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let pipe = self.get_mut();
        let inbound = Arc::clone(&pipe.inbound);
        let mut lane = lock(&inbound);
        let mut has_read = false;
        while buffer.remaining() > 0 {
            let Some(arrival) = lane.chunks.front().map(|chunk| chunk.arrival) else {
                lane.reader = Some(context.waker().clone());
                break;
            };
            if pipe.poll_arrived(arrival, context).is_pending() {
                break;
            }
            let Some(chunk) = lane.chunks.front_mut() else { break };
            if chunk.bytes.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let count = chunk.bytes.len().min(buffer.remaining());
            buffer.put_slice(&chunk.bytes[..count]);
            chunk.bytes.advance(count);
            if chunk.bytes.is_empty() {
                lane.chunks.pop_front();
            }
            lane.held -= count;
            has_read = true;
        }
        if !has_read && buffer.remaining() > 0 {
            return Poll::Pending;
        }
        if let Some(writer) = lane.writer.take() {
            writer.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let pipe = self.get_mut();
        let outbound = Arc::clone(&pipe.outbound);
        let mut lane = lock(&outbound);
        // Through a partition nobody hears that the other end is gone.
        if lane.is_closed || (lane.is_abandoned && pipe.poll_heard(context).is_ready()) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = limits::PIPE_BYTES.saturating_sub(lane.held);
        let count = room.min(bytes.len());
        if count == 0 && !bytes.is_empty() {
            lane.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        if count > 0 {
            pipe.send(&mut lane, Bytes::copy_from_slice(&bytes[..count]));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.close();
        let mut lane = lock(&self.inbound);
        lane.is_abandoned = true;
        if let Some(writer) = lane.writer.take() {
            writer.wake();
        }
        drop(lane);
        for waiter in [self.waiter, self.write_waiter].into_iter().flatten() {
            self.links.leave(waiter);
        }
    }
}

fn lock(lane: &Mutex<Lane>) -> MutexGuard<'_, Lane> {
    lane.lock().expect("invariant: no panic under this lock")
}
