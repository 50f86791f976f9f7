//! Upstream's tables of when pods ended, and how long a Job waits then.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::backoff::{Failures, finished};
use super::super::plan;
use super::{NOW, ago, now, pod};

/// Pods that ended so many milliseconds before now.
fn ended(ages: &[i64]) -> Vec<k8s_openapi::api::core::v1::Pod> {
    let at = |age: &i64| now() - SignedDuration::from_millis(*age);
    let pods = ages.iter().map(|age| {
        let container = state("c", Some(at(age)));
        pod("p", "Failed", None, json!({}), json!({"containerStatuses": [container]}))
    });
    pods.map(|pod| pod.as_ref().clone()).collect()
}

fn state(name: &str, finished: Option<Timestamp>) -> Value {
    let terminated = finished.map(|at| json!({"exitCode": 1, "finishedAt": at.to_string()}));
    json!({
        "name": name, "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": terminated},
    })
}

/// Upstream's `TestNewBackoffRecord`.
#[test]
fn failures_count_from_the_last_success_on() {
    let same = |count| Failures { count, last: Some(now()) };
    let table: [(u32, &[i64], &[i64], Failures); 8] = [
        (0, &[], &[0], same(1)),
        (0, &[], &[0, 1], same(2)),
        (0, &[0], &[2, 1], Failures::default()),
        (0, &[2], &[0, 4, 3, 1], same(2)),
        (2, &[], &[0], same(3)),
        (0, &[0], &[0], Failures::default()),
        (0, &[], &[], Failures::default()),
        (0, &[0], &[], Failures::default()),
    ];
    for (before, succeeded, failed, expected) in table {
        let (done, lost) = (ended(succeeded), ended(failed));
        let before = Failures { count: before, last: None };
        let after = before.after(&done.iter().collect::<Vec<_>>(), &lost.iter().collect::<Vec<_>>());
        assert_eq!(after, expected, "{succeeded:?} {failed:?}");
    }
}

/// Upstream's `TestGetFinishedTime`.
#[test]
fn a_pod_ended_when_its_last_container_did_or_as_near_as_can_be_told() {
    let at = |age: i64| Some(ago(age));
    let sidecar = |policy: Option<&str>| json!({"initContainers": [{"name": "side", "restartPolicy": policy}], "containers": []});
    let created = json!({"creationTimestamp": NOW});
    let going = json!({"deletionTimestamp": NOW});
    let graceful = json!({"deletionTimestamp": NOW, "deletionGracePeriodSeconds": 30});
    let ready = |status: &str, age: i64| json!([{"type": "Ready", "status": status, "lastTransitionTime": ago(age).to_string()}]);
    for (metadata, spec, main, init, conditions, expected) in [
        (json!({}), json!(null), vec![at(0)], vec![], json!([]), 0),
        (json!({}), json!(null), vec![at(1), at(0), at(2)], vec![], json!([]), 0),
        (going.clone(), json!(null), vec![at(1), None, at(2)], vec![], json!([]), 0),
        (going.clone(), json!(null), vec![None], vec![], json!([]), 0),
        (graceful, json!(null), vec![None], vec![], json!([]), 30),
        (json!({}), json!(null), vec![None], vec![], ready("False", 0), 0),
        (going, json!(null), vec![None], vec![], ready("True", 30), 0),
        (created.clone(), json!(null), vec![None], vec![], json!([]), 0),
        (json!({}), sidecar(Some("Always")), vec![at(1)], vec![at(0)], json!([]), 0),
        (created, sidecar(Some("Always")), vec![at(1)], vec![None], json!([]), 0),
        (json!({}), sidecar(None), vec![at(1)], vec![at(0)], json!([]), 1),
    ] {
        let main: Vec<_> = main.into_iter().map(|at| state("c", at)).collect();
        let init: Vec<_> = init.into_iter().map(|at| state("side", at)).collect();
        let status =
            json!({"containerStatuses": main, "initContainerStatuses": init, "conditions": conditions});
        let mut pod = pod("p", "Failed", None, metadata, status).as_ref().clone();
        pod.spec = serde_json::from_value(spec).unwrap();
        assert_eq!(finished(&pod), ago(expected), "{pod:?}");
    }
}

/// Upstream's `TestGetRemainingBackoffTime`, with the delays that are not for tests.
#[test]
fn the_wait_doubles_to_ten_minutes() {
    for (count, age, expected) in [
        (0, 0, 0),
        (1, 0, 10),
        (1, 1, 9),
        (1, 10, 0),
        (1, 11, 0),
        (3, 0, 40),
        (6, 0, 320),
        (7, 0, 600),
        (u32::MAX, 0, 600),
    ] {
        let failures = Failures { count, last: Some(ago(age)) };
        assert_eq!(failures.remaining(now()), Duration::from_secs(expected), "{count} {age}");
    }
    assert_eq!(Failures::default().remaining(now()), Duration::ZERO);
}

/// Upstream's `TestGetRemainingBackoffTimePerIndex`.
#[test]
fn an_index_waits_by_all_its_failures() {
    for (counted, ignored, expected) in [("2", None, 40), ("1", Some("1"), 40), ("0", None, 10)] {
        let annotations = json!({
            "batch.kubernetes.io/job-index-failure-count": counted,
            "batch.kubernetes.io/job-index-ignored-failure-count": ignored.unwrap_or("0"),
        });
        let metadata = json!({"annotations": annotations, "deletionTimestamp": NOW});
        let failed = pod("p", "Failed", None, metadata, json!({"containerStatuses": []}));
        assert_eq!(plan::remaining(&failed, now()), Duration::from_secs(expected));
    }
}
