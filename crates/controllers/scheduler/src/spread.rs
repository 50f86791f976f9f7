//! How evenly a pod's like are spread over zones and hosts.
//!
//! A pod that says nothing of it is spread softly with the other pods of its controller.
//!
//! **Spec:** upstream's `PodTopologySpread` with its system defaults. LIMIT: upstream also counts
//! the pods of Services without a controller as alike.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use kube::core::{Selector, SelectorExt};

use crate::filter::{Plugin, Reason, Rejection, affinity, taints};
use crate::{Demand, NodeState, Snapshot, Usage};

mod soft;

#[cfg(test)]
mod tests;

pub(crate) use soft::score;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Which pods are alike.
enum Alike {
    /// Those of this controller.
    Controller(String),
    /// Those of the pod's namespace with such labels; none without a selector.
    Labels(Option<Selector>),
}

/// One way in which a pod's like are to be spread.
struct Constraint<'a> {
    demand: &'a Demand,
    key: &'a str,
    max_skew: i64,
    min_domains: usize,
    honors_affinity: bool,
    honors_taints: bool,
    alike: Alike,
}

impl<'a> Constraint<'a> {
    fn written(demand: &'a Demand, written: &'a TopologySpreadConstraint) -> Self {
        Self {
            demand,
            key: &written.topology_key,
            max_skew: i64::from(written.max_skew),
            min_domains: written.min_domains.and_then(|count| usize::try_from(count).ok()).unwrap_or(1),
            honors_affinity: written.node_affinity_policy.as_deref() != Some("Ignore"),
            honors_taints: written.node_taints_policy.as_deref() == Some("Honor"),
            alike: Alike::Labels(selector(demand, written)),
        }
    }

    fn usual(demand: &'a Demand, key: &'static str, max_skew: i64, controller: &str) -> Self {
        Self {
            demand,
            key,
            max_skew,
            min_domains: 1,
            honors_affinity: true,
            honors_taints: false,
            alike: Alike::Controller(controller.to_owned()),
        }
    }

    fn value<'n>(&self, node: &'n NodeState) -> Option<&'n str> {
        node.facts.labels.get(self.key).map(String::as_str)
    }

    /// Whether the pods of a node count.
    fn includes(&self, node: &NodeState) -> bool {
        (!self.honors_affinity || affinity::is_met(self.demand, node))
            && (!self.honors_taints
                || taints::first_untolerated(&self.demand.tolerations, &node.facts.taints).is_none())
    }

    fn count(&self, usage: &Usage) -> i64 {
        let selector = match &self.alike {
            Alike::Controller(uid) => return usage.controllers.get(uid).copied().unwrap_or_default(),
            Alike::Labels(None) => return 0,
            Alike::Labels(Some(selector)) => selector,
        };
        let namespace = &self.demand.key.namespace;
        let is_alike = |other: &&std::sync::Arc<Demand>| {
            other.key.namespace == *namespace && !other.is_terminating && selector.matches(&other.labels)
        };
        i64::try_from(usage.pods.values().filter(is_alike).count()).unwrap_or(i64::MAX)
    }
}

/// The selector of a constraint, narrowed by the pod's own values of `matchLabelKeys`.
fn selector(demand: &Demand, written: &TopologySpreadConstraint) -> Option<Selector> {
    let mut selector = written.label_selector.clone()?;
    for key in written.match_label_keys.iter().flatten() {
        if let Some(value) = demand.labels.get(key) {
            selector.match_labels.get_or_insert_default().insert(key.clone(), value.clone());
        }
    }
    Selector::try_from(selector).ok().filter(|selector| !selector.selects_all())
}

fn written<'a>(demand: &'a Demand, when_unsatisfiable: &str) -> Vec<Constraint<'a>> {
    let such = demand.spread.iter().filter(|written| written.when_unsatisfiable == when_unsatisfiable);
    such.map(|written| Constraint::written(demand, written)).collect()
}

/// Whether the pod's placement on one node depends on the pods of others.
pub(crate) fn is_strict(demand: &Demand) -> bool {
    demand.spread.iter().any(|written| written.when_unsatisfiable == "DoNotSchedule")
}

/// What a pod's strict constraints allow, counted once for all nodes.
pub(crate) struct Strict<'a>(Vec<(Constraint<'a>, BTreeMap<&'a str, i64>)>);

impl<'a> Strict<'a> {
    /// The strict constraints of `demand`, over all nodes.
    pub(crate) fn of(demand: &'a Demand, snapshot: &'a Snapshot) -> Self {
        let constraints = written(demand, "DoNotSchedule");
        let keys: Vec<&str> = constraints.iter().map(|constraint| constraint.key).collect();
        let counted = constraints.into_iter().map(|constraint| {
            let mut domains = BTreeMap::new();
            for node in snapshot.nodes() {
                let has_all = keys.iter().all(|key| node.facts.labels.contains_key(*key));
                if let Some(value) = constraint.value(node).filter(|_| has_all && constraint.includes(node)) {
                    *domains.entry(value).or_insert(0) += constraint.count(&node.usage);
                }
            }
            (constraint, domains)
        });
        Self(counted.collect())
    }

    /// Whether one more pod on `node` keeps the spread.
    pub(crate) fn check(&self, node: &NodeState) -> Result<(), Rejection> {
        for (constraint, domains) in &self.0 {
            let Some(value) = constraint.value(node) else {
                return Err(Rejection::lasting(Plugin::PodTopologySpread, Reason::SpreadLabel));
            };
            let there = domains.get(value).copied().unwrap_or_default();
            let fewest = domains.values().copied().min().unwrap_or_default();
            let fewest = if domains.len() < constraint.min_domains { 0 } else { fewest };
            if there + constraint.itself() - fewest > constraint.max_skew {
                return Err(Rejection::passing(Plugin::PodTopologySpread, Reason::Spread));
            }
        }
        Ok(())
    }
}

impl Constraint<'_> {
    /// 1 where the pod is one of its like.
    fn itself(&self) -> i64 {
        match &self.alike {
            Alike::Labels(Some(selector)) => i64::from(selector.matches(&self.demand.labels)),
            Alike::Labels(None) => 0,
            Alike::Controller(_) => 1,
        }
    }
}
