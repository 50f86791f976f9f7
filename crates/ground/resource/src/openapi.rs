//! The OpenAPI v3 documents of the served groups, from the embedded definitions.
//!
//! The definitions stay compressed; one document is made by decompressing them, picking what the
//! group's kinds reach, and letting go. Components are copied as text, never parsed into a tree.
//!
//! **Not here:** the index at `/openapi/v3` and the cache of documents (`apiserver`).

mod paths;

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::GroupVersionKind;
use crate::schema::table;

const DEFINITIONS: &[u8] = include_bytes!("../data/definitions-v1.33.json.gz");
const REFERENCE: &str = "#/components/schemas/";
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// A resource of the group and version a document is of.
#[derive(Clone, Copy, Debug)]
pub struct ResourceEntry<'a> {
    /// The kind of its objects.
    pub kind: &'a GroupVersionKind,
    /// The plural, as in paths.
    pub plural: &'a str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Its subresources and the kinds they speak: `("scale", autoscaling/v1 Scale)`.
    pub subresources: &'a [(&'a str, GroupVersionKind)],
    /// The `openAPIV3Schema` of a custom kind; `None` for a built-in one.
    pub definition: Option<&'a Value>,
}

/// The definitions: one JSON object, component name to schema. Decompressed anew by every call.
pub fn definitions_text() -> String {
    let mut text = String::new();
    let read = GzDecoder::new(DEFINITIONS).read_to_string(&mut text);
    read.expect("invariant: the embedded definitions decompress");
    text
}

/// The OpenAPI v3 document of a group and version, as JSON.
pub fn document(group: &str, version: &str, resources: &[ResourceEntry<'_>]) -> Vec<u8> {
    let text = definitions_text();
    let definitions: BTreeMap<&str, &RawValue> =
        serde_json::from_str(&text).expect("invariant: the embedded definitions are a JSON object");
    let mut own = BTreeMap::new();
    let mut wanted: Vec<String> =
        ["Status", "DeleteOptions", "Patch"].map(|name| format!("{META}.{name}")).into();
    for resource in resources {
        wanted.extend(components_of(resource, &mut own));
    }
    let components = reachable(&definitions, &own, wanted);
    let paths = Value::Object(paths::paths(group, version, resources));
    let mut out = format!(
        r#"{{"openapi":"3.0.0","info":{{"title":"Kubernetes","version":"{}"}},"paths":{paths},"components":{{"schemas":{{"#,
        table::VERSION
    );
    for (index, (name, schema)) in components.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        out.push_str(&Value::from(name.as_str()).to_string());
        out.push(':');
        out.push_str(schema);
    }
    out.push_str("}}}");
    out.into_bytes()
}

/// The components a resource needs by name; those of a custom kind are made here.
fn components_of(resource: &ResourceEntry<'_>, own: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut names = vec![component_name(resource.kind), component_name(&list_kind(resource.kind))];
    names.extend(resource.subresources.iter().map(|(_, kind)| component_name(kind)));
    if let Some(definition) = resource.definition {
        own.insert(names[0].clone(), custom_component(resource.kind, definition).to_string());
        own.insert(names[1].clone(), custom_list(resource.kind, &names[0]).to_string());
    }
    names
}

fn list_kind(kind: &GroupVersionKind) -> GroupVersionKind {
    GroupVersionKind { kind: format!("{}List", kind.kind), ..kind.clone() }
}

/// The component of a kind: the published one, or for a custom kind the reversed group, the version
/// and the kind, `dev.mainstay.v1alpha1.NodeClaim`.
fn component_name(kind: &GroupVersionKind) -> String {
    table::component_of(kind).unwrap_or_else(|| {
        let group: Vec<&str> = kind.group.rsplit('.').collect();
        format!("{}.{}.{}", group.join("."), kind.version, kind.kind)
    })
}

fn custom_component(kind: &GroupVersionKind, definition: &Value) -> Value {
    let mut schema = match definition {
        Value::Object(_) => definition.clone(),
        _ => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
    };
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    let properties = &mut schema["properties"];
    properties["apiVersion"] =
        json!({"type": "string", "description": "APIVersion is the version of this object's schema."});
    properties["kind"] = json!({"type": "string", "description": "Kind is what this object is."});
    properties["metadata"] = json!({
        "description": "Standard object's metadata.",
        "allOf": [{ "$ref": format!("{REFERENCE}{META}.ObjectMeta") }],
    });
    schema["x-kubernetes-group-version-kind"] = json!([paths::kind_value(kind)]);
    schema
}

fn custom_list(kind: &GroupVersionKind, item: &str) -> Value {
    json!({
        "description": format!("{}List is a list of {}", kind.kind, kind.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string", "description": "APIVersion is the version of this object's schema."},
            "kind": {"type": "string", "description": "Kind is what this object is."},
            "metadata": {
                "description": "Standard list metadata.",
                "allOf": [{ "$ref": format!("{REFERENCE}{META}.ListMeta") }],
            },
            "items": {
                "description": "The objects.",
                "type": "array",
                "items": { "$ref": format!("{REFERENCE}{item}") },
            },
        },
        "x-kubernetes-group-version-kind": [paths::kind_value(&list_kind(kind))],
    })
}

/// What is wanted and everything it refers to.
fn reachable<'t>(
    definitions: &BTreeMap<&str, &'t RawValue>,
    own: &'t BTreeMap<String, String>,
    mut wanted: Vec<String>,
) -> BTreeMap<String, &'t str> {
    let mut found = BTreeMap::new();
    while let Some(name) = wanted.pop() {
        let schema =
            own.get(&name).map(String::as_str).or_else(|| definitions.get(&*name).map(|raw| raw.get()));
        let Some(schema) = schema.filter(|_| !found.contains_key(&name)) else { continue };
        for (start, _) in schema.match_indices(REFERENCE) {
            let reference = &schema[start + REFERENCE.len()..];
            wanted.extend(reference.split('"').next().map(str::to_owned));
        }
        found.insert(name, schema);
    }
    found
}

/// A reference to the component of a kind.
fn reference(kind: &GroupVersionKind) -> Value {
    json!({ "$ref": format!("{REFERENCE}{}", component_name(kind)) })
}

fn meta_reference(name: &str) -> Value {
    json!({ "$ref": format!("{REFERENCE}{META}.{name}") })
}

#[cfg(test)]
mod tests;
