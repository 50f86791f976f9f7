//! ReplicationControllers and their pods.

use k8s_openapi::api::core::v1::{Pod, ReplicationController};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::support::{Region, region};

fn controllers(region: &Region) -> Api<ReplicationController> {
    Api::namespaced(region.client.clone(), "default")
}

async fn create(region: &Region, replicas: i32) {
    let controller = json!({
        "metadata": {"name": "old"},
        "spec": {"replicas": replicas, "selector": {"app": "old"}, "template": {
            "metadata": {"labels": {"app": "old"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        }},
    });
    let controller = serde_json::from_value(controller).unwrap();
    controllers(region).create(&PostParams::default(), &controller).await.unwrap();
}

#[test]
fn it_keeps_its_pods_at_number_and_says_so() {
    region(1, |region| async move {
        create(&region, 3).await;
        region.sleep(30).await;
        let status = controllers(&region).get("old").await.unwrap().status.unwrap();
        assert_eq!(
            (status.replicas, status.ready_replicas, status.available_replicas),
            (3, Some(3), Some(3))
        );
        assert_eq!((status.fully_labeled_replicas, status.observed_generation), (Some(3), Some(1)));
        for pod in region.all::<Pod>().await {
            let owner = &pod.metadata.owner_references.unwrap()[0];
            assert_eq!((&*owner.api_version, &*owner.kind), ("v1", "ReplicationController"));
            assert!(pod.metadata.name.unwrap().starts_with("old-"));
        }
        let told = region.told("ReplicationController").await;
        assert_eq!(told.len(), 3);
        assert!(
            told.iter().all(|(reason, message, _)| reason == "SuccessfulCreate"
                && message.starts_with("Created pod: old-"))
        );

        let scaled = Patch::Merge(json!({"spec": {"replicas": 1}}));
        controllers(&region).patch_scale("old", &PatchParams::default(), &scaled).await.unwrap();
        region.sleep(60).await;
        let left = region.all::<Pod>().await;
        assert_eq!(left.len(), 1);
        let lost = left[0].metadata.name.clone().unwrap();
        region.pods().delete(&lost, &DeleteParams::default()).await.unwrap();
        region.sleep(60).await;
        assert_eq!(region.all::<Pod>().await.len(), 1, "another came");
        let scale = controllers(&region).get_scale("old").await.unwrap();
        assert_eq!(scale.status.unwrap().replicas, 1);
        region.assert_well();
    });
}

#[test]
fn it_takes_orphans_over_and_its_pods_go_with_it() {
    region(2, |region| async move {
        let orphan = json!({"metadata": {"name": "orphan", "labels": {"app": "old"}},
                            "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
        let orphan = serde_json::from_value(orphan).unwrap();
        region.pods().create(&PostParams::default(), &orphan).await.unwrap();
        create(&region, 2).await;
        region.sleep(30).await;
        let orphan = region.pods().get("orphan").await.unwrap();
        assert_eq!(orphan.metadata.owner_references.unwrap()[0].name, "old");
        assert_eq!(region.all::<Pod>().await.len(), 2);
        controllers(&region).delete("old", &DeleteParams::background()).await.unwrap();
        region.sleep(60).await;
        assert!(region.all::<Pod>().await.is_empty());
        region.assert_well();
    });
}
