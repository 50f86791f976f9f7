//! What an informer holds: objects by key, and indices over them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::Resource;
use kube::runtime::watcher;

use super::Change;
use crate::Key;

/// The values an index finds an object by.
pub(super) type Values<K> = fn(&K) -> Vec<String>;

pub(super) struct Cache<K> {
    pub(super) objects: BTreeMap<Key, Arc<K>>,
    indices: BTreeMap<&'static str, Index<K>>,
    /// A list under way, which replaces `objects` when it is complete.
    listed: BTreeMap<Key, Arc<K>>,
    /// Takes away what nobody reads before an object is held.
    pub(super) slim: Option<fn(&mut K)>,
}

struct Index<K> {
    values: Values<K>,
    keys: BTreeMap<String, BTreeSet<Key>>,
}

impl<K> Cache<K> {
    pub(super) fn new(indices: impl IntoIterator<Item = (&'static str, Values<K>)>) -> Self {
        let indices = indices
            .into_iter()
            .map(|(name, values)| (name, Index { values, keys: BTreeMap::new() }))
            .collect();
        Self { objects: BTreeMap::new(), indices, listed: BTreeMap::new(), slim: None }
    }

    pub(super) fn within(&self, namespace: &str) -> Vec<Arc<K>> {
        let first = Key::new(namespace, "");
        let within = self.objects.range(first..).take_while(|(key, _)| &*key.namespace == namespace);
        within.map(|(_, object)| object.clone()).collect()
    }

    pub(super) fn by(&self, index: &str, value: &str) -> Vec<Arc<K>> {
        let found = &self.indices.get(index).expect("invariant: the index was named at creation").keys;
        let keys = found.get(value).into_iter().flatten();
        keys.filter_map(|key| self.objects.get(key).cloned()).collect()
    }
}

impl<K: Resource> Cache<K> {
    /// The object as the cache holds it.
    fn held(&self, mut object: K) -> Arc<K> {
        object.meta_mut().managed_fields = None;
        if let Some(slim) = self.slim {
            slim(&mut object);
        }
        Arc::new(object)
    }

    /// Brings one event in; returns what it changes.
    pub(super) fn accept(&mut self, event: watcher::Event<K>) -> Vec<Change<K>> {
        match event {
            watcher::Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            watcher::Event::InitApply(object) => {
                let object = self.held(object);
                self.listed.insert(Key::of(object.as_ref()), object);
                Vec::new()
            }
            watcher::Event::InitDone => self.replace(),
            watcher::Event::Apply(object) => {
                let object = self.held(object);
                vec![self.put(&Key::of(object.as_ref()), object)]
            }
            watcher::Event::Delete(object) => {
                // The last state is the watch's, not ours: it names the deletion.
                let object = self.held(object);
                self.remove(&Key::of(object.as_ref()))
                    .map(|_| Change::Deleted { old: object })
                    .into_iter()
                    .collect()
            }
        }
    }

    /// Makes the complete list the cache's content; returns what that changes.
    fn replace(&mut self) -> Vec<Change<K>> {
        let listed = std::mem::take(&mut self.listed);
        let gone: Vec<Key> = self.objects.keys().filter(|key| !listed.contains_key(*key)).cloned().collect();
        let mut changes: Vec<_> =
            gone.iter().filter_map(|key| self.remove(key)).map(|old| Change::Deleted { old }).collect();
        for (key, new) in listed {
            let is_known = self.objects.get(&key).is_some_and(|old| {
                old.meta().resource_version == new.meta().resource_version && old.meta().uid == new.meta().uid
            });
            if !is_known {
                changes.push(self.put(&key, new));
            }
        }
        changes
    }

    fn put(&mut self, key: &Key, new: Arc<K>) -> Change<K> {
        let old = self.objects.insert(key.clone(), new.clone());
        for index in self.indices.values_mut() {
            index.change(key, old.as_deref(), Some(&new));
        }
        Change::Applied { old, new }
    }

    fn remove(&mut self, key: &Key) -> Option<Arc<K>> {
        let old = self.objects.remove(key)?;
        for index in self.indices.values_mut() {
            index.change(key, Some(&old), None);
        }
        Some(old)
    }
}

impl<K> Index<K> {
    fn change(&mut self, key: &Key, old: Option<&K>, new: Option<&K>) {
        let before = old.map(self.values).unwrap_or_default();
        let after = new.map(self.values).unwrap_or_default();
        if before == after {
            return;
        }
        for value in &before {
            if let Some(keys) = self.keys.get_mut(value) {
                keys.remove(key);
                if keys.is_empty() {
                    self.keys.remove(value);
                }
            }
        }
        for value in after {
            self.keys.entry(value).or_default().insert(key.clone());
        }
    }
}
