//! Takes out of an object what its schema does not know.

use std::fmt::Write as _;

use serde_json::Value;

use super::node::{Node, Rest};

/// Every object has these, whatever its schema says.
const OWN: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Removes unknown fields; returns their paths, sorted.
pub(super) fn prune(object: &mut Value, root: &Node) -> Vec<String> {
    let mut pruning = Pruning::default();
    pruning.value(object, Some(root), root.keeps_unknown, true);
    pruning.unknown.sort();
    pruning.unknown
}

/// Removes fields that are null where null is no value and nothing stands in for it.
pub(super) fn nulls(value: &mut Value, node: &Node) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let Some(node) = node.field(name) else { return true };
                let is_nothing = node.refuses_null(value) && node.default.is_none();
                if !is_nothing {
                    nulls(value, node);
                }
                !is_nothing
            });
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                for item in items {
                    nulls(item, node);
                }
            }
        }
        _ => {}
    }
}

#[derive(Default)]
struct Pruning {
    path: String,
    unknown: Vec<String>,
}

impl Pruning {
    /// `keeps` is whether unknown fields stay: it is the node's own word, but for the items of a list
    /// that keeps what is unknown.
    fn value(&mut self, value: &mut Value, node: Option<&Node>, keeps: bool, is_embedded: bool) {
        match value {
            Value::Object(fields) => fields.retain(|name, value| {
                if is_embedded && OWN.contains(&name.as_str()) {
                    return true;
                }
                let end = self.path.len();
                if end > 0 {
                    self.path.push('.');
                }
                self.path.push_str(name);
                let stays = self.field(name, value, node, keeps);
                if !stays && (end > 0 || !OWN.contains(&name.as_str())) {
                    self.unknown.push(self.path.clone());
                }
                self.path.truncate(end);
                stays
            }),
            Value::Array(items) => {
                let known = node.and_then(|node| node.items.as_deref());
                if keeps && known.is_none() {
                    return;
                }
                let end = self.path.len();
                for (index, item) in items.iter_mut().enumerate() {
                    write!(self.path, "[{index}]").expect("invariant: writing to a String does not fail");
                    let keeps = keeps || known.is_some_and(|known| known.keeps_unknown);
                    self.value(item, known, keeps, known.is_some_and(|known| known.is_embedded));
                    self.path.truncate(end);
                }
            }
            _ => {}
        }
    }

    /// Goes into a field; says whether it stays.
    fn field(&mut self, name: &str, value: &mut Value, node: Option<&Node>, keeps: bool) -> bool {
        let Some(node) = node else { return false };
        match (node.field(name), &node.rest) {
            (Some(known), _) => self.value(value, Some(known), known.keeps_unknown, known.is_embedded),
            (None, Rest::Any | Rest::Forbidden) => self.value(value, None, false, false),
            (None, _) => return keeps,
        }
        true
    }
}
