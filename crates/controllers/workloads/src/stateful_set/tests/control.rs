//! Order, failures, updates and rollbacks.

use serde_json::{Value, json};

use super::realm::{Failing, Realm};
use super::*;

/// Every policy of claims there is, none among them.
fn policies() -> Vec<Value> {
    let policy = |scaled: &str, deleted: &str| json!({"whenScaled": scaled, "whenDeleted": deleted});
    vec![
        Value::Null,
        policy("Retain", "Retain"),
        policy("Delete", "Retain"),
        policy("Retain", "Delete"),
        policy("Delete", "Delete"),
    ]
}

/// A set of each management and each policy, with the check that holds for it.
fn each(replicas: i32, test: impl Fn(Realm, &dyn Fn(&Realm))) {
    for policy in policies() {
        let spec = |management: &str| json!({"podManagementPolicy": management, "persistentVolumeClaimRetentionPolicy": policy});
        test(Realm::new(replicas, spec("OrderedReady")), &Realm::assert_ordered);
        test(Realm::new(replicas, spec("Parallel")), &Realm::assert_kept);
    }
}

fn counts(realm: &Realm) -> (i32, i32, i32) {
    let status = realm.status();
    (status.replicas, status.ready_replicas.unwrap_or_default(), status.updated_replicas.unwrap_or_default())
}

#[test]
fn pods_come_up_to_the_size_and_follow_it_up_and_down() {
    each(3, |mut realm, check| {
        realm.until(Realm::is_up, check);
        assert_eq!(counts(&realm), (3, 3, 3));
        for (index, pod) in realm.pods.values().enumerate() {
            assert_eq!(pod.metadata.labels.as_ref().unwrap()[INDEX_LABEL], index.to_string());
        }
        realm.assert_claims_owned();
        realm.change(json!({"replicas": 4}));
        realm.until(Realm::is_up, check);
        assert_eq!(counts(&realm), (4, 4, 4));
        realm.change(json!({"replicas": 0}));
        realm.until(Realm::is_up, check);
        assert_eq!((counts(&realm), realm.pods.len()), ((0, 0, 0), 0));
        let kept = if retention::Policy::of(&realm.set).deletes_scaled { 0 } else { 4 };
        assert_eq!(realm.claims.len(), kept);
    });
}

#[test]
fn ordinals_begin_where_the_set_says() {
    let mut realm = Realm::new(3, json!({"ordinals": {"start": 2}}));
    realm.until(Realm::is_up, Realm::assert_ordered);
    assert_eq!(realm.pods.keys().collect::<Vec<_>>(), ["foo-2", "foo-3", "foo-4"]);
    realm.change(json!({"ordinals": {"start": 0}}));
    realm.until(Realm::is_up, Realm::assert_kept);
    assert_eq!(realm.pods.keys().collect::<Vec<_>>(), ["foo-0", "foo-1", "foo-2"]);
}

#[test]
fn lost_pods_are_replaced() {
    each(5, |mut realm, check| {
        realm.until(Realm::is_up, check);
        let claims = realm.claims.len();
        for name in ["foo-0", "foo-2", "foo-4"] {
            realm.pods.remove(name);
        }
        realm.until(Realm::is_up, Realm::assert_kept);
        assert_eq!((counts(&realm), realm.claims.len()), ((5, 5, 5), claims));
        realm.assert_claims_owned();
    });
}

#[test]
fn a_pod_that_ended_is_deleted_once_and_made_anew_once_it_is_gone() {
    for phase in ["Failed", "Succeeded"] {
        each(3, |mut realm, check| {
            realm.sync().unwrap();
            check(&realm);
            realm.set_phase("foo-0", phase, false);
            realm.failing = Some((Failing::Delete, 0));
            assert!(realm.sync().is_err());
            realm.failing = None;
            check(&realm);
            realm.sync().unwrap();
            realm.sync().unwrap();
            let deletions = realm.requests.iter().filter(|request| request.0 == Failing::Delete).count();
            assert_eq!((deletions, is_terminating(&realm.pods["foo-0"].metadata)), (2, true));
            realm.pods.remove("foo-0");
            realm.sync().unwrap();
            check(&realm);
            assert_eq!(crate::pods::phase(&realm.pods["foo-0"]), "Pending");
        });
    }
}

#[test]
fn what_failed_is_tried_again_and_nothing_is_lost() {
    for failing in [(Failing::Create, 2), (Failing::CreateClaim, 1), (Failing::CreateClaim, 0)] {
        each(3, |mut realm, check| {
            realm.failing = Some(failing);
            let failed = (0..100).any(|_| {
                realm.live();
                let failed = realm.sync().is_err();
                check(&realm);
                failed
            });
            assert!(failed, "{failing:?}");
            realm.failing = None;
            realm.until(Realm::is_up, check);
            assert_eq!(counts(&realm), (3, 3, 3));
        });
    }
}

#[test]
fn a_pod_that_lost_its_identity_or_its_claims_gets_them_back() {
    each(3, |mut realm, check| {
        realm.until(Realm::is_up, check);
        realm.edit("foo-0", |pod| {
            pod.metadata.labels.as_mut().unwrap().remove(POD_NAME_LABEL);
            pod.spec.as_mut().unwrap().volumes = None;
        });
        realm.claims.remove("datadir-foo-0");
        realm.failing = Some((Failing::Update, 0));
        assert!(realm.sync().is_err());
        realm.failing = None;
        realm.sync().unwrap();
        check(&realm);
        assert!(realm.claims.contains_key("datadir-foo-0"));
    });
}

#[test]
fn a_pending_pods_claim_is_made_again() {
    each(3, |mut realm, check| {
        realm.sync().unwrap();
        check(&realm);
        realm.claims.clear();
        realm.sync().unwrap();
        check(&realm);
    });
}

#[test]
fn a_claim_that_is_being_deleted_holds_its_pod_up() {
    let mut realm = Realm::new(1, json!({}));
    realm.until(Realm::is_up, Realm::assert_ordered);
    realm.pods.clear();
    let claim = Arc::make_mut(realm.claims.get_mut("datadir-foo-0").unwrap());
    claim.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(realm.sync(), Err("pvc datadir-foo-0 is being deleted".to_owned()));
    realm.claims.clear();
    realm.until(Realm::is_up, Realm::assert_ordered);
}

#[test]
fn a_claim_that_goes_with_an_earlier_pod_holds_its_successor_up() {
    for deleted in ["Retain", "Delete"] {
        let policy = json!({"whenScaled": "Delete", "whenDeleted": deleted});
        let mut realm = Realm::new(3, json!({"persistentVolumeClaimRetentionPolicy": policy}));
        realm.until(Realm::is_up, Realm::assert_ordered);
        realm.change(json!({"replicas": 1}));
        for _ in 0..4 {
            realm.sync().unwrap();
            // The pods go before the collector has seen to their claims.
            realm.pods.retain(|_, pod| !is_terminating(&pod.metadata));
        }
        assert_eq!((realm.pods.len(), realm.claims.len()), (1, 3));
        realm.change(json!({"replicas": 3}));
        realm.sync().unwrap();
        assert_eq!(realm.pods.len(), 1);
        realm.claims.retain(|name, _| name == "datadir-foo-0");
        realm.until(Realm::is_up, Realm::assert_ordered);
        realm.assert_claims_owned();
    }
}

#[test]
fn scaling_down_goes_on_after_a_failure() {
    each(3, |mut realm, check| {
        realm.until(Realm::is_up, check);
        realm.change(json!({"replicas": 0}));
        realm.failing = Some((Failing::Delete, 2));
        let failed = (0..100).any(|_| {
            realm.live();
            realm.sync().is_err()
        });
        assert!(failed);
        realm.failing = None;
        realm.until(Realm::is_up, check);
        assert_eq!(counts(&realm), (0, 0, 0));
    });
}

#[test]
fn a_deletion_that_failed_leaves_the_count_of_current_pods() {
    each(3, |mut realm, check| {
        realm.until(Realm::is_up, check);
        realm.image("nginx-new");
        realm.failing = Some((Failing::Delete, 0));
        assert!(realm.sync().is_err());
        check(&realm);
        assert_eq!(realm.status().current_replicas, Some(3));
        assert_ne!(realm.status().current_revision, realm.status().update_revision);
        realm.failing = None;
        realm.sync().unwrap();
        assert_eq!(realm.status().current_replicas, Some(2));
    });
}

/// Changes during which pods of two templates live: from a size to a size, in each manner.
fn changes() -> Vec<(&'static str, i32, i32)> {
    let sizes = [(3, 3), (3, 5), (5, 3)];
    let each = |policy: &'static str| sizes.map(|(from, to)| (policy, from, to));
    each("OrderedReady").into_iter().chain(each("Parallel")).collect()
}

/// Pods of the current revision come first, then those of the new one.
fn assert_update(realm: &Realm) {
    realm.assert_kept();
    let status = realm.status();
    let live: Vec<_> = realm.pods.values().filter(|pod| !is_terminating(&pod.metadata)).collect();
    let of = |revision: &Option<String>| {
        live.iter().filter(|pod| Some(history::revision_label(&pod.metadata)) == revision.as_deref()).count()
    };
    let count = |count: Option<i32>| usize::try_from(count.unwrap_or_default()).unwrap();
    assert!(of(&status.update_revision) >= count(status.updated_replicas));
}

#[test]
fn an_update_replaces_every_pod_from_the_last_down_and_can_be_taken_back() {
    for (policy, from, to) in changes() {
        let mut realm = Realm::new(from, json!({"podManagementPolicy": policy}));
        realm.until(Realm::is_up, Realm::assert_kept);
        for image in ["foo", "nginx"] {
            realm.change(json!({"replicas": to}));
            realm.image(image);
            realm.requests.clear();
            realm.until(Realm::is_updated, assert_update);
            assert!(realm.images().iter().all(|it| *it == image), "{policy} {from} {to}");
            assert_eq!(realm.pods.len(), usize::try_from(to).unwrap());
            let deleted: Vec<_> =
                realm.requests.iter().filter(|request| request.0 == Failing::Delete).collect();
            assert!(deleted.is_sorted_by(|a, b| a.1 >= b.1), "{deleted:?}");
            assert_eq!(realm.status().current_revision, realm.status().update_revision);
        }
        let numbers: Vec<_> = realm.revisions.iter().map(|revision| revision.revision).collect();
        assert_eq!(numbers, [2, 3], "the first one is the third as well");
    }
}

#[test]
fn with_on_delete_only_new_pods_are_of_the_new_template() {
    for (policy, from, to) in changes() {
        let spec = json!({"podManagementPolicy": policy, "updateStrategy": {"type": "OnDelete"}});
        let mut realm = Realm::new(from, spec);
        realm.until(Realm::is_up, Realm::assert_kept);
        realm.change(json!({"replicas": to}));
        realm.image("foo");
        realm.until(Realm::is_up, assert_update);
        let expected: Vec<_> = (0..to).map(|index| if index < 3 { "nginx" } else { "foo" }).collect();
        assert_eq!(realm.images(), expected, "{policy} {from} {to}");
        realm.change(json!({"replicas": 0}));
        realm.until(Realm::is_up, Realm::assert_kept);
        realm.change(json!({"replicas": to}));
        realm.until(Realm::is_up, Realm::assert_kept);
        assert!(realm.images().iter().all(|image| *image == "foo"));
    }
}

#[test]
fn a_partition_keeps_the_pods_below_it_as_they_were_lost_ones_too() {
    for (policy, from, to) in changes() {
        let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}});
        let mut realm = Realm::new(from, json!({"podManagementPolicy": policy, "updateStrategy": rolling}));
        realm.until(Realm::is_up, Realm::assert_kept);
        realm.change(json!({"replicas": to}));
        realm.image("foo");
        realm.until(Realm::is_updated, assert_update);
        let expected: Vec<_> = (0..to).map(|index| if index < 2 { "nginx" } else { "foo" }).collect();
        assert_eq!(realm.images(), expected, "{policy} {from} {to}");
        realm.pods.remove("foo-1");
        realm.until(Realm::is_updated, assert_update);
        assert_eq!(realm.images(), expected);
        assert_ne!(realm.status().current_revision, realm.status().update_revision);
    }
}

#[test]
fn an_update_waits_for_a_pod_that_is_not_well() {
    let mut realm = Realm::new(3, json!({"podManagementPolicy": "Parallel"}));
    realm.until(Realm::is_up, Realm::assert_kept);
    realm.image("foo");
    realm.sync().unwrap();
    assert!(is_terminating(&realm.pods["foo-2"].metadata));
    realm.remove("foo-2");
    realm.sync().unwrap();
    for phase in ["Pending", "Running"] {
        realm.set_phase("foo-2", phase, false);
        realm.sync().unwrap();
        assert!(realm.pods.values().all(|pod| !is_terminating(&pod.metadata)));
    }
    realm.set_phase("foo-2", "Running", true);
    realm.sync().unwrap();
    assert!(is_terminating(&realm.pods["foo-1"].metadata));
}

#[test]
fn a_pod_of_a_broken_template_is_replaced_even_when_it_is_not_ready() {
    let mut realm = Realm::new(3, json!({"podManagementPolicy": "Parallel"}));
    realm.until(Realm::is_up, Realm::assert_kept);
    realm.set_phase("foo-2", "Running", false);
    realm.image("foo");
    realm.sync().unwrap();
    assert!(is_terminating(&realm.pods["foo-2"].metadata));
    // With OrderedReady it has to be mended by hand.
    let mut realm = Realm::new(3, json!({}));
    realm.until(Realm::is_up, Realm::assert_kept);
    realm.set_phase("foo-2", "Running", false);
    realm.image("foo");
    realm.sync().unwrap();
    assert!(!is_terminating(&realm.pods["foo-2"].metadata));
}

#[test]
fn history_is_limited_to_what_the_set_wants_beside_what_is_live() {
    for (policy, limit) in
        [("OrderedReady", 2), ("Parallel", 2), ("OrderedReady", 0), ("OrderedReady", -2), ("OrderedReady", 5)]
    {
        let mut realm = Realm::new(3, json!({"podManagementPolicy": policy, "revisionHistoryLimit": limit}));
        realm.until(Realm::is_up, Realm::assert_kept);
        for index in 0..10 {
            realm.image(&format!("foo-{index}"));
            realm.until(Realm::is_updated, assert_update);
            realm.sync().unwrap();
            let most = usize::try_from(limit).map_or(index + 2, |limit| limit + 2);
            assert!(realm.revisions.len() <= most, "{policy} {limit}");
        }
        assert_eq!(realm.revisions.len(), usize::try_from(limit).map_or(11, |limit| limit + 1));
    }
}

#[test]
fn a_pod_is_available_once_it_was_ready_for_long_enough() {
    for (minutes, expected) in [(120, Some(1)), (30, Some(0))] {
        let mut realm = Realm::new(1, json!({"minReadySeconds": 3600}));
        realm.sync().unwrap();
        realm.set_phase("foo-0", "Running", true);
        realm.now += jiff::SignedDuration::from_mins(minutes);
        realm.sync().unwrap();
        assert_eq!(realm.status().available_replicas, expected);
        assert_eq!(realm.status().ready_replicas, Some(1));
    }
    // The next one waits for that, too.
    let mut realm = Realm::new(2, json!({"minReadySeconds": 60}));
    realm.sync().unwrap();
    realm.set_phase("foo-0", "Running", true);
    realm.sync().unwrap();
    assert_eq!(realm.pods.len(), 1);
    realm.now += jiff::SignedDuration::from_mins(1);
    realm.sync().unwrap();
    assert_eq!(realm.pods.len(), 2);
}

#[test]
fn an_ordered_set_removes_the_first_pod_that_is_not_well_only_once_it_is_the_last() {
    let mut realm = Realm::new(4, json!({}));
    realm.until(Realm::is_up, Realm::assert_ordered);
    realm.change(json!({"replicas": 1}));
    realm.set_phase("foo-2", "Running", false);
    realm.set_phase("foo-3", "Running", false);
    realm.sync().unwrap();
    assert!(realm.requests.iter().all(|request| request.0 != Failing::Delete), "2 is not well before 3");
    realm.set_phase("foo-2", "Running", true);
    realm.sync().unwrap();
    assert!(is_terminating(&realm.pods["foo-3"].metadata), "3 is the first that is not well");
    realm.sync().unwrap();
    assert!(!is_terminating(&realm.pods["foo-2"].metadata), "one at a time");
}

#[test]
fn a_parallel_set_plans_all_at_once() {
    for (from, to) in [(0, 100), (100, 0), (10, 120), (120, 10)] {
        let mut realm = Realm::new(from, json!({"podManagementPolicy": "Parallel"}));
        realm.sync().unwrap();
        realm.change(json!({"replicas": to}));
        realm.sync().unwrap();
        let (made, removed) = (to - from, from - to);
        let stages = realm.stages.iter().map(|steps| i32::try_from(*steps).unwrap()).collect::<Vec<_>>();
        assert_eq!((stages[0].max(0), stages[2]), (made.max(0), removed.max(0)), "{from} {to}");
    }
}

#[test]
fn a_set_on_its_way_out_counts_and_does_nothing() {
    let mut realm = Realm::new(3, json!({}));
    realm.sync().unwrap();
    realm.set.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    let requests = realm.requests.len();
    realm.sync().unwrap();
    assert_eq!((realm.requests.len(), realm.status().replicas), (requests, 1));
}
