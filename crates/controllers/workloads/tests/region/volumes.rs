//! Claims get volumes, keep them while pods use them, and give them back.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Region, region};

fn claims(region: &Region) -> Api<PersistentVolumeClaim> {
    Api::namespaced(region.client.clone(), "default")
}

async fn class(region: &Region, name: &str, mode: &str) {
    let class: StorageClass = serde_json::from_value(json!({
        "metadata": {"name": name}, "provisioner": "ebs.csi.aws.com", "volumeBindingMode": mode,
    }))
    .unwrap();
    Api::all(region.client.clone()).create(&PostParams::default(), &class).await.unwrap();
}

async fn claim(region: &Region, class: &str) {
    let claim = json!({
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "5Gi"}}},
    });
    claims(region).create(&PostParams::default(), &serde_json::from_value(claim).unwrap()).await.unwrap();
}

async fn phase(region: &Region) -> String {
    claims(region).get("data").await.unwrap().status.and_then(|status| status.phase).unwrap_or_default()
}

async fn reasons(region: &Region) -> Vec<String> {
    region.told("PersistentVolumeClaim").await.into_iter().map(|(reason, ..)| reason).collect()
}

#[test]
fn a_claim_gets_a_disk_at_once_and_the_disk_goes_with_it() {
    region(5, |region| async move {
        class(&region, "fast", "Immediate").await;
        claim(&region, "fast").await;
        region.sleep(10).await;
        assert_eq!(phase(&region).await, "Bound");
        assert_eq!(reasons(&region).await, ["ExternalProvisioning", "Provisioning", "ProvisioningSucceeded"]);
        let bound = claims(&region).get("data").await.unwrap();
        assert_eq!(bound.status.unwrap().capacity.unwrap()["storage"].0, "5Gi");
        let volumes = region.all::<PersistentVolume>().await;
        assert_eq!(volumes.len(), 1);
        assert_eq!(volumes[0].metadata.name, bound.spec.unwrap().volume_name);
        assert_eq!(volumes[0].status.as_ref().unwrap().phase.as_deref(), Some("Bound"));
        claims(&region).delete("data", &DeleteParams::default()).await.unwrap();
        region.sleep(10).await;
        assert!(region.all::<PersistentVolumeClaim>().await.is_empty());
        assert!(region.all::<PersistentVolume>().await.is_empty());
        region.assert_well();
    });
}

#[test]
fn a_claim_that_waits_gets_its_disk_in_the_zone_of_the_chosen_node() {
    region(6, |region| async move {
        class(&region, "slow", "WaitForFirstConsumer").await;
        claim(&region, "slow").await;
        region.sleep(30).await;
        assert_eq!(phase(&region).await, "Pending");
        assert_eq!(reasons(&region).await, ["WaitForFirstConsumer"]);
        let nodes: Vec<k8s_openapi::api::core::v1::Node> = region.all().await;
        let (node, zone) = {
            let meta = &nodes[1].metadata;
            (meta.name.clone().unwrap(), meta.labels.as_ref().unwrap()["topology.kubernetes.io/zone"].clone())
        };
        let chosen = json!({"metadata": {"annotations": {"volume.kubernetes.io/selected-node": node}}});
        claims(&region).patch("data", &PatchParams::default(), &Patch::Merge(chosen)).await.unwrap();
        region.sleep(10).await;
        assert_eq!(phase(&region).await, "Bound");
        let volume = serde_json::to_value(&region.all::<PersistentVolume>().await[0]).unwrap();
        let terms = &volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"];
        assert_eq!(terms[0]["matchExpressions"][0]["values"], json!([zone]));
    });
}

#[test]
fn a_claim_in_use_stays_until_its_pod_is_gone_and_a_retained_disk_stays_for_good() {
    region(7, |region| async move {
        let volume: Value = json!({
            "metadata": {"name": "by-hand"},
            "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "8Gi"}, "storageClassName": "hand",
                     "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/data"}},
        });
        let volumes = Api::<PersistentVolume>::all(region.client.clone());
        volumes.create(&PostParams::default(), &serde_json::from_value(volume).unwrap()).await.unwrap();
        claim(&region, "hand").await;
        let pod = json!({
            "metadata": {"name": "user"},
            "spec": {"containers": [{"name": "c", "image": "x"}],
                     "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
        });
        region.pods().create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
        region.sleep(30).await;
        assert_eq!(phase(&region).await, "Bound");
        claims(&region).delete("data", &DeleteParams::default()).await.unwrap();
        region.sleep(30).await;
        assert!(claims(&region).get("data").await.unwrap().metadata.deletion_timestamp.is_some());
        region.pods().delete("user", &DeleteParams::default()).await.unwrap();
        region.sleep(60).await;
        assert!(region.all::<PersistentVolumeClaim>().await.is_empty());
        let left = volumes.get("by-hand").await.unwrap();
        assert_eq!(left.status.unwrap().phase.as_deref(), Some("Released"));
    });
}
