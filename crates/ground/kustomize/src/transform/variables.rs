//! Variables: `$(NAME)` in fields that take them, replaced by a value of an object.
//!
//! They are deprecated, but still built.

use std::collections::BTreeMap;

use mainstay_source::Place;

use super::replacements::lookup;
use crate::fields::{Field, Make};
use crate::id::{self, Id, Kinds};
use crate::kustomization::Variable;
use crate::node::{Content, Node};
use crate::resources::Resources;
use crate::scalar::Tag;

/// Notes which object each variable is read from.
pub(crate) fn note(resources: &mut Resources, variables: &[Variable]) -> Result<(), String> {
    for variable in variables {
        let object = &variable.objref;
        let mut kind = id::kind(&object.api_version, &object.kind);
        if object.api_version.is_empty() {
            kind.group.clone_from(&object.group);
            kind.version.clone_from(&object.version);
        }
        let wanted = Id { kind, name: object.name.clone(), namespace: object.namespace.clone() };
        let is_exact = !wanted.namespace.is_empty() || wanted.is_cluster_wide();
        let found = resources.indices(|id| {
            id.kind == wanted.kind && id.name == wanted.name && (!is_exact || id.is_beside(&wanted))
        });
        match found.as_slice() {
            [] => {}
            [index] => resources.0[*index].variables.push(variable.name.clone()),
            _ => return Err(format!("the variable `{}` may be of several objects", variable.name)),
        }
    }
    Ok(())
}

/// Replaces all variables.
pub(crate) fn resolve(
    resources: &mut Resources,
    variables: &[Variable],
    fields: &[Field],
) -> Result<(), String> {
    if variables.is_empty() {
        return Ok(());
    }
    let mut values = BTreeMap::new();
    for variable in variables {
        values.insert(variable.name.as_str(), value(resources, variable)?);
    }
    for resource in &mut resources.0 {
        let kind = resource.kind();
        let Some(node) = resource.node.as_mut() else { continue };
        for field in fields {
            let field = if field.kinds.has(&kind) {
                Field { kinds: Kinds::default(), ..field.clone() }
            } else {
                continue;
            };
            field.apply(&kind, node, Make::Nothing, Place::default(), &mut |node| write(node, &values))?;
        }
    }
    Ok(())
}

fn value(resources: &Resources, variable: &Variable) -> Result<Node, String> {
    let path = match variable.fieldref.field_path.as_str() {
        "" => "metadata.name",
        path => path,
    };
    let mut owners = resources.0.iter().filter(|resource| resource.variables.contains(&variable.name));
    let owner = owners
        .next()
        .ok_or_else(|| format!("the variable `{}` is of no object that is there", variable.name))?;
    // `ports[0]` is the first item of `ports`.
    let path = path.replace('[', ".").replace(']', "");
    let found = owner.node.as_ref().and_then(|node| lookup(node, &path));
    found
        .cloned()
        .ok_or_else(|| format!("the object of the variable `{}` has no field `{path}`", variable.name))
}

fn write(node: &mut Node, values: &BTreeMap<&str, Node>) -> Result<(), String> {
    match &mut node.content {
        Content::Scalar(Tag::Text, text) => {
            let replaced = replaced(text, values);
            node.content = replaced;
            Ok(())
        }
        Content::Scalar(..) => Ok(()),
        Content::Map(fields) => {
            for value in fields.values_mut() {
                if let Content::Scalar(Tag::Text, text) = &value.content {
                    value.content = replaced(text, values);
                }
            }
            Ok(())
        }
        Content::List(items) => items.iter_mut().try_for_each(|item| match &item.content {
            Content::Scalar(Tag::Text, text) => {
                item.content = replaced(text, values);
                Ok(())
            }
            _ => Err("only text can hold variables".to_owned()),
        }),
    }
}

/// A text with its variables replaced; one that is a variable and nothing else becomes its value.
fn replaced(text: &str, values: &BTreeMap<&str, Node>) -> Content {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(place) = rest.find('$') {
        let after = &rest[place + 1..];
        out.push_str(&rest[..place]);
        if let Some(more) = after.strip_prefix('$') {
            out.push('$');
            rest = more;
        } else if let Some((name, more)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            if let Some(Content::Scalar(tag, value)) = values.get(name).map(|node| &node.content) {
                if text.len() == name.len() + 3 {
                    return Content::Scalar(*tag, value.clone());
                }
                out.push_str(value);
            } else {
                out.push_str("$(");
                out.push_str(name);
                out.push(')');
            }
            rest = more;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    Content::Scalar(Tag::Text, out)
}
