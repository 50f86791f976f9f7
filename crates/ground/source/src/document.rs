//! One document: what it is, what it holds, and where each value was written.

use std::sync::Arc;

use mainstay_base::Diagnostic;
use mainstay_base::diagnostic::Location;
use serde_json::Value;

use crate::attached;
use crate::file::File;
use crate::nested::{self, Inside};
use crate::problem;
use crate::read::{self, Read};
use crate::shape::Shape;
use crate::tree::{Node, NodeId, Tree};

/// One document of a Source.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is.
    pub shape: Shape,
    /// The folder of the kustomization that built it; nothing when it stands in a file as it is.
    pub via: Option<Arc<str>>,
    tree: Arc<Tree>,
    root: NodeId,
}

impl Document {
    pub(crate) fn new(tree: Arc<Tree>, root: NodeId) -> Self {
        let name = Arc::clone(tree.node(root).file().name());
        Self::called(&name, tree, root)
    }

    /// The same of a document whose file, by itself, would have this name.
    pub(crate) fn called(name: &str, tree: Arc<Tree>, root: NodeId) -> Self {
        let shape = Shape::of(tree.node(root), name);
        Self { shape, via: None, tree, root }
    }

    /// The same, built by the kustomization in a folder.
    pub(crate) fn built_in(self, folder: Arc<str>) -> Self {
        Self { via: Some(folder), ..self }
    }

    /// Its outermost value.
    pub fn root(&self) -> Node<'_> {
        self.tree.node(self.root)
    }

    /// The file it is in.
    pub fn file(&self) -> &File {
        self.root().file()
    }

    /// Where it starts.
    pub fn start(&self) -> Location {
        self.root().location()
    }

    /// As JSON; a Kubernetes object's as Kubernetes' own reader takes it.
    pub fn value(&self) -> Value {
        match self.shape {
            Shape::Object(_) => self.root().to_kubernetes_value(),
            _ => self.root().to_value(),
        }
    }

    /// The value at a path, `/spec/replicas` (`~1` is a slash in a key, `~0` a tilde).
    pub fn node(&self, path: &str) -> Option<Node<'_>> {
        let (_, node, is_whole) = self.walk(path);
        is_whole.then_some(node)
    }

    /// Where the value at a path was written: a scalar itself, the key of anything larger. Of a path
    /// that is not there, the nearest outer value that is.
    pub fn location(&self, path: &str) -> Location {
        let (key, node, is_whole) = self.walk(path);
        match key {
            Some(key) if !is_whole || node.text().is_none_or(str::is_empty) => key.location(),
            _ => node.location(),
        }
    }

    /// Where the key at a path was written; an item of a sequence where the item is.
    pub fn key_location(&self, path: &str) -> Location {
        let (key, node, _) = self.walk(path);
        key.unwrap_or(node).location()
    }

    /// The last key and value that a path leads to, and whether it leads there to its end.
    fn walk(&self, path: &str) -> (Option<Node<'_>>, Node<'_>, bool) {
        let (mut key, mut node) = (None, self.root());
        for part in path.split('/').skip(1) {
            let name = part.replace("~1", "/").replace("~0", "~");
            if let Some((found, value)) = node.entry(&name) {
                (key, node) = (Some(found), value);
            } else if let Some(item) = name.parse().ok().and_then(|index: usize| node.items().nth(index)) {
                (key, node) = (None, item);
            } else {
                return (key, node, false);
            }
        }
        (key, node, true)
    }

    /// An error about the value at a path, with its line.
    pub fn error(&self, code: &'static str, message: impl Into<String>, path: &str) -> Diagnostic {
        problem::at(code, message, self.file(), self.location(path))
    }

    /// The documents inside it: what a ConfigMap holds under keys that are files in YAML or JSON.
    pub fn nested(&self) -> Inside {
        nested::inside(self)
    }

    /// The documents written as text at a path.
    pub fn inside(&self, path: &str) -> Inside {
        self.node(path).map(|node| nested::documents(node, path, self.file().name())).unwrap_or_default()
    }

    /// The documents in a text that is no file of the Source but belongs to this one: all of them
    /// stand where this one does.
    pub fn beside(&self, name: &str, text: &str) -> Inside {
        nested::beside(self.root(), name, text)
    }

    /// The files and folders that a kustomization names, without detours.
    pub fn kustomization_files(&self) -> Vec<String> {
        attached::of(self)
    }

    /// Reads the document into a type, telling all that does not fit.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Read<T> {
        read::read(self.root())
    }

    /// Reads the value at a path into a type; nothing when there is none.
    pub fn read_at<T: serde::de::DeserializeOwned>(&self, path: &str) -> Option<Read<T>> {
        self.node(path).map(read::read)
    }
}
