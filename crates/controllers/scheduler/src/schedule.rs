//! The decision: the best of the nodes that will do.
//!
//! In a large cluster not all of them are looked for: the search starts where the last one ended, and
//! ends once there are enough to choose from.
//!
//! **Spec:** upstream's `schedulePod` with its adaptive `percentageOfNodesToScore`.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_base::random::Random;

use crate::filter::{self, Objection, Plugin, Reason, Rejection, affinity};
use crate::neighbours::Neighbours;
use crate::nominations::{Crowded, crowded};
use crate::snapshot::NodeId;
use crate::snapshot::verdicts::{Verdict, Verdicts};
use crate::spread::Strict;
use crate::storage::Needs;
use crate::{NodeState, PodState, Preemption, Snapshot, Unschedulable, preemption, score};

#[cfg(test)]
mod tests;

/// In a cluster smaller than this all nodes are looked at.
const LEAST_SOUGHT: usize = 100;
/// The least share of nodes to look for, in hundredths.
const LEAST_SHARE: usize = 5;

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

/// What is left to chance: which of several equally good nodes, and where the search starts.
#[derive(Clone, Debug)]
pub struct Draw {
    ties: Random,
    start: u64,
}

impl Draw {
    /// Drawn from this stream.
    pub fn new(mut ties: Random) -> Self {
        Self { start: ties.below(u64::from(u32::MAX)), ties }
    }

    /// Where the search of this many nodes starts.
    fn start(&self, nodes: usize) -> usize {
        usize::try_from(self.start % nodes.max(1) as u64).unwrap_or_default()
    }

    /// Where among so many nodes preemption begins.
    fn offset(&mut self, nodes: usize) -> usize {
        usize::try_from(self.ties.below(nodes as u64)).unwrap_or_default()
    }

    fn go_on(&mut self, nodes: usize, evaluated: usize) {
        self.start = (self.start(nodes) + evaluated) as u64 % nodes.max(1) as u64;
    }
}

/// Decides where `pod` goes.
pub fn schedule(
    pod: &PodState,
    snapshot: &mut Snapshot,
    draw: &mut Draw,
) -> Result<Placement, Unschedulable> {
    snapshot.turn();
    let mut verdicts = snapshot.judged.take(pod.sort);
    let result = decide(pod, snapshot, &mut verdicts, draw);
    snapshot.judged.keep(pod.sort, verdicts);
    result
}

fn decide(
    pod: &PodState,
    snapshot: &mut Snapshot,
    verdicts: &mut Verdicts,
    draw: &mut Draw,
) -> Result<Placement, Unschedulable> {
    if let Some(refusal) = snapshot.storage().refusal(pod) {
        return Err(refused(pod, snapshot, &refusal));
    }
    let rules = Rules::of(pod, snapshot, verdicts);
    if let Some(node) = in_prospect(&rules, snapshot, verdicts) {
        return Ok(Placement { node, evaluated: 1, feasible: 1 });
    }
    let (feasible, rejected) = search(&rules, snapshot, verdicts, draw);
    let best = match feasible.as_slice() {
        [] => return Err(unschedulable(&rules, snapshot, verdicts, &rejected, draw)),
        [only] => vec![*only],
        _ => best(&score::totals(pod, snapshot, verdicts, &feasible), &feasible),
    };
    let chosen = if best.len() > 1 { draw.ties.pick(&best) } else { best.first() };
    let chosen = chosen.expect("invariant: one of several feasible nodes is the best");
    let node = snapshot.at(*chosen).name.clone();
    Ok(Placement { node, evaluated: feasible.len() + rejected.len(), feasible: feasible.len() })
}

/// The node that the pod has in prospect, if it will do by now.
fn in_prospect(rules: &Rules<'_>, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Option<Arc<str>> {
    let node = snapshot.node(snapshot.nominations().of(rules.pod)?)?;
    let checked = rules.check(snapshot, node, verdicts.on(&rules.pod.demand, node));
    checked.is_ok().then(|| node.name.clone())
}

/// All that a node must meet for one pod.
pub(crate) struct Rules<'a> {
    pod: &'a PodState,
    strict: Strict,
    neighbours: Neighbours,
    /// What its claims ask, where it has any.
    needs: Option<Needs>,
    crowded: Crowded,
}

impl<'a> Rules<'a> {
    /// What a node must meet for `pod`, with the pods that are there now, whether or not those come that
    /// have it in prospect.
    pub(crate) fn of(pod: &'a PodState, snapshot: &mut Snapshot, verdicts: &mut Verdicts) -> Self {
        let crowded = crowded(pod, snapshot, verdicts, None);
        Self { crowded, ..Self::as_it_is(pod, snapshot, verdicts) }
    }

    /// The same, to be asked of one node alone.
    pub(crate) fn at(
        pod: &'a PodState,
        snapshot: &mut Snapshot,
        verdicts: &mut Verdicts,
        node: NodeId,
    ) -> Self {
        let crowded = crowded(pod, snapshot, verdicts, Some(node));
        Self { crowded, ..Self::as_it_is(pod, snapshot, verdicts) }
    }

    /// What a node must meet for `pod`, with the pods that are there now and no others.
    pub(crate) fn as_it_is(pod: &'a PodState, snapshot: &mut Snapshot, verdicts: &mut Verdicts) -> Self {
        let strict = Strict::of(pod, snapshot, verdicts);
        let needs = (!pod.demand.claims.is_empty()).then(|| snapshot.storage().needs(pod));
        Self { pod, strict, neighbours: Neighbours::of(pod, snapshot), needs, crowded: Crowded::new() }
    }

    /// Whether a node meets all of it.
    pub(crate) fn check(
        &self,
        snapshot: &Snapshot,
        node: &NodeState,
        verdict: Verdict,
    ) -> Result<(), Objection> {
        if let Some((objection, _)) = self.crowded.get(&node.id) {
            return Err(*objection);
        }
        filter::check(&self.pod.demand, node, verdict)?;
        if let Some(needs) = &self.needs {
            needs.check(self.pod, snapshot.storage(), node)?;
        }
        self.strict.check(snapshot, node.id)?;
        self.neighbours.check(snapshot, node.id)
    }

    /// An objection to a node in words.
    pub(crate) fn explain(&self, objection: Objection, node: &NodeState) -> Rejection {
        let crowded = self.crowded.get(&node.id).map(|(_, rejection)| rejection.clone());
        crowded.unwrap_or_else(|| objection.explain(&self.pod.demand, node))
    }
}

type Found = (Vec<NodeId>, Vec<(NodeId, Objection)>);

/// The nodes that will do, as many as are sought, and those that were found not to.
fn search(rules: &Rules<'_>, snapshot: &Snapshot, verdicts: &mut Verdicts, draw: &mut Draw) -> Found {
    let named = named(rules.pod, snapshot);
    let nodes = named.as_deref().unwrap_or_else(|| snapshot.order());
    let start = draw.start(snapshot.len()) % nodes.len().max(1);
    let sought = sought(nodes.len());
    let (mut feasible, mut rejected) = (Vec::with_capacity(sought), Vec::new());
    for id in nodes[start..].iter().chain(&nodes[..start]).copied() {
        let node = snapshot.at(id);
        match rules.check(snapshot, node, verdicts.on(&rules.pod.demand, node)) {
            Ok(()) => feasible.push(id),
            Err(objection) => rejected.push((id, objection)),
        }
        if feasible.len() == sought {
            break;
        }
    }
    draw.go_on(snapshot.len(), feasible.len() + rejected.len());
    (feasible, rejected)
}

/// The nodes the pod's affinity names, by name; `None` where it allows others.
fn named(pod: &PodState, snapshot: &Snapshot) -> Option<Vec<NodeId>> {
    let names = affinity::named(&pod.demand)?;
    Some(names.into_iter().filter_map(|name| snapshot.node(name)).map(|node| node.id).collect())
}

/// How many nodes that will do are enough.
fn sought(nodes: usize) -> usize {
    if nodes < LEAST_SOUGHT {
        return nodes;
    }
    let share = 50_usize.saturating_sub(nodes / 125).max(LEAST_SHARE);
    (nodes * share / 100).max(LEAST_SOUGHT)
}

fn best(scores: &[i64], nodes: &[NodeId]) -> Vec<NodeId> {
    let highest = scores.iter().max();
    let best = nodes.iter().zip(scores).filter(|(_, score)| Some(*score) == highest);
    best.map(|(node, _)| *node).collect()
}

/// A pod that can go nowhere, whatever the nodes.
fn refused(pod: &PodState, snapshot: &Snapshot, refusal: &Rejection) -> Unschedulable {
    let nodes = snapshot.len();
    let mut result = Unschedulable::among(nodes);
    result.count(refusal, nodes);
    result.preemption = if pod.demand.is_patient {
        Preemption::Declined
    } else {
        Preemption::Futile([(Reason::NotHelpful, nodes)].into())
    };
    result
}

fn unschedulable(
    rules: &Rules<'_>,
    snapshot: &mut Snapshot,
    verdicts: &mut Verdicts,
    rejected: &[(NodeId, Objection)],
    draw: &mut Draw,
) -> Unschedulable {
    let pod = rules.pod;
    let mut result = Unschedulable::among(snapshot.len());
    let mut resolvable = Vec::new();
    let mut general = BTreeMap::<Objection, (Rejection, usize)>::new();
    for (id, objection) in rejected {
        let explain = || rules.explain(*objection, snapshot.at(*id));
        let is_resolvable = if objection.is_particular() {
            let rejection = explain();
            result.count(&rejection, 1);
            rejection.is_resolvable
        } else {
            let (rejection, nodes) = general.entry(*objection).or_insert_with(|| (explain(), 0));
            *nodes += 1;
            rejection.is_resolvable
        };
        if is_resolvable {
            resolvable.push(*id);
        }
    }
    for (rejection, nodes) in general.values() {
        result.count(rejection, *nodes);
    }
    let not_named = snapshot.len() - rejected.len();
    if not_named > 0 {
        let is_possible = affinity::named(&pod.demand).is_none_or(|names| !names.is_empty());
        let reason = if is_possible { Reason::NotNamed } else { Reason::Conflict };
        result.count(&Rejection::lasting(Plugin::NodeAffinity, reason), not_named);
    }
    if !snapshot.is_empty() {
        result.preemption =
            preemption::prospect(pod, snapshot, verdicts, &resolvable, |nodes| draw.offset(nodes));
    }
    result
}
