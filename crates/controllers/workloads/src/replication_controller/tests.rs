//! What the older shape is to the core.

use super::*;
use kube::core::SelectorExt as _;
use serde_json::{Value, json};

fn controller(spec: &Value, status: &Value) -> ReplicationController {
    let metadata = json!({"name": "web", "namespace": "default", "uid": "web"});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
}

#[test]
fn its_selector_is_a_map_of_labels() {
    let web = controller(&json!({"selector": {"app": "web"}}), &json!({"replicas": 0}));
    let selector = web.selector().unwrap();
    assert!(selector.matches(&[("app".to_owned(), "web".to_owned())].into()));
    assert!(!selector.matches(&[("app".to_owned(), "db".to_owned())].into()));
}

#[test]
fn its_status_is_written_down_like_that_of_a_set() {
    let status = json!({
        "replicas": 3, "readyReplicas": 2, "availableReplicas": 1, "fullyLabeledReplicas": 3, "observedGeneration": 4,
        "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota",
                        "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    });
    let web = controller(&json!({"replicas": 3}), &status);
    assert_eq!(serde_json::to_value(web.status().unwrap().as_ref()).unwrap(), status);
    assert_eq!(web.replicas(), 3);
}
