//! Upstream's `TaintNodesByCondition`: a new node gets no pods before a controller has seen that it
//! is ready.

use serde_json::{Value, json};

use crate::fields::{Fill as _, text};

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const NO_SCHEDULE: &str = "NoSchedule";

/// Gives a new node the taint, if it has not brought it.
pub(super) fn admit(node: &mut Value) {
    let Some(spec) = node.as_object_mut().and_then(|fields| fields.child_or_new("spec")) else { return };
    let taints = spec.entry("taints").or_insert_with(|| json!([]));
    if taints.is_null() {
        *taints = json!([]);
    }
    let Some(taints) = taints.as_array_mut() else { return };
    let is_it = |one: &Value| text(one, &["key"]) == NOT_READY && text(one, &["effect"]) == NO_SCHEDULE;
    if !taints.iter().any(is_it) {
        taints.push(json!({ "key": NOT_READY, "effect": NO_SCHEDULE }));
    }
}
