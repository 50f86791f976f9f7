//! A Source with its kustomizations built: what they make, in the place of what they are made of.
//!
//! A root is a kustomization that no other names. All roots are built, unless two of them make the
//! same object differently, as overlays of one base do: then none of those is, and a Diagnostic asks
//! for a choice. Chosen roots are built whatever they make; who chose them keeps them apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mainstay_base::Diagnostic;
use mainstay_source::{Aside, Document, Shape, Source};

use crate::build::{Built, build_in};
use crate::files::{Files, folder_of, name_of};
use crate::id::Id;
use crate::node::Node;
use crate::problem;
use crate::resource::Resource;

/// The folders of the kustomizations that no other names, components aside, in their order.
pub fn roots(source: &Source) -> Vec<Arc<str>> {
    roots_of(&Files::of(source)).into_iter().map(Arc::from).collect()
}

fn roots_of(files: &Files<'_>) -> Vec<String> {
    let mut named = BTreeSet::new();
    for (folder, document) in files.folders() {
        named.extend(document.kustomization_files().into_iter().filter(|name| name != folder));
    }
    let is_root = |(folder, document): &(&str, &Document)| {
        !named.contains(*folder) && document.root().str_at("kind") != Some("Component")
    };
    files.folders().filter(is_root).map(|(folder, _)| folder.to_owned()).collect()
}

/// The Source with all its root kustomizations built.
pub fn expand(source: Source) -> Source {
    with(source, None)
}

/// The Source with the kustomizations in these folders built, and no other.
pub fn expand_chosen(source: Source, chosen: &[Arc<str>]) -> Source {
    with(source, Some(chosen))
}

fn with(source: Source, chosen: Option<&[Arc<str>]>) -> Source {
    let files = Files::of(&source);
    if files.folders().next().is_none() && chosen.is_none_or(<[_]>::is_empty) {
        return source;
    }
    let mut told = Vec::new();
    let mut built: BTreeMap<String, Built> = BTreeMap::new();
    let folders = match chosen {
        Some(chosen) => chosen.iter().filter_map(|folder| mainstay_source::joined("", folder)).collect(),
        None => roots_of(&files),
    };
    for folder in folders {
        match build_in(&files, &folder, &mut told) {
            Ok(made) => {
                told.extend(made.warnings.iter().cloned());
                built.insert(folder, made);
            }
            Err(error) => told.push(*error),
        }
    }
    if chosen.is_none() {
        told.extend(without_collisions(&files, &mut built));
    }
    let parts = Parts::of(&files);
    let documents = documents(&source, &files, &built, &parts, &mut told);
    let mut diagnostics: Vec<Diagnostic> =
        source.diagnostics.iter().filter(|diagnostic| !parts.is_about_data(diagnostic)).cloned().collect();
    for diagnostic in told {
        if !diagnostics.contains(&diagnostic) {
            diagnostics.push(diagnostic);
        }
    }
    let aside = [source.aside.clone(), aside(&source, &documents, &built)].concat();
    Source { documents, aside, diagnostics, ..source }
}

/// What is there no more by itself: what the kustomizations are made of, and what lies beside them.
fn aside(source: &Source, documents: &[Document], built: &BTreeMap<String, Built>) -> Vec<Aside> {
    let place = |document: &Document| {
        let at = document.start();
        (at.file, at.line, at.column)
    };
    let there: BTreeSet<_> = documents.iter().map(place).collect();
    let reason = |document: &Document| match document.shape {
        Shape::Kustomization if built.contains_key(folder_of(&name_of(document))) => {
            "what it makes is used in its place"
        }
        _ => "it is a part of a kustomization, or lies beside one",
    };
    let gone = source.documents.iter().filter(|document| !there.contains(&place(document)));
    gone.map(|document| Aside::of(document, reason(document))).collect()
}

/// What stands in files as it is, and what was built in the place of its root's kustomization.
fn documents(
    source: &Source,
    files: &Files<'_>,
    built: &BTreeMap<String, Built>,
    parts: &Parts,
    told: &mut Vec<Diagnostic>,
) -> Vec<Document> {
    let made = built.iter().flat_map(|(folder, built)| {
        let via: Arc<str> = folder.as_str().into();
        built.made().map(move |value| (value, Arc::clone(&via)))
    });
    let mut by_folder: BTreeMap<Arc<str>, Vec<Document>> = BTreeMap::new();
    for document in source.make(made) {
        by_folder.entry(document.via.clone().unwrap_or_default()).or_default().push(document);
    }
    let mut documents = Vec::with_capacity(source.documents.len());
    for document in &source.documents {
        let name = name_of(document);
        let folder = folder_of(&name);
        if document.shape == Shape::Kustomization {
            documents.extend(by_folder.remove(folder).unwrap_or_default());
            // One that is a part of others is there by what they make.
            if !built.contains_key(folder) && !parts.folders.contains(folder) {
                documents.push(document.clone());
            }
        } else if !parts.files.contains(&name) {
            let is_beside = matches!(files.kustomization(folder), Ok(Some(_)) | Err(_));
            if document.shape.object().is_some() && is_beside {
                told.push(left_out(document));
            } else {
                documents.push(document.clone());
            }
        }
    }
    documents
}

fn left_out(document: &Document) -> Diagnostic {
    let message = format!("{} lies beside a kustomization that does not name its file", document.shape);
    let mut warning = document.error(problem::LEFT_OUT, message, "");
    warning.severity = mainstay_base::Severity::Warning;
    warning.help("name the file under `resources`, or move it elsewhere")
}

/// What kustomizations are made of.
struct Parts {
    files: BTreeSet<String>,
    /// Files that are taken as they are: what they hold need not be YAML.
    data: BTreeSet<String>,
    /// Folders of kustomizations that others name.
    folders: BTreeSet<String>,
}

impl Parts {
    fn of(files: &Files<'_>) -> Self {
        let mut parts = Self { files: BTreeSet::new(), data: BTreeSet::new(), folders: BTreeSet::new() };
        let known: BTreeSet<&str> = files.folders().map(|(folder, _)| folder).collect();
        for (folder, document) in files.folders() {
            for name in document.kustomization_files().into_iter().filter(|name| name != folder) {
                let set = if known.contains(name.as_str()) { &mut parts.folders } else { &mut parts.files };
                set.insert(name);
            }
            parts.data.extend(data_of(folder, document));
        }
        parts
    }

    fn is_about_data(&self, diagnostic: &Diagnostic) -> bool {
        let file = diagnostic.at.as_ref().and_then(|at| mainstay_source::joined("", &at.file));
        file.is_some_and(|file| self.data.contains(&file))
    }
}

/// The files that a kustomization's generators take in.
fn data_of(folder: &str, document: &Document) -> Vec<String> {
    let mut data = Vec::new();
    for generator in ["configMapGenerator", "secretGenerator"] {
        let entries = document.root().get(generator).into_iter().flat_map(mainstay_source::Node::items);
        for entry in entries {
            for file in entry.get("files").into_iter().flat_map(mainstay_source::Node::items) {
                let name = file.text().unwrap_or_default();
                let name = name.split_once('=').map_or(name, |(_, name)| name);
                data.extend(mainstay_source::joined(folder, name));
            }
        }
    }
    data
}

/// Takes out the roots that make the same object differently; an object that two make alike stays
/// with the first.
fn without_collisions(files: &Files<'_>, built: &mut BTreeMap<String, Built>) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<Id, (String, Node)> = BTreeMap::new();
    let mut doubles: Vec<(String, usize)> = Vec::new();
    let mut pairs: BTreeMap<(String, String), Id> = BTreeMap::new();
    for (folder, made) in built.iter() {
        for (index, object) in made.objects().iter().enumerate() {
            let id = Resource::new(object.clone()).id();
            match seen.get(&id) {
                None => {
                    seen.insert(id, (folder.clone(), object.clone()));
                }
                Some((_, other)) if other == object => doubles.push((folder.clone(), index)),
                Some((other, _)) => {
                    pairs.entry((other.clone(), folder.clone())).or_insert(id);
                }
            }
        }
    }
    let colliding: BTreeSet<&String> = pairs.keys().flat_map(|(left, right)| [left, right]).collect();
    for (folder, index) in doubles.iter().rev() {
        if let Some(made) = built.get_mut(folder).filter(|_| !colliding.contains(folder)) {
            made.remove(*index);
        }
    }
    let told = pairs.iter().filter_map(|((left, right), id)| choice(files, left, right, id)).collect();
    built.retain(|folder, _| !colliding.contains(folder));
    told
}

fn choice(files: &Files<'_>, left: &str, right: &str, id: &Id) -> Option<Diagnostic> {
    let document = files.kustomization(right).ok().flatten()?;
    let message = format!("the kustomizations `{left}` and `{right}` both make {id}, and differently");
    let mut error = document.error(problem::CHOICE, message, "");
    if let Ok(Some(other)) = files.kustomization(left) {
        error = error.related(other.start(), "the other one");
    }
    Some(error.help("name one of the folders to `mainstay up`, or let a Platform document choose"))
}
