//! What the scheduler watches, and what it takes in of each kind.

use k8s_openapi::api::apps::v1::{ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{
    Namespace, Node, PersistentVolume, PersistentVolumeClaim, ReplicationController, Service,
};
use k8s_openapi::api::storage::v1::{CSINode, StorageClass};
use kube::{Api, Client, Resource};
use mainstay_base::task::Outcome;
use mainstay_control::feed::feed;
use mainstay_control::reflect::watch_config;
use mainstay_control::{Excerpt, Key, News};
use mainstay_resource::LabelSelector;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Scheduler;
use crate::budgets::SeenBudget;
use crate::demand::Labels;
use crate::seen::Seen;
use crate::state::State;
use crate::storage::{Claim, Class, Volume, limits};

/// How many kinds are watched.
const KINDS: u32 = 12;

/// Which kinds were listed.
#[derive(Debug, Default)]
pub(super) struct Listed(watch::Sender<u32>);

impl Listed {
    /// Returns once every kind was listed.
    pub(super) async fn all(&self) {
        let mut listed = self.0.subscribe();
        // An error means that no list will ever come: there is nothing to wait for.
        let _closed = listed.wait_for(|listed| *listed == (1 << KINDS) - 1).await;
    }

    fn note(&self, kind: u32) {
        self.0.send_modify(|listed| *listed |= 1 << kind);
    }
}

/// Of what has pods of its own: whose they are.
#[derive(Clone, Debug, Default, Deserialize)]
struct Selecting<S> {
    selector: Option<S>,
}

type Set<K> = Excerpt<K, Selecting<Value>>;
/// Services and replication controllers select by exact labels.
type Simple<K> = Excerpt<K, Selecting<Labels>>;

/// Keeps the state up to date for as long as it is polled.
pub(super) async fn run(client: &Client, scheduler: &Scheduler, listed: &Listed) -> Outcome {
    let watch = Watch { client, scheduler, listed };
    tokio::select! {
        biased;
        ended = watch.kind::<Node>(0, |state, news, now| match news {
            News::Applied(node) => state.on_node(&node, now),
            News::Gone(key) => state.on_node_gone(&key.name, now),
            News::Listed => {}
        }) => ended,
        ended = watch.kind::<Excerpt<Namespace, IgnoredAny>>(1, |state, news, _| {
            let labels = |it: Excerpt<Namespace, IgnoredAny>| it.metadata.labels.unwrap_or_default();
            put(news, labels, |key, labels| state.snapshot.put_namespace(&key.name, labels));
        }) => ended,
        ended = watch.kind::<Simple<Service>>(2, |state, news, _| {
            put(news, |service| service.spec.selector, |key, selector: Option<Option<Labels>>| {
                state.snapshot.relations_mut().put_service(key, selector.flatten());
            });
        }) => ended,
        ended = watch.kind::<Simple<ReplicationController>>(3, |state, news, _| {
            put(news, |set| exact(set.spec.selector.as_ref()), |key, selector| {
                state.snapshot.relations_mut().put_set("ReplicationController", key, selector);
            });
        }) => ended,
        ended = watch.kind::<Set<ReplicaSet>>(4, |state, news, _| {
            put(news, |set| read(set.spec.selector), |key, selector| {
                state.snapshot.relations_mut().put_set("ReplicaSet", key, selector);
            });
        }) => ended,
        ended = watch.kind::<Set<StatefulSet>>(5, |state, news, _| {
            put(news, |set| read(set.spec.selector), |key, selector| {
                state.snapshot.relations_mut().put_set("StatefulSet", key, selector);
            });
        }) => ended,
        ended = watch.kind::<SeenBudget>(7, |state, news, _| match news {
            News::Applied(budget) => state.snapshot.budgets_mut().put(budget),
            News::Gone(key) => state.snapshot.budgets_mut().remove(&key),
            News::Listed => {}
        }) => ended,
        ended = storage(&watch) => ended,
        ended = watch.kind::<Seen>(6, |state, news, now| match news {
            News::Applied(pod) => state.on_pod(&pod, now),
            News::Gone(key) => state.on_pod_gone(&key, now),
            News::Listed => {}
        }) => ended,
    }
}

/// Keeps claims, volumes and classes up to date.
async fn storage(watch: &Watch<'_>) -> Outcome {
    tokio::select! {
        biased;
        ended = watch.kind::<PersistentVolumeClaim>(8, |state, news, now| {
            put(news, |claim| Claim::of(&claim), |key, claim| {
                state.on_storage(|storage| storage.put_claim(key, claim), now);
            });
        }) => ended,
        ended = watch.kind::<PersistentVolume>(9, |state, news, now| {
            put(news, |volume| Volume::of(&volume), |key, volume| {
                state.on_storage(|storage| storage.put_volume(&key.name, volume), now);
            });
        }) => ended,
        ended = watch.kind::<CSINode>(11, |state, news, now| {
            put(news, |node| limits(&node), |key, limits| {
                state.on_storage(|storage| storage.put_limits(&key.name, limits), now);
            });
        }) => ended,
        ended = watch.kind::<StorageClass>(10, |state, news, now| {
            put(news, |class| Class::of(&class), |key, class| {
                state.on_storage(|storage| storage.put_class(&key.name, class), now);
            });
        }) => ended,
    }
}

struct Watch<'a> {
    client: &'a Client,
    scheduler: &'a Scheduler,
    listed: &'a Listed,
}

impl Watch<'_> {
    async fn kind<K>(&self, number: u32, take: impl Fn(&mut State, News<K>, Instant) + Send + Sync) -> Outcome
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
    {
        feed(Api::all(self.client.clone()), watch_config(), |news| match news {
            News::Listed => self.listed.note(number),
            news => self.scheduler.take_in(|state, now| take(state, news, now)),
        })
        .await
    }
}

/// Hands on what is read of an object, or that it is gone.
fn put<K: Resource, T>(news: News<K>, read: impl FnOnce(K) -> T, hand_on: impl FnOnce(&Key, Option<T>)) {
    match news {
        News::Applied(object) => {
            let key = Key::of(&object);
            hand_on(&key, Some(read(object)));
        }
        News::Gone(key) => hand_on(&key, None),
        News::Listed => {}
    }
}

fn read(selector: Option<Value>) -> LabelSelector {
    LabelSelector::from_object(&selector.unwrap_or_default()).unwrap_or_else(|_| LabelSelector::nothing())
}

fn exact(selector: Option<&Labels>) -> LabelSelector {
    let pairs = selector.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()));
    LabelSelector::from_pairs(pairs)
}
