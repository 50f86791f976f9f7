//! The fields of an object that its kind does not have.

use std::fmt::Write as _;

use mainstay_resource::SchemaRef;
use mainstay_resource::schema::Shape;
use serde_json::Value;

/// Calls `found` with the path of each field the type does not have: `spec.containers[0].imagee`.
pub(crate) fn fields(object: &Value, schema: SchemaRef<'_>, found: &mut dyn FnMut(&str)) {
    let Some(map) = object.as_object() else { return };
    let mut path = String::new();
    for (name, value) in map {
        // Every kind has these, whether its schema says so or not.
        if matches!(name.as_str(), "apiVersion" | "kind") {
            continue;
        }
        path.clear();
        path.push_str(name);
        step(value, schema.field(name), &mut path, found);
    }
}

fn step(value: &Value, schema: Option<SchemaRef<'_>>, path: &mut String, found: &mut dyn FnMut(&str)) {
    let Some(schema) = schema else { return found(path) };
    let end = path.len();
    match (value, schema.shape()) {
        (Value::Object(map), Shape::Map { .. }) => {
            for (name, value) in map {
                path.push('.');
                path.push_str(name);
                step(value, schema.field(name), path, found);
                path.truncate(end);
            }
        }
        (Value::Array(items), Shape::List(_)) => {
            for (index, item) in items.iter().enumerate() {
                write!(path, "[{index}]").expect("invariant: writing to a String does not fail");
                step(item, Some(schema.items()), path, found);
                path.truncate(end);
            }
        }
        _ => {}
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
        let mut paths = Vec::new();
        fields(object, schema, &mut |path| paths.push(path.to_owned()));
        paths
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
}
