//! The CustomResourceDefinitions of this crate's kinds that live in the API server.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;
use serde_json::json;

use crate::NodeClaim;

/// All of them, in the order of their names. A Drill is a file, not an object.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![cluster_configs(), NodeClaim::crd()]
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
    fn both_definitions_are_cluster_scoped_with_a_status() {
        let all = crds();
        let names: Vec<_> = all.iter().filter_map(|crd| crd.metadata.name.as_deref()).collect();
        assert_eq!(names, ["clusterconfigs.eksctl.io", "nodeclaims.mainstay.dev"]);
        for crd in &all {
            assert_eq!(crd.spec.scope, "Cluster");
            let version = &crd.spec.versions[0];
            assert!(version.subresources.as_ref().is_some_and(|all| all.status.is_some()));
            assert!(version.schema.is_some());
        }
    }
}
