//! The node lifecycle controller: what a silent node becomes, and what becomes of its pods.
//!
//! Upstream looks at every node each five seconds. Between two looks at one that did not change only
//! the time until it counts as silent passes, so here a node is looked at when it has changed or
//! that time is over, at the very moments upstream's looks would fall on.
//!
//! **Invariants:** a node's conditions and taints are written only over the node they were decided
//! from.
//!
//! **Spec:** upstream's `nodelifecycle`: its periods, conditions, taints, labels and events.
//!
//! **Not here:** which pods a taint drives away (`taint_eviction`), pods of nodes that are gone
//! (`pod_garbage`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, ObjectReference, Pod, Taint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use kube::api::Patch;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::events::{self, EventType};
use mainstay_control::informer::Subscription;
use mainstay_control::{Change, Component, Counters, Key, Next, Queue, Recorder, Writer, reconcile, writes};
use mainstay_resource::Rule;
use serde_json::json;
use tokio::sync::Notify;

use crate::informers::BY_NODE;
use crate::{Informers, pods};

mod grid;
pub mod health;
mod monitor;
pub mod taints;
pub mod zones;

#[cfg(test)]
mod tests;

use health::{Ready, Renewal};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "node-lifecycle-controller";
/// What its events say they come from.
const SOURCE: &str = "node-controller";
/// The user it writes as, and the taint eviction with it.
pub const USER: &str = "system:serviceaccount:kube-system:node-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &[""], resources: &["nodes", "nodes/status", "pods/status"], verbs: &["patch"] },
    Rule { groups: &[""], resources: &["pods"], verbs: &["delete"] },
    events::RULE,
];

/// Nodes whose taints and labels are set at a time.
const NODE_WORKERS: usize = 8;
/// Pods marked at a time.
const POD_WORKERS: usize = 4;

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, SOURCE);
    let controller = Arc::new(Controller {
        writer: Writer::new(client.clone(), NAME),
        world,
        informers,
        recorder,
        seen: Mutex::default(),
        changed: Notify::new(),
        nodes: Queue::default(),
        pods: Queue::default(),
    });
    let _subscriptions = subscribe(&controller);
    controller.informers.leases.synced().await;
    controller.informers.nodes.synced().await;
    controller.informers.pods.synced().await;
    let update = |name: Arc<str>| {
        let controller = controller.clone();
        async move { controller.update(&name).await }
    };
    let mark = |key: Key| {
        let controller = controller.clone();
        async move { controller.mark(&key).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(NAME, &controller.nodes, NODE_WORKERS, &counters, update) => {}
        () = reconcile::run(NAME, &controller.pods, POD_WORKERS, &counters, mark) => {}
        () = monitor::run(&controller) => {}
        () = sink.run(client) => {}
    }
    Err("the work loop ended".into())
}

/// What the caches have told since the last look.
#[derive(Debug, Default)]
struct Seen {
    /// Nodes to look at.
    nodes: BTreeSet<Arc<str>>,
    /// The last renewal of each node's lease.
    leases: BTreeMap<Arc<str>, Renewal>,
}

struct Controller {
    writer: Writer,
    world: World,
    informers: Informers,
    recorder: Recorder,
    seen: Mutex<Seen>,
    /// Told when there is a node to look at.
    changed: Notify,
    /// Nodes whose taints or labels do not fit what they say.
    nodes: Queue<Arc<str>>,
    /// Ready pods on nodes that are not.
    pods: Queue<Key>,
}

type Subscriptions = (Subscription<Node>, Subscription<Lease>, Subscription<Pod>);

/// Keeps `controller` told of changes, for as long as the result is held.
fn subscribe(controller: &Arc<Controller>) -> Subscriptions {
    let told = controller.clone();
    let nodes = controller.informers.nodes.subscribe(move |change| told.node_changed(change));
    let told = controller.clone();
    let leases = controller.informers.leases.subscribe(move |change| told.lease_changed(change));
    let told = controller.clone();
    let pods = controller.informers.pods.subscribe(move |change| told.pod_changed(change));
    (nodes, leases, pods)
}

impl Controller {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("invariant: no panic under this lock")
    }

    fn node_changed(&self, change: &Change<Node>) {
        let node = change.latest();
        let name: Arc<str> = node.name_any().into();
        if change.now().is_some() && !self.is_fitting(node) {
            self.nodes.add(name.clone());
        }
        let is_same = matches!(change, Change::Applied { old: Some(old), new } if {
            health::condition(old, "Ready") == health::condition(new, "Ready")
                && taints::of(old) == taints::of(new)
                && old.metadata.labels == new.metadata.labels
                && old.metadata.uid == new.metadata.uid
        });
        if !is_same {
            self.look_at(name);
        }
    }

    fn look_at(&self, name: Arc<str>) {
        self.seen().nodes.insert(name);
        self.changed.notify_one();
    }

    fn lease_changed(&self, change: &Change<Lease>) {
        let lease = change.latest();
        let name = lease.metadata.name.as_deref().unwrap_or_default();
        let mut seen = self.seen();
        if change.now().is_none() {
            seen.leases.remove(name);
            return;
        }
        let Some(time) = lease.spec.as_ref().and_then(|spec| spec.renew_time.clone()) else { return };
        let seen_at = self.world.now();
        match seen.leases.get_mut(name) {
            Some(known) if known.time.0 < time.0 => *known = Renewal { time, seen_at },
            Some(_) => {}
            None => {
                seen.leases.insert(name.into(), Renewal { time, seen_at });
                seen.nodes.insert(name.into());
                self.changed.notify_one();
            }
        }
    }

    /// A pod that says it is ready may come to a node that is not.
    fn pod_changed(&self, change: &Change<Pod>) {
        let Some((pod, node)) = change.now().and_then(|pod| Some((pod, pods::node(pod)?))) else { return };
        let was_there = change.before().and_then(|old| pods::node(old)) == Some(node);
        if was_there || !pods::is_ready(pod) {
            return;
        }
        let ready = self.informers.nodes.get(&Key::cluster(node)).and_then(|node| health::ready(&node));
        if ready.is_some_and(|ready| ready != Ready::True) {
            self.pods.add(Key::of(pod.as_ref()));
        }
    }

    fn is_fitting(&self, node: &Node) -> bool {
        taints::labels(node).is_empty() && taints::no_schedule(node, self.world.now()).is_none()
    }

    /// Sets the taints that keep pods away, and the labels that follow others.
    async fn update(&self, name: &str) -> reconcile::Outcome {
        let Some(node) = self.informers.nodes.get(&Key::cluster(name)) else { return Ok(Next::Wait) };
        let mut change = json!({"metadata": {"resourceVersion": node.metadata.resource_version}});
        let labels = taints::labels(&node);
        let taints = taints::no_schedule(&node, self.world.now());
        if labels.is_empty() && taints.is_none() {
            return Ok(Next::Wait);
        }
        if !labels.is_empty() {
            change["metadata"]["labels"] = json!(labels);
        }
        if let Some(taints) = taints {
            change["spec"] = json!({"taints": taints});
        }
        writes::unless_gone(self.writer.merge::<Node>(&Key::cluster(name), &change).await)?;
        Ok(Next::Wait)
    }

    /// Gives a node these taints instead of its own.
    async fn set_taints(&self, node: &Node, taints: &[Taint]) -> Result<(), kube::Error> {
        let version = &node.metadata.resource_version;
        let change = json!({"metadata": {"resourceVersion": version}, "spec": {"taints": taints}});
        writes::unless_gone(self.writer.merge::<Node>(&Key::of(node), &change).await)
    }

    /// Says that a pod is not ready, because its node is not.
    async fn mark(&self, key: &Key) -> reconcile::Outcome {
        if let Some(pod) = self.informers.pods.get(key) {
            self.mark_not_ready(&pod).await?;
        }
        Ok(Next::Wait)
    }

    async fn mark_pods_not_ready(&self, node: &str) -> Result<(), kube::Error> {
        let mut result = Ok(());
        for pod in self.informers.pods.by(BY_NODE, node) {
            result = self.mark_not_ready(&pod).await.and(result);
        }
        result
    }

    async fn mark_not_ready(&self, pod: &Pod) -> Result<(), kube::Error> {
        if pods::condition(pod, "Ready").is_none_or(|ready| ready.status == "False") {
            return Ok(());
        }
        let ready = json!({"type": "Ready", "status": "False", "lastTransitionTime": Time(self.world.now())});
        let uid = &pod.metadata.uid;
        let change = Patch::Strategic(json!({"metadata": {"uid": uid}, "status": {"conditions": [ready]}}));
        match self.writer.patch::<Pod>(&Key::of(pod), Some("status"), &change).await {
            Err(error) if writes::is_not_found(&error) => return Ok(()),
            other => other?,
        }
        self.recorder.warning(pod, "NodeNotReady", "Node is not ready".to_owned());
        Ok(())
    }

    fn tell(&self, name: &str, uid: &str, reason: &'static str, message: String) {
        let node = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Node".to_owned()),
            name: Some(name.to_owned()),
            uid: Some(uid.to_owned()),
            ..ObjectReference::default()
        };
        self.recorder.record(node, EventType::Normal, reason, message);
    }
}
