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
    assert_eq!(left.patience(), Some(Duration::from_secs(1)));
}

#[test]
fn a_condition_keeps_the_time_since_when_it_holds() {
    let maps = Kind::for_tests("", "configmaps", "ConfigMap");
    let some = left(&maps, json!([{"name": "a"}]));
    let first = terminating_status(&Namespace::default(), &some, at(5));
    let namespace = Namespace { status: Some(first.clone()), ..Namespace::default() };
    assert_eq!(terminating_status(&namespace, &some, at(9)), first, "nothing is news");
    let empty = terminating_status(&namespace, &Left::default(), at(20));
    assert_eq!(condition(&empty, "NamespaceContentRemaining").2, 20);
    assert_eq!(condition(&empty, "NamespaceDeletionContentFailure").2, 5);
}

#[test]
fn pods_are_given_half_their_grace_before_another_look() {
    let pods = Kind::for_tests("", "pods", "Pod");
    for (grace, patience) in [(json!(30), 16), (json!(0), 1), (json!(null), 8)] {
        let left = left(&pods, json!([{"name": "a", "deletionGracePeriodSeconds": grace}]));
        assert_eq!(left.patience(), Some(Duration::from_secs(patience)));
    }
    assert_eq!(Left::default().patience(), None);
}
