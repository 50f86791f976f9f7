//! The scenes, played.

use super::Scene;
use crate::filter::{Objection, check};
use crate::neighbours::{Neighbours, Preferences};
use crate::score;
use crate::snapshot::NodeId;
use crate::spread::{Soft, Strict};
use crate::{NodeState, PodState, Snapshot};

/// What is said of every node, against what is expected.
fn judge(scenes: Vec<Scene>, said: impl Fn(&mut Scene) -> Vec<(NodeId, Result<(), Objection>)>) {
    let mut wrong = Vec::new();
    for mut scene in scenes {
        scene.snapshot.turn();
        let said = said(&mut scene);
        for (name, id) in scene.nodes() {
            let result = &said.iter().find(|(node, _)| *node == id).unwrap().1;
            let told = words(&scene.pod, scene.snapshot.at(id), *result);
            let expected = scene.expected_of(&name);
            if told != expected {
                wrong.push(format!("{} {name}: {told}, not {expected}", scene.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn words(pod: &PodState, node: &NodeState, result: Result<(), Objection>) -> String {
    let Err(objection) = result else { return "ok".to_owned() };
    match objection {
        Objection::Spread => "too many".to_owned(),
        Objection::SpreadLabel => "no label".to_owned(),
        other => {
            let reasons = other.explain(&pod.demand, node).reasons;
            reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
    }
}

/// The scores of the nodes that are named, against what is expected.
fn rate(scenes: Vec<Scene>, rate: impl Fn(&mut Scene, &[NodeId]) -> Option<Vec<i64>>) {
    let mut wrong = Vec::new();
    for mut scene in scenes {
        scene.snapshot.turn();
        let expected = scene.expected_scores();
        let nodes: Vec<NodeId> = expected.iter().flatten().map(|(node, _)| *node).collect();
        let scores = rate(&mut scene, &nodes).map(|scores| nodes.iter().copied().zip(scores).collect());
        if scores != expected {
            wrong.push(format!("{}: {scores:?}, not {expected:?}", scene.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn ids(snapshot: &Snapshot) -> Vec<NodeId> {
    snapshot.nodes().map(|node| node.id).collect()
}

fn alone(scene: &mut Scene) -> Vec<(NodeId, Result<(), Objection>)> {
    let check = |id| (id, check(&scene.pod.demand, scene.snapshot.at(id), scene.verdict(id)));
    ids(&scene.snapshot).into_iter().map(check).collect()
}

#[test]
fn a_node_has_what_a_pod_asks_for_as_upstream_counts() {
    judge(Scene::all(include_str!("fit.txt")), alone);
}

#[test]
fn a_node_by_itself_will_do_as_upstream_finds() {
    judge(Scene::all(include_str!("node_filter.txt")), alone);
}

#[test]
fn pods_join_and_avoid_each_other_as_upstream_has_it() {
    judge(Scene::all(include_str!("pod_affinity_filter.txt")), |scene| {
        let neighbours = Neighbours::of(&scene.pod, &mut scene.snapshot);
        let check = |id| (id, neighbours.check(&scene.snapshot, id));
        ids(&scene.snapshot).into_iter().map(check).collect()
    });
}

#[test]
fn pods_prefer_each_others_company_as_upstream_has_it() {
    rate(Scene::all(include_str!("pod_affinity_score.txt")), |scene, nodes| {
        Preferences::of(&scene.pod, &mut scene.snapshot).score(&scene.snapshot, nodes)
    });
}

#[test]
fn the_spread_is_kept_as_upstream_keeps_it() {
    judge(Scene::all(include_str!("spread_filter.txt")), |scene| {
        let mut verdicts = scene.verdicts();
        let strict = Strict::of(&scene.pod, &mut scene.snapshot, &mut verdicts);
        let check = |id| (id, strict.check(&scene.snapshot, id));
        ids(&scene.snapshot).into_iter().map(check).collect()
    });
}

#[test]
fn an_even_spread_is_worth_what_upstream_says() {
    rate(Scene::all(include_str!("spread_score.txt")), |scene, nodes| {
        let mut verdicts = scene.verdicts();
        Soft::of(&scene.pod, &mut scene.snapshot).score(&scene.snapshot, &mut verdicts, nodes)
    });
}

#[test]
fn a_node_by_itself_is_worth_what_upstream_says() {
    rate(Scene::all(include_str!("node_score.txt")), |scene, nodes| {
        score::by_rule(&scene.name, &scene.pod, &scene.snapshot, &scene.verdicts(), nodes)
    });
}
