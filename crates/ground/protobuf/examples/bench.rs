//! What it costs to transcode a pod, as one JSON object:
//! `cargo run --release -p mainstay-protobuf --example bench`.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails has nothing to say")]
#![allow(clippy::disallowed_methods, reason = "it measures wall-clock time")]

use std::hint::black_box;
use std::time::Instant;

use mainstay_protobuf::{decode, encode};
use serde_json::{Value, json};

const ROUNDS: u32 = 20_000;

fn main() {
    let json = pod().to_string().into_bytes();
    let protobuf = encode("v1", "Pod", &json).unwrap();
    let encoding = nanoseconds(&|| drop(black_box(encode("v1", "Pod", &json)).unwrap()));
    let decoding = nanoseconds(&|| drop(black_box(decode(&protobuf)).unwrap()));
    let parsing = nanoseconds(&|| drop(black_box(serde_json::from_slice::<Value>(&json)).unwrap()));
    println!("{{");
    println!("  \"json_bytes\": {},", json.len());
    println!("  \"protobuf_bytes\": {},", protobuf.len());
    println!("  \"encode_ns\": {encoding},");
    println!("  \"decode_ns\": {decoding},");
    println!("  \"parse_json_ns\": {parsing}");
    println!("}}");
}

/// What one of many calls takes.
fn nanoseconds(call: &dyn Fn()) -> u128 {
    for _ in 0..ROUNDS / 10 {
        call();
    }
    let started = Instant::now();
    for _ in 0..ROUNDS {
        call();
    }
    started.elapsed().as_nanos() / u128::from(ROUNDS)
}

/// A running pod of a Deployment, as a node left it.
fn pod() -> Value {
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2025-06-01T12:00:03Z"});
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web-7c5ddbdf54-x2m9k", "generateName": "web-7c5ddbdf54-", "namespace": "shop",
            "uid": "5f2b1c8e-0d6b-4d0b-9d0a-2d6f1f6e2a10", "resourceVersion": "48213",
            "creationTimestamp": "2025-06-01T12:00:00Z",
            "labels": {"app": "web", "pod-template-hash": "7c5ddbdf54", "team": "checkout"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7c5ddbdf54", "uid": "0b9b2c0e-8b7e-4f2e-9a55-6c1f0f1c2d3e", "controller": true, "blockOwnerDeletion": true}],
            "managedFields": [{
                "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": "2025-06-01T12:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:metadata": {"f:generateName": {}, "f:labels": {".": {}, "f:app": {}, "f:pod-template-hash": {}}, "f:ownerReferences": {".": {}, "k:{\"uid\":\"0b9b2c0e-8b7e-4f2e-9a55-6c1f0f1c2d3e\"}": {}}}, "f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:image": {}, "f:name": {}, "f:resources": {}}}, "f:dnsPolicy": {}, "f:restartPolicy": {}}},
            }],
        },
        "spec": {
            "nodeName": "ip-10-0-1-23", "serviceAccountName": "default", "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30, "priority": 0, "enableServiceLinks": true,
            "securityContext": {}, "preemptionPolicy": "PreemptLowerPriority",
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            ],
            "containers": [{
                "name": "web", "image": "registry.example/web:1.42", "imagePullPolicy": "IfNotPresent",
                "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                "env": [{"name": "REGION", "value": "eu-west-1"}, {"name": "POD", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}],
                "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3},
                "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}],
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            }],
            "volumes": [{"name": "config", "configMap": {"name": "web", "defaultMode": 420}}],
        },
        "status": {
            "phase": "Running", "hostIP": "10.0.1.23", "podIP": "10.1.4.17", "podIPs": [{"ip": "10.1.4.17"}], "qosClass": "Burstable", "startTime": "2025-06-01T12:00:01Z",
            "conditions": [condition("PodScheduled"), condition("Initialized"), condition("ContainersReady"), condition("Ready")],
            "containerStatuses": [{"name": "web", "image": "registry.example/web:1.42", "imageID": "", "containerID": "sim://42", "ready": true, "started": true, "restartCount": 0, "state": {"running": {"startedAt": "2025-06-01T12:00:02Z"}}, "lastState": {}}],
        },
    })
}
