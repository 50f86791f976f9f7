//! A DaemonSet's pods by node, and what each node shall have.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, Pod};
use mainstay_control::meta::{annotation, is_terminating, label};

use super::placement::{self, Demand, Fit};
use crate::follow::PodOwner as _;
use crate::history::revision_label;
use crate::pods;

/// The annotation that counts the changes of a DaemonSet's template.
pub const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";
/// The label of a pod with that count.
pub const GENERATION_LABEL: &str = "pod-template-generation";

/// What is known of a set.
#[derive(Debug)]
pub struct Board<'a> {
    /// The set.
    pub set: &'a DaemonSet,
    /// The nodes, by name, and what they shall have.
    pub nodes: BTreeMap<&'a str, Fit>,
    /// The set's pods, by the node they are on or meant for; oldest first, bound ones before others.
    pub pods: BTreeMap<&'a str, Vec<&'a Arc<Pod>>>,
    /// The hash of the revision of the set's template.
    pub hash: &'a str,
    /// The time.
    pub now: Timestamp,
}

impl<'a> Board<'a> {
    /// Sorts what is known; pods that ended and are being deleted no longer count.
    pub fn new(
        set: &'a DaemonSet,
        nodes: &'a [Arc<Node>],
        owned: &'a [Arc<Pod>],
        hash: &'a str,
        now: Timestamp,
    ) -> Self {
        let demand = Demand::of(set);
        let nodes = nodes.iter().map(|node| (placement::name(node), demand.fit(node))).collect();
        let mut pods: BTreeMap<&str, Vec<&Arc<Pod>>> = BTreeMap::new();
        for pod in owned.iter().filter(|pod| !(pods::is_ended(pod) && is_terminating(&pod.metadata))) {
            if let Some(node) = placement::target(pod) {
                pods.entry(node).or_default().push(pod);
            }
        }
        for pods in pods.values_mut() {
            pods.sort_by(|a, b| age(a).cmp(&age(b)));
        }
        Self { set, nodes, pods, hash, now }
    }

    /// Whether a pod is of the set's template.
    pub(super) fn is_updated(&self, pod: &Pod) -> bool {
        let generation = annotation(&self.set.metadata, TEMPLATE_GENERATION);
        let is_of = |generation: &str| label(&pod.metadata, GENERATION_LABEL) == Some(generation);
        !self.hash.is_empty() && revision_label(&pod.metadata) == self.hash
            || generation.filter(|it| it.parse::<i64>().is_ok()).is_some_and(is_of)
    }

    /// Whether a pod has been ready for long enough.
    pub(super) fn is_available(&self, pod: &Pod) -> bool {
        pods::is_available(pod, self.set.min_ready_seconds(), self.now)
    }

    /// How many nodes shall have a pod.
    pub(super) fn desired(&self) -> i32 {
        count(self.nodes.values().filter(|fit| fit.runs).count())
    }
}

fn age(pod: &Pod) -> (bool, Option<Timestamp>, &str) {
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (pods::node(pod).is_none(), created, name(pod))
}

/// A pod's name.
pub(super) fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// A count as the API has it.
pub(super) fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
