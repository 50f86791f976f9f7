//! Whether an object fits its kind: fields the kind does not have, values of another type.
//!
//! **Invariant:** what fits a built-in kind can be said in protobuf (but for what `text` says of times).
//!
//! **Spec:** upstream's typed decoding, its errors' words included.
//!
//! **Not here:** what the values mean (`validation`).

use std::fmt::Write as _;

use mainstay_protobuf::{Form, Message, Spot};
use mainstay_resource::SchemaRef;
use mainstay_resource::schema::{ScalarType, Shape};
use serde_json::Value;

mod text;

/// How an object differs from what its kind allows.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Misfits {
    /// The paths of fields the kind does not have: `spec.containers[0].imagee`.
    pub(crate) unknown: Vec<String>,
    /// What Go says of values that are not of their field's type.
    pub(crate) mistyped: Vec<String>,
}

/// Compares an object, or a patch that looks like one, with its kind.
pub(crate) fn misfits(object: &Value, schema: SchemaRef<'_>, message: Option<&'static Message>) -> Misfits {
    let mut walk = Walk::default();
    for (name, value) in object.as_object().into_iter().flatten() {
        // Every kind has these, whether its schema says so or not.
        if !matches!(name.as_str(), "apiVersion" | "kind") {
            let spot = message.and_then(|message| message.spot(name));
            walk.field(name, value, schema.field(name), (spot, true));
        }
    }
    walk.found
}

/// A way through an object.
#[derive(Default)]
struct Walk {
    found: Misfits,
    /// Where it is: `spec.containers[0].env`.
    path: String,
    /// The same as Go tells it, by the names of fields alone: `spec.containers.env`.
    fields: String,
}

impl Walk {
    /// Goes into a value that has a name; says whether it is the name of a field.
    fn field(
        &mut self,
        name: &str,
        value: &Value,
        schema: Option<SchemaRef<'_>>,
        (spot, is_field): (Option<Spot>, bool),
    ) {
        let (path_end, fields_end) = (self.path.len(), self.fields.len());
        push(&mut self.path, name);
        if is_field {
            push(&mut self.fields, name);
        }
        self.step(value, schema, spot);
        self.path.truncate(path_end);
        self.fields.truncate(fields_end);
    }

    fn step(&mut self, value: &Value, schema: Option<SchemaRef<'_>>, spot: Option<Spot>) {
        // Directives of a strategic merge patch: `$patch`, `$setElementOrder/containers`.
        let is_directive = self.path.rsplit('.').next().is_some_and(|name| name.starts_with('$'));
        if is_directive || value.is_null() {
            return;
        }
        let Some(schema) = schema else { return self.found.unknown.push(self.path.clone()) };
        match (value, schema.shape()) {
            (_, Shape::Any) => {}
            (Value::Object(map), Shape::Map { .. }) => {
                let is_field = spot.is_none_or(Spot::is_struct);
                for (name, value) in map {
                    let part = spot.and_then(|spot| spot.part(name));
                    self.field(name, value, schema.field(name), (part, is_field));
                }
            }
            (Value::Array(items), Shape::List(_)) => {
                let (end, part) = (self.path.len(), spot.and_then(|spot| spot.part("")));
                for (index, item) in items.iter().enumerate() {
                    write!(self.path, "[{index}]").expect("invariant: writing to a String does not fail");
                    self.step(item, Some(schema.items()), part);
                    self.path.truncate(end);
                }
            }
            (_, Shape::Map { .. }) => self.mistype(given(value), "object", spot),
            (_, Shape::List(_)) => self.mistype(given(value), "array", spot),
            (value, Shape::Scalar) => self.scalar(value, schema, spot),
        }
    }

    fn scalar(&mut self, value: &Value, schema: SchemaRef<'_>, spot: Option<Spot>) {
        let sort = schema.scalar_type();
        let form = spot.map_or(Form::Any, Spot::form);
        let expected = sort.map_or("scalar", ScalarType::name);
        match (value, form) {
            (Value::Number(number), Form::Int32) if !is_int32(number) => {
                self.mistype(&format!("number {number}"), expected, spot);
            }
            (Value::Number(number), Form::Int64) if !number.is_i64() => {
                self.mistype(&format!("number {number}"), expected, spot);
            }
            _ if sort.is_some_and(|sort| !sort.admits(value)) => self.mistype(given(value), expected, spot),
            (Value::String(text), form) => self.found.mistyped.extend(match form {
                Form::Bytes => text::base64_fault(text),
                Form::Time => text::time_fault(text, text::RFC3339),
                Form::MicroTime => text::time_fault(text, text::RFC3339_MICRO),
                Form::Int32 | Form::Int64 | Form::Any => None,
            }),
            _ => {}
        }
    }

    fn mistype(&mut self, given: &str, expected: &str, spot: Option<Spot>) {
        let (owner, sort) = match spot {
            Some(spot) => (spot.owner(), spot.go_type()),
            None => ("", expected.to_owned()),
        };
        let dot = if owner.is_empty() { "" } else { "." };
        let fields = &self.fields;
        self.found.mistyped.push(format!(
            "json: cannot unmarshal {given} into Go struct field {owner}{dot}{fields} of type {sort}"
        ));
    }
}

fn push(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

fn is_int32(number: &serde_json::Number) -> bool {
    number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
}

/// What Go calls a value in JSON.
fn given(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests;
