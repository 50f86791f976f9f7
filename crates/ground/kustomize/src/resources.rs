//! All objects of a build, in their order.

use std::collections::BTreeMap;

use mainstay_resource::LabelSelector;
use regex::bytes::{Regex, RegexBuilder};

use crate::id::Id;
use crate::kustomization::Selector;
use crate::node::{Fields, Node};
use crate::resource::{Behaviour, Resource};

/// All objects of a build. No two are called the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources(pub Vec<Resource>);

impl Resources {
    /// Adds an object that is not there yet.
    pub(crate) fn append(&mut self, resource: Resource) -> Result<(), String> {
        let id = resource.id();
        if self.0.iter().any(|other| other.id().is_same(&id)) {
            return Err(format!("{id} is there twice"));
        }
        self.0.push(resource);
        Ok(())
    }

    /// Takes in a generated object: beside, in the place of, or into another.
    pub(crate) fn absorb(&mut self, mut resource: Resource) -> Result<(), String> {
        let id = resource.id();
        let matches: Vec<usize> = self.indices(|other| other.is_same(&id));
        match (matches.as_slice(), resource.behaviour) {
            ([], Behaviour::Create) => self.append(resource),
            ([], _) => Err(format!("{id} is not there to be merged or replaced")),
            ([_], Behaviour::Create) => {
                Err(format!("{id} is there already; `behavior` must be merge or replace"))
            }
            ([place], behaviour) => {
                let old = &self.0[*place];
                inherit(&mut resource, old);
                if behaviour == Behaviour::Merge {
                    merge_data(&mut resource, old, "data");
                    merge_data(&mut resource, old, "binaryData");
                    resource.origin.clone_from(&old.origin);
                }
                self.0[*place] = resource;
                Ok(())
            }
            _ => Err(format!("several objects could be merged with {id}")),
        }
    }

    /// The objects that are, or were, called so.
    pub(crate) fn indices(&self, is_wanted: impl Fn(&Id) -> bool) -> Vec<usize> {
        let matches = |(_, resource): &(usize, &Resource)| resource.ids().iter().any(&is_wanted);
        self.0.iter().enumerate().filter(matches).map(|(index, _)| index).collect()
    }

    /// The one object that is, or was, called so.
    pub(crate) fn only(&self, id: &Id) -> Result<usize, String> {
        match self.indices(|other| other.is_same(id)).as_slice() {
            [index] => Ok(*index),
            [] => Err(format!("no object is called {id}")),
            _ => Err(format!("several objects are called {id}")),
        }
    }

    /// The objects that a selector selects.
    pub(crate) fn select(&self, selector: &Selector) -> Result<Vec<usize>, String> {
        let chosen = Chosen::new(selector)?;
        let mut found = Vec::new();
        for (index, resource) in self.0.iter().enumerate() {
            if chosen.has(resource) {
                found.push(index);
            }
        }
        Ok(found)
    }

    /// Drops what was deleted.
    pub(crate) fn drop_deleted(&mut self) {
        self.0.retain(|resource| resource.node.as_ref().is_some_and(|node| !node.is_nothing()));
    }
}

/// Takes over what an object that is replaced was called, its labels and annotations.
fn inherit(resource: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let own: Vec<String> = resource.texts(field).into_iter().map(|(name, _)| name).collect();
        let before =
            old.node.as_ref().and_then(|node| node.find(&["metadata", field])).and_then(Node::fields);
        let missing: Vec<(String, Node)> = before
            .into_iter()
            .flat_map(Fields::iter)
            .filter(|(name, _)| !own.iter().any(|mine| mine == name))
            .map(|(name, value)| (name.to_owned(), Node::text(value.as_text(), value.at)))
            .collect();
        if missing.is_empty() {
            continue;
        }
        let at = resource.place();
        let Some(node) = resource.node.as_mut() else { continue };
        let metadata = node.map_at("metadata", at);
        if let Some(metadata) = metadata {
            if metadata.get(field).is_none_or(Node::is_null) {
                metadata.set(field, Node::map(at));
            }
            if let Some(fields) = metadata.get_mut(field).and_then(Node::fields_mut) {
                for (name, value) in missing {
                    fields.set(&name, value);
                }
            }
        }
    }
    resource.set_metadata("name", old.name());
    resource.set_metadata("namespace", old.namespace());
    resource.previous.clone_from(&old.previous);
    resource.prefixes.clone_from(&old.prefixes);
    resource.suffixes.clone_from(&old.suffixes);
    resource.variables.clone_from(&old.variables);
    resource.needs_hash &= old.needs_hash;
    resource.behaviour = old.behaviour;
}

/// Adds the data that only the older object has.
fn merge_data(resource: &mut Resource, old: &Resource, field: &str) {
    let at = resource.place();
    let Some(before) = old.node.as_ref().and_then(|node| node.get(field)).and_then(Node::fields) else {
        return;
    };
    let Some(node) = resource.node.as_mut() else { return };
    let Some(data) = node.map_at(field, at) else { return };
    for (name, value) in before.iter() {
        if data.get(name).is_none() {
            data.set(name, Node::text(value.as_text(), value.at));
        }
    }
}

/// A selector, made ready.
pub(crate) struct Chosen {
    patterns: [Option<Regex>; 5],
    labels: LabelSelector,
    annotations: LabelSelector,
}

impl Chosen {
    pub(crate) fn new(selector: &Selector) -> Result<Self, String> {
        let Selector { group, version, kind, name, namespace, annotations, labels } = selector;
        let parse = |text: &str| LabelSelector::parse(text).map_err(|error| error.to_string());
        Ok(Self {
            patterns: [
                pattern(group)?,
                pattern(version)?,
                pattern(kind)?,
                pattern(name)?,
                pattern(namespace)?,
            ],
            labels: parse(labels)?,
            annotations: parse(annotations)?,
        })
    }

    fn has(&self, resource: &Resource) -> bool {
        let [group, version, kind, name, namespace] = &self.patterns;
        let (now, first) = (resource.id(), resource.first_id());
        let fits = |pattern: &Option<Regex>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| pattern.is_match(text.as_bytes()))
        };
        (fits(namespace, first.place()) || fits(namespace, now.place()))
            && (fits(name, &first.name) || fits(name, &now.name))
            && fits(group, &now.kind.group)
            && fits(version, &now.kind.version)
            && fits(kind, &now.kind.kind)
            && self.has_texts(resource)
    }

    /// Whether labels and annotations are those that are wanted.
    pub(crate) fn has_texts(&self, resource: &Resource) -> bool {
        let map = |field| resource.texts(field).into_iter().collect();
        fits_texts(&self.labels, &map("labels")) && fits_texts(&self.annotations, &map("annotations"))
    }
}

fn fits_texts(selector: &LabelSelector, texts: &BTreeMap<String, String>) -> bool {
    selector.matches_map(texts)
}

/// A pattern for a whole text; none for an empty one.
fn pattern(text: &str) -> Result<Option<Regex>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    expression(&format!("^(?:{text})$")).map(Some)
}

/// A regular expression over ASCII, as Go has it, of bounded size.
pub(crate) fn expression(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text).unicode(false).size_limit(1 << 20).build();
    built.map_err(|error| format!("`{text}` is no regular expression: {error}"))
}
