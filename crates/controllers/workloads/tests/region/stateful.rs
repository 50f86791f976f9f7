//! StatefulSets: names, order, claims, updates, history.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use std::time::Duration;

use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Region, region};

/// The StatefulSet `db`, changed by `spec`.
pub(crate) fn db(replicas: i32, spec: Value) -> StatefulSet {
    let mut set = json!({
        "metadata": {"name": "db", "annotations": {"kubernetes.io/change-cause": "first"}},
        "spec": {
            "replicas": replicas,
            "serviceName": "db-headless",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "db", "image": "postgres:16"}]},
            },
        },
    });
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        set["spec"][key] = value;
    }
    serde_json::from_value(set).unwrap()
}

fn claims() -> Value {
    json!([{"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}])
}

async fn create(region: &Region, set: StatefulSet) {
    region.namespaced::<StatefulSet>().create(&PostParams::default(), &set).await.unwrap();
}

async fn change(region: &Region, patch: Value) {
    let sets = region.namespaced::<StatefulSet>();
    sets.patch("db", &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "db", "image": image}]}}}})
}

async fn status(region: &Region) -> Value {
    let set = region.namespaced::<StatefulSet>().get("db").await.unwrap();
    serde_json::to_value(set.status.unwrap()).unwrap()
}

async fn names(region: &Region) -> Vec<String> {
    region.all::<Pod>().await.into_iter().filter_map(|pod| pod.metadata.name).collect()
}

async fn images(region: &Region) -> Vec<String> {
    let image = |pod: Pod| pod.spec.unwrap().containers[0].image.clone().unwrap();
    region.all::<Pod>().await.into_iter().map(image).collect()
}

async fn revisions(region: &Region) -> Vec<(i64, String)> {
    let mut revisions: Vec<_> = region.all::<ControllerRevision>().await;
    revisions.sort_by_key(|revision| revision.revision);
    revisions.into_iter().map(|it| (it.revision, it.metadata.name.unwrap())).collect()
}

#[test]
fn pods_come_one_after_the_other_each_with_its_claim_and_are_told_of_as_upstream_tells() {
    region(1, |region| async move {
        create(&region, db(2, json!({"volumeClaimTemplates": claims(), "ordinals": {"start": 3}}))).await;
        region.sleep(60).await;
        let pods = region.all::<Pod>().await;
        let [first, second] = pods.as_slice() else { panic!("{}", pods.len()) };
        let spec = first.spec.as_ref().unwrap();
        assert_eq!(
            (spec.hostname.as_deref(), spec.subdomain.as_deref()),
            (Some("db-3"), Some("db-headless"))
        );
        let labels = first.metadata.labels.as_ref().unwrap();
        let update = status(&region).await["updateRevision"].as_str().unwrap().to_owned();
        let expected = [
            ("app", "db"),
            ("apps.kubernetes.io/pod-index", "3"),
            ("controller-revision-hash", &update),
            ("statefulset.kubernetes.io/pod-name", "db-3"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(labels, &std::collections::BTreeMap::from(expected));
        let volume = &spec.volumes.as_ref().unwrap()[0];
        assert_eq!(volume.persistent_volume_claim.as_ref().unwrap().claim_name, "data-db-3");
        let came = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().unwrap().0;
        assert!(came(second) > came(first), "the second waits for the first");
        let mut claims: Vec<_> = region.all::<PersistentVolumeClaim>().await;
        assert_eq!(claims.len(), 2);
        let claim = claims.remove(0).metadata;
        assert_eq!((claim.name.as_deref(), claim.owner_references), (Some("data-db-3"), None));
        assert_eq!(claim.labels.unwrap()["app"], "db");
        let expected = [
            "create Claim data-db-3 Pod db-3 in StatefulSet db success",
            "create Pod db-3 in StatefulSet db successful",
            "create Claim data-db-4 Pod db-4 in StatefulSet db success",
            "create Pod db-4 in StatefulSet db successful",
        ];
        let expected = expected.map(|message| ("SuccessfulCreate".to_owned(), message.to_owned(), 1));
        assert_eq!(region.told("StatefulSet").await, expected);
        let expected = json!({
            "replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "currentReplicas": 2, "updatedReplicas": 2,
            "currentRevision": update, "updateRevision": update, "observedGeneration": 1, "collisionCount": 0,
        });
        assert_eq!(status(&region).await, expected);
        region.assert_well();
    });
}

#[test]
fn a_settled_set_causes_no_write_ever_again() {
    region(2, |region| async move {
        create(&region, db(3, json!({"volumeClaimTemplates": claims(), "minReadySeconds": 5}))).await;
        region.sleep(700).await;
        let ours = |region: &Region| {
            let writes = region.writes().into_iter();
            writes.filter(|(call, _)| call.contains("statefulset-controller")).collect::<Vec<_>>()
        };
        let before = ours(&region);
        assert_eq!(status(&region).await["availableReplicas"], 3);
        region.sleep(3600).await;
        assert_eq!(ours(&region), before);
        region.assert_well();
    });
}

#[test]
fn an_update_goes_from_the_last_pod_to_the_partition_and_back_without_a_new_revision() {
    region(3, |region| async move {
        create(&region, db(4, json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}}))).await;
        region.sleep(60).await;
        change(&region, image("postgres:17")).await;
        region.sleep(90).await;
        assert_eq!(images(&region).await, ["postgres:16", "postgres:16", "postgres:17", "postgres:17"]);
        let halfway = status(&region).await;
        assert_ne!(halfway["currentRevision"], halfway["updateRevision"]);
        assert_eq!((&halfway["currentReplicas"], &halfway["updatedReplicas"]), (&json!(2), &json!(2)));
        // A lost pod below the partition comes back as it was.
        region.pods().delete("db-0", &DeleteParams::default()).await.unwrap();
        region.sleep(60).await;
        assert_eq!(images(&region).await[0], "postgres:16");
        change(&region, json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}})).await;
        region.sleep(90).await;
        assert_eq!(images(&region).await, ["postgres:17"; 4]);
        let done = status(&region).await;
        assert_eq!(done["currentRevision"], done["updateRevision"]);
        let before = revisions(&region).await;
        assert_eq!((before[0].0, before[1].0, before.len()), (1, 2, 2));
        change(&region, image("postgres:16")).await;
        region.sleep(120).await;
        assert_eq!(images(&region).await, ["postgres:16"; 4]);
        let after = revisions(&region).await;
        assert_eq!(after, [before[1].clone(), (3, before[0].1.clone())], "the old one has a new number");
        region.assert_well();
    });
}

#[test]
fn history_keeps_what_the_set_wants_and_what_its_pods_are_of() {
    region(4, |region| async move {
        create(&region, db(1, json!({"revisionHistoryLimit": 2}))).await;
        region.sleep(20).await;
        for version in 1..=5 {
            change(&region, image(&format!("postgres:{version}"))).await;
            region.sleep(60).await;
        }
        let numbers: Vec<_> = revisions(&region).await.into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [4, 5, 6]);
        change(&region, json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}}))
            .await;
        change(&region, image("postgres:9")).await;
        region.sleep(60).await;
        assert_eq!(images(&region).await, ["postgres:5"], "only by hand");
        region.pods().delete("db-0", &DeleteParams::default()).await.unwrap();
        region.sleep(60).await;
        assert_eq!(images(&region).await, ["postgres:9"]);
        region.assert_well();
    });
}

#[test]
fn claims_go_with_scaled_pods_and_with_the_set_where_the_policy_says_so() {
    for (policy, after_scaling, after_deletion) in [
        (json!({"whenScaled": "Retain", "whenDeleted": "Retain"}), 3, 3),
        (json!({"whenScaled": "Delete", "whenDeleted": "Retain"}), 1, 1),
        (json!({"whenScaled": "Retain", "whenDeleted": "Delete"}), 3, 0),
        (json!({"whenScaled": "Delete", "whenDeleted": "Delete"}), 1, 0),
    ] {
        region(5, move |region| async move {
            let spec =
                json!({"volumeClaimTemplates": claims(), "persistentVolumeClaimRetentionPolicy": policy});
            create(&region, db(3, spec)).await;
            region.sleep(60).await;
            change(&region, json!({"spec": {"replicas": 1}})).await;
            region.sleep(90).await;
            assert_eq!(names(&region).await, ["db-0"]);
            assert_eq!(region.all::<PersistentVolumeClaim>().await.len(), after_scaling, "{policy}");
            let sets = region.namespaced::<StatefulSet>();
            sets.delete("db", &DeleteParams::background()).await.unwrap();
            region.sleep(60).await;
            assert_eq!(region.all::<PersistentVolumeClaim>().await.len(), after_deletion, "{policy}");
            region.assert_well();
        });
    }
}

#[test]
fn a_parallel_set_does_all_at_once_and_an_ordered_one_removes_the_last_first() {
    for policy in ["Parallel", "OrderedReady"] {
        region(6, move |region| async move {
            create(&region, db(5, json!({"podManagementPolicy": policy}))).await;
            region.sleep(60).await;
            let came = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().unwrap().0.as_second();
            let times: std::collections::BTreeSet<_> = region.all::<Pod>().await.iter().map(came).collect();
            assert_eq!(times.len() == 1, policy == "Parallel");
            change(&region, json!({"spec": {"replicas": 0}})).await;
            let mut seen = Vec::new();
            for _ in 0..900 {
                let pods = names(&region).await;
                if seen.last() != Some(&pods) {
                    seen.push(pods);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert_eq!(seen.pop(), Some(Vec::new()));
            if policy == "OrderedReady" {
                let lengths: Vec<_> = seen.iter().map(Vec::len).collect();
                assert_eq!(lengths, [5, 4, 3, 2, 1]);
                assert!(seen.iter().all(|pods| pods[0] == "db-0"));
            }
            region.assert_well();
        });
    }
}

#[test]
fn a_pod_that_ended_is_made_anew_and_one_that_lost_its_name_label_gets_it_back() {
    region(7, |region| async move {
        create(&region, db(2, json!({}))).await;
        region.sleep(60).await;
        let ended = Patch::Merge(json!({"status": {"phase": "Failed", "reason": "Evicted"}}));
        region.pods().patch_status("db-0", &PatchParams::default(), &ended).await.unwrap();
        let lost =
            Patch::Merge(json!({"metadata": {"labels": {"statefulset.kubernetes.io/pod-name": null}}}));
        region.pods().patch("db-1", &PatchParams::default(), &lost).await.unwrap();
        region.sleep(60).await;
        let pods = region.all::<Pod>().await;
        let phase = |pod: &Pod| pod.status.as_ref().unwrap().phase.clone().unwrap();
        assert_eq!(pods.iter().map(phase).collect::<Vec<_>>(), ["Running", "Running"]);
        assert_eq!(pods[1].metadata.labels.as_ref().unwrap()["statefulset.kubernetes.io/pod-name"], "db-1");
        let told = region.told("StatefulSet").await;
        let told: Vec<_> = told.iter().map(|(reason, message, _)| (&**reason, &**message)).collect();
        assert!(told.contains(&("SuccessfulDelete", "delete Pod db-0 in StatefulSet db successful")));
        assert!(told.contains(&("SuccessfulUpdate", "update Pod db-1 in StatefulSet db successful")));
        region.assert_well();
    });
}

#[test]
fn orphaned_pods_and_revisions_are_taken_over_by_a_set_of_the_same_name() {
    region(8, |region| async move {
        create(&region, db(2, json!({}))).await;
        region.sleep(60).await;
        let sets = region.namespaced::<StatefulSet>();
        sets.delete("db", &DeleteParams::orphan()).await.unwrap();
        region.sleep(20).await;
        let before: Vec<_> = region.all::<Pod>().await.into_iter().map(|pod| pod.metadata.uid).collect();
        assert_eq!(before.len(), 2);
        create(&region, db(2, json!({}))).await;
        region.sleep(60).await;
        let pods = region.all::<Pod>().await;
        let uid = sets.get("db").await.unwrap().metadata.uid.unwrap();
        let owner = |pod: &Pod| pod.metadata.owner_references.as_ref().unwrap()[0].uid.clone();
        assert!(pods.iter().all(|pod| owner(pod) == uid));
        assert_eq!(pods.into_iter().map(|pod| pod.metadata.uid).collect::<Vec<_>>(), before);
        let revisions = region.all::<ControllerRevision>().await;
        assert_eq!(revisions.len(), 1);
        assert_eq!(revisions[0].metadata.owner_references.as_ref().unwrap()[0].uid, uid);
        // A pod that no longer matches is let go, and its name is taken: its successor has to wait.
        let strayed = Patch::Merge(json!({"metadata": {"labels": {"app": "debug"}}}));
        region.pods().patch("db-1", &PatchParams::default(), &strayed).await.unwrap();
        region.sleep(20).await;
        let pod = region.pods().get("db-1").await.unwrap();
        assert!(pod.metadata.owner_references.is_none_or(|owners| owners.is_empty()));
        region.pods().delete("db-1", &DeleteParams::default()).await.unwrap();
        region.sleep(600).await;
        assert_eq!(region.pods().list(&ListParams::default().labels("app=db")).await.unwrap().items.len(), 2);
        region.assert_well();
    });
}

#[test]
fn controllers_that_end_at_any_moment_go_on_where_they_were() {
    for (seed, milliseconds) in [(20, 0), (21, 700), (22, 2500), (23, 6000)] {
        region(seed, move |mut region| async move {
            create(&region, db(3, json!({"volumeClaimTemplates": claims()}))).await;
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            region.restart();
            change(&region, image("postgres:17")).await;
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            region.restart();
            region.sleep(180).await;
            assert_eq!(images(&region).await, ["postgres:17"; 3], "after {milliseconds} ms");
            assert_eq!(status(&region).await["updatedReplicas"], 3);
            region.assert_well();
        });
    }
}
