//! Nodes that fall silent, come back, and are taken out of service.

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Region, region};

fn taints(node: &Node) -> Vec<String> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.clone()).unwrap_or_default();
    taints
        .iter()
        .map(|taint| format!("{}:{}", taint.key.trim_start_matches("node.kubernetes.io/"), taint.effect))
        .collect()
}

/// Status and reason of a condition.
fn condition(node: &Node, type_: &str) -> (String, String) {
    let conditions = node.status.as_ref().unwrap().conditions.as_ref().unwrap();
    let own = conditions.iter().find(|own| own.type_ == type_).unwrap();
    (own.status.clone(), own.reason.clone().unwrap())
}

async fn on(region: &Region, node: &str) -> Vec<Pod> {
    let bound = ListParams::default().fields(&format!("spec.nodeName={node}"));
    region.pods().list(&bound).await.unwrap().items
}

fn pod_condition(pod: &Pod, type_: &str) -> Option<(String, String)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let own = conditions.iter().find(|own| own.type_ == type_)?;
    Some((own.status.clone(), own.reason.clone().unwrap_or_default()))
}

async fn told_of(region: &Region, kind: &str, reason: &str) -> Vec<String> {
    let told = region.told(kind).await.into_iter();
    told.filter(|told| told.0 == reason).map(|told| told.1).collect()
}

async fn taint(region: &Region, node: &str, taints: Value) {
    let nodes = Api::<Node>::all(region.client.clone());
    let tainted = Patch::Merge(json!({"spec": {"taints": taints}}));
    nodes.patch(node, &PatchParams::default(), &tainted).await.unwrap();
}

#[test]
fn the_pods_of_a_silent_node_leave_it_after_five_minutes_and_go_when_it_is_back() {
    region(1, |region| async move {
        region.deploy(8).await;
        region.sleep(40).await;
        let name = region.a_node_of_web().await;
        let pods = on(&region, &name).await;
        region.set_killed(&name, true).await;
        region.sleep(44).await;
        assert_eq!(
            condition(&region.node(&name).await, "Ready").0,
            "True",
            "its grace is 50 s from its last sign"
        );
        region.sleep(17).await;
        let node = region.node(&name).await;
        for type_ in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
            let expected = ("Unknown".to_owned(), "NodeStatusUnknown".to_owned());
            assert_eq!(condition(&node, type_), expected, "{type_}");
        }
        for pod in on(&region, &name).await {
            assert_eq!(pod_condition(&pod, "Ready").unwrap().0, "False");
        }
        assert_eq!(told_of(&region, "Pod", "NodeNotReady").await, vec!["Node is not ready"; pods.len()]);
        let message = format!("Node {name} status is now: NodeNotReady");
        assert_eq!(told_of(&region, "Node", "NodeNotReady").await, [message]);
        region.sleep(7).await;
        let driven = ["unreachable:NoSchedule", "unreachable:NoExecute"];
        assert_eq!(taints(&region.node(&name).await), driven);
        region.sleep(280).await;
        assert!(on(&region, &name).await.iter().all(|pod| pod.metadata.deletion_timestamp.is_none()));
        region.sleep(30).await;
        let left = on(&region, &name).await;
        assert_eq!(left.len(), pods.len(), "nobody is there to end them");
        for pod in &left {
            assert!(pod.metadata.deletion_timestamp.is_some());
            let expected = ("True".to_owned(), "DeletionByTaintManager".to_owned());
            assert_eq!(pod_condition(pod, "DisruptionTarget"), Some(expected));
        }
        let told = told_of(&region, "Pod", "TaintManagerEviction").await;
        let first = format!("Marking for deletion Pod default/{}", left[0].metadata.name.as_deref().unwrap());
        assert!(told.len() == left.len() && told.contains(&first), "{told:?}");
        region.sleep(30).await;
        assert_eq!(region.web().await.status.unwrap().available_replicas, Some(8), "others took their place");
        region.set_killed(&name, false).await;
        region.sleep(60).await;
        let node = region.node(&name).await;
        assert_eq!((condition(&node, "Ready").0, taints(&node)), ("True".to_owned(), Vec::new()));
        assert_eq!(region.pods().list(&ListParams::default()).await.unwrap().items.len(), 8);
        region.assert_well();
    });
}

#[test]
fn a_node_that_is_back_in_time_keeps_its_pods() {
    region(2, |region| async move {
        region.deploy(8).await;
        region.sleep(40).await;
        let name = region.a_node_of_web().await;
        let before: Vec<_> = on(&region, &name).await.into_iter().map(|pod| pod.metadata.uid).collect();
        region.set_killed(&name, true).await;
        region.sleep(200).await;
        assert_eq!(taints(&region.node(&name).await).len(), 2);
        region.set_killed(&name, false).await;
        region.sleep(400).await;
        let pods = on(&region, &name).await;
        let after: Vec<_> = pods.iter().map(|pod| pod.metadata.uid.clone()).collect();
        assert_eq!(after, before);
        assert!(
            pods.iter().all(|pod| pod_condition(pod, "Ready").unwrap().0 == "True"),
            "they are ready again"
        );
        let told = told_of(&region, "Pod", "TaintManagerEviction").await;
        assert!(
            told.len() == before.len()
                && told.iter().all(|told| told.starts_with("Cancelling deletion of Pod default/web-")),
            "{told:?}"
        );
        assert_eq!(region.web().await.status.unwrap().available_replicas, Some(8));
        region.assert_well();
    });
}

#[test]
fn while_all_nodes_are_silent_nothing_is_driven_away() {
    region(3, |region| async move {
        region.deploy(4).await;
        region.sleep(40).await;
        let nodes: Vec<String> =
            region.all::<Node>().await.into_iter().filter_map(|node| node.metadata.name).collect();
        for node in &nodes {
            region.set_killed(node, true).await;
        }
        region.sleep(600).await;
        for node in &nodes {
            assert_eq!(taints(&region.node(node).await), ["unreachable:NoSchedule"]);
        }
        assert!(
            region
                .pods()
                .list(&ListParams::default())
                .await
                .unwrap()
                .items
                .iter()
                .all(|pod| pod.metadata.deletion_timestamp.is_none())
        );
        region.set_killed(&nodes[0], false).await;
        region.sleep(50).await;
        assert_eq!(taints(&region.node(&nodes[0]).await), [""; 0]);
        region.sleep(60).await;
        for node in &nodes[1..] {
            let taints = taints(&region.node(node).await);
            assert_eq!(
                taints,
                ["unreachable:NoSchedule", "unreachable:NoExecute"],
                "each zone at its pace again"
            );
        }
        region.assert_well();
    });
}

#[test]
fn a_cordon_is_a_taint_and_a_taint_by_hand_drives_pods_away_at_once() {
    region(4, |region| async move {
        region.deploy(8).await;
        region.sleep(40).await;
        let name = region.a_node_of_web().await;
        let nodes = Api::<Node>::all(region.client.clone());
        for (cordoned, expected) in [(true, vec!["unschedulable:NoSchedule"]), (false, vec![])] {
            let cordon = Patch::Merge(json!({"spec": {"unschedulable": cordoned}}));
            nodes.patch(&name, &PatchParams::default(), &cordon).await.unwrap();
            region.sleep(1).await;
            assert_eq!(taints(&region.node(&name).await), expected);
        }
        let pods = on(&region, &name).await.len();
        taint(&region, &name, json!([{"key": "maintenance", "effect": "NoExecute"}])).await;
        region.sleep(1).await;
        assert_eq!(told_of(&region, "Pod", "TaintManagerEviction").await.len(), pods);
        region.sleep(60).await;
        assert!(on(&region, &name).await.is_empty());
        assert_eq!(region.web().await.status.unwrap().available_replicas, Some(8));
        region.assert_well();
    });
}

#[test]
fn what_ends_on_a_node_out_of_service_is_collected() {
    region(5, |region| async move {
        region.deploy(8).await;
        region.sleep(40).await;
        let name = region.a_node_of_web().await;
        region.set_killed(&name, true).await;
        region.sleep(400).await;
        assert!(!on(&region, &name).await.is_empty());
        let mut own = json!(region.node(&name).await.spec.unwrap().taints);
        own.as_array_mut().unwrap().push(json!({"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}));
        taint(&region, &name, own).await;
        region.sleep(25).await;
        assert!(on(&region, &name).await.is_empty());
        region.assert_well();
    });
}

#[test]
fn nodes_are_told_of_as_they_come_and_go_and_keep_their_labels() {
    region(6, |region| async move {
        region.sleep(10).await;
        let name = region.all::<Node>().await.remove(0).metadata.name.unwrap();
        let registered = format!("Node {name} event: Registered Node {name} in Controller");
        assert!(told_of(&region, "Node", "RegisteredNode").await.contains(&registered));
        let by_hand = json!({"metadata": {"name": "by-hand", "labels": {"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "windows"}}});
        let nodes = Api::<Node>::all(region.client.clone());
        nodes.create(&PostParams::default(), &serde_json::from_value(by_hand).unwrap()).await.unwrap();
        region.sleep(1).await;
        assert_eq!(region.node("by-hand").await.metadata.labels.unwrap()["beta.kubernetes.io/os"], "linux");
        region.sleep(70).await;
        let node = region.node("by-hand").await;
        assert_eq!(condition(&node, "Ready"), ("Unknown".to_owned(), "NodeStatusNeverUpdated".to_owned()));
        nodes.delete("by-hand", &DeleteParams::default()).await.unwrap();
        region.sleep(6).await;
        let removed = "Node by-hand event: Removing Node by-hand from Controller";
        assert_eq!(told_of(&region, "Node", "RemovingNode").await, [removed]);
        region.assert_well();
    });
}

#[test]
fn healthy_nodes_cost_no_write_at_all() {
    region(7, |region| async move {
        region.sleep(60).await;
        let ours = |region: &Region| {
            region
                .writes()
                .into_iter()
                .filter(|(call, _)| call.contains("node-controller"))
                .collect::<Vec<_>>()
        };
        let before = ours(&region);
        region.sleep(3600).await;
        assert_eq!(ours(&region), before);
        region.assert_well();
    });
}
