//! Claims and volumes, in cases of upstream's `binder_test`, `index_test` and `pv_controller_test`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use mainstay_resource::patch::merge;
use serde_json::{Value, json};

use super::*;

fn claim(change: &Value) -> PersistentVolumeClaim {
    let claim = json!({
        "metadata": {"name": "data", "namespace": "shop", "uid": "claim"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "gold", "resources": {"requests": {"storage": "10Gi"}}},
    });
    let claim = merge(claim, change);
    serde_json::from_value(claim).unwrap()
}

fn volume(name: &str, change: &Value) -> Arc<PersistentVolume> {
    let volume = json!({
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "gold", "capacity": {"storage": "10Gi"}},
        "status": {"phase": "Available"},
    });
    let volume = merge(volume, change);
    Arc::new(serde_json::from_value(volume).unwrap())
}

fn names(claim: &str, uid: &str) -> Value {
    json!({"spec": {"claimRef": {"namespace": "shop", "name": claim, "uid": uid}}})
}

/// The verdict in a word.
fn said(verdict: &ForClaim) -> String {
    match verdict {
        ForClaim::Bind(volume) => format!("bind {}", volume.metadata.name.as_deref().unwrap()),
        ForClaim::Mismatch(why) => format!("mismatch: {why}"),
        ForClaim::Lost(reason, _) => (*reason).to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_claim_that_names_no_volume_takes_the_smallest_that_suits() {
    let small = volume("small", &json!({"spec": {"capacity": {"storage": "1Gi"}}}));
    let fit = volume("fit", &json!({"spec": {"capacity": {"storage": "12Gi"}}}));
    let large = volume(
        "large",
        &json!({"spec": {"capacity": {"storage": "100Gi"}}, "metadata": {"labels": {"disk": "ssd"}}}),
    );
    let reserved = volume("reserved", &names("data", ""));
    let cases = [
        ("the smallest", json!({}), vec![large.clone(), fit.clone(), small.clone()], false, "bind fit"),
        ("too small", json!({}), vec![small], false, "Provision"),
        (
            "nothing, and no class",
            json!({"spec": {"storageClassName": ""}}),
            vec![large.clone()],
            false,
            "Nobody",
        ),
        (
            "another class",
            json!({"spec": {"storageClassName": "silver"}}),
            vec![fit.clone()],
            false,
            "Provision",
        ),
        (
            "the beta annotation is the class",
            json!({"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "gold"}}, "spec": {"storageClassName": "x"}}),
            vec![fit.clone()],
            false,
            "bind fit",
        ),
        (
            "another access mode",
            json!({"spec": {"accessModes": ["ReadWriteMany"]}}),
            vec![fit.clone()],
            false,
            "Provision",
        ),
        ("a block device", json!({"spec": {"volumeMode": "Block"}}), vec![fit.clone()], false, "Provision"),
        (
            "a selector",
            json!({"spec": {"selector": {"matchLabels": {"disk": "ssd"}}}}),
            vec![fit.clone(), large.clone()],
            false,
            "bind large",
        ),
        (
            "a selector nothing meets",
            json!({"spec": {"selector": {"matchLabels": {"disk": "hdd"}}}}),
            vec![fit.clone(), large],
            false,
            "Provision",
        ),
        (
            "one that is reserved for it",
            json!({}),
            vec![fit.clone(), reserved.clone()],
            false,
            "bind reserved",
        ),
        (
            "one reserved for another",
            json!({"metadata": {"name": "other"}}),
            vec![reserved.clone()],
            false,
            "Provision",
        ),
        (
            "one that was another's of its name",
            json!({}),
            vec![volume("old", &names("data", "before"))],
            false,
            "Provision",
        ),
        (
            "one that is being deleted",
            json!({}),
            vec![volume("going", &json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}))],
            false,
            "Provision",
        ),
        (
            "one that is not available yet",
            json!({}),
            vec![volume("new", &json!({"status": {"phase": "Pending"}}))],
            false,
            "Provision",
        ),
        ("its first pod is awaited", json!({}), vec![fit.clone()], true, "AwaitConsumer"),
        (
            "reserved although the pod is awaited",
            json!({}),
            vec![fit.clone(), reserved],
            true,
            "bind reserved",
        ),
        (
            "the pod has its node",
            json!({"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "n1"}}}),
            vec![fit],
            true,
            "Provision",
        ),
    ];
    for (name, change, volumes, waits, expected) in cases {
        assert_eq!(said(&for_claim(&claim(&change), None, &volumes, waits)), expected, "{name}");
    }
}

#[test]
fn a_claim_that_names_a_volume_gets_that_or_is_told_why_not() {
    let named = json!({"spec": {"volumeName": "pv"}});
    let cases = [
        ("not there", None, "Wait"),
        ("free", Some(volume("pv", &json!({}))), "bind pv"),
        ("its own already", Some(volume("pv", &names("data", "claim"))), "bind pv"),
        ("reserved for it", Some(volume("pv", &names("data", ""))), "bind pv"),
        ("another's", Some(volume("pv", &names("other", "x"))), "Taken"),
        (
            "too small",
            Some(volume("pv", &json!({"spec": {"capacity": {"storage": "1Gi"}}}))),
            "mismatch: requested PV is too small",
        ),
        (
            "another class",
            Some(volume("pv", &json!({"spec": {"storageClassName": "silver"}}))),
            "mismatch: storageClassName does not match",
        ),
        (
            "a block device",
            Some(volume("pv", &json!({"spec": {"volumeMode": "Block"}}))),
            "mismatch: incompatible volumeMode",
        ),
        (
            "another mode",
            Some(volume("pv", &json!({"spec": {"accessModes": ["ReadOnlyMany"]}}))),
            "mismatch: incompatible accessMode",
        ),
    ];
    for (name, volume, expected) in cases {
        assert_eq!(said(&for_claim(&claim(&named), volume.as_ref(), &[], false)), expected, "{name}");
    }
}

#[test]
fn a_claim_that_lost_its_volume_says_so() {
    let done = json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}, "spec": {"volumeName": "pv"}});
    let unnamed = json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}});
    let cases = [
        ("all is well", &done, Some(volume("pv", &names("data", "claim"))), "bind pv"),
        ("the volume forgot", &done, Some(volume("pv", &json!({}))), "bind pv"),
        ("the volume is gone", &done, None, "ClaimLost"),
        ("the volume is another's", &done, Some(volume("pv", &names("other", "x"))), "ClaimMisbound"),
        ("the claim forgot", &unnamed, None, "ClaimLost"),
    ];
    for (name, change, volume, expected) in cases {
        assert_eq!(said(&for_claim(&claim(change), volume.as_ref(), &[], false)), expected, "{name}");
    }
}

#[test]
fn a_volume_follows_its_claim() {
    let made = json!({"metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"}},
                      "spec": {"persistentVolumeReclaimPolicy": "Delete", "claimRef": {"namespace": "shop", "name": "data", "uid": "claim"}}});
    let own = names("data", "claim");
    let cases = [
        ("nobody's", json!({}), None, ForVolume::Available),
        ("reserved", names("data", ""), Some(json!({})), ForVolume::Available),
        ("bound", own.clone(), Some(json!({"spec": {"volumeName": "pv"}})), ForVolume::Bound),
        ("half bound", own.clone(), Some(json!({})), ForVolume::AskClaim),
        ("its claim is gone", own.clone(), None, ForVolume::Release),
        (
            "another claim of its name",
            own.clone(),
            Some(json!({"metadata": {"uid": "new"}})),
            ForVolume::Release,
        ),
        ("its claim has another", own, Some(json!({"spec": {"volumeName": "other"}})), ForVolume::Unbind),
        (
            "made for a claim that has another",
            made,
            Some(json!({"spec": {"volumeName": "other"}})),
            ForVolume::Release,
        ),
    ];
    for (name, change, of_claim, expected) in cases {
        let found = of_claim.map(|change| claim(&change));
        assert_eq!(for_volume(&volume("pv", &change), found.as_ref()), expected, "{name}");
    }
}
