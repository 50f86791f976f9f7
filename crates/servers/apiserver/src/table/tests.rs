//! Tests of the rows: what `kubectl get` and `kubectl get -o wide` show.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

mod columns;
mod pods;
mod printers;

use serde_json::{Value, json};

use super::*;
use crate::kinds;
use crate::registry::{CustomVersion, Origin, PrinterColumn, Registry};

/// 2026-01-01T00:10:00Z: ten minutes after everything was made.
fn options() -> Options {
    Options { include: Include::None, now: "2026-01-01T00:10:00Z".parse().expect("a time") }
}

fn info(group: &str, kind: &str) -> ResourceInfo {
    let snapshot = Registry::new(kinds::built_in()).snapshot();
    let mut found =
        snapshot.resources().iter().rev().filter(|info| &*info.group == group && &*info.kind == kind);
    ResourceInfo::clone(found.next().expect(kind))
}

fn table(info: &ResourceInfo, mut object: Value) -> Value {
    object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    if object["metadata"].get("name").is_none() {
        object["metadata"]["name"] = json!("web");
    }
    object["kind"] = json!(&*info.kind);
    object["apiVersion"] = json!(&*info.storage.api_version);
    serde_json::from_slice(&of_object(info, &encode::json(&object), options())).expect("a table is JSON")
}

/// The cells of a row, joined by bars.
fn row(group: &str, kind: &str, object: Value) -> String {
    let table = table(&info(group, kind), object);
    let cells = table["rows"][0]["cells"].as_array().expect("a row has cells");
    assert_eq!(cells.len(), table["columnDefinitions"].as_array().expect("columns").len());
    let plain = |cell: &Value| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
    cells.iter().map(plain).collect::<Vec<_>>().join("|")
}

fn pod(spec: Value, status: Value) -> Value {
    json!({ "metadata": { "name": "web-1" }, "spec": spec, "status": status })
}

fn one() -> Value {
    json!({ "nodeName": "n1", "containers": [{ "name": "c" }] })
}

fn running(ready: bool, restarts: i64) -> Value {
    json!({ "name": "c", "ready": ready, "restartCount": restarts, "state": { "running": {} } })
}

#[test]
fn a_pods_status_is_what_upstream_prints() {
    let statuses = [
        ("Pending", json!({ "phase": "Pending" }), "0/1"),
        ("Running", json!({ "phase": "Running", "containerStatuses": [running(true, 0)] }), "1/1"),
        ("Running", json!({ "phase": "Running", "containerStatuses": [running(false, 0)] }), "0/1"),
        (
            "ContainerCreating",
            json!({ "phase": "Pending", "containerStatuses": [{ "name": "c", "state": { "waiting": { "reason": "ContainerCreating" } } }] }),
            "0/1",
        ),
        (
            "CrashLoopBackOff",
            json!({ "phase": "Running", "containerStatuses": [{ "name": "c", "state": { "waiting": { "reason": "CrashLoopBackOff" } } }] }),
            "0/1",
        ),
        (
            "Completed",
            json!({ "phase": "Succeeded", "containerStatuses": [{ "name": "c", "state": { "terminated": { "reason": "Completed", "exitCode": 0 } } }] }),
            "0/1",
        ),
        (
            "Error",
            json!({ "phase": "Failed", "containerStatuses": [{ "name": "c", "state": { "terminated": { "reason": "Error", "exitCode": 1 } } }] }),
            "0/1",
        ),
        (
            "Signal:9",
            json!({ "phase": "Failed", "containerStatuses": [{ "name": "c", "state": { "terminated": { "signal": 9, "exitCode": 137 } } }] }),
            "0/1",
        ),
        (
            "ExitCode:2",
            json!({ "phase": "Failed", "containerStatuses": [{ "name": "c", "state": { "terminated": { "exitCode": 2 } } }] }),
            "0/1",
        ),
        ("Evicted", json!({ "phase": "Failed", "reason": "Evicted" }), "0/1"),
        (
            "SchedulingGated",
            json!({ "phase": "Pending", "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "SchedulingGated" }] }),
            "0/1",
        ),
    ];
    for (expected, status, ready) in statuses {
        let row = row("", "Pod", pod(one(), status));
        assert_eq!(row, format!("web-1|{ready}|{expected}|0|10m|<none>|n1|<none>|<none>"));
    }
}

#[test]
fn a_pod_that_is_being_deleted_is_terminating_or_lost() {
    let deleted = |status: Value| {
        let mut pod = pod(one(), status);
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:05:00Z");
        row("", "Pod", pod).split('|').nth(2).map(str::to_owned)
    };
    assert_eq!(deleted(json!({ "phase": "Running" })).as_deref(), Some("Terminating"));
    assert_eq!(deleted(json!({ "phase": "Running", "reason": "NodeLost" })).as_deref(), Some("Unknown"));
    assert_eq!(deleted(json!({ "phase": "Succeeded" })).as_deref(), Some("Succeeded"));
}

#[test]
fn init_containers_are_counted_until_they_are_done() {
    let spec =
        json!({ "containers": [{ "name": "c" }], "initContainers": [{ "name": "a" }, { "name": "b" }] });
    let done = json!({ "name": "a", "state": { "terminated": { "exitCode": 0, "reason": "Completed" } } });
    let status = |second: Value| {
        let status = json!({ "phase": "Pending", "initContainerStatuses": [done, second] });
        row("", "Pod", pod(spec.clone(), status)).split('|').nth(2).map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(status(json!({ "name": "b", "state": { "running": {} } })), "Init:1/2");
    assert_eq!(
        status(json!({ "name": "b", "state": { "waiting": { "reason": "PodInitializing" } } })),
        "Init:1/2"
    );
    assert_eq!(
        status(json!({ "name": "b", "state": { "waiting": { "reason": "ErrImagePull" } } })),
        "Init:ErrImagePull"
    );
    assert_eq!(
        status(json!({ "name": "b", "state": { "terminated": { "exitCode": 1, "reason": "Error" } } })),
        "Init:Error"
    );
    assert_eq!(
        status(json!({ "name": "b", "state": { "terminated": { "exitCode": 3 } } })),
        "Init:ExitCode:3"
    );
}

#[test]
fn a_sidecar_counts_as_a_container() {
    let spec = json!({ "containers": [{ "name": "c" }], "initContainers": [{ "name": "proxy", "restartPolicy": "Always" }] });
    let status = json!({ "phase": "Running", "containerStatuses": [running(true, 0)],
        "initContainerStatuses": [{ "name": "proxy", "started": true, "ready": true, "restartCount": 2, "state": { "running": {} } }] });
    assert!(row("", "Pod", pod(spec, status)).starts_with("web-1|2/2|Running|2|"));
}

#[test]
fn restarts_say_when_the_last_one_was_and_gates_how_many_are_open() {
    let spec = json!({ "containers": [{ "name": "c" }], "readinessGates": [{ "conditionType": "a" }, { "conditionType": "b" }] });
    let mut container = running(true, 3);
    container["lastState"] = json!({ "terminated": { "finishedAt": "2026-01-01T00:08:00Z" } });
    let status = json!({ "phase": "Running", "podIP": "10.0.0.7", "nominatedNodeName": "n2", "containerStatuses": [container],
        "conditions": [{ "type": "a", "status": "True" }, { "type": "b", "status": "False" }] });
    assert_eq!(row("", "Pod", pod(spec, status)), "web-1|1/1|Running|3 (2m ago)|10m|10.0.0.7|<none>|n2|1/2");
}

#[test]
fn a_pod_that_is_over_says_so_in_its_row() {
    let table = table(&info("", "Pod"), pod(one(), json!({ "phase": "Succeeded" })));
    assert_eq!(table["rows"][0]["conditions"][0]["reason"], "Succeeded");
}

#[test]
fn workloads_show_their_counts() {
    let template = json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [
        { "name": "a", "image": "x:1" }, { "name": "b", "image": "y:2" }], "nodeSelector": { "disk": "ssd" } } });
    let selector = json!({ "matchLabels": { "app": "web" } });
    let spec = json!({ "replicas": 3, "selector": selector, "template": template });
    let status = json!({ "replicas": 3, "readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1,
        "desiredNumberScheduled": 5, "currentNumberScheduled": 4, "numberReady": 3, "updatedNumberScheduled": 2, "numberAvailable": 1 });
    let object = json!({ "spec": spec, "status": status });
    let show = |kind: &str| row("apps", kind, object.clone());
    assert_eq!(show("Deployment"), "web|2/3|3|1|10m|a,b|x:1,y:2|app=web");
    assert_eq!(show("ReplicaSet"), "web|3|3|2|10m|a,b|x:1,y:2|app=web");
    assert_eq!(show("StatefulSet"), "web|2/3|10m|a,b|x:1,y:2");
    assert_eq!(show("DaemonSet"), "web|5|4|3|2|1|disk=ssd|10m|a,b|x:1,y:2|app=web");
    assert_eq!(row("apps", "Deployment", json!({})), "web|0/0|0|0|10m|||");
}

#[test]
fn jobs_show_how_far_they_are() {
    let job = json!({ "spec": { "completions": 3 }, "status": { "succeeded": 3, "startTime": "2026-01-01T00:00:00Z",
        "completionTime": "2026-01-01T00:01:30Z", "conditions": [{ "type": "Complete", "status": "True" }] } });
    assert_eq!(row("batch", "Job", job), "web|Complete|3/3|90s|10m|||<none>");
    let job = json!({ "spec": { "parallelism": 2 }, "status": { "startTime": "2026-01-01T00:05:00Z" } });
    assert_eq!(row("batch", "Job", job), "web|Running|0/1 of 2|5m|10m|||<none>");
    let cron = json!({ "spec": { "schedule": "*/5 * * * *", "suspend": false }, "status": { "active": [{}], "lastScheduleTime": "2026-01-01T00:05:00Z" } });
    assert_eq!(row("batch", "CronJob", cron), "web|*/5 * * * *|<none>|False|1|5m|10m|||<none>");
}

#[test]
fn nodes_show_readiness_roles_and_addresses() {
    let node = json!({
        "metadata": { "name": "n1", "labels": { "node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge" } },
        "spec": { "unschedulable": true },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }], "nodeInfo": { "kubeletVersion": "v1.33.5", "osImage": "Linux" },
            "addresses": [{ "type": "InternalIP", "address": "10.0.0.1" }] },
    });
    assert_eq!(
        row("", "Node", node),
        "n1|Ready,SchedulingDisabled|edge,worker|10m|v1.33.5|10.0.0.1|<none>|Linux|<unknown>|<unknown>"
    );
    assert!(row("", "Node", json!({})).starts_with("web|Unknown|<none>|10m|"));
    let lost = json!({ "status": { "conditions": [{ "type": "Ready", "status": "Unknown" }] } });
    assert!(row("", "Node", lost).starts_with("web|NotReady|"));
}

#[test]
fn services_and_their_endpoints_show_where_traffic_goes() {
    let service = json!({ "spec": { "type": "NodePort", "clusterIP": "10.96.1.0", "selector": { "app": "web" },
        "ports": [{ "port": 80, "nodePort": 30_000, "protocol": "TCP" }, { "port": 53, "protocol": "UDP" }] } });
    assert_eq!(row("", "Service", service), "web|NodePort|10.96.1.0|<none>|80:30000/TCP,53/UDP|10m|app=web");
    let balanced = json!({ "spec": { "type": "LoadBalancer", "clusterIP": "10.96.1.0", "ports": [] } });
    assert_eq!(row("", "Service", balanced), "web|LoadBalancer|10.96.1.0|<pending>|<none>|10m|<none>");
    let external = json!({ "spec": { "type": "ExternalName", "externalName": "db.example.com" } });
    assert_eq!(row("", "Service", external), "web|ExternalName|<none>|db.example.com|<none>|10m|<none>");
    let addresses: Vec<Value> = (1..=5).map(|n| json!({ "ip": format!("10.0.0.{n}") })).collect();
    let endpoints = json!({ "subsets": [{ "addresses": addresses, "ports": [{ "port": 80 }] }] });
    assert_eq!(row("", "Endpoints", endpoints), "web|10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...|10m");
    let slice = json!({ "addressType": "IPv4", "ports": [{ "port": 80 }], "endpoints": [{ "addresses": ["10.0.0.1"] }] });
    assert_eq!(row("discovery.k8s.io", "EndpointSlice", slice), "web|IPv4|80|10.0.0.1|10m");
    let ingress = json!({ "spec": { "ingressClassName": "istio", "tls": [{}], "rules": [{ "host": "shop.example.com" }] },
        "status": { "loadBalancer": { "ingress": [{ "hostname": "lb" }] } } });
    assert_eq!(row("networking.k8s.io", "Ingress", ingress), "web|istio|shop.example.com|lb|80, 443|10m");
    assert_eq!(
        row("networking.k8s.io", "NetworkPolicy", json!({ "spec": { "podSelector": {} } })),
        "web|<none>|10m"
    );
}

#[test]
fn configuration_shows_how_much_there_is() {
    assert_eq!(row("", "ConfigMap", json!({ "data": { "a": "" }, "binaryData": { "b": "" } })), "web|2|10m");
    assert_eq!(row("", "Secret", json!({ "type": "Opaque", "data": { "a": "" } })), "web|Opaque|1|10m");
    assert_eq!(row("", "Namespace", json!({ "status": { "phase": "Active" } })), "web|Active|10m");
    assert_eq!(row("", "ServiceAccount", json!({})), "web|0|10m");
    assert_eq!(
        row("coordination.k8s.io", "Lease", json!({ "spec": { "holderIdentity": "n1" } })),
        "web|n1|10m"
    );
    let definition = row("apiextensions.k8s.io", "CustomResourceDefinition", json!({}));
    assert_eq!(definition, "web|2026-01-01T00:00:00Z");
    let quota = json!({ "status": { "hard": { "pods": "10", "limits.cpu": "4" }, "used": { "pods": "3" } } });
    assert_eq!(row("", "ResourceQuota", quota), "web|pods: 3/10|limits.cpu: 0/4|10m");
}

#[test]
fn events_say_when_and_about_what() {
    let event = json!({ "involvedObject": { "kind": "Pod", "name": "web-1" }, "reason": "Started", "type": "Normal",
        "message": "Started container\n", "count": 3, "source": { "component": "kubelet", "host": "n1" },
        "firstTimestamp": "2026-01-01T00:01:00Z", "lastTimestamp": "2026-01-01T00:09:30Z" });
    let expected = "30s|Normal|Started|pod/web-1||kubelet, n1|Started container|9m|3|web";
    assert_eq!(row("", "Event", event.clone()), expected);
    assert_eq!(row("events.k8s.io", "Event", event), expected);
}

#[test]
fn storage_and_policy_show_theirs() {
    let claim = json!({ "spec": { "volumeName": "pv1", "storageClassName": "gp3", "volumeMode": "Filesystem" },
        "status": { "phase": "Bound", "capacity": { "storage": "10Gi" }, "accessModes": ["ReadWriteOnce"] } });
    assert_eq!(row("", "PersistentVolumeClaim", claim), "web|Bound|pv1|10Gi|RWO|gp3|<unset>|10m|Filesystem");
    let class = json!({ "provisioner": "ebs", "metadata": { "annotations": { "storageclass.kubernetes.io/is-default-class": "true" } } });
    assert_eq!(row("storage.k8s.io", "StorageClass", class), "web (default)|ebs|Delete|Immediate|false|10m");
    let autoscaler = json!({ "spec": { "scaleTargetRef": { "kind": "Deployment", "name": "web" }, "minReplicas": 2, "maxReplicas": 9,
        "metrics": [{ "type": "Resource", "resource": { "name": "cpu", "target": { "averageUtilization": 80 } } }] },
        "status": { "currentReplicas": 4 } });
    assert_eq!(
        row("autoscaling", "HorizontalPodAutoscaler", autoscaler),
        "web|Deployment/web|cpu: <unknown>/80%|2|9|4|10m"
    );
    let budget = json!({ "spec": { "minAvailable": "50%" }, "status": { "disruptionsAllowed": 1 } });
    assert_eq!(row("policy", "PodDisruptionBudget", budget), "web|50%|N/A|1|10m");
}

fn custom(columns: Vec<PrinterColumn>) -> ResourceInfo {
    let mut info = ResourceInfo::built_in("mainstay.dev", "v1alpha1", "nodeclaims", "NodeClaim", false);
    info.origin = Origin::Custom { definition: "nodeclaims.mainstay.dev".into() };
    info.custom = Some(std::sync::Arc::new(CustomVersion { columns, ..CustomVersion::default() }));
    info
}

#[test]
fn custom_resources_have_the_columns_of_their_definition() {
    let column = |name: &str, kind: &str, path: &str| PrinterColumn {
        name: name.to_owned(),
        kind: kind.to_owned(),
        format: String::new(),
        description: String::new(),
        priority: 0,
        path: path.to_owned(),
    };
    let info = custom(vec![
        column("Zone", "string", ".spec.zone"),
        column("Count", "integer", ".spec.count"),
        column("Ready", "string", r#".status.conditions[?(@.type=="Ready")].status"#),
        column("Age", "date", ".metadata.creationTimestamp"),
        column("Absent", "string", ".status.absent"),
    ]);
    let object = json!({ "spec": { "zone": "a", "count": 3 }, "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
    let table = table(&info, object);
    assert_eq!(table["rows"][0]["cells"], json!(["web", "a", 3, "True", "10m", null]));
    assert_eq!(
        table["columnDefinitions"][2],
        json!({ "name": "Count", "type": "integer", "format": "", "description": "", "priority": 0 })
    );
    let plain = self::table(&custom(Vec::new()), json!({}));
    assert_eq!(plain["rows"][0]["cells"], json!(["web", "10m"]));
    assert_eq!(plain["columnDefinitions"][1]["name"], "Age");
}

#[test]
fn the_object_beside_the_cells_is_what_was_asked_for() {
    let info = info("", "ConfigMap");
    let stored = encode::json(
        &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "resourceVersion": "7" }, "data": { "k": "v" } }),
    );
    let beside = |include: &str| {
        let include = Include::parse(Some(include)).expect("it is one");
        let table: Value =
            serde_json::from_slice(&of_object(&info, &stored, Options { include, ..options() }))
                .expect("JSON");
        table
    };
    assert!(beside("None")["rows"][0].get("object").is_none());
    assert_eq!(beside("Metadata")["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(beside("Object")["rows"][0]["object"]["data"]["k"], "v");
    assert_eq!(beside("None")["metadata"]["resourceVersion"], "7");
    assert_eq!(Include::parse(Some("Everything")), None);
}

#[test]
fn only_the_first_table_of_a_watch_has_columns() {
    let info = info("", "ConfigMap");
    let stored = encode::json(&json!({ "metadata": { "name": "a" } }));
    let parse = |bytes: Bytes| serde_json::from_slice::<Value>(&bytes).expect("JSON");
    assert!(parse(of_event(&info, &stored, options(), true))["columnDefinitions"].is_array());
    assert!(parse(of_event(&info, &stored, options(), false))["columnDefinitions"].is_null());
}
