//! Upstream's cases of what objects use and which scopes they are within, as tables.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use serde_json::json;

use super::*;

const NOW: &str = "2026-01-01T00:10:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn amounts_of(value: Value) -> Amounts {
    amounts::read(Some(&value))
}

fn names<'a>(measure: &Measure, given: &[&'a str]) -> Vec<&'a str> {
    given.iter().copied().filter(|name| measure.tracks(name)).collect()
}

/// A container with requests and limits.
fn asks(requests: Value, limits: Value) -> Value {
    json!({ "resources": { "requests": requests, "limits": limits } })
}

#[test]
fn a_quota_on_cpu_or_memory_makes_every_container_say_its_own() {
    let container = |name: &str, resources: Value| json!({ "name": name, "resources": resources });
    let cpu = || json!({ "requests": { "cpu": "1m" }, "limits": { "cpu": "2m" } });
    let cases = [
        (
            "a container of the start",
            json!({ "initContainers": [container("dummy", cpu())] }),
            &["memory"][..],
            "must specify memory for: dummy",
        ),
        (
            "several of the start",
            json!({ "initContainers": [container("foo", cpu()), container("bar", cpu())] }),
            &["memory"],
            "must specify memory for: bar,foo",
        ),
        (
            "a container",
            json!({ "containers": [container("dummy", cpu())] }),
            &["memory"],
            "must specify memory for: dummy",
        ),
        (
            "several containers",
            json!({ "containers": [container("foo", cpu()), container("bar", cpu())] }),
            &["memory"],
            "must specify memory for: bar,foo",
        ),
        (
            "several amounts",
            json!({ "containers": [container("foo", json!({})), container("bar", json!({}))] }),
            &["memory", "cpu"],
            "must specify cpu for: bar,foo; memory for: bar,foo",
        ),
        (
            "requests and limits apart",
            json!({ "containers": [container("c", json!({ "requests": { "cpu": "1" } }))] }),
            &["limits.cpu", "requests.cpu", "pods", "limits.ephemeral-storage"],
            "must specify limits.cpu for: c",
        ),
    ];
    for (what, spec, required, expected) in cases {
        let required = required.iter().copied().collect();
        let lacks = Measure::Pods.lacks(&required, &json!({ "spec": spec }));
        assert_eq!(lacks.as_deref(), Some(expected), "{what}");
    }
    let says_all = json!({ "spec": { "containers": [container("c", cpu())] } });
    assert_eq!(Measure::Pods.lacks(&BTreeSet::from(["cpu", "limits.cpu", "pods"]), &says_all), None);
    for service in ["LoadBalancer", "ClusterIP", "NodePort"] {
        let service = json!({ "spec": { "type": service, "ports": [{ "port": 27443 }] } });
        let required = BTreeSet::from(["services", "services.nodeports", "services.loadbalancers"]);
        assert_eq!(Measure::Services.lacks(&required, &service), None);
    }
}

#[test]
fn a_pod_uses_what_its_containers_ask_for() {
    let dongle = || json!({ "example.com/dongle": "3" });
    let cases = [
        (
            asks(json!({ "cpu": "1m" }), json!({ "cpu": "2m" })),
            json!({ "cpu": "1m", "requests.cpu": "1m", "limits.cpu": "2m" }),
        ),
        (
            asks(json!({ "memory": "1m" }), json!({ "memory": "2m" })),
            json!({ "memory": "1m", "requests.memory": "1m", "limits.memory": "2m" }),
        ),
        (
            asks(json!({ "ephemeral-storage": "32Mi" }), json!({ "ephemeral-storage": "64Mi" })),
            json!({
                "ephemeral-storage": "32Mi", "requests.ephemeral-storage": "32Mi", "limits.ephemeral-storage": "64Mi",
            }),
        ),
        (
            asks(json!({ "hugepages-2Mi": "100Mi" }), json!({})),
            json!({ "hugepages-2Mi": "100Mi", "requests.hugepages-2Mi": "100Mi" }),
        ),
        (asks(dongle(), dongle()), json!({ "requests.example.com/dongle": "3" })),
    ];
    for (container, expected) in cases {
        for list in ["initContainers", "containers"] {
            let mut expected = expected.clone();
            expected["pods"] = json!("1");
            expected["count/pods"] = json!("1");
            let pod = json!({ "spec": { list: [container] } });
            assert_eq!(Measure::Pods.usage(&pod, now()), amounts_of(expected), "{list} {container}");
        }
    }
}

#[test]
fn the_largest_step_of_a_pods_start_counts_when_it_is_more_than_all_its_containers() {
    let container = |cpu: [&str; 2], memory: [&str; 2], dongles: &str| {
        let of = |at: usize| json!({ "cpu": cpu[at], "memory": memory[at], "example.com/dongle": dongles });
        asks(of(0), of(1))
    };
    let pod = json!({ "spec": {
        "initContainers": [
            container(["4", "8"], ["100M", "200M"], "4"),
            container(["1", "2"], ["50M", "100M"], "2"),
        ],
        "containers": [
            container(["1", "2"], ["50M", "100M"], "1"),
            container(["2", "5"], ["25M", "50M"], "2"),
        ],
    }});
    let expected = json!({
        "requests.cpu": "4", "requests.memory": "100M", "limits.cpu": "8", "limits.memory": "200M", "pods": "1",
        "cpu": "4", "memory": "100M", "requests.example.com/dongle": "4", "count/pods": "1",
    });
    assert_eq!(Measure::Pods.usage(&pod, now()), amounts_of(expected));
}

#[test]
fn a_sidecar_counts_with_the_containers_and_with_each_later_step_of_the_start() {
    let mut sidecar = asks(json!({ "cpu": "1" }), json!({}));
    sidecar["restartPolicy"] = json!("Always");
    let step = asks(json!({ "cpu": "3" }), json!({}));
    let container = asks(json!({ "cpu": "2" }), json!({}));
    let pod = json!({ "spec": { "initContainers": [sidecar, step], "containers": [container] } });
    assert_eq!(Measure::Pods.usage(&pod, now())["cpu"].to_string(), "4");
    assert_eq!(spec_requests(&pod)["cpu"].to_string(), "4");
}

#[test]
fn a_pod_at_its_end_is_still_counted_but_uses_nothing() {
    let spec = || json!({ "containers": [asks(json!({ "cpu": "1" }), json!({ "cpu": "2" }))] });
    let ending = |at: &str| {
        json!({
            "metadata": { "deletionTimestamp": at, "deletionGracePeriodSeconds": 30 }, "spec": spec(),
        })
    };
    let counted = amounts_of(json!({ "count/pods": "1" }));
    let succeeded = json!({ "spec": spec(), "status": { "phase": "Succeeded" } });
    assert_eq!(Measure::Pods.usage(&succeeded, now()), counted);
    assert_eq!(Measure::Pods.usage(&ending("2026-01-01T00:09:00Z"), now()), counted, "its node is lost");
    let expected =
        json!({ "cpu": "1", "requests.cpu": "1", "limits.cpu": "2", "pods": "1", "count/pods": "1" });
    assert_eq!(Measure::Pods.usage(&ending(NOW), now()), amounts_of(expected));
}

#[test]
fn a_pods_overhead_counts_and_raises_only_limits_there_are() {
    let pod = json!({ "spec": {
        "overhead": { "cpu": "1", "memory": "1Mi" },
        "containers": [asks(json!({ "cpu": "1" }), json!({ "cpu": "2" }))],
    }});
    let expected = json!({
        "requests.cpu": "2", "cpu": "2", "limits.cpu": "3", "memory": "1Mi", "requests.memory": "1Mi",
        "pods": "1", "count/pods": "1",
    });
    assert_eq!(Measure::Pods.usage(&pod, now()), amounts_of(expected));
}

#[test]
fn a_pod_that_is_resized_uses_the_larger_of_what_it_asks_for_and_what_it_has() {
    let cases = [
        (
            json!({ "memory": "200Mi" }),
            json!({ "resources": { "requests": { "memory": "150Mi" } } }),
            json!({ "memory": "200Mi" }),
        ),
        (
            json!({ "cpu": "100m" }),
            json!({ "resources": { "requests": { "cpu": "150m" } } }),
            json!({ "cpu": "150m" }),
        ),
        (
            json!({ "cpu": "100m", "memory": "200Mi" }),
            json!({ "resources": { "requests": { "cpu": "150m", "memory": "250Mi" } } }),
            json!({ "cpu": "150m", "memory": "250Mi" }),
        ),
        (json!({ "cpu": "100m", "memory": "200Mi" }), json!({}), json!({ "cpu": "100m", "memory": "200Mi" })),
    ];
    for (asked, status, expected) in cases {
        let container = asks(asked, json!({ "cpu": "200m", "memory": "400Mi" }));
        let pod =
            json!({ "spec": { "containers": [container] }, "status": { "containerStatuses": [status] } });
        let usage = Measure::Pods.usage(&pod, now());
        for (name, amount) in amounts_of(expected) {
            assert_eq!((usage[&name], usage[&format!("requests.{name}")]), (amount, amount), "{pod}");
        }
        assert_eq!(usage["limits.cpu"].to_string(), "200m");
        assert_eq!(usage["limits.memory"].to_string(), "400Mi");
    }
    let infeasible = json!({
        "spec": { "containers": [asks(json!({ "cpu": "8" }), json!({}))] },
        "status": {
            "containerStatuses": [{ "resources": { "requests": { "cpu": "1" } }, "allocatedResources": { "cpu": "2" } }],
            "conditions": [{ "type": "PodResizePending", "reason": "Infeasible" }],
        },
    });
    assert_eq!(Measure::Pods.usage(&infeasible, now())["cpu"].to_string(), "2");
}

#[test]
fn pods_are_summed_within_all_scopes_of_a_quota() {
    let pod = |class: &str, cpu: Option<&str>, phase: &str| {
        let amounts = cpu.map_or_else(|| json!({}), |cpu| json!({ "cpu": cpu }));
        json!({
            "spec": { "priorityClassName": class, "containers": [asks(amounts.clone(), amounts)] },
            "status": { "phase": phase },
        })
    };
    let one = Some("1");
    let high = || json!([{ "scopeName": "PriorityClass", "operator": "In", "values": ["high-priority"] }]);
    let mixed = || {
        vec![
            pod("high-priority", one, "Running"),
            pod("high-priority", one, "Succeeded"),
            pod("low-priority", one, "Running"),
        ]
    };
    let cases = [
        ("none", vec![], json!({}), [0, 0, 0]),
        ("all run", vec![pod("", one, "Running"), pod("", one, "Running")], json!({}), [2, 2, 2]),
        ("one has ended", vec![pod("", one, "Running"), pod("", one, "Succeeded")], json!({}), [1, 2, 1]),
        ("of a class", mixed(), json!({ "scopeSelector": { "matchExpressions": high() } }), [1, 2, 1]),
        (
            "of a class, said twice",
            mixed(),
            json!({ "scopes": ["PriorityClass"], "scopeSelector": { "matchExpressions": high() } }),
            [1, 2, 1],
        ),
        (
            "of a class, and asking for nothing",
            [mixed(), vec![pod("high-priority", None, "Failed")]].concat(),
            json!({
                "scopes": ["PriorityClass", "BestEffort"], "scopeSelector": { "matchExpressions": high() },
            }),
            [0, 1, 0],
        ),
    ];
    let hard = amounts_of(json!({
        "pods": "9", "count/pods": "9", "cpu": "9", "requests.cpu": "9", "limits.cpu": "9", "services": "9",
    }));
    for (what, pods, spec, [alive, all, cpu]) in cases {
        let used = total(&Measure::Pods, &hard, &scopes(&spec), &pods, now());
        let expected = json!({
            "pods": alive, "count/pods": all, "cpu": cpu, "requests.cpu": cpu, "limits.cpu": cpu,
        });
        assert_eq!(used, amounts_of(expected), "{what}");
    }
}

#[test]
fn scopes_tell_pods_apart() {
    let all = json!({
        "scopes": ["Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity"],
        "scopeSelector": { "matchExpressions": [
            { "scopeName": "PriorityClass", "operator": "In", "values": ["class1"] },
        ]},
    });
    let beyond = |kind: &str, when: &str, term: Value| json!({ "activeDeadlineSeconds": 30, "affinity": { kind: { when: [term] } } });
    let (required, preferred) =
        ("requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution");
    let within = ["Terminating", "BestEffort", "CrossNamespacePodAffinity"];
    let selected = json!({ "namespaceSelector": {} });
    let weighted = |term: Value| json!({ "weight": 1, "podAffinityTerm": term });
    let cases = [
        (json!({}), &["NotTerminating", "BestEffort"][..]),
        (json!({ "priorityClassName": "class1" }), &["NotTerminating", "BestEffort", "PriorityClass"]),
        (
            json!({ "containers": [asks(json!({ "cpu": "1" }), json!({ "memory": "100M" }))] }),
            &["NotTerminating", "NotBestEffort"],
        ),
        (json!({ "activeDeadlineSeconds": 30 }), &["Terminating", "BestEffort"]),
        (beyond("podAffinity", required, json!({ "namespaces": ["ns1"], "namespaceSelector": {} })), &within),
        (beyond("podAffinity", required, json!({ "namespaces": ["ns1"] })), &within),
        (
            beyond(
                "podAffinity",
                preferred,
                weighted(json!({ "namespaces": ["ns2"], "namespaceSelector": {} })),
            ),
            &within,
        ),
        (beyond("podAffinity", preferred, weighted(selected.clone())), &within),
        (beyond("podAntiAffinity", preferred, weighted(selected)), &within),
        (beyond("podAntiAffinity", required, json!({ "namespaces": ["ns3"] })), &within),
        (beyond("podAffinity", required, json!({ "topologyKey": "x" })), &["Terminating", "BestEffort"]),
    ];
    for (spec, expected) in cases {
        let pod = json!({ "spec": spec });
        let scopes = scopes(&all);
        let matching = scopes.iter().filter(|scope| Measure::Pods.is_within(scope, &pod));
        let matching: Vec<String> = matching.map(|scope| format!("{scope:?}")).collect();
        assert_eq!(matching.len(), expected.len(), "{pod}: {matching:?}");
        for name in expected {
            assert!(matching.iter().any(|scope| scope.contains(&format!("{name:?}"))), "{pod}: {name}");
        }
    }
}

#[test]
fn a_priority_class_is_selected_like_a_label() {
    let of = |operator: &str, values: Value, class: &str| {
        let expression = json!({ "scopeName": "PriorityClass", "operator": operator, "values": values });
        let spec = json!({ "scopeSelector": { "matchExpressions": [expression] } });
        scopes(&spec)[0].contains(&json!({ "spec": { "priorityClassName": class } }))
    };
    let cases = [
        ("Exists", json!([]), [true, true, false]),
        ("DoesNotExist", json!([]), [false, false, true]),
        ("In", json!(["a"]), [true, false, false]),
        ("NotIn", json!(["a"]), [false, true, true]),
    ];
    for (operator, values, expected) in cases {
        let got = ["a", "b", ""].map(|class| of(operator, values.clone(), class));
        assert_eq!(got, expected, "{operator}");
    }
}

#[test]
fn a_service_uses_node_ports_and_load_balancers_by_its_type() {
    let given = |port: u32, node_port: u32| json!({ "port": port, "nodePort": node_port });
    let one = || json!([{ "port": 27443 }]);
    let two = || json!([{ "port": 27443 }, { "port": 27444 }]);
    let both_given = || json!([given(27443, 32001), given(27444, 32002)]);
    let cases = [
        (json!({ "type": "LoadBalancer" }), [0, 1]),
        (json!({ "type": "LoadBalancer", "ports": one() }), [1, 1]),
        (json!({ "type": "LoadBalancer", "ports": two() }), [2, 1]),
        (json!({ "type": "ClusterIP" }), [0, 0]),
        (json!({ "type": "NodePort", "ports": one() }), [1, 0]),
        (json!({ "type": "NodePort", "ports": two() }), [2, 0]),
        (json!({ "type": "LoadBalancer", "ports": two(), "allocateLoadBalancerNodePorts": false }), [0, 1]),
        (json!({ "type": "LoadBalancer", "ports": both_given() }), [2, 1]),
        (json!({ "type": "LoadBalancer", "ports": two(), "allocateLoadBalancerNodePorts": true }), [2, 1]),
        (
            json!({ "type": "LoadBalancer", "ports": both_given(), "allocateLoadBalancerNodePorts": false }),
            [2, 1],
        ),
    ];
    for (spec, [ports, balancers]) in cases {
        let expected = json!({
            "services": 1, "count/services": 1, "services.nodeports": ports, "services.loadbalancers": balancers,
        });
        let service = json!({ "spec": spec });
        assert_eq!(Measure::Services.usage(&service, now()), amounts_of(expected), "{service}");
    }
    let given = ["configmaps", "cpu", "services", "services.nodeports", "services.loadbalancers"];
    assert_eq!(names(&Measure::Services, &given), given[2..]);
}

#[test]
fn a_claim_uses_its_size_in_all_and_of_its_class() {
    let claim = |size: &str, class: Option<&str>, allocated: Option<&str>| {
        json!({
            "spec": { "storageClassName": class, "resources": { "requests": { "storage": size } } },
            "status": { "allocatedResources": allocated.map(|size| json!({ "storage": size })) },
        })
    };
    let cases = [
        ("as asked", claim("10Gi", None, None), "10Gi", None),
        ("of a class", claim("10Gi", Some("gold"), None), "10Gi", Some("gold")),
        ("in whole bytes", claim("1001m", None, None), "2", None),
        ("of a class in whole bytes", claim("1001m", Some("gold"), None), "2", Some("gold")),
        ("more is allocated", claim("5G", None, Some("10G")), "10G", None),
        ("less is allocated", claim("10G", None, Some("5G")), "10G", None),
    ];
    for (what, claim, size, class) in cases {
        let mut expected = json!({
            "requests.storage": size, "persistentvolumeclaims": 1, "count/persistentvolumeclaims": 1,
        });
        if let Some(class) = class {
            expected[format!("{class}.storageclass.storage.k8s.io/requests.storage")] = json!(size);
            expected[format!("{class}.storageclass.storage.k8s.io/persistentvolumeclaims")] = json!(1);
        }
        assert_eq!(Measure::Claims.usage(&claim, now()), amounts_of(expected), "{what}");
    }
}

#[test]
fn amounts_of_claims_are_told_by_their_names() {
    let supported = [
        "count/persistentvolumeclaims",
        "requests.storage",
        "persistentvolumeclaims",
        "gold.storageclass.storage.k8s.io/requests.storage",
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims",
    ];
    assert_eq!(names(&Measure::Claims, &supported), supported);
    let unsupported = [
        "storage",
        "ephemeral-storage",
        "bronze.storageclass.storage.k8s.io/storage",
        "gold.storage.k8s.io/requests.storage",
    ];
    assert_eq!(names(&Measure::Claims, &unsupported), [""; 0]);
}

#[test]
fn every_amount_is_measured_of_one_resource() {
    let cases = [
        ("pods", Some(("", "pods"))),
        ("count/pods", Some(("", "pods"))),
        ("limits.memory", Some(("", "pods"))),
        ("hugepages-2Mi", Some(("", "pods"))),
        ("requests.hugepages-2Mi", Some(("", "pods"))),
        ("requests.example.com/dongle", Some(("", "pods"))),
        ("services.nodeports", Some(("", "services"))),
        ("gold.storageclass.storage.k8s.io/requests.storage", Some(("", "persistentvolumeclaims"))),
        ("secrets", Some(("", "secrets"))),
        ("count/secrets", Some(("", "secrets"))),
        ("count/deployments.apps", Some(("apps", "deployments"))),
        ("count/widgets.shop.example.com", Some(("shop.example.com", "widgets"))),
        ("count/events", None),
        ("example.com/dongle", None),
        ("limits.example.com/dongle", None),
        ("bananas", None),
    ];
    for (name, expected) in cases {
        let measure = Measure::tracking(name);
        assert_eq!(measure.as_ref().map(Measure::resource), expected, "{name}");
        assert!(measure.is_none_or(|measure| measure.tracks(name)), "{name}");
    }
    let secrets = Measure::of("", "secrets").unwrap();
    assert_eq!(secrets.usage(&json!({}), now()), amounts_of(json!({ "secrets": 1, "count/secrets": 1 })));
    let jobs = Measure::of("batch", "jobs").unwrap();
    assert_eq!(jobs.usage(&json!({}), now()), amounts_of(json!({ "count/jobs.batch": 1 })));
    assert_eq!(Measure::of("", "events"), None);
}

#[test]
fn amounts_are_added_raised_and_compared_by_name() {
    let of = amounts_of;
    let mut sum = of(json!({ "cpu": "50m", "memory": "1Gi" }));
    amounts::add(&mut sum, &of(json!({ "cpu": "150m", "pods": "2" })));
    assert_eq!(sum, of(json!({ "cpu": "200m", "memory": "1Gi", "pods": "2" })));
    amounts::raise(&mut sum, &of(json!({ "cpu": "1", "memory": "1Mi", "services": "0" })));
    assert_eq!(sum, of(json!({ "cpu": "1", "memory": "1Gi", "pods": "2", "services": "0" })));
    let before = of(json!({ "cpu": "1", "memory": "1Gi", "gone": "1" }));
    let after = of(json!({ "cpu": "2", "memory": "1Mi", "pods": "1", "none": "0" }));
    assert_eq!(amounts::increase(&before, &after), of(json!({ "cpu": "1", "pods": "1" })));
}
