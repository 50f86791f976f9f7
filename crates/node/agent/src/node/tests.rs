//! The Nodes of an enterprise's machines.

use mainstay_kinds::NodeClaim;
use serde_json::json;

use super::*;
use crate::plate::{Taken, draw};

fn registered(instance_type: &str) -> Node {
    let claim: NodeClaim = serde_json::from_value(json!({
        "apiVersion": "mainstay.dev/v1alpha1", "kind": "NodeClaim",
        "metadata": { "name": "c", "uid": "u1" },
        "spec": {
            "provider": "embedded", "cluster": "prod", "nodeGroup": "data-nodes", "region": "us-east-1",
            "zone": "us-east-1b", "instanceType": instance_type, "capacityType": "on-demand",
            "labels": { "workload": "data", "kubernetes.io/hostname": "no" },
            "taints": [{ "key": "data-intensive", "value": "true", "effect": "NoSchedule" }],
            "volumeSizeGi": 500,
        },
    }))
    .unwrap();
    let instance_type = mainstay_catalogue::instance_type(instance_type).unwrap();
    let resources = resources(&claim.spec, instance_type);
    let region = mainstay_catalogue::region("us-east-1");
    let plate = draw("u1", &region, "us-east-1b", resources.pods, &Taken::default());
    node(&claim, instance_type, &plate, &resources, Timestamp::UNIX_EPOCH)
}

#[test]
fn a_node_has_what_its_instance_type_leaves_pods() {
    for (name, cpu, mib, pods) in [
        ("c5.2xlarge", "7910m", 14162, "58"),
        ("c5.4xlarge", "15890m", 27381, "234"),
        ("r5.4xlarge", "15890m", 118_312, "234"),
        ("t3.large", "1930m", 6837, "35"),
    ] {
        let allocatable = registered(name).status.unwrap().allocatable.unwrap();
        let expected =
            [("cpu", cpu.to_owned()), ("memory", format!("{}Ki", mib * 1024)), ("pods", pods.to_owned())];
        for (resource, text) in expected {
            assert_eq!(allocatable[resource].0, text, "{name}");
        }
    }
}

#[test]
fn a_node_carries_its_groups_labels_and_taints_beside_its_own() {
    let node = registered("r5.4xlarge");
    let labels = node.metadata.labels.unwrap();
    let name = node.metadata.name.unwrap();
    for (key, value) in [
        ("workload", "data"),
        ("kubernetes.io/hostname", &*name),
        ("node.kubernetes.io/instance-type", "r5.4xlarge"),
        ("topology.kubernetes.io/region", "us-east-1"),
        ("topology.kubernetes.io/zone", "us-east-1b"),
        ("kubernetes.io/arch", "amd64"),
    ] {
        assert_eq!(labels[key], value);
    }
    let spec = node.spec.unwrap();
    assert_eq!(spec.taints.unwrap()[0].key, "data-intensive");
    assert!(spec.provider_id.unwrap().starts_with("aws:///us-east-1b/i-0"));
    assert!(spec.pod_cidr.unwrap().ends_with(".0/24"));
    let status = node.status.unwrap();
    assert_eq!(status.capacity.unwrap()["ephemeral-storage"].0, "524288000Ki");
    assert_eq!(status.node_info.unwrap().kubelet_version, "v1.33.5-mainstay");
}

#[test]
fn a_node_registers_unready_and_becomes_ready_without_pressure() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let words = |conditions: Vec<NodeCondition>| -> Vec<String> {
        let word = |condition: &NodeCondition| {
            format!("{} {} {}", condition.type_, condition.status, condition.reason.as_deref().unwrap())
        };
        conditions.iter().map(word).collect()
    };
    let registered = registered("t3.large").status.unwrap().conditions.unwrap();
    assert_eq!(words(registered)[3], "Ready False KubeletNotReady");
    let ready = conditions(true, at(0), at(5), at(300));
    let transitions: Vec<_> =
        ready.iter().map(|condition| condition.last_transition_time.clone().unwrap().0).collect();
    assert_eq!(transitions, [at(0), at(0), at(0), at(5)]);
    assert_eq!(
        words(ready),
        [
            "MemoryPressure False KubeletHasSufficientMemory",
            "DiskPressure False KubeletHasNoDiskPressure",
            "PIDPressure False KubeletHasSufficientPID",
            "Ready True KubeletReady",
        ]
    );
}
