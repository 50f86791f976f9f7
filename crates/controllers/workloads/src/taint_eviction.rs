//! Taint eviction: pods leave nodes whose `NoExecute` taints they do not tolerate, or not any longer.
//!
//! **Invariants:** a pod has at most one deadline, and it counts from the first taint it tolerates
//! for a while only.
//!
//! **Spec:** upstream's `tainteviction` and its events.
//!
//! **Not here:** who taints nodes (`node_lifecycle`, people).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, ObjectReference, Pod, Taint, Toleration};
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::events::{self, EventType};
use mainstay_control::{Change, Component, Counters, Key, Next, Queue, Recorder, Writer, reconcile, writes};
use serde_json::json;

use crate::informers::BY_NODE;
use crate::node_lifecycle::{RULES, USER, taints};
use crate::{Informers, pods};

pub mod decide;

#[cfg(test)]
mod tests;

use decide::{Decision, Eviction};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "taint-eviction-controller";

/// Nodes and pods worked on at a time.
const WORKERS: usize = 8;

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, NAME);
    let controller = Arc::new(Controller {
        writer: Writer::new(client.clone(), NAME),
        world,
        informers,
        recorder,
        evictions: Mutex::default(),
        queue: Queue::default(),
    });
    controller.informers.nodes.synced().await;
    controller.informers.pods.synced().await;
    let told = controller.clone();
    let _nodes = controller.informers.nodes.subscribe(move |change| told.node_changed(change));
    let told = controller.clone();
    let _pods = controller.informers.pods.subscribe(move |change| told.pod_changed(change));
    let work = |item: Item| {
        let controller = controller.clone();
        async move { controller.sync(&item).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(NAME, &controller.queue, WORKERS, &counters, work) => {}
        () = sink.run(client) => {}
    }
    Err("the work loop ended".into())
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// A node whose taints changed.
    Node(Arc<str>),
    /// A pod whose node or tolerations changed.
    Pod(Key),
    /// A pod whose deadline may be over.
    Deadline(Key),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(name) => write!(f, "node {name}"),
            Self::Pod(key) => write!(f, "pod {key}"),
            Self::Deadline(key) => write!(f, "deadline of pod {key}"),
        }
    }
}

struct Controller {
    writer: Writer,
    world: World,
    informers: Informers,
    recorder: Recorder,
    /// The pods that are to go.
    evictions: Mutex<BTreeMap<Key, Eviction>>,
    queue: Queue<Item>,
}

/// A node's taints that drive pods away.
fn no_execute(node: &Node) -> Vec<Taint> {
    taints::of(node).iter().filter(|taint| taint.effect == "NoExecute").cloned().collect()
}

fn tolerations(pod: &Pod) -> &[Toleration] {
    pod.spec.as_ref().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default()
}

impl Controller {
    fn evictions(&self) -> MutexGuard<'_, BTreeMap<Key, Eviction>> {
        self.evictions.lock().expect("invariant: no panic under this lock")
    }

    fn node_changed(&self, change: &Change<Node>) {
        let Some(node) = change.now() else { return };
        let before = change.before().map(|old| no_execute(old)).unwrap_or_default();
        if before != no_execute(node) {
            self.queue.add(Item::Node(node.name_any().into()));
        }
    }

    fn pod_changed(&self, change: &Change<Pod>) {
        let pod = change.latest();
        let key = Key::of(pod.as_ref());
        let is_same = matches!(change, Change::Applied { old: Some(old), new }
            if pods::node(old) == pods::node(new) && tolerations(old) == tolerations(new));
        // Only a pod that is gone, or is on a tainted node, can have something to do.
        let is_concerned = match change.now() {
            None => self.evictions().contains_key(&key),
            Some(pod) => !is_same && pods::node(pod).is_some_and(|node| self.is_tainted(node)),
        };
        if is_concerned {
            self.queue.add(Item::Pod(key));
        }
    }

    fn is_tainted(&self, node: &str) -> bool {
        let node = self.informers.nodes.get(&Key::cluster(node));
        node.is_some_and(|node| taints::of(&node).iter().any(|taint| taint.effect == "NoExecute"))
    }

    async fn sync(&self, item: &Item) -> reconcile::Outcome {
        match item {
            Item::Node(name) => self.node(name),
            Item::Pod(key) => self.pod(key),
            Item::Deadline(key) => return self.deadline(key).await,
        }
        Ok(Next::Wait)
    }

    fn node(&self, name: &str) {
        let Some(node) = self.informers.nodes.get(&Key::cluster(name)) else { return };
        let taints = no_execute(&node);
        for pod in self.informers.pods.by(BY_NODE, name) {
            self.look(&pod, &taints);
        }
    }

    fn pod(&self, key: &Key) {
        let Some(pod) = self.informers.pods.get(key) else { return self.cancel(key) };
        let node = pods::node(&pod).and_then(|node| self.informers.nodes.get(&Key::cluster(node)));
        let Some(taints) = node.map(|node| no_execute(&node)).filter(|taints| !taints.is_empty()) else {
            return;
        };
        self.look(&pod, &taints);
    }

    /// Decides when a pod on a node with these taints goes.
    fn look(&self, pod: &Pod, taints: &[Taint]) {
        let key = Key::of(pod);
        let known = self.evictions().get(&key).copied();
        match decide::decide(taints, tolerations(pod), known, self.world.now()) {
            Decision::Keep => {}
            Decision::Stay => self.cancel(&key),
            Decision::Go => {
                self.cancel(&key);
                self.schedule(key, Eviction { at: self.world.now(), is_due: true });
            }
            Decision::GoAt(at) => self.schedule(key, Eviction { at, is_due: false }),
        }
    }

    fn schedule(&self, key: Key, eviction: Eviction) {
        self.evictions().insert(key.clone(), eviction);
        let delay = eviction.at.duration_since(self.world.now());
        self.queue.add_after(Item::Deadline(key), Duration::try_from(delay).unwrap_or_default());
    }

    /// A pod stays after all; one that is already on its way out is not held back.
    fn cancel(&self, key: &Key) {
        let cancelled = self.evictions().remove(key);
        if cancelled.is_some_and(|eviction| !eviction.is_due) {
            self.tell(key, format!("Cancelling deletion of Pod {key}"));
        }
    }

    async fn deadline(&self, key: &Key) -> reconcile::Outcome {
        let now = self.world.now();
        let Some(eviction) = self.evictions().get(key).copied() else { return Ok(Next::Wait) };
        if eviction.at > now {
            let left = eviction.at.duration_since(now);
            return Ok(Next::After(Duration::try_from(left).unwrap_or_default()));
        }
        self.tell(key, format!("Marking for deletion Pod {key}"));
        self.evictions().insert(key.clone(), Eviction { is_due: true, ..eviction });
        let evicted = self.evict(key).await;
        self.evictions().remove(key);
        evicted.map(|()| Next::Wait)
    }

    /// Announces the pod's end, then deletes it.
    async fn evict(&self, key: &Key) -> Result<(), kube::Error> {
        let Some(pod) = self.informers.pods.get(key) else { return Ok(()) };
        if let Some(condition) = decide::announcement(&pod, self.world.now()) {
            let uid = &pod.metadata.uid;
            let change = json!({"metadata": {"uid": uid}, "status": {"conditions": [condition]}});
            let written = self.writer.patch::<Pod>(key, Some("status"), &Patch::Strategic(change)).await;
            match written {
                Err(error) if writes::is_not_found(&error) => return Ok(()),
                other => other?,
            }
        }
        self.writer.delete::<Pod>(key, &DeleteParams::default()).await
    }

    fn tell(&self, key: &Key, message: String) {
        let pod = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: Some(key.name.to_string()),
            namespace: Some(key.namespace.to_string()),
            ..ObjectReference::default()
        };
        self.recorder.record(pod, EventType::Normal, "TaintManagerEviction", message);
    }
}
