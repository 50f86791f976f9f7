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

mod cache;

#[cfg(test)]
mod tests;

use cache::{Cache, Values};

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
        Self(Arc::new(Shared {
            subscribers: Mutex::default(),
            cache: Mutex::new(Cache::new(indices)),
            synced: watch::Sender::new(false),
        }))
    }

    /// Takes away from each object what `slim` does before it is held: thousands are, and most of
    /// what they say nobody here reads. Indices see what is left.
    #[must_use]
    pub fn slimmed(self, slim: fn(&mut K)) -> Self {
        self.cache().slim = Some(slim);
        self
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
        self.cache().within(namespace)
    }

    /// The objects an index finds under `value`, by namespace and name.
    ///
    /// # Panics
    /// When there is no such index.
    pub fn by(&self, index: &str, value: &str) -> Vec<Arc<K>> {
        self.cache().by(index, value)
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("invariant: no panic under this lock")
}
