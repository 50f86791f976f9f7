//! kube's own reflector and controller, with what they leave to chance taken out.
//!
//! For controllers of few objects; others use [`crate::Informer`] and [`crate::Queue`].

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::Resource;
use kube::runtime::controller::{self, Action};
use kube::runtime::reflector::{Lookup, ObjectRef, Store};
use kube::runtime::watcher;
use mainstay_base::task::Outcome;

use crate::{Counters, Key};

/// Everything in a reflector's store, by namespace and name.
pub fn sorted<K>(store: &Store<K>) -> Vec<Arc<K>>
where
    K: Resource + Lookup<DynamicType = <K as Resource>::DynamicType> + Clone + 'static,
    <K as Resource>::DynamicType: Eq + Hash + Clone,
{
    #[allow(clippy::disallowed_methods, reason = "the one place that sorts what it returns")]
    let mut objects = store.state();
    objects.sort_by_cached_key(|object| Key::of(object.as_ref()));
    objects
}

/// How controllers list and watch: paged lists, then a watch with bookmarks.
pub fn watch_config() -> watcher::Config {
    watcher::Config::default()
}

/// How long a failed object of a kube `Controller` waits; kube keeps no count of failures for us.
pub fn requeue_failed() -> Action {
    Action::requeue(Duration::from_secs(5))
}

/// Drives the stream of a kube `Controller`; returns, as a failure, when it ends.
pub async fn drive<K, E, Q>(
    name: &str,
    counters: &Counters,
    stream: impl Stream<Item = Result<(ObjectRef<K>, Action), controller::Error<E, Q>>>,
) -> Outcome
where
    K: Lookup,
    E: Display + Debug + std::error::Error + 'static,
    Q: Display + Debug + std::error::Error + 'static,
{
    let mut stream = std::pin::pin!(stream);
    while let Some(result) = stream.next().await {
        match result {
            Ok(_) => counters.succeeded(),
            // The object went away between its change and its turn.
            Err(controller::Error::ObjectNotFound(_)) => {}
            Err(error) => {
                counters.failed();
                tracing::warn!(controller = name, %error, "failed, tried again");
            }
        }
    }
    Err(format!("the controller {name} ended").into())
}
