//! Tests of affinity between pods.

use super::*;
use crate::fixture::{fill, node, pod, snapshot, wanted};
use serde_json::{Value, json};

const ZONE: &str = "topology.kubernetes.io/zone";

fn term(app: &str) -> Value {
    json!({"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": app}}})
}

fn required(sort: &str, terms: &Value) -> Value {
    json!({"spec": {"affinity": {sort: {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}})
}

/// Two zones of two and one nodes.
fn three() -> Snapshot {
    snapshot(&["a1", "a2", "b1"].map(|name| node(name, json!({}))))
}

fn labelled(name: &str, app: &str) -> crate::Seen {
    pod(name, json!({"metadata": {"labels": {"app": app}}}))
}

fn open(pod: &PodState, snapshot: &mut Snapshot) -> Vec<String> {
    snapshot.turn();
    let neighbours = Neighbours::of(pod, snapshot);
    let open = snapshot.nodes().filter(|node| neighbours.check(snapshot, node.id).is_ok());
    open.map(|node| node.name.to_string()).collect()
}

#[test]
fn a_pod_goes_near_whom_it_must_be_near_and_the_first_of_a_group_anywhere() {
    let mut snapshot = three();
    let near_web = wanted(required("podAffinity", &json!([term("web")])));
    assert_eq!(open(&near_web, &mut snapshot), [""; 0]);
    fill(&mut snapshot, "b1", [labelled("web", "web")]);
    assert_eq!(open(&near_web, &mut snapshot), ["b1"]);
    let mut group = required("podAffinity", &json!([term("group")]));
    group["metadata"] = json!({"labels": {"app": "group"}});
    assert_eq!(open(&wanted(group), &mut snapshot), ["a1", "a2", "b1"]);
}

#[test]
fn pods_that_keep_away_from_a_sort_are_not_joined_by_it_and_join_it_nowhere() {
    let mut snapshot = three();
    let recluse = required("podAntiAffinity", &json!([term("web")]));
    fill(&mut snapshot, "a2", [pod("recluse", recluse.clone())]);
    let web = crate::PodState::of(&labelled("web", "web"));
    assert_eq!(open(&web, &mut snapshot), ["b1"]);
    fill(&mut snapshot, "b1", [labelled("other", "web")]);
    assert_eq!(open(&wanted(recluse), &mut snapshot), ["a1", "a2"]);
    snapshot.remove_pod(&crate::fixture::key("recluse"));
    assert_eq!(open(&web, &mut snapshot), ["a1", "a2", "b1"]);
}

#[test]
fn labels_of_namespaces_say_whom_a_term_is_about() {
    let mut snapshot = three();
    let mut there = labelled("web", "web");
    there.metadata.namespace = Some("other".to_owned());
    fill(&mut snapshot, "b1", [there]);
    let mut scoped = term("web");
    scoped["namespaceSelector"] = json!({"matchLabels": {"team": "x"}});
    let scoped = wanted(required("podAffinity", &json!([scoped])));
    assert_eq!(open(&scoped, &mut snapshot), [""; 0]);
    snapshot.put_namespace("other", Some([("team".to_owned(), "x".to_owned())].into()));
    assert_eq!(open(&scoped, &mut snapshot), ["b1"]);
}

#[test]
fn own_preferences_and_those_of_others_add_up() {
    let mut snapshot = three();
    fill(&mut snapshot, "a1", [labelled("one", "web"), labelled("two", "web")]);
    fill(&mut snapshot, "b1", [labelled("three", "web")]);
    let preferred = |weight: i32| {
        let rules = json!([{"weight": weight, "podAffinityTerm": term("web")}]);
        json!({"spec": {"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": rules}}}})
    };
    let scores = |pod: &PodState, snapshot: &mut Snapshot| {
        snapshot.turn();
        let nodes: Vec<_> = snapshot.nodes().map(|node| node.id).collect();
        Preferences::of(pod, snapshot).score(snapshot, &nodes)
    };
    assert_eq!(scores(&wanted(preferred(5)), &mut snapshot), Some(vec![100, 100, 0]));
    assert_eq!(scores(&wanted(json!({})), &mut snapshot), None);
    fill(&mut snapshot, "b1", [pod("fan", preferred(7))]);
    let web = PodState::of(&labelled("web", "web"));
    assert_eq!(scores(&web, &mut snapshot), Some(vec![0, 0, 100]));
}
