//! Which nodes a DaemonSet's pods belong on.
//!
//! What a node has left does not count: a pod that does not fit waits for its node. Cordons and the
//! taints of troubled nodes do not count either, because every such pod bears them.
//!
//! **Spec:** upstream's `NodeShouldRunDaemonPod`; node affinity as in
//! `component-helpers/scheduling/corev1/nodeaffinity`, where a malformed term is met by no node.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration};

use crate::taints;

/// The one field of a node that terms can look at.
const NAME: &str = "metadata.name";

/// Taints that every pod of a DaemonSet bears.
const BORNE: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];
/// The one that those borne by pods on the host's network come with.
const NO_NETWORK: (&str, &str) = ("node.kubernetes.io/network-unavailable", "NoSchedule");

/// Whether a node shall have a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// It shall have one.
    pub runs: bool,
    /// One that is there may stay.
    pub keeps: bool,
}

const NEITHER: Fit = Fit { runs: false, keeps: false };

/// What a DaemonSet's template asks of nodes.
#[derive(Debug)]
pub(crate) struct Demand<'a> {
    node: Option<&'a str>,
    selector: Option<&'a BTreeMap<String, String>>,
    terms: Option<&'a [NodeSelectorTerm]>,
    tolerations: Vec<Toleration>,
}

impl<'a> Demand<'a> {
    /// What the template of `set` asks for.
    pub(crate) fn of(set: &'a DaemonSet) -> Self {
        let spec = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let affinity = spec.and_then(|spec| spec.affinity.as_ref()?.node_affinity.as_ref());
        let required = affinity
            .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
        Self {
            node: spec.and_then(|spec| spec.node_name.as_deref()).filter(|node| !node.is_empty()),
            selector: spec.and_then(|spec| spec.node_selector.as_ref()),
            terms: required.map(|selector| selector.node_selector_terms.as_slice()),
            tolerations: spec.map(tolerations).unwrap_or_default(),
        }
    }

    /// Whether `node` shall have a pod.
    pub(crate) fn fit(&self, node: &Node) -> Fit {
        let own = name(node);
        let nothing = BTreeMap::new();
        let labels = node.metadata.labels.as_ref().unwrap_or(&nothing);
        let has = |(key, value): (&String, &String)| labels.get(key) == Some(value);
        let is_meant = self.node.is_none_or(|node| node == own)
            && self.selector.is_none_or(|selector| selector.iter().all(has))
            && self.terms.is_none_or(|terms| terms.iter().any(|term| meets(term, own, labels)));
        if !is_meant {
            return NEITHER;
        }
        let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
        let keeps_away = |effects: &[&str]| {
            taints.iter().any(|taint| {
                effects.contains(&taint.effect.as_str()) && !taints::is_tolerated(&self.tolerations, taint)
            })
        };
        Fit { runs: !keeps_away(&["NoSchedule", "NoExecute"]), keeps: !keeps_away(&["NoExecute"]) }
    }
}

/// The tolerations of a pod of a DaemonSet: its own, and those that every one has.
pub(crate) fn tolerations(spec: &PodSpec) -> Vec<Toleration> {
    let mut all = spec.tolerations.clone().unwrap_or_default();
    let on_host = spec.host_network == Some(true);
    for (key, effect) in BORNE.into_iter().chain(on_host.then_some(NO_NETWORK)) {
        let wanted = Toleration {
            key: Some(key.to_owned()),
            operator: Some("Exists".to_owned()),
            effect: Some(effect.to_owned()),
            ..Toleration::default()
        };
        let bears_it = |own: &&mut Toleration| {
            let value = own.value.clone().filter(|value| !value.is_empty());
            Toleration { toleration_seconds: None, value, ..(**own).clone() } == wanted
        };
        match all.iter_mut().find(bears_it) {
            // One for a while becomes one for ever.
            Some(own) => *own = wanted,
            None => all.push(wanted),
        }
    }
    all
}

/// The node a pod is on, or is meant for.
pub(crate) fn target(pod: &Pod) -> Option<&str> {
    crate::pods::node(pod).or_else(|| {
        let affinity = pod.spec.as_ref()?.affinity.as_ref()?.node_affinity.as_ref()?;
        let required = affinity.required_during_scheduling_ignored_during_execution.as_ref()?;
        let fields = required.node_selector_terms.iter().flat_map(|term| term.match_fields.iter().flatten());
        let named = fields.into_iter().find(|field| field.key == NAME && field.operator == "In")?;
        match named.values.as_deref() {
            Some([node]) => Some(node),
            _ => None,
        }
    })
}

/// The term that only the node of this name meets.
pub(crate) fn only(node: &str) -> NodeSelectorTerm {
    NodeSelectorTerm {
        match_expressions: None,
        match_fields: Some(vec![NodeSelectorRequirement {
            key: NAME.to_owned(),
            operator: "In".to_owned(),
            values: Some(vec![node.to_owned()]),
        }]),
    }
}

/// A node's name.
pub(crate) fn name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

fn meets(term: &NodeSelectorTerm, node: &str, labels: &BTreeMap<String, String>) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    (!expressions.is_empty() || !fields.is_empty())
        && expressions.iter().all(|it| holds(it, labels.get(&it.key).map(String::as_str)))
        && fields.iter().all(|it| it.key == NAME && holds(it, Some(node)))
}

fn holds(requirement: &NodeSelectorRequirement, actual: Option<&str>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let has = |actual: &str| values.iter().any(|value| value == actual);
    let compared = || Some((actual?.parse::<i64>().ok()?, values.first()?.parse::<i64>().ok()?));
    match requirement.operator.as_str() {
        "In" => actual.is_some_and(has),
        "NotIn" => !actual.is_some_and(has),
        "Exists" => actual.is_some(),
        "DoesNotExist" => actual.is_none(),
        "Gt" => compared().is_some_and(|(actual, bound)| actual > bound),
        "Lt" => compared().is_some_and(|(actual, bound)| actual < bound),
        _ => false,
    }
}
