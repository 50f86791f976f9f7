//! The pod garbage collector: pods bound to nodes that are no more.
//!
//! **Spec:** upstream's `podgc`: a node must be gone for 40 seconds; its pods are then failed and
//! deleted by force. Upstream looks every 20 seconds, here each node that goes is looked at once.

use std::sync::Arc;
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

/// The collector as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let collector =
        Arc::new(Collector { writer: Writer::new(client, NAME), world, informers, queue: Queue::default() });
    collector.informers.nodes.synced().await;
    collector.informers.pods.synced().await;
    let told = collector.clone();
    let _nodes = collector.informers.nodes.subscribe(move |change: &Change<Node>| {
        if let (None, Some(name)) = (change.now(), change.latest().metadata.name.as_deref()) {
            told.queue.add_after(Arc::from(name), QUARANTINE);
        }
    });
    let told = collector.clone();
    let _pods = collector.informers.pods.subscribe(move |change| told.pod_changed(change));
    let work = |node: Arc<str>| {
        let collector = collector.clone();
        async move { collector.sync(&node).await }
    };
    reconcile::run(NAME, &collector.queue, 1, &counters, work).await;
    Err("the work loop ended".into())
}

struct Collector {
    writer: Writer,
    world: World,
    informers: Informers,
    queue: Queue<Arc<str>>,
}

impl Collector {
    /// A pod may be bound to a node just after that went, or be found so at the start.
    fn pod_changed(&self, change: &Change<Pod>) {
        let Some(node) = change.now().and_then(|pod| pods::node(pod)) else { return };
        let was_there = change.before().and_then(|old| pods::node(old)) == Some(node);
        if !was_there && self.informers.nodes.get(&Key::cluster(node)).is_none() {
            self.queue.add_after(Arc::from(node), QUARANTINE);
        }
    }

    async fn sync(&self, node: &str) -> reconcile::Outcome {
        let bound = self.informers.pods.by(BY_NODE, node);
        if bound.is_empty() || self.informers.nodes.get(&Key::cluster(node)).is_some() {
            return Ok(Next::Wait);
        }
        // The cache may be late; the server knows.
        let nodes = Api::<Node>::all(self.writer.client().clone());
        if nodes.get_metadata_opt(node).await?.is_some() {
            return Ok(Next::Wait);
        }
        for pod in bound {
            self.collect(&pod).await?;
        }
        Ok(Next::Wait)
    }

    async fn collect(&self, pod: &Pod) -> Result<(), kube::Error> {
        let key = Key::of(pod);
        if let Some(patch) = failed(pod, self.world.now()) {
            let patched = self.writer.patch::<Pod>(&key, Some("status"), &Patch::Strategic(patch)).await;
            writes::unless_gone(patched)?;
        }
        let by_force = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        self.writer.delete::<Pod>(&key, &by_force).await
    }
}

/// The status of a pod whose node is gone; `None` for one that had run to its end.
fn failed(pod: &Pod, now: Timestamp) -> Option<Value> {
    let condition = json!({
        "type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC",
        "message": "PodGC: node no longer exists", "lastTransitionTime": Time(now),
    });
    (!pods::is_ended(pod)).then(|| json!({"status": {"phase": "Failed", "conditions": [condition]}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pod_that_still_ran_is_failed() {
        let pod = |phase: &str| serde_json::from_value::<Pod>(json!({"status": {"phase": phase}})).unwrap();
        let patch = failed(&pod("Running"), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(patch["status"]["phase"], "Failed");
        assert_eq!(patch["status"]["conditions"][0]["reason"], "DeletionByPodGC");
        assert_eq!(failed(&pod("Succeeded"), Timestamp::UNIX_EPOCH), None);
    }
}
