//! A cache of all objects of one kind, kept by a watch, with indices and subscribers.
//!
//! One informer serves any number of controllers: they read the cache and are told of every change
//! after the cache shows it.
//!
//! **Invariants:** a subscriber sees every object once on subscribing, then every change in the
//! order of the watch, each with the object's state before; a list after a broken watch shows as the
//! changes it amounts to. Objects are held without their managed fields.
//!
//! **Spec:** upstream's shared informers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use futures::{Stream, StreamExt};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use mainstay_base::task::Outcome;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::Key;
use crate::backoff::WatchBackoff;

#[cfg(test)]
mod tests;

/// What happened to an object.
#[derive(Debug)]
pub enum Change<K> {
    /// It is there, new or changed.
    Applied {
        /// Its state before, if it was there.
        old: Option<Arc<K>>,
        /// Its state now.
        new: Arc<K>,
    },
    /// It is gone.
    Deleted {
        /// Its last state.
        old: Arc<K>,
    },
}

impl<K> Change<K> {
    /// The object's state now, or its last one.
    pub fn latest(&self) -> &Arc<K> {
        match self {
            Self::Applied { new, .. } => new,
            Self::Deleted { old } => old,
        }
    }

    /// The object's state before, if it was there.
    pub fn before(&self) -> Option<&Arc<K>> {
        match self {
            Self::Applied { old, .. } => old.as_ref(),
            Self::Deleted { old } => Some(old),
        }
    }

    /// The object's state now, if it is there.
    pub fn now(&self) -> Option<&Arc<K>> {
        match self {
            Self::Applied { new, .. } => Some(new),
            Self::Deleted { .. } => None,
        }
    }
}

type Handler<K> = dyn Fn(&Change<K>) + Send + Sync;
type Values<K> = fn(&K) -> Vec<String>;

/// A cache of one kind; clones share it.
pub struct Informer<K>(Arc<Shared<K>>);

impl<K> Clone for Informer<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<K> {
    /// Held while a change is stored and told, so that subscribing falls between two changes.
    subscribers: Mutex<Vec<Weak<Handler<K>>>>,
    cache: Mutex<Cache<K>>,
    synced: watch::Sender<bool>,
}

struct Cache<K> {
    objects: BTreeMap<Key, Arc<K>>,
    indices: BTreeMap<&'static str, Index<K>>,
    /// A list under way, which replaces `objects` when it is complete.
    listed: BTreeMap<Key, Arc<K>>,
}

struct Index<K> {
    values: Values<K>,
    keys: BTreeMap<String, BTreeSet<Key>>,
}

/// Keeps a subscription; dropping it ends it.
pub struct Subscription<K>(#[allow(dead_code, reason = "it is its being held that counts")] Arc<Handler<K>>);

impl<K> Default for Informer<K> {
    fn default() -> Self {
        Self::new([])
    }
}

impl<K> Informer<K> {
    /// An empty cache with these indices: a name, and the values an object is found by.
    pub fn new(indices: impl IntoIterator<Item = (&'static str, Values<K>)>) -> Self {
        let indices = indices
            .into_iter()
            .map(|(name, values)| (name, Index { values, keys: BTreeMap::new() }))
            .collect();
        let cache = Cache { objects: BTreeMap::new(), indices, listed: BTreeMap::new() };
        Self(Arc::new(Shared {
            subscribers: Mutex::default(),
            cache: Mutex::new(cache),
            synced: watch::Sender::new(false),
        }))
    }

    /// The object of this key.
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.cache().objects.get(key).cloned()
    }

    /// All objects, by namespace and name.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.cache().objects.values().cloned().collect()
    }

    /// The objects of one namespace, by name.
    pub fn within(&self, namespace: &str) -> Vec<Arc<K>> {
        let first = Key::new(namespace, "");
        let cache = self.cache();
        let within = cache.objects.range(first..).take_while(|(key, _)| &*key.namespace == namespace);
        within.map(|(_, object)| object.clone()).collect()
    }

    /// The objects an index finds under `value`, by namespace and name.
    ///
    /// # Panics
    /// When there is no such index.
    pub fn by(&self, index: &str, value: &str) -> Vec<Arc<K>> {
        let cache = self.cache();
        let found = &cache.indices.get(index).expect("invariant: the index was named at creation").keys;
        let keys = found.get(value).into_iter().flatten();
        keys.filter_map(|key| cache.objects.get(key).cloned()).collect()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.cache().objects.len()
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns once the first list is complete.
    pub async fn synced(&self) {
        let mut synced = self.0.synced.subscribe();
        // An error means that no watch will ever fill the cache: there is nothing to wait for.
        let _closed = synced.wait_for(|synced| *synced).await;
    }

    /// Tells `handler` of every object there is and of every change from now on. It may read this
    /// cache, but not subscribe to it.
    pub fn subscribe(&self, handler: impl Fn(&Change<K>) + Send + Sync + 'static) -> Subscription<K> {
        let handler: Arc<Handler<K>> = Arc::new(handler);
        let mut subscribers = lock(&self.0.subscribers);
        for new in self.all() {
            handler(&Change::Applied { old: None, new });
        }
        subscribers.retain(|subscriber| subscriber.strong_count() > 0);
        subscribers.push(Arc::downgrade(&handler));
        Subscription(handler)
    }

    fn cache(&self) -> MutexGuard<'_, Cache<K>> {
        lock(&self.0.cache)
    }
}

impl<K: Resource> Informer<K> {
    /// Keeps the cache from `api`, for as long as it is polled.
    pub async fn run(&self, api: Api<K>, config: watcher::Config) -> Outcome
    where
        K: Clone + DeserializeOwned + Debug + Send + 'static,
    {
        self.follow(watcher(api, config).boxed()).await
    }

    /// Keeps the cache from a watch that is already described.
    pub async fn follow<S>(&self, events: S) -> Outcome
    where
        S: Stream<Item = Result<watcher::Event<K>, watcher::Error>> + Send,
    {
        let mut events = std::pin::pin!(events.backoff(WatchBackoff::default()));
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => self.accept(event),
                Err(error) => tracing::debug!(kind = std::any::type_name::<K>(), %error, "watch failed"),
            }
        }
        Err("a watch ended".into())
    }

    /// Brings one event into the cache, then tells the subscribers.
    pub fn accept(&self, event: watcher::Event<K>) {
        let subscribers = lock(&self.0.subscribers);
        let is_list_end = matches!(event, watcher::Event::InitDone);
        let changes = self.cache().accept(event);
        for change in &changes {
            for subscriber in subscribers.iter().filter_map(Weak::upgrade) {
                subscriber(change);
            }
        }
        drop(subscribers);
        if is_list_end {
            self.0.synced.send_if_modified(|synced| !std::mem::replace(synced, true));
        }
    }
}

impl<K: Resource> Cache<K> {
    fn accept(&mut self, event: watcher::Event<K>) -> Vec<Change<K>> {
        match event {
            watcher::Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            watcher::Event::InitApply(object) => {
                let object = held(object);
                self.listed.insert(Key::of(object.as_ref()), object);
                Vec::new()
            }
            watcher::Event::InitDone => self.replace(),
            watcher::Event::Apply(object) => {
                let object = held(object);
                vec![self.put(&Key::of(object.as_ref()), object)]
            }
            watcher::Event::Delete(object) => {
                // The last state is the watch's, not ours: it names the deletion.
                let object = held(object);
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

/// The object as the cache holds it.
fn held<K: Resource>(mut object: K) -> Arc<K> {
    object.meta_mut().managed_fields = None;
    Arc::new(object)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("invariant: no panic under this lock")
}
