//! The live objects, by resource, and the ring of recent events of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::{Event, EventKind, Key, Record};
use crate::ring::Bounds;
use crate::watch::Channel;

/// Namespace and name: an object's place within its resource.
pub(crate) type Name = (Arc<str>, Arc<str>);

/// The place of `key` within its resource.
pub(crate) fn name_of(key: &Key) -> Name {
    (Arc::clone(&key.namespace), Arc::clone(&key.name))
}

/// The revision of a store nobody wrote to: clients take 0 to mean "any".
pub(crate) const FIRST_REVISION: u64 = 1;

/// One resource's part of the store.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Its live objects.
    pub(crate) records: BTreeMap<Name, Arc<Record>>,
    /// Its recent events.
    pub(crate) channel: Arc<Channel>,
}

/// All that reads look at; it holds only what is durable.
#[derive(Debug)]
pub(crate) struct Live {
    bounds: Bounds,
    revision: u64,
    objects: usize,
    bytes: usize,
    resources: BTreeMap<Arc<str>, Resource>,
}

impl Live {
    /// No objects.
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, revision: FIRST_REVISION, objects: 0, bytes: 0, resources: BTreeMap::new() }
    }

    /// The revision of the last commit.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// How many objects there are, and their bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.objects, self.bytes)
    }

    /// An object as it is.
    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Record>> {
        self.resources.get(&*key.resource)?.records.get(&name_of(key))
    }

    /// The objects of a resource in a namespace.
    pub(crate) fn within<'l>(
        &'l self,
        resource: &str,
        namespace: &'l Arc<str>,
    ) -> impl Iterator<Item = &'l Arc<Record>> {
        let first: Name = (Arc::clone(namespace), Arc::from(""));
        let records = self.resources.get(resource).map(|resource| resource.records.range(first..));
        let within = move |((own, _), _): &(&Name, &Arc<Record>)| own == namespace;
        records.into_iter().flatten().take_while(within).map(|(_, record)| record)
    }

    /// A resource that was ever written to or watched.
    pub(crate) fn resource(&self, resource: &str) -> Option<&Resource> {
        self.resources.get(resource)
    }

    /// All of them.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&Arc<str>, &Resource)> {
        self.resources.iter()
    }

    /// The resource, made where it is missing, with a history that is known from `floor` on.
    pub(crate) fn resource_or_new(&mut self, resource: &Arc<str>, floor: u64) -> &mut Resource {
        let bounds = self.bounds;
        self.resources.entry(Arc::clone(resource)).or_insert_with(|| Resource {
            records: BTreeMap::new(),
            channel: Arc::new(Channel::new(bounds, floor)),
        })
    }

    /// Sets an object as it was found on disk, without an event.
    pub(crate) fn restore(&mut self, record: &Arc<Record>) {
        self.put(record);
    }

    /// Takes over a revision found on disk.
    pub(crate) fn restore_revision(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
    }

    /// Makes committed events visible, in their order. What their rings no longer hold goes to
    /// `evicted`; the answer is whom to wake once the lock is released.
    pub(crate) fn publish(
        &mut self,
        events: &[Arc<Event>],
        evicted: &mut Vec<Arc<Event>>,
    ) -> BTreeMap<Arc<str>, Arc<Channel>> {
        let mut touched = BTreeMap::new();
        for event in events {
            let channel = match event.kind {
                EventKind::Added | EventKind::Modified => self.put(&event.record),
                EventKind::Deleted => self.remove(&event.record.key),
            };
            channel.push(Arc::clone(event), evicted);
            self.revision = event.revision;
            touched.entry(Arc::clone(&event.record.key.resource)).or_insert(channel);
        }
        touched
    }

    fn put(&mut self, record: &Arc<Record>) -> Arc<Channel> {
        let resource = self.resource_or_new(&record.key.resource, 0);
        let replaced = resource.records.insert(name_of(&record.key), Arc::clone(record));
        let channel = Arc::clone(&resource.channel);
        self.bytes += record.value.len();
        self.objects += 1;
        self.subtract(replaced.as_ref());
        channel
    }

    fn remove(&mut self, key: &Key) -> Arc<Channel> {
        let resource = self.resource_or_new(&key.resource, 0);
        let removed = resource.records.remove(&name_of(key));
        let channel = Arc::clone(&resource.channel);
        self.subtract(removed.as_ref());
        channel
    }

    fn subtract(&mut self, gone: Option<&Arc<Record>>) {
        if let Some(record) = gone {
            self.bytes -= record.value.len();
            self.objects -= 1;
        }
    }
}
