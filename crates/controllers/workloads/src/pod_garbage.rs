//! The pod garbage collector: pods whose end nobody else sees to.
//!
//! They are those bound to nodes that are no more, those that end before they were bound, those that
//! end on a node that is out of service, and the oldest of too many that have ended.
//!
//! **Spec:** upstream's `podgc`: a node must be gone for 40 seconds; all else is looked at every 20
//! seconds. Here nothing is looked at while there is nothing to find.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Api;
use kube::api::{DeleteParams, Patch};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::{Change, Component, Counters, Key, Next, Queue, Writer, reconcile, writes};
use mainstay_resource::Rule;
use serde_json::{Value, json};

use crate::informers::BY_NODE;
use crate::{Informers, pods};

pub mod candidates;

#[cfg(test)]
mod tests;

use candidates::Candidates;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "pod-garbage-collector-controller";
/// The user it reads and writes as.
pub const USER: &str = "system:serviceaccount:kube-system:pod-garbage-collector";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &[""], resources: &["nodes"], verbs: &["get"] },
    Rule { groups: &[""], resources: &["pods"], verbs: &["delete"] },
    Rule { groups: &[""], resources: &["pods/status"], verbs: &["patch"] },
];

/// How long a node must be gone.
const QUARANTINE: Duration = Duration::from_secs(40);
/// How often all else is looked at.
const PERIOD: Duration = Duration::from_secs(20);
/// How many pods that have ended are kept.
const THRESHOLD: usize = 12_500;

/// The collector as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let start = world.now();
    let collector = Arc::new(Collector {
        writer: Writer::new(client, NAME),
        world,
        informers,
        start,
        candidates: Mutex::default(),
        queue: Queue::default(),
    });
    collector.informers.nodes.synced().await;
    collector.informers.pods.synced().await;
    let told = collector.clone();
    let _nodes = collector.informers.nodes.subscribe(move |change| told.node_changed(change));
    let told = collector.clone();
    let _pods = collector.informers.pods.subscribe(move |change| told.pod_changed(change));
    let work = |item: Item| {
        let collector = collector.clone();
        async move { collector.sync(&item).await }
    };
    reconcile::run(NAME, &collector.queue, 1, &counters, work).await;
    Err("the work loop ended".into())
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// A node that may be gone.
    Node(Arc<str>),
    /// The pods that may have to go.
    Candidates,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(name) => write!(f, "node {name}"),
            Self::Candidates => f.write_str("candidates"),
        }
    }
}

struct Collector {
    writer: Writer,
    world: World,
    informers: Informers,
    start: Timestamp,
    candidates: Mutex<Candidates>,
    queue: Queue<Item>,
}

impl Collector {
    fn candidates(&self) -> MutexGuard<'_, Candidates> {
        self.candidates.lock().expect("invariant: no panic under this lock")
    }

    fn node_changed(&self, change: &Change<Node>) {
        match change.now() {
            None => {
                let name = change.latest().metadata.name.as_deref().unwrap_or_default();
                self.queue.add_after(Item::Node(Arc::from(name)), QUARANTINE);
            }
            Some(node) if candidates::is_out_of_service(node) => self.look_soon(),
            Some(_) => {}
        }
    }

    fn pod_changed(&self, change: &Change<Pod>) {
        let is_news = self.candidates().note(change, THRESHOLD);
        if is_news {
            self.look_soon();
        }
        // A pod may be bound to a node just after that went, or be found so at the start.
        let Some(node) = change.now().and_then(|pod| pods::node(pod)) else { return };
        let was_there = change.before().and_then(|old| pods::node(old)) == Some(node);
        if !was_there && self.informers.nodes.get(&Key::cluster(node)).is_none() {
            self.queue.add_after(Item::Node(Arc::from(node)), QUARANTINE);
        }
    }

    /// Asks for a look at the next moment upstream would look.
    fn look_soon(&self) {
        let since = self.world.now().duration_since(self.start).unsigned_abs();
        let left = PERIOD.as_nanos() - since.as_nanos() % PERIOD.as_nanos();
        self.queue.add_after(Item::Candidates, Duration::from_nanos(u64::try_from(left).unwrap_or_default()));
    }

    async fn sync(&self, item: &Item) -> reconcile::Outcome {
        match item {
            Item::Node(name) => self.collect_orphans(name).await,
            Item::Candidates => self.collect_candidates().await,
        }
    }

    async fn collect_orphans(&self, node: &str) -> reconcile::Outcome {
        let bound = self.informers.pods.by(BY_NODE, node);
        if bound.is_empty() || self.informers.nodes.get(&Key::cluster(node)).is_some() {
            return Ok(Next::Wait);
        }
        // The cache may be late; the server knows.
        let nodes = Api::<Node>::all(self.writer.client().clone());
        if nodes.get_metadata_opt(node).await?.is_some() {
            return Ok(Next::Wait);
        }
        let condition = json!({
            "type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists", "lastTransitionTime": Time(self.world.now()),
        });
        for pod in bound {
            self.collect(&pod, Some(&condition)).await?;
        }
        Ok(Next::Wait)
    }

    async fn collect_candidates(&self) -> reconcile::Outcome {
        let (ended, ending) = self.candidates().keys();
        let found = |keys: Vec<Key>| -> Vec<Arc<Pod>> {
            keys.iter().filter_map(|key| self.informers.pods.get(key)).collect()
        };
        let mut doomed = candidates::surplus(found(ended), THRESHOLD);
        let node = |name: &str| self.informers.nodes.get(&Key::cluster(name));
        doomed.extend(candidates::abandoned(found(ending), node));
        for pod in doomed {
            self.collect(&pod, None).await?;
        }
        Ok(Next::Wait)
    }

    async fn collect(&self, pod: &Pod, condition: Option<&Value>) -> Result<(), kube::Error> {
        let key = Key::of(pod);
        if let Some(patch) = failed(pod, condition) {
            let patched = self.writer.patch::<Pod>(&key, Some("status"), &Patch::Strategic(patch)).await;
            writes::unless_gone(patched)?;
        }
        let by_force = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        self.writer.delete::<Pod>(&key, &by_force).await
    }
}

/// The status of a pod that is collected; `None` for one that had run to its end.
fn failed(pod: &Pod, condition: Option<&Value>) -> Option<Value> {
    let mut status = json!({"phase": "Failed"});
    if let Some(condition) = condition {
        status["conditions"] = json!([condition]);
    }
    (!pods::is_ended(pod)).then(|| json!({"metadata": {"uid": pod.metadata.uid}, "status": status}))
}
