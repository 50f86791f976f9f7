//! What a batch of proposals would do: checked against the live objects and against what comes
//! before in the same batch. Nothing is changed here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::CommitError;
use crate::live::Live;
use crate::record::{Bundle, Change, Event, EventKind, Expect, Key, Record, Unchanged, Write};

/// The events of a batch, not yet committed.
pub(crate) struct Plan<'l> {
    live: &'l Live,
    events: Vec<Arc<Event>>,
    pending: BTreeMap<Key, Option<Arc<Record>>>,
}

impl<'l> Plan<'l> {
    /// An empty batch on top of `live`.
    pub(crate) fn new(live: &'l Live) -> Self {
        Self { live, events: Vec::new(), pending: BTreeMap::new() }
    }

    /// The events, in the order of their revisions.
    pub(crate) fn into_events(self) -> Vec<Arc<Event>> {
        self.events
    }

    /// Adds all writes of a bundle or none; the answer is the record of each.
    pub(crate) fn propose(&mut self, bundle: Bundle) -> Result<Vec<Arc<Record>>, CommitError> {
        let Bundle { writes, unchanged } = bundle;
        if unchanged.is_some_and(|part| !self.is_unchanged(&part)) {
            return Err(CommitError::Changed);
        }
        let accepted = self.events.len();
        let mut undo = Vec::with_capacity(writes.len());
        let mut records = Vec::with_capacity(writes.len());
        for write in writes {
            match self.add(write, &mut undo) {
                Ok(record) => records.push(record),
                Err(refusal) => {
                    self.events.truncate(accepted);
                    self.take_back(undo);
                    return Err(refusal);
                }
            }
        }
        Ok(records)
    }

    fn add(&mut self, write: Write, undo: &mut Vec<Undo>) -> Result<Arc<Record>, CommitError> {
        let previous = match self.pending.get(&write.key) {
            Some(pending) => pending.clone(),
            None => self.live.get(&write.key).cloned(),
        };
        if !is_expected(&write, previous.as_deref()) {
            return Err(CommitError::Conflict { current: previous });
        }
        let event = Arc::new(event(self.next_revision(), write, previous));
        let now = (event.kind != EventKind::Deleted).then(|| Arc::clone(&event.record));
        let before = self.pending.insert(event.record.key.clone(), now);
        undo.push((event.record.key.clone(), before));
        let record = Arc::clone(&event.record);
        self.events.push(event);
        Ok(record)
    }

    fn is_unchanged(&self, part: &Unchanged) -> bool {
        let first = Key::new(Arc::clone(&part.resource), Arc::clone(&part.namespace), "");
        let is_part = |key: &Key| (&key.resource, &key.namespace) == (&first.resource, &first.namespace);
        let pending = self.pending.range(&first..).take_while(|(key, _)| is_part(key));
        let live = self.live.within(&part.resource, &part.namespace);
        live.chain(pending.filter_map(|(_, record)| record.as_ref()))
            .all(|record| record.revision <= part.since)
    }

    fn next_revision(&self) -> u64 {
        self.events.last().map_or_else(|| self.live.revision(), |event| event.revision) + 1
    }

    fn take_back(&mut self, undo: Vec<Undo>) {
        for (key, before) in undo.into_iter().rev() {
            match before {
                Some(before) => self.pending.insert(key, before),
                None => self.pending.remove(&key),
            };
        }
    }
}

type Undo = (Key, Option<Option<Arc<Record>>>);

fn is_expected(write: &Write, current: Option<&Record>) -> bool {
    let is_there = current.is_some();
    if matches!(write.change, Change::Delete(_)) && !is_there {
        return false;
    }
    match write.expect {
        Expect::Absent => !is_there,
        Expect::Revision(revision) => current.is_some_and(|record| record.revision == revision),
        Expect::Any => true,
    }
}

fn event(revision: u64, write: Write, previous: Option<Arc<Record>>) -> Event {
    // The key of the object's first write is kept: its strings are then in memory once.
    let (key, created) = match &previous {
        Some(previous) => (previous.key.clone(), previous.created),
        None => (write.key, revision),
    };
    let draft = write.change.draft();
    let (value, aside) = (draft.at_revision(revision), draft.aside());
    let (kind, tags) = match write.change {
        Change::Put(_, tags) if previous.is_none() => (EventKind::Added, tags),
        Change::Put(_, tags) => (EventKind::Modified, tags),
        Change::Delete(_) => {
            (EventKind::Deleted, previous.as_ref().map(|previous| previous.tags.clone()).unwrap_or_default())
        }
    };
    let record = Arc::new(Record { key, revision, created, value, aside, tags });
    Event { revision, kind, record, previous }
}
