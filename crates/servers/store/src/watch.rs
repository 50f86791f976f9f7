//! Watches: a cursor over a resource's shared ring, and a wake-up.
//!
//! No queue per watch: a slow watch costs nothing but its place in the ring, and learns that it
//! fell off by [`Compacted`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use mainstay_base::limits;
use tokio::sync::Notify;

use crate::error::Compacted;
use crate::live::Name;
use crate::record::{Event, Record};
use crate::ring::{Bounds, Ring};

/// Events in the order of their revisions.
pub type Batch = Vec<Arc<Event>>;

/// What a resource's writer and its watches share.
#[derive(Debug)]
pub(crate) struct Channel {
    ring: RwLock<Ring>,
    wake: Notify,
}

impl Channel {
    /// A channel whose history is known from `floor` on.
    pub(crate) fn new(bounds: Bounds, floor: u64) -> Self {
        Self { ring: RwLock::new(Ring::new(bounds, floor)), wake: Notify::new() }
    }

    /// Adds a committed event.
    pub(crate) fn push(&self, event: Arc<Event>, evicted: &mut Vec<Arc<Event>>) {
        self.ring.write().expect(UNPOISONED).push(event, evicted);
    }

    /// Forgets the events up to and including `revision`.
    pub(crate) fn compact(&self, revision: u64, evicted: &mut Vec<Arc<Event>>) {
        self.ring.write().expect(UNPOISONED).compact(revision, evicted);
    }

    /// The oldest revision a watch can resume from.
    pub(crate) fn floor(&self) -> u64 {
        self.ring.read().expect(UNPOISONED).floor()
    }

    /// What the objects changed after `revision` were at `revision`.
    pub(crate) fn undo(
        &self,
        revision: u64,
    ) -> Result<std::collections::BTreeMap<Name, Option<Arc<Record>>>, Compacted> {
        self.ring.read().expect(UNPOISONED).undo(revision)
    }

    /// All events that are known.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Batch {
        let ring = self.ring.read().expect(UNPOISONED);
        ring.after(ring.floor(), usize::MAX).expect("invariant: the floor is known")
    }

    /// Wakes all watches, in the order they fell asleep.
    pub(crate) fn wake(&self) {
        self.wake.notify_waiters();
    }

    fn after(&self, revision: u64) -> Result<Batch, Compacted> {
        self.ring.read().expect(UNPOISONED).after(revision, limits::WATCH_BATCH)
    }

    fn last(&self) -> u64 {
        self.ring.read().expect(UNPOISONED).last()
    }
}

const UNPOISONED: &str = "invariant: no panic while a ring is changed";

/// The changes of one resource, from some revision on.
#[derive(Debug)]
pub struct Watch {
    channel: Arc<Channel>,
    committed: Arc<AtomicU64>,
    cursor: u64,
}

impl Watch {
    /// A watch of the events after `after`, if the ring still knows them all.
    pub(crate) fn new(
        channel: Arc<Channel>,
        committed: Arc<AtomicU64>,
        after: u64,
    ) -> Result<Self, Compacted> {
        let oldest = channel.floor();
        if after < oldest {
            return Err(Compacted { requested: after, oldest });
        }
        Ok(Self { channel, committed, cursor: after })
    }

    /// The next events; waits until there is one. Nothing is lost when the wait is given up.
    pub async fn next(&mut self) -> Result<Batch, Compacted> {
        let channel = Arc::clone(&self.channel);
        loop {
            // Asked for before the ring is read, so that no wake-up falls in between.
            let woken = channel.wake.notified();
            let batch = self.take()?;
            if !batch.is_empty() {
                return Ok(batch);
            }
            woken.await;
        }
    }

    /// The events that are there now; perhaps none.
    pub fn take(&mut self) -> Result<Batch, Compacted> {
        let batch = self.channel.after(self.cursor)?;
        if let Some(last) = batch.last() {
            self.cursor = last.revision;
        }
        Ok(batch)
    }

    /// The revision up to which this watch has handed over everything: what a bookmark may say.
    pub fn revision(&self) -> u64 {
        // Read before the ring is: all events up to it are in their rings by then.
        let committed = self.committed.load(Ordering::Acquire);
        if self.channel.last() > self.cursor { self.cursor } else { self.cursor.max(committed) }
    }
}
