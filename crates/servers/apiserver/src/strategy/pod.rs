//! What a new Pod gets beyond its defaults: its first status, its class of service, and what
//! upstream's default admission plugins add (priority, service account, tolerations).

use mainstay_resource::{Quantity, meta};
use mainstay_store::{Query, Store};
use serde_json::{Value, json};

use super::look_up;
use crate::encode;
use crate::fields::{Fields, Fill as _, at, list, number, text};
use crate::registry::ResourceInfo;
use crate::status::Status;

/// How long a pod stays on a node that is gone: upstream's `DefaultTolerationSeconds`.
const TOLERATION_SECONDS: i64 = 300;
/// Taints of a node that is gone.
const GONE: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
/// Priority classes that exist without an object.
const BUILT_IN_CLASSES: [(&str, i64); 2] =
    [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];

/// Prepares a new Pod.
pub(super) fn prepare(store: &Store, info: &ResourceInfo, pod: &mut Value) -> Result<(), Status> {
    let priority = priority(store, info, pod)?;
    pod["status"] = json!({ "phase": "Pending", "qosClass": class_of_service(pod) });
    let Some(spec) = pod.as_object_mut().and_then(|fields| fields.child_or_new("spec")) else {
        return Ok(());
    };
    if !spec.contains_key("serviceAccountName") {
        spec.put("serviceAccountName", "default");
        spec.put("serviceAccount", "default");
    }
    if let Some(class) = priority.class {
        spec.put("priorityClassName", class);
    }
    spec.put("priority", priority.value);
    spec.fill("preemptionPolicy", priority.preemption);
    tolerate_gone_nodes(spec);
    Ok(())
}

/// What a pod's priority class says.
struct Priority {
    /// The class, where the pod names none and a default exists.
    class: Option<String>,
    value: i64,
    preemption: String,
}

fn priority(store: &Store, info: &ResourceInfo, pod: &Value) -> Result<Priority, Status> {
    let preempting = || "PreemptLowerPriority".to_owned();
    let name = text(pod, &["spec", "priorityClassName"]);
    if name.is_empty() {
        let none = || Priority { class: None, value: 0, preemption: preempting() };
        return Ok(default_class(store).unwrap_or_else(none));
    }
    if let Some(class) = look_up(store, "scheduling.k8s.io/priorityclasses", "", name) {
        return Ok(of_class(&class));
    }
    if let Some((_, value)) = BUILT_IN_CLASSES.iter().find(|(class, _)| *class == name) {
        return Ok(Priority { class: None, value: *value, preemption: preempting() });
    }
    let why = format!("no PriorityClass with name {name} was found");
    Err(Status::forbidden(info, meta::name(pod), &why))
}

fn of_class(class: &Value) -> Priority {
    let preemption = match text(class, &["preemptionPolicy"]) {
        "" => "PreemptLowerPriority",
        policy => policy,
    };
    let name = meta::name(class).to_owned();
    Priority {
        class: Some(name),
        value: number(class, &["value"]).unwrap_or(0),
        preemption: preemption.to_owned(),
    }
}

/// Of the classes that are the default for all pods, the one with the lowest value.
fn default_class(store: &Store) -> Option<Priority> {
    let query = Query { resource: "scheduling.k8s.io/priorityclasses", ..Query::default() };
    let classes = store.list(&query, &|_| true).ok()?.records;
    let classes = classes.iter().map(|record| encode::decode(&record.value));
    classes
        .filter(|class| at(class, &["globalDefault"]) == Some(&Value::Bool(true)))
        .min_by_key(|class| number(class, &["value"]))
        .map(|class| of_class(&class))
}

fn tolerate_gone_nodes(spec: &mut Fields) {
    let Some(tolerations) = spec.entry("tolerations").or_insert_with(|| json!([])).as_array_mut() else {
        return;
    };
    for taint in GONE {
        if !tolerations.iter().any(|toleration| tolerates(toleration, taint)) {
            tolerations.push(json!({
                "key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS,
            }));
        }
    }
}

fn tolerates(toleration: &Value, taint: &str) -> bool {
    let key = text(toleration, &["key"]);
    (key == taint || key.is_empty()) && matches!(text(toleration, &["effect"]), "" | "NoExecute")
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
