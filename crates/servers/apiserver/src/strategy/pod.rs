//! What a new Pod gets beyond its defaults: its first status and its class of service.

use mainstay_resource::Quantity;
use serde_json::{Value, json};

use crate::fields::{at, list};

/// Prepares a new Pod; one with gates says that nobody places it yet.
pub(super) fn prepare(pod: &mut Value, now: &str) {
    pod["status"] = json!({ "phase": "Pending", "qosClass": class_of_service(pod) });
    if !list(pod, &["spec", "schedulingGates"]).is_empty() {
        pod["status"]["conditions"] = json!([{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
            "lastProbeTime": null, "lastTransitionTime": now,
        }]);
    }
}

/// The quality of service class: Guaranteed when every container's limits are its requests for
/// both CPU and memory, BestEffort when nobody asks for anything.
pub(crate) fn class_of_service(pod: &Value) -> &'static str {
    let containers =
        || list(pod, &["spec", "initContainers"]).iter().chain(list(pod, &["spec", "containers"]));
    let asks = |container: &Value, part: &str, name: &str| amount(container, part, name).is_some();
    let any = |container: &Value| {
        ["requests", "limits"]
            .iter()
            .any(|part| ["cpu", "memory"].iter().any(|name| asks(container, part, name)))
    };
    if !containers().any(any) {
        return "BestEffort";
    }
    let exact = |container: &Value| {
        ["cpu", "memory"].iter().all(|name| {
            let limit = amount(container, "limits", name);
            limit.is_some()
                && amount(container, "requests", name).is_none_or(|request| Some(request) == limit)
        })
    };
    if containers().all(exact) { "Guaranteed" } else { "Burstable" }
}

/// An amount that is not zero.
fn amount(container: &Value, part: &str, name: &str) -> Option<Quantity> {
    Quantity::from_value(at(container, &["resources", part, name])?).ok().filter(|amount| !amount.is_zero())
}
