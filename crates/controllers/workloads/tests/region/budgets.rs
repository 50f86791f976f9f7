//! Disruption budgets and what they allow.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DynamicObject, EvictParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::support::{Region, region};

fn budgets(region: &Region) -> Api<PodDisruptionBudget> {
    Api::namespaced(region.client.clone(), "default")
}

/// Makes a budget over `app=web`.
async fn guard(region: &Region, name: &str, spec: Value) {
    let mut spec = spec;
    spec["selector"] = json!({"matchLabels": {"app": "web"}});
    let budget = serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec})).unwrap();
    budgets(region).create(&PostParams::default(), &budget).await.unwrap();
}

async fn status(region: &Region, name: &str) -> PodDisruptionBudgetStatus {
    budgets(region).get(name).await.unwrap().status.unwrap()
}

/// Allowed, healthy, desired, expected.
async fn counts(region: &Region, name: &str) -> (i32, i32, i32, i32) {
    let status = status(region, name).await;
    (status.disruptions_allowed, status.current_healthy, status.desired_healthy, status.expected_pods)
}

/// Status, reason and message of the budget's condition.
async fn condition(region: &Region, name: &str) -> (String, String, String) {
    let condition = status(region, name).await.conditions.unwrap().remove(0);
    (condition.status, condition.reason, condition.message)
}

async fn pod(region: &Region, name: &str, owner: Value) {
    let pod = json!({
        "metadata": {"name": name, "labels": {"app": "web"}, "ownerReferences": owner},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    });
    region.pods().create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
}

async fn names(region: &Region) -> Vec<String> {
    let pods = region.pods().list(&ListParams::default().labels("app=web")).await.unwrap().items;
    let living = pods.into_iter().filter(|pod: &Pod| pod.metadata.deletion_timestamp.is_none());
    living.filter_map(|pod| pod.metadata.name).collect()
}

#[test]
fn a_budget_lets_pods_go_one_by_one_as_others_take_their_place() {
    region(1, |region| async move {
        region.deploy(4).await;
        region.sleep(30).await;
        guard(&region, "web", json!({"maxUnavailable": "20%"})).await;
        region.sleep(1).await;
        assert_eq!(counts(&region, "web").await, (1, 4, 3, 4), "20 % of four is one");
        let told = ("True".to_owned(), "SufficientPods".to_owned(), String::new());
        assert_eq!(condition(&region, "web").await, told);
        let pods = names(&region).await;
        region.pods().evict(&pods[0], &EvictParams::default()).await.unwrap();
        let refused = region.pods().evict(&pods[1], &EvictParams::default()).await.unwrap_err();
        let kube::Error::Api(refused) = refused else { panic!("{refused}") };
        assert_eq!((refused.code, &*refused.reason), (429, "TooManyRequests"));
        assert_eq!(counts(&region, "web").await.0, 0);
        assert_eq!(condition(&region, "web").await.1, "InsufficientPods");
        region.sleep(60).await;
        assert_eq!(counts(&region, "web").await, (1, 4, 3, 4));
        assert_eq!(status(&region, "web").await.disrupted_pods, None);
        region.pods().evict(&pods[1], &EvictParams::default()).await.unwrap();
        region.change(json!({"spec": {"replicas": 10}})).await;
        region.sleep(60).await;
        assert_eq!(counts(&region, "web").await, (2, 10, 8, 10));
        let generation = budgets(&region).get("web").await.unwrap().metadata.generation;
        assert_eq!(status(&region, "web").await.observed_generation, generation);
        region.assert_well();
    });
}

#[test]
fn what_cannot_be_counted_is_told_and_lets_nothing_go() {
    region(2, |region| async move {
        guard(&region, "web", json!({"maxUnavailable": 1})).await;
        region.sleep(1).await;
        let told = region.told("PodDisruptionBudget").await;
        assert_eq!((&*told[0].0, &*told[0].1), ("NoPods", "No matching pods found"));
        pod(&region, "naked", json!([])).await;
        region.sleep(30).await;
        let told = region.told("PodDisruptionBudget").await;
        let unmanaged = "Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: web,},\
            MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged. As a result, the status of the PDB cannot be \
            calculated correctly, which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" \
            field of the PDB to an integer value.";
        assert!(
            told.iter().any(|(reason, message, _)| (&**reason, &**message) == ("UnmanagedPods", unmanaged)),
            "{told:?}"
        );
        assert_eq!(counts(&region, "web").await, (0, 1, 0, 0));
        let owner = json!({"apiVersion": "apps.test.io/v1", "kind": "TestWorkload", "name": "w", "uid": "b7329742-8daa-493a-8881-6ca07139172b", "controller": true});
        pod(&region, "owned", json!([owner])).await;
        region.sleep(1).await;
        let why = "no matches for kind \"TestWorkload\" in version \"apps.test.io/v1\"";
        let told = region.told("PodDisruptionBudget").await;
        let failed = format!("Failed to calculate the number of expected pods: {why}");
        assert!(
            told.iter().any(|told| (&*told.0, &told.1) == ("CalculateExpectedPodCountFailed", &failed)),
            "{told:?}"
        );
        let expected = ("False".to_owned(), "SyncFailed".to_owned(), why.to_owned());
        assert_eq!(condition(&region, "web").await, expected);
        region.assert_well();
    });
}

#[test]
fn a_pod_of_two_budgets_is_told_of_it() {
    region(3, |region| async move {
        guard(&region, "a", json!({"minAvailable": 1})).await;
        guard(&region, "b", json!({"minAvailable": 1})).await;
        region.sleep(1).await;
        pod(&region, "twice", json!([])).await;
        region.sleep(30).await;
        let told = region.told("Pod").await;
        let message =
            "Pod \"default\"/\"twice\" matches multiple PodDisruptionBudgets.  Chose \"a\" arbitrarily.";
        assert!(
            told.iter().any(|told| (&*told.0, &*told.1) == ("MultiplePodDisruptionBudgets", message)),
            "{told:?}"
        );
        assert_eq!(
            (counts(&region, "a").await.1, counts(&region, "b").await.1),
            (1, 0),
            "only one is looked at"
        );
        region.assert_well();
    });
}

fn crowds(has_scale: bool) -> CustomResourceDefinition {
    let mut version = json!({
        "name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
    });
    if has_scale {
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
        version["subresources"] = json!({"scale": scale});
    }
    serde_json::from_value(json!({
        "metadata": {"name": "crowds.custom.k8s.io"},
        "spec": {"group": "custom.k8s.io", "scope": "Namespaced", "versions": [version],
                 "names": {"plural": "crowds", "singular": "crowd", "kind": "Crowd", "listKind": "CrowdList"}},
    }))
    .unwrap()
}

#[test]
fn an_owner_of_any_kind_is_asked_for_its_scale() {
    for has_scale in [true, false] {
        region(4, move |region| async move {
            Api::all(region.client.clone()).create(&PostParams::default(), &crowds(has_scale)).await.unwrap();
            region.sleep(5).await;
            let kind = ApiResource::from_gvk_with_plural(
                &GroupVersionKind::gvk("custom.k8s.io", "v1", "Crowd"),
                "crowds",
            );
            let api = Api::<DynamicObject>::namespaced_with(region.client.clone(), "default", &kind);
            let crowd = json!({"apiVersion": "custom.k8s.io/v1", "kind": "Crowd", "metadata": {"name": "c"}, "spec": {"replicas": 10}});
            let crowd =
                api.create(&PostParams::default(), &serde_json::from_value(crowd).unwrap()).await.unwrap();
            guard(&region, "web", json!({"maxUnavailable": 7})).await;
            let owner = |name: &str, uid: &str| json!([{"apiVersion": "custom.k8s.io/v1", "kind": "Crowd", "name": name, "uid": uid, "controller": true}]);
            for index in 0..4 {
                pod(&region, &format!("p{index}"), owner("c", crowd.metadata.uid.as_deref().unwrap())).await;
            }
            region.sleep(30).await;
            if has_scale {
                assert_eq!(counts(&region, "web").await, (1, 4, 3, 10));
                pod(&region, "stray", owner("gone", "b7329742-8daa-493a-8881-6ca07139172b")).await;
                region.sleep(1).await;
                let why =
                    "Failed to calculate the number of expected pods: found no controllers for pod \"stray\"";
                let told = region.told("PodDisruptionBudget").await;
                assert!(told.iter().any(|told| told.1 == why), "{told:?}");
            } else {
                let why = "crowds.custom.k8s.io does not implement the scale subresource";
                assert_eq!(condition(&region, "web").await.2, why);
            }
            region.assert_well();
        });
    }
}

#[test]
fn an_end_that_was_announced_and_did_not_come_is_taken_back_after_two_minutes() {
    region(5, |region| async move {
        pod(&region, "p", json!([])).await;
        guard(&region, "web", json!({"minAvailable": 1})).await;
        region.sleep(30).await;
        let now = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(region.now());
        let condition = json!({"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
                               "message": "Eviction API: evicting", "lastTransitionTime": now});
        let announced = Patch::Strategic(json!({"status": {"conditions": [condition]}}));
        region.pods().patch_status("p", &PatchParams::default(), &announced).await.unwrap();
        let disrupted = Patch::Merge(json!({"status": {"disruptedPods": {"p": now}}}));
        budgets(&region).patch_status("web", &PatchParams::default(), &disrupted).await.unwrap();
        let announcement = |pod: Pod| {
            let conditions = pod.status.unwrap().conditions.unwrap();
            let own = conditions.into_iter().find(|own| own.type_ == "DisruptionTarget").unwrap();
            (own.status, own.reason)
        };
        region.sleep(118).await;
        assert_eq!(announcement(region.pods().get("p").await.unwrap()).0, "True");
        assert_eq!(counts(&region, "web").await, (0, 0, 1, 1), "it does not count as healthy");
        region.sleep(4).await;
        assert_eq!(announcement(region.pods().get("p").await.unwrap()), ("False".to_owned(), None));
        assert_eq!(counts(&region, "web").await, (0, 1, 1, 1), "it counts again");
        assert_eq!(status(&region, "web").await.disrupted_pods.unwrap_or_default(), BTreeMap::new());
        let told = region.told("Pod").await;
        let message = "Pod was expected by PDB default/default to be deleted but it wasn't";
        assert!(told.iter().any(|told| (&*told.0, &*told.1) == ("NotDeleted", message)), "{told:?}");
        region.assert_well();
    });
}
