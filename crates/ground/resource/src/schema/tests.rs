//! What the table says of known fields, and that it is what the definitions give.

use serde_json::json;

use super::*;

fn kind(api_version: &str, kind: &str) -> SchemaRef<'static> {
    let kind = GroupVersionKind::parse(api_version, kind).unwrap();
    Schema::for_kind(&kind).unwrap()
}

fn at<'a>(schema: SchemaRef<'a>, path: &str) -> SchemaRef<'a> {
    path.split('.').fold(schema, |schema, step| match step {
        "*" => schema.items(),
        name => schema.field(name).unwrap_or_else(|| panic!("no {name} in {path}")),
    })
}

fn keys(schema: SchemaRef<'_>) -> Vec<String> {
    match schema.list_type() {
        ListType::Map(keys) => keys.iter().map(|key| key.name.to_string()).collect(),
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn container_ports_are_keyed_by_port_and_protocol_but_patched_by_port() {
    let ports = at(kind("apps/v1", "Deployment"), "spec.template.spec.containers.*.ports");
    assert_eq!(keys(ports), ["containerPort", "protocol"]);
    assert_eq!(ports.patch_merge_key(), Some("containerPort"));
    assert!(ports.patch_merges());
    let ListType::Map(keys) = ports.list_type() else { panic!("not a map") };
    assert_eq!(keys[1].default, Some(json!("TCP")));
    let service = at(kind("v1", "Service"), "spec.ports");
    let ListType::Map(keys) = service.list_type() else { panic!("not a map") };
    assert_eq!((keys[0].default.clone(), keys[1].default.clone()), (None, Some(json!("TCP"))));
}

#[test]
fn the_table_knows_how_fields_merge() {
    let deployment = kind("apps/v1", "Deployment");
    assert!(at(deployment, "spec.strategy").patch_retains_keys());
    assert_eq!(at(deployment, "spec.selector").shape(), Shape::Map { atomic: true });
    assert_eq!(at(deployment, "spec.replicas").shape(), Shape::Scalar);
    assert_eq!(at(deployment, "metadata.labels").shape(), Shape::Map { atomic: false });
    assert_eq!(at(deployment, "metadata.labels.anything").shape(), Shape::Scalar);
    assert_eq!(keys(at(deployment, "metadata.finalizers")), ["Set"]);
    let pod = at(deployment, "spec.template.spec");
    assert_eq!(pod.field("volumes").unwrap().patch_merge_key(), Some("name"));
    assert!(pod.field("volumes").unwrap().patch_retains_keys());
    assert_eq!(keys(pod.field("tolerations").unwrap()), ["Atomic"]);
    assert_eq!(pod.field("nodeSelector").unwrap().shape(), Shape::Map { atomic: true });
    assert!(pod.field("nonsense").is_none());
    assert!(at(kind("policy/v1", "PodDisruptionBudget"), "spec.selector").patch_replaces());
    let volume = kind("v1", "PersistentVolume");
    assert_eq!(at(volume, "spec.claimRef").shape(), Shape::Map { atomic: false });
    assert!(at(volume, "spec.claimRef").declares("name"));
}

#[test]
fn only_fields_of_value_types_are_always_present() {
    let deployment = kind("apps/v1", "Deployment");
    for path in ["spec", "spec.template", "spec.template.metadata", "spec.template.spec.containers"] {
        assert!(at(deployment, path).is_always_present(), "{path}");
    }
    for path in ["metadata.labels", "spec.strategy.rollingUpdate", "spec.selector"] {
        assert!(!at(deployment, path).is_always_present(), "{path}");
    }
}

#[test]
fn a_custom_kind_is_deduced_but_for_its_metadata() {
    let custom = Schema::custom();
    assert_eq!(at(custom, "spec.any.thing").shape(), Shape::Any);
    assert_eq!(at(custom, "metadata.annotations.x").shape(), Shape::Scalar);
    assert_eq!(keys(at(custom, "metadata.ownerReferences")), ["uid"]);
    assert_eq!(at(custom, "spec").items().shape(), Shape::Any);
}

#[test]
fn a_definition_makes_a_schema() {
    let schema = Schema::from_openapi(&json!({
        "type": "object",
        "properties": {
            "metadata": {"type": "object"},
            "spec": {"type": "object", "properties": {
                "hosts": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "ports": {"type": "array", "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port", "protocol"],
                    "items": {"type": "object", "properties": {"protocol": {"type": "string", "default": "TCP"}}}},
                "target": {"type": "object", "x-kubernetes-map-type": "atomic"},
                "weight": {"x-kubernetes-int-or-string": true},
            }},
        },
    }));
    let root = schema.root();
    assert_eq!(keys(at(root, "spec.hosts")), ["Set"]);
    assert_eq!(keys(at(root, "spec.ports")), ["port", "protocol"]);
    assert_eq!(at(root, "spec.target").shape(), Shape::Map { atomic: true });
    assert_eq!(at(root, "spec.weight").shape(), Shape::Scalar);
    assert_eq!(at(root, "metadata.labels.x").shape(), Shape::Scalar);
    assert!(root.field("status").is_none());
}

#[test]
fn the_table_is_what_the_definitions_give() {
    let definitions: Value = serde_json::from_str(&crate::openapi::definitions_text()).unwrap();
    assert!(table::render(&definitions) == table::TEXT, "run `cargo xtask schemas` again");
    assert!(BUILT_IN.kinds.len() > 170);
    for (owner, field) in BUILT_IN.nodes.iter().filter_map(|node| match node {
        Node::Map { fields, .. } => Some((fields, &BUILT_IN.fields[fields.clone()])),
        _ => None,
    }) {
        assert!(field.is_sorted_by(|left, right| left.name < right.name), "{owner:?}");
    }
}
#[test]
fn a_scalar_admits_values_of_its_sort_and_null() {
    let deployment = Schema::for_kind(&GroupVersionKind::new("apps", "v1", "Deployment")).unwrap();
    for (path, right, wrong) in [
        ("spec.replicas", json!(3), json!("3")),
        ("spec.replicas", json!(null), json!(1.5)),
        ("spec.paused", json!(true), json!("yes")),
        ("metadata.labels.anything", json!("a"), json!(1)),
        ("spec.strategy.rollingUpdate.maxSurge", json!("25%"), json!(false)),
        ("spec.strategy.rollingUpdate.maxSurge", json!(1), json!([])),
    ] {
        let sort = at(deployment, path).scalar_type().unwrap();
        assert!(sort.admits(&right) && !sort.admits(&wrong), "{path}");
    }
    assert_eq!(at(deployment, "spec").scalar_type(), None);
}
