//! Paths of fields with points: `spec.containers.[name=web].image`, `spec.rules.*.host`, `a.0`.

use mainstay_source::Place;

use super::pattern;
use crate::fields::split;
use crate::node::{Content, Node};
use crate::scalar::Tag;

/// The parts of a path; what stands in brackets is one, points in it or not.
pub(crate) fn parts(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut pieces = split(path, '.').into_iter();
    while let Some(piece) = pieces.next() {
        if !piece.starts_with('[') || piece.ends_with(']') {
            parts.push(piece);
            continue;
        }
        let mut whole = piece;
        for piece in pieces.by_ref() {
            whole.push('.');
            whole.push_str(&piece);
            if piece.ends_with(']') {
                break;
            }
        }
        parts.push(if whole.contains('=') { whole } else { whole.trim_matches(['[', ']']).to_owned() });
    }
    parts
}

/// `[name=web]`: the field and its value.
fn item(part: &str) -> Option<(&str, &str)> {
    part.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

/// The one value at a path.
pub(crate) fn lookup<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    parts(path).iter().filter(|part| !part.trim().is_empty()).try_fold(node, |node, part| {
        let part = part.trim();
        if let Ok(index) = part.parse::<usize>() {
            return node.items()?.get(index);
        }
        if part == "-" {
            return node.items()?.last();
        }
        match item(part) {
            Some(("", value)) => node.items()?.iter().find(|item| item.as_text() == value),
            Some((name, value)) => {
                node.items()?.iter().find(|item| item.get(name).is_some_and(|field| field.as_text() == value))
            }
            None => node.get(part),
        }
    })
}

/// Visits every value at a path; with a value to be set there, what is missing on the way is made.
pub(crate) fn visit(
    node: &mut Node,
    path: &str,
    make: Option<&Node>,
    visitor: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    walk(node, &parts(path), make, visitor)
}

fn walk(
    node: &mut Node,
    parts: &[String],
    make: Option<&Node>,
    visitor: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let Some((part, rest)) = parts.split_first() else { return visitor(node) };
    if let Ok(index) = part.parse::<usize>() {
        let items = list(node)?;
        if let Some(value) = make.filter(|_| items.len() == index) {
            items.push(fresh(rest, value));
        }
        let count = items.len();
        let Some(item) = items.get_mut(index) else {
            return Err(format!("index {index} specified but only {count} elements found"));
        };
        return walk(item, rest, make, visitor);
    }
    if part == "*" {
        return list(node)?.iter_mut().try_for_each(|item| walk(item, rest, make, visitor));
    }
    if part.starts_with('[') && part.ends_with(']') {
        let Some((name, value)) = item(part) else {
            return Err("list path element must contain fieldName=fieldValue for element to match".to_owned());
        };
        return items(node, (name, value), rest, make, visitor);
    }
    if node.is_null() {
        return Ok(());
    }
    let at = node.at;
    let Some(fields) = node.fields_mut() else { return Err(format!("`{part}` is looked for in no mapping")) };
    if let Some(value) = make
        && fields.get(part).is_none()
    {
        fields.set(part, Node { at, ..fresh(rest, value) });
    }
    fields.get_mut(part).map_or(Ok(()), |next| walk(next, rest, make, visitor))
}

fn items(
    node: &mut Node,
    (name, wanted): (&str, &str),
    rest: &[String],
    make: Option<&Node>,
    visitor: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let expression = pattern(wanted)?;
    let mut is_found = false;
    for item in list(node)?.iter_mut() {
        let text = if name.is_empty() { Some(item.as_text()) } else { item.get(name).map(Node::as_text) };
        if text.is_some_and(|text| expression.is_match(text.trim().as_bytes())) {
            is_found = true;
            walk(item, if name.is_empty() { &[] } else { rest }, make, visitor)?;
        }
    }
    let Some(value) = make.filter(|_| !is_found) else { return Ok(()) };
    let text =
        Node { content: Content::Scalar(crate::scalar::read(wanted), wanted.to_owned()), at: value.at };
    let mut item = if name.is_empty() { text.clone() } else { Node::map(value.at) };
    if let Some(fields) = item.fields_mut() {
        fields.set(name, text);
    }
    let items = list(node)?;
    items.push(item);
    items
        .last_mut()
        .map_or(Ok(()), |item| walk(item, if name.is_empty() { &[] } else { rest }, make, visitor))
}

fn list(node: &mut Node) -> Result<&mut Vec<Node>, String> {
    match &mut node.content {
        Content::List(items) => Ok(items),
        _ => Err("a sequence is expected".to_owned()),
    }
}

/// What is made so that the rest of a path can be made in it.
fn fresh(rest: &[String], value: &Node) -> Node {
    let at: Place = value.at;
    let content = match rest.first() {
        Some(next) if next.parse::<usize>().is_ok() || next.starts_with('[') => Content::List(Vec::new()),
        Some(_) => return Node::map(at),
        None => match &value.content {
            // It becomes what the value is.
            Content::Scalar(..) => Content::Scalar(Tag::Null, String::new()),
            Content::List(_) => Content::List(Vec::new()),
            Content::Map(_) => return Node::map(at),
        },
    };
    Node { content, at }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn points_in_brackets_or_after_a_backslash_do_not_part_a_path() {
        for (path, wanted) in [
            ("spec.containers.[name=a.b].image", "spec|containers|[name=a.b]|image"),
            (r"metadata.annotations.a\.b/c", "metadata|annotations|a.b/c"),
            ("metadata.annotations.[a.b/c]", "metadata|annotations|a.b/c"),
            ("spec.rules.0.host", "spec|rules|0|host"),
            ("spec.*.a", "spec|*|a"),
        ] {
            assert_eq!(parts(path).join("|"), wanted, "{path}");
        }
    }
}
