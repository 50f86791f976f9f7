//! The rows of custom resources, by the columns of their definition.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age;
use super::cell;
use super::json_path::JsonPath;
use crate::registry::PrinterColumn;

/// The columns of a version, their paths parsed.
#[derive(Debug)]
pub(super) struct Columns(Vec<(PrinterColumn, JsonPath)>);

impl Columns {
    /// These columns; when there are none, the age alone.
    pub(super) fn new(columns: &[PrinterColumn]) -> Self {
        let age = || PrinterColumn {
            name: "Age".to_owned(),
            kind: "date".to_owned(),
            format: String::new(),
            description: String::new(),
            priority: 0,
            path: ".metadata.creationTimestamp".to_owned(),
        };
        let columns = if columns.is_empty() { vec![age()] } else { columns.to_vec() };
        let parsed = |column: PrinterColumn| {
            let path = JsonPath::parse(&column.path);
            (column, path)
        };
        Self(columns.into_iter().map(parsed).collect())
    }

    /// The `columnDefinitions`.
    pub(super) fn definitions(&self) -> Value {
        let name =
            json!({ "name": "Name", "type": "string", "format": "name", "description": "", "priority": 0 });
        let own = self.0.iter().map(|(column, _)| {
            json!({
                "name": column.name, "type": column.kind, "format": column.format,
                "description": column.description, "priority": column.priority,
            })
        });
        std::iter::once(name).chain(own).collect()
    }

    /// The cells of an object.
    pub(super) fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let own = self.0.iter().map(|(column, path)| cell(&column.kind, &path.find(object), now));
        std::iter::once(cell::name(object)).chain(own).collect()
    }
}

/// What was found, as the column's type has it; null when it does not fit.
fn cell(kind: &str, found: &[&Value], now: Timestamp) -> Value {
    let Some(first) = found.first() else { return Value::Null };
    match kind {
        "integer" => first.as_i64().map_or(Value::Null, Value::from),
        "number" => first.as_f64().map_or(Value::Null, Value::from),
        "boolean" => first.as_bool().map_or(Value::Null, Value::from),
        "date" => match first.as_str() {
            Some(stamp) if stamp.parse::<Timestamp>().is_ok() => age::since(stamp, now).into(),
            _ => "<invalid>".into(),
        },
        _ => found.iter().map(|value| plain(value)).collect::<Vec<_>>().join(" ").into(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
