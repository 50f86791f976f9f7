//! Reading and writing an object's metadata where it is: in the JSON.
//!
//! Readers answer with the empty string, zero or nothing when a field is absent or of another type,
//! as a zero value would upstream. Writers create `metadata` when it is missing, and remove a field
//! that is set to nothing.
//!
//! **Not here:** `metadata.managedFields` (`managed`), validation of names (`name`).

use serde_json::{Map, Value, json};

/// The object's `metadata`, when it has one.
pub fn metadata(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.as_object()
}

/// The object's `metadata`, made when missing; anything that is not an object is replaced by one.
pub fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    let metadata = as_map(object).entry("metadata").or_insert(Value::Null);
    as_map(metadata)
}

fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("invariant: it was just made an object")
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    metadata(object).and_then(|metadata| metadata.get(field)).and_then(Value::as_str).unwrap_or_default()
}

fn set_text(object: &mut Value, field: &str, value: &str) {
    let metadata = metadata_mut(object);
    if value.is_empty() {
        metadata.remove(field);
    } else {
        metadata.insert(field.to_owned(), Value::from(value));
    }
}

/// `kind`.
pub fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or_default()
}

/// `apiVersion`.
pub fn api_version(object: &Value) -> &str {
    object.get("apiVersion").and_then(Value::as_str).unwrap_or_default()
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "name")
}

/// Sets `metadata.name`.
pub fn set_name(object: &mut Value, name: &str) {
    set_text(object, "name", name);
}

/// `metadata.generateName`.
pub fn generate_name(object: &Value) -> &str {
    text(object, "generateName")
}

/// `metadata.namespace`; empty for cluster-scoped objects.
pub fn namespace(object: &Value) -> &str {
    text(object, "namespace")
}

/// Sets `metadata.namespace`; the empty string removes it.
pub fn set_namespace(object: &mut Value, namespace: &str) {
    set_text(object, "namespace", namespace);
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(object, "uid")
}

/// Sets `metadata.uid`.
pub fn set_uid(object: &mut Value, uid: &str) {
    set_text(object, "uid", uid);
}

/// `metadata.resourceVersion`.
pub fn resource_version(object: &Value) -> &str {
    text(object, "resourceVersion")
}

/// Sets `metadata.resourceVersion`; the empty string removes it.
pub fn set_resource_version(object: &mut Value, resource_version: &str) {
    set_text(object, "resourceVersion", resource_version);
}

/// `metadata.generation`; 0 when absent.
pub fn generation(object: &Value) -> i64 {
    metadata(object)
        .and_then(|metadata| metadata.get("generation"))
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

/// Sets `metadata.generation`.
pub fn set_generation(object: &mut Value, generation: i64) {
    metadata_mut(object).insert("generation".to_owned(), Value::from(generation));
}

/// `metadata.creationTimestamp`.
pub fn creation_timestamp(object: &Value) -> Option<&str> {
    Some(text(object, "creationTimestamp")).filter(|stamp| !stamp.is_empty())
}

/// Sets `metadata.creationTimestamp`.
pub fn set_creation_timestamp(object: &mut Value, stamp: &str) {
    set_text(object, "creationTimestamp", stamp);
}

/// `metadata.deletionTimestamp`: set while an object waits for its end.
pub fn deletion_timestamp(object: &Value) -> Option<&str> {
    Some(text(object, "deletionTimestamp")).filter(|stamp| !stamp.is_empty())
}

/// Sets `metadata.deletionTimestamp`; the empty string removes it.
pub fn set_deletion_timestamp(object: &mut Value, stamp: &str) {
    set_text(object, "deletionTimestamp", stamp);
}

/// `metadata.deletionGracePeriodSeconds`.
pub fn deletion_grace_period_seconds(object: &Value) -> Option<i64> {
    metadata(object)?.get("deletionGracePeriodSeconds")?.as_i64()
}

/// Sets `metadata.deletionGracePeriodSeconds`.
pub fn set_deletion_grace_period_seconds(object: &mut Value, seconds: i64) {
    metadata_mut(object).insert("deletionGracePeriodSeconds".to_owned(), Value::from(seconds));
}

/// `metadata.labels`, in the object's order.
pub fn labels(object: &Value) -> impl Iterator<Item = (&str, &str)> {
    pairs(object, "labels")
}

/// One label.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    metadata(object)?.get("labels")?.get(key)?.as_str()
}

/// Sets one label.
pub fn set_label(object: &mut Value, key: &str, value: &str) {
    set_pair(object, "labels", key, value);
}

/// `metadata.annotations`, in the object's order.
pub fn annotations(object: &Value) -> impl Iterator<Item = (&str, &str)> {
    pairs(object, "annotations")
}

/// One annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    metadata(object)?.get("annotations")?.get(key)?.as_str()
}

/// Sets one annotation.
pub fn set_annotation(object: &mut Value, key: &str, value: &str) {
    set_pair(object, "annotations", key, value);
}

fn pairs<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    metadata(object)
        .and_then(|metadata| metadata.get(field))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

fn set_pair(object: &mut Value, field: &str, key: &str, value: &str) {
    let pairs = metadata_mut(object).entry(field).or_insert(Value::Null);
    as_map(pairs).insert(key.to_owned(), Value::from(value));
}

/// `metadata.finalizers`, in the object's order.
pub fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    list(object, "finalizers").iter().filter_map(Value::as_str)
}

/// Adds a finalizer unless it is there; says whether it was added.
pub fn add_finalizer(object: &mut Value, finalizer: &str) -> bool {
    if finalizers(object).any(|present| present == finalizer) {
        return false;
    }
    let list = metadata_mut(object).entry("finalizers").or_insert_with(|| json!([]));
    if !list.is_array() {
        *list = json!([]);
    }
    list.as_array_mut().expect("invariant: it was just made an array").push(Value::from(finalizer));
    true
}

/// Removes a finalizer, and the empty list with the last one; says whether it was there.
pub fn remove_finalizer(object: &mut Value, finalizer: &str) -> bool {
    if !finalizers(object).any(|present| present == finalizer) {
        return false;
    }
    let metadata = metadata_mut(object);
    if let Some(Value::Array(list)) = metadata.get_mut("finalizers") {
        list.retain(|entry| entry.as_str() != Some(finalizer));
        if list.is_empty() {
            metadata.remove("finalizers");
        }
    }
    true
}

fn list<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    metadata(object)
        .and_then(|metadata| metadata.get(field))
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// One entry of `metadata.ownerReferences`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerReference<'a> {
    /// The owner's `apiVersion`.
    pub api_version: &'a str,
    /// The owner's kind.
    pub kind: &'a str,
    /// The owner's name, in the same namespace or cluster-scoped.
    pub name: &'a str,
    /// The owner's uid: the name alone may by now be another object's.
    pub uid: &'a str,
    /// Whether this owner is the one that manages the object.
    pub controller: bool,
    /// Whether a foreground deletion of the owner waits for this object.
    pub block_owner_deletion: bool,
}

impl<'a> OwnerReference<'a> {
    fn of(entry: &'a Value) -> Self {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
        let flag = |field: &str| entry.get(field).and_then(Value::as_bool).unwrap_or_default();
        Self {
            api_version: text("apiVersion"),
            kind: text("kind"),
            name: text("name"),
            uid: text("uid"),
            controller: flag("controller"),
            block_owner_deletion: flag("blockOwnerDeletion"),
        }
    }

    /// The controlling reference to `owner`, to be put into an object it makes.
    pub fn controller_of(owner: &'a Value) -> Self {
        Self {
            api_version: api_version(owner),
            kind: kind(owner),
            name: name(owner),
            uid: uid(owner),
            controller: true,
            block_owner_deletion: true,
        }
    }

    /// The entry as JSON.
    pub fn to_value(self) -> Value {
        json!({
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "uid": self.uid,
            "controller": self.controller,
            "blockOwnerDeletion": self.block_owner_deletion,
        })
    }
}

/// `metadata.ownerReferences`, in the object's order.
pub fn owner_references(object: &Value) -> impl Iterator<Item = OwnerReference<'_>> {
    list(object, "ownerReferences").iter().map(OwnerReference::of)
}

/// The owner that manages the object.
pub fn controller(object: &Value) -> Option<OwnerReference<'_>> {
    owner_references(object).find(|owner| owner.controller)
}

#[cfg(test)]
mod tests;
