//! Which files a Source's kustomizations name: they need not be documents.

use crate::document::Document;
use crate::path::joined;
use crate::shape::Shape;
use crate::tree::Node;

/// Lists of names of files or folders.
const LISTS: [&str; 9] = [
    "resources",
    "components",
    "bases",
    "crds",
    "configurations",
    "transformers",
    "generators",
    "validators",
    "patchesStrategicMerge",
];
/// Lists of entries with a `path`.
const PATHS: [&str; 3] = ["patches", "patchesJson6902", "replacements"];
/// Lists of entries with names of files.
const GENERATORS: [&str; 2] = ["configMapGenerator", "secretGenerator"];

/// The files that kustomizations among the documents name.
pub(crate) fn wanted(documents: &[Document]) -> impl Iterator<Item = String> + '_ {
    let all = documents.iter().filter(|document| document.shape == Shape::Kustomization);
    all.flat_map(of)
}

/// The files and folders that a kustomization names.
pub(crate) fn of(document: &Document) -> Vec<String> {
    let folder = document.file().name().rsplit_once('/').map_or("", |(folder, _)| folder);
    names(document.root()).into_iter().filter_map(|name| joined(folder, name)).collect()
}

fn names(root: Node<'_>) -> Vec<&str> {
    let mut names = Vec::new();
    for list in LISTS {
        names.extend(texts(root.get(list)).filter(|name| !name.contains('\n')));
    }
    for list in PATHS {
        let entries = root.get(list).into_iter().flat_map(Node::items);
        names.extend(entries.filter_map(|entry| entry.str_at("path")));
    }
    for entry in GENERATORS.iter().filter_map(|list| root.get(list)).flat_map(Node::items) {
        let files = texts(entry.get("files")).chain(texts(entry.get("envs"))).chain(entry.str_at("env"));
        names.extend(files.map(|name| name.split_once('=').map_or(name, |(_, path)| path)));
    }
    names.extend(root.get("openapi").and_then(|inner| inner.str_at("path")));
    names
}

fn texts(list: Option<Node<'_>>) -> impl Iterator<Item = &str> {
    list.into_iter().flat_map(Node::items).filter_map(Node::text)
}
