//! The table against the published schemas: every property has a field of its type, every field is
//! a property, and every message is one of the schemas.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::table::{self, Kind, Message, Shape};

/// Properties that are no fields: the envelope says these of a whole object.
const NO_FIELDS: [&str; 2] = ["apiVersion", "kind"];
/// Messages without a schema.
const NOT_PUBLISHED: &[&str] = &[
    // Without a name of their own: their fields are published with their owners'.
    "api.admissionregistration.v1.Rule",
    "api.core.v1.EphemeralContainerCommon",
    "api.core.v1.PersistentVolumeSource",
    "api.core.v1.ProbeHandler",
    "api.core.v1.VolumeSource",
    "api.networking.v1.IngressRuleValue",
    // Said by clients and servers, but never the answer of a path of their own.
    "apimachinery.pkg.apis.meta.v1.CreateOptions",
    "apimachinery.pkg.apis.meta.v1.List",
    "apimachinery.pkg.apis.meta.v1.PartialObjectMetadata",
    "apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList",
    "apimachinery.pkg.apis.meta.v1.PatchOptions",
    "apimachinery.pkg.apis.meta.v1.UpdateOptions",
    // What upstream's own parts keep to themselves.
    "api.core.v1.PodStatusResult",
    "api.core.v1.RangeAllocation",
];
/// Kinds without a message: discovery, which is JSON here, and what a watch's frames are (`frame`).
const NO_MESSAGE: [&str; 5] = ["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "WatchEvent"];

fn definitions() -> BTreeMap<String, Value> {
    serde_json::from_str(&mainstay_resource::openapi::definitions_text()).unwrap()
}

/// The type a schema says, in the words of the table.
fn published(schema: &Value) -> String {
    let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    if let Some(name) = reference.and_then(|name| name.strip_prefix("#/components/schemas/io.k8s.")) {
        let last = name.rsplit('.').next().unwrap();
        return match last {
            "Quantity" | "IntOrString" | "Time" | "MicroTime" => last.to_owned(),
            "FieldsV1" | "RawExtension" | "JSON" => "Json".to_owned(),
            "JSONSchemaPropsOrArray" => "SchemaOrList".to_owned(),
            "JSONSchemaPropsOrBool" => "SchemaOrBool".to_owned(),
            "JSONSchemaPropsOrStringArray" => "SchemaOrTexts".to_owned(),
            _ => name.to_owned(),
        };
    }
    match (schema["type"].as_str().unwrap_or_default(), schema["format"].as_str().unwrap_or_default()) {
        ("array", _) => format!("[]{}", published(&schema["items"])),
        ("object", _) => format!("{{}}{}", published(&schema["additionalProperties"])),
        ("string", "byte") => "Bytes".to_owned(),
        ("string", _) => "Text".to_owned(),
        ("boolean", _) => "Bool".to_owned(),
        ("integer", "int32") => "Int32".to_owned(),
        ("integer", "int64") => "Int64".to_owned(),
        ("number", "double") => "Double".to_owned(),
        (other, format) => format!("{other} {format}"),
    }
}

fn encoded(shape: Shape, kind: Kind) -> String {
    let kind = match kind {
        Kind::Message(part) => Message::at(part).name().to_owned(),
        Kind::IntOrText => "IntOrString".to_owned(),
        Kind::Texts => "[]Text".to_owned(),
        other => format!("{other:?}"),
    };
    match shape {
        Shape::One => kind,
        Shape::List => format!("[]{kind}"),
        Shape::Map => format!("{{}}{kind}"),
    }
}

#[test]
fn every_property_of_every_message_has_a_field_of_its_type_and_the_other_way_round() {
    let definitions = definitions();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for message in table::messages() {
        let name = message.name();
        let Some(schema) = definitions.get(&format!("io.k8s.{name}")) else {
            if !NOT_PUBLISHED.contains(&name) {
                wrong.push(format!("{name} is not published"));
            }
            continue;
        };
        let empty = serde_json::Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&empty);
        for (property, schema) in properties {
            match message.fields.iter().find(|field| field.name == property) {
                Some(field) => {
                    let (is, should) = (encoded(field.shape, field.kind), published(schema));
                    compared += 1;
                    if is != should {
                        wrong.push(format!("{name}.{property} is {is}, published as {should}"));
                    }
                }
                None if NO_FIELDS.contains(&&**property) => {}
                None => wrong.push(format!("{name}.{property} has no field")),
            }
        }
        for field in message.fields.iter().filter(|field| !properties.contains_key(field.name)) {
            wrong.push(format!("{name}.{} is not published", field.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 1800, "{compared}");
}

#[test]
fn every_kind_that_is_published_for_a_version_in_the_table_has_a_message() {
    let definitions = definitions();
    let versions: std::collections::BTreeSet<&str> =
        table::kinds().map(|(api_version, ..)| api_version).collect();
    let mut missing = Vec::new();
    for schema in definitions.values() {
        for kind in schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
            let text = |field: &str| kind[field].as_str().unwrap_or_default();
            let (group, version, kind) = (text("group"), text("version"), text("kind"));
            let api_version =
                if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
            let is_missing = Message::of(&api_version, kind).is_none() && !NO_MESSAGE.contains(&kind);
            if versions.contains(&*api_version) && is_missing {
                missing.push(format!("{api_version} {kind}"));
            }
        }
    }
    missing.sort();
    assert!(missing.is_empty(), "{missing:?}");
}
