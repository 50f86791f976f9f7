//! Status, scale, binding, eviction.

use serde_json::json;

use crate::region::{DEPLOYMENTS, PODS, deployment, in_region, pod};

#[test]
fn the_status_is_written_apart_from_the_rest() {
    in_region(|region| async move {
        let uri = format!("{DEPLOYMENTS}/web");
        region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let both = json!({ "spec": { "replicas": 7 }, "status": { "replicas": 7 }, "metadata": { "labels": { "x": "y" } } });
        let status = region.merge(&format!("{uri}/status"), &both).await.expect(200);
        assert_eq!(
            (&status.body["spec"]["replicas"], &status.body["status"]["replicas"]),
            (&json!(1), &json!(7))
        );
        assert_eq!(status.body["metadata"]["labels"], json!({ "app": "web" }));
        assert_eq!(status.body["metadata"]["generation"], 1);
        let whole = json!({ "spec": { "replicas": 2 }, "status": { "replicas": 9 } });
        let whole = region.merge(&uri, &whole).await.expect(200);
        assert_eq!(
            (&whole.body["spec"]["replicas"], &whole.body["status"]["replicas"]),
            (&json!(2), &json!(7))
        );

        let mut put = whole.body.clone();
        put["status"] = json!({ "replicas": 3 });
        put["spec"]["replicas"] = json!(100);
        let put = region.put(&format!("{uri}/status"), &put).await.expect(200);
        assert_eq!((&put.body["spec"]["replicas"], &put.body["status"]["replicas"]), (&json!(2), &json!(3)));
        let owners = put.body["metadata"]["managedFields"].as_array().expect("owners");
        assert!(owners.iter().any(|entry| entry["subresource"] == "status"), "{owners:?}");
        region.get(&format!("{uri}/status")).await.expect(200);
    });
}

#[test]
fn scale_reads_and_writes_the_replica_count() {
    in_region(|region| async move {
        let uri = format!("{DEPLOYMENTS}/web/scale");
        region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let scale = region.get(&uri).await.expect(200);
        assert_eq!(scale.body["kind"], "Scale");
        assert_eq!(scale.body["spec"]["replicas"], 1);
        assert_eq!(scale.body["status"]["selector"], "app=web");
        let patched = region.merge(&uri, &json!({ "spec": { "replicas": 4 } })).await.expect(200);
        assert_eq!(patched.body["spec"]["replicas"], 4);
        let mut put = patched.body.clone();
        put["spec"]["replicas"] = json!(6);
        region.put(&uri, &put).await.expect(200);
        region.put(&uri, &put).await.expect(409);
        let web = region.get(&format!("{DEPLOYMENTS}/web")).await.expect(200);
        assert_eq!(
            (&web.body["spec"]["replicas"], &web.body["metadata"]["generation"]),
            (&json!(6), &json!(3))
        );
        let entries = web.body["metadata"]["managedFields"].as_array().expect("owners");
        assert!(entries.iter().any(|entry| entry["subresource"] == "scale"), "{entries:?}");
        region.merge(&uri, &json!({ "spec": { "replicas": -1 } })).await.expect(422);
    });
}

#[test]
fn a_pod_is_bound_once() {
    in_region(|region| async move {
        region.post(PODS, &pod("p")).await.expect(201);
        let uri = format!("{PODS}/p/binding");
        let to = |node: &str| json!({ "apiVersion": "v1", "kind": "Binding", "metadata": { "name": "p" }, "target": { "kind": "Node", "name": node } });
        region.post(&uri, &to("")).await.expect(422);
        let bound = region.post(&uri, &to("n1")).await.expect(201);
        assert_eq!(bound.body["status"], "Success");
        let pod = region.get(&format!("{PODS}/p")).await.expect(200);
        assert_eq!(pod.body["spec"]["nodeName"], "n1");
        assert_eq!(pod.body["status"]["conditions"][0]["type"], "PodScheduled");
        let again = region.post(&uri, &to("n2")).await.expect(409);
        assert_eq!(
            again.message(),
            "Operation cannot be fulfilled on pods \"p\": pod p is already assigned to node \"n1\""
        );
        let found = region.get("/api/v1/pods?fieldSelector=spec.nodeName%3Dn1").await.expect(200);
        assert_eq!(found.body["items"].as_array().expect("items").len(), 1);
    });
}

#[test]
fn an_evicted_pod_is_deleted() {
    in_region(|region| async move {
        region.post(PODS, &pod("p")).await.expect(201);
        let eviction = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": "p" } });
        region.post(&format!("{PODS}/p/eviction?dryRun=All"), &eviction).await.expect(201);
        region.get(&format!("{PODS}/p")).await.expect(200);
        region.post(&format!("{PODS}/p/eviction"), &eviction).await.expect(201);
        region.get(&format!("{PODS}/p")).await.expect(404);
    });
}

#[test]
fn a_part_that_is_listed_but_not_served_says_so() {
    in_region(|region| async move {
        let token = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
        region.post("/api/v1/namespaces/default/serviceaccounts/default/token", &token).await.expect(501);
        region.post(PODS, &pod("p")).await.expect(201);
        region.get(&format!("{PODS}/p/nothing")).await.expect(404);
        region.get(&format!("{PODS}/p/binding")).await.expect(405);
    });
}
