//! Tests of what is prepared before an object is stored.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use mainstay_store::{Change, Expect, Key, Tags, Write};
use serde_json::{Value, json};

use super::*;
use crate::defaults::apply_defaults;
use crate::encode;
use crate::kinds;
use crate::tags;

fn strategy() -> Strategy {
    Strategy::new(World::real(), Store::in_memory(None), Registry::new(kinds::built_in()))
}

fn info(group: &str, resource: &str) -> ResourceInfo {
    let snapshot = Registry::new(kinds::built_in()).snapshot();
    ResourceInfo::clone(snapshot.find(group, "v1", resource).expect(resource))
}

fn made(strategy: &Strategy, group: &str, resource: &str, mut object: Value) -> Result<Value, Status> {
    let info = info(group, resource);
    apply_defaults(&info, &mut object);
    strategy.prepare_create(&info, &mut object).map(|()| object)
}

async fn keep_in(strategy: &Strategy, resource: &str, object: &Value) {
    let key = Key::new(resource, meta::namespace(object), meta::name(object));
    let tags: Tags = tags::of(resource, object);
    let change = Change::Put(encode::draft(object), tags);
    strategy.store.commit(Write { key, expect: Expect::Any, change }).await.expect("the store is in memory");
}

fn pod(spec: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "default" }, "spec": spec, "status": { "phase": "Running" } })
}

#[test]
fn a_new_pod_is_pending() {
    let got =
        made(&strategy(), "", "pods", pod(json!({ "containers": [{ "name": "c", "image": "a" }] }))).unwrap();
    assert_eq!(got["status"], json!({ "phase": "Pending", "qosClass": "BestEffort" }));
}

#[test]
fn the_class_of_service_follows_from_limits_and_requests() {
    let cases = [
        (json!([{}]), "BestEffort"),
        (json!([{ "requests": { "cpu": "1" } }]), "Burstable"),
        (
            json!([{ "limits": { "cpu": "1", "memory": "1Gi" }, "requests": { "cpu": "1", "memory": "1024Mi" } }]),
            "Guaranteed",
        ),
        (
            json!([{ "limits": { "cpu": "1", "memory": "1Gi" }, "requests": { "cpu": "500m", "memory": "1Gi" } }]),
            "Burstable",
        ),
        (json!([{ "limits": { "cpu": "1", "memory": "1Gi" } }, {}]), "Burstable"),
        (json!([{ "requests": { "cpu": "0" } }]), "BestEffort"),
    ];
    for (resources, expected) in cases {
        let containers: Vec<Value> = resources
            .as_array()
            .unwrap()
            .iter()
            .map(|one| json!({ "name": "c", "image": "a", "resources": one }))
            .collect();
        let got = made(&strategy(), "", "pods", pod(json!({ "containers": containers }))).unwrap();
        assert_eq!(got["status"]["qosClass"], expected, "{resources}");
    }
}

fn service(name: &str, spec: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": "default" }, "spec": spec })
}

#[tokio::test]
async fn services_get_addresses_of_their_own() {
    let strategy = strategy();
    let first = made(&strategy, "", "services", service("a", json!({ "ports": [{ "port": 80 }] }))).unwrap();
    assert_eq!(first["spec"]["clusterIP"], "10.96.1.0");
    assert_eq!(first["spec"]["clusterIPs"], json!(["10.96.1.0"]));
    assert_eq!(
        (&first["spec"]["ipFamilies"], &first["spec"]["ipFamilyPolicy"]),
        (&json!(["IPv4"]), &json!("SingleStack"))
    );
    keep_in(&strategy, "/services", &first).await;
    let second = made(&strategy, "", "services", service("b", json!({ "ports": [{ "port": 80 }] }))).unwrap();
    assert_eq!(second["spec"]["clusterIP"], "10.96.1.1");
    let taken =
        made(&strategy, "", "services", service("c", json!({ "clusterIP": "10.96.1.0" }))).unwrap_err();
    assert_eq!(
        taken.message,
        r#"Service "c" is invalid: spec.clusterIPs: Invalid value: ["10.96.1.0"]: failed to allocate IP 10.96.1.0: provided IP is already allocated"#
    );
    let headless = made(&strategy, "", "services", service("d", json!({ "clusterIP": "None" }))).unwrap();
    assert_eq!(headless["spec"]["clusterIPs"], json!(["None"]));
}

#[test]
fn a_service_keeps_its_address_until_it_needs_none() {
    let strategy = strategy();
    let info = info("", "services");
    let live = made(
        &strategy,
        "",
        "services",
        service("a", json!({ "type": "NodePort", "ports": [{ "port": 80 }] })),
    )
    .unwrap();
    assert_eq!(live["spec"]["ports"][0]["nodePort"], 30_000);
    let mut object = service("a", json!({ "type": "NodePort", "ports": [{ "port": 80 }] }));
    apply_defaults(&info, &mut object);
    strategy.prepare_update(&info, &live, &mut object, None).unwrap();
    assert_eq!(object["spec"], live["spec"]);
    object["spec"]["type"] = json!("ClusterIP");
    strategy.prepare_update(&info, &live, &mut object, None).unwrap();
    assert!(object["spec"]["ports"][0].get("nodePort").is_none());
    assert_eq!(object["spec"]["clusterIP"], live["spec"]["clusterIP"]);
    object["spec"]["type"] = json!("ExternalName");
    strategy.prepare_update(&info, &live, &mut object, None).unwrap();
    assert!(object["spec"].get("clusterIP").is_none());
}

#[test]
fn a_namespace_is_active_and_holds_its_content() {
    let got = made(&strategy(), "", "namespaces", json!({ "metadata": { "name": "shop" } })).unwrap();
    assert_eq!(got["status"], json!({ "phase": "Active" }));
    assert_eq!(got["spec"], json!({ "finalizers": ["kubernetes"] }));
}

#[test]
fn a_job_selects_its_pods_by_its_uid() {
    let job = json!({ "metadata": { "name": "j", "uid": "u-1" }, "spec": { "template": { "spec": { "containers": [] } } } });
    let got = made(&strategy(), "batch", "jobs", job).unwrap();
    assert_eq!(
        got["spec"]["selector"],
        json!({ "matchLabels": { "batch.kubernetes.io/controller-uid": "u-1" } })
    );
    let labels = &got["spec"]["template"]["metadata"]["labels"];
    assert_eq!(
        (&labels["job-name"], &labels["batch.kubernetes.io/job-name"], &labels["controller-uid"]),
        (&json!("j"), &json!("j"), &json!("u-1"))
    );
}

#[test]
fn a_status_sent_with_a_new_object_gives_way_to_the_kinds_own_beginning() {
    let object = json!({ "metadata": {}, "spec": {}, "status": { "replicas": 9 } });
    let begins = |resource| made(&strategy(), "apps", resource, object.clone()).unwrap()["status"].clone();
    assert_eq!(begins("deployments"), json!({}));
    assert_eq!(begins("replicasets"), json!({ "replicas": 0 }));
}

#[test]
fn a_deployments_generation_counts_its_annotations() {
    let info = info("apps", "deployments");
    let live = json!({ "metadata": { "generation": 2 }, "spec": {} });
    let mut object = json!({ "metadata": { "generation": 2, "annotations": { "a": "b" } }, "spec": {} });
    strategy().prepare_update(&info, &live, &mut object, None).unwrap();
    assert_eq!(meta::generation(&object), 3);
}

#[test]
fn a_daemon_set_counts_the_changes_of_its_template_whatever_clients_say() {
    let strategy = strategy();
    let set = |image: &str, says: &str| {
        let annotations = json!({ "deprecated.daemonset.template.generation": says });
        json!({ "metadata": { "name": "logs", "annotations": annotations },
                "spec": { "template": { "spec": { "containers": [{ "name": "c", "image": image }] } } } })
    };
    let count =
        |set: &Value| set["metadata"]["annotations"]["deprecated.daemonset.template.generation"].clone();
    let info = info("apps", "daemonsets");
    let mut first = set("a", "none");
    strategy.prepare_create(&info, &mut first).unwrap();
    assert_eq!(count(&first), "1");
    for (image, expected) in [("a", "1"), ("b", "2")] {
        let mut second = set(image, "17");
        strategy.prepare_update(&info, &first, &mut second, None).unwrap();
        assert_eq!(count(&second), expected);
    }
}
