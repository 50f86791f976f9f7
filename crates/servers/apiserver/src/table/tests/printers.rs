//! Upstream's own cases of the other kinds' rows; every object is ten minutes old.

use serde_json::{Value, json};

use super::row;

/// Checks rows of one kind.
fn check(group: &str, kind: &str, cases: Vec<(Value, &str)>) {
    for (object, expected) in cases {
        let shown = row(group, kind, object.clone());
        assert_eq!(shown, expected, "{kind}: {object}");
    }
}

fn template() -> Value {
    json!({ "spec": { "containers": [{ "name": "c1", "image": "i1" }, { "name": "c2", "image": "i2" }] } })
}

#[test]
fn jobs() {
    let condition =
        |kind: &str| json!({ "spec": {}, "status": { "conditions": [{ "type": kind, "status": "True" }] } });
    let timed = |status: Value| json!({ "spec": {}, "status": status });
    check(
        "batch",
        "Job",
        vec![
            (
                json!({ "spec": { "completions": 2, "template": template(), "selector": { "matchLabels": { "job-label": "v" } } }, "status": { "succeeded": 1 } }),
                "web|Running|1/2||10m|c1,c2|i1,i2|job-label=v",
            ),
            (json!({ "spec": {}, "status": { "succeeded": 0 } }), "web|Running|0/1||10m|||<none>"),
            (
                timed(
                    json!({ "startTime": "2026-01-01T00:11:00Z", "completionTime": "2026-01-01T00:41:00Z" }),
                ),
                "web|Running|0/1|30m|10m|||<none>",
            ),
            (timed(json!({ "startTime": "2025-12-31T23:50:00Z" })), "web|Running|0/1|20m|10m|||<none>"),
            (condition("Complete"), "web|Complete|0/1||10m|||<none>"),
            (condition("Failed"), "web|Failed|0/1||10m|||<none>"),
            (condition("Suspended"), "web|Suspended|0/1||10m|||<none>"),
            (condition("FailureTarget"), "web|FailureTarget|0/1||10m|||<none>"),
            (
                json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:09:00Z" }, "spec": {} }),
                "web|Terminating|0/1||10m|||<none>",
            ),
        ],
    );
}

#[test]
fn cron_jobs() {
    let of = |zone: Option<&str>, last: Option<&str>, job: Value| {
        let mut cron = json!({ "spec": { "schedule": "0/5 * * * ?", "suspend": false, "jobTemplate": job }, "status": {} });
        if let Some(zone) = zone {
            cron["spec"]["timeZone"] = json!(zone);
        }
        if let Some(last) = last {
            cron["status"]["lastScheduleTime"] = json!(last);
        }
        cron
    };
    let job = json!({ "spec": { "completions": 2, "template": template(), "selector": { "matchLabels": { "a": "b" } } } });
    let now = Some("2026-01-01T00:10:00Z");
    check(
        "batch",
        "CronJob",
        vec![
            (of(None, now, job.clone()), "web|0/5 * * * ?|<none>|False|0|0s|10m|c1,c2|i1,i2|a=b"),
            (of(Some("LOCAL"), now, job), "web|0/5 * * * ?|LOCAL|False|0|0s|10m|c1,c2|i1,i2|a=b"),
            (
                of(None, Some("2026-01-01T00:09:30Z"), json!({})),
                "web|0/5 * * * ?|<none>|False|0|30s|10m|||<none>",
            ),
            (of(None, None, json!({})), "web|0/5 * * * ?|<none>|False|0|<none>|10m|||<none>"),
        ],
    );
}

#[test]
fn services() {
    let of = |spec: Value, entrances: Value| json!({ "spec": spec, "status": { "loadBalancer": { "ingress": entrances } } });
    let cluster = |kind: &str, ports: Value| json!({ "type": kind, "clusterIP": "10.9.8.7", "clusterIPs": ["10.9.8.7"], "ports": ports });
    let tcp = json!([{ "protocol": "TCP", "port": 8888 }]);
    let mut selecting = cluster("ClusterIP", json!([{ "protocol": "TCP", "port": 2233 }]));
    selecting["selector"] = json!({ "foo": "bar" });
    let outside = |addresses: &[&str]| {
        let mut spec = cluster("LoadBalancer", tcp.clone());
        spec["externalIPs"] = json!(addresses);
        spec
    };
    let none = || json!([]);
    let many = json!([{ "port": 80, "protocol": "TCP" }, { "port": 8090, "protocol": "UDP" }, { "port": 8000, "protocol": "TCP" }, { "port": 7777, "protocol": "SCTP" }]);
    check(
        "",
        "Service",
        vec![
            (of(selecting, none()), "web|ClusterIP|10.9.8.7|<none>|2233/TCP|10m|foo=bar"),
            (
                of(
                    cluster("NodePort", json!([{ "protocol": "TCP", "port": 8888, "nodePort": 9999 }])),
                    none(),
                ),
                "web|NodePort|10.9.8.7|<none>|8888:9999/TCP|10m|<none>",
            ),
            (
                of(cluster("LoadBalancer", tcp.clone()), none()),
                "web|LoadBalancer|10.9.8.7|<pending>|8888/TCP|10m|<none>",
            ),
            (
                of(outside(&["80.11.12.10"]), none()),
                "web|LoadBalancer|10.9.8.7|80.11.12.10|8888/TCP|10m|<none>",
            ),
            (
                of(outside(&["80.11.12.10"]), json!([{ "ip": "3.4.5.6", "hostname": "test.cluster.com" }])),
                "web|LoadBalancer|10.9.8.7|3.4.5.6,80.11.12.10|8888/TCP|10m|<none>",
            ),
            (
                of(
                    outside(&["80.11.12.10", "80.11.12.11"]),
                    json!([{ "ip": "2.3.4.5", "hostname": "a" }, { "ip": "3.4.5.6", "hostname": "b" }]),
                ),
                "web|LoadBalancer|10.9.8.7|2.3.4.5,3.4.5.6,80.11.12.10,80.11.12.11|8888/TCP|10m|<none>",
            ),
            (
                of(json!({ "type": "ExternalName", "externalName": "my.database.example.com" }), none()),
                "web|ExternalName|<none>|my.database.example.com|<none>|10m|<none>",
            ),
            (
                of(
                    cluster("LoadBalancer", json!([{ "port": 80, "protocol": "TCP" }])),
                    json!([{ "ip": "3.4.5.6" }, { "ip": "2.3.4.5" }]),
                ),
                "web|LoadBalancer|10.9.8.7|2.3.4.5,3.4.5.6|80/TCP|10m|<none>",
            ),
            (
                of(cluster("LoadBalancer", many.clone()), none()),
                "web|LoadBalancer|10.9.8.7|<pending>|80/TCP,8090/UDP,8000/TCP,7777/SCTP|10m|<none>",
            ),
            (
                of(cluster("LoadBalancer", many), json!([{ "ip": "2.3.4.5" }])),
                "web|LoadBalancer|10.9.8.7|2.3.4.5|80/TCP,8090/UDP,8000/TCP,7777/SCTP|10m|<none>",
            ),
            (
                of(
                    cluster("LoadBalancer", tcp.clone()),
                    json!([{ "ip": "2.3.4.5" }, { "ip": "3.4.5.6" }, { "ip": "5.6.7.8", "hostname": "host5678" }]),
                ),
                "web|LoadBalancer|10.9.8.7|2.3.4.5,3.4.5.6,5.6.7.8|8888/TCP|10m|<none>",
            ),
        ],
    );
}

#[test]
fn endpoints_and_slices() {
    let ends = |addresses: &[&str], ports: Value| {
        let addresses: Vec<Value> = addresses.iter().map(|address| json!({ "ip": address })).collect();
        json!({ "subsets": [{ "addresses": addresses, "ports": ports }] })
    };
    let port = || json!([{ "port": 8001, "protocol": "TCP" }]);
    check(
        "",
        "Endpoints",
        vec![
            (json!({}), "web|<none>|10m"),
            (ends(&["1.2.3.4", "5.6.7.8"], json!([])), "web|1.2.3.4,5.6.7.8|10m"),
            (ends(&["1.2.3.4", "5.6.7.8"], port()), "web|1.2.3.4:8001,5.6.7.8:8001|10m"),
            (
                ends(&["1.2.3.4", "5.6.7.8", "9.8.7.6", "6.6.6.6"], port()),
                "web|1.2.3.4:8001,5.6.7.8:8001,9.8.7.6:8001 + 1 more...|10m",
            ),
            (ends(&["fd00::1"], json!([{ "port": 1 }, { "port": 2 }])), "web|[fd00::1]:1,[fd00::1]:2|10m"),
        ],
    );
    let slice = |kind: &str, ports: &[i64], ends: &[[&str; 2]]| {
        let ports: Vec<Value> = ports.iter().map(|port| json!({ "name": "p", "port": port })).collect();
        let ends: Vec<Value> = ends.iter().map(|addresses| json!({ "addresses": addresses })).collect();
        json!({ "addressType": kind, "ports": ports, "endpoints": ends })
    };
    let one = ["10.1.2.3", "2001:db8::1234:5678"];
    let two = [one, ["10.2.3.4", "2001:db8::2345:6789"]];
    check(
        "discovery.k8s.io",
        "EndpointSlice",
        vec![
            (slice("IPv4", &[80], &[one]), "web|IPv4|80|10.1.2.3,2001:db8::1234:5678|10m"),
            (
                slice("IPv6", &[80, 443], &two),
                "web|IPv6|80,443|10.1.2.3,2001:db8::1234:5678,10.2.3.4 + 1 more...|10m",
            ),
            (
                slice("IPv4", &[80, 443, 3000, 3001], &two),
                "web|IPv4|80,443,3000 + 1 more...|10.1.2.3,2001:db8::1234:5678,10.2.3.4 + 1 more...|10m",
            ),
            (slice("IPv4", &[], &[]), "web|IPv4|<unset>|<unset>|10m"),
        ],
    );
}

#[test]
fn ingresses_and_addresses() {
    check(
        "networking.k8s.io",
        "Ingress",
        vec![
            (
                json!({ "spec": { "ingressClassName": "foo", "defaultBackend": { "service": { "name": "b" } } },
                "status": { "loadBalancer": { "ingress": [{ "ip": "2.3.4.5", "hostname": "localhost.localdomain" }] } } }),
                "web|foo|*|2.3.4.5|80|10m",
            ),
            (
                json!({ "spec": { "rules": [{ "host": "a" }, { "host": "b" }, { "host": "c" }, { "host": "d" }, {}] } }),
                "web|<none>|a,b,c + 2 more...||80|10m",
            ),
        ],
    );
    let class =
        |parameters: Value| json!({ "spec": { "controller": "example.com/c", "parameters": parameters } });
    check(
        "networking.k8s.io",
        "IngressClass",
        vec![
            (
                class(json!({ "kind": "customgroup", "name": "example" })),
                "web|example.com/c|customgroup/example|10m",
            ),
            (
                class(json!({ "apiGroup": "example.com", "kind": "customgroup", "name": "example" })),
                "web|example.com/c|customgroup.example.com/example|10m",
            ),
            (json!({ "spec": { "controller": "example.com/c" } }), "web|example.com/c|<none>|10m"),
        ],
    );
    let parent =
        json!({ "group": "mygroup", "resource": "myresource", "namespace": "mynamespace", "name": "myname" });
    check(
        "networking.k8s.io",
        "IPAddress",
        vec![(json!({ "spec": { "parentRef": parent } }), "web|myresource.mygroup/mynamespace/myname")],
    );
    check(
        "networking.k8s.io",
        "ServiceCIDR",
        vec![
            (json!({ "spec": { "cidrs": ["10.1.0.0/16"] } }), "web|10.1.0.0/16|10m"),
            (json!({ "spec": { "cidrs": ["fd00:1:1::/64"] } }), "web|fd00:1:1::/64|10m"),
            (
                json!({ "spec": { "cidrs": ["10.1.0.0/16", "fd00:1:1::/64"] } }),
                "web|10.1.0.0/16,fd00:1:1::/64|10m",
            ),
        ],
    );
    check(
        "networking.k8s.io",
        "NetworkPolicy",
        vec![
            (json!({ "spec": {} }), "web|<none>|10m"),
            (json!({ "spec": { "podSelector": { "matchLabels": { "foo": "bar" } } } }), "web|foo=bar|10m"),
        ],
    );
}

#[test]
fn autoscalers() {
    let of = |metrics: Value, current: Value| {
        json!({ "spec": { "scaleTargetRef": { "kind": "ReplicationController", "name": "some-rc" }, "minReplicas": 2, "maxReplicas": 10, "metrics": metrics },
            "status": { "currentReplicas": 4, "desiredReplicas": 5, "currentMetrics": current } })
    };
    let metric = |kind: &str, field: &str, section: &str, value: Value| {
        let mut metric = json!({ "type": kind });
        metric[field] = json!({ "name": "cpu", "container": "application", "metric": { "name": "m" } });
        metric[field][section] = value;
        metric
    };
    let pair = |kind: &str, field: &str, target: Value, current: Option<Value>| {
        let current = current.map(|value| metric(kind, field, "current", value));
        of(json!([metric(kind, field, "target", target)]), current.into_iter().collect())
    };
    let average = |amount: &str| json!({ "averageValue": amount });
    let value = |amount: &str| json!({ "value": amount });
    let share = |percent: i64| json!({ "averageUtilization": percent });
    let both = json!({ "averageUtilization": 50, "averageValue": "40m" });
    let mut cases = vec![
        (
            json!({ "spec": { "scaleTargetRef": { "kind": "ReplicationController", "name": "some-rc" }, "maxReplicas": 10 }, "status": { "currentReplicas": 4 } }),
            "<none>|<unset>",
        ),
        (pair("External", "external", average("100m"), None), "<unknown>/100m (avg)|2"),
        (pair("External", "external", average("100m"), Some(average("50m"))), "50m/100m (avg)|2"),
        (pair("External", "external", value("100m"), None), "<unknown>/100m|2"),
        (pair("External", "external", value("100m"), Some(value("50m"))), "50m/100m|2"),
        (pair("Pods", "pods", average("100m"), None), "<unknown>/100m|2"),
        (pair("Pods", "pods", average("100m"), Some(average("50m"))), "50m/100m|2"),
        (pair("Object", "object", value("100m"), None), "<unknown>/100m|2"),
        (pair("Object", "object", value("100m"), Some(value("50m"))), "50m/100m|2"),
    ];
    for (kind, field) in [("Resource", "resource"), ("ContainerResource", "containerResource")] {
        cases.push((pair(kind, field, average("100m"), None), "cpu: <unknown>/100m|2"));
        cases.push((pair(kind, field, average("100m"), Some(average("50m"))), "cpu: 50m/100m|2"));
        cases.push((pair(kind, field, share(80), None), "cpu: <unknown>/80%|2"));
        cases.push((pair(kind, field, share(80), Some(both.clone())), "cpu: 50%/80%|2"));
    }
    let pods = |amount: &str, section: &str| metric("Pods", "pods", section, average(amount));
    let cpu = |section: &str, percent: i64| metric("Resource", "resource", section, share(percent));
    cases.push((
        of(
            json!([pods("100m", "target"), cpu("target", 80)]),
            json!([pods("50m", "current"), cpu("current", 50)]),
        ),
        "50m/100m, cpu: 50%/80%|2",
    ));
    cases.push((
        of(
            json!([pods("100m", "target"), cpu("target", 80), pods("1", "target"), pods("2", "target")]),
            json!([pods("50m", "current"), cpu("current", 50)]),
        ),
        "50m/100m, cpu: 50%/80% + 2 more...|2",
    ));
    for (object, expected) in cases {
        let expected = format!("web|ReplicationController/some-rc|{expected}|10|4|10m");
        assert_eq!(row("autoscaling", "HorizontalPodAutoscaler", object.clone()), expected, "{object}");
    }
}

#[test]
fn volumes_and_claims() {
    let volume = |phase: &str, mode: &str, size: &str, more: &[(&str, &str)]| {
        let mut volume = json!({ "spec": { "claimRef": { "namespace": "default", "name": "test" }, "accessModes": [mode], "capacity": { "storage": size } }, "status": { "phase": phase } });
        for (field, value) in more {
            volume["spec"][*field] = json!(value);
        }
        volume
    };
    let class = &[("storageClassName", "my-scn")];
    check(
        "",
        "PersistentVolume",
        vec![
            (
                volume("Bound", "ReadOnlyMany", "4Gi", &[]),
                "web|4Gi|ROX||Bound|default/test||<unset>||10m|<unset>",
            ),
            (
                volume("Failed", "ReadOnlyMany", "4Gi", &[]),
                "web|4Gi|ROX||Failed|default/test||<unset>||10m|<unset>",
            ),
            (
                volume("Pending", "ReadWriteMany", "10Gi", &[]),
                "web|10Gi|RWX||Pending|default/test||<unset>||10m|<unset>",
            ),
            (
                volume("Pending", "ReadWriteOnce", "10240Mi", class),
                "web|10Gi|RWO||Pending|default/test|my-scn|<unset>||10m|<unset>",
            ),
            (
                volume(
                    "Pending",
                    "ReadWriteOnce",
                    "10Gi",
                    &[("storageClassName", "my-scn"), ("volumeAttributesClassName", "my-vacn")],
                ),
                "web|10Gi|RWO||Pending|default/test|my-scn|my-vacn||10m|<unset>",
            ),
            (
                volume("Available", "ReadWriteOnce", "10Gi", class),
                "web|10Gi|RWO||Available|default/test|my-scn|<unset>||10m|<unset>",
            ),
            (
                volume("Released", "ReadWriteOncePod", "10Gi", class),
                "web|10Gi|RWOP||Released|default/test|my-scn|<unset>||10m|<unset>",
            ),
        ],
    );
    let claim = |phase: &str, mode: &str, size: &str, spec: Value| json!({ "spec": spec, "status": { "phase": phase, "accessModes": [mode], "capacity": { "storage": size } } });
    let spec = |more: Value| {
        let mut spec = json!({ "volumeName": "my-volume" });
        spec.as_object_mut().expect("a map").extend(more.as_object().cloned().unwrap_or_default());
        spec
    };
    check(
        "",
        "PersistentVolumeClaim",
        vec![
            (
                claim("Bound", "ReadOnlyMany", "4Gi", spec(json!({ "volumeMode": "Filesystem" }))),
                "web|Bound|my-volume|4Gi|ROX||<unset>|10m|Filesystem",
            ),
            (
                claim("Lost", "ReadOnlyMany", "4Gi", json!({ "volumeMode": "Filesystem" })),
                "web|Lost|||||<unset>|10m|Filesystem",
            ),
            (
                claim("Pending", "ReadWriteMany", "10Gi", spec(json!({ "volumeMode": "Filesystem" }))),
                "web|Pending|my-volume|10Gi|RWX||<unset>|10m|Filesystem",
            ),
            (
                claim(
                    "Pending",
                    "ReadWriteOnce",
                    "10Gi",
                    spec(json!({ "storageClassName": "my-scn", "volumeMode": "Filesystem" })),
                ),
                "web|Pending|my-volume|10Gi|RWO|my-scn|<unset>|10m|Filesystem",
            ),
            (
                claim("Pending", "ReadWriteOnce", "10Gi", spec(json!({ "storageClassName": "my-scn" }))),
                "web|Pending|my-volume|10Gi|RWO|my-scn|<unset>|10m|<unset>",
            ),
            (
                claim(
                    "Pending",
                    "ReadWriteOnce",
                    "10Gi",
                    spec(json!({ "storageClassName": "my-scn", "volumeAttributesClassName": "my-vacn" })),
                ),
                "web|Pending|my-volume|10Gi|RWO|my-scn|my-vacn|10m|<unset>",
            ),
        ],
    );
    let class = |more: Value| {
        let mut class = json!({ "provisioner": "kubernetes.io/nfs" });
        class.as_object_mut().expect("a map").extend(more.as_object().cloned().unwrap_or_default());
        class
    };
    check(
        "storage.k8s.io",
        "StorageClass",
        vec![
            (class(json!({})), "web|kubernetes.io/nfs|Delete|Immediate|false|10m"),
            (class(json!({ "reclaimPolicy": "Delete" })), "web|kubernetes.io/nfs|Delete|Immediate|false|10m"),
            (
                class(json!({ "reclaimPolicy": "Retain", "volumeBindingMode": "Immediate" })),
                "web|kubernetes.io/nfs|Retain|Immediate|false|10m",
            ),
            (
                class(
                    json!({ "reclaimPolicy": "Retain", "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true }),
                ),
                "web|kubernetes.io/nfs|Retain|WaitForFirstConsumer|true|10m",
            ),
        ],
    );
}

#[test]
fn budgets() {
    check(
        "policy",
        "PodDisruptionBudget",
        vec![
            (
                json!({ "spec": { "minAvailable": 22 }, "status": { "disruptionsAllowed": 5 } }),
                "web|22|N/A|5|10m",
            ),
            (
                json!({ "spec": { "maxUnavailable": 11 }, "status": { "disruptionsAllowed": 5 } }),
                "web|N/A|11|5|10m",
            ),
        ],
    );
}

#[test]
fn nodes() {
    let of = |condition: Value, unschedulable: bool| json!({ "spec": { "unschedulable": unschedulable }, "status": { "conditions": [condition] } });
    let ready = |status: &str| json!({ "type": "Ready", "status": status });
    let other = || json!({ "type": "InvalidValue", "status": "True" });
    for (node, expected) in [
        (of(ready("True"), false), "Ready|<none>"),
        (of(ready("True"), true), "Ready,SchedulingDisabled|<none>"),
        (of(ready("False"), false), "NotReady|<none>"),
        (of(ready("False"), true), "NotReady,SchedulingDisabled|<none>"),
        (of(other(), false), "Unknown|<none>"),
        (of(json!({}), false), "Unknown|<none>"),
        (of(other(), true), "Unknown,SchedulingDisabled|<none>"),
        (of(json!({}), true), "Unknown,SchedulingDisabled|<none>"),
        (json!({ "metadata": { "labels": { "kubernetes.io/role": "node" } } }), "Unknown|node"),
        (
            json!({ "metadata": { "labels": { "node-role.kubernetes.io/master": "", "node-role.kubernetes.io/control-plane": "",
                "node-role.kubernetes.io/proxy": "", "kubernetes.io/role": "node" } } }),
            "Unknown|control-plane,master,node,proxy",
        ),
    ] {
        let shown = row("", "Node", node.clone());
        let shown: Vec<&str> = shown.split('|').skip(1).take(2).collect();
        assert_eq!(shown.join("|"), expected, "{node}");
    }
    let addressed =
        |addresses: Value, info: Value| json!({ "status": { "addresses": addresses, "nodeInfo": info } });
    let both = json!([{ "type": "ExternalIP", "address": "2.2.2.2" }, { "type": "InternalIP", "address": "3.3.3.3" }, { "type": "ExternalIP", "address": "4.4.4.4" }]);
    check(
        "",
        "Node",
        vec![
            (
                addressed(json!([{ "type": "ExternalIP", "address": "1.1.1.1" }]), json!({})),
                "web|Unknown|<none>|10m||<none>|1.1.1.1|<unknown>|<unknown>|<unknown>",
            ),
            (
                addressed(json!([{ "type": "InternalIP", "address": "1.1.1.1" }]), json!({})),
                "web|Unknown|<none>|10m||1.1.1.1|<none>|<unknown>|<unknown>|<unknown>",
            ),
            (
                addressed(
                    both,
                    json!({ "kubeletVersion": "v1", "osImage": "os", "kernelVersion": "k", "containerRuntimeVersion": "foo" }),
                ),
                "web|Unknown|<none>|10m|v1|3.3.3.3|2.2.2.2|os|k|foo",
            ),
        ],
    );
}

#[test]
fn events() {
    let of = |times: Value| {
        let mut event = json!({ "involvedObject": { "kind": "Deployment", "name": "web name", "fieldPath": "spec.containers{foo}" }, "type": "Warning",
            "reason": "Event Reason", "message": "Message Data", "source": { "component": "kubelet", "host": "Node1" } });
        event.as_object_mut().expect("a map").extend(times.as_object().cloned().unwrap_or_default());
        event
    };
    let (two, three) = ("2025-12-30T00:10:00Z", "2025-12-29T00:10:00Z");
    let mut reported = of(
        json!({ "firstTimestamp": three, "lastTimestamp": two, "count": 6, "reportingComponent": "kubelet", "reportingInstance": "test" }),
    );
    reported.as_object_mut().expect("a map").remove("source");
    for (event, last, source, seen) in [
        (of(json!({ "firstTimestamp": three, "lastTimestamp": two, "count": 6 })), "2d", "kubelet, Node1", 6),
        (of(json!({ "eventTime": three, "lastTimestamp": three, "count": 1 })), "3d", "kubelet, Node1", 1),
        (of(json!({ "eventTime": three, "firstTimestamp": three, "count": 1 })), "3d", "kubelet, Node1", 1),
        (of(json!({ "eventTime": three, "count": 1 })), "3d", "kubelet, Node1", 1),
        (
            of(json!({ "eventTime": three, "series": { "count": 2, "lastObservedTime": two } })),
            "2d",
            "kubelet, Node1",
            2,
        ),
        (of(json!({ "eventTime": three })), "3d", "kubelet, Node1", 1),
        (reported, "2d", "kubelet, test", 6),
    ] {
        let expected = format!(
            "{last}|Warning|Event Reason|deployment/web name|spec.containers{{foo}}|{source}|Message Data|3d|{seen}|web"
        );
        assert_eq!(row("", "Event", event), expected);
    }
}

#[test]
fn workloads() {
    let spec =
        json!({ "replicas": 5, "template": template(), "selector": { "matchLabels": { "foo": "bar" } } });
    let of = |status: Value| json!({ "spec": spec, "status": status });
    check(
        "apps",
        "StatefulSet",
        vec![(of(json!({ "replicas": 5, "readyReplicas": 2 })), "web|2/5|10m|c1,c2|i1,i2")],
    );
    check(
        "apps",
        "DaemonSet",
        vec![(
            of(
                json!({ "currentNumberScheduled": 2, "desiredNumberScheduled": 3, "numberReady": 1, "updatedNumberScheduled": 2, "numberAvailable": 0 }),
            ),
            "web|3|2|1|2|0|<none>|10m|c1,c2|i1,i2|foo=bar",
        )],
    );
    check(
        "apps",
        "Deployment",
        vec![(
            of(
                json!({ "replicas": 10, "updatedReplicas": 2, "availableReplicas": 1, "unavailableReplicas": 4 }),
            ),
            "web|0/5|2|1|10m|c1,c2|i1,i2|foo=bar",
        )],
    );
    check(
        "apps",
        "ReplicaSet",
        vec![(of(json!({ "replicas": 5, "readyReplicas": 2 })), "web|5|5|2|10m|c1,c2|i1,i2|foo=bar")],
    );
    let plain = |replicas: i64, status: Value| json!({ "spec": { "replicas": replicas, "selector": { "a": "b" }, "template": { "spec": { "containers": [{ "name": "test", "image": "test_image" }] } } }, "status": status });
    check(
        "",
        "ReplicationController",
        vec![
            (plain(0, json!({})), "web|0|0|0|10m|test|test_image|a=b"),
            (plain(5, json!({ "replicas": 3, "readyReplicas": 1 })), "web|5|3|1|10m|test|test_image|a=b"),
        ],
    );
    let revision =
        |number: i64, owners: Value| json!({ "metadata": { "ownerReferences": owners }, "revision": number });
    check(
        "apps",
        "ControllerRevision",
        vec![
            (
                revision(
                    1,
                    json!([{ "controller": true, "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "foo", "uid": "u" }]),
                ),
                "web|daemonset.apps/foo|1|10m",
            ),
            (
                revision(
                    2,
                    json!([{ "controller": false, "apiVersion": "v1", "kind": "ABC", "name": "foo", "uid": "u" }]),
                ),
                "web|<none>|2|10m",
            ),
            (revision(3, json!([])), "web|<none>|3|10m"),
        ],
    );
}

#[test]
fn small_kinds() {
    check(
        "",
        "Namespace",
        vec![(json!({ "status": { "phase": "FooStatus" } }), "web|FooStatus|10m"), (json!({}), "web||10m")],
    );
    check(
        "",
        "Secret",
        vec![
            (
                json!({ "type": "kubernetes.io/service-account-token", "data": { "token": "c2VjcmV0" } }),
                "web|kubernetes.io/service-account-token|1|10m",
            ),
            (
                json!({ "type": "kubernetes.io/service-account-token" }),
                "web|kubernetes.io/service-account-token|0|10m",
            ),
        ],
    );
    check(
        "",
        "ServiceAccount",
        vec![
            (json!({ "secrets": [] }), "web|0|10m"),
            (json!({ "secrets": [{ "name": "a" }, { "name": "b" }] }), "web|2|10m"),
        ],
    );
    check(
        "",
        "ConfigMap",
        vec![
            (json!({}), "web|0|10m"),
            (json!({ "data": { "foo": "bar" } }), "web|1|10m"),
            (json!({ "data": { "foo": "bar" }, "binaryData": { "bin": "" } }), "web|2|10m"),
        ],
    );
    let binding = |kind: &str, subjects: Value| json!({ "roleRef": { "kind": kind, "name": "role-name" }, "subjects": subjects });
    let all = json!([{ "kind": "User", "name": "user-name" }, { "kind": "Group", "name": "group-name" }, { "kind": "ServiceAccount", "name": "sa", "namespace": "ns" }]);
    for (kind, role) in [("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")] {
        let expected = format!("web|{role}/role-name|10m|user-name|group-name|ns/sa");
        assert_eq!(row("rbac.authorization.k8s.io", kind, binding(role, all.clone())), expected);
    }
    let csr = |spec: Value, conditions: &[&str], certificate: &str| {
        let conditions: Vec<Value> = conditions.iter().map(|kind| json!({ "type": kind })).collect();
        json!({ "spec": spec, "status": { "conditions": conditions, "certificate": certificate } })
    };
    let requested = json!({ "username": "R", "signerName": "example.com/s" });
    check(
        "certificates.k8s.io",
        "CertificateSigningRequest",
        vec![
            (json!({}), "web|10m|<none>||<none>|Pending"),
            (csr(json!({ "username": "R" }), &["Approved"], ""), "web|10m|<none>|R|<none>|Approved"),
            (csr(requested.clone(), &["Approved"], ""), "web|10m|example.com/s|R|<none>|Approved"),
            (
                csr(json!({ "username": "R", "expirationSeconds": 608_400 }), &["Approved"], "c"),
                "web|10m|<none>|R|7d1h|Approved,Issued",
            ),
            (csr(requested.clone(), &["Denied"], ""), "web|10m|example.com/s|R|<none>|Denied"),
            (csr(requested, &["Approved", "Failed"], ""), "web|10m|example.com/s|R|<none>|Approved,Failed"),
        ],
    );
    check(
        "coordination.k8s.io",
        "Lease",
        vec![(json!({ "spec": { "holderIdentity": "holder1" } }), "web|holder1|10m")],
    );
    check(
        "scheduling.k8s.io",
        "PriorityClass",
        vec![
            (json!({ "value": 1, "preemptionPolicy": "Never" }), "web|1|false|10m|Never"),
            (
                json!({ "value": 1_000_000_000, "globalDefault": true, "preemptionPolicy": "PreemptLowerPriority" }),
                "web|1000000000|true|10m|PreemptLowerPriority",
            ),
            (json!({ "value": 1_000_000_000, "globalDefault": true }), "web|1000000000|true|10m|"),
        ],
    );
    check("node.k8s.io", "RuntimeClass", vec![(json!({ "handler": "h1" }), "web|h1|10m")]);
    let hard = json!({ "cpu": "100", "memory": "4Gi", "pods": "10", "services": "10", "replicationcontrollers": "10", "resourcequotas": "1", "limits.cpu": "200", "limits.memory": "8Gi" });
    let used = json!({ "cpu": "1", "memory": "1024Mi", "pods": "1", "services": "1", "replicationcontrollers": "1", "resourcequotas": "1", "limits.cpu": "2", "limits.memory": "2Gi" });
    check(
        "",
        "ResourceQuota",
        vec![(
            json!({ "status": { "hard": hard, "used": used } }),
            "web|cpu: 1/100, memory: 1Gi/4Gi, pods: 1/10, replicationcontrollers: 1/10, resourcequotas: 1/1, services: 1/10|limits.cpu: 2/200, limits.memory: 2Gi/8Gi|10m",
        )],
    );
}

#[test]
fn what_extends_and_protects_the_api() {
    let flow = |precedence: i64, method: &str, condition: Option<&str>| {
        let conditions: Vec<Value> =
            condition.map(|status| json!({ "type": "Dangling", "status": status })).into_iter().collect();
        json!({ "spec": { "priorityLevelConfiguration": { "name": "allee" }, "matchingPrecedence": precedence, "distinguisherMethod": { "type": method } }, "status": { "conditions": conditions } })
    };
    check(
        "flowcontrol.apiserver.k8s.io",
        "FlowSchema",
        vec![
            (flow(i64::from(i32::MAX), "ByUser", None), "web|allee|2147483647|ByUser|10m|?"),
            (flow(0, "ByNamespace", Some("True")), "web|allee|0|ByNamespace|10m|True"),
        ],
    );
    let level = |kind: &str, limited: Value| json!({ "spec": { "type": kind, "limited": limited } });
    check(
        "flowcontrol.apiserver.k8s.io",
        "PriorityLevelConfiguration",
        vec![
            (json!({ "spec": { "type": "Exempt" } }), "web|Exempt|<none>|<none>|<none>|<none>|10m"),
            (
                level(
                    "Limited",
                    json!({ "nominalConcurrencyShares": 47, "limitResponse": { "type": "Reject" } }),
                ),
                "web|Limited|47|<none>|<none>|<none>|10m",
            ),
            (
                level(
                    "Limited",
                    json!({ "nominalConcurrencyShares": 42, "limitResponse": { "type": "Queue", "queuing": { "queues": 8, "handSize": 3, "queueLengthLimit": 4 } } }),
                ),
                "web|Limited|42|8|3|4|10m",
            ),
        ],
    );
    check(
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
        vec![(
            json!({ "spec": { "policyName": "test-scale.example.com", "paramRef": { "name": "test-scale-setting.example.com" } } }),
            "web|test-scale.example.com|*/test-scale-setting.example.com|10m",
        )],
    );
    let service = |conditions: Value| json!({ "spec": { "service": { "namespace": "kube-system", "name": "metrics-server" } }, "status": { "conditions": conditions } });
    check(
        "apiregistration.k8s.io",
        "APIService",
        vec![
            (json!({ "spec": {} }), "web|Local|Unknown|10m"),
            (
                service(json!([{ "type": "Available", "status": "True", "reason": "Passed" }])),
                "web|kube-system/metrics-server|True|10m",
            ),
            (
                service(json!([{ "type": "Available", "status": "False", "reason": "MissingEndpoints" }])),
                "web|kube-system/metrics-server|False (MissingEndpoints)|10m",
            ),
        ],
    );
}
