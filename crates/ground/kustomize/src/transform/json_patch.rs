//! JSON patches (RFC 6902) on objects.

use mainstay_source::{Document, Place};
use serde_json::Value;

use crate::node::Node;
use crate::resource::Resource;

/// A JSON patch, and where it is written.
pub(crate) struct JsonPatch {
    operations: Value,
    /// The path and the place of each operation.
    places: Vec<(String, Place)>,
    at: Place,
}

impl JsonPatch {
    /// The patch that a document is; nothing when it is none.
    pub(crate) fn of(document: &Document) -> Option<Self> {
        let root = document.root();
        if !root.is_sequence() || root.items().any(|item| item.get("op").is_none()) {
            return None;
        }
        let place = |item: mainstay_source::Node<'_>| {
            let at = item.get("value").unwrap_or(item).place();
            item.str_at("path").map(|path| (path.trim_end_matches("/-").to_owned(), at))
        };
        let places = root.items().filter_map(place).collect();
        Some(Self { operations: document.value(), places, at: root.place() })
    }

    /// Whether it has no operation.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Changes an object.
    pub(crate) fn apply(&self, resource: &mut Resource) -> Result<(), String> {
        let Some(old) = resource.node.take() else { return Ok(()) };
        let changed = mainstay_resource::patch::json(&old.to_value(), &self.operations);
        let place = |path: &str| {
            let last = self.places.iter().rev().find(|(of, _)| path.starts_with(of.as_str()));
            last.map_or(self.at, |(_, at)| *at)
        };
        match changed {
            Ok(value) => {
                resource.node = Some(Node::graft(&value, Some(&old), "", &place));
                Ok(())
            }
            Err(error) => {
                resource.node = Some(old);
                Err(error.to_string())
            }
        }
    }
}
