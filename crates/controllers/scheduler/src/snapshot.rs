//! All nodes as decisions see them, kept up to date by every change of a node or a pod.
//!
//! A pod we have just bound is *assumed* to be on its node until the watch shows it there, or the
//! binding fails.
//!
//! **Invariants:** a node's usage is the sum of the pods on it, assumed ones among them; every
//! order is that of names. Pods of a node that is not there (yet, or any more) are remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Taint};
use mainstay_control::Key;
use mainstay_resource::Quantity;

use crate::{Amounts, Demand, HostPort};

/// What a node offers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
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
    pub pods: BTreeMap<Key, Arc<Demand>>,
    /// How many pods of each controller stay on it.
    pub controllers: BTreeMap<String, i64>,
    ports: BTreeMap<HostPort, usize>,
}

impl Usage {
    /// Whether a port could be taken beside what is taken.
    pub fn is_free(&self, wanted: &HostPort) -> bool {
        let first = HostPort { address: String::new(), ..wanted.clone() };
        let same = self.ports.range(first..).map(|(port, _)| port);
        let mut same = same.take_while(|port| port.protocol == wanted.protocol && port.port == wanted.port);
        let is_any = |address: &str| address == "0.0.0.0";
        !same.any(|port| is_any(&wanted.address) || is_any(&port.address) || port.address == wanted.address)
    }

    /// Adds a pod.
    pub(crate) fn add(&mut self, demand: Arc<Demand>) {
        self.requested.add(&demand.requested);
        self.weighed.add(&demand.weighed);
        for port in &demand.ports {
            *self.ports.entry(port.clone()).or_default() += 1;
        }
        if let Some(controller) = staying(&demand) {
            *self.controllers.entry(controller.to_owned()).or_default() += 1;
        }
        self.pods.insert(demand.key.clone(), demand);
    }

    /// Removes a pod.
    pub(crate) fn remove(&mut self, key: &Key) {
        let Some(demand) = self.pods.remove(key) else { return };
        self.requested.subtract(&demand.requested);
        self.weighed.subtract(&demand.weighed);
        for port in &demand.ports {
            if let Some(count) = self.ports.get_mut(port) {
                *count -= 1;
            }
        }
        self.ports.retain(|_, count| *count > 0);
        if let Some(controller) = staying(&demand)
            && let Some(count) = self.controllers.get_mut(controller)
        {
            *count -= 1;
            if *count == 0 {
                self.controllers.remove(controller);
            }
        }
    }
}

/// The controller of a pod that is not on its way out.
fn staying(demand: &Demand) -> Option<&str> {
    demand.controller.as_deref().filter(|_| !demand.is_terminating)
}

/// A node that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeState {
    /// Its name.
    pub name: Arc<str>,
    /// What it offers.
    pub facts: Facts,
    /// What is taken of it.
    pub usage: Usage,
}

#[derive(Clone, Debug)]
struct Place {
    node: Arc<str>,
    demand: Arc<Demand>,
    is_assumed: bool,
}

/// All nodes and the pods on them.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    nodes: BTreeMap<Arc<str>, NodeState>,
    absent: BTreeMap<Arc<str>, Usage>,
    places: BTreeMap<Key, Place>,
}

impl Snapshot {
    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All nodes, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeState> {
        self.nodes.values()
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<&NodeState> {
        self.nodes.get(name)
    }

    /// Brings a node up to date; whether that changes anything for a decision.
    pub fn put_node(&mut self, name: &str, facts: Facts) -> bool {
        if let Some(node) = self.nodes.get_mut(name) {
            let is_changed = node.facts != facts;
            node.facts = facts;
            return is_changed;
        }
        let name: Arc<str> = name.into();
        let usage = self.absent.remove(&name).unwrap_or_default();
        self.nodes.insert(name.clone(), NodeState { name, facts, usage });
        true
    }

    /// Forgets a node, but not the pods on it.
    pub fn remove_node(&mut self, name: &str) {
        if let Some(node) = self.nodes.remove(name)
            && !node.usage.pods.is_empty()
        {
            self.absent.insert(node.name, node.usage);
        }
    }

    /// Brings a pod on a node up to date; whether that changes anything for a decision.
    pub fn put_pod(&mut self, node: &str, demand: Arc<Demand>) -> bool {
        self.put(node, demand, false)
    }

    /// Counts a pod on the node it is about to be bound to.
    pub fn assume(&mut self, node: &str, demand: Arc<Demand>) {
        self.put(node, demand, true);
    }

    /// Takes back an assumption that came to nothing; returns the node that has room again.
    pub fn forget(&mut self, key: &Key) -> Option<Arc<str>> {
        self.places.get(key).filter(|place| place.is_assumed)?;
        self.remove_pod(key)
    }

    /// The uid of a pod that is assumed on a node.
    pub fn assumed(&self, key: &Key) -> Option<&str> {
        let place = self.places.get(key).filter(|place| place.is_assumed)?;
        Some(&place.demand.uid)
    }

    /// The node a pod is on, or assumed on.
    pub fn whereabouts(&self, key: &Key) -> Option<Arc<str>> {
        self.places.get(key).map(|place| place.node.clone())
    }

    /// Removes a pod; returns the node it was on.
    pub fn remove_pod(&mut self, key: &Key) -> Option<Arc<str>> {
        let place = self.places.remove(key)?;
        if let Some(node) = self.nodes.get_mut(&place.node) {
            node.usage.remove(key);
        } else if let Some(usage) = self.absent.get_mut(&place.node) {
            usage.remove(key);
            if usage.pods.is_empty() {
                self.absent.remove(&place.node);
            }
        }
        Some(place.node)
    }

    fn put(&mut self, node: &str, demand: Arc<Demand>, is_assumed: bool) -> bool {
        if let Some(place) = self.places.get_mut(&demand.key)
            && *place.node == *node
            && place.demand == demand
        {
            place.is_assumed = is_assumed;
            return false;
        }
        self.remove_pod(&demand.key);
        let name = self.nodes.get(node).map_or_else(|| node.into(), |node| node.name.clone());
        let usage = match self.nodes.get_mut(node) {
            Some(node) => &mut node.usage,
            None => self.absent.entry(name.clone()).or_default(),
        };
        usage.add(demand.clone());
        self.places.insert(demand.key.clone(), Place { node: name, demand, is_assumed });
        true
    }
}

#[cfg(test)]
mod tests;
