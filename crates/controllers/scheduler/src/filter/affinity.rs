//! Which nodes meet a pod's selector and node affinity.
//!
//! **Spec:** upstream's `component-helpers/scheduling/corev1/nodeaffinity`: terms are alternatives;
//! an empty term is met by no node.

use std::collections::BTreeSet;

use crate::demand::{Expression, NodeTerm};
use crate::{Demand, NodeState};

/// The one field of a node that terms can look at.
const NAME: &str = "metadata.name";

/// Whether the node meets what the pod requires of nodes.
pub(crate) fn is_met(demand: &Demand, node: &NodeState) -> bool {
    let labels = &node.facts.labels;
    demand.node_selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        && demand.required.as_ref().is_none_or(|terms| terms.iter().any(|term| meets(term, node)))
}

/// Whether the node meets one of these terms.
pub(crate) fn meets_one(terms: &[NodeTerm], node: &NodeState) -> bool {
    terms.iter().any(|term| meets(term, node))
}

/// How much the node is preferred: the weights of the terms it meets.
pub(crate) fn preference(demand: &Demand, node: &NodeState) -> i32 {
    let met = demand.preferred.iter().filter(|preferred| meets(&preferred.preference, node));
    met.map(|preferred| preferred.weight).sum()
}

/// The only nodes the pod's affinity allows by name; `None` where it allows others.
pub(crate) fn named(demand: &Demand) -> Option<BTreeSet<&str>> {
    let terms = demand.required.as_ref()?;
    let mut names = BTreeSet::new();
    for term in terms {
        let fields = term.match_fields.iter().flatten();
        let in_term = fields.filter(|field| field.key == NAME && field.operator == "In");
        let in_term = in_term.map(|field| values(field).collect::<BTreeSet<_>>());
        names.extend(in_term.reduce(|all, some| &all & &some)?);
    }
    Some(names)
}

fn meets(term: &NodeTerm, node: &NodeState) -> bool {
    let mut expressions = term.match_expressions.iter().flatten().peekable();
    let mut fields = term.match_fields.iter().flatten().peekable();
    if expressions.peek().is_none() && fields.peek().is_none() {
        return false;
    }
    expressions.all(|it| holds(it, node.facts.labels.get(&it.key).map(String::as_str)))
        && fields.all(|it| it.key == NAME && holds(it, Some(&node.name)))
}

fn holds(requirement: &Expression, actual: Option<&str>) -> bool {
    let has = |actual| values(requirement).any(|value| value == actual);
    match requirement.operator.as_str() {
        "In" => actual.is_some_and(has),
        "NotIn" => !actual.is_some_and(has),
        "Exists" => actual.is_some(),
        "DoesNotExist" => actual.is_none(),
        "Gt" => compared(requirement, actual).is_some_and(|(actual, bound)| actual > bound),
        "Lt" => compared(requirement, actual).is_some_and(|(actual, bound)| actual < bound),
        _ => false,
    }
}

fn compared(requirement: &Expression, actual: Option<&str>) -> Option<(i64, i64)> {
    Some((actual?.parse().ok()?, values(requirement).next()?.parse().ok()?))
}

fn values(requirement: &Expression) -> impl Iterator<Item = &str> {
    requirement.values.iter().flatten().map(String::as_str)
}
