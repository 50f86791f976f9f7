//! Tests of the validation: one wrong thing each, in upstream's words.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use serde_json::{Value, json};

use super::*;
use crate::defaults::apply_defaults;
use crate::kinds;
use crate::registry::Registry;

mod quotas;

fn info(kind: &str) -> ResourceInfo {
    let snapshot = Registry::new(kinds::built_in()).snapshot();
    let found = snapshot.resources().iter().find(|info| &*info.kind == kind).expect(kind);
    ResourceInfo::clone(found)
}

fn said(causes: &[Cause]) -> Vec<String> {
    causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect()
}

fn made(kind: &str, mut object: Value) -> Vec<String> {
    let info = info(kind);
    apply_defaults(&info, &mut object);
    said(&create(&info, &object))
}

fn changed(kind: &str, live: &Value, edit: impl FnOnce(&mut Value)) -> Vec<String> {
    let info = info(kind);
    let mut live = live.clone();
    apply_defaults(&info, &mut live);
    let mut object = live.clone();
    edit(&mut object);
    said(&update(&info, &live, &object, None))
}

fn deployment() -> Value {
    json!({ "metadata": { "name": "web" }, "spec": {
        "selector": { "matchLabels": { "app": "web" } },
        "template": { "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [{ "name": "c", "image": "a" }] } },
    } })
}

fn pod(container: Value) -> Value {
    json!({ "metadata": { "name": "web" }, "spec": { "containers": [container] } })
}

#[test]
fn what_is_right_is_let_through() {
    assert_eq!(made("Deployment", deployment()), [""; 0]);
    let full = json!({ "name": "c", "image": "a:1", "ports": [{ "containerPort": 80, "name": "http" }],
        "resources": { "limits": { "cpu": "1" }, "requests": { "cpu": "500m", "memory": "1Gi" } },
        "readinessProbe": { "httpGet": { "port": "http" } } });
    assert_eq!(made("Pod", pod(full)), [""; 0]);
    let service = json!({ "metadata": { "name": "web" }, "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] } });
    assert_eq!(made("Service", service), [""; 0]);
}

#[test]
fn a_stateful_sets_pods_may_mount_its_claims() {
    let mut set = deployment();
    set["spec"]["volumeClaimTemplates"] = json!([{ "metadata": { "name": "data" } }]);
    set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
        json!([{ "name": "data", "mountPath": "/data" }]);
    assert_eq!(made("StatefulSet", set.clone()), [""; 0]);
    set["spec"]["template"]["spec"]["activeDeadlineSeconds"] = json!(60);
    let why = "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported";
    assert_eq!(made("StatefulSet", set), [why]);
}

#[test]
fn a_selector_must_match_the_template() {
    let mut object = deployment();
    object["spec"]["template"]["metadata"]["labels"]["app"] = json!("other");
    assert_eq!(
        made("Deployment", object),
        [
            r#"spec.template.metadata.labels: Invalid value: map[string]string{"app":"other"}: `selector` does not match template `labels`"#
        ]
    );
    let mut object = deployment();
    object["spec"]["selector"] = json!({});
    assert_eq!(
        made("Deployment", object),
        ["spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), \
          MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment"]
    );
    let mut object = deployment();
    object["spec"].as_object_mut().unwrap().remove("selector");
    assert_eq!(made("Deployment", object), ["spec.selector: Required value"]);
}

#[test]
fn counts_are_not_negative_and_strategies_end() {
    let case = |edit: fn(&mut Value)| {
        let mut object = deployment();
        edit(&mut object["spec"]);
        made("Deployment", object)
    };
    assert_eq!(
        case(|spec| spec["replicas"] = json!(-1)),
        ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]
    );
    assert_eq!(
        case(|spec| spec["strategy"] = json!({ "type": "Recreate", "rollingUpdate": { "maxSurge": 1 } })),
        ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]
    );
    assert_eq!(
        case(|spec| spec["strategy"] = json!({ "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 0 } })),
        ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"]
    );
    assert_eq!(
        case(|spec| spec["progressDeadlineSeconds"] = json!(0)),
        ["spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds"]
    );
    assert_eq!(
        case(|spec| spec["template"]["spec"]["restartPolicy"] = json!("Never")),
        [r#"spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#]
    );
}

#[test]
fn containers_are_checked_one_by_one() {
    assert_eq!(made("Pod", json!({ "spec": {} })), ["spec.containers: Required value"]);
    let cases = [
        (json!({ "image": "a" }), "spec.containers[0].name: Required value"),
        (json!({ "name": "c" }), "spec.containers[0].image: Required value"),
        (
            json!({ "name": "c", "image": "a", "ports": [{ "containerPort": 70_000 }] }),
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            json!({ "name": "c", "image": "a", "imagePullPolicy": "Sometimes" }),
            r#"spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#,
        ),
        (
            json!({ "name": "c", "image": "a", "resources": { "limits": { "cpu": "1" }, "requests": { "cpu": "2" } } }),
            r#"spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#,
        ),
        (
            json!({ "name": "c", "image": "a", "volumeMounts": [{ "name": "data", "mountPath": "/data" }] }),
            r#"spec.containers[0].volumeMounts[0].name: Not found: "data""#,
        ),
        (
            json!({ "name": "c", "image": "a", "livenessProbe": {} }),
            "spec.containers[0].livenessProbe: Required value: must specify a handler type",
        ),
    ];
    for (container, expected) in cases {
        assert_eq!(made("Pod", pod(container)), [expected]);
    }
    let twice =
        json!({ "spec": { "containers": [{ "name": "c", "image": "a" }, { "name": "c", "image": "b" }] } });
    assert_eq!(made("Pod", twice), [r#"spec.containers[1].name: Duplicate value: "c""#]);
}

#[test]
fn jobs_do_not_restart_for_ever() {
    let template = json!({ "spec": { "containers": [{ "name": "c", "image": "a" }] } });
    let job = json!({ "metadata": { "name": "j" }, "spec": { "template": template } });
    assert_eq!(
        made("Job", job),
        [r#"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#]
    );
    let cron = json!({ "metadata": { "name": "c" }, "spec": { "schedule": "* * *", "jobTemplate": { "spec": {
        "template": { "spec": { "restartPolicy": "Never", "containers": [{ "name": "c", "image": "a" }] } } } } } });
    assert_eq!(
        made("CronJob", cron),
        [r#"spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]"#]
    );
}

#[test]
fn schedules_and_time_zones_are_read_before_they_are_kept() {
    let cron = |schedule: &str, zone: Value| {
        let template =
            json!({ "spec": { "restartPolicy": "Never", "containers": [{ "name": "c", "image": "a" }] } });
        made(
            "CronJob",
            json!({ "metadata": { "name": "c" }, "spec": { "schedule": schedule, "timeZone": zone,
            "jobTemplate": { "spec": { "template": template } } } }),
        )
    };
    for (schedule, zone) in
        [("*/5 * * * *", json!(null)), ("@every 1h", json!("Asia/Tokyo")), ("0 0 ? JAN sun", json!("UTC"))]
    {
        assert_eq!(cron(schedule, zone), [""; 0], "{schedule}");
    }
    for (schedule, zone, expected) in [
        (
            "61 * * * *",
            json!(null),
            r#"spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61"#,
        ),
        ("@often", json!(null), r#"spec.schedule: Invalid value: "@often": unrecognized descriptor: @often"#),
        (
            "TZ=UTC * * * * *",
            json!(null),
            r#"spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"#,
        ),
        ("@daily", json!("Mars"), r#"spec.timeZone: Invalid value: "Mars": unknown time zone Mars"#),
        (
            "@daily",
            json!(""),
            r#"spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string"#,
        ),
        (
            "@daily",
            json!("local"),
            r#"spec.timeZone: Invalid value: "local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"#,
        ),
    ] {
        assert_eq!(cron(schedule, zone), [expected]);
    }
}

#[test]
fn services_need_ports_and_names_for_them() {
    assert_eq!(made("Service", json!({ "spec": {} })), ["spec.ports: Required value"]);
    assert_eq!(made("Service", json!({ "spec": { "clusterIP": "None" } })), [""; 0]);
    assert_eq!(
        made("Service", json!({ "spec": { "ports": [{ "port": 80, "name": "a" }, { "port": 81 }] } })),
        ["spec.ports[1].name: Required value"]
    );
    assert_eq!(
        made("Service", json!({ "spec": { "ports": [{ "port": 0 }] } })),
        [
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive"
        ]
    );
}

#[test]
fn small_kinds_are_checked() {
    assert_eq!(
        made("ConfigMap", json!({ "data": { "a b": "" } })),
        [
            "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' \
          (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        ]
    );
    let autoscaler = json!({ "spec": { "scaleTargetRef": { "kind": "Deployment", "name": "web" }, "minReplicas": 3, "maxReplicas": 2 } });
    assert_eq!(
        made("HorizontalPodAutoscaler", autoscaler),
        ["spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`"]
    );
    assert_eq!(
        made("Lease", json!({ "spec": { "leaseDurationSeconds": 0 } })),
        ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"]
    );
    let ingress = json!({ "spec": { "rules": [{ "http": { "paths": [{ "path": "/", "backend": { "service": {} } }] } }] } });
    assert_eq!(
        made("Ingress", ingress),
        ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"]
    );
}

#[test]
fn a_selector_does_not_change() {
    let said = changed("Deployment", &deployment(), |object| {
        object["spec"]["selector"]["matchLabels"]["tier"] = json!("web");
        object["spec"]["template"]["metadata"]["labels"]["tier"] = json!("web");
    });
    assert_eq!(
        said,
        [
            r#"spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"web", "tier":"web"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable"#
        ]
    );
    assert_eq!(changed("Deployment", &deployment(), |object| object["spec"]["replicas"] = json!(5)), [""; 0]);
}

#[test]
fn a_pod_changes_its_images_only() {
    let live = pod(json!({ "name": "c", "image": "a:1" }));
    assert_eq!(changed("Pod", &live, |pod| pod["spec"]["containers"][0]["image"] = json!("a:2")), [""; 0]);
    let said = changed("Pod", &live, |pod| pod["spec"]["containers"][0]["command"] = json!(["sh"]));
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("spec: Forbidden: pod updates may not change fields other than"), "{said:?}");
    assert_eq!(changed("Pod", &live, |pod| pod["metadata"]["labels"] = json!({ "a": "b" })), [""; 0]);
}

#[test]
fn what_was_declared_immutable_stays() {
    let live = json!({ "data": { "a": "1" }, "immutable": true });
    assert_eq!(
        changed("ConfigMap", &live, |map| map["data"]["a"] = json!("2")),
        ["data: Forbidden: field is immutable when `immutable` is set"]
    );
    let live = json!({ "data": {}, "type": "Opaque" });
    assert_eq!(
        changed("Secret", &live, |secret| secret["type"] = json!("kubernetes.io/tls")),
        [r#"type: Invalid value: "kubernetes.io/tls": field is immutable"#]
    );
    let live = json!({ "spec": { "clusterIP": "10.96.1.0", "clusterIPs": ["10.96.1.0"], "ports": [{ "port": 80 }] } });
    assert_eq!(
        changed("Service", &live, |service| {
            service["spec"]["clusterIP"] = json!("10.96.1.1");
            service["spec"]["clusterIPs"] = json!(["10.96.1.1"]);
        }),
        [r#"spec.clusterIPs[0]: Invalid value: ["10.96.1.1"]: may not change once set"#]
    );
}

#[test]
fn status_and_binding_are_not_checked_as_a_change_of_the_spec() {
    let info = info("Pod");
    let live = pod(json!({ "name": "c", "image": "a:1" }));
    let mut object = live.clone();
    object["spec"]["nodeName"] = json!("n1");
    assert_eq!(update(&info, &live, &object, Some(&Action::Binding)), []);
    assert_ne!(update(&info, &live, &object, None), []);
}

proptest::proptest! {
    /// Whatever a client sends, it is answered: defaults, strategy, validation and table never panic.
    #[test]
    fn no_object_is_too_strange_to_be_judged(mut object in crate::arbitrary::object(), row in 0_usize..100) {
        let rows = kinds::built_in();
        let info = &rows[row % rows.len()];
        let registry = Registry::new(kinds::built_in());
        let strategy = crate::strategy::Strategy::new(
            mainstay_base::World::real(),
            mainstay_store::Store::in_memory(None),
            registry,
        );
        let live = object.clone();
        apply_defaults(info, &mut object);
        let prepared = strategy.prepare_create(info, &mut object).is_ok();
        let again = strategy.prepare_update(info, &live, &mut object, None).is_ok();
        let said = create(info, &object).len() + update(info, &live, &object, None).len();
        let options = crate::table::Options { include: crate::table::Include::None, now: jiff::Timestamp::UNIX_EPOCH };
        let row = crate::table::of_object(info, &crate::encode::json(&object), options);
        proptest::prop_assert!(said < 1000 && !row.is_empty(), "{prepared} {again}");
    }
}
