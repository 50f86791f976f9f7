//! Tests of spreading, soft and strict.

use super::*;
use crate::fixture::{fill, node, pod, snapshot, wanted};
use crate::{NodeState, Seen};
use mainstay_control::Key;
use mainstay_resource::LabelSelector;
use serde_json::{Value, json};

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

fn owned(name: &str) -> Seen {
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "web", "controller": true}]);
    pod(name, json!({"metadata": {"ownerReferences": owner, "labels": {"app": "owned"}}}))
}

fn labelled(name: &str) -> Seen {
    pod(name, json!({"metadata": {"labels": {"app": "web"}}}))
}

fn nodes(names: &[&str]) -> Snapshot {
    snapshot(&names.iter().map(|name| node(name, json!({}))).collect::<Vec<_>>())
}

fn scores(pod: &PodState, snapshot: &mut Snapshot) -> Vec<i64> {
    snapshot.turn();
    let nodes: Vec<_> = snapshot.nodes().map(|node| node.id).collect();
    let soft = Soft::of(pod, snapshot);
    soft.score(snapshot, &mut Verdicts::default(), &nodes).unwrap_or_else(|| vec![0; nodes.len()])
}

fn constraint(key: &str, max_skew: i32, when: &str) -> Value {
    json!({"topologyKey": key, "maxSkew": max_skew, "whenUnsatisfiable": when,
           "labelSelector": {"matchLabels": {"app": "web"}}})
}

fn spreading(constraints: &[Value]) -> PodState {
    wanted(
        json!({"metadata": {"labels": {"app": "web"}}, "spec": {"topologySpreadConstraints": constraints}}),
    )
}

#[test]
fn the_logarithm_is_as_close_as_a_float_can_tell() {
    for number in [1_u32, 2, 3, 4, 5, 7, 17, 100, 1000, 65_536] {
        let (ours, theirs) = (soft::logarithm(number as usize), f64::from(number).ln());
        assert!((ours - theirs).abs() <= 1e-14 * theirs.max(1.0), "{number}: {ours} {theirs}");
    }
}

#[test]
fn pods_of_one_controller_prefer_hosts_and_zones_without_their_like() {
    let mut snapshot = nodes(&["a1", "a2", "b1"]);
    let selector = LabelSelector::parse("app=owned").unwrap();
    snapshot.relations_mut().put_set("ReplicaSet", &Key::new("default", "web"), Some(selector));
    fill(&mut snapshot, "a1", [owned("one")]);
    let scores = scores(&PodState::of(&owned("wanted")), &mut snapshot);
    assert!(scores[0] < scores[1] && scores[1] < scores[2], "{scores:?}");
    fill(&mut snapshot, "b1", [pod("stranger", json!({}))]);
    assert_eq!(
        self::scores(&PodState::of(&owned("wanted")), &mut snapshot),
        scores,
        "strangers do not count"
    );
    assert_eq!(self::scores(&wanted(json!({})), &mut snapshot), [0, 0, 0], "it has no like");
}

#[test]
fn the_scores_of_written_constraints_are_upstreams() {
    let mut snapshot = nodes(&["a1", "a2", "b1"]);
    fill(&mut snapshot, "a1", [labelled("one"), labelled("two")]);
    fill(&mut snapshot, "b1", [labelled("three")]);
    let soft = spreading(&[constraint(HOSTNAME, 1, "ScheduleAnyway")]);
    // Counts 2, 0, 1 times ln 5, rounded: 3, 0, 2.
    assert_eq!(scores(&soft, &mut snapshot), [0, 100, 33]);
    let zones = spreading(&[constraint(ZONE, 1, "ScheduleAnyway")]);
    // Counts 2, 2, 1 times ln 4, rounded: 3, 3, 1.
    assert_eq!(scores(&zones, &mut snapshot), [33, 33, 100]);
}

#[test]
fn a_node_without_the_label_of_a_soft_constraint_scores_nothing() {
    let mut snapshot = nodes(&["a1", "a2"]);
    let bare = json!({"metadata": {"labels": null}});
    snapshot.put(&node("c1", bare));
    let soft = spreading(&[constraint(HOSTNAME, 1, "ScheduleAnyway")]);
    assert_eq!(scores(&soft, &mut snapshot), [100, 100, 0]);
}

fn verdicts(pod: &PodState, snapshot: &mut Snapshot) -> Vec<String> {
    snapshot.turn();
    let strict = Strict::of(pod, snapshot, &mut Verdicts::default());
    let text = |node: &NodeState| match strict.check(snapshot, node.id) {
        Ok(()) => "ok".to_owned(),
        Err(objection) => objection.explain(&pod.demand, node).reasons[0].to_string(),
    };
    snapshot.nodes().map(text).collect()
}

const TOO_MANY: &str = "node(s) didn't match pod topology spread constraints";

#[test]
fn a_strict_constraint_keeps_the_skew_within_its_bound() {
    let mut snapshot = nodes(&["a1", "a2", "b1"]);
    fill(&mut snapshot, "a1", [labelled("one")]);
    for (skew, expected) in [(1, [TOO_MANY, TOO_MANY, "ok"]), (2, ["ok", "ok", "ok"])] {
        let strict = spreading(&[constraint(ZONE, skew, "DoNotSchedule")]);
        assert_eq!(verdicts(&strict, &mut snapshot), expected);
    }
    let hosts = spreading(&[constraint(HOSTNAME, 1, "DoNotSchedule")]);
    assert_eq!(verdicts(&hosts, &mut snapshot), [TOO_MANY, "ok", "ok"]);
}

#[test]
fn a_node_without_the_label_of_a_strict_constraint_will_never_do() {
    let mut snapshot = nodes(&["a1"]);
    let strict = spreading(&[constraint("rack", 1, "DoNotSchedule")]);
    let missing = format!("{TOO_MANY} (missing required label)");
    assert_eq!(verdicts(&strict, &mut snapshot), [missing]);
}

#[test]
fn too_few_domains_count_as_if_one_were_empty() {
    let mut snapshot = nodes(&["a1", "b1"]);
    fill(&mut snapshot, "a1", [labelled("one")]);
    fill(&mut snapshot, "b1", [labelled("two")]);
    let mut three = constraint(ZONE, 1, "DoNotSchedule");
    three["minDomains"] = json!(3);
    assert_eq!(verdicts(&spreading(&[three]), &mut snapshot), [TOO_MANY, TOO_MANY]);
    let any = spreading(&[constraint(ZONE, 1, "DoNotSchedule")]);
    assert_eq!(verdicts(&any, &mut snapshot), ["ok", "ok"]);
}

#[test]
fn pods_of_other_namespaces_labels_and_pods_on_their_way_out_do_not_count() {
    let mut snapshot = nodes(&["a1", "b1"]);
    let mut leaving = labelled("leaving");
    leaving.metadata.deletion_timestamp =
        Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
    let mut foreign = labelled("foreign");
    foreign.metadata.namespace = Some("other".to_owned());
    fill(&mut snapshot, "a1", [leaving, foreign, pod("unlike", json!({}))]);
    let strict = spreading(&[constraint(ZONE, 1, "DoNotSchedule")]);
    assert_eq!(verdicts(&strict, &mut snapshot), ["ok", "ok"]);
}

#[test]
fn match_label_keys_narrow_who_is_alike() {
    let mut snapshot = nodes(&["a1", "b1"]);
    let revision = |name: &str, revision: &str| {
        pod(name, json!({"metadata": {"labels": {"app": "web", "revision": revision}}}))
    };
    fill(&mut snapshot, "a1", [revision("one", "old")]);
    let mut strict = constraint(ZONE, 1, "DoNotSchedule");
    strict["matchLabelKeys"] = json!(["revision"]);
    let wanted = |revision: &str| {
        wanted(json!({"metadata": {"labels": {"app": "web", "revision": revision}},
                      "spec": {"topologySpreadConstraints": [strict]}}))
    };
    assert_eq!(verdicts(&wanted("new"), &mut snapshot), ["ok", "ok"]);
    assert_eq!(verdicts(&wanted("old"), &mut snapshot), [TOO_MANY, "ok"]);
}
