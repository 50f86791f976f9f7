//! Parts of a pod with a process behind them, and those that change it while it runs.

use serde_json::{Value, json};

use crate::region::{PODS, Region, in_region, pod};

async fn two_containers(region: &Region, name: &str) {
    let mut object = pod(name);
    let second = json!({ "name": "side", "image": "side:1" });
    object["spec"]["containers"].as_array_mut().expect("containers").push(second);
    region.post(PODS, &object).await.expect(201);
}

async fn bind(region: &Region, name: &str) {
    let to = json!({ "apiVersion": "v1", "kind": "Binding", "metadata": { "name": name }, "target": { "kind": "Node", "name": "n1" } });
    region.post(&format!("{PODS}/{name}/binding"), &to).await.expect(201);
}

async fn states(region: &Region, name: &str, status: Value) {
    let status = json!({ "status": { "containerStatuses": [status] } });
    region.merge(&format!("{PODS}/{name}/status"), &status).await.expect(200);
}

#[test]
fn logs_are_asked_for_as_upstream_checks_them_and_then_there_are_none() {
    in_region(|region| async move {
        let uri = format!("{PODS}/p/log");
        region.get(&uri).await.expect(404);
        two_containers(&region, "p").await;
        let which = region.get(&uri).await.expect(400);
        assert_eq!(
            which.message(),
            "a container name must be specified for pod p, choose one of: [main side]"
        );
        let wrong = region.get(&format!("{uri}?container=x")).await.expect(400);
        assert_eq!(wrong.message(), "container x is not valid for pod p");
        let options = region.get(&format!("{uri}?container=main&tailLines=-1")).await.expect(422);
        assert_eq!(
            options.message(),
            "PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0"
        );
        assert_eq!(region.text(&format!("{uri}?container=main"), "*/*").await, "", "nobody to ask yet");
        bind(&region, "p").await;
        let waiting = json!({ "name": "main", "state": { "waiting": { "reason": "ContainerCreating" } } });
        states(&region, "p", waiting).await;
        let early = region.get(&format!("{uri}?container=main")).await.expect(400);
        assert_eq!(early.message(), "container \"main\" in pod \"p\" is waiting to start: ContainerCreating");
        states(&region, "p", json!({ "name": "main", "state": { "running": {} } })).await;
        let previous = region.get(&format!("{uri}?container=main&previous=true")).await.expect(400);
        assert_eq!(previous.message(), "previous terminated container \"main\" in pod \"p\" not found");
        let none = region.get(&format!("{uri}?container=main")).await.expect(501);
        assert_eq!(
            none.message(),
            "container \"main\" of pod \"p\" is simulated: there is no process for logs"
        );
    });
}

#[test]
fn a_simulated_pod_has_no_process_to_speak_with() {
    in_region(|region| async move {
        two_containers(&region, "p").await;
        for what in ["exec", "attach"] {
            let wrong = region.get(&format!("{PODS}/p/{what}?container=x")).await.expect(400);
            assert_eq!(wrong.message(), "container x is not valid for pod p");
            let early = region.get(&format!("{PODS}/p/{what}?container=main")).await.expect(400);
            assert_eq!(early.message(), "pod p does not have a host assigned");
        }
        bind(&region, "p").await;
        for what in
            ["exec?container=main&command=sh", "attach?container=main", "portforward?ports=80", "proxy/a/b"]
        {
            let none = region.get(&format!("{PODS}/p/{what}")).await.expect(501);
            assert!(none.message().starts_with("pod \"p\" is simulated"), "{}", none.message());
        }
        region.get("/api/v1/namespaces/default/services/kubernetes/proxy/x/y").await.expect(501);
        region.get("/api/v1/namespaces/default/services/none/proxy/x/y").await.expect(404);
    });
}

#[test]
fn ephemeral_containers_are_added_and_stay() {
    in_region(|region| async move {
        region.post(PODS, &pod("p")).await.expect(201);
        let uri = format!("{PODS}/p/ephemeralcontainers");
        let strategic = "application/strategic-merge-patch+json";
        let debugger = |name: &str, image: &str| json!({ "spec": { "ephemeralContainers": [{ "name": name, "image": image }] } });
        let added = region.patch(&uri, strategic, &debugger("debug", "busybox")).await.expect(200);
        assert_eq!(added.body["spec"]["ephemeralContainers"][0]["imagePullPolicy"], "Always");
        let changed = region.patch(&uri, strategic, &debugger("debug", "other")).await.expect(422);
        assert!(changed.message().contains("existing ephemeral containers \"debug\" may not be changed"));
        let taken = region.patch(&uri, strategic, &debugger("main", "busybox")).await.expect(422);
        assert!(taken.message().contains("Duplicate value: \"main\""), "{}", taken.message());
        let mut without = added.body.clone();
        without["spec"].as_object_mut().expect("a spec").remove("ephemeralContainers");
        without["spec"]["containers"][0]["image"] = json!("ignored:1");
        let gone = region.put(&uri, &without).await.expect(422);
        assert!(gone.message().contains("may not be removed"));
        let direct =
            region.patch(&format!("{PODS}/p"), strategic, &debugger("two", "busybox")).await.expect(422);
        assert!(direct.message().contains("pod updates may not change fields other than"));
    });
}

#[test]
fn a_resize_changes_what_containers_may_use_and_nothing_else() {
    in_region(|region| async move {
        let mut object = pod("p");
        object["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": "100m" } });
        region.post(PODS, &object).await.expect(201);
        let uri = format!("{PODS}/p/resize");
        let resize = |resources: Value| json!({ "spec": { "containers": [{ "name": "main", "image": "new", "resources": resources }] } });
        let strategic = "application/strategic-merge-patch+json";
        let resized = region
            .patch(&uri, strategic, &resize(json!({ "requests": { "cpu": "200m" } })))
            .await
            .expect(200);
        let container = &resized.body["spec"]["containers"][0];
        assert_eq!(container["resources"]["requests"]["cpu"], "200m");
        assert_ne!(container["image"], "new");
        assert_eq!(resized.body["metadata"]["generation"], 2);
        let all =
            json!({ "requests": { "cpu": "1", "memory": "1Gi" }, "limits": { "cpu": "1", "memory": "1Gi" } });
        let refused = region.patch(&uri, strategic, &resize(all)).await.expect(422);
        assert!(refused.message().ends_with("Pod QOS Class may not change as a result of resizing"));
    });
}
