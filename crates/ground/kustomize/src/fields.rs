//! Fields by path: `spec/template/spec/containers/image` is that of every container.

use mainstay_resource::GroupVersionKind;
use mainstay_source::Place;

use crate::id::Kinds;
use crate::node::{Content, Node};
use crate::scalar::Tag;

/// A field of some kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// The kinds.
    pub kinds: Kinds,
    /// The path as it is written.
    pub path: String,
    /// Whether it is made where it is not there.
    pub create: bool,
}

/// What a missing field is made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    Nothing,
    Scalar,
    Map,
}

impl Field {
    pub(crate) fn new(path: &str, create: bool) -> Self {
        Self { kinds: Kinds::default(), path: path.to_owned(), create }
    }

    /// Lets `set` change every value that the path leads to, in an object of this kind.
    pub(crate) fn apply(
        &self,
        kind: &GroupVersionKind,
        object: &mut Node,
        make: Make,
        at: Place,
        set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
    ) -> Result<(), String> {
        if !self.kinds.has(kind) {
            return Ok(());
        }
        let path = split(&self.path, '/');
        let make = if self.create { make } else { Make::Nothing };
        walk(object, &path, make, at, set).map_err(|error| format!("the field `{}`: {error}", self.path))
    }
}

fn walk(
    node: &mut Node,
    path: &[String],
    make: Make,
    at: Place,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let Some((name, rest)) = path.split_first() else { return set(node) };
    match &mut node.content {
        Content::Scalar(Tag::Null, _) => Ok(()),
        Content::Scalar(..) => Err("a mapping or a sequence is expected on the way".to_owned()),
        Content::List(items) => items.iter_mut().try_for_each(|item| walk(item, path, make, at, set)),
        Content::Map(fields) => {
            let (name, is_list) = match name.strip_suffix("[]") {
                Some(name) => (name, true),
                None => (name.as_str(), false),
            };
            let fresh = match make {
                _ if is_list => None,
                Make::Nothing => None,
                Make::Scalar if rest.is_empty() => Some(Node::text("", at)),
                Make::Scalar | Make::Map => Some(Node::map(at)),
            };
            match (fields.get_mut(name), fresh) {
                (None, None) => return Ok(()),
                (None, Some(fresh)) => fields.set(name, fresh),
                (Some(old), Some(fresh)) if old.is_null() => *old = fresh,
                (Some(old), None) if old.is_null() && is_list => old.content = Content::List(Vec::new()),
                (Some(_), _) => {}
            }
            fields.get_mut(name).map_or(Ok(()), |next| walk(next, rest, make, at, set))
        }
    }
}

/// The parts of a path; a sign after a backslash does not part it.
pub(crate) fn split(path: &str, sign: char) -> Vec<String> {
    let mut pieces = path.split(sign);
    let mut first = pieces.next().unwrap_or_default();
    if first.is_empty()
        && let Some(second) = pieces.next()
    {
        first = second;
    }
    let mut parts = vec![first.to_owned()];
    for piece in pieces {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(sign);
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}
