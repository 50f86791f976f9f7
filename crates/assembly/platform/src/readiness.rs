//! Whether a region has what its ClusterConfig and its Source ask for.
//!
//! Nodes and Deployments are watched through the API like anybody would; what is observed is one
//! value that `status` reads and start-up waits on.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use mainstay_base::task::Outcome;
use mainstay_control::backoff::WatchBackoff;
use tokio::sync::watch;

/// What is so, shared between the watch and its readers.
#[derive(Clone, Debug)]
pub(crate) struct Readiness(watch::Sender<Observed>);

/// What was seen last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// Nodes the ClusterConfig asks for.
    pub(crate) nodes_wanted: usize,
    /// Nodes whose Ready condition is True.
    pub(crate) nodes_ready: usize,
    /// Deployments there are.
    pub(crate) deployments: usize,
    /// Deployments whose replicas are all available.
    pub(crate) deployments_available: usize,
    /// The first Deployment that is not available, and how far it is.
    pub(crate) waiting: Option<String>,
    /// Whether both watches have seen everything once.
    pub(crate) is_complete: bool,
}

impl Observed {
    /// Why the region is not ready, in one line.
    pub(crate) fn reason(&self) -> Option<String> {
        if !self.is_complete {
            return Some("starting".to_owned());
        }
        if self.nodes_ready < self.nodes_wanted {
            return Some(format!("{} of {} nodes are ready", self.nodes_ready, self.nodes_wanted));
        }
        self.waiting.clone()
    }

    fn has_nodes(&self) -> bool {
        self.is_complete && self.nodes_ready >= self.nodes_wanted
    }
}

impl Readiness {
    /// Nothing seen yet; `nodes_wanted` nodes are expected.
    pub(crate) fn expecting(nodes_wanted: usize) -> Self {
        Self(watch::Sender::new(Observed { nodes_wanted, ..Observed::default() }))
    }

    /// Expects so many nodes from now on.
    pub(crate) fn expect(&self, nodes_wanted: usize) {
        self.0.send_if_modified(|observed| {
            let has_changed = observed.nodes_wanted != nodes_wanted;
            observed.nodes_wanted = nodes_wanted;
            has_changed
        });
    }

    /// What was seen last.
    pub(crate) fn observed(&self) -> Observed {
        self.0.borrow().clone()
    }

    /// Returns when all nodes are ready.
    pub(crate) async fn nodes(&self) {
        self.until(Observed::has_nodes).await;
    }

    /// Returns when all nodes are ready and all Deployments available.
    pub(crate) async fn all(&self) {
        self.until(|observed| observed.reason().is_none()).await;
    }

    async fn until(&self, holds: impl FnMut(&Observed) -> bool) {
        let mut changes = self.0.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _always_ok = changes.wait_for(holds).await;
    }

    /// Watches until it is dropped.
    pub(crate) async fn watch(self, client: Client) -> Outcome {
        let config = || watcher::Config::default().any_semantic();
        let nodes = watcher(Api::<Node>::all(client.clone()), config());
        let nodes = nodes
            .backoff(WatchBackoff::default())
            .map_ok(|event| Seen::Node(Change::of(event, is_ready)))
            .boxed();
        let deployments = watcher(Api::<Deployment>::all(client), config());
        let deployments = deployments
            .backoff(WatchBackoff::default())
            .map_ok(|event| Seen::Deployment(Change::of(event, waits_for)))
            .boxed();
        let mut events = futures::stream::select(nodes, deployments);
        let mut seen = Everything::default();
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => seen.take_in(event),
                Err(error) => {
                    tracing::warn!(%error, "readiness watch");
                    continue;
                }
            }
            self.0.send_if_modified(|observed| {
                let now = seen.observe(observed.nodes_wanted);
                let has_changed = *observed != now;
                *observed = now;
                has_changed
            });
        }
        Err("the readiness watch ended".into())
    }
}

enum Seen {
    Node(Change<bool>),
    Deployment(Change<Option<String>>),
}

/// What an event of a watch says about one object, judged.
enum Change<V> {
    Restarted,
    Is(String, V),
    Gone(String),
    Listed,
}

impl<V> Change<V> {
    fn of<K: kube::Resource>(event: watcher::Event<K>, judge: impl Fn(&K) -> V) -> Self {
        let key = |object: &K| format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
        match event {
            watcher::Event::Init => Self::Restarted,
            watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
                Self::Is(key(&object), judge(&object))
            }
            watcher::Event::Delete(object) => Self::Gone(key(&object)),
            watcher::Event::InitDone => Self::Listed,
        }
    }
}

/// The judgements of one kind, by key.
struct Judged<V> {
    objects: BTreeMap<String, V>,
    is_listed: bool,
}

impl<V> Default for Judged<V> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), is_listed: false }
    }
}

impl<V> Judged<V> {
    fn take_in(&mut self, change: Change<V>) {
        match change {
            Change::Restarted => self.objects.clear(),
            Change::Is(key, judgement) => drop(self.objects.insert(key, judgement)),
            Change::Gone(key) => drop(self.objects.remove(&key)),
            Change::Listed => self.is_listed = true,
        }
    }
}

/// Ready per node, and how far per Deployment (`None`: it is available).
#[derive(Default)]
struct Everything {
    nodes: Judged<bool>,
    deployments: Judged<Option<String>>,
}

impl Everything {
    fn take_in(&mut self, seen: Seen) {
        match seen {
            Seen::Node(change) => self.nodes.take_in(change),
            Seen::Deployment(change) => self.deployments.take_in(change),
        }
    }

    fn observe(&self, nodes_wanted: usize) -> Observed {
        let deployments = &self.deployments.objects;
        Observed {
            nodes_wanted,
            nodes_ready: self.nodes.objects.values().filter(|ready| **ready).count(),
            deployments: deployments.len(),
            deployments_available: deployments.values().filter(|waiting| waiting.is_none()).count(),
            waiting: deployments.values().flatten().next().cloned(),
            is_complete: self.nodes.is_listed && self.deployments.is_listed,
        }
    }
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| {
        all.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
    })
}

/// How far a Deployment is; `None` when all its replicas are available.
fn waits_for(deployment: &Deployment) -> Option<String> {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = deployment.status.as_ref();
    let is_observed = status.and_then(|status| status.observed_generation) >= deployment.metadata.generation;
    let available = status.and_then(|status| status.available_replicas).unwrap_or(0);
    let updated = status.and_then(|status| status.updated_replicas).unwrap_or(0);
    if is_observed && available >= wanted && updated >= wanted {
        return None;
    }
    let namespace = deployment.namespace().unwrap_or_default();
    Some(format!(
        "deployment {namespace}/{} has {available} of {wanted} replicas available",
        deployment.name_any()
    ))
}
