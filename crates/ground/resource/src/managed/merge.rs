//! An object with a configuration laid over it: what the configuration mentions is as it says,
//! everything else stays. Nothing is removed here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::element;
use crate::SchemaRef;
use crate::schema::{ListType, Shape};

/// Lays `config` over `value`.
pub(super) fn merge(schema: SchemaRef<'_>, value: &mut Value, config: &Value) {
    match (schema.shape(), &mut *value, config) {
        (Shape::Map { atomic: false } | Shape::Any, Value::Object(fields), Value::Object(config)) => {
            merge_fields(schema, fields, config);
        }
        // Null says nothing of a container's content.
        (Shape::Map { atomic: false } | Shape::Any, Value::Object(fields), Value::Null)
            if !fields.is_empty() => {}
        (Shape::List(ListType::Set | ListType::Map(_)), Value::Array(items), Value::Null)
            if !items.is_empty() => {}
        (
            Shape::List(list @ (ListType::Set | ListType::Map(_))),
            Value::Array(items),
            Value::Array(config),
        ) => {
            let merged = merge_items(schema.items(), list, std::mem::take(items), config);
            *items = merged;
        }
        _ => value.clone_from(config),
    }
}

fn merge_fields(schema: SchemaRef<'_>, fields: &mut Map<String, Value>, config: &Map<String, Value>) {
    for (name, config) in config {
        match fields.get_mut(name) {
            Some(value) => merge(schema.field_or_any(name), value, config),
            None => {
                fields.insert(name.clone(), config.clone());
            }
        }
    }
}

/// Items come in the live order while the configuration does not say otherwise; new ones come where
/// the configuration has them.
fn merge_items(schema: SchemaRef<'_>, list: &ListType, live: Vec<Value>, config: &[Value]) -> Vec<Value> {
    let unidentified = |index: usize| format!("\0{index}");
    let key =
        |(index, item): (usize, &Value)| element::item(list, item).unwrap_or_else(|| unidentified(index));
    let live_keys: Vec<String> = live.iter().enumerate().map(key).collect();
    let config_keys: Vec<String> = config.iter().enumerate().map(key).collect();
    let wanted: BTreeSet<&str> = config_keys.iter().map(String::as_str).collect();
    let mut live_at: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, key) in live_keys.iter().enumerate() {
        live_at.entry(key).or_default().push(index);
    }
    let mut live: Vec<Option<Value>> = live.into_iter().map(Some).collect();
    let mut shared = config_keys.iter().filter(|key| live_at.contains_key(key.as_str())).peekable();
    let mut merged: BTreeSet<&str> = BTreeSet::new();
    let mut out = Vec::with_capacity(live.len().max(config.len()));
    let (mut left, mut right) = (0, 0);
    while left < live_keys.len() || right < config_keys.len() {
        let ours = live_keys.get(left).map(String::as_str);
        let theirs = config_keys.get(right).map(String::as_str);
        if let Some(ours) = ours.filter(|ours| Some(*ours) != theirs) {
            if !wanted.contains(ours) {
                out.extend(live[left].take());
                left += 1;
                continue;
            }
            // A shared item whose turn in the configuration has not come: it comes later.
            if theirs.is_some() && shared.peek().is_some_and(|next| next.as_str() != ours) {
                left += 1;
                continue;
            }
            left += usize::from(theirs.is_none() || merged.contains(ours));
        }
        let Some(theirs) = theirs else { continue };
        if merged.insert(theirs) {
            let before = match live_at.get(theirs).map(Vec::as_slice) {
                Some([only]) => live[*only].take(),
                _ => None,
            };
            out.push(merged_item(schema, before, &config[right]));
        }
        shared.next_if(|next| next.as_str() == theirs);
        left += usize::from(ours == Some(theirs));
        right += 1;
    }
    out
}

fn merged_item(schema: SchemaRef<'_>, before: Option<Value>, config: &Value) -> Value {
    match before {
        Some(mut value) => {
            merge(schema, &mut value, config);
            value
        }
        None => config.clone(),
    }
}

/// Takes the nulls out that a configuration brought: an object does not store them.
pub(super) fn drop_nulls(schema: SchemaRef<'_>, value: &mut Value) {
    match (schema.shape(), value) {
        (Shape::Map { .. }, Value::Object(fields)) => {
            fields.retain(|name, value| !(value.is_null() && schema.declares(name)));
            for (name, value) in fields {
                drop_nulls(schema.field_or_any(name), value);
            }
        }
        (Shape::List(_), Value::Array(items)) => {
            for item in items {
                drop_nulls(schema.items(), item);
            }
        }
        _ => {}
    }
}

/// Whether there is a null anywhere.
pub(super) fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}
