//! The decision: the best of the nodes that will do.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_base::random::Random;

use crate::filter::{self, Plugin, Reason, Rejection, affinity};
use crate::unschedulable::Preemption;
use crate::{Demand, NodeState, Snapshot, Unschedulable, preemption, score, spread};

#[cfg(test)]
mod tests;

/// Where a pod goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The node.
    pub node: Arc<str>,
    /// How many nodes were looked at.
    pub evaluated: usize,
    /// How many of them would have done.
    pub feasible: usize,
}

/// Decides where `pod` goes; `ties` picks one of several equally good nodes.
pub fn schedule(pod: &Demand, snapshot: &Snapshot, ties: &mut Random) -> Result<Placement, Unschedulable> {
    let candidates = candidates(pod, snapshot);
    let strict = spread::Strict::of(pod, snapshot);
    let mut feasible = Vec::new();
    let mut rejections = BTreeMap::new();
    for node in &candidates {
        match filter::check(pod, node).and_then(|()| strict.check(node)) {
            Ok(()) => feasible.push(*node),
            Err(rejection) => {
                rejections.insert(node.name.clone(), rejection);
            }
        }
    }
    let evaluated = candidates.len();
    let best = match feasible.as_slice() {
        [] => return Err(unschedulable(pod, snapshot, &rejections)),
        [only] => vec![*only],
        _ => best(&score::totals(pod, snapshot, &feasible), &feasible),
    };
    let chosen = if best.len() > 1 { ties.pick(&best) } else { best.first() };
    let node = chosen.expect("invariant: one of several feasible nodes is the best").name.clone();
    Ok(Placement { node, evaluated, feasible: feasible.len() })
}

/// The nodes to look at, by name: those the pod's affinity names, or all.
fn candidates<'a>(pod: &Demand, snapshot: &'a Snapshot) -> Vec<&'a NodeState> {
    match affinity::named(pod) {
        Some(names) => names.into_iter().filter_map(|name| snapshot.node(name)).collect(),
        None => snapshot.nodes().collect(),
    }
}

fn best<'a>(scores: &[i64], nodes: &[&'a NodeState]) -> Vec<&'a NodeState> {
    let highest = scores.iter().max();
    let best = nodes.iter().zip(scores).filter(|(_, score)| Some(*score) == highest);
    best.map(|(node, _)| *node).collect()
}

fn unschedulable(
    pod: &Demand,
    snapshot: &Snapshot,
    rejections: &BTreeMap<Arc<str>, Rejection>,
) -> Unschedulable {
    let preemption = if snapshot.is_empty() {
        Preemption::Futile(BTreeMap::new())
    } else {
        preemption::prospect(pod, snapshot, rejections)
    };
    let mut result = Unschedulable { nodes: snapshot.len(), reasons: BTreeMap::new(), preemption };
    for rejection in rejections.values() {
        result.count(rejection, 1);
    }
    let not_named = snapshot.len() - rejections.len();
    if not_named > 0 {
        result.count(&Rejection::lasting(Plugin::NodeAffinity, Reason::NotNamed), not_named);
    }
    result
}
