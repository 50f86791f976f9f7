//! Soft spreading, as a score.

use std::collections::{BTreeMap, BTreeSet};

use super::{Constraint, HOSTNAME, ZONE, written};
use crate::{Demand, NodeState, Snapshot};

/// The fewer of the pod's like are near the better; how much a key counts grows with the logarithm
/// of the number of its values.
pub(crate) fn score(demand: &Demand, snapshot: &Snapshot, nodes: &[&NodeState]) -> Vec<i64> {
    let (constraints, needs_all) = constraints(demand);
    if constraints.is_empty() {
        return vec![0; nodes.len()];
    }
    let has_all = |node: &NodeState| !needs_all || constraints.iter().all(|it| it.value(node).is_some());
    let known: Vec<&NodeState> = nodes.iter().copied().filter(|node| has_all(node)).collect();
    let mut raw = vec![0.0; nodes.len()];
    for constraint in &constraints {
        let counts = counts(constraint, snapshot, &known, &has_all);
        let weight = logarithm(counts.len() + 2);
        for (raw, node) in raw.iter_mut().zip(nodes) {
            if let Some(count) = constraint.value(node).and_then(|value| counts.get(value)) {
                *raw += float(*count) * weight + float(constraint.max_skew - 1);
            }
        }
    }
    let raw: Vec<Option<i64>> =
        nodes.iter().zip(raw).map(|(node, raw)| has_all(node).then(|| rounded(raw))).collect();
    inverted(&raw)
}

/// The soft constraints, and whether nodes that lack a key are out of the question.
fn constraints(demand: &Demand) -> (Vec<Constraint<'_>>, bool) {
    if !demand.spread.is_empty() {
        return (written(demand, "ScheduleAnyway"), true);
    }
    let Some(controller) = &demand.controller else { return (Vec::new(), false) };
    let usual = [(HOSTNAME, 3), (ZONE, 5)];
    (usual.map(|(key, skew)| Constraint::usual(demand, key, skew, controller)).into(), false)
}

/// How many of the pod's like each of the key's values has, for the values of `known` nodes.
fn counts<'a>(
    constraint: &Constraint<'_>,
    snapshot: &'a Snapshot,
    known: &[&'a NodeState],
    has_all: &dyn Fn(&NodeState) -> bool,
) -> BTreeMap<&'a str, i64> {
    let values: BTreeSet<&str> = known.iter().filter_map(|node| constraint.value(node)).collect();
    let mut counts: BTreeMap<&str, i64> = values.into_iter().map(|value| (value, 0)).collect();
    for node in snapshot.nodes().filter(|node| has_all(node)) {
        let Some(count) = constraint.value(node).and_then(|value| counts.get_mut(value)) else { continue };
        if constraint.includes(node) {
            *count += constraint.count(&node.usage);
        }
    }
    counts
}

/// Counts as scores: the fewer the higher, 0 for nodes that lack a key.
fn inverted(raw: &[Option<i64>]) -> Vec<i64> {
    let fewest = raw.iter().flatten().copied().min().unwrap_or_default();
    let most = raw.iter().flatten().copied().max().unwrap_or_default();
    let score = |raw: &Option<i64>| match raw {
        None => 0,
        Some(_) if most == 0 => 100,
        Some(raw) => 100 * (most + fewest - raw) / most,
    };
    raw.iter().map(score).collect()
}

#[allow(clippy::cast_precision_loss, reason = "numbers of pods are small")]
fn float(count: i64) -> f64 {
    count as f64
}

#[allow(clippy::cast_possible_truncation, reason = "numbers of pods times a small weight")]
fn rounded(score: f64) -> i64 {
    score.round() as i64
}

/// The natural logarithm, by basic operations alone, which every machine rounds alike.
pub(super) fn logarithm(number: usize) -> f64 {
    let (mut mantissa, mut halvings) = (float(i64::try_from(number).unwrap_or(i64::MAX)), 0.0);
    while mantissa > 1.5 {
        mantissa /= 2.0;
        halvings += 1.0;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)), whose series converges fast for m near 1.
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let (mut power, mut sum) = (ratio, 0.0);
    for odd in (1..40).step_by(2) {
        sum += power / float(odd);
        power *= ratio * ratio;
    }
    halvings * std::f64::consts::LN_2 + 2.0 * sum
}
