//! Every change of one kind, told once and then forgotten: for who keeps what it needs itself.
//!
//! An [`crate::Informer`] holds whole objects for many readers; a feed holds their keys alone, which
//! it needs to tell what is gone after a list.
//!
//! **Invariants:** changes are told in the order of the watch; after the first list, and again after
//! each further one, those objects that a list lacks are told as gone.

use std::collections::BTreeSet;
use std::fmt::Debug;

use futures::{Stream, StreamExt};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use mainstay_base::task::Outcome;
use serde::de::DeserializeOwned;

use crate::Key;
use crate::backoff::WatchBackoff;

/// What a feed tells.
#[derive(Debug)]
pub enum News<K> {
    /// An object is there, new or changed or as before.
    Applied(K),
    /// The object of this key is gone.
    Gone(Key),
    /// A list is complete.
    Listed,
}

/// Tells of the objects of `api` for as long as it is polled.
pub async fn feed<K>(api: Api<K>, config: watcher::Config, tell: impl FnMut(News<K>) + Send) -> Outcome
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    follow(watcher(api, config).boxed(), tell).await
}

async fn follow<K: Resource, S>(events: S, mut tell: impl FnMut(News<K>)) -> Outcome
where
    S: Stream<Item = Result<watcher::Event<K>, watcher::Error>> + Send,
{
    let mut known = Known::default();
    let mut events = std::pin::pin!(events.backoff(WatchBackoff::default()));
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => known.accept(event, &mut tell),
            Err(error) => tracing::debug!(kind = std::any::type_name::<K>(), %error, "watch failed"),
        }
    }
    Err("a watch ended".into())
}

/// The keys of the objects that are there.
#[derive(Debug, Default)]
struct Known {
    keys: BTreeSet<Key>,
    listed: BTreeSet<Key>,
}

impl Known {
    fn accept<K: Resource>(&mut self, event: watcher::Event<K>, tell: &mut impl FnMut(News<K>)) {
        match event {
            watcher::Event::Init => self.listed.clear(),
            watcher::Event::InitApply(object) => {
                self.listed.insert(Key::of(&object));
                tell(News::Applied(object));
            }
            watcher::Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                let before = std::mem::replace(&mut self.keys, listed);
                before
                    .into_iter()
                    .filter(|key| !self.keys.contains(key))
                    .for_each(|key| tell(News::Gone(key)));
                tell(News::Listed);
            }
            watcher::Event::Apply(object) => {
                self.keys.insert(Key::of(&object));
                tell(News::Applied(object));
            }
            watcher::Event::Delete(object) => {
                let key = Key::of(&object);
                self.keys.remove(&key);
                tell(News::Gone(key));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
    use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};

    fn map(name: &str) -> ConfigMap {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    #[test]
    fn what_a_later_list_lacks_is_gone() {
        let (mut known, mut told) = (Known::default(), Vec::new());
        let events = [
            Init,
            InitApply(map("a")),
            InitApply(map("b")),
            InitDone,
            Apply(map("c")),
            Delete(map("a")),
            Init,
            InitApply(map("c")),
            InitDone,
        ];
        for event in events {
            known.accept(event, &mut |news| {
                told.push(match news {
                    News::Applied(map) => format!("+{}", map.metadata.name.unwrap_or_default()),
                    News::Gone(key) => format!("-{key}"),
                    News::Listed => "listed".to_owned(),
                });
            });
        }
        assert_eq!(told, ["+a", "+b", "listed", "+c", "-a", "+c", "-b", "listed"]);
    }
}
