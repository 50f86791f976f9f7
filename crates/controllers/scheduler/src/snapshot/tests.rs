//! Tests of the snapshot: what is added can be taken away, whatever the order.

use super::*;
use crate::fixture::{asking, key, node, pod, snapshot};
use proptest::prelude::*;
use serde_json::json;

fn demand(name: &str) -> Arc<Demand> {
    Arc::new(Demand::of(&asking(name, "1", "1Gi")))
}

#[test]
fn only_what_bears_on_a_decision_counts_as_a_change_of_a_node() {
    let mut snapshot = snapshot(&[node("a1", json!({}))]);
    let heartbeat = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    assert!(!snapshot.put_node("a1", Facts::of(&node("a1", heartbeat))));
    assert!(snapshot.put_node("a1", Facts::of(&node("a1", json!({"spec": {"unschedulable": true}})))));
    assert!(snapshot.node("a1").unwrap().facts.is_unschedulable);
}

#[test]
fn an_assumed_pod_is_counted_once_and_confirmed_without_a_change() {
    let mut snapshot = snapshot(&[node("a1", json!({}))]);
    snapshot.assume("a1", demand("web"));
    assert_eq!(snapshot.assumed(&key("web")), Some("uid-web"));
    assert!(!snapshot.put_pod("a1", demand("web")));
    assert_eq!(snapshot.assumed(&key("web")), None);
    assert_eq!(snapshot.node("a1").unwrap().usage.requested.cpu_milli, 1000);
    assert_eq!(snapshot.forget(&key("web")), None, "it is a fact by now");
}

#[test]
fn a_forgotten_assumption_leaves_no_trace() {
    let mut snapshot = snapshot(&[node("a1", json!({}))]);
    snapshot.assume("a1", demand("web"));
    assert_eq!(snapshot.forget(&key("web")).as_deref(), Some("a1"));
    assert_eq!(snapshot.node("a1").unwrap().usage, Usage::default());
}

#[test]
fn pods_of_an_absent_node_count_once_it_is_there_again() {
    let mut snapshot = Snapshot::default();
    snapshot.put_pod("a1", demand("early"));
    assert!(snapshot.is_empty());
    snapshot.put_node("a1", Facts::of(&node("a1", json!({}))));
    assert_eq!(snapshot.node("a1").unwrap().usage.pods.len(), 1);
    snapshot.remove_node("a1");
    snapshot.put_pod("a1", demand("late"));
    snapshot.remove_pod(&key("early"));
    snapshot.put_node("a1", Facts::of(&node("a1", json!({}))));
    let pods: Vec<_> = snapshot.node("a1").unwrap().usage.pods.keys().cloned().collect();
    assert_eq!(pods, [key("late")]);
}

proptest! {
    #[test]
    fn usage_is_always_the_sum_of_the_pods_that_are_there(
        steps in prop::collection::vec((0_u8..6, 0_u8..8, 0_u8..3, any::<bool>()), 0..80),
    ) {
        let names = ["a1", "a2", "b1"];
        let mut snapshot = snapshot(&names.map(|name| node(name, json!({}))));
        for (action, name, on, is_leaving) in steps {
            let on = names[usize::from(on)];
            let name = format!("p{name}");
            let mut changes = json!({
                "metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n",
                                                  "uid": "u", "controller": true}]},
                "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 1, "hostPort": 80}],
                                         "resources": {"requests": {"cpu": "1", "example.com/a": "1"}}}]},
            });
            if is_leaving {
                changes["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            }
            let demand = Arc::new(Demand::of(&pod(&name, changes)));
            match action {
                0 | 1 => { snapshot.put_pod(on, demand); }
                2 => snapshot.assume(on, demand),
                3 => { snapshot.forget(&key(&name)); }
                4 => { snapshot.remove_pod(&key(&name)); }
                _ => {
                    snapshot.remove_node(on);
                    snapshot.put_node(on, Facts::of(&node(on, json!({}))));
                }
            }
            for node in snapshot.nodes() {
                let mut expected = Usage::default();
                node.usage.pods.values().for_each(|pod| expected.add(pod.clone()));
                prop_assert_eq!(&node.usage, &expected);
            }
        }
    }
}
