//! Strategic merge, as kustomize does it: what a patch adds to a list comes first.
//!
//! Lists of built-in kinds merge by their keys; every other list is replaced. `null` takes a field
//! away, `$patch: delete`, `replace` and `merge` say what becomes of a map, a list or an item.
//!
//! **Spec:** kyaml's `merge2`, its oddities with it: a null written out stays, an empty one goes.

use mainstay_resource::schema::ListType;
use mainstay_resource::{GroupVersionKind, Schema, SchemaRef};

use crate::node::{Content, Fields, Node};
use crate::scalar::Tag;

mod list;

const DIRECTIVE: &str = "$patch";

/// Fields that merge today but did not when kustomize's table was made.
const NEWER: [&str; 2] = ["schedulingGates", "resourceClaims"];

/// What a patch says of a value as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// What is merged, and how lists in it merge.
type How = Option<SchemaRef<'static>>;

/// The schema by which patches of a kind merge; nothing of a kind that is not built in.
pub(crate) fn schema(kind: &GroupVersionKind) -> How {
    let known = Schema::for_kind(kind);
    // A version that is gone, with a pod in it.
    let successor = (kind.group == "batch" && kind.kind == "CronJob")
        .then(|| GroupVersionKind::new("batch", "v1", "CronJob"));
    known.or_else(|| successor.and_then(|kind| Schema::for_kind(&kind)))
}

/// Merges a patch into an object; nothing when the patch deletes it.
pub(crate) fn merge(object: Node, patch: Node, how: How) -> Result<Option<Node>, String> {
    walk(Some(object), Some(patch), how).map(|merged| merged.map(|(node, _)| node))
}

/// A merged value, and whether it is the old one changed rather than one of the patch.
type Merged = Option<(Node, bool)>;

fn walk(old: Option<Node>, patch: Option<Node>, how: How) -> Result<Merged, String> {
    let first = [&old, &patch].into_iter().flatten().find(|node| !node.is_null());
    match first.map(|node| &node.content) {
        None | Some(Content::Map(_)) => {
            expect(old.as_ref(), patch.as_ref(), "mapping", |node| matches!(node.content, Content::Map(_)))?;
            maps(old, patch, how)
        }
        Some(Content::List(_)) => {
            expect(old.as_ref(), patch.as_ref(), "sequence", |node| {
                matches!(node.content, Content::List(_))
            })?;
            match how.filter(|how| how.patch_merges()) {
                Some(how) => list::merge(old, patch, how),
                None => Ok(patch.map(|patch| (patch, false)).or_else(|| old.map(|old| (old, true)))),
            }
        }
        Some(Content::Scalar(..)) => {
            expect(old.as_ref(), patch.as_ref(), "scalar", |node| {
                matches!(node.content, Content::Scalar(..))
            })?;
            // What the patch only repeats stands where it stood.
            let patch = patch.filter(|patch| old.as_ref() != Some(patch));
            Ok(patch.map(|patch| (patch, false)).or_else(|| old.map(|old| (old, true))))
        }
    }
}

fn expect(
    old: Option<&Node>,
    patch: Option<&Node>,
    wanted: &str,
    is_it: impl Fn(&Node) -> bool,
) -> Result<(), String> {
    let wrong = [old, patch].into_iter().flatten().any(|node| !node.is_null() && !is_it(node));
    if wrong { Err(format!("wrong node kind: a {wanted} is expected")) } else { Ok(()) }
}

fn is_missing(node: Option<&Node>) -> bool {
    node.is_none_or(Node::is_null)
}

fn maps(old: Option<Node>, mut patch: Option<Node>, how: How) -> Result<Merged, String> {
    let said = patch.as_mut().map_or(Ok(Directive::Merge), directive_of_map);
    if is_missing(old.as_ref()) {
        if said == Ok(Directive::Delete) {
            return Ok(None);
        }
        // A null that is written out stays when no patch speaks of it.
        return match (old, patch) {
            (Some(old), None) if !old.as_text().is_empty() => Ok(Some((old, true))),
            (_, None) => Ok(None),
            (_, Some(patch)) => within_itself(patch, how),
        };
    }
    if patch.as_ref().is_some_and(Node::is_null) {
        return Ok(None);
    }
    match (said?, patch) {
        (Directive::Delete, _) => Ok(None),
        (Directive::Replace, Some(patch)) => within_itself(patch, how),
        (_, patch) => fields(old, patch, how).map(|node| node.map(|node| (node, true))),
    }
}

/// A value of the patch alone, with what it says of its own parts carried out.
fn within_itself(patch: Node, how: How) -> Result<Merged, String> {
    if patch.is_null() {
        return Ok(Some((patch, false)));
    }
    let old = patch.clone();
    fields(Some(old), Some(patch), how).map(|node| node.map(|node| (node, false)))
}

fn fields(old: Option<Node>, patch: Option<Node>, how: How) -> Result<Option<Node>, String> {
    let Some(mut node) = old else { return Ok(None) };
    let Content::Map(mut merged) = node.content else { return Ok(Some(node)) };
    let mut changes = match patch.map(|patch| patch.content) {
        Some(Content::Map(fields)) => fields,
        _ => Fields::default(),
    };
    let mut names: Vec<String> =
        merged.iter().chain(changes.iter()).map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let key = merged.key_place(&name).or_else(|| changes.key_place(&name));
        let inner = how.filter(|_| !NEWER.contains(&name.as_str())).and_then(|how| how.field(&name));
        let value = walk(merged.remove(&name), changes.remove(&name), inner)?;
        // Only what an object already said is nothing may stay nothing.
        let kept = value.filter(|(value, is_old)| !value.is_null() || *is_old);
        if let Some((value, _)) = kept {
            merged.set_at(&name, key.unwrap_or(value.at), value);
        }
    }
    node.content = Content::Map(merged);
    Ok(Some(node))
}

/// What a map says of itself; that is taken away.
fn directive_of_map(patch: &mut Node) -> Result<Directive, String> {
    let said = match patch.fields_mut() {
        Some(fields) => fields.remove(DIRECTIVE),
        None => return Ok(Directive::Merge),
    };
    said.map_or(Ok(Directive::Merge), |said| directive(said.as_text()))
}

fn directive(text: &str) -> Result<Directive, String> {
    match text {
        "delete" => Ok(Directive::Delete),
        "replace" => Ok(Directive::Replace),
        "merge" => Ok(Directive::Merge),
        other => Err(format!("unknown patch strategy '{other}'")),
    }
}

/// The fields by which a list's items are told apart; none of a list of scalars.
fn keys(how: SchemaRef<'static>) -> Vec<String> {
    match (how.list_type(), how.patch_merge_key()) {
        (ListType::Map(keys), _) => {
            let names: Vec<String> = keys.iter().map(|key| key.name.to_string()).collect();
            match how.patch_merge_key() {
                // The table sorts keys by name; the merge key comes first.
                Some(first) if names.len() > 1 => {
                    let rest = names.iter().filter(|name| *name != first).cloned();
                    std::iter::once(first.to_owned()).chain(rest).collect()
                }
                _ => names,
            }
        }
        (_, Some(key)) => vec![key.to_owned()],
        (_, None) => Vec::new(),
    }
}

/// Whether a value is an empty map or nothing: such items are dropped from a merged list.
fn is_dropped(node: &Node) -> bool {
    match &node.content {
        Content::Map(fields) => fields.is_empty(),
        Content::Scalar(tag, _) => *tag == Tag::Null,
        Content::List(_) => false,
    }
}
