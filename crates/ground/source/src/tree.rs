//! The arena of all values of a Source.
//!
//! Nodes refer to their children by number, texts lie in one string, and an alias is a node that
//! refers to another: a document that repeats itself by aliases costs what was written.
//!
//! **Invariants:** a node refers to nodes made before it only, so there is no cycle; no document's
//! height exceeds `limits::SOURCE_DEPTH`, so that recursion over it is bounded.

use std::sync::Arc;

use mainstay_base::diagnostic::Location;
use serde_json::{Map, Value};

use crate::file::{File, count};
use crate::scalar::{Form, Scalar};

/// The number of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

/// A stretch of the tree's texts or links.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    start: u32,
    length: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Scalar {
        text: Stretch,
        form: Form,
    },
    /// Its items.
    Sequence(Stretch),
    /// Its keys and values in turn.
    Mapping(Stretch),
    Alias(NodeId),
}

/// Where a value of a Source was written: a place in one of its files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The number of the file.
    pub(crate) file: u32,
    /// From 1.
    pub(crate) line: u32,
    /// From 1, in characters.
    pub(crate) column: u32,
    /// In characters of that line.
    pub(crate) length: u32,
}

#[derive(Clone, Copy, Debug)]
struct NodeData {
    kind: Kind,
    place: Place,
    /// How many levels it has, aliases written out.
    height: u32,
    /// How many values it has, aliases written out.
    weight: u32,
}

/// How much a tree holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    merged: usize,
    nodes: usize,
    links: usize,
    texts: usize,
}

/// All values of a Source.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Shared with the trees of documents inside documents, so that places mean the same there.
    pub files: Arc<Vec<Arc<File>>>,
    /// Keys and values that merges added, so far.
    pub merged: usize,
    nodes: Vec<NodeData>,
    links: Vec<NodeId>,
    texts: String,
}

impl Tree {
    /// Adds a file; its number.
    pub(crate) fn add_file(&mut self, file: Arc<File>) -> u32 {
        let files = Arc::make_mut(&mut self.files);
        files.push(file);
        count(files.len() - 1)
    }

    /// How much it holds now.
    pub(crate) fn extent(&self) -> Extent {
        let (nodes, links, texts) = (self.nodes.len(), self.links.len(), self.texts.len());
        Extent { merged: self.merged, nodes, links, texts }
    }

    /// Drops what was added since it held this much.
    pub(crate) fn cut(&mut self, extent: Extent) {
        self.merged = extent.merged;
        self.nodes.truncate(extent.nodes);
        self.links.truncate(extent.links);
        self.texts.truncate(extent.texts);
    }

    pub(crate) fn add_scalar(&mut self, text: &str, form: Form, place: Place) -> NodeId {
        let stretch = Stretch { start: count(self.texts.len()), length: count(text.len()) };
        self.texts.push_str(text);
        self.add(Kind::Scalar { text: stretch, form }, place, 1, count(text.len() / 64).saturating_add(1))
    }

    pub(crate) fn add_sequence(&mut self, items: &[NodeId], place: Place) -> NodeId {
        let (height, weight) = self.size(items);
        let links = self.link(items);
        self.add(Kind::Sequence(links), place, height, weight)
    }

    /// A mapping of keys and values in turn.
    pub(crate) fn add_mapping(&mut self, entries: &[NodeId], place: Place) -> NodeId {
        let (height, weight) = self.size(entries);
        let links = self.link(entries);
        self.add(Kind::Mapping(links), place, height, weight)
    }

    pub(crate) fn add_alias(&mut self, target: NodeId, place: Place) -> NodeId {
        let NodeData { height, weight, .. } = self.nodes[target.0 as usize];
        self.add(Kind::Alias(target), place, height, weight)
    }

    fn add(&mut self, kind: Kind, place: Place, height: u32, weight: u32) -> NodeId {
        self.nodes.push(NodeData { kind, place, height, weight });
        NodeId(count(self.nodes.len() - 1))
    }

    fn link(&mut self, nodes: &[NodeId]) -> Stretch {
        let stretch = Stretch { start: count(self.links.len()), length: count(nodes.len()) };
        self.links.extend_from_slice(nodes);
        stretch
    }

    fn size(&self, nodes: &[NodeId]) -> (u32, u32) {
        nodes.iter().map(|id| &self.nodes[id.0 as usize]).fold((1, 1), |(height, weight), node| {
            (u32::max(height, node.height.saturating_add(1)), node.weight.saturating_add(weight))
        })
    }

    /// How many levels a node has, aliases written out.
    pub(crate) fn height(&self, id: NodeId) -> u32 {
        self.nodes[id.0 as usize].height
    }

    /// How many values a node has, aliases written out.
    pub(crate) fn weight(&self, id: NodeId) -> u32 {
        self.nodes[id.0 as usize].weight
    }

    pub(crate) fn node(&self, id: NodeId) -> Node<'_> {
        Node { tree: self, id }
    }

    /// A place, or the start of the Source when it is of another one.
    pub(crate) fn known(&self, place: Place) -> Place {
        if (place.file as usize) < self.files.len() { place } else { Place::default() }
    }

    /// An empty tree of these files.
    pub(crate) fn of(files: Vec<Arc<File>>) -> Self {
        Self { files: Arc::new(files), ..Self::default() }
    }

    /// An empty tree of the same files.
    pub(crate) fn sibling(&self) -> Self {
        Self { files: Arc::clone(&self.files), ..Self::default() }
    }
}

/// One value where it was written.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    tree: &'a Tree,
    id: NodeId,
}

impl<'a> Node<'a> {
    pub(crate) fn id(self) -> NodeId {
        self.id
    }

    pub(crate) fn tree(self) -> &'a Tree {
        self.tree
    }

    /// Another node of the same tree.
    pub(crate) fn other(self, id: NodeId) -> Self {
        self.tree.node(id)
    }

    fn data(self) -> &'a NodeData {
        &self.tree.nodes[self.id.0 as usize]
    }

    /// The kind of the node, or of the node that an alias stands for.
    fn kind(self) -> Kind {
        match self.data().kind {
            Kind::Alias(target) => self.tree.node(target).kind(),
            kind => kind,
        }
    }

    fn links(self, stretch: Stretch) -> &'a [NodeId] {
        let start = stretch.start as usize;
        &self.tree.links[start..start + stretch.length as usize]
    }

    /// The file it is in.
    pub fn file(self) -> &'a File {
        &self.tree.files[self.data().place.file as usize]
    }

    /// Where it was written; an alias where the alias is.
    pub fn location(self) -> Location {
        let Place { line, column, length, .. } = self.data().place;
        self.file().location(line, column, length)
    }

    /// The same as a place of its Source.
    pub fn place(self) -> Place {
        self.data().place
    }

    /// Whether it is a scalar without quotes, block or tag for text: its text decides what it means.
    pub fn is_plain(self) -> bool {
        matches!(self.form(), Some(Form::Plain | Form::Tagged))
    }

    /// The text of a scalar as written, without quotes and escapes.
    pub fn text(self) -> Option<&'a str> {
        match self.kind() {
            Kind::Scalar { text, .. } => {
                let start = text.start as usize;
                Some(&self.tree.texts[start..start + text.length as usize])
            }
            _ => None,
        }
    }

    /// What a scalar means.
    pub fn scalar(self) -> Option<Scalar<'a>> {
        match self.kind() {
            Kind::Scalar { form, .. } => Some(Scalar::resolve(self.text()?, form)),
            _ => None,
        }
    }

    /// How a scalar was written.
    pub(crate) fn form(self) -> Option<Form> {
        match self.kind() {
            Kind::Scalar { form, .. } => Some(form),
            _ => None,
        }
    }

    /// The text of a scalar that means text.
    pub fn as_str(self) -> Option<&'a str> {
        match self.scalar() {
            Some(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether it is nothing.
    pub fn is_null(self) -> bool {
        self.scalar() == Some(Scalar::Null)
    }

    /// Whether it is a mapping.
    pub fn is_mapping(self) -> bool {
        matches!(self.kind(), Kind::Mapping(_))
    }

    /// Whether it is a sequence.
    pub fn is_sequence(self) -> bool {
        matches!(self.kind(), Kind::Sequence(_))
    }

    /// The items of a sequence; none of anything else.
    pub fn items(self) -> impl DoubleEndedIterator<Item = Node<'a>> + ExactSizeIterator + use<'a> {
        let links = if let Kind::Sequence(links) = self.kind() { self.links(links) } else { &[] };
        links.iter().map(move |id| self.tree.node(*id))
    }

    /// The keys and values of a mapping in the order of the file; none of anything else.
    pub fn entries(
        self,
    ) -> impl DoubleEndedIterator<Item = (Node<'a>, Node<'a>)> + ExactSizeIterator + use<'a> {
        let links = if let Kind::Mapping(links) = self.kind() { self.links(links) } else { &[] };
        links.chunks_exact(2).map(move |pair| (self.tree.node(pair[0]), self.tree.node(pair[1])))
    }

    /// The key and value under a key; of several the last, as readers take it.
    pub fn entry(self, key: &str) -> Option<(Node<'a>, Node<'a>)> {
        self.entries().rev().find(|(name, _)| name.text() == Some(key))
    }

    /// The value under a key.
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The text under a key, when it means text.
    pub fn str_at(self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }

    /// As JSON, with keys as written.
    pub fn to_value(self) -> Value {
        self.value_with(&|key| key.text().unwrap_or_default().to_owned())
    }

    /// As JSON, with keys as Kubernetes' reader takes them: `on` is `true` there, and `0777` is `511`.
    pub(crate) fn to_kubernetes_value(self) -> Value {
        self.value_with(&|key| match key.scalar() {
            Some(Scalar::Bool(value)) => value.to_string(),
            Some(Scalar::Integer(value)) => value.to_string(),
            _ => key.text().unwrap_or_default().to_owned(),
        })
    }

    fn value_with(self, name: &dyn Fn(Node<'_>) -> String) -> Value {
        match self.kind() {
            Kind::Scalar { .. } => {
                let written = self.text().unwrap_or_default();
                self.scalar().map_or(Value::Null, |scalar| scalar.to_value(written))
            }
            Kind::Sequence(_) => self.items().map(|item| item.value_with(name)).collect(),
            Kind::Mapping(_) => {
                let mut map = Map::new();
                for (key, value) in self.entries() {
                    map.insert(name(key), value.value_with(name));
                }
                Value::Object(map)
            }
            Kind::Alias(_) => unreachable!("invariant: kind() follows aliases"),
        }
    }
}
