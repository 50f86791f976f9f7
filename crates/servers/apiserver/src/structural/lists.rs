//! Whether the items of sets, and the keys of lists that are maps, are there once.

use serde_json::{Map, Value};

use super::node::{Node, Relation};
use crate::status::Cause;

/// The items that are there again.
pub(super) fn check(root: &Node, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    value(root, object, "", &mut causes);
    causes
}

fn value(node: &Node, at: &Value, path: &str, causes: &mut Vec<Cause>) {
    match at {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(known) = node.property(name) {
                    let dot = if path.is_empty() { "" } else { "." };
                    value(known, field, &format!("{path}{dot}{name}"), causes);
                } else if let Some(known) = node.field(name) {
                    value(known, field, &format!("{path}[{name}]"), causes);
                }
            }
        }
        Value::Array(items) => {
            match &node.relation {
                Relation::Atomic => {}
                Relation::Set => set(items, path, causes),
                Relation::Map(keys) => map(items, keys, path, causes),
            }
            if let Some(known) = &node.items {
                for (index, item) in items.iter().enumerate() {
                    value(known, item, &format!("{path}[{index}]"), causes);
                }
            }
        }
        _ => {}
    }
}

fn set(items: &[Value], path: &str, causes: &mut Vec<Cause>) {
    for index in repeated(items) {
        causes.push(duplicate(&format!("{path}[{index}]"), &items[index]));
    }
}

fn map(items: &[Value], keys: &[Box<str>], path: &str, causes: &mut Vec<Cause>) {
    if let Some((index, item)) = items.iter().enumerate().find(|(_, one)| !one.is_object() && !one.is_null())
    {
        let why = "must be an object for an array of list-type map";
        return causes.push(Cause::invalid(format!("{path}[{index}]"), item, why));
    }
    let key = |item: &Value| -> Value {
        let fields = keys.iter().filter_map(|key| Some((key.to_string(), item.get(&**key)?.clone())));
        fields.collect::<Map<_, _>>().into()
    };
    let keys: Vec<Value> = items.iter().map(key).collect();
    for index in repeated(&keys) {
        causes.push(duplicate(&format!("{path}[{index}]"), &keys[index]));
    }
}

/// Where each value that is there more than once is the second time.
fn repeated(items: &[Value]) -> impl Iterator<Item = usize> + '_ {
    (0..items.len()).filter(|index| {
        let earlier = items[..*index].iter().filter(|one| **one == items[*index]).count();
        earlier == 1
    })
}

fn duplicate(path: &str, value: &Value) -> Cause {
    let message = format!("Duplicate value: {}", as_go(value));
    Cause { reason: "FieldValueDuplicate", message, field: path.to_owned() }
}

/// A value as Go prints it.
fn as_go(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name:?}:{}", as_go(value))).collect();
            format!("map[string]interface {{}}{{{}}}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(as_go).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        other => other.to_string(),
    }
}
