//! DaemonSets: nodes, taints, updates, history.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Region, region};

fn logs(spec: Value) -> DaemonSet {
    let mut set = json!({
        "metadata": {"name": "logs"},
        "spec": {
            "selector": {"matchLabels": {"app": "logs"}},
            "template": {
                "metadata": {"labels": {"app": "logs"}},
                "spec": {"containers": [{"name": "logs", "image": "fluentd:1"}]},
            },
        },
    });
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        set["spec"][key] = value;
    }
    serde_json::from_value(set).unwrap()
}

async fn create(region: &Region, set: DaemonSet) {
    region.namespaced::<DaemonSet>().create(&PostParams::default(), &set).await.unwrap();
}

async fn change(region: &Region, patch: Value) {
    let sets = region.namespaced::<DaemonSet>();
    sets.patch("logs", &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "logs", "image": image}]}}}})
}

async fn status(region: &Region) -> Value {
    let set = region.namespaced::<DaemonSet>().get("logs").await.unwrap();
    serde_json::to_value(set.status.unwrap()).unwrap()
}

async fn nodes(region: &Region) -> Vec<String> {
    region.all::<Node>().await.into_iter().filter_map(|node| node.metadata.name).collect()
}

async fn change_node(region: &Region, name: &str, patch: Value) {
    let nodes = Api::<Node>::all(region.client.clone());
    nodes.patch(name, &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
}

/// The nodes with a live pod, and the pods' images.
async fn places(region: &Region) -> Vec<(String, String)> {
    let mut places = Vec::new();
    for pod in region.all::<Pod>().await {
        if pod.metadata.deletion_timestamp.is_none() {
            let spec = pod.spec.unwrap();
            places.push((spec.node_name.unwrap_or_default(), spec.containers[0].image.clone().unwrap()));
        }
    }
    places.sort();
    places
}

#[test]
fn every_node_gets_a_pod_that_the_scheduler_binds_there_cordoned_ones_too() {
    region(1, |region| async move {
        let nodes = nodes(&region).await;
        change_node(&region, &nodes[0], json!({"spec": {"unschedulable": true}})).await;
        let taint = json!({"key": "gpu", "value": "yes", "effect": "NoSchedule"});
        change_node(&region, &nodes[1], json!({"spec": {"taints": [taint]}})).await;
        create(&region, logs(json!({}))).await;
        region.sleep(60).await;
        let on = |places: Vec<(String, String)>| places.into_iter().map(|place| place.0).collect::<Vec<_>>();
        assert_eq!(on(places(&region).await), [&*nodes[0], &*nodes[2], &*nodes[3]]);
        let expected = json!({
            "currentNumberScheduled": 3, "desiredNumberScheduled": 3, "numberMisscheduled": 0, "numberReady": 3,
            "numberAvailable": 3, "updatedNumberScheduled": 3, "observedGeneration": 1,
        });
        assert_eq!(status(&region).await, expected);
        let pods = region.all::<Pod>().await;
        let labels = pods[0].metadata.labels.clone().unwrap();
        let revision = &region.all::<ControllerRevision>().await[0];
        let hash = &revision.metadata.labels.as_ref().unwrap()["controller-revision-hash"];
        assert_eq!((&labels["controller-revision-hash"], &*labels["pod-template-generation"]), (hash, "1"));
        assert_eq!(revision.metadata.name.as_ref().unwrap(), &format!("logs-{hash}"));
        // The taint goes, another comes: a pod comes, and one must leave.
        change_node(&region, &nodes[1], json!({"spec": {"taints": null}})).await;
        let evicting = json!({"key": "broken", "effect": "NoExecute"});
        change_node(&region, &nodes[2], json!({"spec": {"taints": [evicting]}})).await;
        region.sleep(60).await;
        assert_eq!(on(places(&region).await), [&*nodes[0], &*nodes[1], &*nodes[3]]);
        let told = region.told("DaemonSet").await;
        let reasons: Vec<_> = told.iter().map(|(reason, ..)| &**reason).collect();
        assert_eq!(reasons.iter().filter(|reason| **reason == "SuccessfulCreate").count(), 4);
        assert_eq!(reasons.iter().filter(|reason| **reason == "SuccessfulDelete").count(), 1);
        assert!(told[0].1.starts_with("Created pod: logs-"));
        region.assert_well();
    });
}

#[test]
fn a_settled_set_causes_no_write_ever_again() {
    region(2, |region| async move {
        create(&region, logs(json!({"minReadySeconds": 7}))).await;
        region.sleep(700).await;
        let ours = |region: &Region| {
            let writes = region.writes().into_iter();
            writes.filter(|(call, _)| call.contains("daemon-set-controller")).collect::<Vec<_>>()
        };
        let before = ours(&region);
        assert_eq!(status(&region).await["numberAvailable"], 4);
        region.sleep(3600).await;
        assert_eq!(ours(&region), before);
        region.assert_well();
    });
}

#[test]
fn an_update_stays_within_its_bounds_and_a_rollback_finds_the_old_revision() {
    for (rolling, most, fewest) in [
        (json!({"maxUnavailable": 1}), 4, 3),
        (json!({"maxUnavailable": "50%"}), 4, 2),
        (json!({"maxSurge": 1, "maxUnavailable": 0}), 5, 4),
    ] {
        region(3, move |region| async move {
            create(&region, logs(json!({"updateStrategy": {"rollingUpdate": rolling}}))).await;
            region.sleep(60).await;
            change(&region, image("fluentd:2")).await;
            for _ in 0..1200 {
                let pods = region.all::<Pod>().await;
                let live = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
                let ready = live.clone().filter(|pod| {
                    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
                    conditions.into_iter().flatten().any(|own| own.type_ == "Ready" && own.status == "True")
                });
                assert!(live.count() <= most && ready.count() >= fewest, "{rolling}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            let images =
                |places: Vec<(String, String)>| places.into_iter().map(|it| it.1).collect::<Vec<_>>();
            assert_eq!(images(places(&region).await), ["fluentd:2"; 4], "{rolling}");
            change(&region, image("fluentd:1")).await;
            region.sleep(180).await;
            assert_eq!(images(places(&region).await), ["fluentd:1"; 4]);
            let revisions = region.all::<ControllerRevision>().await;
            let mut numbers: Vec<_> = revisions.iter().map(|revision| revision.revision).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, [2, 3]);
            let set = region.namespaced::<DaemonSet>().get("logs").await.unwrap();
            assert_eq!(set.metadata.annotations.unwrap()["deprecated.daemonset.template.generation"], "3");
            region.assert_well();
        });
    }
}

#[test]
fn on_delete_replaces_by_hand_and_history_keeps_what_is_wanted() {
    region(4, |region| async move {
        create(&region, logs(json!({"updateStrategy": {"type": "OnDelete"}, "revisionHistoryLimit": 1})))
            .await;
        region.sleep(60).await;
        for version in 2..=4 {
            change(&region, image(&format!("fluentd:{version}"))).await;
            region.sleep(30).await;
        }
        let before = places(&region).await;
        assert!(before.iter().all(|(_, image)| image == "fluentd:1"));
        assert_eq!(status(&region).await.get("updatedNumberScheduled"), None);
        // The first one is what the pods are of, and counts as the one that is kept.
        let revisions = region.all::<ControllerRevision>().await;
        let mut numbers: Vec<_> = revisions.iter().map(|revision| revision.revision).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 4]);
        for pod in region.all::<Pod>().await {
            region.pods().delete(&pod.metadata.name.unwrap(), &DeleteParams::default()).await.unwrap();
        }
        region.sleep(60).await;
        assert!(places(&region).await.iter().all(|(_, image)| image == "fluentd:4"));
        assert_eq!(region.all::<ControllerRevision>().await.len(), 2);
        region.assert_well();
    });
}

#[test]
fn a_failed_pod_is_replaced_after_a_delay_that_grows() {
    region(5, |region| async move {
        let node = nodes(&region).await.remove(0);
        let spec = json!({"containers": [{"name": "logs", "image": "fluentd:1"}],
                          "nodeSelector": {"kubernetes.io/hostname": node}});
        let template = json!({"metadata": {"labels": {"app": "logs"}}, "spec": spec});
        create(&region, logs(json!({"template": template}))).await;
        region.sleep(30).await;
        let failed = Patch::Merge(json!({"status": {"phase": "Failed", "reason": "Evicted"}}));
        let mut names = std::collections::BTreeSet::new();
        for _ in 0..300 {
            for pod in region.all::<Pod>().await {
                let name = pod.metadata.name.unwrap();
                // Its node says that it runs, again and again.
                region.pods().patch_status(&name, &PatchParams::default(), &failed).await.unwrap();
                names.insert(name);
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        assert!((4..9).contains(&names.len()), "1, 2, 4, 8 … seconds: {}", names.len());
        let told = region.told("DaemonSet").await;
        let (_, message, _) = told.iter().find(|(reason, ..)| reason == "FailedDaemonPod").unwrap();
        let (prefix, suffix) =
            ("Found failed daemon pod default/logs-", format!(" on node {node}, will try to kill it"));
        assert!(message.starts_with(prefix) && message.ends_with(&suffix), "{message}");
        region.assert_well();
    });
}

#[test]
fn orphaned_pods_are_taken_over_and_a_relabelled_one_is_let_go() {
    region(6, |region| async move {
        create(&region, logs(json!({}))).await;
        region.sleep(60).await;
        let sets = region.namespaced::<DaemonSet>();
        sets.delete("logs", &DeleteParams::orphan()).await.unwrap();
        region.sleep(20).await;
        let before: Vec<_> = region.all::<Pod>().await.into_iter().map(|pod| pod.metadata.name).collect();
        create(&region, logs(json!({}))).await;
        region.sleep(60).await;
        let pods = region.all::<Pod>().await;
        assert_eq!(pods.iter().map(|pod| pod.metadata.name.clone()).collect::<Vec<_>>(), before);
        assert_eq!(region.all::<ControllerRevision>().await.len(), 1);
        let strayed = Patch::Merge(json!({"metadata": {"labels": {"app": "debug"}}}));
        let name = before[0].as_deref().unwrap();
        region.pods().patch(name, &PatchParams::default(), &strayed).await.unwrap();
        region.sleep(60).await;
        assert_eq!(region.all::<Pod>().await.len(), 5);
        let pod = region.pods().get(name).await.unwrap();
        assert!(pod.metadata.owner_references.is_none_or(|owners| owners.is_empty()));
        region.assert_well();
    });
}

#[test]
fn controllers_that_end_at_any_moment_go_on_where_they_were() {
    for (seed, milliseconds) in [(20, 0), (21, 1), (22, 1500), (23, 4000)] {
        region(seed, move |mut region| async move {
            create(&region, logs(json!({}))).await;
            tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
            region.restart();
            change(&region, image("fluentd:2")).await;
            tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
            region.restart();
            region.sleep(180).await;
            let images: Vec<_> = places(&region).await.into_iter().map(|place| place.1).collect();
            assert_eq!(images, ["fluentd:2"; 4], "after {milliseconds} ms");
            region.assert_well();
        });
    }
}
