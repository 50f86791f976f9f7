//! JSON patch, with the errors upstream's library gives.

use serde_json::{Map, Value};

use super::{DEPTH_MAX, PatchError};

/// As many operations as upstream accepts.
pub(super) const OPERATIONS_MAX: usize = 10_000;
/// How much `copy` operations may add up to: upstream's limit of a request.
const COPIED_BYTES_MAX: usize = 3 * 1024 * 1024;

pub(super) fn apply(mut document: Value, patch: &Value) -> Result<Value, PatchError> {
    let Value::Array(operations) = patch else {
        return Err(PatchError::Malformed(format!(
            "error decoding patch: json: cannot unmarshal {} into Go value of type jsonpatch.Patch",
            kind_of(patch)
        )));
    };
    if operations.len() > OPERATIONS_MAX {
        return Err(PatchError::TooLarge(operations.len()));
    }
    let mut copied = 0;
    for operation in operations {
        let Value::Object(operation) = operation else {
            return Err(PatchError::Malformed(format!(
                "error decoding patch: json: cannot unmarshal {} into Go value of type jsonpatch.Operation",
                kind_of(operation)
            )));
        };
        apply_one(&mut document, operation, &mut copied).map_err(PatchError::Unprocessable)?;
    }
    Ok(document)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn apply_one(document: &mut Value, operation: &Map<String, Value>, copied: &mut usize) -> Result<(), String> {
    let kind = operation.get("op").and_then(Value::as_str).unwrap_or("unknown");
    let value = operation.get("value").unwrap_or(&Value::Null);
    match kind {
        "add" => add(document, &Pointer::of(operation, "path", kind)?, value),
        "remove" => remove(document, &Pointer::of(operation, "path", kind)?),
        "replace" => replace(document, &Pointer::of(operation, "path", kind)?, value),
        "test" => test(document, &Pointer::of(operation, "path", kind)?, value),
        "move" => {
            let (from, path) = (Pointer::of(operation, "from", kind)?, Pointer::of(operation, "path", kind)?);
            relocate(document, &from, &path)
        }
        "copy" => {
            let (from, path) = (Pointer::of(operation, "from", kind)?, Pointer::of(operation, "path", kind)?);
            duplicate(document, &from, &path, copied)
        }
        _ => Err(format!("Unexpected kind: {kind}")),
    }
}

/// A place in a document: its container's keys and the key in it.
struct Pointer<'p> {
    text: &'p str,
    parents: Vec<String>,
    key: String,
}

impl<'p> Pointer<'p> {
    fn of(operation: &'p Map<String, Value>, name: &str, kind: &str) -> Result<Self, String> {
        let Some(text) = operation.get(name).and_then(Value::as_str) else {
            return Err(format!("{kind} operation failed to decode {name}: missing value"));
        };
        let mut parents: Vec<String> =
            text.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let key = parents.pop().unwrap_or_default();
        Ok(Self { text, parents, key })
    }

    fn is_whole(&self) -> bool {
        self.text.is_empty()
    }

    /// The container the last key is looked up in.
    fn container<'d>(&self, document: &'d mut Value) -> Option<&'d mut Value> {
        if !self.text.starts_with('/') {
            return None;
        }
        let parent = self.parents.iter().try_fold(document, |at, key| child(at, key).ok())?;
        (parent.is_object() || parent.is_array()).then_some(parent)
    }
}

fn child<'d>(container: &'d mut Value, key: &str) -> Result<&'d mut Value, String> {
    match container {
        Value::Object(map) => {
            map.get_mut(key).ok_or_else(|| format!("unable to get nonexistent key: {key}: missing value"))
        }
        Value::Array(items) => {
            let index = index(key, items.len())?;
            items.get_mut(index).ok_or_else(|| invalid_index(key))
        }
        _ => Err("invalid value, expected object".to_owned()),
    }
}

/// The place of an array's key; a negative one counts from the end of `length`.
fn index(key: &str, length: usize) -> Result<usize, String> {
    let number: i64 = key.parse().map_err(|_| format!("strconv.Atoi: parsing {key:?}: invalid syntax"))?;
    let magnitude = usize::try_from(number.unsigned_abs()).map_err(|_| invalid_index(key))?;
    if number >= 0 { Ok(magnitude) } else { length.checked_sub(magnitude).ok_or_else(|| invalid_index(key)) }
}

fn invalid_index(key: &str) -> String {
    format!("Unable to access invalid index: {key}: invalid index referenced")
}

fn add(document: &mut Value, at: &Pointer<'_>, value: &Value) -> Result<(), String> {
    let text = at.text;
    let Some(container) = at.container(document) else {
        return Err(format!("add operation does not apply: doc is missing path: \"{text}\": missing value"));
    };
    refuse_deep(at, value)?;
    insert(container, &at.key, value.clone())
        .map_err(|cause| format!("error in add for path: '{text}': {cause}"))
}

fn insert(container: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match container {
        Value::Object(map) => {
            map.insert(key.to_owned(), value);
        }
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            let index = index(key, items.len() + 1)
                .map_err(|cause| format!("value was not a proper array index: '{key}': {cause}"))?;
            if index > items.len() {
                return Err(invalid_index(key));
            }
            items.insert(index, value);
        }
        _ => return Err("invalid value, expected object".to_owned()),
    }
    Ok(())
}

fn remove(document: &mut Value, at: &Pointer<'_>) -> Result<(), String> {
    let text = at.text;
    let Some(container) = at.container(document) else {
        return Err(format!(
            "remove operation does not apply: doc is missing path: \"{text}\": missing value"
        ));
    };
    take(container, &at.key).map(drop).map_err(|cause| format!("error in remove for path: '{text}': {cause}"))
}

fn take(container: &mut Value, key: &str) -> Result<Value, String> {
    match container {
        Value::Object(map) => {
            map.remove(key).ok_or_else(|| format!("Unable to remove nonexistent key: {key}: missing value"))
        }
        Value::Array(items) => {
            let index = index(key, items.len())?;
            if index < items.len() { Ok(items.remove(index)) } else { Err(invalid_index(key)) }
        }
        _ => Err("invalid value, expected object".to_owned()),
    }
}

fn replace(document: &mut Value, at: &Pointer<'_>, value: &Value) -> Result<(), String> {
    let text = at.text;
    if at.is_whole() {
        if !value.is_object() && !value.is_array() {
            return Err("replace operation value must be object or array".to_owned());
        }
        *document = value.clone();
        return Ok(());
    }
    let Some(container) = at.container(document) else {
        return Err(format!("replace operation does not apply: doc is missing path: {text}: missing value"));
    };
    refuse_deep(at, value)?;
    let missing = |_| format!("replace operation does not apply: doc is missing key: {text}: missing value");
    *child(container, &at.key).map_err(missing)? = value.clone();
    Ok(())
}

fn test(document: &mut Value, at: &Pointer<'_>, value: &Value) -> Result<(), String> {
    let text = at.text;
    let failed = || format!("testing value {text} failed: test failed");
    if at.is_whole() {
        return if document == value { Ok(()) } else { Err(failed()) };
    }
    let Some(container) = at.container(document) else {
        return Err(format!("test operation does not apply: is missing path: {text}: missing value"));
    };
    let is_array = container.is_array();
    match child(container, &at.key) {
        Ok(found) if found == value => Ok(()),
        Err(cause) if is_array => Err(format!("error in test for path: '{text}': {cause}")),
        Err(_) if value.is_null() => Ok(()),
        _ => Err(failed()),
    }
}

fn relocate(document: &mut Value, from: &Pointer<'_>, path: &Pointer<'_>) -> Result<(), String> {
    let Some(container) = from.container(document) else {
        let text = from.text;
        return Err(format!(
            "move operation does not apply: doc is missing from path: {text}: missing value"
        ));
    };
    let value = take(container, &from.key)
        .map_err(|cause| format!("error in move for path: '{}': {cause}", from.key))?;
    let text = path.text;
    let Some(container) = path.container(document) else {
        return Err(format!(
            "move operation does not apply: doc is missing destination path: {text}: missing value"
        ));
    };
    refuse_deep(path, &value)?;
    insert(container, &path.key, value).map_err(|cause| format!("error in move for path: '{text}': {cause}"))
}

fn duplicate(
    document: &mut Value,
    from: &Pointer<'_>,
    path: &Pointer<'_>,
    copied: &mut usize,
) -> Result<(), String> {
    let text = from.text;
    let Some(container) = from.container(document) else {
        return Err(format!(
            "copy operation does not apply: doc is missing from path: {text}: missing value"
        ));
    };
    let value =
        child(container, &from.key).map_err(|cause| format!("error in copy for from: '{text}': {cause}"))?;
    *copied += value.to_string().len();
    if *copied > COPIED_BYTES_MAX {
        return Err(format!(
            "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit {COPIED_BYTES_MAX}"
        ));
    }
    let value = value.clone();
    let text = path.text;
    let Some(container) = path.container(document) else {
        return Err(format!(
            "copy operation does not apply: doc is missing destination path: {text}: missing value"
        ));
    };
    refuse_deep(path, &value)?;
    insert(container, &path.key, value)
        .map_err(|cause| format!("error while adding value during copy: {cause}"))
}

/// Copies into copies would nest without end, and a deep value cannot even be dropped.
fn refuse_deep(at: &Pointer<'_>, value: &Value) -> Result<(), String> {
    if at.parents.len() + 1 + height(value) > DEPTH_MAX {
        return Err(format!("the value at path {} would be nested too deeply", at.text));
    }
    Ok(())
}

fn height(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(height).max().unwrap_or(0),
        _ => 0,
    }
}
