//! The remaining kinds: configuration, policy, storage and leases.

use mainstay_resource::{meta, name};
use serde_json::{Value, json};

use super::check::{Check, value_at};
use crate::admission::SYSTEM_CLASSES;
use crate::fields::{at, entries, list, number, text};

const LARGEST_BYTES: usize = 1024 * 1024;

/// Checks an object of a kind that is not checked elsewhere.
pub(super) fn check(check: &mut Check, group: &str, kind: &str, object: &Value) {
    match (group, kind) {
        ("", "ConfigMap") => data(check, object, &["data", "binaryData"]),
        ("", "Secret") => data(check, object, &["data"]),
        ("", "PersistentVolumeClaim") => claim(check, object),
        ("", "PersistentVolume") => volume(check, object),
        ("", "Event") => event(check, object),
        ("autoscaling", _) => autoscaler(check, object),
        ("policy", "PodDisruptionBudget") => budget(check, object),
        ("networking.k8s.io", "NetworkPolicy") => {
            if let Some(selector) = value_at(object, "spec.podSelector") {
                check.selector("spec.podSelector", selector);
            }
        }
        ("storage.k8s.io", "StorageClass") => {
            check.needs_text(object, "provisioner");
            check.one_of(object, "reclaimPolicy", &["Delete", "Retain"]);
            check.one_of(object, "volumeBindingMode", &["Immediate", "WaitForFirstConsumer"]);
        }
        ("scheduling.k8s.io", "PriorityClass") => priority_class(check, object),
        ("coordination.k8s.io", "Lease") => {
            check.positive(object, "spec.leaseDurationSeconds");
            check.not_negative(object, "spec.leaseTransitions");
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            role_binding(check, kind, object);
        }
        _ => {}
    }
}

fn data(check: &mut Check, object: &Value, parts: &[&str]) {
    let mut total = 0;
    for part in parts {
        for (key, value) in entries(object, &[part]) {
            check.named(&format!("{part}[{key}]"), key, name::config_key(key));
            total += value.as_str().map_or(0, str::len);
        }
    }
    if total > LARGEST_BYTES {
        let message = format!("Too long: may not be more than {LARGEST_BYTES} bytes");
        check.causes.push(crate::status::Cause {
            reason: "FieldValueTooLong",
            message,
            field: String::new(),
        });
    }
}

fn claim(check: &mut Check, object: &Value) {
    if list(object, &["spec", "accessModes"]).is_empty() {
        check.required("spec.accessModes", "at least 1 access mode is required");
    }
    match value_at(object, "spec.resources.requests.storage") {
        None => check.required("spec.resources[storage]", ""),
        Some(amount) => {
            check.amount("spec.resources[storage]", amount);
        }
    }
}

fn volume(check: &mut Check, object: &Value) {
    if list(object, &["spec", "accessModes"]).is_empty() {
        check.required("spec.accessModes", "");
    }
    match value_at(object, "spec.capacity.storage") {
        None => check.required("spec.capacity", ""),
        Some(amount) => {
            check.amount("spec.capacity[storage]", amount);
        }
    }
}

/// An Event lives in the namespace of what it is about, or in `default`.
fn event(check: &mut Check, object: &Value) {
    let about = ["involvedObject", "regarding"].into_iter().find(|field| at(object, &[field]).is_some());
    let Some(about) = about else { return };
    let (its, own) = (text(object, &[about, "namespace"]), meta::namespace(object));
    let fits = if its.is_empty() { matches!(own, "default" | "kube-system") } else { its == own };
    if !fits {
        check.invalid(format!("{about}.namespace"), &json!(its), "does not match event.namespace");
    }
}

fn autoscaler(check: &mut Check, object: &Value) {
    for field in ["kind", "name"] {
        check.needs_text(object, &format!("spec.scaleTargetRef.{field}"));
    }
    let (least, most) =
        (number(object, &["spec", "minReplicas"]), number(object, &["spec", "maxReplicas"]).unwrap_or(0));
    if least.is_some_and(|least| least < 1) {
        check.invalid("spec.minReplicas", &json!(least), "must be greater than or equal to 1");
    }
    if most < 1 {
        check.invalid("spec.maxReplicas", &json!(most), "must be greater than 0");
    }
    if least.is_some_and(|least| most < least) {
        check.invalid("spec.maxReplicas", &json!(most), "must be greater than or equal to `minReplicas`");
    }
}

fn budget(check: &mut Check, object: &Value) {
    let both = ["minAvailable", "maxUnavailable"].iter().all(|field| at(object, &["spec", field]).is_some());
    if both {
        let why = "minAvailable and maxUnavailable cannot be both set";
        check.invalid("spec", object.get("spec").unwrap_or(&Value::Null), why);
    }
    check.not_negative(object, "spec.minAvailable");
    check.not_negative(object, "spec.maxUnavailable");
    if let Some(selector) = value_at(object, "spec.selector") {
        check.selector("spec.selector", selector);
    }
}

fn priority_class(check: &mut Check, object: &Value) {
    const HIGHEST: i64 = 1_000_000_000;
    let given = meta::name(object);
    if given.starts_with("system-") {
        if let Some(problem) = not_a_system_class(object, given) {
            let why = "priority class names with 'system-' prefix are reserved for system use only. error: ";
            check.forbidden("metadata.name", &format!("{why}{problem}"));
        }
    } else if number(object, &["value"]).is_some_and(|value| value > HIGHEST) {
        let why = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        check.forbidden("value", &why);
    }
    check.one_of(object, "preemptionPolicy", &["Never", "PreemptLowerPriority"]);
}

/// What tells a class from the system's own one of its name.
fn not_a_system_class(object: &Value, given: &str) -> Option<String> {
    let Some(class) = SYSTEM_CLASSES.iter().find(|class| class.name == given) else {
        return Some(format!("{given} is not a known system priority class"));
    };
    if number(object, &["value"]) != Some(class.value) {
        return Some(format!("value of {given} PriorityClass must be {}", class.value));
    }
    (object["globalDefault"] == true).then(|| format!("globalDefault of {given} PriorityClass must be false"))
}

fn role_binding(check: &mut Check, kind: &str, object: &Value) {
    let roles: &[&str] = if kind == "RoleBinding" { &["ClusterRole", "Role"] } else { &["ClusterRole"] };
    check.one_of_text("roleRef.kind", text(object, &["roleRef", "kind"]), roles);
    check.needs_text(object, "roleRef.name");
    for (index, subject) in list(object, &["subjects"]).iter().enumerate() {
        let path = format!("subjects[{index}]");
        if text(subject, &["name"]).is_empty() {
            check.required(format!("{path}.name"), "");
        }
        check.one_of_text(
            format!("{path}.kind"),
            text(subject, &["kind"]),
            &["Group", "ServiceAccount", "User"],
        );
    }
}
