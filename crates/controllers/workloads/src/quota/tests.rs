//! Upstream's cases of its quota controller, as a table; and what is announced before it is measured.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use std::collections::BTreeMap;

use mainstay_resource::quota::amounts;
use serde_json::{Value, json};

use super::*;

/// `cpu=1 pods=2` as amounts.
fn read(text: &str) -> Value {
    let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, amount)| (name.to_owned(), json!(amount))).collect()
}

fn quota(spec: Value, hard: &str, used: Option<&str>) -> ResourceQuota {
    let mut status = json!({ "hard": read(hard) });
    if let Some(used) = used {
        status["used"] = read(used);
    }
    serde_json::from_value(json!({ "metadata": { "name": "q" }, "spec": spec, "status": status })).unwrap()
}

fn pod(class: &str, asks: &str) -> Value {
    let resources = json!({ "requests": read(asks), "limits": read(asks) });
    json!({ "spec": { "priorityClassName": class, "containers": [{ "resources": resources }] } })
}

/// The status after a full calculation over what could be listed.
fn after(quota: &ResourceQuota, listed: &BTreeMap<Measure, Vec<Value>>) -> (String, String) {
    let mut bounds = Bounds::of(quota);
    bounds.announce();
    let spec = serde_json::to_value(&quota.spec).unwrap();
    let mut used = Amounts::new();
    for measure in bounds.measures() {
        if let Some(objects) = listed.get(&measure) {
            used.extend(total(&measure, bounds.hard(), &scopes(&spec), objects, Timestamp::UNIX_EPOCH));
        }
    }
    bounds.report(&used);
    (text(bounds.hard()), text(bounds.used()))
}

fn text(amounts: &Amounts) -> String {
    amounts::text(amounts.iter().map(|(name, amount)| (name.as_str(), *amount)))
}

#[test]
fn what_is_used_is_what_is_there_within_the_scopes() {
    let usual = "cpu=3 memory=100Gi pods=5";
    let plain = || vec![pod("", "cpu=100m memory=1Gi"), pod("", "cpu=100m memory=1Gi")];
    let idle = || vec![pod("", ""), pod("", "")];
    let classes = || vec![pod("high", "cpu=500m memory=50Gi"), pod("low", "cpu=100m memory=1Gi")];
    let of_class = |operator: &str, values: Value| {
        json!({ "hard": read(usual), "scopeSelector": { "matchExpressions": [
            { "scopeName": "PriorityClass", "operator": operator, "values": values },
        ]}})
    };
    let best_effort = || json!({ "hard": read(usual), "scopes": ["BestEffort"] });
    let none = "cpu=0,memory=0,pods=0";
    let cases = [
        (best_effort(), plain(), none),
        (best_effort(), idle(), "cpu=0,memory=0,pods=2"),
        (of_class("Exists", json!([])), plain(), none),
        (of_class("Exists", json!([])), classes(), "cpu=600m,memory=51Gi,pods=2"),
        (of_class("In", json!(["high", "low"])), classes(), "cpu=600m,memory=51Gi,pods=2"),
        (of_class("In", json!(["high"])), classes(), "cpu=500m,memory=50Gi,pods=1"),
        (of_class("In", json!(["low"])), classes(), "cpu=100m,memory=1Gi,pods=1"),
        (of_class("NotIn", json!(["high"])), classes(), "cpu=100m,memory=1Gi,pods=1"),
        (of_class("In", json!(["random"])), classes(), none),
        (of_class("NotIn", json!(["random"])), plain(), "cpu=200m,memory=2Gi,pods=2"),
        (of_class("DoesNotExist", json!([])), plain(), "cpu=200m,memory=2Gi,pods=2"),
        (json!({ "hard": read(usual) }), plain(), "cpu=200m,memory=2Gi,pods=2"),
    ];
    for (spec, pods, expected) in cases {
        let listed = BTreeMap::from([(Measure::Pods, pods)]);
        let (hard, used) = after(&quota(spec.clone(), "", None), &listed);
        assert_eq!((hard.as_str(), used.as_str()), ("cpu=3,memory=100Gi,pods=5", expected), "{spec}");
    }
}

#[test]
fn bounds_that_change_are_said_and_what_cannot_be_listed_stays_unknown() {
    let cpu = || json!({ "hard": read("cpu=4") });
    let both = || json!({ "hard": read("pods=1 configmaps=1") });
    let nothing = || BTreeMap::from([(Measure::Pods, vec![])]);
    let maps = BTreeMap::from([(Measure::of("", "configmaps").unwrap(), vec![])]);
    let cases = [
        ("another bound", quota(cpu(), "cpu=3", Some("cpu=0")), nothing(), "cpu=4", "cpu=0"),
        ("its use unknown", quota(cpu(), "cpu=0", None), nothing(), "cpu=4", "cpu=0"),
        ("nothing listed", quota(json!({ "hard": read("pods=1") }), "", None), BTreeMap::new(), "pods=1", ""),
        ("some listed", quota(both(), "", None), maps, "configmaps=1,pods=1", "configmaps=0"),
        (
            "one kept though it could not be listed",
            quota(both(), "pods=1", Some("pods=1")),
            BTreeMap::new(),
            "configmaps=1,pods=1",
            "pods=1",
        ),
        (
            "one no longer bounded",
            quota(cpu(), "cpu=4 pods=1", Some("cpu=1 pods=1")),
            nothing(),
            "cpu=4",
            "cpu=0",
        ),
    ];
    for (what, quota, listed, hard, used) in cases {
        assert_eq!(after(&quota, &listed), (hard.to_owned(), used.to_owned()), "{what}");
    }
}

#[test]
fn only_bounds_that_nobody_was_told_of_are_announced() {
    let announced = |spec: &str, hard: &str, used: &str| {
        Bounds::of(&quota(json!({ "hard": read(spec) }), hard, Some(used))).announce()
    };
    assert_eq!(announced("pods=2", "pods=1", "pods=1"), None, "another amount of the same");
    assert_eq!(announced("pods=1", "pods=1", ""), None, "nobody is let in anyway");
    assert_eq!(announced("example.com/none=1", "", ""), None, "nobody measures it");
    assert_eq!(
        announced("pods=2 cpu=1", "pods=1 memory=1", "pods=1 memory=1"),
        Some(json!({ "hard": { "cpu": "1", "pods": "2", "memory": null }, "used": { "memory": null } }))
    );
}

#[test]
fn a_status_that_says_the_same_is_not_written() {
    let spec = json!({ "hard": read("memory=1Gi pods=1") });
    let mut bounds = Bounds::of(&quota(spec, "memory=1024Mi pods=1", Some("memory=0 pods=1")));
    assert_eq!(bounds.report(&Amounts::from([("pods".to_owned(), "1".parse().unwrap())])), None);
    let more = Amounts::from([("pods".to_owned(), "2".parse().unwrap())]);
    assert_eq!(bounds.report(&more), Some(json!({ "used": { "pods": "2" } })));
    assert_eq!(bounds.report(&more), None);
}

#[test]
fn what_may_give_something_back_is_looked_at() {
    let pod = |change: Value| -> Arc<Pod> {
        let pod = json!({
            "metadata": { "uid": "1", "generation": 1 }, "spec": { "containers": [] },
            "status": { "phase": "Running" },
        });
        Arc::new(serde_json::from_value(mainstay_resource::patch::merge(pod, &change)).unwrap())
    };
    let changed =
        |change: Value| replenish::by_pod(&Change::Applied { old: Some(pod(json!({}))), new: pod(change) });
    assert!(!replenish::by_pod(&Change::Applied { old: None, new: pod(json!({})) }), "a new pod was charged");
    assert!(replenish::by_pod(&Change::Deleted { old: pod(json!({})) }));
    assert!(changed(json!({ "status": { "phase": "Succeeded" } })));
    assert!(changed(json!({ "spec": { "activeDeadlineSeconds": 1 } })));
    assert!(changed(json!({ "metadata": { "generation": 2 } })));
    assert!(!changed(json!({ "status": { "podIP": "10.0.0.1" } })));

    let service = |kind: &str| -> Arc<Service> {
        Arc::new(serde_json::from_value(json!({ "metadata": {}, "spec": { "type": kind } })).unwrap())
    };
    let retyped = |from: &str, to: &str| {
        replenish::by_service(&Change::Applied { old: Some(service(from)), new: service(to) })
    };
    assert!(retyped("NodePort", "ClusterIP") && retyped("LoadBalancer", "NodePort"));
    assert!(!retyped("ClusterIP", "ExternalName") && !retyped("NodePort", "NodePort"));

    let claim = |allocated: Option<&str>| -> Arc<PersistentVolumeClaim> {
        let status = json!({ "allocatedResources": allocated.map(|size| json!({ "storage": size })) });
        Arc::new(serde_json::from_value(json!({ "metadata": {}, "status": status })).unwrap())
    };
    let resized = |from, to| replenish::by_claim(&Change::Applied { old: Some(claim(from)), new: claim(to) });
    assert!(resized(Some("2Gi"), Some("1Gi")) && !resized(None, None));
}
