//! Where two states of an object differ, for people.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What the server keeps of every object for itself.
const OF_THE_SERVER: [&str; 5] =
    ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"];

/// The paths at which `new` differs from `live`: `spec.replicas`,
/// `spec.template.spec.containers[web].image`. What the server keeps for itself does not count.
pub(crate) fn changed_paths(live: &Value, new: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    let empty = Map::new();
    let part = |value: &Value, skipped: &[&str]| -> Map<String, Value> {
        let fields = value.as_object().unwrap_or(&empty).iter();
        fields
            .filter(|(key, _)| !skipped.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let skipped = ["apiVersion", "kind", "metadata", "status"];
    mappings(
        "metadata",
        &part(&live["metadata"], &OF_THE_SERVER),
        &part(&new["metadata"], &OF_THE_SERVER),
        &mut paths,
    );
    mappings("", &part(live, &skipped), &part(new, &skipped), &mut paths);
    paths
}

fn values(path: &str, old: &Value, new: &Value, paths: &mut Vec<String>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(old), Value::Object(new)) => mappings(path, old, new, paths),
        (Value::Array(old), Value::Array(new)) => sequences(path, old, new, paths),
        _ => paths.push(path.to_owned()),
    }
}

fn mappings(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, paths: &mut Vec<String>) {
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    for key in keys {
        match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => {
                if old != new {
                    values(&joined(path, key), old, new, paths);
                }
            }
            _ => paths.push(joined(path, key)),
        }
    }
}

/// Items with names are compared by them, others by their place.
fn sequences(path: &str, old: &[Value], new: &[Value], paths: &mut Vec<String>) {
    if let (Some(old_names), Some(new_names)) = (by_name(old), by_name(new)) {
        let before = paths.len();
        let added = new_names.keys().filter(|name| !old_names.contains_key(*name));
        for name in old_names.keys().chain(added) {
            let path = format!("{path}[{name}]");
            match (old_names.get(name), new_names.get(name)) {
                (Some(old), Some(new)) => values(&path, old, new, paths),
                _ => paths.push(path),
            }
        }
        if paths.len() == before {
            // The same items in another order.
            paths.push(path.to_owned());
        }
        return;
    }
    for index in 0..old.len().max(new.len()) {
        let path = format!("{path}[{index}]");
        match (old.get(index), new.get(index)) {
            (Some(old), Some(new)) => values(&path, old, new, paths),
            _ => paths.push(path),
        }
    }
}

fn by_name(items: &[Value]) -> Option<BTreeMap<&str, &Value>> {
    let names: BTreeMap<&str, &Value> =
        items.iter().map(|item| item["name"].as_str().map(|name| (name, item))).collect::<Option<_>>()?;
    (names.len() == items.len()).then_some(names)
}

fn joined(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    match (path.is_empty(), is_plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[\"{key}\"]"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_told_by_path() {
        let container = |name: &str, image: &str| json!({"name": name, "image": image});
        let cases = [
            (json!({"spec": {"replicas": 1}}), json!({"spec": {"replicas": 2}}), vec!["spec.replicas"]),
            (json!({"spec": {}}), json!({"spec": {"a": {"b": 1}}}), vec!["spec.a"]),
            (
                json!({"c": [container("web", "a:1"), container("old", "b")]}),
                json!({"c": [container("new", "b"), container("web", "a:2")]}),
                vec!["c[old]", "c[web].image", "c[new]"],
            ),
            (json!({"c": [1, 2]}), json!({"c": [1, 3, 4]}), vec!["c[1]", "c[2]"]),
            (
                json!({"c": [container("a", ""), container("b", "")]}),
                json!({"c": [container("b", ""), container("a", "")]}),
                vec!["c"],
            ),
            (
                json!({"metadata": {"labels": {"app.kubernetes.io/name": "a"}}}),
                json!({"metadata": {"labels": {"app.kubernetes.io/name": "b"}}}),
                vec!["metadata.labels[\"app.kubernetes.io/name\"]"],
            ),
        ];
        for (old, new, expected) in cases {
            assert_eq!(changed_paths(&old, &new), expected);
        }
    }

    #[test]
    fn what_the_server_keeps_for_itself_is_no_difference() {
        let old =
            json!({"metadata": {"name": "a", "resourceVersion": "1", "generation": 1}, "status": {"a": 1}});
        let new = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "resourceVersion": "2", "managedFields": []}});
        assert_eq!(changed_paths(&old, &new), Vec::<String>::new());
    }
}
