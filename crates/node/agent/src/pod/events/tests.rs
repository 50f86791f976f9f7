//! The words of failed probes.

use serde_json::{Value, json};

use super::unhealthy;
use crate::bound::BoundPod;
use crate::runtime::{No, Question, Which};

fn message(probe: &Value, question: Question, no: No) -> String {
    let pod: BoundPod = serde_json::from_value(json!({ "spec": { "containers": [
        { "name": "web", "ports": [{ "name": "http", "containerPort": 8080 }], "readinessProbe": probe },
    ]}}))
    .unwrap();
    let probe = pod.spec.containers[0].readiness_probe.clone().unwrap();
    unhealthy(&pod, Which::Main(0), question, (&probe, no), "10.20.4.2").unwrap().message
}

#[test]
fn a_failed_probe_is_told_in_the_words_of_its_sort() {
    let http = json!({ "httpGet": { "path": "/ready", "port": "http" } });
    let tcp = json!({ "tcpSocket": { "port": 5432 } });
    let grpc = json!({ "grpc": { "port": 9000 }, "timeoutSeconds": 2 });
    for (probe, question, no, expected) in [
        (
            &http,
            Question::Readiness,
            No::Denied,
            "Readiness probe failed: HTTP probe failed with statuscode: 503",
        ),
        (
            &http,
            Question::Startup,
            No::Refused,
            "Startup probe failed: Get \"http://10.20.4.2:8080/ready\": dial tcp 10.20.4.2:8080: connect: connection refused",
        ),
        (
            &http,
            Question::Liveness,
            No::Late,
            "Liveness probe failed: Get \"http://10.20.4.2:8080/ready\": context deadline exceeded \
             (Client.Timeout exceeded while awaiting headers)",
        ),
        (
            &tcp,
            Question::Liveness,
            No::Refused,
            "Liveness probe failed: dial tcp 10.20.4.2:5432: connect: connection refused",
        ),
        (&tcp, Question::Liveness, No::Late, "Liveness probe failed: dial tcp 10.20.4.2:5432: i/o timeout"),
        (
            &grpc,
            Question::Readiness,
            No::Denied,
            "Readiness probe failed: service unhealthy (responded with \"NOT_SERVING\")",
        ),
        (
            &grpc,
            Question::Readiness,
            No::Refused,
            "Readiness probe failed: timeout: failed to connect service \"10.20.4.2:9000\" within 2s: context deadline exceeded",
        ),
        (
            &json!({ "exec": { "command": ["ls"] } }),
            Question::Liveness,
            No::Denied,
            "Liveness probe failed: ",
        ),
    ] {
        assert_eq!(message(probe, question, no), expected);
    }
}
