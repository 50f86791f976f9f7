//! Replacements: a value of one object, copied to fields of others.

use crate::id::{Id, Kinds};
use crate::kustomization::{FieldOptions, From, Selector, To};
use crate::node::{Content, Node};
use crate::resource::Resource;
use crate::resources::{Chosen, Resources, expression};
use crate::scalar::{self, Tag};

mod path;

pub(super) use path::lookup;

/// Where a value is when nothing is said of it.
const NAME: &str = "metadata.name";

/// Copies a value.
pub(crate) fn replace(resources: &mut Resources, source: &From, targets: &[To]) -> Result<(), String> {
    let value = value(resources, source)?;
    for target in targets {
        let select = target.select.as_ref().ok_or("a target must say what it selects")?;
        let chosen = Chosen::new(select)?;
        for resource in &mut resources.0 {
            let ids = resource.ids();
            let is_selected = chosen.has_texts(resource) && ids.iter().any(|id| is_selected(id, select));
            if is_selected && !is_rejected(resource, &ids, &target.reject)? {
                copy(resource, &value, target)?;
            }
        }
    }
    Ok(())
}

fn value(resources: &Resources, source: &From) -> Result<Node, String> {
    let selector = Selector {
        group: source.group.clone(),
        version: source.version.clone(),
        kind: source.kind.clone(),
        name: source.name.clone(),
        namespace: source.namespace.clone(),
        ..Selector::default()
    };
    let is_source = |resource: &&Resource| resource.ids().iter().any(|id| is_selected(id, &selector));
    let mut found = resources.0.iter().filter(is_source);
    let Some(resource) = found.next() else { return Err("nothing is selected by the source".to_owned()) };
    if found.next().is_some() {
        return Err("the source selects several objects".to_owned());
    }
    let path = if source.field_path.is_empty() { NAME } else { &source.field_path };
    let node = resource.node.as_ref().and_then(|node| path::lookup(node, path));
    let Some(node) = node.filter(|node| !node.is_nothing()) else {
        return Err(format!("the source {} has no field `{path}`", resource.id()));
    };
    let Some(options) = source.options.as_ref().filter(|options| !options.delimiter.is_empty()) else {
        return Ok(node.clone());
    };
    let Content::Scalar(tag, text) = &node.content else {
        return Err("delimiter option can only be used with scalar nodes".to_owned());
    };
    let part =
        usize::try_from(options.index).ok().and_then(|index| text.split(&options.delimiter).nth(index));
    let part =
        part.ok_or_else(|| format!("options.index {} is out of bounds for value {text}", options.index))?;
    Ok(Node { content: Content::Scalar(*tag, part.to_owned()), at: node.at })
}

fn is_selected(id: &Id, selector: &Selector) -> bool {
    let kinds = Kinds {
        group: selector.group.clone(),
        version: selector.version.clone(),
        kind: selector.kind.clone(),
    };
    let wanted = Id { namespace: selector.namespace.clone(), ..id.clone() };
    (selector.name.is_empty() || selector.name == id.name)
        && (selector.namespace.is_empty() || wanted_place(&wanted) == id.place())
        && kinds.has(&id.kind)
}

/// The namespace that a selector means: it knows no kinds without one.
fn wanted_place(wanted: &Id) -> &str {
    if wanted.namespace.is_empty() { "default" } else { &wanted.namespace }
}

fn is_rejected(resource: &Resource, ids: &[Id], rejects: &[Selector]) -> Result<bool, String> {
    for reject in rejects {
        let has_texts = !reject.annotations.is_empty() || !reject.labels.is_empty();
        if has_texts && Chosen::new(reject)?.has_texts(resource) {
            return Ok(true);
        }
        let is_empty = [&reject.group, &reject.version, &reject.kind, &reject.name, &reject.namespace]
            .iter()
            .all(|part| part.is_empty());
        if !is_empty && ids.iter().any(|id| is_selected(id, reject)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn copy(resource: &mut Resource, value: &Node, target: &To) -> Result<(), String> {
    let id = resource.id();
    let Some(node) = resource.node.as_mut() else { return Ok(()) };
    let name = [NAME.to_owned()];
    let paths = if target.field_paths.is_empty() { &name[..] } else { &target.field_paths };
    let options = target.options.clone().unwrap_or_default();
    for path in paths {
        let mut count = 0;
        path::visit(node, path, options.create.then_some(value), &mut |field| {
            count += 1;
            set(field, value, &options)
        })?;
        if count == 0 {
            let find = if options.create { "find or create" } else { "find" };
            return Err(format!("unable to {find} field \"{path}\" in replacement target {id}"));
        }
    }
    Ok(())
}

fn set(field: &mut Node, value: &Node, options: &FieldOptions) -> Result<(), String> {
    let mut value = value.clone();
    if !options.delimiter.is_empty() {
        let Content::Scalar(_, text) = &field.content else {
            return Err("delimiter option can only be used with scalar nodes".to_owned());
        };
        let mut parts: Vec<&str> = text.split(&options.delimiter).collect();
        let new = value.as_text();
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, new),
            Ok(index) => match parts.get_mut(index) {
                Some(part) => *part = new,
                None => parts.push(new),
            },
        }
        let joined = parts.join(&options.delimiter);
        value = Node { content: Content::Scalar(Tag::Text, joined), at: value.at };
    }
    let Content::Scalar(tag, text) = &mut field.content else {
        *field = value;
        return Ok(());
    };
    // A scalar stays what it is, with another text: a number in a text's place is text.
    let new = value.as_text().to_owned();
    *tag = match *tag {
        Tag::Text => Tag::Text,
        _ => scalar::read(&new),
    };
    *text = new;
    field.at = value.at;
    Ok(())
}

/// A pattern for the items of a list.
fn pattern(text: &str) -> Result<regex::bytes::Regex, String> {
    expression(text)
}
