//! JSON, merge and strategic merge patches.

use serde_json::json;

use crate::region::{CONFIG_MAPS, DEPLOYMENTS, config_map, deployment, in_region};

const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON: &str = "application/json-patch+json";

#[test]
fn each_kind_of_patch_changes_what_it_says() {
    in_region(|region| async move {
        region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let uri = format!("{DEPLOYMENTS}/web");
        let operations = json!([{ "op": "replace", "path": "/spec/replicas", "value": 4 }]);
        assert_eq!(region.patch(&uri, JSON, &operations).await.expect(200).body["spec"]["replicas"], 4);

        let sidecar = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "side", "image": "b" }] } } } });
        let merged = region.patch(&uri, STRATEGIC, &sidecar).await.expect(200);
        let containers = merged.body["spec"]["template"]["spec"]["containers"].as_array().expect("a list");
        assert_eq!(containers.len(), 2, "a strategic merge patch merges containers by name");

        let replaced = region.merge(&uri, &sidecar).await.expect(200);
        let containers = replaced.body["spec"]["template"]["spec"]["containers"].as_array().expect("a list");
        assert_eq!(containers.len(), 1, "a merge patch replaces lists");

        let removed = region.merge(&uri, &json!({ "metadata": { "labels": null } })).await.expect(200);
        assert_eq!(removed.body["metadata"].get("labels"), None);
    });
}

#[test]
fn a_patch_that_does_not_fit_is_refused() {
    in_region(|region| async move {
        region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let uri = format!("{DEPLOYMENTS}/web");
        let test = json!([{ "op": "test", "path": "/spec/replicas", "value": 9 }]);
        assert_eq!(region.patch(&uri, JSON, &test).await.expect(422).reason(), "Invalid");
        region.patch(&uri, JSON, &json!({ "op": "add" })).await.expect(400);
        region.patch(&uri, "application/json", &json!({})).await.expect(415);
        let renamed = region.merge(&uri, &json!({ "metadata": { "name": "other" } })).await.expect(422);
        assert!(renamed.message().ends_with("field is immutable"), "{}", renamed.message());
        region.merge(&format!("{DEPLOYMENTS}/none"), &json!({})).await.expect(404);
        region.merge(&uri, &json!({ "kind": "StatefulSet" })).await.expect(400);
        let strict = format!("{uri}?fieldValidation=Strict");
        region.merge(&strict, &json!({ "spec": { "foo": 1 } })).await.expect(400);
    });
}

#[test]
fn a_patch_that_names_a_revision_must_meet_it() {
    in_region(|region| async move {
        let made = region.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(201);
        let uri = format!("{CONFIG_MAPS}/a");
        let patch = json!({ "metadata": { "resourceVersion": made.revision() }, "data": { "k": "1" } });
        region.merge(&uri, &patch).await.expect(200);
        let stale = json!({ "metadata": { "resourceVersion": made.revision() }, "data": { "k": "2" } });
        assert_eq!(region.merge(&uri, &stale).await.expect(409).reason(), "Conflict");
        region.merge(&uri, &json!({ "data": { "k": "3" } })).await.expect(200);
    });
}
