//! Tests of the snapshot: what is added can be taken away, whatever the order.

use super::census::{Census, Who};
use super::*;
use crate::Seen;
use crate::fixture::{asking, key, node, pod, snapshot};
use mainstay_resource::LabelSelector;
use proptest::prelude::*;
use serde_json::json;

fn state(seen: &Seen) -> Arc<PodState> {
    Arc::new(PodState::of(seen))
}

fn demand(name: &str) -> Arc<PodState> {
    state(&asking(name, "1", "1Gi"))
}

#[test]
fn only_what_bears_on_a_decision_counts_as_a_change_of_a_node() {
    let mut snapshot = snapshot(&[node("a1", json!({}))]);
    let heartbeat = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    assert_eq!(snapshot.put(&node("a1", heartbeat)), Update::Same);
    let cordoned = node("a1", json!({"spec": {"unschedulable": true}}));
    assert!(matches!(snapshot.put(&cordoned), Update::Changed(before) if !before.is_unschedulable));
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

/// Whose pods are counted in the property below: all labelled ones, and those of the sociable.
fn counted() -> Who {
    Who::Alike("default".into(), LabelSelector::parse("app=web").unwrap())
}

/// The census of [`counted`], and of the pods that keep to themselves, as they are kept and as they
/// would be taken now.
fn kept_and_taken(snapshot: &mut Snapshot) -> (Vec<Census>, Vec<Census>) {
    let column = snapshot.column(ZONE);
    let take = |snapshot: &mut Snapshot| {
        let who = snapshot.count(counted(), &[column]);
        let sociable: Vec<Census> = snapshot.sociable().map(|(_, census)| census.trimmed()).collect();
        [vec![snapshot.census(&who).trimmed()], sociable].concat()
    };
    let kept = take(snapshot);
    let mut anew = Snapshot::default();
    for node in snapshot.nodes().cloned().collect::<Vec<_>>() {
        anew.nodes.resize(anew.nodes.len().max(node.id + 1), None);
        anew.topology.set(node.id, Some(&node.facts.labels));
        anew.ids.insert(node.name.clone(), node.id);
        let pods = node.usage.pods.clone();
        anew.nodes[node.id] = Some(NodeState { usage: Usage::default(), ..node.clone() });
        for pod in pods.into_values() {
            anew.assume(&node.name, pod);
        }
    }
    assert_eq!(anew.column(ZONE), column);
    let taken = take(&mut anew);
    (kept, taken)
}

proptest! {
    #[test]
    fn usage_is_always_the_sum_of_the_pods_that_are_there(
        steps in prop::collection::vec((0_u8..7, 0_u8..8, 0_u8..3, any::<bool>()), 0..80),
    ) {
        let names = ["a1", "a2", "b1"];
        let mut snapshot = snapshot(&names.map(|name| node(name, json!({}))));
        let column = snapshot.column(ZONE);
        snapshot.count(counted(), &[column]);
        for (action, name, on, is_leaving) in steps {
            let on = names[usize::from(on)];
            let name = format!("p{name}");
            let mut changes = json!({
                "metadata": {"labels": {"app": "web"}},
                "spec": {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                             {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": "web"}}}]}},
                         "containers": [{"name": "c", "ports": [{"containerPort": 1, "hostPort": 80}],
                                         "resources": {"requests": {"cpu": "1", "example.com/a": "1"}}}]},
            });
            if is_leaving {
                changes["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            }
            let demand = state(&pod(&name, changes));
            match action {
                0 | 1 => { snapshot.put_pod(on, demand); }
                2 => snapshot.assume(on, demand),
                3 => { snapshot.forget(&key(&name)); }
                4 => { snapshot.remove_pod(&key(&name)); }
                5 if is_leaving => {
                    let moved = json!({"metadata": {"labels": {ZONE: name}}});
                    snapshot.put(&node(on, moved));
                }
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
            let (kept, taken) = kept_and_taken(&mut snapshot);
            prop_assert_eq!(kept, taken);
        }
    }
}
