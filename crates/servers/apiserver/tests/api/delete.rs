//! Deletions: at once, with grace, with finalizers, of collections and of namespaces.

use serde_json::json;

use crate::region::{CONFIG_MAPS, DEPLOYMENTS, PODS, Region, config_map, deployment, in_region, pod};

async fn bound_pod(region: &Region, name: &str) {
    region.post(PODS, &pod(name)).await.expect(201);
    let binding = json!({ "apiVersion": "v1", "kind": "Binding", "metadata": { "name": name }, "target": { "kind": "Node", "name": "n1" } });
    region.post(&format!("{PODS}/{name}/binding"), &binding).await.expect(201);
}

#[test]
fn a_deleted_object_is_gone_and_the_answer_says_what_it_was() {
    in_region(|region| async move {
        let made = region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let uri = format!("{DEPLOYMENTS}/web");
        let deleted = region.delete(&uri).await.expect(200);
        assert_eq!(deleted.body["status"], "Success");
        assert_eq!(
            deleted.body["details"],
            json!({ "name": "web", "group": "apps", "kind": "deployments", "uid": made.body["metadata"]["uid"] })
        );
        region.delete(&uri).await.expect(404);
    });
}

#[test]
fn preconditions_guard_a_deletion() {
    in_region(|region| async move {
        let made = region.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(201);
        let uri = format!("{CONFIG_MAPS}/a");
        let wrong = json!({ "preconditions": { "uid": "x" } });
        assert_eq!(region.delete_with(&uri, &wrong).await.expect(409).reason(), "Conflict");
        region.delete_with(&uri, &json!({ "preconditions": { "resourceVersion": "1" } })).await.expect(409);
        let both = json!({ "propagationPolicy": "Orphan", "orphanDependents": true });
        region.delete_with(&uri, &both).await.expect(422);
        let right = json!({ "preconditions": { "uid": made.body["metadata"]["uid"] } });
        region.delete_with(&uri, &right).await.expect(200);
    });
}

#[test]
fn finalizers_hold_an_object_until_the_last_one_goes() {
    in_region(|region| async move {
        let mut object = config_map("a", &json!({}));
        object["metadata"]["finalizers"] = json!(["example.com/one", "example.com/two"]);
        region.post(CONFIG_MAPS, &object).await.expect(201);
        let uri = format!("{CONFIG_MAPS}/a");
        let held = region.delete(&uri).await.expect(200);
        assert_eq!(held.body["metadata"]["deletionTimestamp"], "2026-11-23T12:00:00Z");
        let again = region.delete(&uri).await.expect(200);
        assert_eq!(again.revision(), held.revision(), "deleting twice changes nothing");

        let more = json!({ "metadata": { "finalizers": ["example.com/one", "example.com/two", "example.com/three"] } });
        let more = region.merge(&uri, &more).await.expect(422);
        assert!(more.message().contains("no new finalizers can be added if the object is being deleted"));
        region.merge(&uri, &json!({ "metadata": { "finalizers": ["example.com/two"] } })).await.expect(200);
        region.get(&uri).await.expect(200);
        region.merge(&uri, &json!({ "metadata": { "finalizers": null } })).await.expect(200);
        region.get(&uri).await.expect(404);
    });
}

#[test]
fn propagation_is_left_to_the_collectors_finalizers() {
    in_region(|region| async move {
        for (policy, finalizer) in [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")] {
            let name = policy.to_lowercase();
            region.post(DEPLOYMENTS, &deployment(&name, 1)).await.expect(201);
            let uri = format!("{DEPLOYMENTS}/{name}");
            let held = region.delete(&format!("{uri}?propagationPolicy={policy}")).await.expect(200);
            assert_eq!(held.body["metadata"]["finalizers"], json!([finalizer]));
            assert_eq!(held.body["metadata"]["generation"], 2);
            region.merge(&uri, &json!({ "metadata": { "finalizers": [] } })).await.expect(200);
            region.get(&uri).await.expect(404);
        }
    });
}

#[test]
fn a_running_pod_keeps_its_grace_and_is_ended_by_its_node() {
    in_region(|region| async move {
        bound_pod(&region, "a").await;
        let uri = format!("{PODS}/a");
        let ending = region.delete(&uri).await.expect(200);
        assert_eq!(ending.body["metadata"]["deletionGracePeriodSeconds"], 30);
        assert_eq!(ending.body["metadata"]["deletionTimestamp"], "2026-11-23T12:00:30Z");
        let hurried = region.delete(&format!("{uri}?gracePeriodSeconds=5")).await.expect(200);
        assert_eq!(hurried.body["metadata"]["deletionTimestamp"], "2026-11-23T12:00:05Z");
        let slowed = region.delete(&format!("{uri}?gracePeriodSeconds=50")).await.expect(200);
        assert_eq!(slowed.revision(), hurried.revision());
        // The agent reports the end, and it does not end by that.
        region.merge(&format!("{uri}/status"), &json!({ "status": { "phase": "Failed" } })).await.expect(200);
        region.delete(&format!("{uri}?gracePeriodSeconds=0")).await.expect(200);
        region.get(&uri).await.expect(404);
    });
}

#[test]
fn a_pod_without_a_node_goes_at_once() {
    in_region(|region| async move {
        region.post(PODS, &pod("a")).await.expect(201);
        let last = region.delete(&format!("{PODS}/a")).await.expect(200);
        assert_eq!(last.body["kind"], "Pod", "pods are answered with their last state");
        region.get(&format!("{PODS}/a")).await.expect(404);
    });
}

#[test]
fn a_collection_is_deleted_by_its_selector() {
    in_region(|region| async move {
        for name in ["a", "b", "c"] {
            let mut object = config_map(name, &json!({}));
            object["metadata"]["labels"] = json!({ "keep": (name == "b").to_string() });
            region.post(CONFIG_MAPS, &object).await.expect(201);
        }
        let deleted = region.delete(&format!("{CONFIG_MAPS}?labelSelector=keep%3Dfalse")).await.expect(200);
        assert_eq!(deleted.body["items"].as_array().expect("items").len(), 2);
        let left = region.get(CONFIG_MAPS).await.expect(200);
        assert_eq!(left.body["items"][0]["metadata"]["name"], "b");
        assert_eq!(left.body["items"].as_array().expect("items").len(), 1);
    });
}

#[test]
fn a_namespace_waits_for_its_content_and_takes_no_more() {
    in_region(|region| async move {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team" } });
        region.post("/api/v1/namespaces", &namespace).await.expect(201);
        let uri = "/api/v1/namespaces/team";
        let mut ending = region.delete(uri).await.expect(200);
        assert_eq!(ending.body["status"]["phase"], "Terminating");
        let refused =
            region.post(&format!("{uri}/configmaps"), &config_map("a", &json!({}))).await.expect(403);
        assert_eq!(
            refused.message(),
            "configmaps \"a\" is forbidden: unable to create new content in namespace team because it is being terminated"
        );
        assert_eq!(refused.body["details"]["causes"][0]["reason"], "NamespaceTerminating");
        ending.body["spec"]["finalizers"] = json!([]);
        region.put(&format!("{uri}/finalize"), &ending.body).await.expect(200);
        region.get(uri).await.expect(404);
        let forbidden = region.delete("/api/v1/namespaces/kube-system").await.expect(403);
        assert!(forbidden.message().ends_with("this namespace may not be deleted"));
    });
}
