//! Merge schemas made of a CustomResourceDefinition's `openAPIV3Schema`.

use std::borrow::Cow;

use serde_json::Value;

use super::{ANY, BUILT_IN, CUSTOM, Field, Key, ListType, Node, Patch, SCALAR, Schema};
use crate::GroupVersionKind;

/// Deeper than any object: the recursion ends on hostile input.
const DEPTH_MAX: usize = 128;

pub(super) fn schema(definition: &Value) -> Schema {
    let mut schema = Schema::empty();
    let root = object(&mut schema, definition, true, 0);
    schema.kinds.insert(GroupVersionKind::new("", "", CUSTOM), root);
    schema
}

fn node(schema: &mut Schema, definition: &Value, depth: usize) -> usize {
    if depth > DEPTH_MAX || definition["x-kubernetes-int-or-string"] == true {
        return if depth > DEPTH_MAX { ANY } else { SCALAR };
    }
    match definition["type"].as_str() {
        Some("object") => {
            object(schema, definition, definition["x-kubernetes-embedded-resource"] == true, depth)
        }
        Some("array") => list(schema, definition, depth),
        Some(_) => SCALAR,
        None => ANY,
    }
}

fn object(schema: &mut Schema, definition: &Value, embedded: bool, depth: usize) -> usize {
    let mut fields: Vec<Field> = Vec::new();
    for (name, property) in definition["properties"].as_object().into_iter().flatten() {
        let node = node(schema, property, depth + 1);
        fields.push(field(name.clone(), node));
    }
    if embedded {
        fields.retain(|field| !matches!(&*field.name, "apiVersion" | "kind" | "metadata"));
        let metadata = object_meta().map_or(ANY, |node| schema.push(Node::BuiltIn(node)));
        fields.push(Field { always_present: true, ..field("metadata".to_owned(), metadata) });
        fields.extend(["apiVersion", "kind"].map(|name| field(name.to_owned(), SCALAR)));
    }
    fields.sort_by(|left, right| left.name.cmp(&right.name));
    let rest = match &definition["additionalProperties"] {
        values @ Value::Object(_) => Some(node(schema, values, depth + 1)),
        Value::Bool(true) => Some(ANY),
        _ => (definition["x-kubernetes-preserve-unknown-fields"] == true).then_some(ANY),
    };
    let start = schema.fields.len();
    schema.fields.extend(fields);
    let atomic = definition["x-kubernetes-map-type"] == "atomic";
    schema.push(Node::Map { fields: start..schema.fields.len(), rest, atomic })
}

fn list(schema: &mut Schema, definition: &Value, depth: usize) -> usize {
    let items = node(schema, &definition["items"], depth + 1);
    let relation = match definition["x-kubernetes-list-type"].as_str() {
        Some("set") => ListType::Set,
        Some("map") => {
            let keys = definition["x-kubernetes-list-map-keys"].as_array().map_or(&[][..], Vec::as_slice);
            let default = |key: &str| definition["items"]["properties"][key].get("default").cloned();
            let keys = keys.iter().filter_map(Value::as_str);
            ListType::keyed(
                keys.map(|key| Key { name: Cow::Owned(key.to_owned()), default: default(key) }).collect(),
            )
        }
        _ => ListType::Atomic,
    };
    schema.push(Node::List { items, relation })
}

fn field(name: String, node: usize) -> Field {
    Field { name: Cow::Owned(name), node, patch: Patch::default(), always_present: false }
}

/// The type of every object's metadata.
fn object_meta() -> Option<usize> {
    let node = BUILT_IN.kinds.get(&GroupVersionKind::new("", "v1", "ConfigMap"))?;
    Some(BUILT_IN.at(*node).field("metadata")?.node)
}
