//! Tests of what claims mean to where a pod may go.

use super::*;
use crate::fixture::{node, pod, random, snapshot};
use crate::{Draw, Snapshot, schedule};
use serde_json::{Value, json};

fn region() -> Snapshot {
    let mut snapshot = snapshot(&["a1", "b1"].map(|name| node(name, json!({}))));
    for (name, mode) in [("late", "WaitForFirstConsumer"), ("soon", "Immediate")] {
        let class = json!({"metadata": {"name": name}, "provisioner": "p", "volumeBindingMode": mode});
        put_class(&mut snapshot, class);
    }
    let only_b = json!({"metadata": {"name": "only-b"}, "provisioner": "p",
        "volumeBindingMode": "WaitForFirstConsumer", "allowedTopologies": [{"matchLabelExpressions": [
            {"key": "topology.kubernetes.io/zone", "values": ["b"]}]}]});
    put_class(&mut snapshot, only_b);
    let by_hand = json!({"metadata": {"name": "by-hand"}, "provisioner": "kubernetes.io/no-provisioner",
                         "volumeBindingMode": "WaitForFirstConsumer"});
    put_class(&mut snapshot, by_hand);
    snapshot
}

fn put_class(snapshot: &mut Snapshot, class: Value) {
    let name = class["metadata"]["name"].as_str().unwrap().into();
    let class = Class::of(&serde_json::from_value(class).unwrap());
    snapshot.storage_mut().put_class(&name, Some(class));
}

/// A claim of this class; bound where it has a volume.
fn claim(snapshot: &mut Snapshot, name: &str, class: &str, volume: Option<&str>) {
    let annotations = volume.map(|_| json!({"pv.kubernetes.io/bind-completed": "yes"}));
    put_claim(
        snapshot,
        name,
        json!({
            "metadata": {"name": name, "uid": name, "annotations": annotations},
            "spec": {"storageClassName": class, "volumeName": volume, "accessModes": ["ReadWriteOnce"],
                     "resources": {"requests": {"storage": "5Gi"}}},
        }),
    );
}

fn put_claim(snapshot: &mut Snapshot, name: &str, claim: Value) {
    let claim = Claim::of(&serde_json::from_value(claim).unwrap());
    snapshot.storage_mut().put_claim(&Key::new("default", name), Some(claim));
}

/// An available volume of this class in a zone.
fn volume(snapshot: &mut Snapshot, name: &str, class: &str, size: &str, zone: &str) {
    let is_there = json!({"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]});
    let volume = json!({
        "metadata": {"name": name}, "status": {"phase": "Available"},
        "spec": {"storageClassName": class, "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size},
                 "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [is_there]}]}}},
    });
    let volume = Volume::of(&serde_json::from_value(volume).unwrap());
    snapshot.storage_mut().put_volume(&name.into(), Some(volume));
}

fn using(name: &str, claims: &[&str]) -> PodState {
    let volumes: Vec<Value> = claims
        .iter()
        .map(|claim| json!({"name": claim, "persistentVolumeClaim": {"claimName": claim}}))
        .collect();
    PodState::of(&pod(name, json!({"spec": {"volumes": volumes}})))
}

/// The node a pod gets, or why none.
fn decided(pod: &PodState, snapshot: &mut Snapshot) -> Result<String, String> {
    match schedule(pod, snapshot, &mut Draw::new(random(1))) {
        Ok(placement) => Ok(placement.node.to_string()),
        Err(why) => Err(why.to_string().split(" preemption").next().unwrap().to_owned()),
    }
}

fn refused(reason: &str) -> Result<String, String> {
    Err(format!("0/2 nodes are available: {reason}."))
}

#[test]
fn claims_say_where_a_pod_may_go_in_upstreams_words() {
    let mut region = region();
    claim(&mut region, "soon", "soon", None);
    claim(&mut region, "late", "late", None);
    claim(&mut region, "only-b", "only-b", None);
    claim(&mut region, "by-hand", "by-hand", None);
    claim(&mut region, "at-a", "late", Some("in-a"));
    claim(&mut region, "at-b", "late", Some("in-b"));
    claim(&mut region, "nowhere", "late", Some("gone"));
    volume(&mut region, "in-a", "late", "5Gi", "a");
    volume(&mut region, "in-b", "late", "5Gi", "b");
    let cases: [(&[&str], Result<String, String>); 9] = [
        (&["missing"], refused("persistentvolumeclaim \"missing\" not found")),
        (&["soon"], refused("pod has unbound immediate PersistentVolumeClaims")),
        (&["only-b"], Ok("b1".to_owned())),
        (&["by-hand"], refused("2 node(s) didn't find available persistent volumes to bind")),
        (&["at-a"], Ok("a1".to_owned())),
        (&["at-b", "late"], Ok("b1".to_owned())),
        (&["at-a", "at-b"], refused("2 node(s) didn't match PersistentVolume's node affinity")),
        (
            &["at-a", "only-b"],
            refused(
                "1 node(s) didn't find available persistent volumes to bind, 1 node(s) didn't match \
                 PersistentVolume's node affinity",
            ),
        ),
        (
            &["nowhere"],
            refused("2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"),
        ),
    ];
    for (claims, expected) in cases {
        assert_eq!(decided(&using("web", claims), &mut region), expected, "{claims:?}");
    }
}

#[test]
fn the_smallest_volume_that_is_there_is_given_and_to_nobody_else() {
    let mut region = region();
    for name in ["one", "two", "three"] {
        claim(&mut region, name, "by-hand", None);
    }
    for (name, size) in [("tiny", "1Gi"), ("large", "50Gi"), ("fit", "6Gi")] {
        volume(&mut region, name, "by-hand", size, "a");
    }
    let mut given = Vec::new();
    for name in ["one", "two"] {
        let pod = using(name, &[name]);
        assert_eq!(decided(&pod, &mut region), Ok("a1".to_owned()));
        given.extend(region.choose(&pod, "a1"));
    }
    let give =
        |claim: &str, volume: &str| Step::Give(Key::new("default", claim), claim.into(), volume.into());
    assert_eq!(given, [give("one", "fit"), give("two", "large")]);
    assert!(decided(&using("three", &["three"]), &mut region).is_err());
    region.storage_mut().take_back(&given[1..]);
    assert_eq!(decided(&using("three", &["three"]), &mut region), Ok("a1".to_owned()));
}

#[test]
fn a_claim_that_was_told_its_node_goes_nowhere_else() {
    let mut region = region();
    claim(&mut region, "data", "late", None);
    let web = using("web", &["data"]);
    let key = Key::new("default", "data");
    assert_eq!(region.choose(&web, "b1"), [Step::Choose(key)]);
    assert_eq!(decided(&web, &mut region), Ok("b1".to_owned()));
    assert_eq!(region.storage().are_bound(&web, "b1"), Some(false));
    assert_eq!(region.storage().are_bound(&web, "a1"), None);
    claim(&mut region, "data", "late", Some("made"));
    assert_eq!(region.storage().are_bound(&web, "b1"), Some(true));
}

#[test]
fn a_claim_for_one_pod_alone_is_used_by_one() {
    let mut region = region();
    put_claim(
        &mut region,
        "mine",
        json!({
            "metadata": {"name": "mine", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
            "spec": {"volumeName": "in-a", "accessModes": ["ReadWriteOncePod"]},
        }),
    );
    volume(&mut region, "in-a", "", "5Gi", "a");
    let first = Arc::new(using("first", &["mine"]));
    assert_eq!(decided(&first, &mut region), Ok("a1".to_owned()));
    region.assume("a1", first.clone());
    let told =
        "2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
    assert_eq!(decided(&using("second", &["mine"]), &mut region), refused(told));
    region.remove_pod(&first.key);
    assert_eq!(decided(&using("second", &["mine"]), &mut region), Ok("a1".to_owned()));
}

#[test]
fn a_volume_whose_labels_say_its_zone_is_used_there() {
    let mut region = region();
    claim(&mut region, "old", "late", Some("old"));
    let volume =
        json!({"metadata": {"name": "old", "labels": {"topology.kubernetes.io/zone": "b__c"}}, "spec": {}});
    let volume = Volume::of(&serde_json::from_value(volume).unwrap());
    region.storage_mut().put_volume(&"old".into(), Some(volume));
    assert_eq!(decided(&using("web", &["old"]), &mut region), Ok("b1".to_owned()));
    region.remove_node("b1");
    let told = "0/1 nodes are available: 1 node(s) had no available volume zone.";
    assert_eq!(decided(&using("web", &["old"]), &mut region), Err(told.to_owned()));
}

#[test]
fn a_node_attaches_no_more_volumes_than_it_can() {
    let mut region = region();
    for name in ["one", "two"] {
        claim(&mut region, name, "late", None);
    }
    let limits: Limits = [("p".to_owned(), 1)].into();
    for node in ["a1", "b1"] {
        region.storage_mut().put_limits(&node.into(), Some(limits.clone()));
    }
    let both = using("both", &["one", "two"]);
    assert_eq!(decided(&both, &mut region), refused("2 node(s) exceed max volume count"));
    region.assume("a1", Arc::new(using("first", &["one"])));
    assert_eq!(decided(&using("second", &["two"]), &mut region), Ok("b1".to_owned()));
    region.remove_node("b1");
    assert!(decided(&using("second", &["two"]), &mut region).is_err());
    assert_eq!(decided(&using("third", &["one"]), &mut region), Ok("a1".to_owned()), "it is there already");
}
