//! What slices become, in cases of upstream's `reconciler_test` and `utils_test`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use mainstay_resource::patch::merge;
use serde_json::{Value, json};

use super::plan::{self, Plan};

fn service(change: &Value) -> Service {
    let service = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "svc"},
        "spec": {
            "selector": {"app": "web"}, "clusterIP": "10.96.0.9", "ipFamilies": ["IPv4"],
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
        },
    });
    let service = merge(service, change);
    serde_json::from_value(service).unwrap()
}

fn pod(index: usize, change: &Value) -> Arc<Pod> {
    let pod = json!({
        "metadata": {"name": format!("p{index:03}"), "namespace": "shop", "uid": format!("u{index}"), "labels": {"app": "web"}},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "ports": [
            {"name": "web", "containerPort": 8080, "protocol": "TCP"}, {"name": "dns", "containerPort": 53, "protocol": "UDP"},
        ]}]},
        "status": {"phase": "Running", "podIP": ip(index), "podIPs": [{"ip": ip(index)}],
                   "conditions": [{"type": "Ready", "status": "True"}]},
    });
    let pod = merge(pod, change);
    Arc::new(serde_json::from_value(pod).unwrap())
}

fn ip(index: usize) -> String {
    format!("10.0.{}.{}", index / 250, index % 250 + 1)
}

fn pods(count: usize) -> Vec<Arc<Pod>> {
    (0..count).map(|index| pod(index, &json!({}))).collect()
}

fn node(name: &str) -> Option<Arc<Node>> {
    let zone = match name {
        "n1" => "zone-a",
        "n2" => "zone-b",
        _ => return None,
    };
    let labels = json!({"topology.kubernetes.io/zone": zone});
    Some(Arc::new(serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}})).unwrap()))
}

fn look(service: &Service, pods: &[Arc<Pod>], existing: &[Arc<EndpointSlice>]) -> Plan {
    plan::plan(service, pods, &node, existing)
}

/// The slices after a plan was carried out; new ones are named in order.
fn carry_out(existing: &[Arc<EndpointSlice>], plan: &Plan) -> Vec<Arc<EndpointSlice>> {
    let name = |slice: &EndpointSlice| slice.metadata.name.clone().unwrap_or_default();
    let mut slices: BTreeMap<String, Arc<EndpointSlice>> =
        existing.iter().map(|slice| (name(slice), slice.clone())).collect();
    for slice in &plan.delete {
        assert!(slices.remove(&name(slice)).is_some(), "what is not there is not deleted");
    }
    for (old, new) in &plan.update {
        assert!(
            slices.insert(name(old), Arc::new(new.clone())).is_some(),
            "what is not there is not changed"
        );
    }
    for new in &plan.create {
        let mut new = new.clone();
        let mut free = (0..).map(|number| format!("web-{number}"));
        new.metadata.name = free.find(|name| !slices.contains_key(name));
        slices.insert(name(&new), Arc::new(new));
    }
    slices.into_values().collect()
}

/// From nothing; a second look changes nothing.
fn settled(service: &Service, pods: &[Arc<Pod>]) -> Vec<Arc<EndpointSlice>> {
    let slices = carry_out(&[], &look(service, pods, &[]));
    assert_eq!(look(service, pods, &slices), Plan::default(), "a second look changes nothing");
    slices
}

fn sizes(slices: &[Arc<EndpointSlice>]) -> Vec<usize> {
    slices.iter().map(|slice| slice.endpoints.len()).collect()
}

fn counts(plan: &Plan) -> (usize, usize, usize) {
    (plan.create.len(), plan.update.len(), plan.delete.len())
}

fn only(slices: &[Arc<EndpointSlice>]) -> &Endpoint {
    assert_eq!(sizes(slices), [1]);
    &slices[0].endpoints[0]
}

#[test]
fn a_service_without_pods_has_one_slice_that_tells_so() {
    let service = service(&json!({}));
    let slices = settled(&service, &[]);
    assert_eq!(sizes(&slices), [0]);
    let meta = &slices[0].metadata;
    assert_eq!(meta.generate_name.as_deref(), Some("web-"));
    assert_eq!(meta.owner_references.as_ref().unwrap()[0].uid, "svc");
    let labels = meta.labels.as_ref().unwrap();
    assert_eq!(labels["kubernetes.io/service-name"], "web");
    assert_eq!(labels["endpointslice.kubernetes.io/managed-by"], "endpointslice-controller.k8s.io");
    assert!(!labels.contains_key("service.kubernetes.io/headless"));
}

#[test]
fn each_state_of_a_pod_has_its_conditions() {
    let unready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    let publishes = json!({"spec": {"publishNotReadyAddresses": true}});
    for (of_service, of_pod, ready, serving, terminating) in [
        (&json!({}), &json!({}), true, true, false),
        (&json!({}), &unready, false, false, false),
        (&json!({}), &going, false, true, true),
        (&publishes, &unready, true, false, false),
        (&publishes, &going, true, true, true),
    ] {
        let slices = settled(&service(of_service), &[pod(1, of_pod)]);
        let conditions = only(&slices).conditions.clone().unwrap();
        let told = (conditions.ready, conditions.serving, conditions.terminating);
        assert_eq!(told, (Some(ready), Some(serving), Some(terminating)), "{of_service} {of_pod}");
    }
}

#[test]
fn an_endpoint_names_its_pod_node_zone_and_host() {
    let named = json!({"spec": {"nodeName": "n2", "hostname": "one", "subdomain": "web"}});
    let slices = settled(&service(&json!({})), &[pod(1, &named)]);
    let endpoint = only(&slices);
    assert_eq!(endpoint.addresses, [ip(1)]);
    assert_eq!(endpoint.node_name.as_deref(), Some("n2"));
    assert_eq!(endpoint.zone.as_deref(), Some("zone-b"));
    assert_eq!(endpoint.hostname.as_deref(), Some("one"));
    assert_eq!(endpoint.target_ref.as_ref().unwrap().uid.as_deref(), Some("u1"));
    let elsewhere = json!({"spec": {"hostname": "one", "subdomain": "other"}});
    assert_eq!(only(&settled(&service(&json!({})), &[pod(1, &elsewhere)])).hostname, None);
}

#[test]
fn pods_that_ended_or_have_no_address_are_not_told() {
    let without = json!({"status": {"podIP": null, "podIPs": null}});
    let ended = |phase: &str| json!({"status": {"phase": phase}});
    let all = [pod(1, &without), pod(2, &ended("Failed")), pod(3, &ended("Succeeded"))];
    assert_eq!(sizes(&settled(&service(&json!({})), &all)), [0]);
}

#[test]
fn a_pod_whose_node_is_unknown_waits_unless_it_is_published_anyway() {
    let lost = [pod(1, &json!({"spec": {"nodeName": "gone"}}))];
    let plan = look(&service(&json!({})), &lost, &[]);
    assert_eq!(plan.homeless, [("p001".to_owned(), "gone".to_owned())]);
    assert_eq!(plan.create.iter().map(|slice| slice.endpoints.len()).sum::<usize>(), 0);
    let published = service(&json!({"spec": {"publishNotReadyAddresses": true}}));
    assert_eq!(sizes(&settled(&published, &lost)), [1]);
}

#[test]
fn named_ports_are_looked_up_in_each_pod_and_part_the_slices() {
    let by_name =
        json!({"spec": {"ports": [{"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}]}});
    let other = json!({"spec": {"containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 9090, "protocol": "TCP"}]}]}});
    let sidecar = json!({"spec": {
        "containers": [{"name": "c"}],
        "initContainers": [{"name": "s", "restartPolicy": "Always", "ports": [{"name": "web", "containerPort": 7070}]}],
    }});
    let unnamed = json!({"spec": {"containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 1, "protocol": "UDP"}]}]}});
    let pods = [pod(1, &json!({})), pod(2, &other), pod(3, &sidecar), pod(4, &unnamed)];
    let slices = settled(&service(&by_name), &pods);
    let mut told: Vec<_> = slices
        .iter()
        .map(|slice| {
            let ports: Vec<_> = slice.ports.iter().flatten().filter_map(|port| port.port).collect();
            (ports, slice.endpoints.len())
        })
        .collect();
    told.sort();
    assert_eq!(told, [(vec![], 1), (vec![7070], 1), (vec![8080], 1), (vec![9090], 1)]);
}

#[test]
fn a_headless_service_without_ports_has_slices_without_ports() {
    let headless = service(&json!({"spec": {"clusterIP": "None", "ports": null}}));
    let slices = settled(&headless, &pods(2));
    assert_eq!(sizes(&slices), [2]);
    assert_eq!(slices[0].ports.as_deref(), Some(&[][..]));
    assert_eq!(slices[0].metadata.labels.as_ref().unwrap()["service.kubernetes.io/headless"], "");
}

#[test]
fn each_family_of_addresses_has_slices_of_its_own() {
    let dual = service(&json!({"spec": {"ipFamilies": ["IPv4", "IPv6"]}}));
    let both = pod(1, &json!({"status": {"podIPs": [{"ip": "10.0.0.1"}, {"ip": "2001:db8::1"}]}}));
    let slices = settled(&dual, std::slice::from_ref(&both));
    let types: Vec<_> = slices.iter().map(|slice| slice.address_type.as_str()).collect();
    assert_eq!(types, ["IPv4", "IPv6"]);
    assert_eq!(sizes(&slices), [1, 1]);
    // Back to one family: the other's slices go.
    let single = service(&json!({}));
    assert_eq!(counts(&look(&single, &[both], &slices)), (0, 0, 1));
}

#[test]
fn endpoints_are_packed_into_slices_of_a_hundred() {
    let service = service(&json!({}));
    for (count, mut expected) in
        [(1, vec![1]), (100, vec![100]), (101, vec![100, 1]), (250, vec![100, 100, 50])]
    {
        let mut told = sizes(&settled(&service, &pods(count)));
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected, "{count} pods");
    }
}

#[test]
fn a_few_more_pods_fill_the_slice_that_fits_them_best() {
    let service = service(&json!({}));
    let mut all = pods(130);
    let slices = settled(&service, &all);
    all.extend((130..140).map(|index| pod(index, &json!({}))));
    let plan = look(&service, &all, &slices);
    assert_eq!(counts(&plan), (0, 1, 0));
    let mut told = sizes(&carry_out(&slices, &plan));
    told.sort_unstable();
    assert_eq!(told, [40, 100]);
    // More than fits anywhere: a new slice, and no other changes.
    all.extend((140..225).map(|index| pod(index, &json!({}))));
    let slices = carry_out(&slices, &plan);
    assert_eq!(counts(&look(&service, &all, &slices)), (1, 0, 0));
}

#[test]
fn a_pod_that_changes_changes_its_slice_alone() {
    let service = service(&json!({}));
    let mut all = pods(250);
    let slices = settled(&service, &all);
    all[7] = pod(7, &json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}));
    assert_eq!(counts(&look(&service, &all, &slices)), (0, 1, 0));
    // What nobody sees in an endpoint changes nothing.
    all[7] = pod(7, &json!({"metadata": {"annotations": {"a": "b"}}}));
    assert_eq!(counts(&look(&service, &all, &slices)), (0, 0, 0));
}

#[test]
fn a_slice_that_lost_its_pods_becomes_the_placeholder_or_goes() {
    let service = service(&json!({}));
    let slices = settled(&service, &pods(1));
    let plan = look(&service, &[], &slices);
    assert_eq!(counts(&plan), (0, 1, 0), "one change is better than a deletion and a creation");
    assert_eq!(sizes(&carry_out(&slices, &plan)), [0]);
    let slices = settled(&service, &pods(101));
    let kept: Vec<_> = {
        let large = slices.iter().find(|slice| slice.endpoints.len() == 100).unwrap();
        let names: Vec<_> = large.endpoints.iter().map(|one| one.addresses[0].clone()).collect();
        pods(101)
            .into_iter()
            .filter(|pod| names.contains(pod.status.as_ref().unwrap().pod_ip.as_ref().unwrap()))
            .collect()
    };
    assert_eq!(counts(&look(&service, &kept, &slices)), (0, 0, 1));
}

#[test]
fn labels_of_the_service_are_labels_of_its_slices() {
    let bare = service(&json!({}));
    let slices = settled(&bare, &pods(1));
    let labelled =
        service(&json!({"metadata": {"labels": {"team": "shop", "kubernetes.io/service-name": "forged"}}}));
    let change = look(&labelled, &pods(1), &slices);
    assert_eq!(counts(&change), (0, 1, 0));
    let labels = change.update[0].1.metadata.labels.clone().unwrap();
    assert_eq!((labels["team"].as_str(), labels["kubernetes.io/service-name"].as_str()), ("shop", "web"));
}

#[test]
fn a_slice_of_a_service_of_the_same_name_before_is_not_taken_for_ours() {
    let old = service(&json!({"metadata": {"uid": "before"}}));
    let slices = settled(&old, &pods(1));
    assert_eq!(counts(&look(&service(&json!({})), &pods(1), &slices)), (1, 0, 1));
}

#[test]
fn a_service_that_prefers_close_endpoints_gives_zone_hints() {
    let zones = |slices: &[Arc<EndpointSlice>]| -> Vec<Option<String>> {
        let hint = |endpoint: &Endpoint| Some(endpoint.hints.as_ref()?.for_zones.as_ref()?[0].name.clone());
        slices.iter().flat_map(|slice| &slice.endpoints).map(hint).collect()
    };
    let (anywhere, close) =
        (service(&json!({})), service(&json!({"spec": {"trafficDistribution": "PreferClose"}})));
    let all = [pod(1, &json!({})), pod(2, &json!({"spec": {"nodeName": "n2"}}))];
    let slices = settled(&anywhere, &all);
    assert_eq!(zones(&slices), [None, None]);
    let change = look(&close, &all, &slices);
    let hinted = carry_out(&slices, &change);
    assert_eq!(zones(&hinted), [Some("zone-a".to_owned()), Some("zone-b".to_owned())]);
    assert_eq!(look(&close, &all, &hinted), Plan::default());
    let back = carry_out(&hinted, &look(&anywhere, &all, &hinted));
    assert_eq!(zones(&back), [None, None]);
}

#[test]
fn no_sequence_of_pods_tells_one_twice_or_forgets_one() {
    let service = service(&json!({}));
    let mut slices = Vec::new();
    let mut number = 7_usize;
    for _ in 0..60 {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (from, count) = (number % 150, (number >> 20) % 230);
        let all: Vec<_> = (from..from + count).map(|index| pod(index, &json!({}))).collect();
        slices = carry_out(&slices, &look(&service, &all, &slices));
        let mut told: Vec<_> =
            slices.iter().flat_map(|slice| &slice.endpoints).map(|one| one.addresses[0].clone()).collect();
        told.sort();
        let mut expected: Vec<_> = (from..from + count).map(ip).collect();
        expected.sort();
        assert_eq!(told, expected);
        assert!(slices.iter().all(|slice| slice.endpoints.len() <= 100));
        assert_eq!(look(&service, &all, &slices), Plan::default());
    }
}
