//! The metadata only the server writes, and what of an object may change in an update.
//!
//! Everything here is a pure function of the objects; time and identity are arguments.

use mainstay_resource::{meta, name};
use serde_json::{Map, Value, json};

use crate::registry::{NameRule, Origin, ResourceInfo};
use crate::status::{Cause, Status};

/// Fields of the metadata that stay as they are from an object's creation on, or that deletion alone sets.
const KEPT: [&str; 4] = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];

/// Stamps an object that is about to be made.
pub(crate) fn begin(info: &ResourceInfo, object: &mut Value, namespace: &str, uid: &str, now: &str) {
    let metadata = meta::metadata_mut(object);
    for field in
        ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"]
    {
        metadata.remove(field);
    }
    metadata.insert("uid".to_owned(), Value::from(uid));
    metadata.insert("creationTimestamp".to_owned(), Value::from(now));
    if info.has_generation {
        metadata.insert("generation".to_owned(), Value::from(1));
    }
    drop_empty(metadata);
    meta::set_namespace(object, namespace);
}

/// Keeps what an update may not change.
pub(crate) fn carry_over(live: &Value, object: &mut Value) {
    let old = meta::metadata(live);
    let metadata = meta::metadata_mut(object);
    metadata.remove("selfLink");
    for field in KEPT.into_iter().chain(["generation", "resourceVersion", "name", "namespace"]) {
        match old.and_then(|old| old.get(field)) {
            Some(value) => {
                if metadata.get(field) != Some(value) {
                    metadata.insert(field.to_owned(), value.clone());
                }
            }
            None => {
                metadata.remove(field);
            }
        }
    }
    drop_empty(metadata);
}

/// Removes what upstream's types do not encode: null, and empty text, lists and maps of the
/// metadata. Emptied managedFields mean something: they are reset.
fn drop_empty(metadata: &mut Map<String, Value>) {
    metadata.retain(|field, value| match value {
        _ if field == "managedFields" => true,
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    });
}

/// Limits an update to the part it is about: the status alone, or everything but the status.
pub(crate) fn limit_to_part(info: &ResourceInfo, is_status: bool, live: &Value, object: &mut Value) {
    if !info.has_status() {
        return;
    }
    if !is_status {
        return put_back(live, object, "status");
    }
    // Compared before it is copied: mostly nothing but the status differs.
    let other: Vec<String> = object
        .as_object()
        .into_iter()
        .chain(live.as_object())
        .flatten()
        .filter(|(key, _)| !matches!(key.as_str(), "status" | "metadata") && object.get(key) != live.get(key))
        .map(|(key, _)| key.clone())
        .collect();
    for field in &other {
        put_back(live, object, field);
    }
    limit_metadata(info, live, meta::metadata_mut(object));
}

/// What of the metadata a write of the status may change: of a custom resource nothing, of a
/// built-in one neither labels nor owners.
fn limit_metadata(info: &ResourceInfo, live: &Value, metadata: &mut Map<String, Value>) {
    let old = meta::metadata(live);
    let built_in = info.origin == Origin::BuiltIn;
    let fixed: Vec<String> = metadata
        .iter()
        .chain(old.into_iter().flatten())
        .map(|(field, _)| field)
        .filter(|field| match field.as_str() {
            "managedFields" => false,
            "labels" | "ownerReferences" => true,
            _ => !built_in,
        })
        .filter(|field| metadata.get(*field) != old.and_then(|old| old.get(*field)))
        .cloned()
        .collect();
    for field in fixed {
        match old.and_then(|old| old.get(&field)) {
            Some(value) => metadata.insert(field, value.clone()),
            None => metadata.remove(&field),
        };
    }
}

fn put_back(live: &Value, object: &mut Value, field: &str) {
    let Some(fields) = object.as_object_mut() else { return };
    match live.get(field) {
        Some(value) => fields.insert(field.to_owned(), value.clone()),
        None => fields.remove(field),
    };
}

/// Counts a change of anything but the metadata, and the status where that is written apart.
pub(crate) fn bump_generation(info: &ResourceInfo, live: &Value, object: &mut Value) {
    let counts = |key: &str| match key {
        "metadata" | "apiVersion" | "kind" => false,
        "status" => !info.has_status(),
        _ => true,
    };
    let spec = |object| -> Vec<_> {
        Value::as_object(object).into_iter().flatten().filter(|(key, _)| counts(key)).collect()
    };
    if info.has_generation && spec(live) != spec(object) {
        meta::set_generation(object, meta::generation(live) + 1);
    }
}

/// Whether two states differ only in when their fields were last written.
pub(crate) fn same_but_for_times(left: &Value, right: &Value) -> bool {
    let (Some(left), Some(right)) = (left.as_object(), right.as_object()) else { return left == right };
    left.len() == right.len()
        && left.iter().all(|(key, value)| match right.get(key) {
            Some(other) if key == "metadata" => same_metadata(value, other),
            Some(other) => value == other,
            None => false,
        })
}

fn same_metadata(left: &Value, right: &Value) -> bool {
    let (Some(left), Some(right)) = (left.as_object(), right.as_object()) else { return left == right };
    left.len() == right.len()
        && left.iter().all(|(key, value)| match right.get(key) {
            Some(other) if key == "managedFields" => same_managers(value, other),
            Some(other) => value == other,
            None => false,
        })
}

fn same_managers(left: &Value, right: &Value) -> bool {
    let (Some(left), Some(right)) = (left.as_array(), right.as_array()) else { return left == right };
    let same = |left: &Value, right: &Value| {
        ["manager", "operation", "apiVersion", "subresource", "fieldsV1"]
            .iter()
            .all(|field| left.get(field) == right.get(field))
    };
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
}

/// Whether nothing keeps a deleted object any longer: no finalizer, no grace period.
pub(crate) fn is_finished(info: &ResourceInfo, object: &Value) -> bool {
    meta::deletion_timestamp(object).is_some()
        && meta::finalizers(object).next().is_none()
        && meta::deletion_grace_period_seconds(object).unwrap_or(0) == 0
        && !has_content_finalizers(info, object)
}

/// A namespace has finalizers of its own, in its spec, for its content.
pub(crate) fn has_content_finalizers(info: &ResourceInfo, object: &Value) -> bool {
    let is_namespace = info.group.is_empty() && &*info.kind == "Namespace";
    let list = || object.pointer("/spec/finalizers").and_then(Value::as_array);
    is_namespace && list().is_some_and(|list| !list.is_empty())
}

/// What is wrong with the metadata of a new object.
pub(crate) fn check_new(info: &ResourceInfo, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let given = meta::name(object);
    if given.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
    }
    for wrong in (!given.is_empty()).then(|| name_problems(info, given)).into_iter().flatten() {
        causes.push(Cause::invalid("metadata.name", &json!(given), &wrong));
    }
    check_pairs(object, &mut causes);
    causes
}

/// What is wrong with the metadata of a changed object.
pub(crate) fn check_changed(live: &Value, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if meta::deletion_timestamp(live).is_some() {
        let old: Vec<&str> = meta::finalizers(live).collect();
        let added: Vec<&str> = meta::finalizers(object).filter(|one| !old.contains(one)).collect();
        if !added.is_empty() {
            causes.push(Cause::forbidden(
                "metadata.finalizers",
                &format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    added.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(", ")
                ),
            ));
        }
    }
    let (old, new) = (meta::metadata(live), meta::metadata(object));
    let differs = |field| old.and_then(|old| old.get(field)) != new.and_then(|new| new.get(field));
    if differs("labels") || differs("annotations") {
        check_pairs(object, &mut causes);
    }
    causes
}

fn name_problems(info: &ResourceInfo, given: &str) -> Vec<String> {
    match info.name_rule {
        NameRule::Subdomain => name::dns_subdomain(given),
        NameRule::Label => name::dns_label(given),
        NameRule::Label1035 => name::dns_1035_label(given),
        NameRule::PathSegment => name::path_segment(given),
    }
}

/// All annotations of an object together may be this large, as upstream has it.
const ANNOTATIONS_BYTES: usize = 256 * 1024;

fn check_pairs(object: &Value, causes: &mut Vec<Cause>) {
    for field in ["labels", "annotations"] {
        let Some(map) = meta::metadata(object).and_then(|metadata| metadata.get(field)) else { continue };
        let Some(map) = map.as_object() else {
            causes.push(Cause::invalid(format!("metadata.{field}"), map, "must be a map of strings"));
            continue;
        };
        for (key, value) in map {
            let Some(text) = value.as_str() else {
                causes.push(Cause::invalid(format!("metadata.{field}"), value, "must be a string"));
                continue;
            };
            // Upstream looks at an annotation's key without regard to case.
            let wrong = if field == "labels" {
                name::qualified_name(key)
            } else {
                name::qualified_name(&key.to_lowercase())
            };
            for wrong in wrong {
                causes.push(Cause::invalid(format!("metadata.{field}"), &json!(key), &wrong));
            }
            let wrong = if field == "labels" { name::label_value(text) } else { Vec::new() };
            for wrong in wrong {
                causes.push(Cause::invalid(format!("metadata.{field}"), value, &wrong));
            }
        }
    }
    let total: usize = meta::annotations(object).map(|(key, value)| key.len() + value.len()).sum();
    if total > ANNOTATIONS_BYTES {
        let message = format!("Too long: may not be more than {ANNOTATIONS_BYTES} bytes");
        causes.push(Cause { reason: "FieldValueTooLong", message, field: "metadata.annotations".to_owned() });
    }
}

/// An error when there are causes.
pub(crate) fn refuse(info: &ResourceInfo, object: &Value, causes: Vec<Cause>) -> Result<(), Status> {
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid(info, meta::name(object), causes)) }
}
