//! Nodes and pods for tests.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use mainstay_base::random::{Random, Seed};
use mainstay_control::Key;
use serde_json::{Value, json};

use crate::life::Life;
use crate::{NodeState, PodState, Seen, Snapshot};

/// A stream of random numbers.
pub(crate) fn random(seed: u64) -> Random {
    Random::named(Seed(seed), "test")
}

/// A node with 4 cores, 16 GiB and room for 10 pods, in the zone its name begins with; `changes` are
/// merged into it.
pub(crate) fn node(name: &str, changes: Value) -> Node {
    let zone = name.chars().next().unwrap_or('a').to_string();
    let mut node = json!({
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone,
        }},
        "spec": {},
        "status": {"allocatable": {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "20Gi", "pods": "10"}},
    });
    merge(&mut node, changes);
    serde_json::from_value(node).unwrap()
}

/// A pod of one container that asks for nothing; `changes` are merged into it.
pub(crate) fn pod(name: &str, changes: Value) -> Seen {
    let mut pod = json!({
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}")},
        "spec": {"schedulerName": "default-scheduler", "containers": [{"name": "c"}]},
    });
    merge(&mut pod, changes);
    serde_json::from_value(pod).unwrap()
}

/// A pod that asks for CPU and memory.
pub(crate) fn asking(name: &str, cpu: &str, memory: &str) -> Seen {
    let requests = json!({"cpu": cpu, "memory": memory});
    pod(name, json!({"spec": {"containers": [{"name": "c", "resources": {"requests": requests}}]}}))
}

/// A pod of these changes that wants a node.
pub(crate) fn wanted(changes: Value) -> PodState {
    PodState::of(&pod("wanted", changes))
}

/// A pod that asks for CPU and memory and wants a node.
pub(crate) fn wanting(cpu: &str, memory: &str) -> PodState {
    PodState::of(&asking("wanted", cpu, memory))
}

/// The key of a pod of [`pod`].
pub(crate) fn key(name: &str) -> Key {
    Key::new("default", name)
}

/// A snapshot of these nodes.
pub(crate) fn snapshot(nodes: &[Node]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for node in nodes {
        snapshot.put(node);
    }
    snapshot
}

/// Puts pods on a node.
pub(crate) fn fill(snapshot: &mut Snapshot, node: &str, pods: impl IntoIterator<Item = Seen>) {
    for pod in pods {
        let state = Arc::new(PodState::of(&pod));
        snapshot.put_pod(node, state.clone());
        snapshot.note(&state.key, Life::of(&pod));
    }
}

/// One node with pods on it.
pub(crate) fn filled(node: &Node, pods: impl IntoIterator<Item = Seen>) -> NodeState {
    let name = node.metadata.name.clone().unwrap_or_default();
    let mut snapshot = snapshot(std::slice::from_ref(node));
    fill(&mut snapshot, &name, pods);
    snapshot.node(&name).unwrap().clone()
}

fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, value) in changes {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, changes) => *into = changes,
    }
}
