//! What quotas and limit ranges do to a namespace: upstream's conformance cases.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{
    ConfigMap, LimitRange, PersistentVolumeClaim, Pod, ReplicationController, ResourceQuota, Secret, Service,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, ResourceExt};
use mainstay_control::writes;
use serde_json::{Value, json};

use crate::support::{Object, Region, region, web};

/// All that upstream's conformance tests bound at once.
fn all() -> Value {
    json!({
        "configmaps": "9", "cpu": "1", "ephemeral-storage": "50Gi", "memory": "500Mi", "persistentvolumeclaims": "10",
        "pods": "5", "replicationcontrollers": "10", "requests.storage": "10Gi", "resourcequotas": "1",
        "secrets": "10", "services": "10", "services.loadbalancers": "1", "services.nodeports": "1",
        "count/replicasets.apps": "5", "requests.example.com/dongle": "3",
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "10",
        "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
    })
}

async fn make<K>(region: &Region, object: Value) -> Result<K, String>
where
    K: Object + kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
{
    let object = serde_json::from_value(object).unwrap();
    let made = region.namespaced::<K>().create(&PostParams::default(), &object).await;
    made.map_err(|error| writes::text(&error))
}

async fn bound(region: &Region, name: &str, spec: Value) {
    make::<ResourceQuota>(region, json!({"metadata": {"name": name}, "spec": spec})).await.unwrap();
    region.sleep(1).await;
}

async fn end<K>(region: &Region, name: &str)
where
    K: Object + kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
{
    let at_once = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::background() };
    region.namespaced::<K>().delete(name, &at_once).await.unwrap();
    region.sleep(1).await;
}

/// What is used of the amounts of these names.
async fn used(region: &Region, quota: &str, names: &[&str]) -> Vec<String> {
    let quota = region.namespaced::<ResourceQuota>().get(quota).await.unwrap();
    let status = quota.status.unwrap();
    assert_eq!(status.hard, quota.spec.unwrap().hard);
    let used = status.used.unwrap();
    names.iter().map(|name| used.get(*name).map_or_else(String::new, |amount| amount.0.clone())).collect()
}

fn pod(name: &str, requests: Value, more: Value) -> Value {
    let mut resources = json!({"requests": requests});
    if let Some(dongles) = requests.get("example.com/dongle") {
        resources["limits"] = json!({"example.com/dongle": dongles});
    }
    let mut pod = json!({"metadata": {"name": name}, "spec": more});
    pod["spec"]["containers"] = json!([{"name": "pause", "image": "pause", "resources": resources}]);
    pod
}

#[test]
fn a_quota_says_at_once_what_is_used_and_follows_the_life_of_pods() {
    region(1, |region| async move {
        bound(&region, "test-quota", json!({"hard": all()})).await;
        let names = ["pods", "cpu", "memory", "ephemeral-storage", "requests.example.com/dongle"];
        assert_eq!(used(&region, "test-quota", &names).await, ["0"; 5]);
        assert_eq!(used(&region, "test-quota", &["resourcequotas", "configmaps"]).await, ["1", "1"]);

        let asked =
            json!({"cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi", "example.com/dongle": "2"});
        make::<Pod>(&region, pod("test-pod", asked, json!({}))).await.unwrap();
        let taken = ["1", "500m", "252Mi", "30Gi", "2"];
        assert_eq!(used(&region, "test-quota", &names).await, taken);
        let too_much = json!({"cpu": "600m", "memory": "100Mi", "example.com/dongle": "1"});
        let refused = make::<Pod>(&region, pod("fail-pod", too_much, json!({}))).await.unwrap_err();
        assert_eq!(
            refused,
            "pods \"fail-pod\" is forbidden: exceeded quota: test-quota, requested: cpu=600m, used: cpu=500m, \
             limited: cpu=1"
        );
        let dongles = json!({"cpu": "1m", "memory": "1Mi", "example.com/dongle": "2"});
        let refused = make::<Pod>(&region, pod("fail-pod", dongles, json!({}))).await.unwrap_err();
        assert!(refused.contains("requested: requests.example.com/dongle=2"), "{refused}");
        let labels = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
        region.pods().patch("test-pod", &PatchParams::default(), &labels).await.unwrap();
        assert_eq!(used(&region, "test-quota", &names).await, taken, "a label costs nothing");

        end::<Pod>(&region, "test-pod").await;
        assert_eq!(used(&region, "test-quota", &names).await, ["0"; 5]);
        region.assert_well();
    });
}

#[test]
fn a_quota_follows_services_by_their_types() {
    region(2, |region| async move {
        bound(&region, "test-quota", json!({"hard": all()})).await;
        let names = ["services", "services.nodeports", "services.loadbalancers"];
        let service = |name: &str, kind: &str| json!({"metadata": {"name": name}, "spec": {"type": kind, "ports": [{"port": 80}]}});
        let before: usize = used(&region, "test-quota", &names).await[0].parse().unwrap();
        make::<Service>(&region, service("a", "ClusterIP")).await.unwrap();
        make::<Service>(&region, service("b", "NodePort")).await.unwrap();
        let refused = make::<Service>(&region, service("c", "LoadBalancer")).await.unwrap_err();
        assert!(refused.contains("exceeded quota: test-quota, requested: services.nodeports=1"), "{refused}");
        assert_eq!(used(&region, "test-quota", &names).await, [(before + 2).to_string().as_str(), "1", "0"]);
        let plain = Patch::Merge(json!({"spec": {"type": "ClusterIP"}}));
        region.namespaced::<Service>().patch("b", &PatchParams::default(), &plain).await.unwrap();
        region.sleep(1).await;
        assert_eq!(used(&region, "test-quota", &names).await[1], "0");
        for name in ["a", "b"] {
            end::<Service>(&region, name).await;
        }
        assert_eq!(used(&region, "test-quota", &names).await, [before.to_string().as_str(), "0", "0"]);
        region.assert_well();
    });
}

#[test]
fn a_quota_follows_whatever_it_counts() {
    region(3, |region| async move {
        bound(&region, "test-quota", json!({"hard": all()})).await;
        let names = ["configmaps", "secrets", "replicationcontrollers", "count/replicasets.apps"];
        assert_eq!(used(&region, "test-quota", &names).await, ["1", "0", "0", "0"]);
        make::<ConfigMap>(&region, json!({"metadata": {"name": "test"}})).await.unwrap();
        make::<Secret>(&region, json!({"metadata": {"name": "test"}, "data": {"a": "dmFsdWUtMQ=="}}))
            .await
            .unwrap();
        let template = json!({
            "metadata": {"labels": {"name": "test"}}, "spec": {"containers": [{"name": "c", "image": "x"}]},
        });
        let spec = json!({"replicas": 0, "selector": {"name": "test"}, "template": template});
        make::<ReplicationController>(&region, json!({"metadata": {"name": "test"}, "spec": spec}))
            .await
            .unwrap();
        let spec =
            json!({"replicas": 0, "selector": {"matchLabels": {"name": "test"}}, "template": template});
        make::<ReplicaSet>(&region, json!({"metadata": {"name": "test"}, "spec": spec})).await.unwrap();
        assert_eq!(used(&region, "test-quota", &names).await, ["2", "1", "1", "1"]);
        end::<ConfigMap>(&region, "test").await;
        end::<Secret>(&region, "test").await;
        end::<ReplicationController>(&region, "test").await;
        end::<ReplicaSet>(&region, "test").await;
        assert_eq!(used(&region, "test-quota", &names).await, ["1", "0", "0", "0"]);
        region.assert_well();
    });
}

#[test]
fn a_quota_follows_claims_in_all_and_of_a_class() {
    region(4, |region| async move {
        bound(&region, "test-quota", json!({"hard": all()})).await;
        let names = [
            "persistentvolumeclaims",
            "requests.storage",
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims",
            "gold.storageclass.storage.k8s.io/requests.storage",
        ];
        assert_eq!(used(&region, "test-quota", &names).await, ["0"; 4]);
        let claim = json!({"metadata": {"name": "test-claim"}, "spec": {
            "storageClassName": "gold", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }});
        make::<PersistentVolumeClaim>(&region, claim).await.unwrap();
        assert_eq!(used(&region, "test-quota", &names).await, ["1", "1Gi", "1", "1Gi"]);
        end::<PersistentVolumeClaim>(&region, "test-claim").await;
        assert_eq!(used(&region, "test-quota", &names).await, ["0"; 4]);
        region.assert_well();
    });
}

#[test]
fn a_quota_counts_objects_of_a_kind_that_was_defined_after_it() {
    region(5, |region| async move {
        bound(&region, "test-quota", json!({"hard": {"count/widgets.example.com": "1"}})).await;
        let definition = serde_json::from_value(json!({
            "metadata": {"name": "widgets.example.com"},
            "spec": {
                "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
            },
        }))
        .unwrap();
        let definitions = Api::<CustomResourceDefinition>::all(region.client.clone());
        definitions.create(&PostParams::default(), &definition).await.unwrap();
        region.sleep(10).await;
        assert_eq!(used(&region, "test-quota", &["count/widgets.example.com"]).await, ["0"]);
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"));
        let widgets = Api::<DynamicObject>::namespaced_with(region.client.clone(), "default", &kind);
        widgets.create(&PostParams::default(), &DynamicObject::new("a", &kind)).await.unwrap();
        let refused = widgets.create(&PostParams::default(), &DynamicObject::new("b", &kind)).await;
        assert!(writes::text(&refused.unwrap_err()).contains("requested: count/widgets.example.com=1"));
        widgets.delete("a", &DeleteParams::default()).await.unwrap();
        region.sleep(1).await;
        assert_eq!(used(&region, "test-quota", &["count/widgets.example.com"]).await, ["0"]);
        region.assert_well();
    });
}

#[test]
fn scopes_tell_which_pods_a_quota_counts() {
    let selected = |scope: &str, operator: &str, values: Value| {
        json!({"hard": {"pods": "5"}, "scopeSelector": {"matchExpressions": [
            {"scopeName": scope, "operator": operator, "values": values},
        ]}})
    };
    let plain = |scope: &str| json!({"hard": {"pods": "5"}, "scopes": [scope]});
    let cases = [
        (plain("Terminating"), [0, 1, 0, 0]),
        (plain("NotTerminating"), [1, 0, 1, 1]),
        (plain("BestEffort"), [1, 1, 0, 1]),
        (plain("NotBestEffort"), [0, 0, 1, 0]),
        (selected("Terminating", "Exists", json!([])), [0, 1, 0, 0]),
        (selected("BestEffort", "Exists", json!([])), [1, 1, 0, 1]),
        (selected("PriorityClass", "In", json!(["system-node-critical"])), [0, 0, 0, 1]),
        (selected("PriorityClass", "NotIn", json!(["system-node-critical"])), [1, 1, 1, 0]),
        (selected("PriorityClass", "Exists", json!([])), [0, 0, 0, 1]),
        (selected("PriorityClass", "DoesNotExist", json!([])), [1, 1, 1, 0]),
    ];
    region(6, move |region| async move {
        for (index, (spec, _)) in cases.iter().enumerate() {
            bound(&region, &format!("q{index}"), spec.clone()).await;
        }
        let none = || json!({});
        let pods = [
            pod("plain", none(), none()),
            pod("bound", none(), json!({"activeDeadlineSeconds": 3600})),
            pod("asking", json!({"cpu": "100m"}), none()),
            pod("critical", none(), json!({"priorityClassName": "system-node-critical"})),
        ];
        for (place, object) in pods.into_iter().enumerate() {
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            make::<Pod>(&region, object).await.unwrap();
            for (index, (spec, expected)) in cases.iter().enumerate() {
                let counted = used(&region, &format!("q{index}"), &["pods"]).await;
                assert_eq!(counted, [expected[place].to_string()], "{name}: {spec}");
            }
            end::<Pod>(&region, &name).await;
        }
        region.assert_well();
    });
}

#[test]
fn a_pod_that_looks_beyond_its_namespace_needs_room_for_it() {
    region(7, |region| async move {
        let spec = json!({"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [
            {"scopeName": "CrossNamespacePodAffinity", "operator": "Exists"},
        ]}});
        bound(&region, "q", spec).await;
        let term = |more: Value| {
            let mut term = json!({"topologyKey": "region", "labelSelector": {}});
            term.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}})
        };
        make::<Pod>(&region, pod("within", json!({}), term(json!({})))).await.unwrap();
        for beyond in [json!({"namespaces": ["x"]}), json!({"namespaceSelector": {}})] {
            let refused = make::<Pod>(&region, pod("beyond", json!({}), term(beyond))).await.unwrap_err();
            assert!(refused.contains("exceeded quota: q, requested: pods=1"), "{refused}");
        }
        region.assert_well();
    });
}

#[test]
fn a_quota_is_changed_and_ended_and_its_status_written_by_others_is_set_right() {
    region(8, |region| async move {
        let quotas = region.namespaced::<ResourceQuota>();
        bound(&region, "q", json!({"hard": {"cpu": "1", "memory": "500Mi"}})).await;
        let more = Patch::Merge(
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"hard": {"cpu": "2", "memory": "1Gi"}}}),
        );
        quotas.patch("q", &PatchParams::default(), &more).await.unwrap();
        region.sleep(1).await;
        assert_eq!(used(&region, "q", &["cpu", "memory"]).await, ["0", "0"]);
        let wrong = Patch::Merge(json!({"status": {"hard": {"cpu": "2"}, "used": {"cpu": "7"}}}));
        quotas.patch_status("q", &PatchParams::default(), &wrong).await.unwrap();
        region.sleep(5 * 60 + 1).await;
        assert_eq!(used(&region, "q", &["cpu", "memory"]).await, ["0", "0"], "the next full calculation");
        quotas
            .delete_collection(&DeleteParams::default(), &ListParams::default().labels("a=b"))
            .await
            .unwrap();
        assert!(quotas.get_opt("q").await.unwrap().is_none());
        region.assert_well();
    });
}

#[test]
fn what_a_quota_refuses_is_told_of_as_an_event() {
    region(9, |region| async move {
        bound(&region, "q", json!({"hard": {"pods": "2"}})).await;
        region.deployments().create(&PostParams::default(), &web(5)).await.unwrap();
        let job = json!({"metadata": {"name": "work"}, "spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}],
        }}}});
        make::<Job>(&region, job).await.unwrap();
        region.sleep(30).await;
        let refusal = " is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2";
        for (kind, prefix) in [("ReplicaSet", "web-"), ("Job", "work-")] {
            let told = region.told(kind).await;
            let failed: Vec<_> = told.iter().filter(|(reason, ..)| reason == "FailedCreate").collect();
            assert!(!failed.is_empty(), "{kind}: {told:?}");
            for (_, message, _) in failed {
                let start = format!("Error creating: pods \"{prefix}");
                let message = message.trim_start_matches("(combined from similar events): ");
                assert!(message.starts_with(&start) && message.ends_with(refusal), "{message}");
            }
        }
        let set = region.sets().list(&ListParams::default()).await.unwrap().items.remove(0);
        let conditions = set.status.unwrap().conditions.unwrap();
        assert_eq!(
            (&*conditions[0].type_, conditions[0].reason.as_deref()),
            ("ReplicaFailure", Some("FailedCreate"))
        );
        let more = Patch::Merge(json!({"spec": {"hard": {"pods": "9"}}}));
        region.namespaced::<ResourceQuota>().patch("q", &PatchParams::default(), &more).await.unwrap();
        region.sleep(600).await;
        assert_eq!(region.web().await.status.unwrap().available_replicas, Some(5), "with room they come");
        region.assert_well();
    });
}

#[test]
fn pods_that_end_give_back_what_they_took() {
    region(10, |region| async move {
        bound(&region, "q", json!({"hard": {"pods": "1", "count/pods": "9"}})).await;
        let brief = json!({"metadata": {"name": "brief", "annotations": {"mainstay.dev/run-for": "5s"}}, "spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}],
        }});
        make::<Pod>(&region, brief).await.unwrap();
        assert_eq!(used(&region, "q", &["pods", "count/pods"]).await, ["1", "1"]);
        region.sleep(60).await;
        assert_eq!(used(&region, "q", &["pods", "count/pods"]).await, ["0", "1"]);
        make::<Pod>(&region, pod("next", json!({}), json!({}))).await.unwrap();
        region.assert_well();
    });
}

#[test]
fn pods_get_what_a_limit_range_gives_and_keep_to_its_bounds() {
    region(11, |region| async move {
        let amounts = |cpu: &str, memory: &str, disk: &str| json!({"cpu": cpu, "memory": memory, "ephemeral-storage": disk});
        let range = json!({"metadata": {"name": "limit-range", "labels": {"a": "b"}}, "spec": {"limits": [{
            "type": "Container", "min": amounts("50m", "100Mi", "100Gi"), "max": amounts("500m", "500Mi", "500Gi"),
            "default": amounts("500m", "500Mi", "500Gi"), "defaultRequest": amounts("100m", "200Mi", "200Gi"),
        }]}});
        make::<LimitRange>(&region, range).await.unwrap();
        let resources = |pod: Pod| serde_json::to_value(&pod.spec.unwrap().containers[0].resources).unwrap();
        let made = make::<Pod>(&region, pod("none", json!({}), json!({}))).await.unwrap();
        let given = json!({"requests": amounts("100m", "200Mi", "200Gi"), "limits": amounts("500m", "500Mi", "500Gi")});
        assert_eq!(resources(made), given);
        let partial = json!({"memory": "150Mi", "ephemeral-storage": "150Gi"});
        let mut some = pod("some", partial, json!({}));
        some["spec"]["containers"][0]["resources"]["limits"] = json!({"cpu": "300m", "memory": "200Mi"});
        let made = make::<Pod>(&region, some).await.unwrap();
        let given = json!({"requests": amounts("300m", "150Mi", "150Gi"), "limits": amounts("300m", "200Mi", "500Gi")});
        assert_eq!(resources(made), given);
        for (asked, why) in [
            (amounts("10m", "200Mi", "200Gi"), "minimum cpu usage per Container is 50m, but request is 10m"),
            (
                amounts("100m", "200Mi", "200Mi"),
                "minimum ephemeral-storage usage per Container is 100Gi, but request is 200Mi",
            ),
        ] {
            let refused = make::<Pod>(&region, pod("beyond", asked, json!({}))).await.unwrap_err();
            assert_eq!(refused, format!("pods \"beyond\" is forbidden: {why}"));
        }
        let ranges = region.namespaced::<LimitRange>();
        let lower = Patch::Strategic(
            json!({"spec": {"limits": [{"type": "Container", "min": amounts("5m", "100Mi", "100Gi"),
            "max": amounts("500m", "500Mi", "500Gi")}]}}),
        );
        ranges.patch("limit-range", &PatchParams::default(), &lower).await.unwrap();
        let few = pod("few", amounts("10m", "200Mi", "200Gi"), json!({}));
        make::<Pod>(&region, few).await.unwrap();
        assert_eq!(
            ranges.list(&ListParams::default().labels("a=b")).await.unwrap().items[0].name_any(),
            "limit-range"
        );
        ranges.delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
        let many = pod("many", amounts("600m", "600Mi", "600Gi"), json!({}));
        make::<Pod>(&region, many).await.unwrap();
        region.assert_well();
    });
}
