//! Aggregated discovery: everything in one document.

use serde_json::{Map, Value, json};

use super::{groups, versions};
use crate::registry::{ResourceInfo, Snapshot, Subresource};

/// The APIGroupDiscoveryList of the core group, or of all others.
pub(super) fn list(snapshot: &Snapshot, version: &str, core: bool) -> Value {
    let wanted = groups(snapshot).into_iter().filter(|group| group.is_empty() == core);
    let items: Vec<Value> = wanted.map(|name| group(snapshot, &name)).collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {},
        "items": items,
    })
}

fn group(snapshot: &Snapshot, name: &str) -> Value {
    let versions: Vec<Value> = versions(snapshot, name)
        .iter()
        .map(|version| {
            let resources: Vec<Value> =
                snapshot.group_version(name, version).map(|info| resource(info)).collect();
            json!({ "version": &**version, "resources": resources, "freshness": "Current" })
        })
        .collect();
    let mut metadata = Map::new();
    if !name.is_empty() {
        metadata.insert("name".to_owned(), name.into());
    }
    metadata.insert("creationTimestamp".to_owned(), Value::Null);
    json!({ "metadata": metadata, "versions": versions })
}

fn resource(info: &ResourceInfo) -> Value {
    let mut out = json!({
        "resource": &*info.resource,
        "responseKind": kind(&info.group, &info.version, &info.kind),
        "scope": if info.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": &*info.singular,
        "verbs": info.verbs,
    });
    let texts =
        |texts: &[std::sync::Arc<str>]| texts.iter().map(|text| Value::from(&**text)).collect::<Value>();
    if !info.short_names.is_empty() {
        out["shortNames"] = texts(&info.short_names);
    }
    if !info.categories.is_empty() {
        out["categories"] = texts(&info.categories);
    }
    if !info.subresources.is_empty() {
        out["subresources"] = info.subresources.iter().map(subresource).collect();
    }
    out
}

fn subresource(sub: &Subresource) -> Value {
    json!({
        "subresource": &*sub.name,
        "responseKind": kind(&sub.group, &sub.version, &sub.kind),
        "verbs": sub.verbs,
    })
}

fn kind(group: &str, version: &str, kind: &str) -> Value {
    json!({ "group": group, "version": version, "kind": kind })
}
