//! Legacy discovery: one document per group and version.

use serde_json::{Map, Value, json};

use super::order;
use crate::registry::{ResourceInfo, Snapshot, Subresource};

/// `/api`.
pub(super) fn versions(snapshot: &Snapshot, advertise: &str) -> Value {
    let versions: Vec<Value> =
        order::versions(snapshot, "").iter().map(|version| Value::from(&**version)).collect();
    json!({
        "kind": "APIVersions",
        "versions": versions,
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": advertise }],
    })
}

/// `/apis`.
pub(super) fn groups(snapshot: &Snapshot) -> Value {
    let named = order::groups(snapshot).into_iter().filter(|group| !group.is_empty());
    let groups: Vec<Value> = named.map(|name| Value::Object(group_fields(snapshot, &name))).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// `/apis/<group>`.
pub(super) fn group(snapshot: &Snapshot, name: &str) -> Option<Value> {
    if order::versions(snapshot, name).is_empty() || name.is_empty() {
        return None;
    }
    let mut fields = group_fields(snapshot, name);
    fields.insert("kind".to_owned(), "APIGroup".into());
    fields.insert("apiVersion".to_owned(), "v1".into());
    Some(Value::Object(fields))
}

fn group_fields(snapshot: &Snapshot, name: &str) -> Map<String, Value> {
    let versions: Vec<Value> = order::versions(snapshot, name)
        .iter()
        .map(|version| json!({ "groupVersion": format!("{name}/{version}"), "version": &**version }))
        .collect();
    let mut fields = Map::new();
    fields.insert("name".to_owned(), name.into());
    fields.insert("preferredVersion".to_owned(), versions.first().cloned().unwrap_or_default());
    fields.insert("versions".to_owned(), versions.into());
    fields
}

/// `/api/<version>` and `/apis/<group>/<version>`.
pub(super) fn resources(snapshot: &Snapshot, group: &str, version: &str) -> Option<Value> {
    let mut resources = Vec::new();
    for info in snapshot.group_version(group, version) {
        resources.push(resource(info));
        resources.extend(info.subresources.iter().map(|sub| subresource(info, sub)));
    }
    if resources.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut list =
        json!({ "kind": "APIResourceList", "groupVersion": group_version, "resources": resources });
    if !group.is_empty() {
        list["apiVersion"] = "v1".into();
    }
    Some(list)
}

fn resource(info: &ResourceInfo) -> Value {
    let mut out = json!({
        "name": &*info.resource,
        "singularName": &*info.singular,
        "namespaced": info.namespaced,
        "kind": &*info.kind,
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
    out
}

fn subresource(info: &ResourceInfo, sub: &Subresource) -> Value {
    let mut out = json!({
        "name": format!("{}/{}", info.resource, sub.name),
        "singularName": "",
        "namespaced": info.namespaced,
        "kind": &*sub.kind,
        "verbs": sub.verbs,
    });
    if (&sub.group, &sub.version) != (&info.group, &info.version) {
        out["group"] = (&*sub.group).into();
        out["version"] = (&*sub.version).into();
    }
    out
}
