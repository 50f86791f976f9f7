//! JSON made of a fuzzer's bytes: mostly the words of Kubernetes objects, so that what is merged,
//! patched and owned is reached at all.

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use mainstay_resource::{GroupVersionKind, Schema, SchemaRef};
use serde_json::{Map, Value};

/// Names of fields: of a Pod and a Deployment, of patches, and of managed fields.
const NAMES: [&str; 48] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "uid",
    "managedFields",
    "manager",
    "operation",
    "time",
    "subresource",
    "fieldsType",
    "fieldsV1",
    "f:metadata",
    "f:spec",
    "f:labels",
    "f:containers",
    "k:{\"name\":\"a\"}",
    "v:\"a\"",
    "i:0",
    ".",
    "spec",
    "status",
    "replicas",
    "selector",
    "template",
    "containers",
    "image",
    "ports",
    "containerPort",
    "protocol",
    "env",
    "value",
    "volumes",
    "tolerations",
    "conditions",
    "type",
    "$patch",
    "$retainKeys",
    "$deleteFromPrimitiveList/finalizers",
    "$setElementOrder/containers",
    "op",
    "path",
    "from",
];

/// Texts that mean something somewhere.
const TEXTS: [&str; 16] = [
    "a",
    "b",
    "",
    "v1",
    "apps/v1",
    "Update",
    "Apply",
    "FieldsV1",
    "TCP",
    "delete",
    "replace",
    "merge",
    "add",
    "/spec/containers/0",
    "/metadata/labels/a",
    "2026-01-01T00:00:00Z",
];

/// How deep generated objects are.
const DEPTH: usize = 8;

/// Any JSON.
pub fn json(bytes: &mut Unstructured<'_>) -> Result<Value> {
    value(bytes, DEPTH)
}

fn value(bytes: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    let kinds = if depth == 0 { 5 } else { 10 };
    Ok(match bytes.int_in_range(0..=kinds)? {
        0 => Value::Null,
        1 => bytes.arbitrary::<bool>()?.into(),
        2 => bytes.int_in_range(-2..=3)?.into(),
        3 => bytes.arbitrary::<i64>()?.into(),
        4 => bytes.choose(&TEXTS)?.to_string().into(),
        5 => bytes.arbitrary::<&str>()?.into(),
        6..=7 => {
            let length = bytes.int_in_range(0..=3)?;
            (0..length).map(|_| value(bytes, depth - 1)).collect::<Result<Vec<_>>>()?.into()
        }
        _ => {
            let mut map = Map::new();
            for _ in 0..bytes.int_in_range(0..=5)? {
                map.insert(bytes.choose(&NAMES)?.to_string(), value(bytes, depth - 1)?);
            }
            map.into()
        }
    })
}

/// A built-in schema, or that of a custom kind nothing is known of.
pub fn schema(bytes: &mut Unstructured<'_>) -> Result<SchemaRef<'static>> {
    let kinds = [("", "Pod"), ("apps", "Deployment"), ("", "Service"), ("", "Node"), ("shop.dev", "Till")];
    let (group, kind) = *bytes.choose(&kinds)?;
    Ok(Schema::for_kind_or_custom(&GroupVersionKind::new(group, "v1", kind)))
}
