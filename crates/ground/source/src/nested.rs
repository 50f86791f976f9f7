//! Documents inside documents: texts in YAML or JSON that stand as values in another document.
//!
//! Each line of a block scalar is a line of the file, so what is inside is shown where it stands.
//! A text in quotes or folded cannot be mapped: all that is in it stands where it starts.

use std::sync::Arc;

use mainstay_base::Diagnostic;

use crate::document::Document;
use crate::shape::Shape;
use crate::tree::Node;
use crate::yaml::{self, Lines};

/// A document inside another.
#[derive(Clone, Debug)]
pub struct Nested {
    /// Where it is in the outer document, `/data/prometheus.yml`.
    pub path: String,
    /// The document.
    pub document: Document,
}

/// What is inside a document.
#[derive(Clone, Debug, Default)]
pub struct Inside {
    /// The documents.
    pub documents: Vec<Nested>,
    /// What is wrong with them.
    pub diagnostics: Vec<Diagnostic>,
}

/// The documents that a ConfigMap's data holds.
pub(crate) fn inside(document: &Document) -> Inside {
    let mut found = Inside::default();
    let is_config_map = document
        .shape
        .object()
        .is_some_and(|object| object.kind.group.is_empty() && object.kind.kind == "ConfigMap");
    let Some(data) = document.root().get("data").filter(|_| is_config_map) else { return found };
    for (key, value) in data.entries() {
        let name = key.text().unwrap_or_default();
        let path = format!("/data/{}", name.replace('~', "~0").replace('/', "~1"));
        let inner = documents(value, &path, name);
        let is_file = has_extension(name);
        // Anything reads as YAML somehow; without a file's name only what is known counts.
        let is_known = !inner.documents.is_empty()
            && inner.documents.iter().all(|nested| nested.document.shape != Shape::Unknown);
        if is_file || (is_known && inner.diagnostics.is_empty()) {
            found.documents.extend(inner.documents);
            found.diagnostics.extend(inner.diagnostics);
        }
    }
    found
}

fn has_extension(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The documents that the text of a scalar holds, as if it were a file of this name.
pub(crate) fn documents(value: Node<'_>, path: &str, name: &str) -> Inside {
    let Some(text) = value.as_str() else { return Inside::default() };
    parsed(value, path, name, text, &lines(value, text))
}

/// The documents in a text that stands where a value does.
pub(crate) fn beside(value: Node<'_>, name: &str, text: &str) -> Inside {
    parsed(value, "", name, text, &Lines::Point(value.place()))
}

fn parsed(value: Node<'_>, path: &str, name: &str, text: &str, lines: &Lines) -> Inside {
    let mut tree = value.tree().sibling();
    let parsed = yaml::parse(&mut tree, value.place().file, text, lines);
    let tree = Arc::new(tree);
    let nested =
        |root| Nested { path: path.to_owned(), document: Document::called(name, Arc::clone(&tree), root) };
    Inside { documents: parsed.roots.into_iter().map(nested).collect(), diagnostics: parsed.diagnostics }
}

/// Where the lines of a scalar's text stand in its file.
fn lines(value: Node<'_>, text: &str) -> Lines {
    let (place, file) = (value.place(), value.file());
    // A block's place is its first line that is not empty.
    let empty = text.split('\n').take_while(|line| line.trim_end_matches('\r').is_empty()).count();
    let first = place.line.saturating_sub(crate::file::count(empty)).max(1);
    if value.is_plain() || !file.line(first - 1).contains('|') {
        return Lines::Point(place);
    }
    let mut moved = Vec::new();
    for (line, inner) in (first..).zip(text.split('\n')) {
        let (outer, inner) = (file.line(line), inner.trim_end_matches('\r'));
        if !outer.ends_with(inner) {
            return Lines::Point(place);
        }
        let before = outer.chars().count() - inner.chars().count();
        moved.push((line, crate::file::count(before)));
    }
    Lines::Moved(moved)
}

#[cfg(test)]
mod tests;
