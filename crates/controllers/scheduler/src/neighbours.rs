//! Which pods a pod is near to: those it is to be near to or far from, and those that have a say in it.
//!
//! **Spec:** upstream's `InterPodAffinity`, with a hard affinity of others counting 1.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::demand::Term;
use crate::filter::Objection;
use crate::snapshot::census::Who;
use crate::snapshot::{ColumnId, NodeId};
use crate::{PodState, Snapshot};

#[cfg(test)]
mod tests;

/// What the required affinity of another pod is worth to it.
const HARD_WEIGHT: i64 = 1;

/// How many pods of some sort are in each domain of a column.
type Counts = (ColumnId, Vec<i64>);

/// What pods elsewhere mean to where a pod may go.
#[derive(Default)]
pub(crate) struct Neighbours {
    wanted: Vec<Counts>,
    /// Whether the pod is the first of a group that wants to be together.
    is_first: bool,
    unwanted: Vec<Counts>,
    unwelcoming: Vec<Counts>,
}

impl Neighbours {
    /// What the pods that are there mean to `pod`.
    pub(crate) fn of(pod: &PodState, snapshot: &mut Snapshot) -> Self {
        let company = &pod.demand.company;
        let unwelcoming = unwelcoming(pod, snapshot);
        let (wanted, is_first) = wanted(pod, snapshot);
        let unwanted = company.anti_affinity.iter().map(|term| {
            let column = snapshot.column(&term.key);
            let who = snapshot.count(Who::Selected(vec![selected(term)]), &[column]);
            (column, snapshot.census(&who).within(column).to_vec())
        });
        let unwanted = unwanted.collect();
        Self { wanted, is_first, unwanted, unwelcoming }
    }

    /// Whether the pod may join those that are near `node`.
    pub(crate) fn check(&self, snapshot: &Snapshot, node: NodeId) -> Result<(), Objection> {
        let near = |(column, counts): &Counts| {
            let domain = snapshot.column_of(*column).domain(node)?;
            Some(counts.get(domain).copied().unwrap_or_default())
        };
        let mut are_all_there = true;
        for wanted in &self.wanted {
            are_all_there &= near(wanted).ok_or(Objection::PodAffinity)? > 0;
        }
        if !are_all_there && !self.is_first {
            return Err(Objection::PodAffinity);
        }
        if self.unwanted.iter().any(|counts| near(counts).is_some_and(|count| count > 0)) {
            return Err(Objection::PodAntiAffinity);
        }
        if self.unwelcoming.iter().any(|counts| near(counts).is_some_and(|count| count > 0)) {
            return Err(Objection::ExistingAntiAffinity);
        }
        Ok(())
    }
}

/// The pods that must be near: one that every term selects.
fn wanted(pod: &PodState, snapshot: &mut Snapshot) -> (Vec<Counts>, bool) {
    let terms = &pod.demand.company.affinity;
    if terms.is_empty() {
        return (Vec::new(), false);
    }
    let columns: Vec<ColumnId> = terms.iter().map(|term| snapshot.column(&term.key)).collect();
    let who = snapshot.count(Who::Selected(terms.iter().map(selected).collect()), &columns);
    let census = snapshot.census(&who);
    let counts: Vec<Counts> =
        columns.into_iter().map(|column| (column, census.within(column).to_vec())).collect();
    let is_nobody_there = counts.iter().all(|(_, counts)| counts.iter().all(|count| *count == 0));
    let is_first = is_nobody_there && who.includes(pod, snapshot.relations());
    (counts, is_first)
}

/// The pods that must not have this one near.
fn unwelcoming(pod: &PodState, snapshot: &Snapshot) -> Vec<Counts> {
    let mut counts = BTreeMap::new();
    for (demand, census) in snapshot.sociable() {
        for term in demand.company.anti_affinity.iter().filter(|term| selects(term, pod, snapshot)) {
            add(&mut counts, snapshot, term, 1, |column| census.within(column));
        }
    }
    counts.into_iter().collect()
}

/// How much the pods that are there speak for and against nodes, as a score.
pub(crate) struct Preferences(BTreeMap<ColumnId, Vec<i64>>);

impl Preferences {
    /// What `pod` prefers, and what those that are there prefer.
    pub(crate) fn of(pod: &PodState, snapshot: &mut Snapshot) -> Self {
        let own = pod.demand.company.preferred.iter().map(|(weight, term)| {
            let column = snapshot.column(&term.key);
            (*weight, term, snapshot.count(Who::Selected(vec![selected(term)]), &[column]))
        });
        let own: Vec<(i64, &Term, Arc<Who>)> = own.collect();
        let mut counts = BTreeMap::new();
        for (weight, term, who) in own {
            add(&mut counts, snapshot, term, weight, |column| snapshot.census(&who).within(column));
        }
        for (demand, census) in snapshot.sociable() {
            let hard = demand.company.affinity.iter().map(|term| (HARD_WEIGHT, term));
            let soft = demand.company.preferred.iter().map(|(weight, term)| (*weight, term));
            for (weight, term) in hard.chain(soft).filter(|(_, term)| selects(term, pod, snapshot)) {
                add(&mut counts, snapshot, term, weight, |column| census.within(column));
            }
        }
        Self(counts)
    }

    /// The sums, stretched over 0 to 100; `None` where nobody prefers anything.
    pub(crate) fn score(&self, snapshot: &Snapshot, nodes: &[NodeId]) -> Option<Vec<i64>> {
        if self.0.is_empty() {
            return None;
        }
        let sum = |node: &NodeId| -> i64 {
            let near = self.0.iter().filter_map(|(column, counts)| {
                counts.get(snapshot.column_of(*column).domain(*node)?).copied()
            });
            near.sum()
        };
        let sums: Vec<i64> = nodes.iter().map(sum).collect();
        let (lowest, highest) = (sums.iter().min().copied()?, sums.iter().max().copied()?);
        Some(sums.into_iter().map(|sum| stretched(sum - lowest, highest - lowest)).collect())
    }
}

#[allow(clippy::cast_precision_loss, reason = "weights times numbers of pods are small")]
#[allow(clippy::cast_possible_truncation, reason = "it is 0 to 100")]
fn stretched(above: i64, range: i64) -> i64 {
    if range == 0 { 0 } else { (100.0 * (above as f64 / range as f64)) as i64 }
}

fn add<'a>(
    counts: &mut BTreeMap<ColumnId, Vec<i64>>,
    snapshot: &Snapshot,
    term: &Term,
    weight: i64,
    within: impl FnOnce(ColumnId) -> &'a [i64],
) {
    let Some(column) = snapshot.known_column(&term.key) else { return };
    let (there, sums) = (within(column), counts.entry(column).or_default());
    if sums.len() < there.len() {
        sums.resize(there.len(), 0);
    }
    for (sum, count) in sums.iter_mut().zip(there) {
        *sum += weight * count;
    }
}

fn selected(term: &Term) -> (crate::demand::Scope, mainstay_resource::LabelSelector) {
    (term.scope.clone(), term.selector.clone())
}

/// Whether a term selects `pod`.
fn selects(term: &Term, pod: &PodState, snapshot: &Snapshot) -> bool {
    snapshot.relations().is_within(&term.scope, &pod.key.namespace) && term.selector.matches_map(&pod.labels)
}
