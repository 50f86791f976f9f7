//! Upstream's own cases of its quota admission, as tables.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use jiff::Timestamp;
use mainstay_resource::quota::Amounts;
use serde_json::json;

use super::check::{Change as Written, check};
use super::*;

/// `cpu=1 pods=3/5` as what is used of what is had.
fn quota(name: &str, bounds: &str, scopes: &[&str]) -> Value {
    let (mut hard, mut used) = (json!({}), json!({}));
    for (name, amounts) in bounds.split_whitespace().filter_map(|pair| pair.split_once('=')) {
        let (own, all) = amounts.split_once('/').expect("a case says what is used and had");
        hard[name] = json!(all);
        if !own.is_empty() {
            used[name] = json!(own);
        }
    }
    json!({
        "metadata": { "name": name, "namespace": "test" }, "spec": { "scopes": scopes },
        "status": { "hard": hard, "used": used },
    })
}

fn pod(requests: Value, limits: Value) -> Value {
    let resources = json!({ "requests": requests, "limits": limits });
    json!({ "spec": { "containers": [{ "name": "c", "resources": resources }] } })
}

fn bound(mut pod: Value) -> Value {
    pod["spec"]["activeDeadlineSeconds"] = json!(30);
    pod
}

fn service(kind: &str, ports: usize) -> Value {
    json!({ "spec": { "type": kind, "ports": vec![json!({ "port": 1234 }); ports] } })
}

fn claim(size: &str) -> Value {
    json!({ "spec": { "resources": { "requests": { "storage": size } } } })
}

/// What is used after a write, by quota; or why it is refused.
fn after(
    measure: &Measure,
    quotas: &[Value],
    before: Option<&Value>,
    object: &Value,
) -> Result<Vec<(String, String)>, String> {
    let held: Vec<Quota> = quotas.iter().map(Quota::of).collect();
    let change = Written { before, object, is_status: false, now: Timestamp::UNIX_EPOCH };
    let charges = check(measure, &held, &change).map_err(|refusal| match refusal {
        Refusal::Unknown(why) | Refusal::Exceeded(why) => why,
    })?;
    let text = |used: &Amounts| amounts::text(used.iter().map(|(name, amount)| (name.as_str(), *amount)));
    let name = |charge: &Charge| mainstay_resource::meta::name(&quotas[charge.quota]).to_owned();
    Ok(charges.iter().map(|charge| (name(charge), text(&charge.used))).collect())
}

fn charged(name: &str, used: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), used.to_owned())]
}

#[test]
fn a_new_pod_is_charged_to_each_quota_it_counts_for() {
    let usual = "cpu=1/3 memory=50Gi/100Gi pods=3/5";
    let small = || pod(json!({ "cpu": "100m", "memory": "2Gi" }), json!({}));
    let idle = || pod(json!({}), json!({}));
    let (after_small, none) = ("cpu=1100m,memory=52Gi,pods=4", || Ok(vec![]));
    let terminating =
        || vec![quota("others", usual, &["NotTerminating"]), quota("terminating", usual, &["Terminating"])];
    let best_effort =
        || vec![quota("best", "pods=3/5", &["BestEffort"]), quota("others", "pods=3/5", &["NotBestEffort"])];
    let cases = [
        ("it fits", vec![quota("quota", usual, &[])], small(), Ok(charged("quota", after_small))),
        (
            "it asks for too much",
            vec![quota("quota", usual, &[])],
            pod(json!({ "cpu": "3", "memory": "2Gi" }), json!({})),
            Err("exceeded quota: quota, requested: cpu=3, used: cpu=1, limited: cpu=3".to_owned()),
        ),
        (
            "it asks for too much of two things",
            vec![quota("quota", usual, &[])],
            pod(json!({ "cpu": "3", "memory": "60Gi" }), json!({})),
            Err("exceeded quota: quota, requested: cpu=3,memory=60Gi, used: cpu=1,memory=50Gi, limited: \
                 cpu=3,memory=100Gi"
                .to_owned()),
        ),
        (
            "it does not say what it may use",
            vec![quota("quota", "cpu=1/3 memory=50Gi/100Gi limits.memory=100Gi/200Gi pods=3/5", &[])],
            pod(json!({ "cpu": "100m", "memory": "2Gi" }), json!({ "cpu": "200m" })),
            Err("failed quota: quota: must specify limits.memory for: c".to_owned()),
        ),
        ("there is none", vec![], small(), none()),
        ("its end is set", terminating(), bound(small()), Ok(charged("terminating", after_small))),
        ("it asks for nothing", best_effort(), idle(), Ok(charged("best", "pods=4"))),
        ("it asks for something", vec![quota("best", "pods=3/5", &["BestEffort"])], small(), none()),
        (
            "there is too much of something else",
            vec![quota("quota", "services=4/3 pods=1/4", &[])],
            idle(),
            Ok(charged("quota", "pods=2,services=4")),
        ),
        (
            "nothing of it is counted",
            vec![quota("quota", "services=1/3 count/jobs.batch=1/1", &[])],
            idle(),
            none(),
        ),
    ];
    for (what, quotas, pod, expected) in cases {
        assert_eq!(after(&Measure::Pods, &quotas, None, &pod), expected, "{what}");
    }
}

#[test]
fn a_quota_whose_use_nobody_knows_lets_nothing_in() {
    let cases = [
        ("", Ok(vec![])),
        ("memory=/1Gi", Err("status unknown for quota: quota, resources: memory".to_owned())),
        ("memory=500Mi/1Gi", Ok(charged("quota", "memory=600Mi"))),
        (
            "memory=500Mi/1Gi pods=/1",
            Err("status unknown for quota: quota, resources: memory,pods".to_owned()),
        ),
        ("memory=500Mi/1Gi services=/1", Ok(charged("quota", "memory=600Mi"))),
    ];
    let object = pod(json!({ "memory": "100Mi" }), json!({}));
    for (bounds, expected) in cases {
        assert_eq!(
            after(&Measure::Pods, &[quota("quota", bounds, &[])], None, &object),
            expected,
            "{bounds}"
        );
    }
}

#[test]
fn a_change_is_charged_for_what_is_more() {
    let services = "services=1/10 services.loadbalancers=1/10 services.nodeports=0/10";
    let claims = "persistentvolumeclaims=1/3 requests.storage=10Gi/100Gi";
    let balancer = service("LoadBalancer", 0);
    let node_port = service("NodePort", 1);
    let cases = [
        (
            "a balancer becomes a node port",
            Measure::Services,
            services,
            Some(&balancer),
            node_port.clone(),
            Ok(charged("quota", "services=1,services.loadbalancers=1,services.nodeports=1")),
        ),
        (
            "a new node port",
            Measure::Services,
            services,
            None,
            node_port,
            Ok(charged("quota", "services=2,services.loadbalancers=1,services.nodeports=1")),
        ),
        ("a smaller claim", Measure::Claims, claims, Some(&claim("10Gi")), claim("5Gi"), Ok(vec![])),
        (
            "a larger claim",
            Measure::Claims,
            claims,
            Some(&claim("10Gi")),
            claim("15Gi"),
            Ok(charged("quota", "persistentvolumeclaims=1,requests.storage=15Gi")),
        ),
        (
            "a claim that becomes too large",
            Measure::Claims,
            claims,
            Some(&claim("10Gi")),
            claim("110Gi"),
            Err("exceeded quota: quota, requested: requests.storage=100Gi, used: requests.storage=10Gi, limited: \
                 requests.storage=100Gi"
                .to_owned()),
        ),
        (
            "a negative claim",
            Measure::Claims,
            claims,
            None,
            claim("-1Gi"),
            Err("quota usage is negative for resource(s): requests.storage".to_owned()),
        ),
        (
            "a claim",
            Measure::Claims,
            claims,
            None,
            claim("1Gi"),
            Ok(charged("quota", "persistentvolumeclaims=2,requests.storage=11Gi")),
        ),
    ];
    for (what, measure, bounds, before, object, expected) in cases {
        assert_eq!(after(&measure, &[quota("quota", bounds, &[])], before, &object), expected, "{what}");
    }
}

#[test]
fn a_pod_that_comes_into_a_scope_is_charged_there_in_full() {
    let bounds = "cpu=1/3 memory=50Gi/100Gi pods=3/5";
    let quotas =
        [quota("others", bounds, &["NotTerminating"]), quota("terminating", bounds, &["Terminating"])];
    let before = pod(json!({ "cpu": "100m", "memory": "2Gi" }), json!({}));
    let object = bound(before.clone());
    assert_eq!(
        after(&Measure::Pods, &quotas, Some(&before), &object),
        Ok(charged("terminating", "cpu=1100m,memory=52Gi,pods=4"))
    );
}

#[test]
fn a_status_is_charged_but_never_refused() {
    let quotas = [quota("quota", "requests.storage=10Gi/20Gi", &[])];
    let held: Vec<Quota> = quotas.iter().map(Quota::of).collect();
    let before = claim("10Gi");
    let mut object = before.clone();
    object["status"] = json!({ "allocatedResources": { "storage": "50Gi" } });
    let change =
        Written { before: Some(&before), object: &object, is_status: true, now: Timestamp::UNIX_EPOCH };
    let charges = check(&Measure::Claims, &held, &change).expect("a status is told of, not asked for");
    assert_eq!(charges[0].used["requests.storage"].to_string(), "50Gi");
}

#[test]
fn writes_that_can_make_nothing_more_are_let_be() {
    let plain = json!({ "spec": {} });
    let one = json!({ "spec": { "activeDeadlineSeconds": 1 } });
    let two = json!({ "spec": { "activeDeadlineSeconds": 2 } });
    let allocated = json!({ "status": { "allocatedResources": { "storage": "1Gi" } } });
    let deployments = Measure::of("apps", "deployments").expect("they are counted");
    let cases = [
        (&Measure::Pods, None, None, &plain, true),
        (&Measure::Pods, None, Some(&one), &plain, true),
        (&Measure::Pods, None, Some(&plain), &one, true),
        (&Measure::Pods, None, Some(&two), &one, false),
        (&Measure::Pods, None, Some(&plain), &plain, false),
        (&Measure::Pods, Some(Action::Status), Some(&plain), &plain, false),
        (&Measure::Pods, Some(Action::Binding), Some(&plain), &plain, false),
        (&Measure::Pods, Some(Action::Eviction), None, &plain, false),
        (&Measure::Pods, Some(Action::Resize), Some(&plain), &plain, true),
        (&Measure::Services, None, None, &plain, true),
        (&Measure::Services, None, Some(&plain), &plain, true),
        (&Measure::Services, Some(Action::Status), Some(&plain), &plain, false),
        (&Measure::Services, Some(Action::Connect), None, &plain, false),
        (&Measure::Claims, None, None, &plain, true),
        (&Measure::Claims, None, Some(&plain), &plain, true),
        (&Measure::Claims, Some(Action::Status), Some(&plain), &plain, false),
        (&Measure::Claims, Some(Action::Status), Some(&plain), &allocated, true),
        (&deployments, None, None, &plain, true),
        (&deployments, None, Some(&plain), &plain, false),
    ];
    for (measure, part, before, object, expected) in cases {
        let concerned = is_concerned(measure, part.as_ref(), before, object);
        assert_eq!(concerned, expected, "{measure:?} {part:?} {before:?}");
    }
}

#[test]
fn amounts_are_told_in_the_order_of_their_names() {
    let of = |pairs: &[(&'static str, &str)]| {
        let amounts = pairs
            .iter()
            .map(|(name, amount)| ((*name).to_owned(), amount.parse().expect("a case has amounts")));
        let amounts: Amounts = amounts.collect();
        amounts::text(amounts.iter().map(|(name, amount)| (name.as_str(), *amount)))
    };
    assert_eq!(of(&[("cpu", "100m")]), "cpu=100m");
    let many = of(&[
        ("pods", "10"),
        ("services", "10"),
        ("replicationcontrollers", "10"),
        ("services.nodeports", "10"),
        ("requests.cpu", "100m"),
        ("requests.memory", "100Mi"),
        ("limits.cpu", "100m"),
        ("limits.memory", "100Mi"),
    ]);
    assert_eq!(
        many,
        "limits.cpu=100m,limits.memory=100Mi,pods=10,replicationcontrollers=10,requests.cpu=100m,\
         requests.memory=100Mi,services=10,services.nodeports=10"
    );
}
