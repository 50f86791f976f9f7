//! What the cluster adds to a new object, or has against it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::region::{PODS, Region, in_region, pod};

const CLASSES: &str = "/apis/scheduling.k8s.io/v1/priorityclasses";
const CLAIMS: &str = "/api/v1/namespaces/default/persistentvolumeclaims";

async fn namespace(region: &Region, name: &str) -> String {
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    region.post("/api/v1/namespaces", &object).await.expect(201);
    format!("/api/v1/namespaces/{name}")
}

fn account(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name } })
}

#[test]
fn a_pod_runs_as_the_default_account_and_its_author_owns_what_it_wrote_alone() {
    in_region(|region| async move {
        let made = region.post(PODS, &pod("web")).await.expect(201).body;
        let spec = &made["spec"];
        assert_eq!(spec["serviceAccountName"], "default");
        let volume = spec["volumes"][0]["name"].as_str().expect("a volume");
        assert!(volume.starts_with("kube-api-access-") && volume.len() == 21, "{volume}");
        assert_eq!(spec["containers"][0]["volumeMounts"][0]["name"], volume);
        assert_eq!(
            (&spec["priority"], &spec["preemptionPolicy"]),
            (&json!(0), &json!("PreemptLowerPriority"))
        );
        assert_eq!(spec["tolerations"].as_array().map(Vec::len), Some(2));
        let owned = &made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"];
        assert!(owned.get("f:containers").is_some() && owned.get("f:restartPolicy").is_some());
        for added in ["f:volumes", "f:tolerations", "f:priority", "f:serviceAccountName"] {
            assert!(owned.get(added).is_none(), "{added} is nobody's: {owned}");
        }
    });
}

#[test]
fn a_pod_of_an_account_that_is_not_there_is_forbidden() {
    in_region(|region| async move {
        let mut object = pod("web");
        object["spec"]["serviceAccountName"] = json!("robot");
        let refused = region.post(PODS, &object).await.expect(403);
        assert_eq!(
            refused.message(),
            "pods \"web\" is forbidden: error looking up service account default/robot: serviceaccount \"robot\" not found"
        );
        object["metadata"] = json!({ "generateName": "web-" });
        let refused = region.post(PODS, &object).await.expect(403);
        assert!(refused.message().starts_with("pods \"web-\" is forbidden"), "{}", refused.message());
        region.post("/api/v1/namespaces/default/serviceaccounts", &account("robot")).await.expect(201);
        region.post(PODS, &object).await.expect(201);
    });
}

#[test]
fn a_pod_waits_a_moment_for_the_default_account_of_its_new_namespace() {
    in_region(|region| async move {
        let uri = namespace(&region, "shop").await;
        let (pods, object, other) = (format!("{uri}/pods"), pod("web"), region.clone());
        let (made, ()) = tokio::join!(region.post(&pods, &object), async {
            other.world.clock().sleep(Duration::from_millis(400)).await;
            other.post(&format!("{uri}/serviceaccounts"), &account("default")).await.expect(201);
        });
        made.expect(201);

        let uri = namespace(&region, "bare").await;
        let refused = region.post(&format!("{uri}/pods"), &pod("web")).await.expect(403);
        assert!(refused.message().ends_with("serviceaccount \"default\" not found"), "{}", refused.message());
    });
}

#[test]
fn every_cluster_has_two_classes_of_priority_that_stay_as_they_are() {
    in_region(|region| async move {
        let mut object = pod("web");
        object["spec"]["priorityClassName"] = json!("system-cluster-critical");
        let made = region.post(PODS, &object).await.expect(201);
        assert_eq!(made.body["spec"]["priority"], 2_000_000_000);
        let refused = region.delete(&format!("{CLASSES}/system-node-critical")).await.expect(403);
        assert_eq!(
            refused.message(),
            "priorityclasses.scheduling.k8s.io \"system-node-critical\" is forbidden: this is a system priority class and cannot be deleted"
        );
        let class = |name: &str, is_default: bool| {
            json!({ "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": { "name": name },
                "value": 10, "globalDefault": is_default })
        };
        let own = region.post(CLASSES, &class("system-mine", false)).await.expect(422);
        assert!(
            own.message().ends_with("error: system-mine is not a known system priority class"),
            "{}",
            own.message()
        );
        region.post(CLASSES, &class("usual", true)).await.expect(201);
        let second = region.post(CLASSES, &class("other", true)).await.expect(403);
        assert_eq!(
            second.message(),
            "priorityclasses.scheduling.k8s.io \"other\" is forbidden: PriorityClass usual is already marked as default. Only one default can exist"
        );
        let made = region.post(PODS, &pod("plain")).await.expect(201);
        assert_eq!(
            (&made.body["spec"]["priorityClassName"], &made.body["spec"]["priority"]),
            (&json!("usual"), &json!(10))
        );
        let mut given = pod("given");
        given["spec"]["priority"] = json!(7);
        let refused = region.post(PODS, &given).await.expect(403);
        assert!(refused.message().contains("the integer value of priority (7) must not be provided"));
    });
}

#[test]
fn a_claim_gets_the_clusters_default_class() {
    in_region(|region| async move {
        let claim = |name: &str| {
            json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": name }, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } } })
        };
        let made = region.post(CLAIMS, &claim("data")).await.expect(201);
        assert_eq!(made.body["spec"]["storageClassName"], "gp2");
        assert_eq!(made.body["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
        let mut classless = claim("own");
        classless["spec"]["storageClassName"] = json!("");
        let made = region.post(CLAIMS, &classless).await.expect(201);
        assert_eq!(made.body["spec"]["storageClassName"], "");
    });
}

#[test]
fn a_namespace_with_a_generated_name_is_labelled_with_it() {
    in_region(|region| async move {
        let object =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "generateName": "ci-" } });
        let made = region.post("/api/v1/namespaces", &object).await.expect(201).body;
        assert_eq!(made["metadata"]["labels"]["kubernetes.io/metadata.name"], made["metadata"]["name"]);
    });
}
