//! The size of a set and the order of deletion.

use super::plan::{self, Failure, Plan};
use super::*;
use jiff::Timestamp;
use mainstay_control::meta::controller_of;
use serde_json::{Value, json};

mod cases;

fn now() -> Timestamp {
    "2026-01-01T01:00:00Z".parse().unwrap()
}

fn set(replicas: i32) -> ReplicaSet {
    serde_json::from_value(json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "set", "generation": 3},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web", "tier": "front"}}, "spec": {"containers": []}},
        },
    }))
    .unwrap()
}

/// A pod in the order upstream deletes in: name, node, phase, ready since.
fn pod(name: &str, node: &str, phase: &str, ready: Option<&str>) -> Value {
    let mut conditions = Vec::new();
    if let Some(since) = ready {
        conditions.push(json!({"type": "Ready", "status": "True", "lastTransitionTime": since}));
    }
    json!({
        "metadata": {"name": name, "namespace": "default", "uid": name, "labels": {"app": "web", "tier": "front"},
                     "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": node, "containers": []},
        "status": {"phase": phase, "conditions": conditions},
    })
}

fn pods(values: impl IntoIterator<Item = Value>) -> Vec<Arc<Pod>> {
    values.into_iter().map(|value| Arc::new(serde_json::from_value(value).unwrap())).collect()
}

fn names(pods: &[Arc<Pod>]) -> Vec<&str> {
    pods.iter().filter_map(|pod| pod.metadata.name.as_deref()).collect()
}

fn deleted(set: &ReplicaSet, pods: &[Arc<Pod>]) -> Vec<String> {
    match plan::plan(set, pods, || pods.to_vec(), now()) {
        Plan::Delete(pods) => names(&pods).into_iter().map(str::to_owned).collect(),
        other => panic!("no deletion but {other:?}"),
    }
}

const LONG_AGO: &str = "2026-01-01T00:10:00Z";
const LATELY: &str = "2026-01-01T00:59:50Z";

#[test]
fn a_set_creates_what_is_missing_and_at_most_500_at_once() {
    for (wanted, has, created) in [(3, 1, 2), (1000, 0, 500), (1, 0, 1)] {
        let pods = pods((0..has).map(|index| pod(&format!("p{index}"), "n", "Running", None)));
        match plan::plan(&set(wanted), &pods, Vec::new, now()) {
            Plan::Create(count) => assert_eq!(count, created),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(plan::plan(&set(0), &[], Vec::new, now()), Plan::Nothing));
}

#[test]
fn deletion_prefers_unassigned_then_pending_then_unready_then_young_pods() {
    let pods = pods([
        pod("ready-old", "n1", "Running", Some(LONG_AGO)),
        pod("ready-young", "n2", "Running", Some(LATELY)),
        pod("unready", "n3", "Running", None),
        pod("pending", "n4", "Pending", None),
        pod("unassigned", "", "Pending", None),
        pod("unknown", "n5", "Unknown", None),
    ]);
    let order = ["unassigned", "pending", "unknown", "unready", "ready-young"];
    for wanted in 1..6_i32 {
        let count = 6 - usize::try_from(wanted).unwrap();
        assert_eq!(deleted(&set(wanted), &pods), order[..count]);
    }
}

#[test]
fn a_low_deletion_cost_goes_before_and_a_crowded_node_before_age() {
    let mut cheap = pod("cheap", "n1", "Running", Some(LONG_AGO));
    cheap["metadata"]["annotations"] = json!({DELETION_COST: "-10"});
    let pods = pods([
        pod("young-alone", "n2", "Running", Some(LATELY)),
        pod("crowded-a", "n3", "Running", Some(LONG_AGO)),
        pod("crowded-b", "n3", "Running", Some(LONG_AGO)),
        cheap,
    ]);
    assert_eq!(deleted(&set(3), &pods), ["cheap"]);
    assert_eq!(deleted(&set(1), &pods), ["cheap", "crowded-a", "crowded-b"]);
}

#[test]
fn more_restarts_go_first_and_ages_of_one_magnitude_are_told_apart_by_uid() {
    let mut flaky = pod("z-flaky", "n1", "Running", Some(LONG_AGO));
    flaky["status"]["containerStatuses"] =
        json!([{"name": "c", "restartCount": 7, "ready": true, "image": "", "imageID": ""}]);
    let steady = pod("steady", "n2", "Running", Some(LONG_AGO));
    assert_eq!(deleted(&set(1), &pods([steady, flaky])), ["z-flaky"]);
    let a = pod("a", "n1", "Running", Some("2026-01-01T00:10:01Z"));
    let b = pod("b", "n2", "Running", Some("2026-01-01T00:10:02Z"));
    assert_eq!(deleted(&set(1), &pods([b, a])), ["a"], "b is younger, but hardly");
}

#[test]
fn a_pod_carries_the_templates_labels_and_its_owner() {
    let pod = plan::pod(&set(1));
    assert_eq!(pod.metadata.generate_name.as_deref(), Some("web-"));
    assert_eq!(pod.labels()["tier"], "front");
    let owner = controller_of(&pod.metadata).unwrap();
    assert_eq!((&*owner.uid, owner.block_owner_deletion, &*owner.kind), ("set", Some(true), "ReplicaSet"));
}

#[test]
fn the_status_counts_labels_readiness_and_availability() {
    let mut half = pod("half", "n1", "Running", Some(LATELY));
    half["metadata"]["labels"] = json!({"app": "web"});
    let mut set = set(3);
    set.spec.as_mut().unwrap().min_ready_seconds = Some(30);
    let pods = pods([half, pod("old", "n2", "Running", Some(LONG_AGO)), pod("new", "n3", "Pending", None)]);
    let status = plan::status(&set, &pods, None, now());
    assert_eq!(
        (status.replicas, status.fully_labeled_replicas, status.ready_replicas, status.available_replicas),
        (3, Some(2), Some(2), Some(1))
    );
    assert_eq!(status.observed_generation, Some(3));
    assert_eq!(plan::next_available(&set, &pods, now()), Some(Duration::from_secs(20)));
}

#[test]
fn a_failure_shows_as_a_condition_until_it_is_mended() {
    let mut set = set(3);
    let failure = Failure { reason: "FailedCreate", message: "quota".into() };
    let status = plan::status(&set, &[], Some(&failure), now());
    let condition = &status.conditions.as_ref().unwrap()[0];
    assert_eq!((&*condition.type_, condition.reason.as_deref()), ("ReplicaFailure", Some("FailedCreate")));
    set.status = Some(status.clone());
    assert_eq!(plan::status(&set, &[], Some(&failure), now()), status, "the same failure changes nothing");
    assert_eq!(plan::status(&set, &[], None, now()).conditions, None);
}
