//! The set of paths an object mentions, and whether it may be applied at all.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::element::{self, Element};
use super::set::{FieldSet, Trie, node};
use crate::SchemaRef;
use crate::schema::{ListType, Shape};

/// Every leaf and every item an object mentions.
pub fn field_set(object: &Value, schema: SchemaRef<'_>) -> FieldSet {
    FieldSet(below(schema, object).1)
}

/// Whether the place itself is in the set, and what is below it.
fn below(schema: SchemaRef<'_>, value: &Value) -> (bool, Trie) {
    match (schema.shape(), value) {
        (Shape::Scalar | Shape::Map { atomic: true } | Shape::List(ListType::Atomic), _) => {
            (true, Trie::new())
        }
        (Shape::Map { .. } | Shape::Any, Value::Object(fields)) => (false, map(schema, fields)),
        (Shape::Any | Shape::Map { .. } | Shape::List(_), Value::Null) => (false, Trie::new()),
        (Shape::List(list), Value::Array(items)) => (false, keyed(schema, list, items)),
        (Shape::Any | Shape::Map { .. } | Shape::List(_), _) => (true, Trie::new()),
    }
}

fn map(schema: SchemaRef<'_>, fields: &Map<String, Value>) -> Trie {
    let mut out = Trie::new();
    for (name, value) in fields {
        let (member, children) = below(schema.field_or_any(name), value);
        let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
        if let Some(node) = node(member || empty || !schema.declares(name), children) {
            out.insert(format!("f:{name}"), node);
        }
    }
    out
}

fn keyed(schema: SchemaRef<'_>, list: &ListType, items: &[Value]) -> Trie {
    let mut out = Trie::new();
    for item in items {
        let Some(key) = element::item(list, item) else { continue };
        let children = if out.contains_key(&key) { Trie::new() } else { below(schema.items(), item).1 };
        out.extend(node(true, children).map(|node| (key, node)));
    }
    out
}

/// Why an object cannot be applied, in upstream's words; `None` when it can.
pub(super) fn objections(object: &Value, schema: SchemaRef<'_>) -> Option<String> {
    let mut found = Vec::new();
    validate(schema, object, "", &mut found);
    match found.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        many => Some(format!("errors:\n  {}", many.join("\n  "))),
    }
}

fn validate(schema: SchemaRef<'_>, value: &Value, path: &str, found: &mut Vec<String>) {
    let mut object =
        |text: String| found.push(if path.is_empty() { text } else { format!("{path}: {text}") });
    match (schema.shape(), value) {
        (_, Value::Null) | (Shape::Any, _) => {}
        (Shape::Map { .. }, Value::Object(fields)) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match schema.field(name) {
                    Some(field) => validate(field, value, &path, found),
                    None => found.push(format!("{path}: field not declared in schema")),
                }
            }
        }
        (Shape::Map { .. }, other) => object(format!("expected map, got {other}")),
        (Shape::List(list), Value::Array(items)) => validate_items(schema, list, items, path, found),
        (Shape::List(_), other) => object(format!("expected list, got {other}")),
        (Shape::Scalar, Value::Object(_) | Value::Array(_)) => {
            object(format!("expected any scalar, got {value}"));
        }
        (Shape::Scalar, _) => {}
    }
}

fn validate_items(
    schema: SchemaRef<'_>,
    list: &ListType,
    items: &[Value],
    path: &str,
    found: &mut Vec<String>,
) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let step = match list {
            ListType::Atomic => format!("[{index}]"),
            _ => match element::item(list, item) {
                None => {
                    found.push(format!("{path}: element {index}: {}", unidentified(list, item)));
                    return;
                }
                Some(key) => {
                    let step = Element::parse(&key).map(|element| element.to_string()).unwrap_or_default();
                    if !seen.insert(key) {
                        found.push(format!("{path}: duplicate entries for key {step}"));
                    }
                    step
                }
            },
        };
        validate(schema.items(), item, &format!("{path}{step}"), found);
    }
}

fn unidentified(list: &ListType, item: &Value) -> String {
    match (list, item) {
        (ListType::Map(_), Value::Null) => {
            "associative list with keys may not have a null element".to_owned()
        }
        (ListType::Map(keys), Value::Object(_)) => {
            let keys: Vec<String> = keys.iter().map(|key| format!("{:?}", key.name)).collect();
            format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
                keys.join(" ")
            )
        }
        (ListType::Map(_), _) => "associative list with keys may not have non-map elements".to_owned(),
        (_, Value::Null) => "associative list without keys has an element that's an explicit null".to_owned(),
        (_, Value::Object(_)) => "associative list without keys has an element that's a map type".to_owned(),
        _ => "not supported: associative list with lists as elements".to_owned(),
    }
}
