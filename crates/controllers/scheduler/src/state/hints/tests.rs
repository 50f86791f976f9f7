//! Upstream's cases of what may help a pod that one rule rejected.

use super::*;
use crate::cases::{Happening, happenings};

#[test]
fn what_may_help_a_rejected_pod_is_what_upstream_says() {
    let mut wrong = Vec::new();
    for Happening { name, demand, nodes, pods, expected } in happenings(include_str!("../../cases/hints.txt"))
    {
        let rule = match name.split(' ').next().unwrap() {
            "spread" => Plugin::PodTopologySpread,
            "affinity" => Plugin::InterPodAffinity,
            "fit" => Plugin::NodeResourcesFit,
            "nodes" => Plugin::NodeAffinity,
            "taints" => Plugin::TaintToleration,
            "cordon" => Plugin::NodeUnschedulable,
            "ports" => Plugin::NodePorts,
            other => panic!("{other}"),
        };
        let plugins: Plugins = [rule].into_iter().collect();
        let mut snapshot = Snapshot::default();
        let mut facts = |node: Option<k8s_openapi::api::core::v1::Node>| {
            let node = node?;
            snapshot.put(&node);
            Some((node.metadata.name.clone().unwrap(), Facts::of(&node)))
        };
        let (old, new) = (facts(nodes.0), facts(nodes.1));
        let event = match (&pods, &old, &new) {
            ((Some(before), Some(after)), ..) => Event::Altered("n", before, after),
            ((Some(before), None), ..) => Event::Left("n", before),
            ((None, Some(after)), ..) => Event::Joined(after),
            (_, old, Some((name, _))) => Event::Node(name, old.as_ref().map(|(_, facts)| facts)),
            (_, Some((_, facts)), None) => Event::NodeGone(facts),
            _ => panic!("{name}: nothing happens"),
        };
        let told = if event.helps(&demand, plugins, &snapshot) { "queue" } else { "skip" };
        if told != expected {
            wrong.push(format!("{name}: {told}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
