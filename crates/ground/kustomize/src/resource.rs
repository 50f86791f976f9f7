//! One object on its way through a build: its value, and what it was called before.

use mainstay_resource::GroupVersionKind;
use mainstay_source::Place;

use crate::id::{self, Id};
use crate::node::{Fields, Node};

/// What a generated object does to one that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// It must not be there.
    #[default]
    Create,
    /// It takes its place.
    Replace,
    /// Its data are added.
    Merge,
}

/// What an object was called before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Previous {
    namespace: String,
    name: String,
    kind: String,
}

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// Its value; nothing once it is deleted.
    pub node: Option<Node>,
    /// What it was called before, the oldest first.
    pub previous: Vec<Previous>,
    pub prefixes: Vec<String>,
    pub suffixes: Vec<String>,
    /// Whether its name gets a hash of its content.
    pub needs_hash: bool,
    pub behaviour: Behaviour,
    /// The variables that are read from it.
    pub variables: Vec<String>,
    /// As a patch: whether it may give the object its own name, and its own kind.
    pub renames: bool,
    pub changes_kind: bool,
    /// Where it came from, as `buildMetadata` tells it.
    pub origin: Option<String>,
    /// What changed it, likewise.
    pub transformations: String,
}

impl Resource {
    pub(crate) fn new(node: Node) -> Self {
        Self {
            node: Some(node),
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            needs_hash: false,
            behaviour: Behaviour::Create,
            variables: Vec::new(),
            renames: false,
            changes_kind: false,
            origin: None,
            transformations: String::new(),
        }
    }

    fn text(&self, path: &[&str]) -> &str {
        self.node
            .as_ref()
            .and_then(|node| node.find(path))
            .filter(|found| !found.is_null())
            .map_or("", Node::as_text)
    }

    pub(crate) fn kind(&self) -> GroupVersionKind {
        id::kind(self.text(&["apiVersion"]), self.text(&["kind"]))
    }

    pub(crate) fn name(&self) -> &str {
        self.text(&["metadata", "name"])
    }

    pub(crate) fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"])
    }

    /// What it is called now.
    pub(crate) fn id(&self) -> Id {
        Id { kind: self.kind(), name: self.name().to_owned(), namespace: self.namespace().to_owned() }
    }

    /// What it was called at first.
    pub(crate) fn first_id(&self) -> Id {
        self.previous_ids().into_iter().next().unwrap_or_else(|| self.id())
    }

    /// What it was called before, the oldest first.
    pub(crate) fn previous_ids(&self) -> Vec<Id> {
        let kind = self.kind();
        let id = |old: &Previous| Id {
            kind: GroupVersionKind { kind: old.kind.clone(), ..kind.clone() },
            name: old.name.clone(),
            namespace: old.namespace.clone(),
        };
        self.previous.iter().map(id).collect()
    }

    /// All it is and was called, the newest first and then the oldest first.
    pub(crate) fn ids(&self) -> Vec<Id> {
        let mut ids = vec![self.id()];
        ids.extend(self.previous_ids());
        ids
    }

    /// Notes what it is called, before that changes.
    pub(crate) fn remember(&mut self) {
        let id = self.id();
        let namespace = id.place().to_owned();
        self.previous.push(Previous { namespace, name: id.name, kind: id.kind.kind });
    }

    pub(crate) fn place(&self) -> Place {
        self.node.as_ref().map(|node| node.at).unwrap_or_default()
    }

    /// Its metadata, made when it has none.
    pub(crate) fn metadata(&mut self) -> Option<&mut Fields> {
        let at = self.place();
        self.node.as_mut()?.map_at("metadata", at)
    }

    /// Sets a text of its metadata; an empty one is taken away.
    pub(crate) fn set_metadata(&mut self, field: &str, text: &str) {
        let at = self.node.as_ref().and_then(|node| node.find(&["metadata", field])).map(|node| node.at);
        let at = at.unwrap_or_else(|| self.place());
        if let Some(metadata) = self.metadata() {
            if text.is_empty() {
                metadata.remove(field);
            } else if metadata.get(field).is_none_or(|old| old.as_text() != text || old.is_null()) {
                metadata.set(field, Node::text(text, at));
            }
        }
    }

    /// The texts of its labels or annotations.
    pub(crate) fn texts(&self, field: &str) -> Vec<(String, String)> {
        let map = self.node.as_ref().and_then(|node| node.find(&["metadata", field])).and_then(Node::fields);
        let entries = map.into_iter().flat_map(Fields::iter);
        entries.map(|(name, value)| (name.to_owned(), value.as_text().to_owned())).collect()
    }

    /// Whether it was never renamed, or renamed in the same way as another from the outside in.
    pub(crate) fn is_renamed_like(&self, other: &Self, allow_empty: bool) -> bool {
        let same = |left: &[String], right: &[String]| {
            if allow_empty && (left.is_empty() || right.is_empty()) {
                return true;
            }
            let (short, long) = if left.len() > right.len() { (right, left) } else { (left, right) };
            if short.is_empty() { long.is_empty() } else { long.ends_with(short) }
        };
        same(&self.prefixes, &other.prefixes) && same(&self.suffixes, &other.suffixes)
    }
}
