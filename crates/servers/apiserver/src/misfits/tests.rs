//! Objects against their kinds: unknown fields by their paths, wrong values in the words of Go.

use mainstay_resource::{GroupVersionKind, Schema};
use serde_json::json;

use super::*;

fn unknown(kind: (&str, &str, &str), object: &Value) -> Vec<String> {
    let schema = Schema::for_kind(&GroupVersionKind::new(kind.0, kind.1, kind.2)).expect("a built-in kind");
    let found = misfits(object, schema, None);
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
    let limits =
        json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"example.com/gpu": "1"}}}]}});
    assert_eq!(unknown(("", "v1", "Pod"), &limits), Vec::<String>::new());
}

fn mistyped(api_version: &str, kind: &str, object: &Value) -> Vec<String> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let schema = Schema::for_kind(&GroupVersionKind::new(group, version, kind)).expect("a built-in kind");
    misfits(object, schema, Message::of(api_version, kind)).mistyped
}

#[test]
fn a_value_of_another_type_is_told_of_as_go_does() {
    let object = json!({
        "metadata": {"labels": {"a": 1}, "creationTimestamp": null, "finalizers": "x"},
        "spec": {
            "replicas": "3", "paused": 1, "strategy": {"rollingUpdate": {"maxSurge": true}},
            "template": {"spec": {"containers": {}, "initContainers": [{"env": [{"value": 1}, {"name": []}]}]}},
        },
    });
    let told = [
        "array into Go struct field EnvVar.spec.template.spec.initContainers.env.name of type string",
        "bool into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32",
        "number into Go struct field DeploymentSpec.spec.paused of type bool",
        "number into Go struct field EnvVar.spec.template.spec.initContainers.env.value of type string",
        "number into Go struct field ObjectMeta.metadata.labels of type string",
        "object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
        "string into Go struct field DeploymentSpec.spec.replicas of type int32",
        "string into Go struct field ObjectMeta.metadata.finalizers of type []string",
    ];
    let mut found = mistyped("apps/v1", "Deployment", &object);
    found.sort();
    assert_eq!(found, told.map(|told| format!("json: cannot unmarshal {told}")));
    let spec = mistyped("apps/v1", "Deployment", &json!({"spec": []}));
    assert_eq!(
        spec,
        ["json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec"]
    );
}

#[test]
fn a_value_that_its_type_in_json_admits_may_still_be_none() {
    let replicas = |given: Value| json!({"spec": {"replicas": given}});
    let surge = |given: Value| json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": given}}}});
    let of_int32 = |given: &str, owner: &str, path: &str| {
        vec![format!(
            "json: cannot unmarshal number {given} into Go struct field {owner}.{path} of type int32"
        )]
    };
    let rolling = ("RollingUpdateDeployment", "spec.strategy.rollingUpdate.maxSurge");
    for (object, expected) in [
        (replicas(json!(2_147_483_647)), vec![]),
        (replicas(json!(2_147_483_648_i64)), of_int32("2147483648", "DeploymentSpec", "spec.replicas")),
        (replicas(json!(u64::MAX)), of_int32("18446744073709551615", "DeploymentSpec", "spec.replicas")),
        (replicas(json!(1.5)), of_int32("1.5", "DeploymentSpec", "spec.replicas")),
        (surge(json!("25%")), vec![]),
        (surge(json!(-1)), vec![]),
        (surge(json!(0.5)), of_int32("0.5", rolling.0, rolling.1)),
        (surge(json!(3_000_000_000_i64)), of_int32("3000000000", rolling.0, rolling.1)),
    ] {
        assert_eq!(mistyped("apps/v1", "Deployment", &object), expected, "{object}");
    }
    let long = json!({"metadata": {"generation": 9_223_372_036_854_775_808_u64}});
    assert_eq!(mistyped("v1", "ConfigMap", &long).len(), 1);
    let data = json!({"data": {"a": "YWJj", "b": "not base64!"}});
    assert_eq!(mistyped("v1", "Secret", &data), ["illegal base64 data at input byte 3"]);
    let time = json!({"metadata": {"creationTimestamp": "yesterday"}});
    assert_eq!(
        mistyped("v1", "Pod", &time),
        [r#"parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006""#]
    );
    let lease = json!({"spec": {"renewTime": "2023-11-14T22:13:20.000001Z"}});
    assert_eq!(mistyped("coordination.k8s.io/v1", "Lease", &lease), Vec::<String>::new());
}

#[test]
fn the_directives_of_a_patch_are_no_fields() {
    let schema = Schema::for_kind(&GroupVersionKind::new("", "v1", "Pod")).expect("a built-in kind");
    let patch = json!({"spec": {"$setElementOrder/containers": [], "containers": [{"$patch": "delete", "name": "a"}]}});
    assert_eq!(misfits(&patch, schema, Message::of("v1", "Pod")), Misfits::default());
}
