//! Random objects for tests: nested JSON whose field names are ones that the code looks at.

use proptest::prelude::*;
use serde_json::{Map, Value};

/// Field names that defaulting looks at, so that random objects reach its branches.
const NAMES: &str = "metadata name labels spec template containers initContainers image ports port resources limits \
    requests livenessProbe httpGet volumes projected sources strategy type updateStrategy \
    rollingUpdate parallelism completions jobTemplate behavior scaleUp scaleDown metrics ingress \
    egress policyTypes sessionAffinity stringData data names kind max min default status capacity \
    limited limitResponse queuing webhooks rules serviceAccount serviceAccountName targetPort \
    selector matchLabels matchExpressions replicas schedule tolerations env volumeMounts clusterIP \
    clusterIPs roleRef subjects versions conditions involvedObject series http paths backend \
    endpoints addresses initContainerStatuses containerStatuses state terminated schema subresources \
    annotations finalizers creationTimestamp";
const TEXTS: &[&str] =
    &["", "RollingUpdate", "ClientIP", "None", "LoadBalancer", "Container", "nginx:1", "Widget"];

/// Any value.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let names: Vec<&str> = NAMES.split_whitespace().collect();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_i64..3).prop_map(Value::from),
        prop::sample::select(TEXTS).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(names.clone()), inner), 0..6).prop_map(|fields| {
                Value::Object(
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// A random object of a kind: always an object, with a spec that often is one too.
pub(crate) fn object() -> impl Strategy<Value = Value> {
    (value(), value(), value()).prop_map(|(spec, metadata, status)| {
        serde_json::json!({ "metadata": metadata, "spec": spec, "status": status })
    })
}
