//! Upstream's `DefaultStorageClass`: a claim that names no class gets the default one, of several
//! the newest. Upstream's `StorageObjectInUseProtection`: a claim does not go while a pod uses it, nor a
//! volume while a claim does; a controller says when none does.

use mainstay_resource::meta;
use mainstay_store::{Query, Store};
use serde_json::Value;

use crate::encode;
use crate::fields::Fill as _;

/// What marks a class as the default.
pub(crate) const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
const DEFAULT_CLASS_OLD: &str = "storageclass.beta.kubernetes.io/is-default-class";
/// Where claims named their class once.
const CLASS_OLD: &str = "volume.beta.kubernetes.io/storage-class";

/// Keeps a claim that a pod uses.
pub(super) const PROTECTED_CLAIM: &str = "kubernetes.io/pvc-protection";
/// Keeps a volume that a claim is bound to.
pub(super) const PROTECTED_VOLUME: &str = "kubernetes.io/pv-protection";

/// Keeps a new claim or volume until nothing uses it.
pub(super) fn protect(object: &mut Value, finalizer: &str) {
    meta::add_finalizer(object, finalizer);
}

/// Gives a new claim the default class, if it names none and there is one.
pub(super) fn give_class(store: &Store, claim: &mut Value) {
    let names_one = meta::annotation(claim, CLASS_OLD).is_some()
        || claim.pointer("/spec/storageClassName").is_some_and(|class| !class.is_null());
    if names_one {
        return;
    }
    let query = Query { resource: "storage.k8s.io/storageclasses", ..Query::default() };
    let Ok(page) = store.list(&query, &|_| true) else { return };
    let classes: Vec<Value> = page.records.iter().map(|record| encode::decode(&record.value)).collect();
    let Some(class) = default_class(&classes) else { return };
    if let Some(spec) = claim.as_object_mut().and_then(|fields| fields.child_or_new("spec")) {
        spec.put("storageClassName", class);
    }
}

/// Whether a class is marked as the default.
pub(crate) fn is_default_class(class: &Value) -> bool {
    [DEFAULT_CLASS, DEFAULT_CLASS_OLD].iter().any(|key| meta::annotation(class, key) == Some("true"))
}

/// The name of the default class: of several the newest, of these the first by name.
fn default_class(classes: &[Value]) -> Option<&str> {
    let made = |class: &Value| meta::creation_timestamp(class).unwrap_or_default().to_owned();
    let first = classes.iter().filter(|class| is_default_class(class)).min_by(|left, right| {
        made(right).cmp(&made(left)).then_with(|| meta::name(left).cmp(meta::name(right)))
    });
    first.map(meta::name)
}
