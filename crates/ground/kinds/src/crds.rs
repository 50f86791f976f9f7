//! The CustomResourceDefinitions of this crate's kinds that live in the API server.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;
use serde_json::json;

use crate::{NodeClaim, PodBehaviour};

/// All of them, in the order of their names. A Drill is a file, not an object.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![cluster_configs(), NodeClaim::crd(), PodBehaviour::crd()]
}

/// eksctl publishes no CRD: the fields sit at the top level, so unknown ones are preserved there.
fn cluster_configs() -> CustomResourceDefinition {
    serde_json::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "clusterconfigs.eksctl.io" },
        "spec": {
            "group": "eksctl.io",
            "names": {
                "kind": "ClusterConfig", "listKind": "ClusterConfigList",
                "plural": "clusterconfigs", "singular": "clusterconfig",
                "shortNames": ["cc"], "categories": ["mainstay"],
            },
            "scope": "Cluster",
            "versions": [{
                "name": "v1alpha5", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "description": "A cluster with its node groups, as eksctl describes it.",
                    "x-kubernetes-preserve-unknown-fields": true,
                }},
                "subresources": { "status": {} },
                "additionalPrinterColumns": [
                    { "name": "Region", "type": "string", "jsonPath": ".metadata.annotations.mainstay\\.dev/region" },
                    { "name": "Version", "type": "string", "jsonPath": ".metadata.annotations.mainstay\\.dev/version" },
                    { "name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status" },
                    { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" },
                ],
            }],
        },
    }))
    .expect("invariant: the definition above is one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_has_a_status_and_what_is_only_read_has_none() {
        let all = crds();
        let described: Vec<_> = all
            .iter()
            .map(|crd| {
                let version = &crd.spec.versions[0];
                assert!(version.schema.is_some());
                let has_status = version.subresources.as_ref().is_some_and(|all| all.status.is_some());
                (crd.metadata.name.as_deref().unwrap_or_default(), &*crd.spec.scope, has_status)
            })
            .collect();
        let expected = [
            ("clusterconfigs.eksctl.io", "Cluster", true),
            ("nodeclaims.mainstay.dev", "Cluster", true),
            ("podbehaviours.mainstay.dev", "Namespaced", false),
        ];
        assert_eq!(described, expected);
    }
}
