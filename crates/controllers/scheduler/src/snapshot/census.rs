//! How many pods of some sort there are on every node and in every domain, counted as they come and go.
//!
//! A census is taken once, when a decision first asks for it, and kept up to date from then on; what
//! nobody has asked for in a long time is given up.
//!
//! **Invariants:** a census counts what a walk over all pods of all nodes would.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_resource::LabelSelector;

use super::relations::Relations;
use super::topology::{ColumnId, Topology};
use super::{NodeId, NodeState};
use crate::PodState;
use crate::demand::{Demand, Scope};

/// How many censuses are kept before some are given up.
const KEPT: usize = 1024;

/// Whose pods are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Those of this namespace with such labels that are not on their way out.
    Alike(Arc<str>, LabelSelector),
    /// Those that each of these selects.
    Selected(Vec<(Scope, LabelSelector)>),
}

impl Who {
    pub(crate) fn includes(&self, pod: &PodState, relations: &Relations) -> bool {
        match self {
            Self::Alike(namespace, selector) => {
                pod.key.namespace == *namespace && !pod.is_terminating && selector.matches_map(&pod.labels)
            }
            Self::Selected(terms) => terms.iter().all(|(scope, selector)| {
                relations.is_within(scope, &pod.key.namespace) && selector.matches_map(&pod.labels)
            }),
        }
    }

    /// Whether who it is depends on the labels of namespaces.
    fn is_scoped(&self) -> bool {
        let Self::Selected(terms) = self else { return false };
        terms.iter().any(|(scope, _)| !scope.selector.is_nothing() && !scope.selector.is_everything())
    }
}

/// Counts of one sort of pods.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Census {
    nodes: BTreeMap<NodeId, u32>,
    domains: Vec<(ColumnId, Vec<i64>)>,
}

impl Census {
    /// How many are on a node.
    pub(crate) fn on(&self, node: NodeId) -> i64 {
        self.nodes.get(&node).copied().map_or(0, i64::from)
    }

    /// The nodes that have any, with how many.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (NodeId, i64)> {
        self.nodes.iter().map(|(node, count)| (*node, i64::from(*count)))
    }

    /// How many are in each domain of a column it was taken over; domains without any may be missing.
    pub(crate) fn within(&self, column: ColumnId) -> &[i64] {
        self.domains.iter().find(|(id, _)| *id == column).map_or(&[], |(_, counts)| counts)
    }

    /// Its counts by node, and those of each domain that has any, whatever the domains' numbers.
    #[cfg(test)]
    pub(crate) fn trimmed(&self) -> Self {
        let domains = self.domains.iter().map(|(column, counts)| {
            let mut counts: Vec<i64> = counts.iter().copied().filter(|count| *count != 0).collect();
            counts.sort_unstable();
            (*column, counts)
        });
        Self { nodes: self.nodes.clone(), domains: domains.collect() }
    }

    fn over(&mut self, column: ColumnId, topology: &Topology) {
        if self.domains.iter().any(|(id, _)| *id == column) {
            return;
        }
        let mut counts = Vec::new();
        for (node, count) in &self.nodes {
            tally(&mut counts, topology.of(column).domain(*node), i64::from(*count));
        }
        self.domains.push((column, counts));
    }

    fn add(&mut self, node: NodeId, topology: &Topology) {
        *self.nodes.entry(node).or_default() += 1;
        for (column, counts) in &mut self.domains {
            tally(counts, topology.of(*column).domain(node), 1);
        }
    }

    fn remove(&mut self, node: NodeId, topology: &Topology) {
        let Some(count) = self.nodes.get_mut(&node) else { return };
        *count -= 1;
        if *count == 0 {
            self.nodes.remove(&node);
        }
        for (column, counts) in &mut self.domains {
            tally(counts, topology.of(*column).domain(node), -1);
        }
    }
}

fn tally(counts: &mut Vec<i64>, domain: Option<usize>, by: i64) {
    let Some(domain) = domain else { return };
    if counts.len() <= domain {
        counts.resize(domain + 1, 0);
    }
    counts[domain] += by;
}

#[derive(Clone, Debug)]
struct Taken {
    census: Census,
    turn: u64,
}

/// All censuses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Censuses {
    taken: BTreeMap<Arc<Who>, Taken>,
    /// The pods of each demand that has a say in the company it is in.
    sociable: BTreeMap<Arc<Demand>, Census>,
    turn: u64,
}

impl Censuses {
    /// Starts a decision: what is asked for from here on is there until the next.
    pub(crate) fn turn(&mut self) {
        self.turn += 1;
        if self.taken.len() > KEPT {
            let old = self.turn.saturating_sub(KEPT as u64 / 4);
            self.taken.retain(|_, taken| taken.turn >= old);
        }
    }

    /// Makes sure that a census over these columns is there; returns whom it is to be found by.
    pub(crate) fn take<'a>(
        &mut self,
        who: Who,
        columns: &[ColumnId],
        (topology, relations): (&Topology, &Relations),
        nodes: impl Iterator<Item = &'a NodeState>,
    ) -> Arc<Who> {
        let found = self.taken.get_key_value(&who).map(|(who, _)| who.clone());
        let who = found.unwrap_or_else(|| {
            let mut census = Census::default();
            for node in nodes {
                let count = node.usage.pods.values().filter(|pod| who.includes(pod, relations)).count();
                if count > 0 {
                    census.nodes.insert(node.id, u32::try_from(count).unwrap_or(u32::MAX));
                }
            }
            let who = Arc::new(who);
            self.taken.insert(who.clone(), Taken { census, turn: 0 });
            who
        });
        if let Some(taken) = self.taken.get_mut(&who) {
            taken.turn = self.turn;
            for column in columns {
                taken.census.over(*column, topology);
            }
        }
        who
    }

    /// A census that was asked for in this decision.
    pub(crate) fn of(&self, who: &Who) -> &Census {
        &self.taken.get(who).expect("invariant: it was asked for in this decision").census
    }

    /// The demands that have a say in the company their pods are in, and where their pods are.
    pub(crate) fn sociable(&self) -> impl Iterator<Item = (&Arc<Demand>, &Census)> {
        self.sociable.iter()
    }

    /// A pod is on a node. The columns of its company's keys must be there.
    pub(crate) fn add(&mut self, pod: &PodState, node: NodeId, topology: &Topology, relations: &Relations) {
        for (who, taken) in &mut self.taken {
            if who.includes(pod, relations) {
                taken.census.add(node, topology);
            }
        }
        if pod.demand.company.is_empty() {
            return;
        }
        if !self.sociable.contains_key(&pod.demand) {
            let mut census = Census::default();
            for key in pod.demand.company.keys() {
                topology.known(key).into_iter().for_each(|column| census.over(column, topology));
            }
            self.sociable.insert(pod.demand.clone(), census);
        }
        if let Some(census) = self.sociable.get_mut(&pod.demand) {
            census.add(node, topology);
        }
    }

    /// A pod is no longer on a node.
    pub(crate) fn remove(
        &mut self,
        pod: &PodState,
        node: NodeId,
        topology: &Topology,
        relations: &Relations,
    ) {
        for (who, taken) in &mut self.taken {
            if who.includes(pod, relations) {
                taken.census.remove(node, topology);
            }
        }
        if pod.demand.company.is_empty() {
            return;
        }
        if let Some(census) = self.sociable.get_mut(&pod.demand) {
            census.remove(node, topology);
            if census.nodes.is_empty() {
                self.sociable.remove(&pod.demand);
            }
        }
    }

    /// The labels of a namespace changed.
    pub(crate) fn forget_scoped(&mut self) {
        self.taken.retain(|who, _| !who.is_scoped());
    }
}
