//! Puts a schema's defaults where an object has nothing.

use serde_json::Value;

use super::node::{Node, Rest};

/// Fills in the defaults of a value, from the outside in: defaults have defaults themselves.
pub(super) fn fill(value: &mut Value, node: &Node) {
    match value {
        Value::Object(fields) => {
            for (name, property) in &node.properties {
                let Some(default) = &property.default else { continue };
                if fields.get(&**name).is_none_or(|present| property.refuses_null(present)) {
                    fields.insert(name.to_string(), default.clone());
                }
            }
            for (name, value) in fields.iter_mut() {
                match (node.property(name), &node.rest) {
                    (Some(property), _) => fill(value, property),
                    (None, Rest::Of(rest)) => fill_one(value, rest),
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                for item in items {
                    fill_one(item, node);
                }
            }
        }
        _ => {}
    }
}

/// Fills in an item or an entry: one that is null gets the default of them all.
fn fill_one(value: &mut Value, node: &Node) {
    if let Some(default) = node.default.as_ref().filter(|_| node.refuses_null(value)) {
        *value = default.clone();
    }
    fill(value, node);
}
