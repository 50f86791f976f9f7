//! Node groups to claims, as the reference platform's ClusterConfig has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use mainstay_kinds::node_claim::CapacityType::{self, OnDemand, Spot};
use mainstay_kinds::node_claim::{NodeClaim, READY};
use mainstay_kinds::{ClusterConfig, NodeClaimStatus, condition};
use serde_json::{Value, json};

use crate::*;

/// An enterprise's production cluster.
fn enterprise() -> Value {
    serde_json::from_str(include_str!("tests/enterprise.json")).unwrap()
}

fn config(document: Value) -> ClusterConfig {
    serde_json::from_value(document).unwrap()
}

fn owner() -> OwnerReference {
    OwnerReference { uid: "u1".to_owned(), name: "enterprise".to_owned(), ..OwnerReference::default() }
}

fn stored(claims: &[NodeClaim]) -> Vec<Arc<NodeClaim>> {
    claims.iter().cloned().map(Arc::new).collect()
}

fn names(claims: &[NodeClaim]) -> Vec<&str> {
    claims.iter().filter_map(|claim| claim.metadata.name.as_deref()).collect()
}

#[test]
fn an_enterprises_config_asks_for_its_seventeen_machines() {
    let plan = plan(&config(enterprise()), &owner(), &[]);
    assert_eq!((plan.problems, plan.delete.len()), (vec![], 0));
    let mut count = BTreeMap::new();
    for claim in &plan.create {
        let spec = &claim.spec;
        *count.entry((&*spec.node_group, &*spec.instance_type, spec.capacity_type)).or_insert(0) += 1;
        assert_eq!(spec.volume_size_gi, if spec.node_group == "data-nodes" { 500 } else { 80 });
        assert_eq!(spec.taints.len(), usize::from(spec.node_group != "app-nodes"));
        assert_eq!(spec.kubernetes_version.as_deref(), Some("1.28"));
        assert_eq!(claim.metadata.owner_references.as_deref(), Some(&[owner()][..]));
    }
    let expected = BTreeMap::from([
        (("system-nodes", "c5.2xlarge", OnDemand), 3),
        (("app-nodes", "c5.4xlarge", OnDemand), 6),
        (("data-nodes", "r5.4xlarge", OnDemand), 3),
        (("spot-nodes", "t3a.large", Spot), 3),
        (("spot-nodes", "t3.large", Spot), 2),
    ]);
    assert_eq!(count, expected);
    let zones: Vec<_> = plan.create.iter().map(|claim| &claim.spec.zone[9..]).collect();
    assert_eq!(zones.concat(), "abcabcabcabcabcab");
    assert_eq!(plan.create[3].metadata.name.as_deref(), Some("enterprise-prod-us-east-1-app-nodes-0"));
    let labels = &plan.create[0].spec.labels;
    assert_eq!(labels["workload"], "system");
    assert_eq!(labels["alpha.eksctl.io/cluster-name"], "enterprise-prod-us-east-1");
    assert_eq!(labels["alpha.eksctl.io/nodegroup-name"], "system-nodes");
}

#[test]
fn claims_that_are_there_are_left_alone_and_missing_ones_made_again() {
    let config = config(enterprise());
    let all = plan(&config, &owner(), &[]).create;
    let again = plan(&config, &owner(), &stored(&all));
    assert_eq!((again.create, again.delete, again.drifted), (vec![], vec![], vec![]));
    let mut without = all.clone();
    without.remove(4);
    assert_eq!(names(&plan(&config, &owner(), &stored(&without)).create), [names(&all)[4]]);
}

#[test]
fn scaling_down_deletes_the_last_machines_of_that_group_alone() {
    let all = plan(&config(enterprise()), &owner(), &[]).create;
    let mut smaller = enterprise();
    smaller["nodeGroups"][1]["minSize"] = json!(2);
    smaller["nodeGroups"][1]["desiredCapacity"] = json!(4);
    let plan = plan(&config(smaller), &owner(), &stored(&all));
    assert_eq!(
        plan.delete,
        ["enterprise-prod-us-east-1-app-nodes-4", "enterprise-prod-us-east-1-app-nodes-5"]
    );
    assert_eq!(plan.create, []);
}

#[test]
fn a_group_that_is_gone_loses_its_machines_and_one_that_is_wrong_keeps_them() {
    let all = plan(&config(enterprise()), &owner(), &[]).create;
    let mut changed = enterprise();
    changed["nodeGroups"][0]["instanceType"] = json!("c5.3xlarge");
    changed["nodeGroups"].as_array_mut().unwrap().pop();
    let plan = plan(&config(changed), &owner(), &stored(&all));
    assert_eq!(plan.delete.len(), 5);
    assert!(plan.delete.iter().all(|name| name.contains("spot-nodes")));
    assert_eq!(plan.problems[0].reason, "UnknownInstanceType");
    assert_eq!(
        plan.problems[0].to_string(),
        r#"node group system-nodes: the catalogue has no instance type "c5.3xlarge""#
    );
}

#[test]
fn machines_of_an_older_file_are_told_and_left_alone() {
    let all = plan(&config(enterprise()), &owner(), &[]).create;
    let mut changed = enterprise();
    changed["nodeGroups"][2]["volumeSize"] = json!(100);
    let plan = plan(&config(changed), &owner(), &stored(&all));
    assert_eq!((plan.create.len(), plan.delete.len(), plan.drifted.len()), (0, 0, 3));
}

#[test]
fn a_name_somebody_else_has_is_a_problem() {
    let config = config(enterprise());
    let mut all = plan(&config, &owner(), &[]).create;
    all[0].metadata.owner_references = None;
    let plan = plan(&config, &owner(), &stored(&all));
    assert_eq!(plan.problems.len(), 1);
    assert_eq!((plan.problems[0].reason, plan.create.len(), plan.delete.len()), ("NameTaken", 0, 0));
}

#[test]
fn ready_machines_are_counted_by_group() {
    let config = config(enterprise());
    let mut all = plan(&config, &owner(), &[]).create;
    for claim in &mut all[..5] {
        let ready = condition::condition(READY, true, "Ready", "", jiff::Timestamp::UNIX_EPOCH);
        claim.status = Some(NodeClaimStatus { conditions: vec![ready], ..NodeClaimStatus::default() });
    }
    let groups = plan(&config, &owner(), &stored(&all)).groups;
    let counts: Vec<_> = groups.iter().map(|group| (group.desired, group.claims, group.ready)).collect();
    assert_eq!(counts, [(3, 3, 3), (6, 6, 2), (3, 3, 0), (5, 5, 0)]);
}

#[test]
fn sizes_default_as_eksctl_has_them() {
    for (sizes, desired) in [
        (json!({}), 2),
        (json!({ "desiredCapacity": 4 }), 4),
        (json!({ "minSize": 3 }), 3),
        (json!({ "minSize": 0, "maxSize": 5 }), 0),
    ] {
        let mut document = enterprise();
        let mut group = json!({ "name": "g" });
        group.as_object_mut().unwrap().extend(sizes.as_object().unwrap().clone());
        document["nodeGroups"] = json!([group]);
        let (groups, problems) = groups(&config(document));
        assert_eq!(
            (problems, groups[0].desired, &*groups[0].instance_types[0]),
            (vec![], desired, "m5.large")
        );
    }
}

#[test]
fn what_cannot_be_done_is_told_with_a_reason() {
    for (group, reason) in [
        (json!({ "minSize": 5, "desiredCapacity": 3 }), "InvalidSize"),
        (json!({ "desiredCapacity": 3, "maxSize": 2 }), "InvalidSize"),
        (json!({ "instanceType": "x9.huge" }), "UnknownInstanceType"),
        (json!({ "availabilityZones": ["us-east-1z"] }), "UnknownZone"),
        (json!({ "labels": { "a b": "c" } }), "InvalidLabel"),
        (json!({ "name": "-" }), "InvalidLabel"),
        (json!({ "taints": { "k": "v:Never" } }), "InvalidTaint"),
        (json!({ "instancesDistribution": { "instanceTypes": [] } }), "NoInstanceType"),
        (json!({ "instanceSelector": { "vCPUs": 2 } }), "UnsupportedInstanceSelector"),
        (
            json!({ "instancesDistribution": {
                "instanceTypes": ["t3.large"], "onDemandPercentageAboveBaseCapacity": 101 } }),
            "InvalidDistribution",
        ),
    ] {
        let mut document = enterprise();
        let mut written = json!({ "name": "g" });
        written.as_object_mut().unwrap().extend(group.as_object().unwrap().clone());
        document["nodeGroups"] = json!([written]);
        let (_, problems) = groups(&config(document));
        assert_eq!(problems.first().map(|problem| problem.reason), Some(reason), "{group}");
    }
}

#[test]
fn a_mixed_group_buys_its_base_and_percentage_at_the_list_price() {
    let mut document = enterprise();
    document["nodeGroups"] = json!([{
        "name": "g", "desiredCapacity": 8, "maxSize": 8,
        "instancesDistribution": { "instanceTypes": ["m5.large", "t3.large", "t3a.large"],
            "onDemandBaseCapacity": 2, "onDemandPercentageAboveBaseCapacity": 25, "spotInstancePools": 1 },
    }]);
    let config = config(document);
    let placements = place(&groups(&config).0[0], "us-east-1");
    let spot: Vec<bool> = placements.iter().map(|place| place.capacity_type == CapacityType::Spot).collect();
    assert_eq!(spot, [false, false, false, true, true, true, false, true]);
    for placement in &placements {
        let expected = if placement.capacity_type == CapacityType::Spot { "t3a.large" } else { "m5.large" };
        assert_eq!(placement.instance_type, expected);
    }
}

#[test]
fn managed_groups_carry_the_labels_of_eks() {
    let mut document = enterprise();
    document["nodeGroups"] = json!([{ "name": "old", "amiFamily": "AmazonLinux2", "desiredCapacity": 1 }]);
    document["managedNodeGroups"] = json!([{ "name": "g", "spot": true, "instanceTypes": ["t3.large", "t3a.large"], "desiredCapacity": 1 }]);
    let plan = plan(&config(document), &owner(), &[]);
    assert_eq!(plan.create[0].spec.labels["node-lifecycle"], "on-demand");
    assert_eq!(plan.create[1].spec.labels["eks.amazonaws.com/capacityType"], "SPOT");
    assert_eq!(plan.create[1].spec.labels["eks.amazonaws.com/nodegroup"], "g");
}

#[test]
fn the_status_says_what_is_recorded_only() {
    let config = config(enterprise());
    let plan = plan(&config, &owner(), &[]);
    let now = jiff::Timestamp::UNIX_EPOCH;
    let status = crate::status::status(None, 3, &config, &plan, now);
    let text = |type_: &str| {
        let found = status.conditions.iter().find(|condition| condition.type_ == type_).unwrap();
        (found.status.as_str(), found.message.as_str())
    };
    let recorded = "recorded, not acted on: addons, cloudWatch, nodeGroups[].iam, \
                    nodeGroups[].privateNetworking, nodeGroups[].volumeType, vpc";
    assert_eq!(text("Valid"), ("True", recorded));
    assert_eq!(text("Ready"), ("False", "0 of 17 machines are ready"));
    assert_eq!(status.observed_generation, 3);
    // Made again of the same, it is the same: nothing is written.
    let later = now + jiff::SignedDuration::from_hours(1);
    assert_eq!(crate::status::status(Some(&status), 3, &config, &plan, later), status);
}
