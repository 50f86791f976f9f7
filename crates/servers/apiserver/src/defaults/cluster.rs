//! Defaults of the remaining kinds: namespaces and storage, policy and extension.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::amounts;
use crate::fields::{Fields, Fill as _};

const RBAC: &str = "rbac.authorization.k8s.io";

/// The remaining kinds of the core group.
pub(super) fn core(kind: &str, fields: &mut Fields) {
    match kind {
        "Namespace" => name_label(fields),
        "Secret" => {
            encode_text(fields);
            fields.fill("type", "Opaque");
        }
        "PersistentVolume" => {
            if let Some(spec) = fields.child_or_new("spec") {
                spec.fill("persistentVolumeReclaimPolicy", "Retain");
                spec.fill("volumeMode", "Filesystem");
                amounts::list(spec, "capacity");
            }
            phase(fields);
        }
        "PersistentVolumeClaim" => {
            if let Some(spec) = fields.child_or_new("spec") {
                spec.fill("volumeMode", "Filesystem");
                amounts::resources(spec);
            }
            phase(fields);
            status_amounts(fields, &["capacity", "allocatedResources"]);
        }
        "Node" => {
            status_amounts(fields, &["capacity", "allocatable"]);
            if let Some(status) = fields.child("status")
                && let Some(capacity) = status.get("capacity").cloned()
            {
                status.fill("allocatable", capacity);
            }
        }
        "ResourceQuota" => {
            if let Some(spec) = fields.child("spec") {
                amounts::list(spec, "hard");
            }
            status_amounts(fields, &["hard", "used"]);
        }
        "LimitRange" => {
            if let Some(spec) = fields.child("spec") {
                spec.each("limits", limit);
            }
        }
        _ => {}
    }
}

fn status_amounts(fields: &mut Fields, names: &[&str]) {
    let Some(status) = fields.child("status") else { return };
    for name in names {
        amounts::list(status, name);
    }
}

/// Every namespace carries its name as a label, so that selectors can name it.
fn name_label(fields: &mut Fields) {
    let Some(metadata) = fields.child("metadata") else { return };
    let Some(name) = metadata.get("name").and_then(Value::as_str).map(str::to_owned) else { return };
    if let Some(labels) = metadata.child_or_new("labels") {
        labels.put("kubernetes.io/metadata.name", name);
    }
}

/// `stringData` is written into `data` and never stored.
fn encode_text(fields: &mut Fields) {
    let Some(Value::Object(texts)) = fields.remove("stringData") else { return };
    if texts.is_empty() {
        return;
    }
    if let Some(data) = fields.child_or_new("data") {
        for (name, text) in texts {
            data.put(&name, STANDARD.encode(text.as_str().unwrap_or_default()));
        }
    }
}

fn phase(fields: &mut Fields) {
    if let Some(status) = fields.child_or_new("status") {
        status.fill("phase", "Pending");
    }
}

/// For containers: the default follows from the maximum, the default request from the default or
/// the minimum.
fn limit(item: &mut Fields) {
    for name in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        amounts::list(item, name);
    }
    if item.get("type").and_then(Value::as_str) != Some("Container") {
        return;
    }
    for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
        let Some(Value::Object(amounts)) = item.get(from).cloned() else { continue };
        if let Some(target) = item.child_or_new(to) {
            for (name, amount) in amounts {
                target.fill(&name, amount);
            }
        }
    }
}

/// The kinds of the remaining groups.
pub(super) fn apply(group: &str, kind: &str, fields: &mut Fields) {
    match (group, kind) {
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => binding(fields),
        ("storage.k8s.io", "StorageClass") => {
            fields.fill("reclaimPolicy", "Delete");
            fields.fill("volumeBindingMode", "Immediate");
        }
        ("storage.k8s.io", "CSIDriver") => driver(fields),
        ("scheduling.k8s.io", "PriorityClass") => fields.fill("preemptionPolicy", "PreemptLowerPriority"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(fields),
        ("admissionregistration.k8s.io", _) => admission(kind, fields),
        ("flowcontrol.apiserver.k8s.io", _) => flow(kind, fields),
        _ => {}
    }
}

fn binding(fields: &mut Fields) {
    if let Some(role) = fields.child("roleRef") {
        role.fill("apiGroup", RBAC);
    }
    fields.each("subjects", |subject| {
        if matches!(subject.get("kind").and_then(Value::as_str), Some("User" | "Group")) {
            subject.fill("apiGroup", RBAC);
        }
    });
}

fn driver(fields: &mut Fields) {
    let Some(spec) = fields.child_or_new("spec") else { return };
    spec.fill("attachRequired", true);
    for name in ["podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"] {
        spec.fill(name, false);
    }
    spec.fill("fsGroupPolicy", "ReadWriteOnceWithFSType");
    spec.fill("volumeLifecycleModes", json!(["Persistent"]));
}

fn definition(fields: &mut Fields) {
    let Some(spec) = fields.child_or_new("spec") else { return };
    if let Some(names) = spec.child("names")
        && let Some(kind) = names.get("kind").and_then(Value::as_str).map(str::to_owned)
    {
        names.fill("singular", kind.to_lowercase());
        names.fill("listKind", format!("{kind}List"));
    }
    if let Some(conversion) = spec.child_or_new("conversion") {
        conversion.fill("strategy", "None");
    }
}

fn admission(kind: &str, fields: &mut Fields) {
    let mutating = kind == "MutatingWebhookConfiguration";
    fields.each("webhooks", |hook| {
        hook.fill("failurePolicy", "Fail");
        hook.fill("timeoutSeconds", 10);
        if mutating {
            hook.fill("reinvocationPolicy", "Never");
        }
        matching(hook, "rules");
        let config = hook.child("clientConfig");
        if let Some(service) = config.and_then(|config| config.child("service")) {
            service.fill("port", 443);
        }
    });
    let Some(spec) = fields.child("spec") else { return };
    if kind == "ValidatingAdmissionPolicy" {
        spec.fill("failurePolicy", "Fail");
    }
    for name in ["matchConstraints", "matchResources"] {
        if let Some(constraints) = spec.child(name) {
            matching(constraints, "resourceRules");
        }
    }
}

fn matching(fields: &mut Fields, rules: &str) {
    fields.fill("matchPolicy", "Equivalent");
    fields.fill("namespaceSelector", Fields::new());
    fields.fill("objectSelector", Fields::new());
    fields.each(rules, |rule| rule.fill("scope", "*"));
}

fn flow(kind: &str, fields: &mut Fields) {
    let Some(spec) = fields.child_or_new("spec") else { return };
    if kind == "FlowSchema" {
        spec.fill_zero("matchingPrecedence", 1000);
        return;
    }
    let Some(limited) = spec.child("limited") else { return };
    limited.fill("nominalConcurrencyShares", 30);
    limited.fill("lendablePercent", 0);
    let Some(response) = limited.child_or_new("limitResponse") else { return };
    response.fill("type", "Reject");
    if let Some(queuing) = response.child("queuing") {
        queuing.fill_zero("queues", 64);
        queuing.fill_zero("handSize", 8);
        queuing.fill_zero("queueLengthLimit", 50);
    }
}
