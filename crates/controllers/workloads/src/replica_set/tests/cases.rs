//! Upstream's tables: the order of deletion, and what a set says of its pods.

use super::*;
use crate::replica_set::ranking::{self, compare};
use std::cmp::Ordering;

/// A pod of upstream's tables; times are hours before now, and `None` is no time at all.
#[derive(Clone, Copy)]
struct Sketch {
    name: &'static str,
    node: &'static str,
    phase: &'static str,
    is_ready: bool,
    ready_since: Option<i64>,
    restarts: (i32, i32),
    made: Option<i64>,
    cost: &'static str,
}

const fn sketch(name: &'static str, node: &'static str, phase: &'static str) -> Sketch {
    Sketch { name, node, phase, is_ready: false, ready_since: None, restarts: (0, 0), made: None, cost: "" }
}

const fn ready(name: &'static str, since: Option<i64>, made: Option<i64>) -> Sketch {
    Sketch { is_ready: true, ready_since: since, made, ..sketch(name, "node", "Running") }
}

const MONTH: i64 = 720;

impl Sketch {
    fn pod(self) -> Arc<Pod> {
        let ago = |hours: i64| (now() - jiff::SignedDuration::from_hours(hours)).to_string();
        let mut pod = json!({
            "metadata": {"name": self.name},
            "spec": {"nodeName": self.node, "containers": [], "initContainers": [{"name": "sidecar", "restartPolicy": "Always"}]},
            "status": {"phase": self.phase},
        });
        if self.is_ready {
            let mut condition = json!({"type": "Ready", "status": "True"});
            if let Some(hours) = self.ready_since {
                condition["lastTransitionTime"] = json!(ago(hours));
            }
            pod["status"]["conditions"] = json!([condition]);
            let container = |name: &str, restarts: i32| json!([{"name": name, "restartCount": restarts, "ready": true, "image": "", "imageID": ""}]);
            pod["status"]["containerStatuses"] = container("c", self.restarts.0);
            pod["status"]["initContainerStatuses"] = container("sidecar", self.restarts.1);
        }
        if let Some(hours) = self.made {
            pod["metadata"]["creationTimestamp"] = json!(ago(hours));
        }
        if !self.cost.is_empty() {
            pod["metadata"]["annotations"] = json!({DELETION_COST: self.cost});
        }
        Arc::new(serde_json::from_value(pod).unwrap())
    }
}

const UNSCHEDULED: Sketch = sketch("unscheduled", "", "Pending");
const PENDING: Sketch = sketch("pending", "node", "Pending");
const UNKNOWN: Sketch = sketch("unknown-phase", "node", "Unknown");
const NOT_READY: Sketch = sketch("not-ready", "node", "Running");
const NO_TIME: Sketch = ready("ready-no-last-transition-time", None, None);
const NOW: Sketch = ready("ready-now", Some(0), Some(0));
const THEN: Sketch = ready("ready-then", Some(MONTH), Some(MONTH));
const RESTARTED: Sketch = Sketch { restarts: (9001, 0), ..NOW };
const SIDE_RESTARTED: Sketch = Sketch { restarts: (9001, 9001), ..NOW };
const MADE_THEN: Sketch = ready("ready-now-created-then", Some(0), Some(MONTH));
const CHEAP: Sketch = Sketch { cost: "10", ..MADE_THEN };
const DEAR: Sketch = Sketch { cost: "100", ..MADE_THEN };
const TWO_HOURS: Sketch = ready("ready-2-hours", Some(2), Some(MONTH));
const FIVE_HOURS: Sketch = ready("ready-5-hours", Some(5), Some(MONTH));
const EIGHT_HOURS: Sketch = ready("ready-8-hours", Some(8), Some(MONTH));

/// The equalities of upstream's `TestSortingActivePodsWithRanks`.
#[test]
fn equal_pods_are_in_no_order_and_ages_of_one_magnitude_are_equal() {
    let old = |hours| Sketch { made: Some(hours), ..UNSCHEDULED };
    let same =
        [UNSCHEDULED, PENDING, UNKNOWN, NOT_READY, MADE_THEN, NOW, THEN, RESTARTED].map(|pod| (pod, pod));
    for (a, b) in same.into_iter().chain([(old(5), old(8)), (FIVE_HOURS, EIGHT_HOURS)]) {
        assert_eq!(compare(&a.pod(), &b.pod(), (1, 1), now()), Ordering::Equal, "{} {}", a.name, b.name);
    }
}

/// Its inequalities, but for the one with a feature off.
#[test]
fn the_lesser_pod_goes_first() {
    for (lesser, greater) in [
        ((UNSCHEDULED, 1), (PENDING, 2)),
        ((UNSCHEDULED, 2), (PENDING, 1)),
        ((PENDING, 1), (UNKNOWN, 2)),
        ((UNKNOWN, 1), (NOT_READY, 2)),
        ((NOT_READY, 1), (NO_TIME, 1)),
        ((NO_TIME, 1), (NOW, 1)),
        ((NOW, 2), (NO_TIME, 1)),
        ((NOW, 1), (THEN, 1)),
        ((NOW, 2), (THEN, 1)),
        ((RESTARTED, 1), (NOW, 1)),
        ((SIDE_RESTARTED, 1), (RESTARTED, 1)),
        ((NOW, 2), (RESTARTED, 1)),
        ((NOW, 1), (MADE_THEN, 1)),
        ((MADE_THEN, 2), (NOW, 1)),
        ((CHEAP, 2), (DEAR, 1)),
        ((TWO_HOURS, 1), (FIVE_HOURS, 1)),
    ] {
        let (a, b) = (lesser.0.pod(), greater.0.pod());
        assert_eq!(
            compare(&a, &b, (lesser.1, greater.1), now()),
            Ordering::Less,
            "{} {}",
            lesser.0.name,
            greater.0.name
        );
        assert_eq!(compare(&b, &a, (greater.1, lesser.1), now()), Ordering::Greater);
    }
}

/// Upstream's `TestSortingActivePods`.
#[test]
fn pods_are_sorted_alike_whatever_order_they_come_in() {
    let flaky = |name, since| Sketch { restarts: (3, 0), ..ready(name, since, None) };
    let pods = [
        UNSCHEDULED,
        PENDING,
        UNKNOWN,
        NOT_READY,
        flaky("no-time", None),
        flaky("since-now", Some(0)),
        flaky("longer", Some(MONTH)),
        Sketch { restarts: (2, 2), ..ready("sidecar", Some(MONTH), Some(0)) },
        Sketch { restarts: (2, 0), ..ready("fewer", Some(MONTH), Some(0)) },
        Sketch { restarts: (2, 0), ..ready("oldest", Some(MONTH), Some(MONTH)) },
    ];
    let expected: Vec<&str> = pods.iter().map(|pod| pod.name).collect();
    for turn in 0..pods.len() {
        let mut shuffled: Vec<Arc<Pod>> = pods.iter().map(|pod| pod.pod()).collect();
        shuffled.rotate_left(turn);
        shuffled.swap(0, 9 - turn);
        shuffled.sort_by(|a, b| compare(a, b, (0, 0), now()));
        assert_eq!(names(&shuffled), expected);
    }
}

/// Upstream's `TestGetPodsToDelete`.
#[test]
fn the_pods_to_delete_are_the_first_of_their_order() {
    let node = |name, node| Sketch { node, ..ready(name, None, None) };
    let (one, two) = (node("node-1", "n1"), node("node-2", "n2"));
    let all = vec![one, one, two, NOT_READY, PENDING, UNSCHEDULED];
    for (case, pods, related, count, expected) in [
        ("none", vec![], None, 0, vec![]),
        ("all of two", vec![NOT_READY, one], None, 2, vec![NOT_READY, one]),
        ("one of two", vec![one, NOT_READY], None, 1, vec![NOT_READY]),
        ("all of many", all.clone(), None, 6, all.clone()),
        ("all of many, nothing related", all.clone(), Some(vec![]), 6, all),
        ("unscheduled first", vec![PENDING, UNSCHEDULED], None, 1, vec![UNSCHEDULED]),
        ("unready first", vec![one, NOT_READY, NOT_READY], None, 2, vec![NOT_READY, NOT_READY]),
        ("crowded first", vec![one, two], Some(vec![one, two, two]), 1, vec![two]),
        ("pending first", vec![PENDING, NOT_READY], None, 1, vec![PENDING]),
        (
            "half of them",
            vec![one, two, NOT_READY, PENDING, UNSCHEDULED],
            None,
            3,
            vec![UNSCHEDULED, PENDING, NOT_READY],
        ),
    ] {
        let made = |sketches: &[Sketch]| sketches.iter().map(|pod| pod.pod()).collect::<Vec<_>>();
        let related = made(related.as_ref().unwrap_or(&pods));
        let deleted = ranking::to_delete(made(&pods), &related, count, now());
        assert_eq!(names(&deleted), expected.iter().map(|pod| pod.name).collect::<Vec<_>>(), "{case}");
    }
}

#[test]
fn a_cost_is_a_number_as_people_write_it() {
    for (cost, expected) in
        [("10", 10), ("-10", -10), ("0", 0), ("+10", 0), ("010", 0), ("ten", 0), ("2147483648", 0)]
    {
        let pod = Sketch { cost, ..MADE_THEN }.pod();
        let mut other = Pod::clone(&MADE_THEN.pod());
        let annotations = other.metadata.annotations.get_or_insert_default();
        annotations.insert(DELETION_COST.to_owned(), expected.to_string());
        assert_eq!(compare(&pod, &other, (1, 1), now()), Ordering::Equal, "{cost}");
    }
}

/// Upstream's `TestCalculateStatus`, but for terminating pods, which are not counted.
#[test]
fn a_status_counts_the_active_pods() {
    let full = json!({"app": "web", "tier": "front"});
    let part = json!({"app": "web"});
    // the pods' labels, whether they are ready, and the seconds they must be → all four counts
    for (case, labels, is_ready, seconds, expected) in [
        ("one", vec![&full], true, 0, (1, 1, 1, 1)),
        ("one that lacks a label", vec![&part], true, 0, (1, 0, 1, 1)),
        ("two", vec![&full, &full], true, 0, (2, 2, 2, 2)),
        ("two that lack a label", vec![&part, &part], true, 0, (2, 0, 2, 2)),
        ("one of two lacks a label", vec![&part, &full], true, 0, (2, 1, 2, 2)),
        ("one that is not ready", vec![&full], false, 0, (1, 1, 0, 0)),
        ("one that is not available", vec![&full], true, 3600, (1, 1, 1, 0)),
    ] {
        let pods = pods(labels.into_iter().map(|labels| {
            let mut pod = pod("pod", "n", "Running", is_ready.then_some(LATELY));
            pod["metadata"]["labels"] = labels.clone();
            pod
        }));
        let mut set = set(2);
        set.spec.as_mut().unwrap().min_ready_seconds = Some(seconds);
        let status = plan::status(&set, &pods, None, now());
        let count = |count: Option<i32>| count.unwrap_or_default();
        let counts = (
            status.replicas,
            count(status.fully_labeled_replicas),
            count(status.ready_replicas),
            count(status.available_replicas),
        );
        assert_eq!(counts, expected, "{case}");
    }
}

/// Upstream's `TestCalculateStatusConditions`.
#[test]
fn a_failure_is_told_once_and_taken_back_when_it_is_over() {
    for (case, was_there, failure, expected) in [
        ("too few", false, Some("FailedCreate"), Some(Some("FailedCreate"))),
        ("too many", false, Some("FailedDelete"), Some(Some("FailedDelete"))),
        ("over", true, None, None),
        ("still", true, Some("FailedCreate"), Some(None)),
        ("never", false, None, None),
    ] {
        let mut set = set(2);
        let known = json!({"replicas": 0, "conditions": [{"type": "ReplicaFailure", "status": "True"}]});
        set.status = was_there.then(|| serde_json::from_value(known).unwrap());
        let failure = failure.map(|reason| Failure { reason, message: "fake".to_owned() });
        let status = plan::status(&set, &pods([pod("pod1", "n", "Running", None)]), failure.as_ref(), now());
        let reasons: Vec<_> = status.conditions.iter().flatten().map(|own| own.reason.as_deref()).collect();
        assert_eq!(reasons, expected.into_iter().collect::<Vec<_>>(), "{case}");
    }
}
