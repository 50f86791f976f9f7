//! The three patches a client may send: JSON patch, merge patch, strategic merge patch.
//!
//! Any JSON is a valid argument: what makes no sense is an error, never a panic, and the result is
//! never nested deeper than [`DEPTH_MAX`].
//!
//! **Spec:** RFC 6902, RFC 7386, and upstream's strategic merge patch with its directives.
//! **Not here:** apply patches (`managed`).

mod json;
mod strategic;

use serde_json::{Map, Value};

/// How deep a document may be nested; what JSON parsers accept.
pub const DEPTH_MAX: usize = 128;

/// Why a patch was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch itself is malformed: a bad request (400).
    #[error("{0}")]
    Malformed(String),
    /// The patch does not fit the object, or a `test` failed: unprocessable (422).
    #[error("{0}")]
    Unprocessable(String),
    /// More operations than a JSON patch may have: too large (413).
    #[error("The allowed maximum operations in a JSON patch is {max}, got {0}", max = json::OPERATIONS_MAX)]
    TooLarge(usize),
}

/// Applies a JSON patch (RFC 6902).
pub fn json(document: &Value, patch: &Value) -> Result<Value, PatchError> {
    json::apply(document.clone(), patch)
}

/// Applies a merge patch (RFC 7386).
pub fn merge(document: Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut merged = match document {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    for (name, change) in changes {
        if change.is_null() {
            merged.remove(name);
        } else if let Some(value) = merged.get_mut(name) {
            *value = merge(value.take(), change);
        } else {
            merged.insert(name.clone(), merge(Value::Null, change));
        }
    }
    Value::Object(merged)
}

/// Applies a strategic merge patch to an object of this type. Custom kinds have none: upstream
/// answers 415 before it comes to this.
pub fn strategic(document: Value, patch: &Value, schema: crate::SchemaRef<'_>) -> Result<Value, PatchError> {
    strategic::apply(document, patch, schema)
}

#[cfg(test)]
mod tests;
