//! What the scheduler writes: bindings, and the condition that says why there is none.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Binding, ObjectReference, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::Patch;
use mainstay_control::{Key, Writer, writes};
use serde_json::{Value, json};

use crate::PodState;
use crate::queue::{SCHEDULED, Waiting};

/// The longest message of an Event.
const LONGEST_MESSAGE: usize = 1024;

/// What an Event of a waiting pod is about.
pub(super) fn reference(waiting: &Waiting) -> ObjectReference {
    ObjectReference { resource_version: Some(waiting.version.to_string()), ..about(&waiting.pod) }
}

/// What an Event of a pod is about.
pub(super) fn about(pod: &PodState) -> ObjectReference {
    let Key { namespace, name } = &pod.key;
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        namespace: Some(namespace.to_string()),
        name: Some(name.to_string()),
        uid: Some(pod.uid.to_string()),
        ..ObjectReference::default()
    }
}

/// Binds a pod to a node.
pub(super) async fn bind(writer: &Writer, pod: &PodState, node: &str) -> Result<(), kube::Error> {
    let Key { namespace, name } = &pod.key;
    let binding = Binding {
        metadata: ObjectMeta {
            namespace: Some(namespace.to_string()),
            name: Some(name.to_string()),
            uid: Some(pod.uid.to_string()).filter(|uid| !uid.is_empty()),
            ..ObjectMeta::default()
        },
        target: ObjectReference {
            kind: Some("Node".to_owned()),
            name: Some(node.to_owned()),
            ..ObjectReference::default()
        },
    };
    writer.create_at::<Pod>(&pod.key, "binding", &binding).await
}

/// The patch of the status that says why the pod has no node; `None` where it says so already.
pub(super) fn condition(waiting: &Waiting, reason: &str, message: &str, now: Timestamp) -> Option<Value> {
    let told = waiting.told.as_ref();
    if told.is_some_and(|told| (told.reason.as_str(), told.message.as_str()) == (reason, message)) {
        return None;
    }
    let condition = json!({
        "type": SCHEDULED, "status": "False", "reason": reason, "message": message, "lastProbeTime": null,
        "lastTransitionTime": Time(told.and_then(|told| told.since).unwrap_or(now)),
    });
    Some(json!({"status": {"conditions": [condition]}}))
}

/// Patches the status of a pod, if it is still there.
pub(super) async fn patch_status(writer: &Writer, key: &Key, patch: &Value) -> Result<(), kube::Error> {
    let patch = Patch::Strategic(patch);
    writes::unless_gone(writer.patch::<Pod>(key, Some("status"), &patch).await)
}

/// A message as long as an Event's may be.
pub(super) fn shortened(message: &str) -> String {
    const MORE: &str = " ...";
    if message.len() <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(LONGEST_MESSAGE - MORE.len());
    format!("{}{MORE}", &message[..end])
}
