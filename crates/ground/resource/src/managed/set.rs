//! Sets of field paths, in the form managed fields are stored in.
//!
//! The JSON form is itself a trie, so it *is* the set: `{"f:spec":{"f:replicas":{}}}`. An empty
//! node is a member; a node with children is a member only with the child `.`. Nothing is parsed on
//! the way in or out of an object, and a change touches only its own branch.
//!
//! **Invariants:** no node is empty unless it is a member; equal elements are spelled equally
//! ([`FieldSet::from_fields_v1`] makes both true of foreign input).

use std::fmt::Write;

use serde_json::{Map, Value};

use super::element::Element;

/// The trie's inner form.
pub(super) type Trie = Map<String, Value>;

pub(super) const SELF: &str = ".";

/// A set of field paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldSet(pub(super) Trie);

impl FieldSet {
    /// Reads a `fieldsV1`; `None` when it is none. Elements of unknown kinds are dropped, as upstream
    /// does.
    pub fn from_fields_v1(fields: &Value) -> Option<Self> {
        normalised(fields.as_object()?).map(Self)
    }

    /// The set as a `fieldsV1`.
    pub fn into_fields_v1(self) -> Value {
        Value::Object(self.0)
    }

    /// The set as JSON text, its elements in upstream's order.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write_ordered(&self.0, &mut out);
        out
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a path.
    pub fn insert(&mut self, path: &[Element]) {
        let Some((last, parents)) = path.split_last() else { return };
        let mut node = Value::Object(Map::from_iter([(last.spelled(), Value::Object(Map::new()))]));
        for element in parents.iter().rev() {
            node = Value::Object(Map::from_iter([(element.spelled(), node)]));
        }
        if let Value::Object(trie) = node {
            union_into(&mut self.0, &trie);
        }
    }

    /// Whether a path is in the set.
    pub fn contains(&self, path: &[Element]) -> bool {
        let Some((last, parents)) = path.split_last() else { return false };
        let parent =
            parents.iter().try_fold(&self.0, |trie, element| trie.get(&element.spelled())?.as_object());
        parent.and_then(|trie| trie.get(&last.spelled())).is_some_and(is_member)
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut out = self.clone();
        union_into(&mut out.0, &other.0);
        out
    }

    /// What is here and not there. A path's children are paths of their own.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut out = self.clone();
        subtract_from(&mut out.0, &other.0);
        out
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(intersection(&self.0, &other.0))
    }

    /// Whether all of this is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        is_subset(&self.0, &other.0)
    }

    /// The members that have no member below them.
    #[must_use]
    pub fn leaves(&self) -> Self {
        Self(leaves(&self.0))
    }

    /// Takes a path and everything below it out.
    pub fn remove_branch(&mut self, path: &[&str]) {
        remove_branch(&mut self.0, path);
    }

    /// The paths as messages print them (`.spec.replicas`), in upstream's order.
    pub fn paths(&self) -> Vec<String> {
        let mut out = Vec::new();
        collect_paths(&self.0, "", &mut out);
        out
    }
}

/// Whether a node is itself in the set.
pub(super) fn is_member(node: &Value) -> bool {
    node.as_object().is_none_or(|children| children.is_empty() || children.contains_key(SELF))
}

/// The node of a member, or of what has children, or of both; `None` for nothing.
pub(super) fn node(member: bool, mut children: Trie) -> Option<Value> {
    if children.is_empty() {
        return member.then_some(Value::Object(children));
    }
    if member {
        children.insert(SELF.to_owned(), Value::Object(Map::new()));
    }
    Some(Value::Object(children))
}

fn children_of(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    node.as_object().into_iter().flatten().filter(|(name, _)| *name != SELF)
}

pub(super) fn union_into(trie: &mut Trie, other: &Trie) {
    for (name, theirs) in other {
        match trie.get_mut(name) {
            None => {
                trie.insert(name.clone(), theirs.clone());
            }
            Some(ours) => union_node(ours, theirs),
        }
    }
}

fn union_node(ours: &mut Value, theirs: &Value) {
    let member = is_member(ours) || is_member(theirs);
    let Value::Object(children) = ours else { return };
    for (name, theirs) in children_of(theirs) {
        match children.get_mut(name) {
            None => {
                children.insert(name.clone(), theirs.clone());
            }
            Some(ours) => union_node(ours, theirs),
        }
    }
    if member && !children.is_empty() && !children.contains_key(SELF) {
        children.insert(SELF.to_owned(), Value::Object(Map::new()));
    }
}

pub(super) fn subtract_from(trie: &mut Trie, other: &Trie) {
    for (name, theirs) in other {
        if let Some(ours) = trie.get_mut(name)
            && subtract_node(ours, theirs)
        {
            trie.remove(name);
        }
    }
}

/// Whether nothing is left of the node.
fn subtract_node(ours: &mut Value, theirs: &Value) -> bool {
    let was_member = is_member(ours);
    let member = was_member && !is_member(theirs);
    let Value::Object(children) = ours else { return !member };
    for (name, theirs) in children_of(theirs) {
        if let Some(ours) = children.get_mut(name)
            && subtract_node(ours, theirs)
        {
            children.remove(name);
        }
    }
    if !member || children.len() == 1 {
        children.remove(SELF);
    }
    !member && children.is_empty()
}

pub(super) fn intersection(left: &Trie, right: &Trie) -> Trie {
    let (small, large) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    let both = small.iter().filter(|(name, _)| *name != SELF).filter_map(|(name, ours)| {
        let theirs = large.get(name)?;
        let none = Trie::new();
        let below = intersection(ours.as_object().unwrap_or(&none), theirs.as_object().unwrap_or(&none));
        Some((name.clone(), node(is_member(ours) && is_member(theirs), below)?))
    });
    both.collect()
}

pub(super) fn is_subset(part: &Trie, whole: &Trie) -> bool {
    part.iter().filter(|(name, _)| *name != SELF).all(|(name, ours)| {
        whole.get(name).is_some_and(|theirs| {
            (!is_member(ours) || is_member(theirs))
                && match (ours, theirs) {
                    (Value::Object(ours), Value::Object(theirs)) => is_subset(ours, theirs),
                    _ => true,
                }
        })
    })
}

fn leaves(trie: &Trie) -> Trie {
    let leaf = |(name, node): (&String, &Value)| {
        let below = node.as_object().map(leaves).unwrap_or_default();
        let member = children_of(node).next().is_none();
        Some((name.clone(), self::node(member, below)?))
    };
    trie.iter().filter(|(name, _)| *name != SELF).filter_map(leaf).collect()
}

/// Whether the trie is empty now.
pub(super) fn remove_branch(trie: &mut Trie, path: &[&str]) -> bool {
    if let Some((first, rest)) = path.split_first() {
        let name = format!("f:{first}");
        let empty = match trie.get_mut(&name) {
            Some(_) if rest.is_empty() => true,
            Some(Value::Object(children)) => !children.is_empty() && remove_branch(children, rest),
            _ => false,
        };
        if empty {
            trie.remove(&name);
        }
    }
    trie.is_empty()
}

fn normalised(trie: &Trie) -> Option<Trie> {
    let mut out = Trie::new();
    for (name, below) in trie {
        let below = below.as_object()?;
        if name == SELF || (!name.is_empty() && !name.starts_with(['f', 'k', 'v', 'i'])) {
            continue;
        }
        let member = below.is_empty() || below.contains_key(SELF);
        let name = Element::parse(name)?.spelled();
        let below = normalised(below)?;
        // What had only unknown elements below it is a member, as upstream reads it.
        if let Some(node) = node(member || below.is_empty(), below) {
            union_into(&mut out, &Trie::from_iter([(name, node)]));
        }
    }
    Some(out)
}

/// The elements of a trie in upstream's order, `.` left out.
fn ordered(trie: &Trie) -> Vec<(Element, &Value)> {
    let elements = trie.iter().filter_map(|(name, node)| Some((Element::parse(name)?, node)));
    let mut elements: Vec<_> = elements.collect();
    elements.sort_by(|left, right| left.0.compare(&right.0));
    elements
}

fn write_ordered(trie: &Trie, out: &mut String) {
    out.push('{');
    if trie.contains_key(SELF) {
        out.push_str("\".\":{},");
    }
    for (element, node) in ordered(trie) {
        let _ = write!(out, "{}:", Value::from(element.spelled()));
        match node.as_object() {
            Some(children) => write_ordered(children, out),
            None => out.push_str("{}"),
        }
        out.push(',');
    }
    if out.ends_with(',') {
        out.pop();
    }
    out.push('}');
}

fn collect_paths(trie: &Trie, prefix: &str, out: &mut Vec<String>) {
    let elements = ordered(trie);
    out.extend(
        elements.iter().filter(|(_, node)| is_member(node)).map(|(element, _)| format!("{prefix}{element}")),
    );
    for (element, node) in &elements {
        if let Some(children) = node.as_object() {
            collect_paths(children, &format!("{prefix}{element}"), out);
        }
    }
}
