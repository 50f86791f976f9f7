//! What Endpoints tell, in cases of upstream's `endpoints_controller_test`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::{Value, json};

use super::subsets::subsets;

fn service(spec: &Value) -> Service {
    let mut all = json!({"selector": {"app": "web"}, "clusterIP": "10.96.0.9", "ipFamilies": ["IPv4"]});
    all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_json::from_value(json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": all})).unwrap()
}

/// A pod of address 10.0.0.`index`.
fn pod(index: usize, ready: bool, going: bool) -> Arc<Pod> {
    let ip = format!("10.0.{}.{}", index / 250, index % 250 + 1);
    Arc::new(
        serde_json::from_value(json!({
            "metadata": {"name": format!("p{index}"), "namespace": "shop", "uid": format!("u{index}"),
                         "deletionTimestamp": going.then_some("2026-01-01T00:00:00Z")},
            "spec": {"nodeName": "n1", "containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 8080}]}]},
            "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
                       "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]},
        }))
        .unwrap(),
    )
}

/// `ready addresses | unready addresses | ports`, a line for each subset.
fn told(service: &Service, pods: &[Arc<Pod>]) -> Vec<String> {
    let ips = |list: Option<Vec<k8s_openapi::api::core::v1::EndpointAddress>>| {
        list.into_iter().flatten().map(|address| address.ip).collect::<Vec<_>>().join(" ")
    };
    let (subsets, _) = subsets(service, pods);
    subsets
        .into_iter()
        .map(|subset| {
            let ports = subset.ports.iter().flatten();
            let ports: Vec<_> = ports
                .map(|port| format!("{}:{}", port.name.clone().unwrap_or_default(), port.port))
                .collect();
            format!("{} | {} | {}", ips(subset.addresses), ips(subset.not_ready_addresses), ports.join(" "))
        })
        .collect()
}

#[test]
fn each_service_tells_of_its_pods_as_it_asks() {
    let http = json!({"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"});
    let named = json!({"name": "named", "port": 81, "targetPort": "web", "protocol": "TCP"});
    let missing = json!({"name": "missing", "port": 82, "targetPort": "nothing", "protocol": "TCP"});
    let bare = json!({"port": 90, "protocol": "TCP"});
    let (ready, unready, going) = (pod(0, true, false), pod(1, false, false), pod(2, true, true));
    let cases = [
        ("nobody", json!({"ports": [http]}), vec![], vec![]),
        ("a ready pod", json!({"ports": [http]}), vec![ready.clone()], vec!["10.0.0.1 |  | http:8080"]),
        ("an unready pod", json!({"ports": [http]}), vec![unready.clone()], vec![" | 10.0.0.2 | http:8080"]),
        (
            "both",
            json!({"ports": [http]}),
            vec![ready.clone(), unready.clone()],
            vec!["10.0.0.1 | 10.0.0.2 | http:8080"],
        ),
        ("one that goes", json!({"ports": [http]}), vec![going.clone()], vec![]),
        (
            "one that goes is published",
            json!({"ports": [http], "publishNotReadyAddresses": true}),
            vec![unready, going],
            vec!["10.0.0.2 10.0.0.3 |  | http:8080"],
        ),
        (
            "two ports of one number",
            json!({"ports": [http, named]}),
            vec![ready.clone()],
            vec!["10.0.0.1 |  | http:8080 named:8080"],
        ),
        (
            "a name no container has",
            json!({"ports": [http, missing]}),
            vec![ready.clone()],
            vec!["10.0.0.1 |  | http:8080"],
        ),
        ("no target port", json!({"ports": [bare]}), vec![ready.clone()], vec!["10.0.0.1 |  | :90"]),
        ("headless without ports", json!({"clusterIP": "None"}), vec![ready.clone()], vec!["10.0.0.1 |  | "]),
        ("an address without ports", json!({}), vec![ready.clone()], vec![]),
        ("the other family", json!({"ports": [http], "ipFamilies": ["IPv6"]}), vec![ready], vec![]),
    ];
    for (name, spec, pods, expected) in cases {
        assert_eq!(told(&service(&spec), &pods), expected, "{name}");
    }
}

#[test]
fn no_more_than_a_thousand_addresses_are_told_and_ready_ones_first() {
    let service = service(&json!({"ports": [{"port": 80, "protocol": "TCP"}]}));
    let pods = |ready: usize, unready: usize| -> Vec<Arc<Pod>> {
        (0..ready + unready).map(|index| pod(index, index < ready, false)).collect()
    };
    for (ready, unready, expected) in [
        (1000, 0, (1000, 0, false)),
        (1001, 5, (1000, 0, true)),
        (500, 500, (500, 500, false)),
        (600, 500, (600, 400, true)),
    ] {
        let (subsets, is_truncated) = subsets(&service, &pods(ready, unready));
        let count = |list: Option<&Vec<_>>| list.map_or(0, Vec::len);
        let told = subsets.iter().fold((0, 0), |(a, b), subset| {
            (a + count(subset.addresses.as_ref()), b + count(subset.not_ready_addresses.as_ref()))
        });
        assert_eq!((told.0, told.1, is_truncated), expected);
    }
}
