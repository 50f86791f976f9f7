//! Tests of the defaults, kind by kind.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use serde_json::{Value, json};

use super::*;

fn defaulted(group: &str, version: &str, kind: &str, mut object: Value) -> Value {
    apply(group, version, kind, &mut object);
    object
}

fn pod(spec: Value) -> Value {
    defaulted("", "v1", "Pod", json!({ "metadata": { "name": "web" }, "spec": spec }))["spec"].take()
}

#[test]
fn a_bare_pod_gets_what_upstream_writes() {
    let expected = json!({
        "containers": [{
            "name": "web", "image": "nginx", "imagePullPolicy": "Always", "resources": {},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        }],
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": true,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    });
    assert_eq!(pod(json!({ "containers": [{ "name": "web", "image": "nginx" }] })), expected);
}

#[test]
fn only_the_latest_tag_is_pulled_every_time() {
    let cases = [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry.example:5000/nginx", "Always"),
        ("registry.example:5000/team/nginx:v2", "IfNotPresent"),
        ("nginx@sha256:0123", "IfNotPresent"),
        ("nginx:1.27@sha256:0123", "IfNotPresent"),
        ("nginx:latest@sha256:0123", "Always"),
    ];
    for (image, expected) in cases {
        let spec = pod(json!({ "containers": [{ "name": "c", "image": image }] }));
        assert_eq!(spec["containers"][0]["imagePullPolicy"], expected, "{image}");
    }
}

#[test]
fn amounts_are_written_in_their_canonical_form() {
    let amounts = json!({ "cpu": 0.5, "memory": "1024Mi", "ephemeral-storage": "1000M", "example.com/gpu": 2, "tiny": "1u" });
    let canonical = json!({ "cpu": "500m", "memory": "1Gi", "ephemeral-storage": "1G", "example.com/gpu": "2", "tiny": "1m" });
    let spec = pod(json!({
        "containers": [{ "name": "c", "image": "a:1", "resources": { "requests": amounts, "limits": { "cpu": "broken" } },
            "env": [{ "name": "CPU", "valueFrom": { "resourceFieldRef": { "resource": "limits.cpu" } } }] }],
        "overhead": { "cpu": "1000m" },
        "volumes": [{ "name": "v", "emptyDir": { "sizeLimit": "2048Ki" } }],
    }));
    let container = &spec["containers"][0];
    assert_eq!(container["resources"]["requests"], canonical);
    assert_eq!(container["resources"]["limits"]["cpu"], "broken", "left for validation");
    assert_eq!(container["env"][0]["valueFrom"]["resourceFieldRef"]["divisor"], "0");
    assert_eq!(
        (&spec["overhead"]["cpu"], &spec["volumes"][0]["emptyDir"]["sizeLimit"]),
        (&json!("1"), &json!("2Mi"))
    );
    let node = defaulted(
        "",
        "v1",
        "Node",
        json!({ "metadata": {}, "status": { "capacity": { "memory": "16384Mi" } } }),
    );
    assert_eq!(node["status"]["allocatable"]["memory"], "16Gi");
    let claim = json!({ "spec": { "resources": { "requests": { "storage": "1024Mi" } } } });
    let claim = defaulted("", "v1", "PersistentVolumeClaim", claim);
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "1Gi");
    let quota = defaulted("", "v1", "ResourceQuota", json!({ "spec": { "hard": { "cpu": "2000m" } } }));
    assert_eq!(quota["spec"]["hard"]["cpu"], "2");
}

#[test]
fn a_strategy_that_is_named_gets_no_more_of_a_stateful_set() {
    let strategy = |given: Value| {
        defaulted("apps", "v1", "StatefulSet", json!({ "spec": { "updateStrategy": given } }))["spec"]["updateStrategy"].take()
    };
    assert_eq!(strategy(json!({ "type": "RollingUpdate" })), json!({ "type": "RollingUpdate" }));
    assert_eq!(
        strategy(json!({ "type": "RollingUpdate", "rollingUpdate": {} })),
        json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } })
    );
    assert_eq!(strategy(json!({ "type": "OnDelete" })), json!({ "type": "OnDelete" }));
}

#[test]
fn a_service_with_addresses_outside_says_how_traffic_from_there_goes() {
    let service =
        defaulted("", "v1", "Service", json!({ "spec": { "externalIPs": ["1.2.3.4"], "ports": [] } }));
    assert_eq!(service["spec"]["externalTrafficPolicy"], "Cluster");
    let status = json!({ "loadBalancer": { "ingress": [{ "ip": "1.2.3.4" }, { "hostname": "lb" }] } });
    let service =
        defaulted("", "v1", "Service", json!({ "spec": { "type": "LoadBalancer" }, "status": status }));
    assert_eq!(
        service["status"]["loadBalancer"]["ingress"],
        json!([{ "ip": "1.2.3.4", "ipMode": "VIP" }, { "hostname": "lb" }])
    );
}

#[test]
fn a_limit_without_a_request_is_the_request_of_a_pod_but_not_of_a_template() {
    let container = json!({ "name": "c", "image": "a:1", "resources": {
        "limits": { "cpu": "1", "memory": "1Gi" }, "requests": { "cpu": "100m" } } });
    let spec = pod(json!({ "containers": [container] }));
    assert_eq!(spec["containers"][0]["resources"]["requests"], json!({ "cpu": "100m", "memory": "1Gi" }));
    let template = json!({ "spec": { "template": { "spec": { "containers": [container] } } } });
    let object = defaulted("apps", "v1", "ReplicaSet", template);
    let inner = &object["spec"]["template"]["spec"];
    assert_eq!(inner["containers"][0]["resources"]["requests"], json!({ "cpu": "100m" }));
    assert!(inner.get("enableServiceLinks").is_none());
}

#[test]
fn probes_and_hooks_are_completed() {
    let spec = pod(json!({ "hostNetwork": true, "containers": [{
        "name": "c", "image": "a:1",
        "ports": [{ "containerPort": 80 }],
        "livenessProbe": { "httpGet": { "port": 80 }, "timeoutSeconds": 0 },
        "readinessProbe": { "grpc": { "port": 9090 }, "periodSeconds": 3 },
        "lifecycle": { "preStop": { "httpGet": { "port": 80, "path": "/bye" } } },
        "env": [{ "name": "IP", "valueFrom": { "fieldRef": { "fieldPath": "status.podIP" } } }],
    }] }));
    let container = &spec["containers"][0];
    assert_eq!(container["ports"][0], json!({ "containerPort": 80, "hostPort": 80, "protocol": "TCP" }));
    assert_eq!(
        container["livenessProbe"],
        json!({ "httpGet": { "port": 80, "path": "/", "scheme": "HTTP" }, "timeoutSeconds": 1,
            "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3 })
    );
    assert_eq!(container["readinessProbe"]["grpc"], json!({ "port": 9090, "service": "" }));
    assert_eq!(container["readinessProbe"]["periodSeconds"], 3);
    assert_eq!(container["lifecycle"]["preStop"]["httpGet"]["scheme"], "HTTP");
    assert_eq!(container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"], "v1");
}

#[test]
fn volumes_get_a_mode_or_become_empty_directories() {
    let spec = pod(json!({ "containers": [], "volumes": [
        { "name": "scratch" },
        { "name": "config", "configMap": { "name": "app" } },
        { "name": "host", "hostPath": { "path": "/var/log" } },
        { "name": "token", "projected": { "sources": [{ "serviceAccountToken": { "path": "token" } }] } },
    ] }));
    assert_eq!(spec["volumes"][0], json!({ "name": "scratch", "emptyDir": {} }));
    assert_eq!(spec["volumes"][1]["configMap"]["defaultMode"], 420);
    assert_eq!(spec["volumes"][2]["hostPath"]["type"], "");
    let token = &spec["volumes"][3]["projected"];
    assert_eq!(
        (&token["defaultMode"], &token["sources"][0]["serviceAccountToken"]["expirationSeconds"]),
        (&json!(420), &json!(3600))
    );
}

#[test]
fn the_service_account_has_both_its_names() {
    let spec = pod(json!({ "containers": [], "serviceAccount": "robot" }));
    assert_eq!((&spec["serviceAccountName"], &spec["serviceAccount"]), (&json!("robot"), &json!("robot")));
    let spec = pod(json!({ "containers": [], "serviceAccountName": "new", "serviceAccount": "old" }));
    assert_eq!(spec["serviceAccount"], "new");
}

#[test]
fn workloads_get_their_strategies_and_limits() {
    let spec = |group: &str, kind: &str, spec: Value| {
        let mut object = defaulted(group, "v1", kind, json!({ "metadata": {}, "spec": spec }));
        object["spec"].as_object_mut().unwrap().remove("template");
        object["spec"].take()
    };
    let rolling =
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": "25%", "maxSurge": "25%" } });
    assert_eq!(
        spec("apps", "Deployment", json!({})),
        json!({ "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": rolling })
    );
    assert_eq!(
        spec("apps", "Deployment", json!({ "replicas": 0, "strategy": { "type": "Recreate" } }))["strategy"],
        json!({ "type": "Recreate" })
    );
    assert_eq!(spec("apps", "ReplicaSet", json!({ "replicas": 0 })), json!({ "replicas": 0 }));
    assert_eq!(
        spec("apps", "DaemonSet", json!({})),
        json!({ "revisionHistoryLimit": 10, "updateStrategy": {
            "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1, "maxSurge": 0 } } })
    );
    assert_eq!(
        spec("apps", "StatefulSet", json!({})),
        json!({ "replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } },
            "persistentVolumeClaimRetentionPolicy": { "whenDeleted": "Retain", "whenScaled": "Retain" } })
    );
    assert_eq!(
        spec("batch", "Job", json!({})),
        json!({ "completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed",
            "suspend": false, "manualSelector": false, "podReplacementPolicy": "TerminatingOrFailed" })
    );
    assert!(spec("batch", "Job", json!({ "parallelism": 3 })).get("completions").is_none());
    assert_eq!(
        spec("batch", "CronJob", json!({ "schedule": "@daily" })),
        json!({ "schedule": "@daily", "concurrencyPolicy": "Allow", "suspend": false,
            "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1 })
    );
}

#[test]
fn a_job_is_labelled_like_its_pods() {
    let job = json!({ "spec": { "template": { "metadata": { "labels": { "app": "x" } } } } });
    assert_eq!(defaulted("batch", "v1", "Job", job)["metadata"]["labels"], json!({ "app": "x" }));
}

#[test]
fn services_are_completed_by_their_type() {
    let service = |spec: Value| defaulted("", "v1", "Service", json!({ "spec": spec }))["spec"].take();
    assert_eq!(
        service(
            json!({ "ports": [{ "port": 80 }, { "port": 443, "targetPort": "https", "protocol": "UDP" }] })
        ),
        json!({ "type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster", "ports": [
            { "port": 80, "targetPort": 80, "protocol": "TCP" },
            { "port": 443, "targetPort": "https", "protocol": "UDP" } ] })
    );
    let balanced = service(json!({ "type": "LoadBalancer", "sessionAffinity": "ClientIP" }));
    assert_eq!(balanced["externalTrafficPolicy"], "Cluster");
    assert_eq!(balanced["allocateLoadBalancerNodePorts"], true);
    assert_eq!(balanced["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"], 10_800);
    assert!(
        service(json!({ "type": "ExternalName", "externalName": "a.b" }))
            .get("internalTrafficPolicy")
            .is_none()
    );
}

#[test]
fn a_network_policy_governs_the_directions_it_has_rules_for() {
    let types = |spec: Value| {
        defaulted("networking.k8s.io", "v1", "NetworkPolicy", json!({ "spec": spec }))["spec"]["policyTypes"]
            .take()
    };
    assert_eq!(types(json!({ "podSelector": {} })), json!(["Ingress"]));
    assert_eq!(types(json!({ "egress": [{}] })), json!(["Ingress", "Egress"]));
    assert_eq!(types(json!({ "egress": [{}], "policyTypes": ["Egress"] })), json!(["Egress"]));
}

#[test]
fn small_kinds_get_theirs() {
    let namespace = defaulted("", "v1", "Namespace", json!({ "metadata": { "name": "shop" } }));
    assert_eq!(namespace["metadata"]["labels"], json!({ "kubernetes.io/metadata.name": "shop" }));
    let secret = defaulted("", "v1", "Secret", json!({ "stringData": { "user": "admin" } }));
    assert_eq!(secret, json!({ "type": "Opaque", "data": { "user": "YWRtaW4=" } }));
    let class = defaulted("storage.k8s.io", "v1", "StorageClass", json!({ "provisioner": "x" }));
    assert_eq!(
        (&class["reclaimPolicy"], &class["volumeBindingMode"]),
        (&json!("Delete"), &json!("Immediate"))
    );
    let definition = json!({ "spec": { "names": { "kind": "NodeClaim", "plural": "nodeclaims" } } });
    let definition = defaulted("apiextensions.k8s.io", "v1", "CustomResourceDefinition", definition);
    assert_eq!(
        definition["spec"],
        json!({ "names": { "kind": "NodeClaim", "plural": "nodeclaims", "singular": "nodeclaim",
            "listKind": "NodeClaimList" }, "conversion": { "strategy": "None" } })
    );
    let binding = json!({ "roleRef": { "name": "view" }, "subjects": [{ "kind": "User" }, { "kind": "ServiceAccount" }] });
    let binding = defaulted("rbac.authorization.k8s.io", "v1", "RoleBinding", binding);
    assert_eq!(binding["roleRef"]["apiGroup"], "rbac.authorization.k8s.io");
    assert_eq!(binding["subjects"][0]["apiGroup"], "rbac.authorization.k8s.io");
    assert!(binding["subjects"][1].get("apiGroup").is_none());
}

#[test]
fn nulls_are_absent_fields() {
    let object = json!({ "metadata": { "creationTimestamp": null, "name": "a" }, "data": { "k": "v" } });
    assert_eq!(
        defaulted("", "v1", "ConfigMap", object),
        json!({ "metadata": { "name": "a" }, "data": { "k": "v" } })
    );
}

#[test]
fn custom_resources_are_left_alone() {
    let mut info = ResourceInfo::built_in("apps", "v1", "deployments", "Deployment", true);
    info.origin = Origin::Custom { definition: "deployments.apps".into() };
    let mut object = json!({ "spec": { "x": null } });
    apply_defaults(&info, &mut object);
    assert_eq!(object, json!({ "spec": { "x": null } }));
}

proptest::proptest! {
    #[test]
    fn applying_defaults_twice_is_applying_them_once(mut once in crate::arbitrary::object(), row in 0_usize..100) {
        let rows = crate::kinds::built_in();
        let info = &rows[row % rows.len()];
        apply_defaults(info, &mut once);
        let mut twice = once.clone();
        apply_defaults(info, &mut twice);
        proptest::prop_assert_eq!(once, twice);
    }
}
