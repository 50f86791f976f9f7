//! What an applier removes by no longer mentioning it: what it owned last time, does not apply now,
//! and nobody else owns.

use serde_json::{Map, Value};

use super::element;
use super::extract::field_set;
use super::set::{FieldSet, SELF, Trie, is_member, node};
use crate::SchemaRef;
use crate::schema::Shape;

/// Removes from a merged object what is in `last` and neither in `owned`, the paths of all managers,
/// nor needed by what is.
pub(super) fn prune(schema: SchemaRef<'_>, merged: &mut Value, last: &FieldSet, owned: &FieldSet) {
    let last = with_named_parents(schema, last);
    let held = with_named_parents(schema, owned);
    let all = with_named_parents(schema, &field_set(merged, schema));
    let without = |doomed: &FieldSet| {
        let mut pruned = merged.clone();
        remove(schema, &mut pruned, &doomed.0, Emptied::IsNull);
        with_named_parents(schema, &field_set(&pruned, schema))
    };
    let unowned = all.difference(&without(&last)).difference(&held);
    let doomed = all.difference(&without(&unowned)).intersection(&last);
    remove(schema, merged, &doomed.0, Emptied::IsDropped(Some(&owned.0)));
}

/// What becomes of a container that loses all it had.
#[derive(Clone, Copy)]
enum Emptied<'o> {
    /// It is null, that is, still there.
    IsNull,
    /// It goes, unless it is itself among what is owned here.
    IsDropped(Option<&'o Trie>),
}

impl<'o> Emptied<'o> {
    fn owned(self, spelled: &str) -> Option<&'o Value> {
        match self {
            Self::IsNull | Self::IsDropped(None) => None,
            Self::IsDropped(Some(owned)) => owned.get(spelled),
        }
    }

    fn below(self, spelled: &str) -> Self {
        match self {
            Self::IsNull => self,
            Self::IsDropped(_) => Self::IsDropped(self.owned(spelled).and_then(Value::as_object)),
        }
    }
}

/// The set with the declared fields above its members: who sets `spec.replicas` holds on to `spec`.
fn with_named_parents(schema: SchemaRef<'_>, set: &FieldSet) -> FieldSet {
    FieldSet(named_parents(schema, &set.0))
}

fn named_parents(schema: SchemaRef<'_>, trie: &Trie) -> Trie {
    let nodes = trie.iter().filter(|(name, _)| *name != SELF).filter_map(|(spelled, below)| {
        let field = spelled.strip_prefix("f:");
        let inner = match field {
            Some(name) => schema.field_or_any(name),
            None => schema.items(),
        };
        let children = below.as_object().map(|below| named_parents(inner, below)).unwrap_or_default();
        let named = !children.is_empty() && field.is_some_and(|name| schema.declares(name));
        Some((spelled.clone(), node(is_member(below) || named, children)?))
    });
    nodes.collect()
}

/// Removes the members of a set from a value.
fn remove(schema: SchemaRef<'_>, value: &mut Value, doomed: &Trie, emptied: Emptied<'_>) {
    let is_open = matches!(schema.shape(), Shape::Map { atomic: false } | Shape::Any);
    match (schema.shape(), value) {
        (_, Value::Object(fields)) if is_open => remove_fields(schema, fields, doomed, emptied),
        (Shape::List(list), Value::Array(items)) => items.retain_mut(|item| {
            let Some(spelled) = element::item(list, item) else { return true };
            let below = doomed.get(&spelled);
            below.is_none_or(|below| keep(schema.items(), item, below, &spelled, emptied))
        }),
        _ => {}
    }
}

fn remove_fields(
    schema: SchemaRef<'_>,
    fields: &mut Map<String, Value>,
    doomed: &Trie,
    emptied: Emptied<'_>,
) {
    for (spelled, below) in doomed {
        let Some(name) = spelled.strip_prefix("f:") else { continue };
        if let Some(value) = fields.get_mut(name)
            && !keep(schema.field_or_any(name), value, below, spelled, emptied)
        {
            fields.remove(name);
        }
    }
}

/// Carries out what is doomed at and below a value; false when the value goes.
fn keep(
    schema: SchemaRef<'_>,
    value: &mut Value,
    doomed: &Value,
    spelled: &str,
    emptied: Emptied<'_>,
) -> bool {
    if is_member(doomed) {
        return false;
    }
    if let Some(below) = doomed.as_object() {
        remove(schema, value, below, emptied.below(spelled));
    }
    let is_empty = match &*value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    match emptied {
        _ if !is_empty => true,
        Emptied::IsNull => {
            *value = Value::Null;
            true
        }
        Emptied::IsDropped(_) => emptied.owned(spelled).is_some_and(is_member),
    }
}
