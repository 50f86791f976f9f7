//! Upstream's `LimitRanger`: what the LimitRanges of a namespace give to new pods, and what they
//! allow pods and claims to ask for.
//!
//! **Invariants:** a pod has its defaults before anything else is decided about it; what is allowed
//! is checked last, when the object is whole. What is being deleted is let be.

use mainstay_resource::meta;
use mainstay_store::{Query, Store};
use serde_json::Value;

use crate::encode;

mod bounds;
mod defaults;
#[cfg(test)]
mod tests;

const RANGES: &str = "/limitranges";
const CLAIM: &str = "PersistentVolumeClaim";

/// Gives a pod's containers what they leave out and the namespace has a default for.
pub(super) fn give_defaults(store: &Store, namespace: &str, pod: &mut Value) {
    for range in of_namespace(store, namespace) {
        defaults::give(&range, pod);
    }
}

/// What the namespace has against an object of this kind: the first LimitRange's reasons.
pub(super) fn check(store: &Store, namespace: &str, kind: &str, object: &Value) -> Result<(), String> {
    for range in of_namespace(store, namespace) {
        let wrong = match kind {
            CLAIM => bounds::of_claim(&range, object),
            _ => bounds::of_pod(&range, object),
        };
        if !wrong.is_empty() {
            return Err(together(wrong));
        }
    }
    Ok(())
}

/// Whether a change of what is `before` is let be.
pub(super) fn is_ending(before: &Value) -> bool {
    meta::deletion_timestamp(before).is_some()
}

/// The LimitRanges of a namespace, by name.
fn of_namespace(store: &Store, namespace: &str) -> Vec<Value> {
    let query = Query { resource: RANGES, namespace: Some(namespace), ..Query::default() };
    let Ok(page) = store.list(&query, &|_| true) else { return Vec::new() };
    page.records.iter().map(|record| encode::decode(&record.value)).collect()
}

/// Several reasons as one: each once, in brackets when there is more than one.
fn together(reasons: Vec<String>) -> String {
    let mut once: Vec<String> = Vec::new();
    for reason in reasons {
        if !once.contains(&reason) {
            once.push(reason);
        }
    }
    if once.len() == 1 { once.remove(0) } else { format!("[{}]", once.join(", ")) }
}
