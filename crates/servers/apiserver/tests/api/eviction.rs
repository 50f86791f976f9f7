//! Eviction and the budgets that allow it: upstream's cases of its eviction storage.
//!
//! LIMIT: the cases in which a false store answers with a conflict have no counterpart; that races
//! never spend more than a budget has is shown by evictions at the same time instead.

use futures::future::join_all;
use mainstay_resource::meta;
use serde_json::{Value, json};

use crate::region::{Answer, PODS, Region, in_region};

const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const VIOLATION: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

/// A bound pod in a phase, ready or not.
async fn pod(region: &Region, name: &str, phase: &str, ready: Option<bool>) -> Value {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "labels": { "a": "true" } },
        "spec": { "nodeName": "foo", "containers": [{ "name": "main", "image": "nginx:1.27" }] },
    });
    region.post(PODS, &pod).await.expect(201);
    let mut status = json!({ "phase": phase });
    if let Some(ready) = ready {
        let ready = if ready { "True" } else { "False" };
        status["conditions"] = json!([{ "type": "Ready", "status": ready }]);
    }
    region.merge(&format!("{PODS}/{name}/status"), &json!({ "status": status })).await.expect(200).body
}

/// A budget with a selector, a policy, and what its controller has found out: allowed, current, desired.
async fn budget(region: &Region, name: &str, selector: Value, policy: Option<&str>, counts: (i64, i64, i64)) {
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": name },
        "spec": { "minAvailable": 1, "selector": selector, "unhealthyPodEvictionPolicy": policy },
    });
    region.post(BUDGETS, &budget).await.expect(201);
    let (allowed, current, desired) = counts;
    let reason = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let status = json!({
        "disruptionsAllowed": allowed, "currentHealthy": current, "desiredHealthy": desired, "expectedPods": 3,
        "observedGeneration": 1, "conditions": [{
            "type": "DisruptionAllowed", "status": reason.0, "reason": reason.1, "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }],
    });
    region.merge(&format!("{BUDGETS}/{name}/status"), &json!({ "status": status })).await.expect(200);
}

fn ours() -> Value {
    json!({ "matchLabels": { "a": "true" } })
}

fn eviction(name: &str, options: &Value) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": name, "namespace": "default" },
        "deleteOptions": options,
    })
}

async fn evict(region: &Region, name: &str, options: &Value) -> Answer {
    region.post(&format!("{PODS}/{name}/eviction"), &eviction(name, options)).await
}

async fn is_there(region: &Region, name: &str) -> bool {
    region.get(&format!("{PODS}/{name}")).await.code == 200
}

/// The policy that stands for any.
const ANY: &[Option<&str>] = &[None, Some("IfHealthyBudget"), Some("AlwaysAllow")];
const HEALTHY: &[Option<&str>] = &[None, Some("IfHealthyBudget")];
const ALWAYS: &[Option<&str>] = &[Some("AlwaysAllow")];

struct Case {
    name: &'static str,
    phase: &'static str,
    ready: Option<bool>,
    selector: fn() -> Value,
    policies: &'static [Option<&'static str>],
    counts: (i64, i64, i64),
    /// Why it is refused.
    cause: Option<&'static str>,
}

const CASES: &[Case] = &[
    Case {
        name: "no disruptions allowed, running",
        phase: "Running",
        ready: None,
        selector: ours,
        policies: HEALTHY,
        counts: (0, 0, 0),
        cause: Some("The disruption budget foo needs 0 healthy pods and has 0 currently"),
    },
    Case {
        name: "no disruptions allowed, pending",
        phase: "Pending",
        ready: None,
        selector: ours,
        policies: ANY,
        counts: (0, 0, 0),
        cause: None,
    },
    Case {
        name: "no disruptions allowed, succeeded",
        phase: "Succeeded",
        ready: None,
        selector: ours,
        policies: ANY,
        counts: (0, 0, 0),
        cause: None,
    },
    Case {
        name: "no disruptions allowed, failed",
        phase: "Failed",
        ready: None,
        selector: ours,
        policies: ANY,
        counts: (0, 0, 0),
        cause: None,
    },
    Case {
        name: "disruptions allowed",
        phase: "Running",
        ready: Some(true),
        selector: ours,
        policies: ANY,
        counts: (1, 0, 0),
        cause: None,
    },
    Case {
        name: "another's budget",
        phase: "Running",
        ready: Some(true),
        selector: || json!({ "matchLabels": { "b": "true" } }),
        policies: ANY,
        counts: (0, 0, 0),
        cause: None,
    },
    Case {
        name: "no disruptions allowed, empty selector",
        phase: "Running",
        ready: None,
        selector: || json!({}),
        policies: HEALTHY,
        counts: (0, 0, 0),
        cause: Some("The disruption budget foo needs 0 healthy pods and has 0 currently"),
    },
    Case {
        name: "healthy, an unhealthy one is not ours",
        phase: "Running",
        ready: Some(true),
        selector: ours,
        policies: ANY,
        counts: (0, 2, 2),
        cause: Some("The disruption budget foo needs 2 healthy pods and has 2 currently"),
    },
    Case {
        name: "healthy and ours, the budget is honoured",
        phase: "Running",
        ready: Some(true),
        selector: ours,
        policies: ANY,
        counts: (1, 3, 3),
        cause: None,
    },
    Case {
        name: "the unhealthy one is ours",
        phase: "Running",
        ready: Some(false),
        selector: ours,
        policies: ANY,
        counts: (0, 2, 2),
        cause: None,
    },
    Case {
        name: "the unhealthy one is ours and always goes",
        phase: "Running",
        ready: Some(false),
        selector: ours,
        policies: ALWAYS,
        counts: (0, 0, 0),
        cause: None,
    },
    Case {
        name: "healthy, empty selector",
        phase: "Running",
        ready: Some(true),
        selector: || json!({}),
        policies: ANY,
        counts: (0, 3, 3),
        cause: Some("The disruption budget foo needs 3 healthy pods and has 3 currently"),
    },
];

#[test]
fn a_pod_goes_as_its_phase_its_health_and_its_budget_say() {
    for case in CASES {
        for policy in case.policies {
            in_region(move |region| async move {
                pod(&region, "p", case.phase, case.ready).await;
                budget(&region, "foo", (case.selector)(), *policy, case.counts).await;
                let answer = evict(&region, "p", &json!({ "gracePeriodSeconds": 0 })).await;
                let what = format!("{} with {policy:?}: {answer:?}", case.name);
                match case.cause {
                    None => assert!(answer.code == 201 && !is_there(&region, "p").await, "{what}"),
                    Some(cause) => {
                        assert_eq!(
                            (answer.code, answer.message(), answer.reason()),
                            (429, VIOLATION, "TooManyRequests"),
                            "{what}"
                        );
                        let told = &answer.body["details"]["causes"][0];
                        assert_eq!(
                            (&told["reason"], &told["message"]),
                            (&json!("DisruptionBudget"), &json!(cause)),
                            "{what}"
                        );
                        assert!(is_there(&region, "p").await, "{what}");
                    }
                }
            });
        }
    }
}

#[test]
fn a_terminating_pod_is_deleted_without_asking_its_budget() {
    in_region(|region| async move {
        pod(&region, "p", "Running", Some(true)).await;
        budget(&region, "foo", ours(), None, (0, 0, 0)).await;
        region.delete_with(&format!("{PODS}/p"), &json!({ "gracePeriodSeconds": 300 })).await.expect(200);
        evict(&region, "p", &json!({ "gracePeriodSeconds": 300 })).await.expect(201);
        let kept = region.get(&format!("{PODS}/p")).await.expect(200).body;
        assert_eq!(kept["metadata"]["deletionGracePeriodSeconds"], 300);
        evict(&region, "p", &json!({ "gracePeriodSeconds": 0 })).await.expect(201);
        assert!(!is_there(&region, "p").await);
    });
}

#[test]
fn the_names_must_be_the_same_and_either_version_will_do() {
    in_region(|region| async move {
        pod(&region, "p", "Running", Some(true)).await;
        for name in ["q", ""] {
            let bad =
                region.post(&format!("{PODS}/p/eviction"), &eviction(name, &json!({}))).await.expect(400);
            assert_eq!(bad.message(), "name in URL does not match name in Eviction object");
        }
        let mut other = eviction("p", &json!({ "gracePeriodSeconds": 0 }));
        other["apiVersion"] = json!("policy/v2");
        region.post(&format!("{PODS}/p/eviction"), &other).await.expect(400);
        other["apiVersion"] = json!("policy/v1beta1");
        let done = region.post(&format!("{PODS}/p/eviction"), &other).await.expect(201);
        assert_eq!((&done.body["kind"], &done.body["status"]), (&json!("Status"), &json!("Success")));
        evict(&region, "p", &json!({})).await.expect(404);
    });
}

#[test]
fn a_dry_run_changes_nothing_wherever_it_is_asked_for() {
    in_region(|region| async move {
        let before = pod(&region, "p", "Running", Some(true)).await;
        budget(&region, "foo", ours(), None, (1, 2, 1)).await;
        let counted = region.get(&format!("{BUDGETS}/foo")).await.body;
        for (query, options) in [
            ("?dryRun=All", json!({})),
            ("", json!({ "dryRun": ["All"] })),
            ("?dryRun=All", json!({ "dryRun": ["All"] })),
        ] {
            region.post(&format!("{PODS}/p/eviction{query}"), &eviction("p", &options)).await.expect(201);
        }
        assert_eq!(region.get(&format!("{PODS}/p")).await.body, before);
        assert_eq!(region.get(&format!("{BUDGETS}/foo")).await.body, counted);
        region
            .merge(&format!("{BUDGETS}/foo/status"), &json!({ "status": { "disruptionsAllowed": 0 } }))
            .await;
        evict(&region, "p", &json!({ "dryRun": ["All"] })).await.expect(429);
    });
}

#[test]
fn reading_errors_may_not_be_ignored() {
    in_region(|region| async move {
        pod(&region, "p", "Running", Some(true)).await;
        let reckless = json!({ "ignoreStoreReadErrorWithClusterBreakingPotential": true });
        let answer = evict(&region, "p", &reckless).await.expect(422);
        let expected = "Eviction.policy \"p\" is invalid: deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential: \
                        Invalid value: true: can not be set for pod eviction, try after removing the option";
        assert_eq!(answer.message(), expected);
    });
}

#[test]
fn the_budget_counts_each_eviction_and_tells_when_it_is_spent() {
    for (allowed, left, reason) in [(1, 0, "InsufficientPods"), (3, 2, "SufficientPods")] {
        in_region(move |region| async move {
            for name in ["foo-1", "foo-2"] {
                pod(&region, name, "Running", Some(true)).await;
            }
            budget(&region, "foo", ours(), None, (allowed, 4, 1)).await;
            evict(&region, "foo-1", &json!({})).await.expect(201);
            let budget = region.get(&format!("{BUDGETS}/foo")).await.body;
            assert_eq!(budget["status"]["disruptionsAllowed"], left);
            assert_eq!(budget["status"]["conditions"][0]["reason"], reason);
            assert_eq!(budget["status"]["disruptedPods"], json!({ "foo-1": "2026-11-23T12:00:00Z" }));
            let pod = region.get(&format!("{PODS}/foo-1")).await.body;
            assert!(meta::deletion_timestamp(&pod).is_some(), "it has its grace");
            let told = &pod["status"]["conditions"][1];
            let expected = json!({
                "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
                "message": "Eviction API: evicting", "lastProbeTime": null, "lastTransitionTime": "2026-11-23T12:00:00Z",
            });
            assert_eq!(told, &expected);
        });
    }
}

#[test]
fn preconditions_hold_for_the_announcement_and_for_the_deletion() {
    in_region(|region| async move {
        let made = pod(&region, "p", "Running", Some(true)).await;
        let with = |uid: &str, revision: &str| json!({ "gracePeriodSeconds": 0, "preconditions": { "uid": uid, "resourceVersion": revision } });
        let wrong = evict(&region, "p", &with("nobody", "")).await.expect(409);
        assert!(
            wrong.message().contains("The object might have been deleted and then recreated"),
            "{wrong:?}"
        );
        let wrong = evict(&region, "p", &with("", "1")).await.expect(409);
        assert!(wrong.message().contains("The object might have been modified"), "{wrong:?}");
        assert_eq!(region.get(&format!("{PODS}/p")).await.body, made);
        let (uid, revision) = (meta::uid(&made).to_owned(), meta::resource_version(&made).to_owned());
        evict(&region, "p", &with(&uid, &revision)).await.expect(201);
        assert!(!is_there(&region, "p").await);
        evict(&region, "p", &with(&uid, &revision)).await.expect(404);
    });
}

#[test]
fn two_budgets_and_one_that_is_behind_are_told_in_upstreams_words() {
    in_region(|region| async move {
        pod(&region, "p", "Running", Some(true)).await;
        budget(&region, "foo", ours(), None, (1, 2, 1)).await;
        region.merge(&format!("{BUDGETS}/foo"), &json!({ "spec": { "minAvailable": 2 } })).await.expect(200);
        let answer = evict(&region, "p", &json!({})).await.expect(429);
        assert_eq!(answer.body["details"]["retryAfterSeconds"], 10);
        let cause = "The disruption budget foo is still being processed by the server.";
        assert_eq!(answer.body["details"]["causes"][0]["message"], cause);
        budget(&region, "bar", json!({}), None, (1, 2, 1)).await;
        let answer = evict(&region, "p", &json!({})).await.expect(500);
        let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        assert_eq!((answer.message(), answer.reason()), (message, ""));
    });
}

#[test]
fn evictions_at_the_same_time_never_spend_more_than_there_is() {
    in_region(|region| async move {
        let names: Vec<String> = (0..24).map(|index| format!("p{index}")).collect();
        for name in &names {
            pod(&region, name, "Running", Some(true)).await;
        }
        budget(&region, "foo", ours(), None, (7, 24, 17)).await;
        let now = json!({ "gracePeriodSeconds": 0 });
        let answers = join_all(names.iter().map(|name| evict(&region, name, &now))).await;
        let count = |code: u16| answers.iter().filter(|answer| answer.code == code).count();
        assert_eq!((count(201), count(429)), (7, 17));
        let budget = region.get(&format!("{BUDGETS}/foo")).await.body;
        assert_eq!(budget["status"]["disruptionsAllowed"], 0);
        assert_eq!(budget["status"]["disruptedPods"].as_object().map(serde_json::Map::len), Some(7));
        let left = region.get(PODS).await.body["items"].as_array().map(Vec::len);
        assert_eq!(left, Some(17));
    });
}
