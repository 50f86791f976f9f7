//! Which nodes have which image.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node;

use super::NodeId;

/// An image's names and its size.
pub(crate) type Image = (String, i64);

/// The images a node says it has.
pub(crate) fn of(node: &Node) -> Vec<Image> {
    let images = node.status.iter().flat_map(|status| status.images.iter().flatten());
    let named = images.flat_map(|image| {
        let size = image.size_bytes.unwrap_or_default();
        image.names.iter().flatten().map(move |name| (name.clone(), size))
    });
    named.collect()
}

/// The images of all nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Images {
    by_name: BTreeMap<String, BTreeMap<NodeId, i64>>,
    of_node: BTreeMap<NodeId, Vec<Image>>,
}

impl Images {
    /// The nodes that have an image, with its size there.
    pub(crate) fn having(&self, name: &str) -> Option<&BTreeMap<NodeId, i64>> {
        self.by_name.get(name)
    }

    /// Brings a node up to date.
    pub(crate) fn put(&mut self, node: NodeId, images: Vec<Image>) {
        if self.of_node.get(&node).map_or(&[][..], Vec::as_slice) == images {
            return;
        }
        for (name, _) in self.of_node.remove(&node).into_iter().flatten() {
            if let Some(having) = self.by_name.get_mut(&name) {
                having.remove(&node);
                if having.is_empty() {
                    self.by_name.remove(&name);
                }
            }
        }
        for (name, size) in &images {
            self.by_name.entry(name.clone()).or_default().insert(node, *size);
        }
        if !images.is_empty() {
            self.of_node.insert(node, images);
        }
    }
}
