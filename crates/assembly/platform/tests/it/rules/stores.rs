//! Pods whose volumes come where they run: one that is there, one that is made.

use mainstay_platform::Region;
use serde_json::{Value, json};

use crate::scene::{api, apply, pass};

const ZONE: &str = "topology.kubernetes.io/zone";

/// Lives through both.
pub(super) async fn live(region: &Region) {
    for (name, provisioner) in [("at-hand", "kubernetes.io/no-provisioner"), ("to-make", "ebs.csi.aws.com")] {
        apply(
            region,
            json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
                "provisioner": provisioner, "volumeBindingMode": "WaitForFirstConsumer",
            }),
        )
        .await;
    }
    apply(region, json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "at-hand"},
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"}, "storageClassName": "at-hand",
                 "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/data"}},
    }))
    .await;
    pass(5).await;
    for name in ["at-hand", "to-make"] {
        apply(region, claim(name)).await;
        apply(region, pod(name)).await;
    }
    pass(60).await;
    assert_eq!(volume(region, "at-hand").await["metadata"]["name"], "at-hand");
    let made = volume(region, "to-make").await;
    let pods = api(region, "v1", "Pod", "default");
    let node = pods.get("to-make").await.unwrap().data["spec"]["nodeName"].as_str().unwrap().to_owned();
    let node = api(region, "v1", "Node", "").get(&node).await.unwrap();
    let there = &made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0];
    assert_eq!(there["values"], json!([node.metadata.labels.unwrap()[ZONE]]));
}

/// The volume of a claim whose pod has a node.
async fn volume(region: &Region, claim: &str) -> Value {
    let pod = api(region, "v1", "Pod", "default").get(claim).await.unwrap();
    assert!(pod.data["spec"]["nodeName"].is_string(), "{}", pod.data["status"]);
    let claim = api(region, "v1", "PersistentVolumeClaim", "default").get(claim).await.unwrap();
    let name = claim.data["spec"]["volumeName"].as_str().unwrap().to_owned();
    let volume = api(region, "v1", "PersistentVolume", "").get(&name).await.unwrap();
    serde_json::to_value(volume).unwrap()
}

fn claim(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": name,
                 "resources": {"requests": {"storage": "1Gi"}}},
    })
}

fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "tolerations": [{"operator": "Exists"}], "containers": [{"name": "c", "image": "x"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
        },
    })
}
