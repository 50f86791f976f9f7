//! Tests of the notation and of what the definitions are.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::*;

fn note(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn schema(text: &str) -> Result<Value, String> {
    let own: Map<String, Value> =
        serde_json::from_value(json!({ "Name": "string length<=3", "Pair": { "a!": "Name" } })).unwrap();
    let types = notation::Types { own: &own, shared: &Map::new() };
    let Value::Object(fields) = note(text) else { panic!("{text}") };
    Ok(types.root(&fields)?["properties"]["x"].clone())
}

#[test]
fn a_note_stands_for_a_schema() {
    let kept = "x-kubernetes-preserve-unknown-fields";
    for (text, expected) in [
        ("x: string", json!({ "type": "string" })),
        (
            "x: int64 >=1 <=9 =3",
            json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": 9, "default": 3 }),
        ),
        ("x: string =3 /^[0-9]+$/", json!({ "type": "string", "default": "3", "pattern": "^[0-9]+$" })),
        ("x: string =\"\"", json!({ "type": "string", "default": "" })),
        ("x: '\"\" | a | b =a'", json!({ "type": "string", "enum": ["", "a", "b"], "default": "a" })),
        ("x: only A", json!({ "type": "string", "enum": ["A"] })),
        ("x: integer in 4 6 =4", json!({ "type": "integer", "enum": [4, 6], "default": 4 })),
        (
            "x: [Name, items<=2 set]",
            json!({ "type": "array", "items": { "type": "string", "maxLength": 3 }, "maxItems": 2, "x-kubernetes-list-type": "set" }),
        ),
        ("x: { '*': integer }", json!({ "type": "object", "additionalProperties": { "type": "integer" } })),
        (
            "x: { a~: Pair }",
            json!({ "type": "object", kept: true, "properties": { "a": {
            "type": "object", kept: true, "nullable": true, "required": ["a"],
            "properties": { "a": { "type": "string", "maxLength": 3 } } } } }),
        ),
        (
            "x: { $default: { b: 1 }, $oneOf: [[a, b]] }",
            json!({ "type": "object", kept: true, "default": { "b": 1 }, "oneOf": [{ "required": ["a", "b"] }] }),
        ),
        (
            "x: { $atMostOneOf: [a, b] }",
            json!({ "type": "object", kept: true, "oneOf": [
            { "not": { "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] } }, { "required": ["a"] }, { "required": ["b"] }] }),
        ),
    ] {
        assert_eq!(schema(text), Ok(expected), "{text}");
    }
    for wrong in ["x: Nothing", "x: string !", "x: [string, string, string]", "x: 1", "x: { $never: [] }"] {
        assert!(schema(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_file_of_definitions_is_read() {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/crds")).unwrap();
    assert_eq!(files.count(), GROUPS.len() + 1);
    let names: Vec<&str> =
        foreign_crds().iter().map(|one| one["metadata"]["name"].as_str().unwrap()).collect();
    let unique: BTreeSet<&&str> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    for expected in ["applications.argoproj.io", "canaries.flagger.app", "schedules.velero.io"] {
        assert!(names.contains(&expected), "{expected} is not among {names:?}");
    }
}

#[test]
fn a_definition_says_all_of_a_kind() {
    let pool = foreign_crds().iter().find(|one| one["metadata"]["name"] == "nodepools.karpenter.sh").unwrap();
    let version = &pool["spec"]["versions"][0];
    assert_eq!(pool["spec"]["scope"], "Cluster");
    assert_eq!(
        pool["spec"]["names"],
        json!({ "kind": "NodePool", "listKind": "NodePoolList", "plural": "nodepools", "singular": "nodepool", "categories": ["karpenter"] })
    );
    assert_eq!(
        version["subresources"],
        json!({ "status": {}, "scale": { "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.nodes" } })
    );
    assert_eq!(
        version["additionalPrinterColumns"][4],
        json!({ "name": "Weight", "type": "integer", "jsonPath": ".spec.weight", "priority": 1 })
    );
    let disruption = &version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["disruption"];
    assert_eq!(disruption["default"], json!({ "consolidateAfter": "0s" }));
}
