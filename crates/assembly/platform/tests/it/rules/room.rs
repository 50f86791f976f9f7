//! A pod gives way to another of higher priority.

use kube::ResourceExt as _;
use kube::api::ListParams;
use mainstay_platform::Region;
use serde_json::{Value, json};

use crate::scene::{api, apply, pass};

/// Two pods want the same port of the same node.
pub(super) async fn make(region: &Region) {
    apply(region, json!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "urgent"}, "value": 1000,
    }))
    .await;
    let nodes = api(region, "v1", "Node", "").list(&ListParams::default()).await.unwrap().items;
    let node = nodes[0].labels()["kubernetes.io/hostname"].clone();
    apply(region, pod("minor", &node, &json!(null))).await;
    pass(10).await;
    apply(region, pod("urgent", &node, &json!("urgent"))).await;
    pass(60).await;
    let pods = api(region, "v1", "Pod", "default");
    assert!(pods.get_opt("minor").await.unwrap().is_none());
    assert_eq!(pods.get("urgent").await.unwrap().data["spec"]["nodeName"], nodes[0].name_any());
}

fn pod(name: &str, node: &str, class: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "priorityClassName": class, "nodeSelector": {"kubernetes.io/hostname": node},
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "c", "image": "x", "ports": [{"containerPort": 80, "hostPort": 9999}]}],
        },
    })
}
