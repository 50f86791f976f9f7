//! From a ClusterConfig to ready Nodes, and back.

use std::collections::BTreeSet;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Node};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use mainstay_base::net::{Link, Place};
use mainstay_kinds::NodeClaim;
use mainstay_kinds::condition::holds;
use serde_json::json;

use crate::support::{enterprise, is_ready, region};

#[test]
fn a_cluster_config_becomes_seventeen_ready_nodes() {
    region(|region| async move {
        region.configure(enterprise()).await;
        region.start();
        region.sleep(2).await;
        let nodes = region.nodes().await;
        assert_eq!(nodes.len(), 17);
        assert!(nodes.iter().all(is_ready));
        let unique = |get: fn(&k8s_openapi::api::core::v1::Node) -> String| -> usize {
            nodes.iter().map(get).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(unique(|node| node.spec.clone().unwrap().pod_cidr.unwrap()), 17);
        assert_eq!(unique(|node| node.spec.clone().unwrap().provider_id.unwrap()), 17);
        let system: Vec<_> = nodes
            .iter()
            .filter(|node| node.metadata.labels.as_ref().unwrap()["workload"] == "system")
            .collect();
        assert_eq!(system.len(), 3);
        let allocatable = system[0].status.clone().unwrap().allocatable.unwrap();
        assert_eq!((&*allocatable["cpu"].0, &*allocatable["memory"].0), ("7910m", "14162Mi"));
        assert_eq!(system[0].spec.clone().unwrap().taints.unwrap()[0].key, "system");
        let status = region.config().await.status.unwrap();
        assert!(holds(&status.conditions, "Ready") && holds(&status.conditions, "Valid"), "{status:?}");
        assert_eq!(status.node_groups.iter().map(|group| group.ready).sum::<u32>(), 17);
        let events: Vec<Event> = region.all().await;
        let of = |reason: &str| events.iter().filter(|event| event.reason.as_deref() == Some(reason)).count();
        assert_eq!(of("NodeReady"), 17);
        region.assert_well();
    });
}

#[test]
fn leases_are_renewed_each_ten_seconds_and_statuses_reported_each_five_minutes() {
    region(|region| async move {
        region.configure(json!([{ "name": "g", "instanceType": "t3.large", "desiredCapacity": 1 }])).await;
        region.start();
        region.sleep(5).await;
        let name = region.nodes().await[0].metadata.name.clone().unwrap();
        let leases = Api::<Lease>::namespaced(region.client.clone(), "kube-node-lease");
        let (mut renewals, mut reports) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..3600 {
            region.sleep(1).await;
            let lease = leases.get(&name).await.unwrap().spec.unwrap();
            assert_eq!(lease.holder_identity.as_deref(), Some(&*name));
            assert_eq!(lease.lease_duration_seconds, Some(40));
            renewals.insert(lease.renew_time.unwrap().0);
            reports.insert(region.nodes().await[0].metadata.resource_version.clone());
        }
        assert!((345..=360).contains(&renewals.len()), "{}", renewals.len());
        assert!((11..=14).contains(&reports.len()), "{}", reports.len());
    });
}

#[test]
fn a_killed_machine_says_nothing_until_it_is_brought_back() {
    region(|region| async move {
        region.configure(json!([{ "name": "g", "instanceType": "t3.large", "desiredCapacity": 2 }])).await;
        region.start();
        region.sleep(5).await;
        let claims = Api::<NodeClaim>::all(region.client.clone());
        region.fault("prod-g-0", &json!("killed")).await;
        region.sleep(1).await;
        let node = claims.get("prod-g-0").await.unwrap().status.unwrap().node_name.unwrap();
        let leases = Api::<Lease>::namespaced(region.client.clone(), "kube-node-lease");
        let before = leases.get(&node).await.unwrap();
        region.sleep(3600).await;
        assert_eq!(leases.get(&node).await.unwrap(), before);
        let status = region.config().await.status.unwrap();
        assert_eq!((status.node_groups[0].claims, status.node_groups[0].ready), (2, 1));
        region.fault("prod-g-0", &json!(null)).await;
        region.sleep(11).await;
        assert_ne!(leases.get(&node).await.unwrap(), before);
        assert!(holds(&region.config().await.status.unwrap().conditions, "Ready"));
        region.assert_well();
    });
}

#[test]
fn a_machine_that_is_cut_off_says_nothing_until_it_reaches_the_api_again() {
    region(|region| async move {
        region.configure(json!([{ "name": "g", "instanceType": "t3.large", "desiredCapacity": 2 }])).await;
        region.start();
        region.sleep(5).await;
        let node = region.nodes().await[0].metadata.name.clone().unwrap();
        let leases = Api::<Lease>::namespaced(region.client.clone(), "kube-node-lease");
        let between = |partitioned| {
            let (node, api) = (Place::new("", &node).into(), Place::api("").into());
            region.world.net().set_link(&node, &api, Link { partitioned, ..Link::default() });
        };
        between(true);
        let before = leases.get(&node).await.unwrap();
        region.sleep(600).await;
        assert_eq!(leases.get(&node).await.unwrap(), before);
        assert!(region.nodes().await.iter().all(is_ready), "nobody here watches the leases");
        between(false);
        region.sleep(11).await;
        assert_ne!(leases.get(&node).await.unwrap(), before);
        region.assert_well();
    });
}

#[test]
fn a_smaller_group_loses_its_last_machines_and_a_deleted_claim_comes_back() {
    region(|region| async move {
        let group = |size: u32| json!([{ "name": "g", "minSize": 1, "maxSize": 9, "desiredCapacity": size }]);
        region.configure(group(4)).await;
        region.start();
        region.sleep(2).await;
        region.configure(group(2)).await;
        region.sleep(2).await;
        assert_eq!((region.claims().await.len(), region.nodes().await.len()), (2, 2));
        let before: BTreeSet<_> = region.nodes().await.into_iter().map(|node| node.metadata.name).collect();
        let claims = Api::<NodeClaim>::all(region.client.clone());
        claims.delete("prod-g-0", &DeleteParams::default()).await.unwrap();
        region.sleep(2).await;
        let after: BTreeSet<_> = region.nodes().await.into_iter().map(|node| node.metadata.name).collect();
        assert_eq!((after.len(), before.intersection(&after).count()), (2, 1), "another machine");
        region.assert_well();
    });
}

#[test]
fn an_agent_that_starts_again_takes_its_machines_over() {
    region(|region| async move {
        region.configure(enterprise()).await;
        region.start();
        region.sleep(30).await;
        let before: Vec<_> = region.nodes().await.into_iter().map(|node| node.metadata.uid).collect();
        region.tree.kill();
        region.sleep(20).await;
        let again = super::support::Region {
            tree: mainstay_base::task::Tree::new(mainstay_base::task::Shutdown::new()),
            ..region
        };
        again.start();
        again.sleep(600).await;
        let after: Vec<_> = again.nodes().await.into_iter().map(|node| node.metadata.uid).collect();
        assert_eq!(before, after);
        assert!(holds(&again.config().await.status.unwrap().conditions, "Ready"));
        again.assert_well();
    });
}

#[test]
fn a_config_that_asks_for_the_impossible_says_so() {
    region(|region| async move {
        region.configure(json!([{ "name": "g", "instanceType": "c5.3xlarge" }])).await;
        region.start();
        region.sleep(2).await;
        assert_eq!(region.claims().await.len(), 0);
        let status = region.config().await.status.unwrap();
        let valid = status.conditions.iter().find(|condition| condition.type_ == "Valid").unwrap();
        assert_eq!((&*valid.status, &*valid.reason), ("False", "UnknownInstanceType"));
        let events: Vec<Event> = region.all().await;
        assert!(events.iter().any(|event| event.reason.as_deref() == Some("InvalidClusterConfig")));
        region.assert_well();
    });
}

#[test]
fn a_machine_tells_when_its_node_is_closed_to_new_pods_and_opened_again() {
    region(|region| async move {
        region.configure(json!([{ "name": "g", "instanceType": "t3.large", "desiredCapacity": 2 }])).await;
        region.start();
        region.sleep(5).await;
        let names: Vec<_> =
            region.nodes().await.into_iter().map(|node| node.metadata.name.unwrap()).collect();
        let nodes = Api::<Node>::all(region.client.clone());
        let close = |name: &str, is: bool| {
            let (nodes, name) = (nodes.clone(), name.to_owned());
            let patch = Patch::Merge(json!({ "spec": { "unschedulable": is } }));
            async move { nodes.patch(&name, &PatchParams::default(), &patch).await.unwrap() }
        };
        for (name, is) in [(&names[0], true), (&names[1], true), (&names[0], false)] {
            close(name, is).await;
            region.sleep(1).await;
        }
        // A Node that is gone is not open again.
        nodes.delete(&names[1], &DeleteParams::default()).await.unwrap();
        region.sleep(1).await;
        let events: Vec<Event> = region.all().await;
        let told = |name: &String| -> Vec<String> {
            let of = |event: &&Event| event.involved_object.name.as_ref() == Some(name);
            let told = events.iter().filter(of).filter_map(|event| event.message.clone());
            told.filter(|message| message.ends_with("Schedulable")).collect()
        };
        let said = |name: &str, what: &str| format!("Node {name} status is now: {what}");
        let expected = ["NodeNotSchedulable", "NodeSchedulable"].map(|what| said(&names[0], what));
        assert_eq!(told(&names[0]), expected);
        assert_eq!(told(&names[1]), [said(&names[1], "NodeNotSchedulable")]);
        region.assert_well();
    });
}
