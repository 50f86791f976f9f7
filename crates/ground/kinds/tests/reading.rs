//! Any document is a Platform, a ClusterConfig or a Drill, or says what is wrong with it.

use mainstay_kinds::cluster_config::{from_stored, to_stored};
use mainstay_kinds::{ClusterConfig, Drill, Platform};
use mainstay_source::{Document, Source};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Names of fields of these kinds, some of them where they do not belong.
const NAMES: [&str; 43] = [
    "annotations",
    "apply",
    "at",
    "availability",
    "availabilityZones",
    "cluster",
    "delete",
    "desiredCapacity",
    "documents",
    "duration",
    "egress",
    "expect",
    "external",
    "file",
    "iam",
    "index",
    "instanceType",
    "instancesDistribution",
    "killNode",
    "kind",
    "kinds",
    "labels",
    "managedNodeGroups",
    "manifest",
    "maxPrice",
    "metadata",
    "monthlyBudget",
    "name",
    "namespaces",
    "nodeGroups",
    "objectives",
    "paths",
    "region",
    "regions",
    "replicas",
    "role",
    "rto",
    "scale",
    "seed",
    "start",
    "steps",
    "taints",
    "version",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "30m",
            "2026-11-23T06:00:00Z",
            "t3.large",
            "1.33",
            "NoSchedule",
            "99.9%",
            "primary",
            ""
        ])
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            fields(inner).prop_map(Value::from),
        ]
    })
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = serde_json::Map<String, Value>> {
    let name = prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
    prop::collection::vec((name, value), 0..6).prop_map(|entries| entries.into_iter().collect())
}

/// Documents that are sound, but for the fields put over them.
fn documents() -> impl Strategy<Value = Value> {
    let sound = prop::sample::select(vec![
        json!({"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
            "metadata": {"name": "shop", "region": "us-east-1"}, "nodeGroups": [{"name": "app"}]}),
        json!({"apiVersion": "mainstay.dev/v1alpha1", "kind": "Platform", "metadata": {"name": "shop"},
            "spec": {"regions": [{"name": "us-east-1", "cluster": {
                "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig", "metadata": {"name": "a", "region": "b"}}}],
                "documents": [{"paths": ["a"], "regions": ["*"]}], "objectives": {"rto": "15m"}}}),
        json!({"apiVersion": "mainstay.dev/v1alpha1", "kind": "Drill", "metadata": {"name": "day"},
            "spec": {"duration": "1h", "steps": [{"at": "1m", "scale": {"kind": "Deployment", "name": "a", "replicas": 1}}]}}),
    ]);
    let places = vec![
        "",
        "/metadata",
        "/spec",
        "/spec/steps/0",
        "/spec/steps/0/scale",
        "/nodeGroups/0",
        "/spec/regions/0",
        "/spec/regions/0/cluster",
        "/spec/documents/0",
        "/spec/objectives",
    ];
    (sound, prop::sample::select(places), fields(any_value())).prop_map(
        |(mut document, place, mut others)| {
            if let Some(Value::Object(target)) = document.pointer_mut(place) {
                target.append(&mut others);
            }
            document
        },
    )
}

/// Reads a document; what was read can be written and read again.
fn read<T: DeserializeOwned + Serialize>(document: &Document) -> Result<(), TestCaseError> {
    let read = document.read::<T>();
    prop_assert!(read.value.is_some() || !read.diagnostics.is_empty(), "refused without a reason");
    if let (Some(value), true) = (&read.value, read.diagnostics.is_empty()) {
        let written = serde_json::to_value(value).expect("what was read can be written");
        let again: T = serde_json::from_value(written.clone()).expect("what was written can be read");
        prop_assert_eq!(serde_json::to_value(again).expect("as before"), written);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn any_document_is_read_or_refused_with_a_reason(document in prop_oneof![documents(), any_value()]) {
        for document in &Source::from_text("a.json", document.to_string()).documents {
            read::<Platform>(document)?;
            read::<ClusterConfig>(document)?;
            read::<Drill>(document)?;
            let _refused = from_stored(&to_stored(document.value()));
        }
    }
}
