//! What the scheduler writes: bindings, and the condition that says why there is none.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Binding, ObjectReference, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::Patch;
use mainstay_control::{Key, Writer, writes};
use serde_json::{Value, json};

use crate::Demand;

/// The longest message of an Event.
const LONGEST_MESSAGE: usize = 1024;
const CONDITION: &str = "PodScheduled";

/// Binds a pod to a node.
pub(super) async fn bind(writer: &Writer, demand: &Demand, node: &str) -> Result<(), kube::Error> {
    let Key { namespace, name } = &demand.key;
    let binding = Binding {
        metadata: ObjectMeta {
            namespace: Some(namespace.to_string()),
            name: Some(name.to_string()),
            uid: Some(demand.uid.clone()).filter(|uid| !uid.is_empty()),
            ..ObjectMeta::default()
        },
        target: ObjectReference {
            kind: Some("Node".to_owned()),
            name: Some(node.to_owned()),
            ..ObjectReference::default()
        },
    };
    writer.create_at::<Pod>(&demand.key, "binding", &binding).await
}

/// The patch of the status that says why the pod has no node; `None` where it says so already.
pub(super) fn condition(pod: &Pod, reason: &str, message: &str, now: Timestamp) -> Option<Value> {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let before = conditions.into_iter().find(|condition| condition.type_ == CONDITION);
    let since = match before {
        Some(before) if before.status == "False" => {
            let told = (before.reason.as_deref(), before.message.as_deref());
            if told == (Some(reason), Some(message)) {
                return None;
            }
            before.last_transition_time.clone().unwrap_or(Time(now))
        }
        _ => Time(now),
    };
    let condition = json!({
        "type": CONDITION, "status": "False", "reason": reason, "message": message,
        "lastProbeTime": null, "lastTransitionTime": since,
    });
    Some(json!({"status": {"conditions": [condition]}}))
}

/// Patches the status of a pod, if it is still there.
pub(super) async fn patch_status(writer: &Writer, pod: &Pod, patch: &Value) -> Result<(), kube::Error> {
    let patch = Patch::Strategic(patch);
    writes::unless_gone(writer.patch::<Pod>(&Key::of(pod), Some("status"), &patch).await)
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
