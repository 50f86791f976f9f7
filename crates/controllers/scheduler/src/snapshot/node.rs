//! One node: what it offers, and what its pods take of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Taint};
use mainstay_control::Key;
use mainstay_resource::Quantity;

use crate::demand::Labels;
use crate::{Amounts, HostPort, PodState};

/// A node's number, for as long as it is there.
pub type NodeId = usize;

/// What a node offers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Its labels.
    pub labels: Labels,
    /// Its taints, of every effect.
    pub taints: Vec<Taint>,
    /// Whether it was cordoned.
    pub is_unschedulable: bool,
    /// What its pods may ask for together.
    pub allocatable: Amounts,
    /// How many pods it may have.
    pub pods_limit: i64,
}

impl Facts {
    /// What `node` offers.
    pub fn of(node: &Node) -> Self {
        let (spec, status) = (node.spec.as_ref(), node.status.as_ref());
        let allocatable = status.and_then(|status| status.allocatable.as_ref());
        let pods_limit = allocatable.and_then(|list| Quantity::parse(&list.get("pods")?.0).ok());
        Self {
            labels: node.metadata.labels.clone().unwrap_or_default(),
            taints: spec.and_then(|spec| spec.taints.clone()).unwrap_or_default(),
            is_unschedulable: spec.and_then(|spec| spec.unschedulable).unwrap_or_default(),
            allocatable: Amounts::of(allocatable),
            pods_limit: pods_limit.map_or(0, Quantity::value),
        }
    }
}

/// What a node's pods take of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// What its pods ask for together.
    pub requested: Amounts,
    /// What they count as when nodes are compared.
    pub weighed: Amounts,
    /// Its pods.
    pub pods: BTreeMap<Key, Arc<PodState>>,
    ports: BTreeMap<HostPort, usize>,
}

impl Usage {
    /// Whether a port could be taken beside what is taken.
    pub fn is_free(&self, wanted: &HostPort) -> bool {
        if self.ports.is_empty() {
            return true;
        }
        let first = HostPort { address: String::new(), ..wanted.clone() };
        let same = self.ports.range(first..).map(|(port, _)| port);
        let mut same = same.take_while(|port| port.protocol == wanted.protocol && port.port == wanted.port);
        let is_any = |address: &str| address == "0.0.0.0";
        !same.any(|port| is_any(&wanted.address) || is_any(&port.address) || port.address == wanted.address)
    }

    /// Adds a pod.
    pub(crate) fn add(&mut self, pod: Arc<PodState>) {
        self.requested.add(&pod.demand.requested);
        self.weighed.add(&pod.demand.weighed);
        for port in &pod.demand.ports {
            *self.ports.entry(port.clone()).or_default() += 1;
        }
        self.pods.insert(pod.key.clone(), pod);
    }

    /// Removes a pod.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<PodState>> {
        let pod = self.pods.remove(key)?;
        self.requested.subtract(&pod.demand.requested);
        self.weighed.subtract(&pod.demand.weighed);
        for port in &pod.demand.ports {
            if let Some(count) = self.ports.get_mut(port) {
                *count -= 1;
            }
        }
        if !pod.demand.ports.is_empty() {
            self.ports.retain(|_, count| *count > 0);
        }
        Some(pod)
    }
}

/// What a new state of a node amounts to.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// Nothing for where a pod may go.
    Same,
    /// It was not there before.
    New,
    /// It had these facts before.
    Changed(Box<Facts>),
}

/// A node that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeState {
    /// Its name.
    pub name: Arc<str>,
    /// Its number.
    pub id: NodeId,
    /// What it offers.
    pub facts: Facts,
    /// What is taken of it.
    pub usage: Usage,
    /// Another one whenever its facts change.
    pub(crate) version: u64,
}
