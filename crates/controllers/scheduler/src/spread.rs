//! How evenly a pod's like are spread over zones and hosts.
//!
//! A pod that says nothing of it is spread softly with the other pods of its Services and its set.
//!
//! **Spec:** upstream's `PodTopologySpread` with its system defaults.

use std::sync::Arc;

use crate::demand::Spread;
use crate::filter::Objection;
use crate::snapshot::census::{Census, Who};
use crate::snapshot::verdicts::Verdicts;
use crate::snapshot::{ColumnId, NodeId};
use crate::{PodState, Snapshot};

mod soft;

#[cfg(test)]
mod tests;

pub(crate) use soft::Soft;

/// Who is counted by a constraint: nobody where its selector selects all or nobody.
fn who(pod: &PodState, spread: &Spread) -> Option<Who> {
    let selector = &spread.selector;
    let selects_some = !selector.is_everything() && !selector.is_nothing();
    selects_some.then(|| Who::Alike(pod.key.namespace.clone(), selector.clone()))
}

fn count(snapshot: &mut Snapshot, pod: &PodState, spread: &Spread, column: ColumnId) -> Option<Arc<Who>> {
    who(pod, spread).map(|who| snapshot.count(who, &[column]))
}

/// Whether the pods of every node count.
fn includes_all(pod: &PodState, spread: &Spread) -> bool {
    let narrows = spread.honors_affinity && pod.demand.selects_nodes();
    !narrows && !spread.honors_taints
}

/// Whether the pods of a node count.
fn includes(
    pod: &PodState,
    spread: &Spread,
    snapshot: &Snapshot,
    verdicts: &mut Verdicts,
    node: NodeId,
) -> bool {
    let verdict = verdicts.on(&pod.demand, snapshot.at(node));
    (!spread.honors_affinity || verdict.is_selected) && (!spread.honors_taints || !verdict.is_tainted)
}

fn are_all_labelled(snapshot: &Snapshot, columns: &[ColumnId]) -> bool {
    columns.iter().all(|column| snapshot.column_of(*column).labelled() == snapshot.len())
}

fn has_all(snapshot: &Snapshot, columns: &[ColumnId], node: NodeId) -> bool {
    columns.iter().all(|column| snapshot.column_of(*column).domain(node).is_some())
}

/// What a pod's strict constraints allow, counted once for all nodes.
pub(crate) struct Strict(Vec<Rule>);

struct Rule {
    column: ColumnId,
    counts: Vec<i64>,
    fewest: i64,
    /// 1 where the pod is one of its like.
    itself: i64,
    max_skew: i64,
}

impl Strict {
    /// The strict constraints of `pod`, over all nodes.
    pub(crate) fn of(pod: &PodState, snapshot: &mut Snapshot, verdicts: &mut Verdicts) -> Self {
        let spreads: Vec<&Spread> = pod.demand.spread.iter().filter(|spread| spread.is_strict).collect();
        let columns: Vec<ColumnId> = spreads.iter().map(|spread| snapshot.column(&spread.key)).collect();
        let rule = |(spread, column): (&&Spread, &ColumnId)| {
            let who = count(snapshot, pod, spread, *column);
            let (counts, sizes) = if includes_all(pod, spread) && are_all_labelled(snapshot, &columns) {
                let counts = who.map_or_else(Vec::new, |who| snapshot.census(&who).within(*column).to_vec());
                (counts, snapshot.column_of(*column).sizes().to_vec())
            } else {
                let none = Census::default();
                let census = who.as_deref().map_or(&none, |who| snapshot.census(who));
                let is_in = |node, verdicts: &mut Verdicts| {
                    has_all(snapshot, &columns, node) && includes(pod, spread, snapshot, verdicts, node)
                };
                walk(snapshot, *column, census, |node| is_in(node, verdicts))
            };
            Rule::of(pod, spread, *column, counts, &sizes)
        };
        Self(spreads.iter().zip(&columns).map(rule).collect())
    }

    /// Whether one more pod on `node` keeps the spread.
    pub(crate) fn check(&self, snapshot: &Snapshot, node: NodeId) -> Result<(), Objection> {
        for rule in &self.0 {
            let domain = snapshot.column_of(rule.column).domain(node).ok_or(Objection::SpreadLabel)?;
            let there = rule.counts.get(domain).copied().unwrap_or_default();
            if there + rule.itself - rule.fewest > rule.max_skew {
                return Err(Objection::Spread);
            }
        }
        Ok(())
    }
}

impl Rule {
    fn of(pod: &PodState, spread: &Spread, column: ColumnId, counts: Vec<i64>, sizes: &[u32]) -> Self {
        let present = sizes.iter().enumerate().filter(|(_, size)| **size > 0);
        let count = |domain: usize| counts.get(domain).copied().unwrap_or_default();
        let fewest = present.clone().map(|(domain, _)| count(domain)).min().unwrap_or_default();
        let fewest = if present.count() < spread.min_domains { 0 } else { fewest };
        let itself = i64::from(spread.selector.matches_map(&pod.labels));
        Self { column, counts, fewest, itself, max_skew: spread.max_skew }
    }
}

/// Counts and sizes of the domains of those nodes that count.
fn walk(
    snapshot: &Snapshot,
    column: ColumnId,
    census: &Census,
    mut is_in: impl FnMut(NodeId) -> bool,
) -> (Vec<i64>, Vec<u32>) {
    let domains = snapshot.column_of(column).sizes().len();
    let (mut counts, mut sizes) = (vec![0; domains], vec![0; domains]);
    for node in snapshot.order().iter().copied().filter(|node| is_in(*node)) {
        if let Some(domain) = snapshot.column_of(column).domain(node) {
            counts[domain] += census.on(node);
            sizes[domain] += 1;
        }
    }
    (counts, sizes)
}
