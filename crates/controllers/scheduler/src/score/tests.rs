//! Tests of each score.

use super::*;
use crate::fixture::{asking, demand, fill, node, snapshot};
use serde_json::{Value, json};

fn scored(score: Score, demand: &Demand, snapshot: &Snapshot) -> Vec<i64> {
    score(demand, snapshot, &snapshot.nodes().collect::<Vec<_>>())
}

#[test]
fn an_emptier_node_is_better_by_the_mean_of_its_free_shares() {
    let mut snapshot = snapshot(&[node("a1", json!({})), node("a2", json!({})), node("a3", json!({}))]);
    fill(&mut snapshot, "a2", [asking("one", "2", "4Gi")]);
    fill(&mut snapshot, "a3", [asking("two", "4", "16Gi")]);
    let wanted = Demand::of(&asking("wanted", "1", "4Gi"));
    // a1: 3/4 and 12/16; a2: 1/4 and 8/16; a3 has nothing left.
    assert_eq!(scored(least_allocated, &wanted, &snapshot), [75, 37, 0]);
}

#[test]
fn pods_that_ask_for_nothing_weigh_something_and_pile_up_nowhere() {
    let mut snapshot = snapshot(&[node("a1", json!({})), node("a2", json!({}))]);
    let idle = |name: String| crate::fixture::pod(&name, json!({}));
    fill(&mut snapshot, "a1", (0..5).map(|index| idle(format!("p{index}"))));
    // a1: 600m of 4 cores, 1200 MiB of 16 GiB; a2: 100m and 200 MiB.
    assert_eq!(scored(least_allocated, &demand(json!({})), &snapshot), [88, 97]);
    assert_eq!(scored(balanced, &demand(json!({})), &snapshot), [0, 0]);
}

#[test]
fn a_node_whose_cpu_and_memory_are_used_alike_is_better() {
    let mut snapshot = snapshot(&[node("a1", json!({})), node("a2", json!({}))]);
    fill(&mut snapshot, "a2", [asking("memory", "0", "8Gi")]);
    let wanted = Demand::of(&asking("wanted", "2", "0"));
    // a1: 0.5 and 0; a2: 0.5 and 0.5.
    assert_eq!(scored(balanced, &wanted, &snapshot), [75, 100]);
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
    assert_eq!(scored(taint_toleration, &demand(json!({})), &snapshot), [100, 75, 0]);
    let tolerant = demand(json!({"spec": {"tolerations": [{"operator": "Exists"}]}}));
    assert_eq!(scored(taint_toleration, &tolerant, &snapshot), [100, 100, 100]);
    let hard = json!([{"key": "t0", "operator": "Exists", "effect": "NoSchedule"}]);
    let hard = demand(json!({"spec": {"tolerations": hard}}));
    assert_eq!(scored(taint_toleration, &hard, &snapshot), [100, 75, 0]);
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
    let wanted = demand(json!({"spec": {"affinity": {"nodeAffinity": preferred}}}));
    assert_eq!(scored(node_affinity, &wanted, &snapshot), [0, 25, 100]);
    assert_eq!(scored(node_affinity, &demand(json!({})), &snapshot), [0, 0, 0]);
}

#[test]
fn the_weighted_sum_decides() {
    let snapshot = snapshot(&[
        node("a1", json!({})),
        node("a2", json!({"spec": {"taints": [{"key": "t", "effect": "PreferNoSchedule"}]}})),
    ]);
    let nodes: Vec<_> = snapshot.nodes().collect();
    let wanted = Demand::of(&asking("wanted", "1", "4Gi"));
    assert_eq!(totals(&wanted, &snapshot, &nodes), [3 * 100 + 75 + 100, 75 + 100]);
}
