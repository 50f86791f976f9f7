//! What a namespace says of its end.

use super::conditions::{Left, terminating_status};
use super::*;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;
use std::time::Duration;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn left(kind: &Kind, objects: serde_json::Value) -> Left {
    let objects: Vec<ObjectMeta> = serde_json::from_value(objects).unwrap();
    let mut left = Left::default();
    left.note(kind, objects.iter());
    left
}

fn condition(status: &NamespaceStatus, type_: &str) -> (String, String, i64) {
    let condition = status.conditions.as_ref().unwrap().iter().find(|own| own.type_ == type_).unwrap();
    let since = condition.last_transition_time.as_ref().unwrap().0.as_second();
    (condition.status.clone(), condition.message.clone().unwrap(), since)
}

#[test]
fn what_is_left_is_told_with_its_finalizers() {
    let maps = Kind::for_tests("", "configmaps", "ConfigMap");
    let left = left(&maps, json!([{"name": "a", "finalizers": ["example.com/keep"]}, {"name": "b"}]));
    let status = terminating_status(&Namespace::default(), &left, at(5));
    assert_eq!(status.phase.as_deref(), Some("Terminating"));
    let (is_left, message, _) = condition(&status, "NamespaceContentRemaining");
    let expected = "Some resources are remaining: configmaps. has 2 resource instances";
    assert_eq!((&*is_left, &*message), ("True", expected));
    let (_, message, _) = condition(&status, "NamespaceFinalizersRemaining");
    assert!(message.ends_with("example.com/keep in 1 resource instances"), "{message}");
    assert_eq!(left.patience(), Some(Duration::from_secs(8)));
}

#[test]
fn a_condition_keeps_the_time_since_when_it_holds() {
    let maps = Kind::for_tests("", "configmaps", "ConfigMap");
    let some = left(&maps, json!([{"name": "a", "finalizers": ["example.com/hold"]}]));
    let first = terminating_status(&Namespace::default(), &some, at(5));
    let namespace = Namespace { status: Some(first.clone()), ..Namespace::default() };
    assert_eq!(terminating_status(&namespace, &some, at(9)), first, "nothing is news");
    let empty = terminating_status(&namespace, &Left::default(), at(20));
    assert_eq!(condition(&empty, "NamespaceContentRemaining").2, 20);
    assert_eq!(condition(&empty, "NamespaceDeletionContentFailure").2, 5);
}

#[test]
fn what_is_left_is_waited_for_by_what_holds_it() {
    let (pods, maps) = (Kind::for_tests("", "pods", "Pod"), Kind::for_tests("", "configmaps", "ConfigMap"));
    let held = json!(["example.com/hold"]);
    // the kind, the grace, the finalizers, how long ago the deletion was asked for → the wait
    for (kind, grace, finalizers, elapsed, expected) in [
        (&pods, 30, json!([]), 0, Ok(16)),
        (&pods, 30, json!([]), 16, Ok(16)),
        (&pods, 30, json!([]), 31, Err("pods")),
        (&pods, 30, held.clone(), 31, Ok(8)),
        (&pods, 0, json!([]), 0, Err("pods")),
        (&maps, 0, held, 0, Ok(8)),
        (&maps, 0, json!([]), 0, Err("configmaps")),
    ] {
        let namespace =
            serde_json::from_value(json!({"metadata": {"name": "shop", "deletionTimestamp": at(0)}}));
        let mut left = Left::of(&namespace.unwrap(), at(elapsed));
        let meta = json!({"name": "a", "deletionGracePeriodSeconds": grace, "finalizers": finalizers});
        left.note(kind, [serde_json::from_value(meta).unwrap()].iter());
        let unexpected = |plural| {
            format!("unexpected items still remain in namespace: shop for gvr: /v1, Resource={plural}")
        };
        match expected {
            Ok(seconds) => {
                assert_eq!((left.patience(), left.failure()), (Some(Duration::from_secs(seconds)), None));
            }
            Err(plural) => assert_eq!(left.failure(), Some(unexpected(plural))),
        }
    }
    assert_eq!(Left::default().patience(), None);
}

#[test]
fn a_kind_that_cannot_be_emptied_is_told_with_the_others() {
    let mut left = Left::default();
    left.fail("pods are forbidden".to_owned());
    left.fail("maps are broken".to_owned());
    let status = terminating_status(&Namespace::default(), &left, at(5));
    let (failed, message, _) = condition(&status, "NamespaceDeletionContentFailure");
    let expected = "Failed to delete all resource types, 2 remaining: maps are broken, pods are forbidden";
    assert_eq!((&*failed, &*message), ("True", expected));
}

/// Upstream's `TestProcessContentTotals`.
#[test]
fn remaining_objects_and_finalizers_are_told_by_name() {
    let counted = |objects: i32, finalizers: &[&str]| {
        let metas: Vec<_> = (0..objects).map(|_| json!({"finalizers": finalizers})).collect();
        serde_json::from_value::<Vec<ObjectMeta>>(json!(metas)).unwrap()
    };
    let sets = Kind::for_tests("apps.k8s.io", "daemonsets", "DaemonSet");
    let deployments = Kind::for_tests("apps.k8s.io", "deployments", "Deployment");
    let remaining = "Some resources are remaining: daemonsets.apps.k8s.io has 5 resource instances, deployments.apps.k8s.io has 5 resource instances";
    let held = "Some content in the namespace has finalizers remaining: kubedb in 5 resource instances, service-catalog in 5 resource instances";
    let none = "All content successfully removed";
    let free = "All content-preserving finalizers finished";
    for (count, finalizers, expected) in [
        (0, [&[][..], &[][..]], (none, free)),
        (5, [&[][..], &[][..]], (remaining, free)),
        (5, [&["kubedb"][..], &["service-catalog"][..]], (remaining, held)),
    ] {
        let mut left = Left::default();
        for (kind, finalizers) in [&deployments, &sets].into_iter().zip(finalizers) {
            left.note(kind, counted(count, finalizers).iter());
        }
        let status = terminating_status(&Namespace::default(), &left, at(5));
        let told = (
            condition(&status, "NamespaceContentRemaining").1,
            condition(&status, "NamespaceFinalizersRemaining").1,
        );
        assert_eq!((&*told.0, &*told.1), expected);
    }
}

/// Upstream's `TestUpdateConditions`: the conditions before, in their order, and those after.
#[test]
fn conditions_keep_their_order_and_unknown_ones_are_left() {
    let all = [
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
        "NamespaceDeletionContentFailure",
        "NamespaceContentRemaining",
        "NamespaceFinalizersRemaining",
    ];
    let [discovery, parsing, content, remaining, finalizers] = all;
    let mut failed = Left::default();
    failed.fail("bar".to_owned());
    for (before, left, expected) in [
        (
            vec!["unknown"],
            Left::default(),
            vec!["unknown", discovery, parsing, content, remaining, finalizers],
        ),
        (vec![discovery], Left::default(), all.to_vec()),
        (vec![parsing, discovery], Left::default(), vec![parsing, discovery, content, remaining, finalizers]),
        (vec![content, discovery], failed, vec![content, discovery, parsing, remaining, finalizers]),
    ] {
        let before: Vec<_> = before.iter().map(|type_| json!({"type": type_, "status": "True"})).collect();
        let namespace: Namespace = serde_json::from_value(json!({"status": {"conditions": before}})).unwrap();
        let status = terminating_status(&namespace, &left, at(5));
        let types: Vec<_> = status.conditions.iter().flatten().map(|own| own.type_.as_str()).collect();
        assert_eq!(types, expected);
        for own in status.conditions.iter().flatten() {
            let is_failing = own.type_ == "unknown" || own.type_ == content && left.failure().is_some();
            assert_eq!(own.status == "True", is_failing, "{}", own.type_);
        }
    }
}

/// Upstream's `TestFinalizeNamespaceFunc`.
#[test]
fn only_our_own_finalizer_is_taken_off() {
    let namespace =
        serde_json::from_value(json!({"metadata": {"name": "test", "resourceVersion": "1"}})).unwrap();
    let object = finalized(&namespace, vec!["kubernetes".to_owned(), "other".to_owned()]);
    assert_eq!(object.spec.unwrap().finalizers, Some(vec!["other".to_owned()]));
    assert_eq!(object.metadata.resource_version, None);
}
