//! Names, labels, claims.

use serde_json::json;

use super::super::{identity, storage};
use super::realm::{Realm, set};
use super::*;

#[test]
fn a_name_is_a_parent_and_an_ordinal() {
    let cases = [
        ("foo-0", Some(("foo", Some(0)))),
        ("foo-bar-12", Some(("foo-bar", Some(12)))),
        ("foo--1", Some(("foo-", Some(1)))),
        ("-1", Some(("", Some(1)))),
        ("foo-99999999999", Some(("foo", None))),
        ("foo-", None),
        ("foo", None),
        ("1", None),
        ("foo-1a", None),
    ];
    for (name, expected) in cases {
        assert_eq!(identity::parse(name), expected, "{name}");
    }
}

fn named(name: &str) -> Pod {
    let mut pod = identity::pod(&set(3, json!({})), &set(3, json!({})).spec.unwrap().template, "r", 1);
    pod.metadata.name = Some(name.to_owned());
    pod
}

#[test]
fn a_pod_is_a_member_by_its_name_and_itself_by_its_label_too() {
    let set = set(3, json!({}));
    for (name, member, itself) in [
        ("foo-1", true, true),
        ("foo-2", true, false),
        ("foo-01", true, false),
        ("foo2-1", false, false),
        ("foo", false, false),
    ] {
        let pod = named(name);
        assert_eq!(
            (identity::is_member(&set, &pod), identity::matches(&set, &pod)),
            (member, itself),
            "{name}"
        );
    }
    let mut elsewhere = named("foo-1");
    elsewhere.metadata.namespace = Some("other".to_owned());
    let mut unlabelled = named("foo-1");
    unlabelled.metadata.labels = None;
    assert!(!identity::matches(&set, &elsewhere) && !identity::matches(&set, &unlabelled));
}

#[test]
fn a_new_pod_has_its_name_host_service_volumes_and_owner() {
    let pod = named("foo-1");
    let spec = pod.spec.as_ref().unwrap();
    assert_eq!((spec.hostname.as_deref(), spec.subdomain.as_deref()), (Some("foo-1"), Some("governingsvc")));
    let volumes: Vec<_> = spec.volumes.iter().flatten().map(|volume| volume.name.as_str()).collect();
    assert_eq!(volumes, ["datadir", "home"]);
    let owner = mainstay_control::meta::controller_of(&pod.metadata).unwrap();
    assert_eq!((&*owner.kind, &*owner.uid, owner.block_owner_deletion), ("StatefulSet", "test", Some(true)));
    assert_eq!(pod.metadata.generate_name.as_deref(), Some("foo-"));
}

#[test]
fn storage_matches_when_every_template_has_its_claim_mounted() {
    let set = set(3, json!({}));
    assert!(storage::matches(&set, &named("foo-1")));
    let change = |edit: fn(&mut Vec<k8s_openapi::api::core::v1::Volume>)| {
        let mut pod = named("foo-1");
        edit(pod.spec.as_mut().unwrap().volumes.as_mut().unwrap());
        storage::matches(&set, &pod)
    };
    assert!(!change(|volumes| volumes[0].name = "other".to_owned()));
    assert!(!change(|volumes| volumes[0].persistent_volume_claim = None));
    assert!(!change(
        |volumes| volumes[0].persistent_volume_claim.as_mut().unwrap().claim_name = "x".to_owned()
    ));
    assert!(!change(Vec::clear));
    assert!(change(|volumes| volumes.truncate(1)));
    assert!(!storage::matches(&set, &named("foo")), "without an ordinal");
    // A volume of the template's own name gives way to the claim.
    let mut spec = named("foo-1").spec.unwrap();
    spec.volumes = serde_json::from_value(
        json!([{"name": "datadir", "emptyDir": {}}, {"name": "home", "emptyDir": {}}]),
    )
    .unwrap();
    let volumes = storage::volumes(&set, &spec, 1).unwrap();
    assert_eq!(volumes[0].persistent_volume_claim.as_ref().unwrap().claim_name, "datadir-foo-1");
    assert_eq!(volumes.len(), 2);
}

#[test]
fn a_claim_has_its_own_labels_and_those_the_set_selects_by() {
    let labels = |own: serde_json::Value, selected: serde_json::Value| {
        let template = json!([{"metadata": {"name": "datadir", "labels": own}, "spec": {}}]);
        let set = set(1, json!({"volumeClaimTemplates": template, "selector": {"matchLabels": selected}}));
        let claim = storage::claim(&set, &storage::templates(&set)[0], 0);
        assert_eq!(claim.metadata.name.as_deref(), Some("datadir-foo-0"));
        serde_json::to_value(claim.metadata.labels).unwrap()
    };
    let none = serde_json::Value::Null;
    assert_eq!(labels(none.clone(), none.clone()), none);
    assert_eq!(labels(none, json!({"test": "test"})), json!({"test": "test"}));
    assert_eq!(
        labels(json!({"test": "test"}), json!({"name": "foo"})),
        json!({"test": "test", "name": "foo"})
    );
    assert_eq!(labels(json!({"test": "test"}), json!({"test": "foo"})), json!({"test": "foo"}));
}

#[test]
fn running_and_ready_takes_both() {
    let mut realm = Realm::new(1, json!({}));
    realm.sync().unwrap();
    for (phase, ready, expected) in
        [("Pending", true, false), ("Running", false, false), ("Running", true, true)]
    {
        realm.set_phase("foo-0", phase, ready);
        assert_eq!(status::is_running_and_ready(&realm.pods["foo-0"]), expected);
        assert_eq!(status::is_healthy(&realm.pods["foo-0"]), expected);
    }
}

#[test]
fn a_rolling_update_is_complete_when_all_pods_are_new_ready_and_there() {
    let counts = |replicas, ready, current, updated| plan_counts(replicas, ready, current, updated);
    for (set, counts, complete) in [
        (set(3, json!({})), counts(3, 3, 0, 3), true),
        (set(3, json!({})), counts(3, 2, 0, 3), false),
        (set(3, json!({})), counts(3, 3, 1, 2), false),
        (set(3, json!({})), counts(4, 3, 0, 3), false),
        (set(3, json!({"updateStrategy": {"type": "OnDelete"}})), counts(3, 3, 0, 3), false),
    ] {
        let status = status::status(&set, counts, ("old", "new"), 2);
        assert_eq!(status.current_revision.as_deref() == Some("new"), complete, "{counts:?}");
        assert_eq!(
            status.current_replicas,
            Some(if complete { 3 } else { counts.current }).filter(|it| *it != 0)
        );
        assert_eq!(status.collision_count, Some(2));
    }
}

fn plan_counts(replicas: i32, ready: i32, current: i32, updated: i32) -> status::Counts {
    status::Counts { replicas, ready, available: ready, current, updated }
}
