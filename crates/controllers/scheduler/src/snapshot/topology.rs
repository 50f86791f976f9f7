//! Which domain of a label each node is in.
//!
//! Labels of nodes that pods are spread or kept together by are numbered, a column for each, so that
//! a decision compares numbers instead of looking labels up.
//!
//! **Invariants:** a column has every node that has its label, from its first use on.

use std::collections::BTreeMap;

use super::NodeId;
use crate::demand::Labels;

/// A column's number.
pub(crate) type ColumnId = usize;

/// One label of all nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    of_node: Vec<Option<u32>>,
    values: BTreeMap<String, u32>,
    /// How many nodes each domain has.
    sizes: Vec<u32>,
    labelled: usize,
}

impl Column {
    /// The domain a node is in.
    pub(crate) fn domain(&self, node: NodeId) -> Option<usize> {
        let domain = self.of_node.get(node).copied().flatten()?;
        Some(domain as usize)
    }

    /// How many nodes have the label.
    pub(crate) fn labelled(&self) -> usize {
        self.labelled
    }

    /// How many nodes each domain has; domains may be empty.
    pub(crate) fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    fn set(&mut self, node: NodeId, value: Option<&String>) {
        if let Some(before) = self.of_node.get_mut(node).and_then(Option::take) {
            self.sizes[before as usize] -= 1;
            self.labelled -= 1;
        }
        let Some(value) = value else { return };
        let next =
            u32::try_from(self.sizes.len()).expect("invariant: fewer domains than nodes were ever seen");
        let domain = if let Some(domain) = self.values.get(value) {
            *domain
        } else {
            self.values.insert(value.clone(), next);
            self.sizes.push(0);
            next
        };
        self.sizes[domain as usize] += 1;
        self.labelled += 1;
        if self.of_node.len() <= node {
            self.of_node.resize(node + 1, None);
        }
        self.of_node[node] = Some(domain);
    }
}

/// All columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topology {
    columns: Vec<Column>,
    keys: BTreeMap<String, ColumnId>,
}

impl Topology {
    /// The column of a label; `nodes` are all nodes with their labels.
    pub(crate) fn column<'a>(
        &mut self,
        key: &str,
        nodes: impl Iterator<Item = (NodeId, &'a Labels)>,
    ) -> ColumnId {
        if let Some(column) = self.keys.get(key) {
            return *column;
        }
        let mut column = Column::default();
        for (node, labels) in nodes {
            column.set(node, labels.get(key));
        }
        self.columns.push(column);
        self.keys.insert(key.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    /// The column of a label that was used before.
    pub(crate) fn known(&self, key: &str) -> Option<ColumnId> {
        self.keys.get(key).copied()
    }

    /// A column.
    pub(crate) fn of(&self, column: ColumnId) -> &Column {
        &self.columns[column]
    }

    /// Brings a node's labels up to date; `None` where the node is gone.
    pub(crate) fn set(&mut self, node: NodeId, labels: Option<&Labels>) {
        for (key, column) in &self.keys {
            self.columns[*column].set(node, labels.and_then(|labels| labels.get(key)));
        }
    }
}
