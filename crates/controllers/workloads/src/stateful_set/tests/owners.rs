//! Who owns the claims.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde_json::{Value, json};

use super::super::retention::*;
use super::realm::set;
use super::*;

fn with(scaled: &str, deleted: &str, replicas: i32) -> StatefulSet {
    set(
        replicas,
        json!({"persistentVolumeClaimRetentionPolicy": {"whenScaled": scaled, "whenDeleted": deleted}}),
    )
}

fn pod(ordinal: i32, uid: &str) -> Pod {
    serde_json::from_value(
        json!({"metadata": {"name": format!("foo-{ordinal}"), "namespace": "default", "uid": uid}}),
    )
    .unwrap()
}

fn claim(owners: Value) -> PersistentVolumeClaim {
    serde_json::from_value(json!({"metadata": {"name": "c", "ownerReferences": owners}})).unwrap()
}

fn owner(version: &str, kind: &str, name: &str, uid: &str, controller: Option<bool>) -> Value {
    json!({"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": controller})
}

fn by_set(uid: &str, controller: Option<bool>) -> Value {
    owner("apps/v1", "StatefulSet", "foo", uid, controller)
}

fn by_pod(ordinal: i32, uid: &str, controller: Option<bool>) -> Value {
    owner("v1", "Pod", &format!("foo-{ordinal}"), uid, controller)
}

/// Policy, ordinal of the pod of a set of two, and whether the pod and the set shall own its claims.
const WANTED: [(&str, &str, i32, bool, bool); 6] = [
    ("Retain", "Retain", 1, false, false),
    ("Retain", "Delete", 1, false, true),
    ("Delete", "Retain", 2, true, false),
    ("Delete", "Retain", 1, false, false),
    ("Delete", "Delete", 2, true, false),
    ("Delete", "Delete", 1, false, true),
];

#[test]
fn a_policy_that_is_not_there_retains() {
    let retains = Policy { deletes_scaled: false, deletes_with_set: false };
    assert_eq!(Policy::of(&set(1, json!({}))), retains);
    assert_eq!(Policy::of(&with("Retain", "Retain", 1)), retains);
    assert_eq!(Policy::of(&with("Delete", "Retain", 1)), Policy { deletes_scaled: true, ..retains });
    assert_eq!(Policy::of(&with("Retain", "Delete", 1)), Policy { deletes_with_set: true, ..retains });
}

#[test]
fn a_claim_has_the_owners_that_the_policy_wants_and_others_do_not_matter() {
    for (scaled, deleted, ordinal, wants_pod, wants_set) in WANTED {
        let (set, pod) = (with(scaled, deleted, 2), pod(ordinal, "pod"));
        for variation in 0..8 {
            let has = |bit: i32| variation & bit != 0;
            let mut before = Vec::new();
            before.extend(has(1).then(|| by_pod(ordinal, "pod", Some(true))));
            before.extend(has(2).then(|| by_set("test", Some(true))));
            if has(4) {
                before.push(owner("v1", "Pod", "rand1", "rand1", None));
                before.push(owner("v1", "Pod", "rand2", "rand2", None));
            }
            let claim = claim(json!(before));
            let expected = has(1) == wants_pod && has(2) == wants_set;
            assert_eq!(
                is_up_to_date(&claim, &set, &pod),
                expected,
                "{scaled} {deleted} {ordinal} {variation}"
            );
            let becomes = owners(&claim, &set, &pod);
            let controls = |uid: &str| becomes.iter().any(|it| it.uid == uid && it.controller == Some(true));
            assert_eq!((controls("pod"), controls("test")), (wants_pod, wants_set));
            assert_eq!(
                becomes.len(),
                usize::from(wants_pod) + usize::from(wants_set) + if has(4) { 2 } else { 0 }
            );
        }
    }
}

#[test]
fn an_unexpected_controller_takes_the_claim_from_us() {
    let (set, pod) = (with("Delete", "Delete", 1), pod(1, "pod"));
    let other = owner("custom/v1", "Unknown", "unknown", "xyz", Some(true));
    for ours in [json!([]), json!([by_pod(1, "pod", Some(true))]), json!([by_set("test", Some(true))])] {
        let mut all = ours.as_array().cloned().unwrap();
        all.push(other.clone());
        let claim = claim(json!(all));
        let left: Vec<_> = owners(&claim, &set, &pod).into_iter().map(|owner| owner.uid).collect();
        assert_eq!(left, ["xyz"]);
        assert_eq!(is_up_to_date(&claim, &set, &pod), ours == json!([]), "only ours have to go");
    }
}

#[test]
fn references_that_are_stale_or_do_not_control_are_told_apart() {
    let yes = Some(true);
    let other = |version: &str, kind: &str| owner(version, kind, "Random", "random", yes);
    let cases = [
        ("Delete", json!([by_pod(1, "pod", yes)]), true),
        ("Delete", json!([by_pod(1, "pod", None)]), false),
        ("Delete", json!([by_pod(1, "stale", yes)]), true),
        ("Delete", json!([by_pod(1, "pod", yes), other("v1", "Pod")]), false),
        ("Retain", json!([by_set("test", yes)]), true),
        ("Retain", json!([owner("appsv1", "StatefulSet", "foo", "test", None)]), false),
        ("Retain", json!([by_set("stale", yes)]), true),
        ("Retain", json!([by_set("test", yes), other("apps/v1", "StatefulSet")]), false),
    ];
    for (scaled, owners, expected) in cases {
        let set = with(scaled, "Delete", 1);
        assert_eq!(is_up_to_date(&claim(owners.clone()), &set, &pod(1, "pod")), expected, "{owners}");
    }
}

#[test]
fn references_become_those_of_a_controller() {
    let other = || owner("someone", "Else", "bar", "else", None);
    let same_name = || owner("someone", "else", "foo", "456", None);
    let cases = [
        (json!([by_set("test", Some(true)), other()]), vec!["else", "test"]),
        (json!([by_set("test", None)]), vec!["test"]),
        (json!([same_name()]), vec!["456", "test"]),
        (json!([]), vec!["test"]),
        (json!([by_set("", Some(true))]), vec![]),
        (json!([by_set("", None)]), vec![]),
    ];
    for (before, expected) in cases {
        let after = owners(&claim(before.clone()), &with("Delete", "Delete", 1), &pod(0, "456-pod"));
        let uids: Vec<_> = after.iter().map(|owner| owner.uid.as_str()).collect();
        assert_eq!(uids, expected, "{before}");
        assert!(after.iter().all(|owner| (owner.controller == Some(true)) == (owner.uid == "test")));
    }
}

#[test]
fn only_a_policy_that_deletes_minds_other_controllers() {
    let custom = |controller| owner("chipmunks/v1", "CustomController", "simon", "other", controller);
    let cases = [
        (json!([custom(Some(true))]), true),
        (json!([custom(Some(false))]), false),
        (json!([custom(None)]), false),
        (json!([owner("v1", "Pod", "simon", "other", Some(true))]), true),
        (json!([owner("apps/v1", "Set", "simon", "other", Some(true))]), true),
        (json!([by_set("test", Some(true))]), false),
        (json!([by_set("stale", Some(true))]), true),
        (json!([by_pod(0, "pod", Some(true))]), false),
        (json!([by_pod(0, "stale", Some(true))]), true),
        (json!([by_pod(0, "pod", Some(true)), custom(Some(true))]), true),
        (json!([by_pod(0, "pod", Some(true)), custom(Some(false))]), false),
    ];
    for (owners, expected) in cases {
        let (claim, pod) = (claim(owners.clone()), pod(0, "pod"));
        assert!(!has_unexpected_controller(&claim, &set(1, json!({})), &pod));
        for (scaled, deleted) in [("Delete", "Retain"), ("Retain", "Delete"), ("Delete", "Delete")] {
            assert_eq!(
                has_unexpected_controller(&claim, &with(scaled, deleted, 1), &pod),
                expected,
                "{owners}"
            );
        }
    }
}

#[test]
fn ours_without_control_and_stale_ones_are_found() {
    let (set, pod) = (with("Delete", "Delete", 1), pod(0, "pod"));
    let cases = [
        (json!([]), false),
        (json!([by_set("test", Some(true))]), false),
        (json!([by_set("test", Some(false))]), true),
        (json!([by_set("test", None)]), true),
        (json!([by_pod(0, "pod", Some(true)), by_set("test", None)]), true),
        (json!([by_pod(0, "pod", None)]), true),
        (json!([by_pod(0, "other", None)]), false),
        (json!([owner("v1", "Pod", "x", "y", Some(false))]), false),
    ];
    for (owners, expected) in cases {
        assert_eq!(has_owner_without_control(&claim(owners.clone()), &set, &pod), expected, "{owners}");
    }
    for (owners, by_set_stale, by_pod_stale) in [
        (json!([]), false, false),
        (json!([by_set("test", None), by_pod(0, "pod", None)]), false, false),
        (json!([by_set("x", None), by_pod(0, "pod", None)]), true, false),
        (json!([by_pod(0, "x", None)]), false, true),
        (json!([owner("v1", "Pod", "foo", "x", None)]), false, false),
    ] {
        let claim = claim(owners);
        assert_eq!(
            (has_stale_owner(&claim, &set), has_stale_owner(&claim, &pod)),
            (by_set_stale, by_pod_stale)
        );
    }
}
