//! Deployments and their pods.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::support::{Region, region, web};

async fn active(region: &Region) -> Vec<Pod> {
    let pods = region.pods().list(&ListParams::default()).await.unwrap().items;
    pods.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect()
}

#[test]
fn a_deployment_becomes_available_and_tells_how() {
    region(1, |region| async move {
        region.deploy(3).await;
        region.sleep(30).await;
        let status = region.web().await.status.unwrap();
        assert_eq!(
            (status.replicas, status.ready_replicas, status.available_replicas, status.updated_replicas),
            (Some(3), Some(3), Some(3), Some(3))
        );
        assert_eq!((status.observed_generation, status.unavailable_replicas), (Some(1), None));
        let conditions: Vec<_> =
            status.conditions.unwrap().into_iter().map(|own| (own.type_, own.reason.unwrap())).collect();
        let expected = [("Available", "MinimumReplicasAvailable"), ("Progressing", "NewReplicaSetAvailable")];
        assert_eq!(conditions, expected.map(|(type_, reason)| (type_.to_owned(), reason.to_owned())));
        let told = region.told("Deployment").await;
        let set = region.sets().list(&ListParams::default()).await.unwrap().items.remove(0);
        let message = format!("Scaled up replica set {} from 0 to 3", set.metadata.name.unwrap());
        assert_eq!(told, [("ScalingReplicaSet".to_owned(), message, 1)]);
        let told = region.told("ReplicaSet").await;
        assert_eq!(told.len(), 3);
        assert!(
            told.iter().all(|(reason, message, _)| reason == "SuccessfulCreate"
                && message.starts_with("Created pod: web-"))
        );
        region.assert_well();
    });
}

#[test]
fn a_settled_deployment_causes_no_write_ever_again() {
    region(2, |region| async move {
        region.deploy(3).await;
        region.sleep(700).await;
        let ours = |region: &Region| {
            let writes = region.writes().into_iter();
            writes
                .filter(|(call, _)| {
                    call.contains("deployment-controller") || call.contains("replicaset-controller")
                })
                .collect::<Vec<_>>()
        };
        let before = ours(&region);
        region.sleep(3600).await;
        assert_eq!(ours(&region), before);
        region.assert_well();
    });
}

#[test]
fn a_new_image_rolls_out_within_its_bounds_and_back_again() {
    region(3, |region| async move {
        region.deploy(6).await;
        region.sleep(30).await;
        let image = |image: &str| json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}});
        region.change(image("nginx:1.28")).await;
        for _ in 0..600 {
            let pods = active(&region).await;
            let ready = pods.iter().filter(|pod| {
                let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
                conditions.into_iter().flatten().any(|own| own.type_ == "Ready" && own.status == "True")
            });
            assert!(pods.len() <= 8 && ready.count() >= 5, "25 % of six: two more, one less");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let is_new =
            |pod: &Pod| pod.spec.as_ref().unwrap().containers[0].image.as_deref() == Some("nginx:1.28");
        let pods = active(&region).await;
        assert!(pods.len() == 6 && pods.iter().all(is_new));
        region.change(image("nginx:1.27")).await;
        region.sleep(60).await;
        let web = region.web().await;
        assert_eq!(web.metadata.annotations.unwrap()["deployment.kubernetes.io/revision"], "3");
        assert_eq!(region.sets().list(&ListParams::default()).await.unwrap().items.len(), 2);
        assert_eq!(web.status.unwrap().updated_replicas, Some(6));
        region.assert_well();
    });
}

#[test]
fn scaling_down_and_a_lost_pod_are_made_good() {
    region(4, |region| async move {
        region.deploy(5).await;
        region.sleep(20).await;
        region.change(json!({"spec": {"replicas": 2}})).await;
        region.sleep(60).await;
        assert_eq!(active(&region).await.len(), 2);
        let lost = active(&region).await.remove(0).metadata.name.unwrap();
        region.pods().delete(&lost, &DeleteParams::default()).await.unwrap();
        region.sleep(60).await;
        let names: Vec<_> = active(&region).await.into_iter().filter_map(|pod| pod.metadata.name).collect();
        assert!(names.len() == 2 && !names.contains(&lost));
        let deletions =
            region.told("ReplicaSet").await.into_iter().filter(|(reason, ..)| reason == "SuccessfulDelete");
        assert_eq!(deletions.count(), 3);
        region.assert_well();
    });
}

#[test]
fn a_selected_orphan_is_adopted_and_a_relabelled_pod_let_go() {
    region(5, |region| async move {
        region.deploy(2).await;
        region.sleep(20).await;
        let set = region.sets().list(&ListParams::default()).await.unwrap().items.remove(0);
        let labels = set.spec.unwrap().selector.match_labels.unwrap();
        let orphan = json!({"metadata": {"name": "orphan", "labels": labels},
                            "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}});
        let orphan: Pod = serde_json::from_value(orphan).unwrap();
        region.pods().create(&PostParams::default(), &orphan).await.unwrap();
        region.sleep(60).await;
        assert!(region.pods().get_opt("orphan").await.unwrap().is_none(), "adopted, and one too many");
        let strayed = active(&region).await.remove(0).metadata.name.unwrap();
        let labels = Patch::Merge(json!({"metadata": {"labels": {"app": "debug"}}}));
        region.pods().patch(&strayed, &PatchParams::default(), &labels).await.unwrap();
        region.sleep(60).await;
        let pods = active(&region).await;
        let strayed = pods.iter().find(|pod| pod.metadata.name.as_deref() == Some(&strayed)).unwrap();
        assert!(strayed.metadata.owner_references.as_ref().is_none_or(Vec::is_empty));
        assert_eq!(pods.len(), 3);
        region.assert_well();
    });
}

#[test]
fn one_seed_has_one_history() {
    let history = |seed| {
        region(seed, |region| async move {
            region.deploy(4).await;
            region.sleep(20).await;
            region.change(json!({"spec": {"replicas": 7}})).await;
            region.sleep(60).await;
            let events = region.all::<k8s_openapi::api::core::v1::Event>().await;
            let pods = region.all::<Pod>().await;
            (region.api.store().revision(), serde_json::to_string(&(events, pods)).unwrap())
        })
    };
    assert_eq!(history(11), history(11));
    assert_ne!(history(11).1, history(12).1);
}

#[test]
fn a_hundred_deployments_settle_and_double_creation_never_happens() {
    region(6, |region| async move {
        for index in 0..100 {
            let mut deployment = web(3);
            deployment.metadata.name = Some(format!("web-{index}"));
            let labels = |value: String| Some([("app".to_owned(), value)].into());
            let spec = deployment.spec.as_mut().unwrap();
            spec.selector.match_labels = labels(format!("web-{index}"));
            spec.template.metadata.as_mut().unwrap().labels = labels(format!("web-{index}"));
            region.deployments().create(&PostParams::default(), &deployment).await.unwrap();
        }
        region.sleep(60).await;
        assert_eq!(active(&region).await.len(), 300);
        let writes = region.writes();
        let created = |what: &str| {
            writes.iter().filter(|(call, _)| call.contains(what)).map(|(_, count)| count).sum::<u64>()
        };
        assert_eq!(created("replicaset-controller create /pods"), 300);
        assert_eq!(created("deployment-controller create apps/replicasets"), 100);
        region.assert_well();
    });
}

#[test]
fn controllers_that_end_at_any_moment_go_on_where_they_were() {
    for (seed, milliseconds) in [(20, 0), (21, 1), (22, 700), (23, 1500), (24, 2500)] {
        region(seed, move |mut region| async move {
            region.deploy(5).await;
            tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
            region.restart();
            region
                .change(json!({"spec": {"replicas": 6, "template": {"metadata": {"labels": {"v": "2"}}}}}))
                .await;
            tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
            region.restart();
            region.sleep(120).await;
            assert_eq!(active(&region).await.len(), 6, "after {milliseconds} ms");
            assert_eq!(region.web().await.status.unwrap().updated_replicas, Some(6));
            region.assert_well();
        });
    }
}
