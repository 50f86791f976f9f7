//! JSON as CEL's values.

use std::sync::Arc;

use cel::objects::{Key, Map};
use serde_json::Number;

/// A value an expression can be asked about; clones share it.
#[derive(Clone, Debug, PartialEq)]
pub struct Value(pub(crate) cel::Value);

impl Value {
    /// A list of values.
    pub fn list(values: impl IntoIterator<Item = Self>) -> Self {
        Self(cel::Value::List(Arc::new(values.into_iter().map(|value| value.0).collect())))
    }
}

impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Self {
        Self(value(json))
    }
}

fn value(json: &serde_json::Value) -> cel::Value {
    match json {
        serde_json::Value::Null => cel::Value::Null,
        serde_json::Value::Bool(value) => cel::Value::Bool(*value),
        serde_json::Value::Number(value) => number(value),
        serde_json::Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(value).collect())),
        serde_json::Value::Object(fields) => {
            let entries = fields.iter().map(|(key, item)| (Key::String(Arc::new(key.clone())), value(item)));
            cel::Value::Map(Map { map: Arc::new(entries.collect()) })
        }
    }
}

fn number(number: &Number) -> cel::Value {
    if let Some(value) = number.as_i64() {
        return cel::Value::Int(value);
    }
    number.as_u64().map_or_else(|| cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)), cel::Value::UInt)
}
