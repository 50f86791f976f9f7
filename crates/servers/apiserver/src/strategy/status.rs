//! The status an object has before anybody observed anything.
//!
//! A built-in kind always has one: what its type holds without values. A client that reads
//! `status.replicas` of a new object must find an object there. A custom resource has none.

use serde_json::{Value, json};

use crate::registry::ResourceInfo;

/// Replaces what the client sent as status by the kind's own beginning.
pub(super) fn begin(info: &ResourceInfo, object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    if info.custom.is_some() {
        fields.remove("status");
    } else {
        fields.insert("status".to_owned(), initial(info));
    }
}

/// The counts that are written even when they are zero.
fn initial(info: &ResourceInfo) -> Value {
    match (&*info.group, &*info.kind) {
        ("apps", "ReplicaSet") | ("", "ReplicationController") => json!({ "replicas": 0 }),
        ("apps", "StatefulSet") => json!({ "replicas": 0, "availableReplicas": 0 }),
        ("apps", "DaemonSet") => json!({
            "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
        }),
        ("autoscaling", "HorizontalPodAutoscaler") => json!({ "desiredReplicas": 0, "currentMetrics": null }),
        ("networking.k8s.io", "Ingress") => json!({ "loadBalancer": {} }),
        ("policy", "PodDisruptionBudget") => json!({
            "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
        }),
        _ => json!({}),
    }
}
