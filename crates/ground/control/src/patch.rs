//! Merge patches from what is to what shall be.

use serde::Serialize;
use serde_json::{Map, Value};

/// The merge patch that makes `old` into `new`, all of it where there is none; `None` when they are
/// equal.
pub fn difference<T: Serialize>(old: Option<&T>, new: &T) -> Result<Option<Value>, kube::Error> {
    let value = |object: &T| serde_json::to_value(object).map_err(kube::Error::SerdeError);
    let old = old.map(value).transpose()?.unwrap_or_default();
    Ok(between(&old, &value(new)?))
}

fn between(old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return Some(new.clone()) };
    let mut patch = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        let change = old.get(key).map_or_else(|| Some(value.clone()), |old| between(old, value));
        if let Some(change) = change {
            patch.insert(key.clone(), change);
        }
    }
    Some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_names_what_changed_came_and_went_and_replaces_lists() {
        let old = json!({"a": 1, "gone": 2, "deep": {"same": 1, "other": 2}, "list": [1, 2]});
        let new = json!({"a": 1, "deep": {"same": 1, "other": 3}, "list": [2], "new": {"x": 1}});
        let expected = json!({"gone": null, "deep": {"other": 3}, "list": [2], "new": {"x": 1}});
        assert_eq!(difference(Some(&old), &new).unwrap(), Some(expected));
        assert_eq!(difference(Some(&new), &new).unwrap(), None);
        assert_eq!(difference(None, &new).unwrap(), Some(new));
    }
}
