//! Which of the nodes that will do is best: each rule gives 0 to 100, a weighted sum decides.
//!
//! **Spec:** upstream's score plugins and weights of its default profile. LIMIT: `ImageLocality`
//! and `InterPodAffinity` are not among them.

use crate::filter::{affinity, taints};
use crate::{Amounts, Demand, NodeState, Snapshot, spread};

#[cfg(test)]
mod tests;

/// The best a rule can say.
const HIGHEST: i64 = 100;

type Score = fn(&Demand, &Snapshot, &[&NodeState]) -> Vec<i64>;

/// The rules and their weights.
const SCORES: &[(i64, Score)] =
    &[(3, taint_toleration), (2, node_affinity), (1, least_allocated), (2, spread::score), (1, balanced)];

/// The weighted sums, in the order of `nodes`.
pub(crate) fn totals(demand: &Demand, snapshot: &Snapshot, nodes: &[&NodeState]) -> Vec<i64> {
    let mut totals = vec![0; nodes.len()];
    for (weight, score) in SCORES {
        for (total, score) in totals.iter_mut().zip(score(demand, snapshot, nodes)) {
            *total += weight * score;
        }
    }
    totals
}

/// Fewer taints that speak against it are better.
fn taint_toleration(demand: &Demand, _: &Snapshot, nodes: &[&NodeState]) -> Vec<i64> {
    let count = |node: &&NodeState| taints::count_unwelcome(&demand.tolerations, &node.facts.taints);
    let shares = normalized(nodes.iter().map(count).collect());
    shares.into_iter().map(|share| HIGHEST - share).collect()
}

/// The more of the pod's preferences it meets the better.
fn node_affinity(demand: &Demand, _: &Snapshot, nodes: &[&NodeState]) -> Vec<i64> {
    normalized(nodes.iter().map(|node| affinity::preference(demand, node)).collect())
}

/// The more is left the better; a pod that asks for nothing weighs something nevertheless.
fn least_allocated(demand: &Demand, _: &Snapshot, nodes: &[&NodeState]) -> Vec<i64> {
    let score = |node: &&NodeState| {
        let shares = shares(node, &node.usage.weighed, &demand.weighed);
        let left =
            shares.map(|(taken, offered)| if taken > offered { 0 } else { scaled(offered - taken, offered) });
        let (sum, count) = left.fold((0, 0), |(sum, count), left| (sum + left, count + 1));
        if count == 0 { 0 } else { sum / count }
    };
    nodes.iter().map(score).collect()
}

/// The closer the used shares of CPU and memory are the better. A pod that asks for neither
/// changes no share, so that it is all the same.
fn balanced(demand: &Demand, _: &Snapshot, nodes: &[&NodeState]) -> Vec<i64> {
    if (demand.requested.cpu_milli, demand.requested.memory_bytes) == (0, 0) {
        return vec![0; nodes.len()];
    }
    #[allow(clippy::cast_precision_loss, reason = "a share of 0 to 1 needs no more than a float's precision")]
    #[allow(clippy::cast_possible_truncation, reason = "it is 0 to 100")]
    let score = |node: &&NodeState| {
        let shares = shares(node, &node.usage.requested, &demand.requested);
        let shares: Vec<f64> =
            shares.map(|(taken, offered)| (taken as f64 / offered as f64).min(1.0)).collect();
        let deviation = match shares.as_slice() {
            [cpu, memory] => (cpu - memory).abs() / 2.0,
            _ => 0.0,
        };
        ((1.0 - deviation) * 100.0) as i64
    };
    nodes.iter().map(score).collect()
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
    let hundredths = i128::from(part) * i128::from(HIGHEST) / i128::from(whole);
    i64::try_from(hundredths).unwrap_or(HIGHEST)
}
