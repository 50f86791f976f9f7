//! Upstream's cases of its pod garbage collector; orphans are in `tests/region`.

use super::*;

/// A pod: name, phase, node, whether it is being deleted.
fn pod(name: &str, phase: &str, node: &str, is_ending: bool) -> Arc<Pod> {
    let mut pod = json!({
        "metadata": {"name": name, "namespace": "default", "uid": name,
                     "creationTimestamp": format!("2026-01-01T{:02}:00:00Z", name.as_bytes()[0] - b'a')},
        "spec": {"nodeName": node, "containers": []},
        "status": {"phase": phase.trim_end_matches('!')},
    });
    if phase.ends_with('!') {
        pod["status"]["reason"] = json!("Evicted");
    }
    if is_ending {
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
    }
    Arc::new(serde_json::from_value(pod).unwrap())
}

fn names(pods: &[Arc<Pod>]) -> Vec<&str> {
    pods.iter().filter_map(|pod| pod.metadata.name.as_deref()).collect()
}

#[test]
fn of_too_many_that_have_ended_the_evicted_and_the_oldest_go() {
    type Case = (&'static [(&'static str, &'static str)], usize, &'static [&'static str]);
    let cases: &[Case] = &[
        (&[("a", "Failed"), ("b", "Succeeded"), ("c", "Failed")], 1, &["a", "b"]),
        (&[("a", "Running"), ("b", "Succeeded"), ("c", "Failed")], 1, &["b"]),
        (&[("a", "Failed"), ("b", "Succeeded")], 1, &["a"]),
        (&[("a", "Failed"), ("b", "Succeeded")], 5, &[]),
        (&[("a", "Failed"), ("b", "Succeeded"), ("c", "Failed!")], 1, &["c", "a"]),
        (&[("a", "Running"), ("b", "Succeeded"), ("c", "Failed!")], 1, &["c"]),
    ];
    for (pods, threshold, expected) in cases {
        let pods = pods.iter().map(|(name, phase)| pod(name, phase, "node", false));
        let ended: Vec<_> = pods.filter(|pod| pods::is_ended(pod)).collect();
        assert_eq!(names(&candidates::surplus(ended, *threshold)), *expected);
    }
}

/// A node: whether it is ready, and the effect of its taint.
fn node(ready: &str, effect: Option<&str>) -> Arc<Node> {
    let taints: Vec<Value> = effect
        .iter()
        .map(|effect| json!({"key": "node.kubernetes.io/out-of-service", "value": "any", "effect": effect}))
        .collect();
    let conditions = json!([{"type": "Ready", "status": ready}]);
    let node = json!({"metadata": {}, "spec": {"taints": taints}, "status": {"conditions": conditions}});
    Arc::new(serde_json::from_value(node).unwrap())
}

#[test]
fn what_ends_on_a_node_out_of_service_or_on_none_goes() {
    let nodes = |name: &str| match name {
        "execute" => Some(node("False", Some("NoExecute"))),
        "schedule" => Some(node("Unknown", Some("NoSchedule"))),
        "prefer" => Some(node("False", Some("PreferNoSchedule"))),
        "down" => Some(node("False", None)),
        "ready" => Some(node("True", None)),
        "tainted-but-ready" => Some(node("True", Some("NoExecute"))),
        _ => None,
    };
    let cases = [
        ("a", "Running", "execute", true, true),
        ("b", "Running", "execute", false, false),
        ("c", "Pending", "execute", false, false),
        ("d", "Failed", "schedule", true, true),
        ("e", "Succeeded", "prefer", true, true),
        ("f", "Running", "down", true, false),
        ("g", "Running", "ready", true, false),
        ("h", "Running", "tainted-but-ready", true, false),
        ("i", "Running", "gone", true, false),
        ("j", "Running", "", true, true),
        ("k", "Failed", "", true, true),
        ("l", "Succeeded", "", true, true),
        ("m", "Failed", "", false, false),
    ];
    let mut candidates = Candidates::default();
    let mut pods = std::collections::BTreeMap::new();
    for (name, phase, node, is_ending, _) in cases {
        let pod = pod(name, phase, node, is_ending);
        pods.insert(Key::of(pod.as_ref()), pod.clone());
        candidates.note(&Change::Applied { old: None, new: pod }, 5);
    }
    let ending = candidates.keys().1.iter().map(|key| pods[key].clone()).collect();
    let doomed = candidates::abandoned(ending, nodes);
    let mut found = names(&doomed);
    found.sort_unstable();
    let expected: Vec<&str> = cases.iter().filter(|case| case.4).map(|case| case.0).collect();
    assert_eq!(found, expected);
    let failed: Vec<&str> = doomed
        .iter()
        .filter(|pod| failed(pod, None).is_some())
        .filter_map(|pod| pod.metadata.name.as_deref())
        .collect();
    assert_eq!(failed, ["a", "j"], "one that has ended keeps its phase");
}

#[test]
fn candidates_follow_what_becomes_of_pods() {
    let mut candidates = Candidates::default();
    let (running, ended) = (pod("a", "Running", "n", false), pod("a", "Failed", "n", false));
    let ending = pod("a", "Failed", "n", true);
    let change =
        |old: Option<&Arc<Pod>>, new: &Arc<Pod>| Change::Applied { old: old.cloned(), new: new.clone() };
    assert!(!candidates.note(&change(None, &running), 0));
    assert!(candidates.note(&change(Some(&running), &ended), 0), "one more than there may be");
    assert!(candidates.note(&change(Some(&ended), &ending), 5));
    assert_eq!((candidates.keys().0.len(), candidates.keys().1.len()), (1, 1));
    assert!(!candidates.note(&Change::Deleted { old: ending }, 0));
    assert_eq!(candidates.keys(), (Vec::new(), Vec::new()));
}

#[test]
fn only_a_pod_that_still_ran_is_failed() {
    let condition = json!({"type": "DisruptionTarget", "reason": "DeletionByPodGC"});
    let patch = failed(&pod("a", "Running", "n", false), Some(&condition)).unwrap();
    assert_eq!(patch["status"]["phase"], "Failed");
    assert_eq!(patch["status"]["conditions"][0]["reason"], "DeletionByPodGC");
    assert_eq!(failed(&pod("a", "Succeeded", "n", false), Some(&condition)), None);
}
