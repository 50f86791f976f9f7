//! A platform in virtual time: what it comes to, and what a killed region leaves.

use crate::scene::{api, apply, on_the_example, pass};

use kube::ResourceExt as _;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::json;

#[test]
fn every_pod_of_the_example_runs_on_a_node_that_it_fits() {
    let pods = on_the_example(1, |_, platform| async move {
        let region = &platform.regions()[0];
        // The database waits for its disk.
        pass(30).await;
        let pods = api(region, "v1", "Pod", "production").list(&ListParams::default()).await.unwrap().items;
        let nodes = api(region, "v1", "Node", "").list(&ListParams::default()).await.unwrap().items;
        assert_eq!(nodes.len(), 17);
        pods.into_iter()
            .map(|pod| {
                let node = pod.data["spec"]["nodeName"].as_str().unwrap().to_owned();
                let node = nodes.iter().find(|candidate| candidate.name_any() == node).unwrap();
                (pod.data["status"]["phase"].clone(), node.labels()["workload"].clone())
            })
            .collect::<Vec<_>>()
    });
    assert!(pods.iter().all(|(phase, _)| phase == "Running"), "{pods:?}");
    let on = |group: &str| pods.iter().filter(|(_, workload)| workload == group).count();
    assert_eq!((on("application"), on("data")), (10, 1), "the services, and their database");
}

#[test]
fn a_pod_that_fits_nowhere_waits_and_says_why_for_all_seventeen_nodes() {
    let message = on_the_example(1, |_, platform| async move {
        let region = &platform.regions()[0];
        apply(region, json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "huge", "namespace": "default"},
            "spec": {"containers": [{"name": "c", "image": "x", "resources": {"requests": {"cpu": "99"}}}]},
        }))
        .await;
        pass(5).await;
        let pod = api(region, "v1", "Pod", "default").get("huge").await.unwrap();
        pod.data["status"]["conditions"][0]["message"].as_str().unwrap_or_default().to_owned()
    });
    assert!(message.starts_with("0/17 nodes are available: "), "{message}");
    assert!(message.contains("3 node(s) had untolerated taint {system: true}"), "{message}");
    assert!(message.contains("6 Insufficient cpu"), "{message}");
}

#[test]
fn a_killed_region_stops_at_once_and_the_world_goes_on() {
    on_the_example(1, |world, platform| async move {
        let region = &platform.regions()[0];
        let before = region.store().revision();
        region.kill();
        let start = world.now();
        pass(3600).await;
        assert_eq!(region.store().revision(), before, "nothing writes after the kill");
        assert_eq!(world.now().as_second() - start.as_second(), 3600);
    });
}

#[test]
fn a_restored_region_has_what_it_had_and_goes_on() {
    on_the_example(1, |world, platform| async move {
        let region = &platform.regions()[0];
        let names = |kind: &'static str, namespace: &'static str| async move {
            let list = api(region, "v1", kind, namespace).list(&ListParams::default()).await.unwrap();
            list.items.iter().map(kube::ResourceExt::name_any).collect::<Vec<_>>()
        };
        let before = (names("Node", "").await, names("Pod", "production").await);
        region.kill();
        assert!(region.is_killed());
        assert!(api(region, "v1", "Node", "").list(&ListParams::default()).await.is_err(), "nobody answers");
        pass(1800).await;
        region.restore(&world).await.unwrap();
        pass(120).await;
        assert_eq!((names("Node", "").await, names("Pod", "production").await), before);
        assert!(platform.status().regions[0].ready, "{:?}", platform.status().regions[0].reason);
        region.restore(&world).await.unwrap();
        let patch = json!({"spec": {"replicas": 6}});
        let orders = api(region, "apps/v1", "Deployment", "production");
        orders.patch("order-service", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        pass(30).await;
        let after = orders.get("order-service").await.unwrap();
        assert_eq!(after.data["status"]["availableReplicas"], 6);
    });
}
