//! Documents are complete and carry what kubectl looks for.

use super::*;

fn entry<'a>(
    kind: &'a GroupVersionKind,
    plural: &'a str,
    definition: Option<&'a Value>,
) -> ResourceEntry<'a> {
    ResourceEntry { kind, plural, namespaced: true, subresources: &[], definition }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn a_document_holds_what_its_kinds_reach_and_no_dangling_reference() {
    let kind = GroupVersionKind::new("apps", "v1", "Deployment");
    let scale = [("scale", GroupVersionKind::new("autoscaling", "v1", "Scale")), ("status", kind.clone())];
    let entries = [ResourceEntry { subresources: &scale, ..entry(&kind, "deployments", None) }];
    let document: Value = serde_json::from_slice(&document("apps", "v1", &entries)).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in [
        "io.k8s.api.core.v1.Container",
        "io.k8s.api.apps.v1.DeploymentList",
        "io.k8s.api.autoscaling.v1.Scale",
    ] {
        assert!(schemas.contains_key(name), "{name}");
    }
    assert!(!schemas.contains_key("io.k8s.api.core.v1.Node"));
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        assert!(schemas.contains_key(reference.strip_prefix(REFERENCE).unwrap()), "{reference}");
    }
    let port = &schemas["io.k8s.api.core.v1.ContainerPort"]["properties"]["protocol"];
    assert_eq!((&port["type"], &port["default"]), (&json!("string"), &json!("TCP")));
}

#[test]
fn every_write_names_its_kind_and_its_parameters() {
    let kind = GroupVersionKind::new("", "v1", "ConfigMap");
    let document: Value =
        serde_json::from_slice(&document("", "v1", &[entry(&kind, "configmaps", None)])).unwrap();
    let patch = &document["paths"]["/api/v1/namespaces/{namespace}/configmaps/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"], paths::kind_value(&kind));
    assert_eq!(patch["x-kubernetes-action"], "patch");
    let names: Vec<&str> = patch["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    assert_eq!(names, ["dryRun", "fieldManager", "fieldValidation", "force"]);
    assert!(document["paths"]["/api/v1/configmaps"]["get"].is_object());
    assert!(document["paths"]["/api/v1/namespaces/{namespace}/configmaps"]["post"].is_object());
}

#[test]
fn a_custom_kind_gets_a_component_of_its_definition() {
    let kind = GroupVersionKind::new("mainstay.dev", "v1alpha1", "NodeClaim");
    let definition = json!({"type": "object", "properties": {"spec": {"type": "object"}}});
    let entries = [entry(&kind, "nodeclaims", Some(&definition))];
    let document: Value = serde_json::from_slice(&document("mainstay.dev", "v1alpha1", &entries)).unwrap();
    let schemas = &document["components"]["schemas"];
    let component = &schemas["dev.mainstay.v1alpha1.NodeClaim"];
    assert_eq!(component["x-kubernetes-group-version-kind"], json!([paths::kind_value(&kind)]));
    assert!(
        component["properties"]["metadata"]["allOf"][0]["$ref"].as_str().unwrap().ends_with("ObjectMeta")
    );
    assert!(schemas["dev.mainstay.v1alpha1.NodeClaimList"].is_object());
    assert!(schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"].is_object());
}

#[test]
fn a_definition_that_is_no_schema_still_gives_a_document() {
    let kind = GroupVersionKind::new("a.b", "v1", "Thing");
    for definition in [json!(null), json!([1]), json!({"properties": 3}), json!("x")] {
        let entries = [entry(&kind, "things", Some(&definition))];
        let document: Value = serde_json::from_slice(&document("a.b", "v1", &entries)).unwrap();
        assert!(document["components"]["schemas"]["b.a.v1.Thing"]["properties"]["kind"].is_object());
    }
}
