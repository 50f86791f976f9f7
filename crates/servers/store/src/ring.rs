//! The recent events of one resource, shared by all its watches.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::error::Compacted;
use crate::live::{Name, name_of};
use crate::record::{Event, Record};

/// How much a [`Ring`] keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// At most so many events.
    pub(crate) events: usize,
    /// At most so many bytes of objects, beyond the last event.
    pub(crate) bytes: usize,
}

/// Events in the order of their revisions.
///
/// **Invariant:** every event of the resource after `floor` is here.
#[derive(Debug)]
pub(crate) struct Ring {
    bounds: Bounds,
    floor: u64,
    bytes: usize,
    events: VecDeque<Arc<Event>>,
}

impl Ring {
    /// A ring that knows all events after `floor`, of which there are none yet.
    pub(crate) fn new(bounds: Bounds, floor: u64) -> Self {
        Self { bounds, floor, bytes: 0, events: VecDeque::new() }
    }

    /// The oldest revision a watch can resume from.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// The revision of the last event that was ever here.
    pub(crate) fn last(&self) -> u64 {
        self.events.back().map_or(self.floor, |event| event.revision)
    }

    /// Adds a new event; those that no longer fit go to `evicted`.
    pub(crate) fn push(&mut self, event: Arc<Event>, evicted: &mut Vec<Arc<Event>>) {
        self.bytes += event.record.value.len();
        self.events.push_back(event);
        while self.events.len() > 1
            && (self.events.len() > self.bounds.events || self.bytes > self.bounds.bytes)
        {
            evicted.extend(self.pop());
        }
    }

    /// Forgets the events up to and including `revision`.
    pub(crate) fn compact(&mut self, revision: u64, evicted: &mut Vec<Arc<Event>>) {
        while self.events.front().is_some_and(|event| event.revision <= revision) {
            evicted.extend(self.pop());
        }
    }

    /// At most `limit` events after `revision`, oldest first.
    pub(crate) fn after(&self, revision: u64, limit: usize) -> Result<Vec<Arc<Event>>, Compacted> {
        let start = self.position_after(revision)?;
        Ok(self.events.range(start..).take(limit).cloned().collect())
    }

    /// What the objects changed after `revision` were at `revision`.
    pub(crate) fn undo(&self, revision: u64) -> Result<BTreeMap<Name, Option<Arc<Record>>>, Compacted> {
        let start = self.position_after(revision)?;
        let mut before = BTreeMap::new();
        for event in self.events.range(start..) {
            before.entry(name_of(&event.record.key)).or_insert_with(|| event.previous.clone());
        }
        Ok(before)
    }

    fn position_after(&self, revision: u64) -> Result<usize, Compacted> {
        if revision < self.floor {
            return Err(Compacted { requested: revision, oldest: self.floor });
        }
        Ok(self.events.partition_point(|event| event.revision <= revision))
    }

    fn pop(&mut self) -> Option<Arc<Event>> {
        let event = self.events.pop_front()?;
        self.bytes -= event.record.value.len();
        self.floor = event.revision;
        Some(event)
    }
}
