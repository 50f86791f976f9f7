//! Whether an object fits its kind: fields the kind does not have, values of another type.
//!
//! **Not here:** what the values mean (`validation`).

use std::fmt::Write as _;

use mainstay_resource::SchemaRef;
use mainstay_resource::schema::Shape;
use serde_json::Value;

/// How an object differs from what its kind allows.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Misfits {
    /// The paths of fields the kind does not have: `spec.containers[0].imagee`.
    pub(crate) unknown: Vec<String>,
    /// Values of another type than their field's, each with what was expected.
    pub(crate) mistyped: Vec<String>,
}

/// Compares an object, or a patch that looks like one, with its kind.
pub(crate) fn misfits(object: &Value, schema: SchemaRef<'_>) -> Misfits {
    let mut found = Misfits::default();
    let mut path = String::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        // Every kind has these, whether its schema says so or not.
        if !matches!(name.as_str(), "apiVersion" | "kind") {
            path.clear();
            path.push_str(name);
            found.step(value, schema.field(name), &mut path);
        }
    }
    found
}

impl Misfits {
    fn step(&mut self, value: &Value, schema: Option<SchemaRef<'_>>, path: &mut String) {
        // Directives of a strategic merge patch: `$patch`, `$setElementOrder/containers`.
        let is_directive = path.rsplit('.').next().is_some_and(|name| name.starts_with('$'));
        if is_directive || value.is_null() {
            return;
        }
        let Some(schema) = schema else { return self.unknown.push(path.clone()) };
        let end = path.len();
        match (value, schema.shape()) {
            (_, Shape::Any) => {}
            (Value::Object(map), Shape::Map { .. }) => {
                for (name, value) in map {
                    path.push('.');
                    path.push_str(name);
                    self.step(value, schema.field(name), path);
                    path.truncate(end);
                }
            }
            (Value::Array(items), Shape::List(_)) => {
                for (index, item) in items.iter().enumerate() {
                    write!(path, "[{index}]").expect("invariant: writing to a String does not fail");
                    self.step(item, Some(schema.items()), path);
                    path.truncate(end);
                }
            }
            (_, Shape::Map { .. }) => self.mistype(path, value, "object"),
            (_, Shape::List(_)) => self.mistype(path, value, "array"),
            (value, Shape::Scalar) => {
                if let Some(sort) = schema.scalar_type().filter(|sort| !sort.admits(value)) {
                    self.mistype(path, value, sort.name());
                }
            }
        }
    }

    fn mistype(&mut self, path: &str, value: &Value, expected: &str) {
        let given = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        self.mistyped.push(format!("json: cannot unmarshal {given} into field {path} of type {expected}"));
    }
}

#[cfg(test)]
mod tests {
    use mainstay_resource::{GroupVersionKind, Schema};
    use serde_json::json;

    use super::*;

    fn unknown(kind: (&str, &str, &str), object: &Value) -> Vec<String> {
        let schema =
            Schema::for_kind(&GroupVersionKind::new(kind.0, kind.1, kind.2)).expect("a built-in kind");
        let found = misfits(object, schema);
        assert_eq!(found.mistyped, Vec::<String>::new());
        found.unknown
    }

    #[test]
    fn a_field_the_kind_does_not_have_is_named_by_its_path() {
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "a", "labels": {"any": "thing"}, "labelz": {}},
            "spec": {"replicas": 1, "foo": 2, "template": {"spec": {"containers": [{"name": "a", "imagee": "b"}]}}},
        });
        assert_eq!(
            unknown(("apps", "v1", "Deployment"), &deployment),
            ["metadata.labelz", "spec.foo", "spec.template.spec.containers[0].imagee"]
        );
    }

    #[test]
    fn maps_of_anything_and_known_fields_are_not_named() {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"annotations": {"a.b/c": "d"}}, "data": {"x": "y"}});
        assert_eq!(unknown(("", "v1", "ConfigMap"), &map), Vec::<String>::new());
        let limits = json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"example.com/gpu": "1"}}}]}});
        assert_eq!(unknown(("", "v1", "Pod"), &limits), Vec::<String>::new());
    }

    #[test]
    fn a_value_of_another_type_is_named_with_what_was_expected() {
        let schema =
            Schema::for_kind(&GroupVersionKind::new("apps", "v1", "Deployment")).expect("a built-in kind");
        let object = json!({
            "metadata": {"labels": {"a": 1}, "creationTimestamp": null},
            "spec": {"replicas": "3", "template": {"spec": {"containers": {}}}},
        });
        assert_eq!(
            misfits(&object, schema).mistyped,
            [
                "json: cannot unmarshal number into field metadata.labels.a of type string",
                "json: cannot unmarshal string into field spec.replicas of type integer",
                "json: cannot unmarshal object into field spec.template.spec.containers of type array",
            ]
        );
    }

    #[test]
    fn the_directives_of_a_patch_are_no_fields() {
        let schema = Schema::for_kind(&GroupVersionKind::new("", "v1", "Pod")).expect("a built-in kind");
        let patch = json!({"spec": {"$setElementOrder/containers": [], "containers": [{"$patch": "delete", "name": "a"}]}});
        assert_eq!(misfits(&patch, schema), Misfits::default());
    }
}
