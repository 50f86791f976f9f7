//! What of a pod's spec bears on where it may run, parsed once.
//!
//! Pods made from one template share one demand ([`crate::pod::Register`]), so that what is worked out
//! for one of them holds for all.
//!
//! **Invariants:** a demand holds nothing that differs between the pods of a template but by its
//! meaning: names and uids are the [`crate::PodState`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use mainstay_resource::LabelSelector;
use serde::Deserialize;

use crate::Amounts;
use crate::amounts::is_sidecar;
use crate::seen::{Container, PodSpec, PreferredNode};

mod company;

pub use company::{Company, Scope, Term};

/// A pod's labels.
pub(crate) type Labels = BTreeMap<String, String>;

/// A port of the node a pod takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// Its number.
    pub port: i32,
    /// The address it is taken on; `0.0.0.0` is all of them.
    pub address: String,
}

/// A taint a pod bears, or several.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct Toleration {
    pub key: Option<String>,
    pub operator: Option<String>,
    pub value: Option<String>,
    pub effect: Option<String>,
}

/// Conditions on a node's labels and name, of which all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct NodeTerm {
    pub match_expressions: Option<Vec<Expression>>,
    pub match_fields: Option<Vec<Expression>>,
}

/// A condition on one label or field.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct Expression {
    #[serde(default)]
    pub key: String,
    #[serde(default)]
    pub operator: String,
    pub values: Option<Vec<String>>,
}

/// One way in which a pod's like are to be spread.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spread {
    /// The label of nodes whose values are the domains.
    pub key: String,
    /// By how much the counts of two domains may differ.
    pub max_skew: i64,
    /// With fewer domains, the fewest there are counts as none.
    pub min_domains: usize,
    /// Whether a node that would break it will not do.
    pub is_strict: bool,
    /// Whether only nodes that meet the pod's selector and affinity count.
    pub honors_affinity: bool,
    /// Whether only nodes whose taints the pod bears count.
    pub honors_taints: bool,
    /// Who is alike.
    pub selector: LabelSelector,
}

/// What a pod demands of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    /// The pod's namespace.
    pub namespace: Arc<str>,
    /// Its priority; the higher goes first.
    pub priority: i32,
    /// Whether it never takes the place of others, whatever its priority.
    pub is_patient: bool,
    /// What it asks for.
    pub requested: Amounts,
    /// What it counts as when nodes are compared.
    pub weighed: Amounts,
    /// The ports of the node it takes.
    pub ports: Vec<HostPort>,
    /// The one node it names.
    pub node_name: Option<String>,
    /// The labels its node must have.
    pub node_selector: BTreeMap<String, String>,
    /// The terms of which its node must meet one; `None` where it asks for nothing.
    pub required: Option<Vec<NodeTerm>>,
    /// The terms its node had better meet.
    pub preferred: Vec<PreferredNode>,
    /// The taints it bears.
    pub tolerations: Vec<Toleration>,
    /// How it and its like are to be spread.
    pub spread: Vec<Spread>,
    /// Which pods it is to be near to or far from.
    pub company: Company,
    /// The images of its containers, once for each.
    pub images: Vec<String>,
    /// The claims whose volumes it uses.
    pub claims: Vec<String>,
}

impl Demand {
    /// What a pod with these labels and this spec demands.
    pub fn of(namespace: Arc<str>, labels: &Labels, spec: &PodSpec) -> Self {
        let affinity = spec.affinity.as_ref();
        let of_nodes = affinity.and_then(|affinity| affinity.nodes.as_ref());
        let required = of_nodes.and_then(|rules| rules.required.as_ref());
        let spread = spec.topology_spread_constraints.iter().flatten();
        Self {
            company: affinity.map(|affinity| Company::of(&namespace, labels, affinity)).unwrap_or_default(),
            namespace,
            priority: spec.priority.unwrap_or_default(),
            is_patient: spec.preemption_policy.as_deref() == Some("Never"),
            requested: Amounts::requested(spec),
            weighed: Amounts::weighed(spec),
            ports: host_ports(spec),
            node_name: None,
            node_selector: spec.node_selector.clone().unwrap_or_default(),
            required: required.map(|selector| selector.node_selector_terms.clone().unwrap_or_default()),
            preferred: of_nodes.and_then(|rules| rules.preferred.clone()).unwrap_or_default(),
            tolerations: spec.tolerations.clone().unwrap_or_default(),
            spread: spread.map(|written| Spread::of(labels, written)).collect(),
            images: containers(spec).map(|it| normalized(it.image.as_deref().unwrap_or_default())).collect(),
            claims: Vec::new(),
        }
    }

    /// Whether it asks for certain labels or names of nodes.
    pub(crate) fn selects_nodes(&self) -> bool {
        self.required.is_some() || !self.node_selector.is_empty()
    }
}

impl Spread {
    fn of(labels: &Labels, written: &TopologySpreadConstraint) -> Self {
        Self {
            key: written.topology_key.clone(),
            max_skew: i64::from(written.max_skew),
            min_domains: written.min_domains.and_then(|count| usize::try_from(count).ok()).unwrap_or(1),
            is_strict: written.when_unsatisfiable == "DoNotSchedule",
            honors_affinity: written.node_affinity_policy.as_deref() != Some("Ignore"),
            honors_taints: written.node_taints_policy.as_deref() == Some("Honor"),
            selector: selector(labels, written),
        }
    }
}

/// The selector of a constraint, narrowed by the pod's own values of `matchLabelKeys`.
fn selector(labels: &Labels, written: &TopologySpreadConstraint) -> LabelSelector {
    let object = serde_json::to_value(&written.label_selector).unwrap_or_default();
    let selector = LabelSelector::from_object(&object).unwrap_or_else(|_| LabelSelector::nothing());
    let keys = written.match_label_keys.iter().flatten();
    let own = keys.filter_map(|key| Some((key.as_str(), labels.get(key)?.as_str())));
    both(&selector, &LabelSelector::from_pairs(own))
}

/// The selector of what both select.
pub(crate) fn both(one: &LabelSelector, other: &LabelSelector) -> LabelSelector {
    if one.is_nothing() || other.is_nothing() {
        return LabelSelector::nothing();
    }
    let requirements: BTreeSet<_> = one.requirements().iter().chain(other.requirements()).cloned().collect();
    LabelSelector::all(requirements)
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(spec.containers.iter().flatten())
}

/// An image's name as nodes report it.
fn normalized(image: &str) -> String {
    let has_tag = image.rfind(':').is_some_and(|colon| image.rfind('/').is_none_or(|slash| colon > slash));
    if has_tag { image.to_owned() } else { format!("{image}:latest") }
}

fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().flatten().filter(|container| is_sidecar(container));
    let containers = spec.containers.iter().flatten().chain(sidecars);
    let mut taken: Vec<_> = containers
        .flat_map(|container| container.ports.iter().flatten())
        .filter_map(|port| {
            let or = |text: &Option<String>, default: &str| {
                text.clone().filter(|text| !text.is_empty()).unwrap_or_else(|| default.to_owned())
            };
            let number = port.on_host.filter(|number| *number > 0)?;
            let (protocol, address) = (or(&port.protocol, "TCP"), or(&port.address, "0.0.0.0"));
            Some(HostPort { protocol, port: number, address })
        })
        .collect();
    taken.sort();
    taken.dedup();
    taken
}
