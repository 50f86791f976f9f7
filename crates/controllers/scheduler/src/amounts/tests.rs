//! Tests of what pods ask for and weigh.

use super::*;
use serde_json::{Value, json};

fn container(cpu: &str, memory: &str) -> Value {
    json!({"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}})
}

fn sidecar(cpu: &str, memory: &str) -> Value {
    let mut sidecar = container(cpu, memory);
    sidecar["restartPolicy"] = json!("Always");
    sidecar
}

fn requested(spec: Value) -> (i64, i64) {
    let spec: PodSpec = serde_json::from_value(spec).unwrap();
    let amounts = Amounts::requested(&spec);
    (amounts.cpu_milli, amounts.memory_bytes)
}

#[test]
fn a_pod_asks_for_the_sum_of_its_containers_or_for_its_hungriest_init_container() {
    let containers = json!([container("100m", "10"), container("200m", "20")]);
    let cases = [
        (json!([]), (300, 30)),
        (json!([container("1", "5"), container("500m", "90")]), (1000, 90)),
        (json!([sidecar("1", "100")]), (1300, 130)),
        (json!([sidecar("1", "100"), container("1", "1")]), (2000, 130)),
        (json!([container("2", "1"), sidecar("1", "100")]), (2000, 130)),
        (json!([sidecar("1", "1"), sidecar("3", "1"), container("1", "1")]), (5000, 32)),
    ];
    for (init, expected) in cases {
        let spec = json!({"containers": containers, "initContainers": init});
        assert_eq!(requested(spec), expected, "{init}");
    }
}

#[test]
fn what_is_asked_for_the_pod_as_a_whole_counts_instead_of_what_its_containers_ask_for() {
    let spec = json!({"containers": [container("1", "10")], "resources": {"requests": {"cpu": "3"}},
                      "overhead": {"cpu": "250m"}});
    assert_eq!(requested(spec), (3250, 10));
}

#[test]
fn a_pods_overhead_comes_on_top_of_what_it_asks_for() {
    let spec = json!({"containers": [container("1", "10")], "initContainers": [container("2", "1")],
                      "overhead": {"cpu": "250m", "memory": "5"}});
    assert_eq!(requested(spec), (2250, 15));
}

/// A mebibyte.
const MI: i64 = 1 << 20;

#[test]
fn a_pod_weighs_what_upstream_counts() {
    let weighed = |spec: &Value| {
        let spec: PodSpec = serde_json::from_value(spec.clone()).unwrap();
        let amounts = Amounts::weighed(&spec);
        (amounts.cpu_milli, amounts.memory_bytes)
    };
    let (idle, one) = (json!({"name": "c"}), container("1", "1Mi"));
    let overhead = json!({"cpu": "1", "memory": "1Mi"});
    let cpu_only = json!({"name": "c", "resources": {"requests": {"cpu": "3"}}});
    let (tiny, small) = (container("1m", "1"), container("3m", "3"));
    let cases = [
        (json!({"overhead": overhead}), (1000, MI)),
        (json!({"containers": [idle]}), (100, 200 * MI)),
        (json!({"containers": [idle, idle]}), (200, 400 * MI)),
        (json!({"containers": [one, idle]}), (1100, 201 * MI)),
        (json!({"containers": [one, idle], "overhead": overhead}), (2100, 202 * MI)),
        (
            json!({"initContainers": [cpu_only], "containers": [one, idle], "overhead": overhead}),
            (4000, 202 * MI),
        ),
        (json!({"initContainers": [idle, tiny], "containers": [small]}), (100, 200 * MI)),
        (json!({"initContainers": [idle, tiny], "containers": [small, idle]}), (103, 3 + 200 * MI)),
        // Who asks for nothing in so many words weighs nothing.
        (json!({"containers": [container("0", "0")]}), (0, 0)),
    ];
    for (spec, expected) in cases {
        assert_eq!(weighed(&spec), expected, "{spec}");
    }
    assert_eq!(requested(json!({"containers": [idle]})), (0, 0));
}

#[test]
fn storage_and_extended_resources_are_counted_and_unknown_names_are_not() {
    let list = json!({"ephemeral-storage": "1Gi", "nvidia.com/gpu": "2", "hugepages-2Mi": "4Mi",
                      "pods": "110", "what": "1"});
    let list: List = serde_json::from_value(list).unwrap();
    let amounts = Amounts::of(Some(&list));
    assert_eq!(amounts.storage_bytes, 1 << 30);
    let extended = [("hugepages-2Mi".to_owned(), 4 << 20), ("nvidia.com/gpu".to_owned(), 2)];
    assert_eq!(amounts.extended, BTreeMap::from(extended));
}

#[test]
fn what_was_added_can_be_taken_away_without_a_trace() {
    let list: List = serde_json::from_value(json!({"cpu": "1", "example.com/a": "2"})).unwrap();
    let mut amounts = Amounts::default();
    amounts.add(&Amounts::of(Some(&list)));
    assert!(!amounts.is_zero());
    amounts.subtract(&Amounts::of(Some(&list)));
    assert_eq!(amounts, Amounts::default());
}
