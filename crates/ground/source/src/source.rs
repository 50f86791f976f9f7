//! The whole Source: its files, documents, and what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use mainstay_base::diagnostic::Location;
use mainstay_base::{Diagnostic, Severity};

use crate::attached;
use crate::document::Document;
use crate::file::File;
use crate::files;
use crate::made::Made;
use crate::markdown;
use crate::path;
use crate::problem;
use crate::shape::Shape;
use crate::tree::{Node, NodeId, Place, Tree};
use crate::yaml::{self, Lines};

/// Why what Markdown shows beside other files is no part of the platform.
const SNIPPET: &str =
    "a snippet of Markdown beside other files; make the Markdown file itself the Source to use it";

/// A document that is no part of the platform itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Where it starts.
    pub at: Location,
    /// What it is.
    pub shape: Shape,
    /// Why it is none.
    pub reason: &'static str,
}

impl Aside {
    /// This document, for this reason.
    pub fn of(document: &Document, reason: &'static str) -> Self {
        Self { at: document.start(), shape: document.shape.clone(), reason }
    }
}

/// Where the platform's files come from, read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The files that were read, in the order of their names.
    pub files: Vec<Arc<File>>,
    /// The documents, in the order of the files and in them; empty ones are left out.
    pub documents: Vec<Document>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the diagrams of its Markdown stand.
    pub diagrams: Vec<Location>,
    /// The documents that are no part of the platform themselves.
    pub aside: Vec<Aside>,
    /// How many fenced blocks its Markdown holds that are neither data nor diagrams.
    pub other_blocks: usize,
    /// Templates that were left alone: they are no YAML before they are rendered.
    pub templates: Vec<String>,
    /// Files that hold no documents, but that a kustomization names.
    pub attached: BTreeMap<String, Arc<[u8]>>,
}

impl Source {
    /// Reads a folder, a file, or a Markdown document.
    ///
    /// Markdown among files of YAML or JSON explains them: what it shows is no part of the Source.
    pub fn load(path: &Path) -> Self {
        let found = files::collect(path);
        let mut loader = Loader { diagnostics: found.diagnostics, ..Loader::default() };
        for (name, text) in found.texts {
            loader.add(&name, text);
        }
        let mut source = loader.finish();
        source.templates = found.templates;
        source.attach(path);
        if source.documents.is_empty() && source.is_sound() {
            let message = format!("there is no document in `{}`", path.display());
            source.diagnostics.push(
                Diagnostic::warning(problem::EMPTY, message)
                    .help("a Source is a folder of .yaml, .yml, .json and .md files, or one such file"),
            );
        }
        source
    }

    /// Reads one text; its name says whether it is Markdown.
    pub fn from_text(name: &str, text: impl Into<String>) -> Self {
        Self::from_texts([(name, text)])
    }

    /// Reads several texts as one Source.
    pub fn from_texts<'a>(texts: impl IntoIterator<Item = (&'a str, impl Into<String>)>) -> Self {
        let mut loader = Loader::default();
        for (name, text) in texts {
            loader.add(name, text.into());
        }
        loader.finish()
    }

    /// Reads the files that only kustomizations name.
    fn attach(&mut self, path: &Path) {
        let have: BTreeSet<String> =
            self.files.iter().filter_map(|file| path::joined("", file.name())).collect();
        let wanted = attached::wanted(&self.documents).filter(|name| !have.contains(name));
        let (files, problems) = files::named(path, wanted.collect());
        self.attached = files;
        self.diagnostics.extend(problems);
    }

    /// Documents made of values rather than read, each built by the kustomization in a folder.
    pub fn make(&self, made: impl IntoIterator<Item = (Made, Arc<str>)>) -> Vec<Document> {
        let mut tree = Tree::of(self.files.clone());
        let roots: Vec<_> = made.into_iter().map(|(value, via)| (value.add_to(&mut tree), via)).collect();
        let tree = Arc::new(tree);
        let document = |(root, via)| Document::new(Arc::clone(&tree), root).built_in(via);
        roots.into_iter().map(document).collect()
    }

    /// What a place of this Source is for diagnostics.
    pub fn location(&self, place: Place) -> Option<Location> {
        let file = self.files.get(place.file as usize)?;
        Some(file.location(place.line, place.column, place.length))
    }

    /// Whether nothing is wrong enough to stop.
    pub fn is_sound(&self) -> bool {
        self.diagnostics.iter().all(|diagnostic| diagnostic.severity < Severity::Error)
    }
}

#[derive(Default)]
struct Loader {
    tree: Tree,
    roots: Vec<NodeId>,
    diagnostics: Vec<Diagnostic>,
    diagrams: Vec<Location>,
    other_blocks: usize,
    /// Whether there is a file that is not Markdown.
    has_data: bool,
}

impl Loader {
    fn add(&mut self, name: &str, text: String) {
        let file = Arc::new(File::new(name, text));
        let number = self.tree.add_file(Arc::clone(&file));
        if !files::is_markdown(name) {
            self.has_data = true;
            return self.parse(number, file.text(), &Lines::Same);
        }
        let blocks = markdown::blocks(&file);
        self.diagrams.extend(blocks.diagrams);
        self.other_blocks += blocks.others;
        for (text, lines) in blocks.data {
            self.parse(number, &text, &lines);
        }
    }

    fn parse(&mut self, file: u32, text: &str, lines: &Lines) {
        let parsed = yaml::parse(&mut self.tree, file, text, lines);
        self.diagnostics.extend(parsed.diagnostics);
        for root in parsed.roots {
            match items_of_list(self.tree.node(root)) {
                Some(items) => self.roots.extend(items),
                None => self.roots.push(root),
            }
        }
    }

    fn finish(mut self) -> Source {
        let tree = Arc::new(self.tree);
        let documents = self.roots.into_iter().map(|root| Document::new(Arc::clone(&tree), root));
        let is_snippet = |name: &str| self.has_data && files::is_markdown(name);
        let (snippets, documents): (Vec<_>, _) = documents.partition(|one| is_snippet(one.file().name()));
        for diagnostic in &mut self.diagnostics {
            if diagnostic.at.as_ref().is_some_and(|at| is_snippet(&at.file)) {
                diagnostic.severity = diagnostic.severity.min(Severity::Warning);
            }
        }
        Source {
            files: tree.files.to_vec(),
            documents,
            diagnostics: self.diagnostics,
            diagrams: self.diagrams,
            aside: snippets.iter().map(|one| Aside::of(one, SNIPPET)).collect(),
            other_blocks: self.other_blocks,
            templates: Vec::new(),
            attached: BTreeMap::new(),
        }
    }
}

/// The objects of a `kind: List`, or of a list of one kind that says it of each, which stands for them.
fn items_of_list(root: Node<'_>) -> Option<Vec<NodeId>> {
    let (kind, version) = (root.str_at("kind")?, root.str_at("apiVersion")?);
    let items = root.get("items").filter(|items| items.is_sequence())?;
    let is_list = kind == "List" && version == "v1"
        || kind.ends_with("List") && items.items().all(|item| item.str_at("kind").is_some());
    if !is_list {
        return None;
    }
    Some(items.items().filter(|item| !item.is_null()).map(Node::id).collect())
}

#[cfg(test)]
mod tests;
