//! The scheduler against the API server, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod preemption;
mod support;
mod volumes;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use support::{asking, region};

const TOO_SMALL: &str = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: \
                         1 No preemption victims found for incoming pod.";

#[test]
fn a_pod_is_bound_in_the_instant_it_is_created() {
    region(1, |region| async move {
        region.node("a1").await;
        region.settle().await;
        region.pod("web", "1", None).await;
        region.settle().await;
        assert_eq!(region.place("web").await.as_deref(), Some("a1"));
        assert_eq!(region.scheduled("web").await.unwrap().0, "True");
        let events = region.events().await;
        let message = "Successfully assigned default/web to a1";
        assert_eq!(events, [["Normal", "Scheduled", message, "default-scheduler"]]);
    });
}

#[test]
fn a_pod_that_fits_nowhere_says_why_and_is_bound_once_there_is_room() {
    region(1, |region| async move {
        region.node("a1").await;
        region.pod("first", "3", None).await;
        region.settle().await;
        region.pod("second", "3", None).await;
        region.settle().await;
        assert_eq!(region.place("second").await, None);
        let told = ("False".to_owned(), "Unschedulable".to_owned(), TOO_SMALL.to_owned());
        assert_eq!(region.scheduled("second").await, Some(told));
        let failed = ["Warning", "FailedScheduling", TOO_SMALL, "default-scheduler"];
        assert!(region.events().await.contains(&failed.map(str::to_owned)));
        region.sleep(60).await;
        region.delete("first").await;
        region.settle().await;
        assert_eq!(region.place("second").await.as_deref(), Some("a1"));
        let messages = region.events().await.into_iter().map(|[_, reason, ..]| reason);
        assert_eq!(messages.filter(|reason| reason == "FailedScheduling").count(), 1);
    });
}

#[test]
fn pods_that_wait_for_a_first_node_are_bound_as_soon_as_it_is_ready() {
    region(1, |region| async move {
        for name in ["one", "two", "three"] {
            region.pod(name, "1", None).await;
        }
        region.settle().await;
        assert_eq!(region.scheduled("one").await.unwrap().2, "no nodes available to schedule pods");
        region.node("a1").await;
        region.settle().await;
        for name in ["one", "two", "three"] {
            assert_eq!(region.place(name).await.as_deref(), Some("a1"), "{name}");
        }
    });
}

/// Where 12 pods without a controller go.
fn places(seed: u64) -> Vec<Option<String>> {
    region(seed, |region| async move {
        for name in ["a1", "a2", "b1", "b2", "c1", "c2"] {
            region.node(name).await;
        }
        let mut places = Vec::new();
        for index in 0..12 {
            region.pod(&format!("web-{index}"), "100m", None).await;
            region.settle().await;
            places.push(region.place(&format!("web-{index}")).await);
        }
        places
    })
}

#[test]
fn a_seed_decides_where_pods_go_among_equals() {
    let (first, again, other) = (places(1), places(1), places(2));
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert!(first.iter().all(Option::is_some));
}

#[test]
fn more_pods_than_there_is_room_for_fill_every_node_and_overload_none() {
    region(7, |region| async move {
        let nodes = ["a1", "a2", "b1", "b2", "c1", "c2"];
        for name in nodes {
            region.node(name).await;
        }
        for index in 0..60 {
            region.pod(&format!("web-{index}"), "500m", Some("web")).await;
        }
        region.settle().await;
        let mut counts = std::collections::BTreeMap::new();
        for index in 0..60 {
            let place = region.place(&format!("web-{index}")).await;
            *counts.entry(place).or_insert(0) += 1;
        }
        // 4 cores take 8 pods of half a core each: 48 of 60 have a place.
        let expected = nodes.map(|name| (Some(name.to_owned()), 8)).into_iter().chain([(None, 12)]);
        assert_eq!(counts, expected.collect());
    });
}

#[test]
fn heartbeats_of_nodes_ask_nothing_of_the_scheduler() {
    region(1, |region| async move {
        region.node("a1").await;
        region.pod("big", "9", None).await;
        region.settle().await;
        let before = region.requests();
        let leases = Api::<Lease>::namespaced(region.client(), "default");
        for beat in 0..20 {
            region.sleep(10).await;
            let renewal = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                                 "spec": {"leaseDurationSeconds": 40 + beat}});
            leases.patch("a1", &PatchParams::apply("test"), &Patch::Apply(renewal)).await.unwrap();
            let ready = json!([{"type": "Ready", "status": "True", "reason": format!("beat{beat}")}]);
            region.node_status("a1", json!({"conditions": ready})).await;
        }
        assert_eq!(region.requests(), before);
    });
}

#[test]
fn every_rule_is_used_and_nothing_else_is_asked_for() {
    region(1, |region| async move {
        region.node("a1").await;
        for (name, cpu) in [("web", "1"), ("big", "9"), ("bigger", "10")] {
            region.pod(name, cpu, None).await;
        }
        region.class("high", 1000).await;
        region.settle().await;
        region.create(asking("major", "4", "high")).await;
        volumes::ask(&region).await;
        // Beyond the five minutes after which a parked pod is tried again.
        region.sleep(400).await;
        let requests = region.requests();
        assert!(requests.iter().all(|(_, _, denied)| *denied == 0), "{requests:?}");
        let mut asked: Vec<&str> = requests.iter().map(|(what, ..)| what.as_str()).collect();
        asked.sort_unstable();
        let expected = [
            "create events",
            "create pods/binding",
            "delete pods",
            "list csinodes",
            "list namespaces",
            "list nodes",
            "list persistentvolumeclaims",
            "list persistentvolumes",
            "list poddisruptionbudgets",
            "list pods",
            "list replicasets",
            "list replicationcontrollers",
            "list services",
            "list statefulsets",
            "list storageclasses",
            "patch events",
            "patch persistentvolumeclaims",
            "patch persistentvolumes",
            "patch pods/status",
            "watch csinodes",
            "watch namespaces",
            "watch nodes",
            "watch persistentvolumeclaims",
            "watch persistentvolumes",
            "watch poddisruptionbudgets",
            "watch pods",
            "watch replicasets",
            "watch replicationcontrollers",
            "watch services",
            "watch statefulsets",
            "watch storageclasses",
        ];
        assert_eq!(asked, expected);
    });
}
