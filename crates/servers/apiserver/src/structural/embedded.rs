//! Whether objects in an object say what they are.

use mainstay_resource::name;
use serde_json::{Map, Value};

use super::node::Node;
use crate::status::Cause;

/// What is wrong with the objects below `object`; its own metadata are checked elsewhere.
pub(super) fn check(root: &Node, object: &Value, causes: &mut Vec<Cause>) {
    parts(root, object, "", causes);
}

fn parts(node: &Node, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let Some(known) = node.field(name) else { continue };
                let dot = if path.is_empty() { "" } else { "." };
                one(known, field, &format!("{path}{dot}{name}"), causes);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let Some(known) = &node.items else { continue };
                one(known, item, &format!("{path}[{index}]"), causes);
            }
        }
        _ => {}
    }
}

fn one(node: &Node, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    if let Some(fields) = value.as_object().filter(|_| node.is_embedded) {
        object(fields, path, causes);
    }
    parts(node, value, path, causes);
}

fn object(fields: &Map<String, Value>, path: &str, causes: &mut Vec<Cause>) {
    for field in ["apiVersion", "kind"] {
        let path = format!("{path}.{field}");
        match fields.get(field) {
            None => causes.push(Cause::required(path, "must not be empty")),
            Some(Value::String(text)) if text.is_empty() => {
                causes.push(Cause::invalid(path, &"".into(), "must not be empty"));
            }
            Some(Value::String(text)) => wording(field, text, path, causes),
            Some(other) => causes.push(Cause::invalid(path, other, "must be a string")),
        }
    }
}

fn wording(field: &str, text: &str, path: String, causes: &mut Vec<Cause>) {
    if field == "kind" {
        let wrong = name::dns_1035_label(&text.to_lowercase()).join(",");
        if !wrong.is_empty() {
            let why = format!("may have mixed case, but should otherwise match: {wrong}");
            causes.push(Cause::invalid(path, &text.into(), &why));
        }
    } else if text.split('/').count() > 2 {
        let why = format!("unexpected GroupVersion string: {text}");
        causes.push(Cause::invalid(path, &text.into(), &why));
    }
}
