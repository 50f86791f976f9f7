//! Strategic merge patch: a merge patch that merges lists by key and takes directives.
//!
//! Directives: `$patch: replace | delete | merge` in an object or a list item, `$retainKeys` in an
//! object, `$setElementOrder/LIST` and `$deleteFromPrimitiveList/LIST` beside a list. In the result
//! no directive is left.

use serde_json::{Map, Value};

use super::PatchError;
use crate::SchemaRef;

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ELEMENT_ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

pub(super) fn apply(document: Value, patch: &Value, schema: SchemaRef<'_>) -> Result<Value, PatchError> {
    let Value::Object(patch) = patch else { return malformed("invalid JSON document") };
    let mut merged = match document {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    merge_object(&mut merged, patch, schema)?;
    Ok(Value::Object(merged))
}

fn malformed<T>(message: impl Into<String>) -> Result<T, PatchError> {
    Err(PatchError::Malformed(message.into()))
}

fn unprocessable<T>(message: impl Into<String>) -> Result<T, PatchError> {
    Err(PatchError::Unprocessable(message.into()))
}

fn merge_object(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    schema: SchemaRef<'_>,
) -> Result<(), PatchError> {
    if let Some(directive) = patch.get(PATCH) {
        original.clear();
        return match directive.as_str() {
            Some("delete") => Ok(()),
            Some("replace") => {
                original.extend(cleaned_fields(patch));
                Ok(())
            }
            _ => unprocessable(format!("unknown patch type: {directive} in map: {}", shown(patch))),
        };
    }
    retain_keys(original, patch)?;
    for (name, order) in patch {
        if let Some(list) = name.strip_prefix(ELEMENT_ORDER) {
            merge_ordered(original, patch.get(list), list, order, schema.field_or_any(list))?;
        }
    }
    for (name, change) in patch {
        if let Some(list) = name.strip_prefix(DELETE_FROM) {
            delete_from(original, list, change)?;
        } else if !is_directive(name) && !patch.contains_key(&format!("{ELEMENT_ORDER}{name}")) {
            merge_field(original, name, change, schema.field_or_any(name))?;
        }
    }
    Ok(())
}

fn shown(map: &Map<String, Value>) -> String {
    serde_json::to_string(map).unwrap_or_default()
}

fn is_directive(name: &str) -> bool {
    name == PATCH || name == RETAIN_KEYS || name.starts_with(ELEMENT_ORDER) || name.starts_with(DELETE_FROM)
}

/// Drops what `$retainKeys` does not name; it must name all the patch sets.
fn retain_keys(original: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<(), PatchError> {
    let Some(retained) = patch.get(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(retained) = retained else { return malformed("invalid patch format of retainKeys") };
    let is_retained = |name: &str| retained.iter().any(|retained| retained == name);
    if patch.iter().any(|(name, value)| !value.is_null() && !is_directive(name) && !is_retained(name)) {
        return malformed("invalid patch format of retainKeys");
    }
    original.retain(|name, _| is_retained(name));
    Ok(())
}

fn merge_field(
    original: &mut Map<String, Value>,
    name: &str,
    change: &Value,
    schema: SchemaRef<'_>,
) -> Result<(), PatchError> {
    match (original.get_mut(name), change) {
        (_, Value::Null) => {
            original.remove(name);
        }
        (Some(Value::Object(current)), Value::Object(changes)) if !schema.patch_replaces() => {
            merge_object(current, changes, schema)?;
        }
        (Some(Value::Array(current)), Value::Array(changes)) if schema.patch_merges() => {
            merge_list(current, changes, schema)?;
        }
        _ => match cleaned(change) {
            Some(value) => {
                original.insert(name.to_owned(), value);
            }
            None => {
                original.remove(name);
            }
        },
    }
    Ok(())
}

fn delete_from(original: &mut Map<String, Value>, list: &str, doomed: &Value) -> Result<(), PatchError> {
    let Value::Array(doomed) = doomed else { return malformed("invalid patch format of primitive list") };
    if let Some(Value::Array(items)) = original.get_mut(list) {
        items.retain(|item| !doomed.contains(item));
    }
    Ok(())
}

/// Merges a list whose order the patch gives: `$setElementOrder` before the order in the patch's
/// list before the order in the live one.
fn merge_ordered(
    original: &mut Map<String, Value>,
    patch: Option<&Value>,
    name: &str,
    order: &Value,
    schema: SchemaRef<'_>,
) -> Result<(), PatchError> {
    let format_error = "invalid patch format of setElementOrder list";
    let Value::Array(order) = order else { return malformed(format_error) };
    let patch = match patch {
        Some(Value::Array(patch)) => Some(patch),
        None => None,
        Some(Value::Null) => {
            original.remove(name);
            return Ok(());
        }
        Some(_) => return malformed(format_error),
    };
    let before = match original.get_mut(name) {
        Some(Value::Array(items)) => Some(std::mem::take(items)),
        None => None,
        Some(_) => return malformed(format_error),
    };
    let key = schema.patch_merge_key();
    refuse_other_order(patch.map_or(&[][..], Vec::as_slice), order, key)?;
    let merged = match (&before, patch) {
        (None, None) => return Ok(()),
        (None, Some(patch)) => patch.iter().filter_map(cleaned).collect(),
        (Some(before), None) => before.clone(),
        (Some(before), Some(patch)) => {
            let mut merged = before.clone();
            if schema.patch_merges() {
                merge_list(&mut merged, patch, schema)?;
            } else {
                merged = patch.iter().filter_map(cleaned).collect();
            }
            merged
        }
    };
    let ordered = in_order(merged, order, &before.unwrap_or_default(), key)?;
    original.insert(name.to_owned(), Value::Array(ordered));
    Ok(())
}

/// The items of a patch must come in the order the patch asks for.
fn refuse_other_order(patch: &[Value], order: &[Value], key: Option<&str>) -> Result<(), PatchError> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut order_left = order.iter();
    for item in patch.iter().filter(|item| item.get(PATCH).is_none()) {
        let identity = identity(item, key)?;
        let mut found = false;
        for wanted in order_left.by_ref() {
            if self::identity(wanted, key)? == identity {
                found = true;
                break;
            }
        }
        if !found {
            let (patch, order) = (Value::from(patch), Value::from(order));
            return malformed(format!(
                "The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n"
            ));
        }
    }
    Ok(())
}

/// What identifies an item: its merge key's value, or the scalar itself.
fn identity<'v>(item: &'v Value, key: Option<&str>) -> Result<&'v Value, PatchError> {
    match (item, key) {
        (Value::Object(map), Some(key)) => match map.get(key) {
            Some(value) => Ok(value),
            None => unprocessable(format!("map: {} does not contain declared merge key: {key}", shown(map))),
        },
        (Value::Object(_) | Value::Array(_), None) => {
            unprocessable("cannot merge lists without merge key".to_owned())
        }
        (_, Some(_)) => unprocessable("expected a map[string]interface {}, but received a scalar"),
        (_, None) => Ok(item),
    }
}

fn merge_list(original: &mut Vec<Value>, patch: &[Value], schema: SchemaRef<'_>) -> Result<(), PatchError> {
    let all = || original.iter().chain(patch);
    if all().any(Value::is_array) {
        return unprocessable("lists of lists are not supported");
    }
    let objects = all().filter(|item| item.is_object()).count();
    if objects == 0 {
        merge_scalars(original, patch)
    } else if objects < original.len() + patch.len() {
        unprocessable("list element types are not identical")
    } else {
        merge_keyed(original, patch, schema)
    }
}

fn merge_scalars(original: &mut Vec<Value>, patch: &[Value]) -> Result<(), PatchError> {
    let before = original.clone();
    let mut merged: Vec<Value> = Vec::new();
    for item in std::mem::take(original).into_iter().chain(patch.iter().cloned()) {
        if !merged.contains(&item) {
            merged.push(item);
        }
    }
    *original = in_order(merged, patch, &before, None)?;
    Ok(())
}

fn merge_keyed(original: &mut Vec<Value>, patch: &[Value], schema: SchemaRef<'_>) -> Result<(), PatchError> {
    let Some(key) = schema.patch_merge_key() else {
        return unprocessable("cannot merge lists without merge key");
    };
    let changes = take_directives(original, patch, key)?;
    let mut merged = original.clone();
    for change in &changes {
        let wanted = identity(change, Some(key))?;
        let found = merged.iter_mut().find(|item| item.get(key) == Some(wanted));
        match (found, change) {
            (Some(Value::Object(current)), Value::Object(change)) => {
                merge_object(current, change, schema.items())?;
            }
            _ => merged.extend(cleaned(change)),
        }
    }
    *original = in_order(merged, &changes, original, Some(key))?;
    Ok(())
}

/// Carries out the `$patch` directives among a list's items; what is left is to be merged.
fn take_directives(original: &mut Vec<Value>, patch: &[Value], key: &str) -> Result<Vec<Value>, PatchError> {
    let mut changes = Vec::new();
    let mut replace = false;
    for item in patch {
        match item.get(PATCH).map(|directive| directive.as_str()) {
            None => changes.push(item.clone()),
            Some(Some("delete")) => {
                let doomed = identity(item, Some(key))?;
                original.retain(|item| item.get(key) != Some(doomed));
            }
            Some(Some("replace")) => replace = true,
            Some(Some("merge")) => {
                return unprocessable("merging lists cannot yet be specified in the patch");
            }
            Some(_) => return unprocessable(format!("unknown patch type: {} in map: {item}", item[PATCH])),
        }
    }
    if replace {
        *original = changes.iter().filter_map(cleaned).collect();
        changes.clear();
    }
    Ok(changes)
}

/// Orders items: those the order names as it says, the others as on the server; where an item of
/// the order was on the server too, the server's order decides which of the two comes first.
fn in_order(
    items: Vec<Value>,
    order: &[Value],
    server: &[Value],
    key: Option<&str>,
) -> Result<Vec<Value>, PatchError> {
    let position = |list: &[Value], item: &Value| -> Result<Option<usize>, PatchError> {
        let wanted = identity(item, key)?;
        Ok(list.iter().position(|other| identity(other, key) == Ok(wanted)))
    };
    let (mut named, mut others) = (Vec::new(), Vec::new());
    for item in items {
        let on_server = position(server, &item)?;
        match position(order, &item)? {
            Some(place) => named.push((place, on_server, item)),
            None => others.push((on_server, item)),
        }
    }
    named.sort_by_key(|(place, ..)| *place);
    others.sort_by_key(|(on_server, _)| *on_server);
    let mut merged = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for (_, on_server, item) in named {
        while let Some((_, other)) =
            others.next_if(|(other, _)| on_server.is_some() && *other < on_server && other.is_some())
        {
            merged.push(other);
        }
        merged.push(item);
    }
    merged.extend(others.map(|(_, item)| item));
    Ok(merged)
}

/// A new value without nulls and directives; `None` when it is itself a directive.
fn cleaned(value: &Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(PATCH) => None,
        Value::Object(map) => Some(Value::Object(cleaned_fields(map).collect())),
        Value::Array(items) => Some(items.iter().filter_map(cleaned).collect()),
        _ => Some(value.clone()),
    }
}

fn cleaned_fields(map: &Map<String, Value>) -> impl Iterator<Item = (String, Value)> + '_ {
    let wanted = map.iter().filter(|(name, value)| !is_directive(name) && !value.is_null());
    wanted.filter_map(|(name, value)| Some((name.clone(), cleaned(value)?)))
}
