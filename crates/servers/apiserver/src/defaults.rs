//! Defaults of the built-in kinds: what upstream writes into fields the client left out.
//!
//! **Invariants:** applying defaults twice is applying them once; a field that is set is never
//! changed; fields of an unexpected type are left for validation. Upstream's defaults are code
//! there too, so this is the one place where they are written down.
//!
//! **Not here:** what depends on other objects (`strategy`); defaults of a schema (`structural`).

mod amounts;
mod cluster;
mod pod;
#[cfg(test)]
mod tests;
mod traffic;
mod workloads;

use serde_json::Value;

use crate::fields::{Fields, Fill as _};
use crate::registry::{Origin, ResourceInfo};

/// Fills in the defaults of `info`'s kind; those of a custom resource are in its schema.
pub fn apply_defaults(info: &ResourceInfo, object: &mut Value) {
    if let Some(structural) = info.structural() {
        structural.fill(object);
    } else if info.origin == Origin::BuiltIn {
        apply(&info.group, &info.version, &info.kind, object);
    }
}

/// Fills in the defaults of a built-in kind.
fn apply(group: &str, version: &str, kind: &str, object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    if !matches!(kind, "CustomResourceDefinition" | "ControllerRevision") {
        drop_nulls(fields);
    }
    match (group, kind) {
        ("", _) => core(kind, fields),
        ("apps" | "batch", _) => workloads::apply(kind, fields),
        ("autoscaling", _) => workloads::autoscaler(version, fields),
        ("networking.k8s.io" | "discovery.k8s.io", _) => traffic::apply(kind, fields),
        _ => cluster::apply(group, kind, fields),
    }
}

fn core(kind: &str, fields: &mut Fields) {
    match kind {
        "Pod" => pod::pod(fields),
        "PodTemplate" => pod::template(fields.child_or_new("template")),
        "ReplicationController" => workloads::replication_controller(fields),
        "Service" | "Endpoints" => traffic::apply(kind, fields),
        _ => cluster::core(kind, fields),
    }
}

/// Removes null fields: to upstream's types they are absent.
fn drop_nulls(fields: &mut Fields) {
    fields.retain(|_, value| !value.is_null());
    for (name, value) in fields.iter_mut() {
        if name != "managedFields" {
            drop_nulls_below(value);
        }
    }
}

fn drop_nulls_below(value: &mut Value) {
    match value {
        Value::Object(fields) => drop_nulls(fields),
        Value::Array(items) => items.iter_mut().for_each(drop_nulls_below),
        _ => {}
    }
}
