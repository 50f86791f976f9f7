//! All nodes as decisions see them, kept up to date by every change of a node or a pod.
//!
//! A pod we have just bound is *assumed* to be on its node until the watch shows it there, or the
//! binding fails. What decisions count over all nodes (pods alike in each zone, say) is counted as pods
//! come and go ([`census`]), so that a decision looks at its candidates and no further.
//!
//! **Invariants:** a node's usage is the sum of the pods on it, assumed ones among them; no order that
//! can show depends on the numbers of nodes. Pods of a node that is not there (yet, or any more) are
//! remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use mainstay_control::Key;

use crate::PodState;
use crate::budgets::Budgets;
use crate::demand::Labels;
use crate::life::Life;
use crate::nominations::Nominations;
use crate::storage::{Step, Storage};

pub(crate) mod census;
mod images;
mod node;
mod relations;
mod topology;
pub(crate) mod verdicts;

use census::{Census, Censuses, Who};
use images::Images;
pub use node::{Facts, NodeId, NodeState, Update, Usage};
pub use relations::Relations;
use topology::Topology;
pub(crate) use topology::{Column, ColumnId};
use verdicts::Judged;

const ZONE: &str = "topology.kubernetes.io/zone";

#[derive(Clone, Debug)]
struct Place {
    node: Arc<str>,
    pod: Arc<PodState>,
    life: Life,
    is_assumed: bool,
}

/// All nodes and the pods on them.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    nodes: Vec<Option<NodeState>>,
    free: Vec<NodeId>,
    ids: BTreeMap<Arc<str>, NodeId>,
    /// All nodes as they are visited; empty where it has to be drawn up anew.
    order: Vec<NodeId>,
    versions: u64,
    absent: BTreeMap<Arc<str>, BTreeMap<Key, Arc<PodState>>>,
    places: BTreeMap<Key, Place>,
    topology: Topology,
    censuses: Censuses,
    images: Images,
    relations: Relations,
    nominations: Nominations,
    budgets: Budgets,
    storage: Storage,
    /// How many pods there are of each priority.
    priorities: BTreeMap<i32, usize>,
    pub(crate) judged: Judged,
}

impl Snapshot {
    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// All nodes, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeState> {
        self.ids.values().map(|id| self.at(*id))
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<&NodeState> {
        self.ids.get(name).map(|id| self.at(*id))
    }

    /// The node of this number.
    pub(crate) fn at(&self, id: NodeId) -> &NodeState {
        self.nodes[id].as_ref().expect("invariant: a node's number is used while the node is there")
    }

    /// All nodes in the order they are visited: one of each zone in turn.
    pub(crate) fn order(&self) -> &[NodeId] {
        &self.order
    }

    /// Draws up the order in which nodes are visited.
    pub(crate) fn line_up(&mut self) {
        if !self.order.is_empty() {
            return;
        }
        let mut zones = BTreeMap::<&str, Vec<NodeId>>::new();
        for id in self.ids.values().rev() {
            let zone = self.at(*id).facts.labels.get(ZONE).map_or("", String::as_str);
            zones.entry(zone).or_default().push(*id);
        }
        let mut order = Vec::with_capacity(self.ids.len());
        while order.len() < self.ids.len() {
            order.extend(zones.values_mut().filter_map(Vec::pop));
        }
        self.order = order;
    }

    /// Brings a node up to date.
    pub fn put(&mut self, node: &Node) -> Update {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let update = self.put_node(name, Facts::of(node));
        if let Some(id) = self.ids.get(name) {
            self.images.put(*id, images::of(node));
        }
        update
    }

    /// Brings a node's facts up to date.
    pub fn put_node(&mut self, name: &str, facts: Facts) -> Update {
        let Some(id) = self.ids.get(name).copied() else {
            self.add_node(name, facts);
            return Update::New;
        };
        let node = self.nodes[id].as_mut().expect("invariant: a name is that of a node that is there");
        if node.facts == facts {
            return Update::Same;
        }
        self.versions += 1;
        node.version = self.versions;
        let before = std::mem::replace(&mut node.facts, facts);
        if before.labels != node.facts.labels {
            self.relabel(id);
        }
        Update::Changed(Box::new(before))
    }

    /// Forgets a node, but not the pods on it; returns what it offered.
    pub fn remove_node(&mut self, name: &str) -> Option<Facts> {
        let id = self.ids.remove(name)?;
        let node = self.nodes[id].take()?;
        self.uncount(&node);
        self.topology.set(id, None);
        self.images.put(id, Vec::new());
        self.free.push(id);
        self.order.clear();
        if !node.usage.pods.is_empty() {
            self.absent.insert(node.name, node.usage.pods);
        }
        Some(node.facts)
    }

    /// Brings a pod on a node up to date; whether that changes anything for a decision.
    pub fn put_pod(&mut self, node: &str, pod: Arc<PodState>) -> bool {
        self.place(node, pod, false)
    }

    /// Counts a pod on the node it is about to be bound to.
    pub fn assume(&mut self, node: &str, pod: Arc<PodState>) {
        self.place(node, pod, true);
    }

    /// Takes back an assumption that came to nothing; returns the node that has room again.
    pub fn forget(&mut self, key: &Key) -> Option<Arc<str>> {
        self.places.get(key).filter(|place| place.is_assumed)?;
        self.remove_pod(key).map(|(node, _)| node)
    }

    /// The uid of a pod that is assumed on a node.
    pub fn assumed(&self, key: &Key) -> Option<&str> {
        let place = self.places.get(key).filter(|place| place.is_assumed)?;
        Some(&place.pod.uid)
    }

    /// The node a pod is on, or assumed on.
    pub fn whereabouts(&self, key: &Key) -> Option<Arc<str>> {
        self.places.get(key).map(|place| place.node.clone())
    }

    /// A pod that is on a node, or assumed on it.
    pub fn pod(&self, key: &Key) -> Option<&Arc<PodState>> {
        self.places.get(key).map(|place| &place.pod)
    }

    /// Removes a pod; returns the node it was on, and the pod.
    pub fn remove_pod(&mut self, key: &Key) -> Option<(Arc<str>, Arc<PodState>)> {
        let place = self.places.remove(key)?;
        self.take_off(&place.node, &place.pod);
        let priority = place.pod.demand.priority;
        if let Some(count) = self.priorities.get_mut(&priority) {
            *count -= 1;
            if *count == 0 {
                self.priorities.remove(&priority);
            }
        }
        Some((place.node, place.pod))
    }

    /// Notes how far a pod on a node is in its life.
    pub(crate) fn note(&mut self, key: &Key, life: Life) {
        if let Some(place) = self.places.get_mut(key) {
            place.life = life;
        }
    }

    /// How far a pod on a node is in its life.
    pub(crate) fn life(&self, key: &Key) -> Life {
        self.places.get(key).map(|place| place.life).unwrap_or_default()
    }

    /// Whether there is a pod of a priority below this on a node.
    pub(crate) fn has_lesser(&self, priority: i32) -> bool {
        self.priorities.keys().next().is_some_and(|lowest| *lowest < priority)
    }

    /// Which waiting pods have a node in prospect.
    pub(crate) fn nominations(&self) -> &Nominations {
        &self.nominations
    }

    pub(crate) fn nominations_mut(&mut self) -> &mut Nominations {
        &mut self.nominations
    }

    /// The budgets for disruptions.
    pub(crate) fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    pub(crate) fn budgets_mut(&mut self) -> &mut Budgets {
        &mut self.budgets
    }

    /// Claims, volumes and classes.
    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    pub(crate) fn storage_mut(&mut self) -> &mut Storage {
        &mut self.storage
    }

    /// Chooses a node for the claims of a pod: what is to be written for them.
    pub(crate) fn choose(&mut self, pod: &PodState, node: &str) -> Vec<Step> {
        let node = self.ids.get(node).and_then(|id| self.nodes[*id].as_ref());
        match node {
            Some(node) if !pod.demand.claims.is_empty() => self.storage.choose(pod, node),
            _ => Vec::new(),
        }
    }

    /// The selectors of Services and sets.
    pub fn relations_mut(&mut self) -> &mut Relations {
        &mut self.relations
    }

    /// The labels of a namespace; `None` where it is gone.
    pub fn put_namespace(&mut self, name: &str, labels: Option<Labels>) {
        if self.relations.put_namespace(name, labels) {
            self.censuses.forget_scoped();
        }
    }

    pub(crate) fn relations(&self) -> &Relations {
        &self.relations
    }

    pub(crate) fn images(&self) -> &Images {
        &self.images
    }

    /// Starts a decision.
    pub(crate) fn turn(&mut self) {
        self.line_up();
        self.censuses.turn();
    }

    /// The column of a label.
    pub(crate) fn column(&mut self, key: &str) -> ColumnId {
        let nodes = self.nodes.iter().flatten().map(|node| (node.id, &node.facts.labels));
        self.topology.column(key, nodes)
    }

    /// The column of this number.
    pub(crate) fn column_of(&self, column: ColumnId) -> &Column {
        self.topology.of(column)
    }

    /// The column of a label that was used before.
    pub(crate) fn known_column(&self, key: &str) -> Option<ColumnId> {
        self.topology.known(key)
    }

    /// Makes sure that a census is there until the next decision.
    pub(crate) fn count(&mut self, who: Who, columns: &[ColumnId]) -> Arc<Who> {
        let nodes = self.nodes.iter().flatten();
        self.censuses.take(who, columns, (&self.topology, &self.relations), nodes)
    }

    /// A census of [`Self::count`].
    pub(crate) fn census(&self, who: &Who) -> &Census {
        self.censuses.of(who)
    }

    /// All censuses, of those who have a say in the company they are in.
    pub(crate) fn sociable(&self) -> impl Iterator<Item = (&Arc<crate::Demand>, &Census)> {
        self.censuses.sociable()
    }

    /// Takes a pod off its node for the time of a thought.
    pub(crate) fn lift(&mut self, pod: &Arc<PodState>, node: NodeId) {
        let name = self.at(node).name.clone();
        self.take_off(&name, pod);
    }

    /// Puts a pod back where it was lifted from.
    pub(crate) fn put_back(&mut self, pod: &Arc<PodState>, node: NodeId) {
        let name = self.at(node).name.clone();
        self.put_on(&name, pod.clone());
    }

    fn add_node(&mut self, name: &str, facts: Facts) {
        let name: Arc<str> = name.into();
        let id = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            self.nodes.len() - 1
        });
        self.versions += 1;
        self.topology.set(id, Some(&facts.labels));
        let version = self.versions;
        self.nodes[id] = Some(NodeState { name: name.clone(), id, facts, usage: Usage::default(), version });
        self.ids.insert(name.clone(), id);
        self.order.clear();
        for pod in self.absent.remove(&name).into_iter().flat_map(BTreeMap::into_values) {
            self.put_on(&name, pod);
        }
    }

    /// Counts the pods of a node whose labels changed under its new ones.
    fn relabel(&mut self, id: NodeId) {
        self.order.clear();
        let Some(node) = self.nodes[id].take() else { return };
        self.uncount(&node);
        self.topology.set(id, Some(&node.facts.labels));
        for pod in node.usage.pods.values() {
            self.censuses.add(pod, id, &self.topology, &self.relations);
        }
        self.nodes[id] = Some(node);
    }

    fn uncount(&mut self, node: &NodeState) {
        for pod in node.usage.pods.values() {
            self.censuses.remove(pod, node.id, &self.topology, &self.relations);
        }
    }

    fn place(&mut self, node: &str, pod: Arc<PodState>, is_assumed: bool) -> bool {
        if let Some(place) = self.places.get_mut(&pod.key)
            && *place.node == *node
            && place.pod == pod
        {
            place.is_assumed = is_assumed;
            return false;
        }
        self.remove_pod(&pod.key);
        let node = self.ids.get_key_value(node).map_or_else(|| node.into(), |(name, _)| name.clone());
        self.put_on(&node, pod.clone());
        *self.priorities.entry(pod.demand.priority).or_default() += 1;
        self.places.insert(pod.key.clone(), Place { node, pod, life: Life::default(), is_assumed });
        true
    }

    fn put_on(&mut self, node: &Arc<str>, pod: Arc<PodState>) {
        let Some(id) = self.ids.get(node).copied() else {
            self.absent.entry(node.clone()).or_default().insert(pod.key.clone(), pod);
            return;
        };
        if !pod.demand.company.is_empty() {
            let demand = pod.demand.clone();
            demand.company.keys().for_each(|key| {
                self.column(key);
            });
        }
        if !pod.demand.claims.is_empty() {
            self.storage.count(&pod, true);
        }
        self.censuses.add(&pod, id, &self.topology, &self.relations);
        if let Some(node) = &mut self.nodes[id] {
            node.usage.add(pod);
        }
    }

    fn take_off(&mut self, node: &Arc<str>, pod: &Arc<PodState>) {
        if let Some(id) = self.ids.get(node).copied() {
            if !pod.demand.claims.is_empty() {
                self.storage.count(pod, false);
            }
            self.censuses.remove(pod, id, &self.topology, &self.relations);
            if let Some(node) = &mut self.nodes[id] {
                node.usage.remove(&pod.key);
            }
        } else if let Some(pods) = self.absent.get_mut(node) {
            pods.remove(&pod.key);
            if pods.is_empty() {
                self.absent.remove(node);
            }
        }
    }
}

#[cfg(test)]
mod tests;
