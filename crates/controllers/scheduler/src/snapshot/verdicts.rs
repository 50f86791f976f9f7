//! What the facts of a node mean to a demand, worked out once for all pods of that demand.

use std::collections::BTreeMap;

use super::{NodeId, NodeState};
use crate::Demand;
use crate::filter::{affinity, cordon, taints};

/// For how many demands verdicts are kept.
const KEPT: usize = 64;

/// What a node's facts, whatever pods are on it, mean to a demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Of which facts; 0 is none.
    version: u64,
    /// It is cordoned, and the demand does not bear that.
    pub(crate) is_cordoned: bool,
    /// It has a taint that the demand does not bear.
    pub(crate) is_tainted: bool,
    /// It meets the demand's selector and required affinity.
    pub(crate) is_selected: bool,
    /// How many taints speak against it.
    pub(crate) unwelcome: i32,
    /// The weights of the preferences it meets.
    pub(crate) preference: i32,
}

impl Verdict {
    /// What `node` means to `demand`.
    pub(crate) fn of(demand: &Demand, node: &NodeState) -> Self {
        let taints = &node.facts.taints;
        Self {
            version: node.version,
            is_cordoned: cordon::keeps_away(demand, node),
            is_tainted: taints::first_untolerated(&demand.tolerations, taints).is_some(),
            is_selected: affinity::is_met(demand, node),
            unwelcome: taints::count_unwelcome(&demand.tolerations, taints),
            preference: affinity::preference(demand, node),
        }
    }
}

/// The verdicts of one demand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts(Vec<Verdict>);

impl Verdicts {
    /// The verdict on a node, which is worked out only if its facts are new.
    pub(crate) fn on(&mut self, demand: &Demand, node: &NodeState) -> Verdict {
        if self.0.len() <= node.id {
            self.0.resize(node.id + 1, Verdict::default());
        }
        let verdict = &mut self.0[node.id];
        if verdict.version != node.version {
            *verdict = Verdict::of(demand, node);
        }
        *verdict
    }

    /// The verdict on a node that was looked at in this decision.
    pub(crate) fn known(&self, node: NodeId) -> Verdict {
        self.0.get(node).copied().unwrap_or_default()
    }
}

/// The verdicts of the demands that were decided on lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    by_sort: BTreeMap<u64, (u64, Verdicts)>,
    turn: u64,
}

impl Judged {
    /// Hands out the verdicts of pods of one sort.
    pub(crate) fn take(&mut self, sort: u64) -> Verdicts {
        self.by_sort.remove(&sort).map(|(_, verdicts)| verdicts).unwrap_or_default()
    }

    /// Takes them back for the next pod of that sort; sort 0 is shared by nobody.
    pub(crate) fn keep(&mut self, sort: u64, verdicts: Verdicts) {
        if sort == 0 {
            return;
        }
        self.turn += 1;
        if self.by_sort.len() >= KEPT {
            let oldest = self.by_sort.iter().min_by_key(|(_, (turn, _))| *turn).map(|(sort, _)| *sort);
            oldest.and_then(|sort| self.by_sort.remove(&sort));
        }
        self.by_sort.insert(sort, (self.turn, verdicts));
    }
}
