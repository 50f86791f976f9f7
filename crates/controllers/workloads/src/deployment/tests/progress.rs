//! Upstream's tables: conditions, and whether a rollout has arrived, moves, or is stuck.

use super::*;
use k8s_openapi::api::apps::v1::DeploymentStatus;

const AVAILABLE_SET: &str = "NewReplicaSetAvailable";
const UPDATED: &str = "ReplicaSetUpdated";
const LATE: &str = "ProgressDeadlineExceeded";

fn condition(type_: &str, status: &str, reason: &str, since: i64) -> Value {
    let since = at(since).to_string();
    json!({"type": type_, "status": status, "reason": reason, "lastUpdateTime": since, "lastTransitionTime": since})
}

fn progressing(status: &str, reason: &str) -> Value {
    condition(PROGRESSING, status, reason, 0)
}

/// Its counts are replicas, updated, ready and available.
fn status_of(counts: (i32, i32, i32, i32), conditions: &Value) -> DeploymentStatus {
    let (replicas, updated, ready, available) = counts;
    serde_json::from_value(json!({
        "replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": available,
        "observedGeneration": 1, "conditions": conditions,
    }))
    .unwrap()
}

fn with_deadline(replicas: i32, deadline: Option<i32>) -> Deployment {
    let mut deployment = deployment(replicas, "a");
    strategy(&mut deployment, json!({"type": "Recreate"}));
    deployment.spec.as_mut().unwrap().progress_deadline_seconds = deadline;
    deployment
}

fn set(name: &str, (wanted, replicas, available): (i32, i32, i32)) -> Set {
    let object = json!({
        "metadata": {"name": name, "uid": name}, "spec": {"replicas": wanted, "selector": {}},
        "status": {"replicas": replicas, "availableReplicas": available},
    });
    Set::new(Arc::new(serde_json::from_value(object).unwrap()))
}

/// Upstream's `TestRequeueStuckDeployment`; a second is added to what it returns, as it adds one to
/// what it waits, and what it asks for at once is asked for in a second.
#[test]
fn a_rollout_that_stands_still_is_looked_at_when_its_deadline_has_passed() {
    let (minute, infinite) = (Some(60), Some(i32::MAX));
    let failed = json!([progressing("False", LATE)]);
    let stuck = json!([progressing("True", "")]);
    for (case, deadline, replicas, counts, conditions, now, expected) in [
        ("no deadline", None, 4, (3, 3, 0, 2), json!([]), 0, None),
        ("an infinite one", infinite, 4, (3, 3, 0, 2), json!([]), 0, None),
        ("no condition", minute, 4, (3, 3, 0, 2), json!([]), 0, None),
        ("complete", minute, 3, (3, 3, 0, 3), json!([]), 0, None),
        ("failed already", minute, 3, (3, 3, 0, 0), failed, 0, None),
        ("half of it", minute, 3, (3, 3, 0, 1), stuck.clone(), 30, Some(31)),
        ("all but a second", minute, 3, (3, 3, 0, 1), stuck.clone(), 59, Some(2)),
        ("just now", minute, 3, (3, 3, 0, 1), stuck.clone(), 60, Some(1)),
        ("a second ago", minute, 3, (3, 3, 0, 1), stuck.clone(), 61, Some(1)),
        ("a minute ago", minute, 3, (3, 3, 0, 1), stuck, 120, Some(1)),
    ] {
        let (deployment, status) = (with_deadline(replicas, deadline), status_of(counts, &conditions));
        let wait = status::judge_again(&deployment, &status, at(now));
        assert_eq!(wait.map(|wait| wait.as_secs()), expected, "{case}");
    }
}

/// A row of upstream's `TestSyncRolloutStatus`: the deadline, the size, the counts and the condition
/// before, the other set and the new one, what is said then, and whether since the same time.
type Row = (
    &'static str,
    Option<i32>,
    i32,
    (i32, i32, i32),
    Option<(&'static str, &'static str)>,
    Option<(i32, i32, i32)>,
    Option<(i32, i32, i32)>,
    Option<(&'static str, &'static str)>,
    bool,
);

const ROWS: &[Row] = &[
    (
        "no deadline",
        None,
        3,
        (2, 2, 2),
        Some(("True", UPDATED)),
        Some((0, 1, 1)),
        Some((3, 2, 2)),
        None,
        false,
    ),
    (
        "only one active set",
        Some(60),
        3,
        (3, 3, 3),
        Some(("True", AVAILABLE_SET)),
        Some((3, 3, 3)),
        None,
        Some(("True", AVAILABLE_SET)),
        true,
    ),
    (
        "moves on",
        Some(60),
        3,
        (2, 2, 2),
        Some(("True", UPDATED)),
        Some((0, 1, 1)),
        Some((3, 2, 2)),
        Some(("True", UPDATED)),
        true,
    ),
    (
        "moves again",
        Some(60),
        3,
        (2, 2, 2),
        Some(("False", LATE)),
        Some((0, 1, 1)),
        Some((3, 2, 2)),
        Some(("True", UPDATED)),
        false,
    ),
    (
        "moves at first",
        Some(60),
        3,
        (2, 2, 2),
        None,
        Some((0, 1, 1)),
        Some((3, 2, 2)),
        Some(("True", UPDATED)),
        false,
    ),
    (
        "arrives",
        Some(60),
        3,
        (3, 3, 3),
        Some(("True", UPDATED)),
        None,
        Some((3, 3, 3)),
        Some(("True", AVAILABLE_SET)),
        true,
    ),
    (
        "arrives late",
        Some(60),
        3,
        (3, 3, 3),
        Some(("False", LATE)),
        None,
        Some((3, 3, 3)),
        Some(("True", AVAILABLE_SET)),
        false,
    ),
    (
        "is there at first",
        Some(60),
        3,
        (3, 3, 3),
        None,
        None,
        Some((3, 3, 3)),
        Some(("True", AVAILABLE_SET)),
        false,
    ),
    (
        "has no new set",
        Some(60),
        0,
        (3, 3, 3),
        Some(("True", UPDATED)),
        Some((0, 0, 0)),
        None,
        Some(("True", AVAILABLE_SET)),
        true,
    ),
    (
        "is late",
        Some(60),
        3,
        (2, 2, 2),
        Some(("True", UPDATED)),
        None,
        Some((3, 2, 2)),
        Some(("False", LATE)),
        false,
    ),
    (
        "was late before",
        Some(60),
        3,
        (2, 2, 2),
        Some(("False", LATE)),
        None,
        Some((3, 2, 2)),
        Some(("False", LATE)),
        true,
    ),
];

#[test]
fn a_rollout_is_judged_by_what_has_changed_since() {
    for (case, deadline, replicas, before, said, other, new, expected, is_same_time) in ROWS {
        let deployment = with_deadline(*replicas, *deadline);
        let conditions: Vec<Value> =
            said.iter().map(|(status, reason)| progressing(status, reason)).collect();
        let before = status_of((before.0, before.1, 0, before.2), &json!(conditions));
        let (other, new) = (other.map(|sizes| set("bar", sizes)), new.map(|sizes| set("foo", sizes)));
        let sets: Vec<&Set> = other.iter().chain(&new).collect();
        let mut after = status::counted(&deployment, &before, &sets, new.as_ref(), at(3600));
        status::judge(&deployment, &before, &mut after, new.as_ref(), at(3600));
        let got = status::find(&after, PROGRESSING);
        let told = got.map(|own| (own.status.as_str(), own.reason.as_deref().unwrap_or_default()));
        assert_eq!(told, *expected, "{case}");
        if let Some(got) = got {
            let since = got.last_transition_time.as_ref().unwrap().0;
            assert_eq!(since == at(0), *is_same_time, "{case}");
        }
    }
}

/// Upstream's `TestDeploymentComplete`.
#[test]
fn a_rollout_has_arrived_when_all_pods_are_updated_and_available() {
    // wanted, replicas, updated, available
    for (case, wanted, counts, expected) in [
        ("not all available", 5, (5, 5, 4), false),
        ("too few available", 5, (5, 5, 3), false),
        ("complete", 5, (5, 5, 5), true),
        ("not all updated", 5, (5, 4, 5), false),
        ("an old pod still runs", 1, (2, 1, 1), false),
        ("the only pod never comes up", 1, (1, 1, 0), false),
    ] {
        let status = status_of((counts.0, counts.1, 0, counts.2), &json!([]));
        assert_eq!(status::is_complete(&deployment(wanted, "a"), &status), expected, "{case}");
    }
}

/// Upstream's `TestDeploymentProgressing`: replicas, updated, ready and available, before and after.
#[test]
fn a_rollout_moves_with_every_pod_that_comes_up_or_makes_room() {
    for (case, before, after, expected) in [
        ("updated pods", (10, 4, 4, 4), (10, 6, 4, 4), true),
        ("nothing", (10, 4, 4, 4), (10, 4, 4, 4), false),
        ("old pods removed", (10, 4, 6, 6), (8, 4, 6, 6), true),
        ("fewer new pods", (10, 7, 3, 3), (10, 6, 3, 3), false),
        ("fewer in all but more new pods", (10, 4, 7, 7), (8, 8, 5, 5), true),
        ("more ready pods", (10, 10, 9, 8), (10, 10, 10, 8), true),
        ("more available pods", (10, 10, 10, 9), (10, 10, 10, 10), true),
    ] {
        let (before, after) = (status_of(before, &json!([])), status_of(after, &json!([])));
        assert_eq!(status::has_moved(&before, &after), expected, "{case}");
    }
}

/// Upstream's `TestDeploymentTimedOut`.
#[test]
fn a_rollout_is_late_when_its_deadline_has_passed_since_it_moved() {
    for (case, deadline, reason, since, now, expected) in [
        ("no deadline", None, "", 69, 80, false),
        ("an infinite one", Some(i32::MAX), "", 69, 80, false),
        ("11 of 10 seconds", Some(10), "", 69, 80, true),
        ("9 of 10 seconds", Some(10), "", 71, 80, false),
        ("arrived before", Some(10), AVAILABLE_SET, 0, 80, false),
    ] {
        let deployment = with_deadline(1, deadline);
        let status = status_of((0, 0, 0, 0), &json!([condition(PROGRESSING, "True", reason, since)]));
        let deadline = status::deadline(&deployment);
        let is_late = deadline.is_some_and(|deadline| status::is_late(&status, deadline, at(now)));
        assert_eq!(is_late, expected, "{case}");
    }
}

/// Upstream's `TestGetCondition`, `TestSetCondition` and `TestRemoveCondition`.
#[test]
fn conditions_are_found_set_and_removed_by_type() {
    let stuck = condition(PROGRESSING, "False", "ForSomeReason", 0);
    let moving = condition(PROGRESSING, "True", "BecauseItIs", 5);
    let available = condition(AVAILABLE, "True", "AwesomeController", 0);
    let of = |conditions: &[&Value]| status_of((0, 0, 0, 0), &json!(conditions));
    let both = of(&[&stuck, &available]);
    assert!(status::find(&both, AVAILABLE).is_some() && status::find(&both, "ReplicaFailure").is_none());
    for (case, before, set, after) in [
        ("for the first time", of(&[]), &available, of(&[&available])),
        ("a second one", of(&[&stuck]), &available, both.clone()),
        ("another instead", of(&[&stuck]), &moving, of(&[&moving])),
        ("the same again", both.clone(), &stuck, both.clone()),
    ] {
        let mut status = before;
        status::set(&mut status, serde_json::from_value(set.clone()).unwrap());
        assert_eq!(status.conditions.unwrap_or_default(), after.conditions.unwrap_or_default(), "{case}");
    }
    for (case, before, remove, after) in [
        ("from nothing", of(&[]), PROGRESSING, of(&[])),
        ("the only one", of(&[&stuck]), PROGRESSING, of(&[])),
        ("one that is not there", both.clone(), "ReplicaFailure", both),
    ] {
        let mut status = before;
        status::remove(&mut status, remove);
        assert_eq!(status.conditions.unwrap_or_default(), after.conditions.unwrap_or_default(), "{case}");
    }
}
