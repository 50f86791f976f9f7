//! Upstream's cases of its taint eviction, as decisions; their effects are in `tests/region`.

use std::time::Duration;

use super::decide::{Decision, Eviction, announcement, decide, patience};
use super::*;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// The taints `testTaint1`, `testTaint2`, … that drive pods away.
fn tainted(numbers: &[u8]) -> Vec<Taint> {
    let taint = |number: &u8| Taint {
        key: format!("testTaint{number}"),
        value: Some(format!("test{number}")),
        effect: "NoExecute".to_owned(),
        time_added: None,
    };
    numbers.iter().map(taint).collect()
}

/// Tolerations of such taints, for so many seconds or for ever.
fn tolerant(of: &[(u8, Option<i64>)]) -> Vec<Toleration> {
    let toleration = |(number, seconds): &(u8, Option<i64>)| Toleration {
        key: Some(format!("testTaint{number}")),
        value: Some(format!("test{number}")),
        effect: Some("NoExecute".to_owned()),
        toleration_seconds: *seconds,
        operator: None,
    };
    of.iter().map(toleration).collect()
}

#[test]
fn only_taints_that_drive_away_count() {
    let node: Node = serde_json::from_value(json!({"metadata": {}, "spec": {"taints": [
        {"key": "one", "value": "one", "effect": "NoExecute"}, {"key": "two", "value": "two", "effect": "NoSchedule"},
    ]}}))
    .unwrap();
    let keys: Vec<String> = no_execute(&node).into_iter().map(|taint| taint.key).collect();
    assert_eq!(keys, ["one"]);
}

#[test]
fn a_pod_goes_at_once_later_or_never_as_it_tolerates_the_taints() {
    use Decision::{Go, GoAt, Stay};
    let (finite, infinite) = (tolerant(&[(1, Some(100))]), tolerant(&[(1, None)]));
    let both = tolerant(&[(1, Some(1)), (2, Some(100))]);
    let one_for_ever = tolerant(&[(1, None), (2, Some(60))]);
    let cases: &[(&str, &[u8], &[Toleration], Decision)] = &[
        ("untainted", &[], &[], Stay),
        ("tainted", &[1], &[], Go),
        ("tolerated for a while", &[1], &finite, GoAt(after(100))),
        ("tolerated for ever", &[1], &infinite, Stay),
        ("another is tolerated", &[2], &infinite, Go),
        ("one of two is tolerated", &[1, 2], &finite, Go),
        ("the first that runs out counts", &[1, 2], &both, GoAt(after(1))),
        ("the one that runs out counts", &[1, 2], &one_for_ever, GoAt(after(60))),
        ("the one that runs out is gone", &[1], &one_for_ever, Stay),
        ("tolerated for no time", &[1], &tolerant(&[(1, Some(0))]), Go),
        ("tolerated for less", &[1], &tolerant(&[(1, Some(-3))]), Go),
    ];
    for (name, taints, tolerations, expected) in cases {
        assert_eq!(decide(&tainted(taints), tolerations, None, now()), *expected, "{name}");
    }
}

#[test]
fn a_deadline_that_was_set_is_kept_until_the_taints_are_not_tolerated_or_gone() {
    let known = Some(Eviction { at: after(1), is_due: false });
    let lengthened = tolerant(&[(1, Some(100))]);
    assert_eq!(decide(&tainted(&[1]), &lengthened, known, now()), Decision::Keep);
    assert_eq!(decide(&tainted(&[1]), &[], known, now()), Decision::Go, "the toleration was removed");
    assert_eq!(decide(&[], &lengthened, known, now()), Decision::Stay, "the taint was removed");
    assert_eq!(decide(&tainted(&[1]), &tolerant(&[(1, None)]), known, now()), Decision::Stay);
    let due = Some(Eviction { at: now(), is_due: true });
    assert_eq!(decide(&tainted(&[1]), &[], due, now()), Decision::Keep, "it is on its way out");
}

#[test]
fn pods_of_one_node_go_each_in_its_time() {
    let pods = [tolerant(&[]), tolerant(&[(1, Some(1))]), tolerant(&[(1, None)])];
    let decided = |taints: &[u8]| pods.each_ref().map(|pod| decide(&tainted(taints), pod, None, now()));
    assert_eq!(decided(&[1]), [Decision::Go, Decision::GoAt(after(1)), Decision::Stay]);
    assert_eq!(decided(&[1, 2]), [Decision::Go; 3]);
}

#[test]
fn the_shortest_patience_counts() {
    let cases: &[(&[Option<i64>], Option<u64>)] = &[
        (&[], Some(0)),
        (&[None], None),
        (&[Some(1), Some(2)], Some(1)),
        (&[Some(1), None], Some(1)),
        (&[None, Some(1)], Some(1)),
    ];
    for (seconds, expected) in cases {
        let of: Vec<(u8, Option<i64>)> = seconds.iter().map(|seconds| (1, *seconds)).collect();
        let tolerations = tolerant(&of);
        let used: Vec<&Toleration> = tolerations.iter().collect();
        assert_eq!(patience(&used), expected.map(Duration::from_secs), "{seconds:?}");
    }
}

#[test]
fn a_toleration_without_a_key_or_an_effect_is_for_all() {
    let go = |toleration: Value| {
        let toleration: Toleration = serde_json::from_value(toleration).unwrap();
        decide(&tainted(&[1]), &[toleration], None, now()) == Decision::Go
    };
    assert!(!go(json!({"operator": "Exists"})));
    assert!(!go(json!({"operator": "Exists", "key": "testTaint1"})));
    assert!(!go(json!({"key": "testTaint1", "value": "test1"})));
    assert!(go(json!({"key": "testTaint1", "operator": "Equal", "value": "other"})));
    assert!(go(json!({"key": "testTaint1", "operator": "Exists", "effect": "NoSchedule"})));
}

#[test]
fn an_end_is_announced_once() {
    let mut pod = Pod::default();
    let told = announcement(&pod, now()).unwrap();
    assert_eq!(told.reason.as_deref(), Some("DeletionByTaintManager"));
    assert_eq!(told.message.as_deref(), Some("Taint manager: deleting due to NoExecute taint"));
    pod.status.get_or_insert_default().conditions = Some(vec![told]);
    assert_eq!(announcement(&pod, after(9)), None);
}
