//! CustomResourceDefinitions: what they must say, what the server answers in their status, and the
//! resources they bring.
//!
//! The status is decided in the write itself, so a definition that was answered with 201 is served.
//! A version's schema is compiled when it begins to be served (`structural`).
//!
//! **Invariant:** the registry's custom resources are those of the stored, established definitions.

mod definition;
mod names;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use mainstay_resource::meta;
use mainstay_store::{Change, Expect, Query, Record, Store, Write};
use serde_json::Value;

use crate::encode;
use crate::fields::text;
use crate::registry::{Origin, Registry, ResourceInfo};

pub(crate) use definition::validate;
pub(crate) use names::prepare;

/// The group of definitions.
pub const GROUP: &str = "apiextensions.k8s.io";
/// Their kind.
pub const KIND: &str = "CustomResourceDefinition";
/// The store's name for them.
const STORED: &str = "apiextensions.k8s.io/customresourcedefinitions";

/// Whether `info` is the resource of definitions.
pub fn is_definition(info: &ResourceInfo) -> bool {
    &*info.group == GROUP && &*info.kind == KIND
}

/// Registers the resources of every stored definition.
pub fn load(store: &Store, registry: &Registry) {
    let query = Query { resource: STORED, ..Query::default() };
    for record in store.list(&query, &|_| true).map(|page| page.records).unwrap_or_default() {
        written(registry, &encode::decode(&record.value));
    }
}

/// Follows a commit: what a definition describes is served from its write to its removal.
pub fn committed(registry: &Registry, record: &Record, is_gone: bool) {
    if &*record.key.resource != STORED {
        return;
    }
    if is_gone {
        removed(registry, &record.key.name);
    } else {
        written(registry, &encode::decode(&record.value));
    }
}

/// Serves what a stored definition describes now, and nothing else of it.
fn written(registry: &Registry, definition: &Value) {
    let resources = definition::resources(definition);
    let name = meta::name(definition);
    let current = registry.snapshot();
    if resources.is_empty() && !current.resources().iter().any(|info| is_of(info, name)) {
        return;
    }
    registry.replace(|info| is_of(info, name), resources);
}

fn removed(registry: &Registry, name: &str) {
    registry.remove(|info| is_of(info, name));
}

/// The writes that remove every object of a definition's resource, whatever finalizers they have:
/// to be committed together with the definition's own removal.
pub fn removal_of_objects(store: &Store, definition: &Value) -> Vec<Write> {
    let resource = stored_resource(definition);
    let query = Query { resource: &resource, ..Query::default() };
    let records = store.list(&query, &|_| true).map(|page| page.records).unwrap_or_default();
    records
        .iter()
        .map(|record| Write {
            key: record.key.clone(),
            expect: Expect::Any,
            change: Change::Delete(encode::draft(&encode::decode(&record.value))),
        })
        .collect()
}

/// The store's name for a definition's resource.
fn stored_resource(definition: &Value) -> Arc<str> {
    format!("{}/{}", text(definition, &["spec", "group"]), text(definition, &["spec", "names", "plural"]))
        .into()
}

fn is_of(info: &ResourceInfo, name: &str) -> bool {
    matches!(&info.origin, Origin::Custom { definition } if &**definition == name)
}
