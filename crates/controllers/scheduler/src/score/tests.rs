//! Tests of each score.

use super::*;
use crate::fixture::{asking, fill, node, snapshot, wanted, wanting};
use serde_json::{Value, json};

/// What a rule says of each node by itself.
fn each(score: fn(&Demand, &NodeState) -> i64, pod: &PodState, snapshot: &Snapshot) -> Vec<i64> {
    snapshot.nodes().map(|node| score(&pod.demand, node)).collect()
}

fn ids(snapshot: &Snapshot) -> Vec<NodeId> {
    snapshot.nodes().map(|node| node.id).collect()
}

/// The verdicts on all nodes.
fn judged(pod: &PodState, snapshot: &Snapshot) -> Verdicts {
    let mut verdicts = Verdicts::default();
    snapshot.nodes().for_each(|node| {
        verdicts.on(&pod.demand, node);
    });
    verdicts
}

fn of_taints(pod: &PodState, snapshot: &Snapshot) -> Vec<i64> {
    taint_toleration(&judged(pod, snapshot), &ids(snapshot))
}

fn of_affinity(pod: &PodState, snapshot: &Snapshot) -> Vec<i64> {
    let scores = node_affinity(&pod.demand, &judged(pod, snapshot), &ids(snapshot));
    scores.unwrap_or_else(|| vec![0; snapshot.len()])
}

#[test]
fn an_emptier_node_is_better_by_the_mean_of_its_free_shares() {
    let mut snapshot = snapshot(&[node("a1", json!({})), node("a2", json!({})), node("a3", json!({}))]);
    fill(&mut snapshot, "a2", [asking("one", "2", "4Gi")]);
    fill(&mut snapshot, "a3", [asking("two", "4", "16Gi")]);
    let wanted = wanting("1", "4Gi");
    // a1: 3/4 and 12/16; a2: 1/4 and 8/16; a3 has nothing left.
    assert_eq!(each(least_allocated, &wanted, &snapshot), [75, 37, 0]);
}

#[test]
fn pods_that_ask_for_nothing_weigh_something_and_pile_up_nowhere() {
    let mut snapshot = snapshot(&[node("a1", json!({})), node("a2", json!({}))]);
    let idle = |name: String| crate::fixture::pod(&name, json!({}));
    fill(&mut snapshot, "a1", (0..5).map(|index| idle(format!("p{index}"))));
    // a1: 600m of 4 cores, 1200 MiB of 16 GiB; a2: 100m and 200 MiB.
    assert_eq!(each(least_allocated, &wanted(json!({})), &snapshot), [88, 97]);
    assert_eq!(each(balanced, &wanted(json!({})), &snapshot), [0, 0]);
}

#[test]
fn a_node_whose_cpu_and_memory_are_used_alike_is_better() {
    let mut snapshot = snapshot(&[node("a1", json!({})), node("a2", json!({}))]);
    fill(&mut snapshot, "a2", [asking("memory", "0", "8Gi")]);
    let wanted = wanting("2", "0");
    // a1: 0.5 and 0; a2: 0.5 and 0.5.
    assert_eq!(each(balanced, &wanted, &snapshot), [75, 100]);
}

#[test]
fn a_node_with_the_most_unwelcome_taints_gets_nothing_and_one_without_all() {
    let tainted = |name: &str, count: usize| {
        let taints: Vec<Value> = (0..count)
            .map(|index| json!({"key": format!("t{index}"), "effect": "PreferNoSchedule"}))
            .collect();
        node(name, json!({"spec": {"taints": taints}}))
    };
    let snapshot = snapshot(&[tainted("a1", 0), tainted("a2", 1), tainted("a3", 4)]);
    assert_eq!(of_taints(&wanted(json!({})), &snapshot), [100, 75, 0]);
    let tolerant = wanted(json!({"spec": {"tolerations": [{"operator": "Exists"}]}}));
    assert_eq!(of_taints(&tolerant, &snapshot), [100, 100, 100]);
    let hard = json!([{"key": "t0", "operator": "Exists", "effect": "NoSchedule"}]);
    let hard = wanted(json!({"spec": {"tolerations": hard}}));
    assert_eq!(of_taints(&hard, &snapshot), [100, 75, 0]);
}

#[test]
fn the_weights_of_the_preferences_a_node_meets_add_up() {
    let labelled = |name: &str, labels: Value| node(name, json!({"metadata": {"labels": labels}}));
    let snapshot = snapshot(&[
        labelled("a1", json!({})),
        labelled("a2", json!({"disk": "ssd"})),
        labelled("a3", json!({"disk": "ssd", "spot": "no"})),
    ]);
    let prefers = |key: &str, weight: i32| {
        let term = json!({"matchExpressions": [{"key": key, "operator": "Exists"}]});
        json!({"weight": weight, "preference": term})
    };
    let preferred = json!([prefers("disk", 20), prefers("spot", 60), {"weight": 100, "preference": {}}]);
    let preferred = json!({"preferredDuringSchedulingIgnoredDuringExecution": preferred});
    let picky = wanted(json!({"spec": {"affinity": {"nodeAffinity": preferred}}}));
    assert_eq!(of_affinity(&picky, &snapshot), [0, 25, 100]);
    assert_eq!(of_affinity(&wanted(json!({})), &snapshot), [0, 0, 0]);
}

#[test]
fn the_weighted_sum_decides() {
    let mut snapshot = snapshot(&[
        node("a1", json!({})),
        node("a2", json!({"spec": {"taints": [{"key": "t", "effect": "PreferNoSchedule"}]}})),
    ]);
    let nodes = ids(&snapshot);
    let wanted = wanting("1", "4Gi");
    snapshot.turn();
    let mut verdicts = judged(&wanted, &snapshot);
    assert_eq!(totals(&wanted, &mut snapshot, &mut verdicts, &nodes), [3 * 100 + 75 + 100, 75 + 100]);
}
