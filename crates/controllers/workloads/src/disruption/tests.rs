//! Upstream's cases of its disruption controller.
//!
//! Those that need a server (events, a custom resource with a scale, a lost race) are in this
//! crate's `tests/region`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::members::{Members, matches, selector};
use super::scale::{Owners, known, owners};
use super::*;

fn now() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().unwrap()
}

fn of<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// A budget over `foo=bar`.
#[allow(clippy::needless_pass_by_value, reason = "it is written in place")]
fn budget(field: &str, value: Value) -> PodDisruptionBudget {
    of(json!({
        "metadata": {"name": "foobar", "namespace": "default", "uid": "budget", "generation": 1},
        "spec": {field: value, "selector": {"matchLabels": {"foo": "bar"}}},
    }))
}

/// A ready pod that the budget selects.
fn pod(name: &str, owner: Option<(&str, &str, &str)>) -> Value {
    let owners: Vec<Value> = owner
        .iter()
        .map(|(version, kind, name)| json!({"apiVersion": version, "kind": kind, "name": name, "uid": format!("{kind}-{name}"), "controller": true}))
        .collect();
    json!({
        "metadata": {"name": name, "namespace": "default", "labels": {"foo": "bar"}, "ownerReferences": owners},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    })
}

const RC: Option<(&str, &str, &str)> = Some(("v1", "ReplicationController", "c"));
const RS: Option<(&str, &str, &str)> = Some(("apps/v1", "ReplicaSet", "c"));
const SS: Option<(&str, &str, &str)> = Some(("apps/v1", "StatefulSet", "c"));

/// A controller named `c`.
fn workload(kind: &str, replicas: i32) -> Value {
    json!({"metadata": {"name": "c", "namespace": "default", "uid": format!("{kind}-c")}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"foo": "bar"}}, "serviceName": "",
        "template": {"metadata": {}, "spec": {"containers": []}},
    }})
}

/// The caches a controller would look into.
#[derive(Default)]
struct Stage {
    informers: Informers,
}

impl Stage {
    fn put(&self, kind: &str, value: Value) {
        match kind {
            "Pod" => self.informers.pods.accept(Event::Apply(of(value))),
            "ReplicationController" => {
                let mut value = value;
                value["spec"]["selector"] = json!({"foo": "bar"});
                self.informers.replication_controllers.accept(Event::Apply(of(value)));
            }
            "ReplicaSet" => self.informers.replica_sets.accept(Event::Apply(of(value))),
            "StatefulSet" => self.informers.stateful_sets.accept(Event::Apply(of(value))),
            "Deployment" => self.informers.deployments.accept(Event::Apply(of(value))),
            other => panic!("{other}"),
        }
    }

    fn pods(&self, budget: &PodDisruptionBudget) -> Vec<Arc<Pod>> {
        let selector = selector(budget);
        let mut pods = self.informers.pods.within("default");
        pods.retain(|pod| matches(selector.as_ref(), pod));
        pods
    }

    fn status(&self, budget: &PodDisruptionBudget) -> PodDisruptionBudgetStatus {
        let pods = self.pods(budget);
        let owners = owners(&self.informers, "default", &pods);
        assert_eq!(owners.unknown, []);
        let expected = budget::expected(budget, pods.len(), owners.total()).unwrap();
        let disrupted = budget::disrupted(budget, &pods, now());
        let healthy = budget::healthy(&pods, &disrupted.since, now());
        budget::status(budget, expected, healthy, disrupted.since, now())
    }

    /// Allowed, healthy, desired, expected.
    fn counts(&self, budget: &PodDisruptionBudget) -> (i32, i32, i32, i32) {
        let status = self.status(budget);
        (status.disruptions_allowed, status.current_healthy, status.desired_healthy, status.expected_pods)
    }
}

#[test]
fn an_empty_selector_selects_all_and_no_selector_nothing() {
    let stage = Stage::default();
    let mut budget = budget("minAvailable", json!(3));
    budget.spec.as_mut().unwrap().selector = Some(of(json!({})));
    assert_eq!(stage.counts(&budget), (0, 0, 3, 0));
    stage.put("Pod", pod("yo-yo-yo", None));
    assert_eq!(stage.counts(&budget), (0, 1, 3, 1));
    budget.spec.as_mut().unwrap().selector = None;
    assert_eq!(stage.counts(&budget), (0, 0, 3, 0));
}

#[test]
fn the_counts_follow_pods_that_come_and_that_fail() {
    let (stage, budget) = (Stage::default(), budget("minAvailable", json!(3)));
    for count in 0..4 {
        assert_eq!(stage.counts(&budget), (0, count, 3, count));
        stage.put("Pod", pod(&format!("yo-yo-yo {count}"), None));
    }
    assert_eq!(stage.counts(&budget), (1, 4, 3, 4));
    let mut failing = pod("yo-yo-yo 0", None);
    failing["status"]["conditions"] = json!([]);
    stage.put("Pod", failing);
    assert_eq!(stage.counts(&budget), (0, 3, 3, 4));
}

#[test]
fn a_number_or_a_share_is_of_the_owners_size_and_follows_it() {
    // Field, value, size and what it makes of one healthy pod, before and after the owner is resized.
    let cases = [
        ("maxUnavailable", json!(2), (7, (0, 1, 5, 7)), (5, (0, 1, 3, 5))),
        ("maxUnavailable", json!("30%"), (7, (0, 1, 4, 7)), (3, (0, 1, 2, 3))),
        ("minAvailable", json!("20%"), (10, (0, 1, 2, 10)), (5, (0, 1, 1, 5))),
        ("minAvailable", json!("1%"), (1, (0, 1, 1, 1)), (0, (0, 1, 0, 0))),
        ("maxUnavailable", json!(5), (10, (0, 1, 5, 10)), (1, (1, 1, 0, 1))),
    ];
    for (field, value, (size, expected), (resized, after)) in cases {
        let (stage, budget) = (Stage::default(), budget(field, value));
        stage.put("ReplicaSet", workload("ReplicaSet", size));
        stage.put("Pod", pod("pod", RS));
        assert_eq!(stage.counts(&budget), expected, "{field}");
        stage.put("ReplicaSet", workload("ReplicaSet", resized));
        assert_eq!(stage.counts(&budget), after, "{field}");
    }
}

#[test]
fn pods_without_an_owner_count_for_nothing_where_a_share_is_asked() {
    for (field, value) in [("maxUnavailable", json!(1)), ("minAvailable", json!("28%"))] {
        let (stage, budget) = (Stage::default(), budget(field, value));
        assert_eq!(stage.counts(&budget).0, 0);
        stage.put("Pod", pod("naked", None));
        assert_eq!(stage.counts(&budget).0, 0);
        let owners = owners(&stage.informers, "default", &stage.pods(&budget));
        assert_eq!(owners, Owners { has_unmanaged: true, ..Owners::default() });
    }
}

#[test]
fn an_owner_of_another_kind_must_be_asked_for() {
    let (stage, budget) = (Stage::default(), budget("minAvailable", json!("28%")));
    stage.put("Pod", pod("naked", Some(("apps.test.io/v1", "TestWorkload", "fake-controller"))));
    let owners = owners(&stage.informers, "default", &stage.pods(&budget));
    assert_eq!(owners.unknown.len(), 1);
    assert_eq!(owners.unknown[0].1, "naked");
}

#[test]
fn a_third_of_three_rounds_up_to_two_with_each_kind_of_owner() {
    for (kind, owner) in [("ReplicationController", RC), ("StatefulSet", SS), ("ReplicaSet", RS)] {
        let (stage, budget) = (Stage::default(), budget("minAvailable", json!("34%")));
        stage.put(kind, workload(kind, 3));
        assert_eq!(stage.counts(&budget), (0, 0, 0, 0), "without pods no owner is known");
        for (index, expected) in [(0, 1, 2, 3), (0, 2, 2, 3), (1, 3, 2, 3)].into_iter().enumerate() {
            let mut pod = pod(&format!("foobar {index}"), owner);
            pod["metadata"]["labels"]["baz"] = json!("quux");
            stage.put("Pod", pod);
            assert_eq!(stage.counts(&budget), expected, "{kind}");
        }
        stage.put("Pod", pod("rogue", None));
        assert_eq!(stage.counts(&budget).0, 2, "{kind}");
    }
}

#[test]
fn pods_of_two_owners_add_up() {
    let (stage, budget) = (Stage::default(), budget("minAvailable", json!("28%")));
    let add = |prefix: &str, owner, index: i32, is_ready: bool| {
        let mut pod = pod(&format!("{prefix} {index:02}"), owner);
        if !is_ready {
            pod["status"]["conditions"] = json!([]);
        }
        stage.put("Pod", pod);
    };
    stage.put("ReplicationController", workload("ReplicationController", 11));
    assert_eq!(stage.counts(&budget), (0, 0, 0, 0));
    for index in 1..=11 {
        add("quux", RC, index, index > 6);
        let ready = (index - 6).max(0);
        assert_eq!(stage.counts(&budget), (i32::from(ready > 4), ready, 4, 11));
    }
    stage.put("Deployment", workload("Deployment", 11));
    stage.put("ReplicaSet", workload("ReplicaSet", 11));
    assert_eq!(stage.counts(&budget), (1, 5, 4, 11), "neither has pods yet");
    for index in 1..=11 {
        add("quuux", RS, index, index > 7);
        let ready = 5 + (index - 7).max(0);
        assert_eq!(stage.counts(&budget), ((ready - 7).max(0), ready, 7, 22));
    }
    for (index, is_ready, expected) in [(11, false, 1), (10, false, 0), (11, true, 1)] {
        add("quux", RC, index, is_ready);
        assert_eq!(stage.counts(&budget).0, expected);
    }
}

#[test]
fn disrupted_pods_are_dropped_when_they_go_when_they_are_gone_and_when_they_stay_too_long() {
    let (stage, mut budget) = (Stage::default(), budget("minAvailable", json!(1)));
    let minutes = |count: i64| json!(now().checked_sub(jiff::SignedDuration::from_mins(count)).unwrap());
    let disrupted = json!({"p1": minutes(0), "p2": minutes(3), "p3": minutes(1), "notthere": minutes(0)});
    budget.status = Some(of(json!({
        "disruptedPods": disrupted, "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
    })));
    let mut going = pod("p1", None);
    going["metadata"]["deletionTimestamp"] = minutes(0);
    stage.put("Pod", going);
    stage.put("Pod", pod("p2", None));
    stage.put("Pod", pod("p3", None));
    assert_eq!(stage.counts(&budget), (0, 1, 1, 3));
    let left: Vec<String> = stage.status(&budget).disrupted_pods.unwrap().into_keys().collect();
    assert_eq!(left, ["p3"]);
    let found = budget::disrupted(&budget, &stage.pods(&budget), now());
    assert_eq!(found.kept[0].metadata.name.as_deref(), Some("p2"));
    let wait = budget::recheck(&found, now()).unwrap();
    assert_eq!(wait, std::time::Duration::from_millis(60_005));
}

#[test]
fn an_owner_is_found_by_its_group_its_kind_and_its_uid() {
    let stage = Stage::default();
    stage.put("ReplicaSet", workload("ReplicaSet", 10));
    stage.put("ReplicationController", workload("ReplicationController", 12));
    stage.put("StatefulSet", workload("StatefulSet", 14));
    let cases = [
        ("apps/v1", "ReplicaSet", "ReplicaSet-c", Some(10)),
        ("invalid/v1", "ReplicaSet", "ReplicaSet-c", None),
        ("/v1", "ReplicationController", "ReplicationController-c", Some(12)),
        ("apps/v1", "ReplicationController", "ReplicationController-c", None),
        ("apps/v1", "StatefulSet", "StatefulSet-c", Some(14)),
        ("apps/v1", "ReplicaSet", "StatefulSet-c", None),
    ];
    for (api_version, kind, uid, expected) in cases {
        let owner = OwnerReference {
            api_version: api_version.into(),
            kind: kind.into(),
            name: "c".into(),
            uid: uid.into(),
            ..OwnerReference::default()
        };
        let found = known(&stage.informers, &owner, "default");
        assert_eq!(found, expected.map(|size| (uid.to_owned(), size)), "{api_version} {kind}");
    }
}

#[test]
fn a_set_of_a_deployment_stands_for_the_deployment() {
    // The set's apiVersion and kind in the pod, the Deployment's in the set.
    let cases = [
        ("apps/v1", "ReplicaSet", "extensions/v1", "Deployment", Some(("Deployment-c", 10))),
        ("invalid/v1", "ReplicaSet", "apps/v1", "Deployment", None),
        ("apps/v1", "InvalidKind", "apps/v1", "Deployment", None),
        ("extensions/v1", "ReplicaSet", "deployment/v1", "Deployment", None),
        // A set of another's is a set of its own.
        ("apps/v1", "ReplicaSet", "extensions/v1", "InvalidKind", Some(("ReplicaSet-c", 5))),
    ];
    for (version, kind, owner_version, owner_kind, expected) in cases {
        let stage = Stage::default();
        stage.put("Deployment", workload("Deployment", 10));
        let mut set = workload("ReplicaSet", 5);
        set["metadata"]["ownerReferences"] = json!([{
            "apiVersion": owner_version, "kind": owner_kind, "name": "c", "uid": "Deployment-c", "controller": true,
        }]);
        stage.put("ReplicaSet", set);
        let owner: OwnerReference =
            of(json!({"apiVersion": version, "kind": kind, "name": "c", "uid": "ReplicaSet-c"}));
        let expected = expected.map(|(uid, size)| (uid.to_owned(), size));
        assert_eq!(known(&stage.informers, &owner, "default"), expected, "{version} {kind}");
    }
}

#[test]
fn malformed_selectors_select_nothing() {
    for malformed in [
        json!({"matchLabels": {"k8s.io/too/many/slashes": "value"}}),
        json!({"matchExpressions": [{"key": "foo", "operator": "illegal", "values": ["bar"]}]}),
    ] {
        let mut budget = budget("minAvailable", json!(3));
        budget.spec.as_mut().unwrap().selector = Some(of(malformed));
        assert_eq!(Stage::default().counts(&budget), (0, 0, 3, 0));
    }
}

#[test]
fn an_announcement_is_stale_after_two_minutes_unless_the_pod_goes() {
    let with = |condition: Value, is_going: bool| -> Pod {
        let mut pod =
            json!({"metadata": {"name": "foo"}, "status": {"phase": "Running", "conditions": [condition]}});
        if is_going {
            pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        of(pod)
    };
    let told = |status: &str, reason: &str| json!({"type": "DisruptionTarget", "status": status, "reason": reason, "lastTransitionTime": "2026-01-01T00:08:30Z"});
    let secs = |count| Some(std::time::Duration::from_secs(count));
    let at = |pod: &Pod, seconds: i64| {
        stale::due(pod, now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap())
    };
    let announced = with(told("True", ""), false);
    assert_eq!((at(&announced, 0), at(&announced, 30), at(&announced, 31)), (secs(30), secs(0), secs(0)));
    assert_eq!(at(&with(told("True", ""), true), 99), None);
    assert_eq!(at(&with(told("False", ""), false), 99), None);
    assert_eq!(at(&with(json!({"type": "Ready", "status": "True"}), false), 99), None);
    assert_eq!(at(&with(told("True", "TerminationByKubelet"), false), 99), None);
}

#[test]
fn other_conditions_stay_and_the_time_changes_with_the_status_alone() {
    let mut budget = budget("minAvailable", json!(0));
    let other = json!({"type": "ExistingTestCondition", "status": "True", "reason": "Test", "message": "",
                       "lastTransitionTime": "2025-01-01T00:00:00Z"});
    budget.status = Some(of(json!({"conditions": [other], "currentHealthy": 0, "desiredHealthy": 0,
                                   "disruptionsAllowed": 0, "expectedPods": 0})));
    let stage = Stage::default();
    let status = stage.status(&budget);
    let conditions = status.conditions.clone().unwrap();
    assert_eq!((conditions.len(), &*conditions[0].type_), (2, "ExistingTestCondition"));
    assert_eq!((&*conditions[1].status, &*conditions[1].reason), ("False", "InsufficientPods"));
    budget.status = Some(status.clone());
    assert_eq!(stage.status(&budget), status, "what is the same is not written");
    stage.put("Pod", pod("p", None));
    let status = stage.status(&budget);
    let allowed = &status.conditions.as_ref().unwrap()[1];
    assert_eq!(
        (&*allowed.status, &*allowed.reason, allowed.observed_generation),
        ("True", "SufficientPods", Some(1))
    );
    budget.status = Some(status);
    let failed = budget::failed(&budget, "no luck", now());
    let told = &failed.conditions.as_ref().unwrap()[1];
    assert_eq!((failed.disruptions_allowed, &*told.reason, &*told.message), (0, "SyncFailed", "no luck"));
}

#[test]
fn members_are_found_in_whichever_order_budgets_and_pods_come() {
    let members = Members::default();
    let (budget, selected): (_, Pod) = (budget("minAvailable", json!(1)), of(pod("p", None)));
    let key = Key::new("default", "foobar");
    assert!(members.show(&selected).is_empty());
    assert!(members.put(&budget) && !members.put(&budget));
    assert_eq!(members.show(&selected), std::slice::from_ref(&key));
    assert_eq!(members.of(&key), [Key::new("default", "p")]);
    let mut strayed = selected.clone();
    strayed.metadata.labels = Some(BTreeMap::new());
    assert!(members.show(&strayed).is_empty() && members.of(&key).is_empty());
    members.show(&selected);
    assert_eq!(members.gone(&selected), std::slice::from_ref(&key));
    assert!(members.of(&key).is_empty());
    members.remove(&key);
    assert!(members.show(&selected).is_empty());
}

#[test]
fn shares_that_are_none_are_refused_in_upstreams_words() {
    let told = |value: &str| budget::expected(&budget("minAvailable", json!(value)), 1, 1).unwrap_err();
    assert_eq!(told("7"), "invalid value for IntOrString: invalid type: string is not a percentage");
    assert_eq!(
        told("x%"),
        "invalid value for IntOrString: invalid value \"x%\": strconv.Atoi: parsing \"x\": invalid syntax"
    );
    let text = budget::selector_text(budget("minAvailable", json!(1)).spec.unwrap().selector.as_ref());
    assert_eq!(
        text,
        "&LabelSelector{MatchLabels:map[string]string{foo: bar,},MatchExpressions:[]LabelSelectorRequirement{},}"
    );
}
