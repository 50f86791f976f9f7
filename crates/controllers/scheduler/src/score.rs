//! Which of the nodes that will do is best: each rule gives 0 to 100, a weighted sum decides.
//!
//! **Spec:** upstream's score plugins and weights of its default profile.

use crate::neighbours::Preferences;
use crate::snapshot::NodeId;
use crate::snapshot::verdicts::Verdicts;
use crate::spread::Soft;
use crate::{Amounts, Demand, NodeState, PodState, Snapshot};

mod images;

#[cfg(test)]
mod tests;

/// The best a rule can say.
const HIGHEST: i64 = 100;
const TAINT_TOLERATION: i64 = 3;
const NODE_AFFINITY: i64 = 2;
const RESOURCES_FIT: i64 = 1;
const TOPOLOGY_SPREAD: i64 = 2;
const POD_AFFINITY: i64 = 2;
const BALANCED: i64 = 1;
const IMAGES: i64 = 1;

/// The weighted sums, in the order of `nodes`, which were all looked at in this decision.
pub(crate) fn totals(
    pod: &PodState,
    snapshot: &mut Snapshot,
    verdicts: &mut Verdicts,
    nodes: &[NodeId],
) -> Vec<i64> {
    let soft = Soft::of(pod, snapshot);
    let preferences = Preferences::of(pod, snapshot);
    let spread = soft.score(snapshot, verdicts, nodes);
    let mut totals = vec![0; nodes.len()];
    let mut add = |weight: i64, scores: Option<Vec<i64>>| {
        for (total, score) in totals.iter_mut().zip(scores.into_iter().flatten()) {
            *total += weight * score;
        }
    };
    add(TAINT_TOLERATION, Some(taint_toleration(verdicts, nodes)));
    add(NODE_AFFINITY, node_affinity(&pod.demand, verdicts, nodes));
    add(TOPOLOGY_SPREAD, spread);
    add(POD_AFFINITY, preferences.score(snapshot, nodes));
    add(IMAGES, images::score(&pod.demand, snapshot, nodes));
    for (total, node) in totals.iter_mut().zip(nodes) {
        let node = snapshot.at(*node);
        *total += RESOURCES_FIT * least_allocated(&pod.demand, node) + BALANCED * balanced(&pod.demand, node);
    }
    totals
}

/// What the rule says that a case is named after.
#[cfg(test)]
pub(crate) fn by_rule(
    rule: &str,
    pod: &PodState,
    snapshot: &Snapshot,
    verdicts: &Verdicts,
    nodes: &[NodeId],
) -> Option<Vec<i64>> {
    let each = |score: fn(&Demand, &NodeState) -> i64| {
        Some(nodes.iter().map(|node| score(&pod.demand, snapshot.at(*node))).collect())
    };
    let none = || Some(vec![0; nodes.len()]);
    match rule.split(' ').next() {
        Some("taints") => Some(taint_toleration(verdicts, nodes)),
        Some("affinity") => node_affinity(&pod.demand, verdicts, nodes).or_else(none),
        Some("images") => images::score(&pod.demand, snapshot, nodes).or_else(none),
        Some("least") => each(least_allocated),
        Some("balanced") => each(balanced),
        _ => None,
    }
}

/// Fewer taints that speak against it are better.
fn taint_toleration(verdicts: &Verdicts, nodes: &[NodeId]) -> Vec<i64> {
    let counts = nodes.iter().map(|node| i64::from(verdicts.known(*node).unwelcome)).collect();
    normalized(counts).into_iter().map(|share| HIGHEST - share).collect()
}

/// The more of the pod's preferences it meets the better.
fn node_affinity(demand: &Demand, verdicts: &Verdicts, nodes: &[NodeId]) -> Option<Vec<i64>> {
    if demand.preferred.is_empty() {
        return None;
    }
    Some(normalized(nodes.iter().map(|node| i64::from(verdicts.known(*node).preference)).collect()))
}

/// The more is left the better; a pod that asks for nothing weighs something nevertheless.
fn least_allocated(demand: &Demand, node: &NodeState) -> i64 {
    let shares = shares(node, &node.usage.weighed, &demand.weighed);
    let left =
        shares.map(|(taken, offered)| if taken > offered { 0 } else { scaled(offered - taken, offered) });
    let (sum, count) = left.fold((0, 0), |(sum, count), left| (sum + left, count + 1));
    if count == 0 { 0 } else { sum / count }
}

/// The closer the used shares of CPU and memory are the better. A pod that asks for neither
/// changes no share, so that it is all the same.
#[allow(clippy::cast_precision_loss, reason = "a share of 0 to 1 needs no more than a float's precision")]
#[allow(clippy::cast_possible_truncation, reason = "it is 0 to 100")]
fn balanced(demand: &Demand, node: &NodeState) -> i64 {
    if (demand.requested.cpu_milli, demand.requested.memory_bytes) == (0, 0) {
        return 0;
    }
    let shares = shares(node, &node.usage.requested, &demand.requested);
    let mut shares = shares.map(|(taken, offered)| (taken as f64 / offered as f64).min(1.0));
    let deviation = match (shares.next(), shares.next()) {
        (Some(cpu), Some(memory)) => (cpu - memory).abs() / 2.0,
        _ => 0.0,
    };
    ((1.0 - deviation) * 100.0) as i64
}

/// What would be taken and what is offered, of CPU and memory where either is offered.
fn shares(node: &NodeState, taken: &Amounts, wanted: &Amounts) -> impl Iterator<Item = (i64, i64)> {
    let offered = &node.facts.allocatable;
    let shares = [
        (taken.cpu_milli.saturating_add(wanted.cpu_milli), offered.cpu_milli),
        (taken.memory_bytes.saturating_add(wanted.memory_bytes), offered.memory_bytes),
    ];
    shares.into_iter().filter(|(_, offered)| *offered > 0)
}

/// Raw scores as shares of the highest.
fn normalized(mut scores: Vec<i64>) -> Vec<i64> {
    let highest = scores.iter().copied().max().unwrap_or_default();
    if highest > 0 {
        for score in &mut scores {
            *score = scaled(*score, highest);
        }
    }
    scores
}

/// `part` of `whole` in hundredths, rounded down.
fn scaled(part: i64, whole: i64) -> i64 {
    match part.checked_mul(HIGHEST) {
        Some(hundredths) => hundredths / whole,
        None => i64::try_from(i128::from(part) * i128::from(HIGHEST) / i128::from(whole)).unwrap_or(HIGHEST),
    }
}
