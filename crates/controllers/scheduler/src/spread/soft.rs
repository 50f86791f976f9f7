//! Soft spreading, as a score.

use std::sync::Arc;

use mainstay_resource::LabelSelector;

use super::{are_all_labelled, count, has_all, includes, includes_all};
use crate::demand::Spread;
use crate::snapshot::census::{Census, Who};
use crate::snapshot::verdicts::Verdicts;
use crate::snapshot::{ColumnId, NodeId};
use crate::{PodState, Snapshot};

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// The soft constraints of a pod, and who is counted.
pub(crate) struct Soft<'a> {
    pod: &'a PodState,
    rules: Vec<(Spread, ColumnId, Option<Arc<Who>>)>,
    columns: Vec<ColumnId>,
    /// Whether nodes that lack a key are out of the question.
    needs_all: bool,
}

impl<'a> Soft<'a> {
    /// The soft constraints of `pod`.
    pub(crate) fn of(pod: &'a PodState, snapshot: &mut Snapshot) -> Self {
        let needs_all = !pod.demand.spread.is_empty();
        let spreads: Vec<Spread> = if needs_all {
            pod.demand.spread.iter().filter(|spread| !spread.is_strict).cloned().collect()
        } else {
            let alike = snapshot.relations().alike(pod);
            alike.into_iter().flat_map(|selector| usual(&selector)).collect()
        };
        let columns: Vec<ColumnId> = spreads.iter().map(|spread| snapshot.column(&spread.key)).collect();
        let rule = |(spread, column): (Spread, &ColumnId)| {
            let who = count(snapshot, pod, &spread, *column);
            (spread, *column, who)
        };
        let rules = spreads.into_iter().zip(&columns).map(rule).collect();
        let needs_all = needs_all && !are_all_labelled(snapshot, &columns);
        Self { pod, rules, columns, needs_all }
    }

    /// The fewer of the pod's like are near the better; how much a key counts grows with the logarithm
    /// of the number of its values.
    pub(crate) fn score(
        &self,
        snapshot: &Snapshot,
        verdicts: &mut Verdicts,
        nodes: &[NodeId],
    ) -> Option<Vec<i64>> {
        if self.rules.is_empty() {
            return None;
        }
        let is_known = |node: NodeId| !self.needs_all || has_all(snapshot, &self.columns, node);
        let known = nodes.iter().filter(|node| is_known(**node)).count();
        let mut raw = vec![0.0; nodes.len()];
        let none = Census::default();
        for (spread, column, who) in &self.rules {
            let census = who.as_deref().map_or(&none, |who| snapshot.census(who));
            let domain = |node: NodeId| snapshot.column_of(*column).domain(node);
            let extra = float(spread.max_skew - 1);
            if spread.key == HOSTNAME {
                let weight = logarithm(known + 2);
                for (raw, node) in raw.iter_mut().zip(nodes).filter(|(_, node)| domain(**node).is_some()) {
                    *raw += float(census.on(*node)) * weight + extra;
                }
                continue;
            }
            let counts = self.counts(spread, *column, census, snapshot, verdicts);
            let seen = nodes.iter().copied().filter(|node| is_known(*node)).map(domain);
            let weight = logarithm(distinct(snapshot.column_of(*column).sizes().len(), seen) + 2);
            for (raw, node) in raw.iter_mut().zip(nodes) {
                if let Some(domain) = domain(*node) {
                    *raw += float(counts.get(domain).copied().unwrap_or_default()) * weight + extra;
                }
            }
        }
        let raw: Vec<_> =
            nodes.iter().zip(raw).map(|(node, raw)| is_known(*node).then(|| rounded(raw))).collect();
        Some(inverted(&raw))
    }

    /// How many of the pod's like are in each domain, on those nodes that count.
    fn counts(
        &self,
        spread: &Spread,
        column: ColumnId,
        census: &Census,
        snapshot: &Snapshot,
        verdicts: &mut Verdicts,
    ) -> Vec<i64> {
        if includes_all(self.pod, spread) && !self.needs_all {
            return census.within(column).to_vec();
        }
        let mut counts = vec![0; snapshot.column_of(column).sizes().len()];
        for (node, count) in census.nodes() {
            let is_in = (!self.needs_all || has_all(snapshot, &self.columns, node))
                && includes(self.pod, spread, snapshot, verdicts, node);
            if let Some(domain) = snapshot.column_of(column).domain(node).filter(|_| is_in) {
                counts[domain] += count;
            }
        }
        counts
    }
}

/// How pods are spread that say nothing of it.
fn usual(selector: &LabelSelector) -> [Spread; 2] {
    [(HOSTNAME, 3), (ZONE, 5)].map(|(key, max_skew)| Spread {
        key: key.to_owned(),
        max_skew,
        min_domains: 1,
        is_strict: false,
        honors_affinity: true,
        honors_taints: false,
        selector: selector.clone(),
    })
}

/// How many different domains there are; being in none is one of its own.
fn distinct(domains: usize, seen: impl Iterator<Item = Option<usize>>) -> usize {
    let mut is_there = vec![false; domains + 1];
    seen.for_each(|domain| is_there[domain.map_or(0, |domain| domain + 1)] = true);
    is_there.into_iter().filter(|is_there| *is_there).count()
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
