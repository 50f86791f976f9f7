//! A claim that waits and is told so twice, one that gets a disk and gives it back.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::scene::{api, apply, pass};

pub(super) async fn live(region: &mainstay_platform::Region) {
    apply(
        region,
        json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "by-hand"},
            "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": "by-hand",
                     "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/data"}},
        }),
    )
    .await;
    claim(region, "by-hand").await;
    for (name, mode) in [("late", "WaitForFirstConsumer"), ("soon", "Immediate")] {
        apply(
            region,
            json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
                "provisioner": "ebs.csi.aws.com", "volumeBindingMode": mode,
            }),
        )
        .await;
        claim(region, name).await;
    }
    pass(10).await;
    let claims = api(region, "v1", "PersistentVolumeClaim", "default");
    let touch = json!({"metadata": {"annotations": {"touched": "yes"}}});
    claims.patch("late", &PatchParams::default(), &Patch::Merge(&touch)).await.unwrap();
    claims.delete("soon", &DeleteParams::default()).await.unwrap();
    pass(30).await;
}

async fn claim(region: &mainstay_platform::Region, class: &str) {
    apply(
        region,
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": class, "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class,
                     "resources": {"requests": {"storage": "1Gi"}}},
        }),
    )
    .await;
}
