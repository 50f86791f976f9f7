//! What containers get that they do not ask for.

use mainstay_resource::meta;
use serde_json::Value;

use crate::fields::{Fields, Fill as _, entries, list, text};

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Gives a pod's containers the defaults of a LimitRange, and says so in its annotations.
pub(super) fn give(range: &Value, pod: &mut Value) {
    let (limits, requests) = (of(range, "default"), of(range, "defaultRequest"));
    if limits.is_empty() && requests.is_empty() {
        return;
    }
    let mut told = Vec::new();
    let Some(spec) = pod.as_object_mut().and_then(|fields| fields.child("spec")) else { return };
    for (containers, what) in [("containers", "container"), ("initContainers", "init container")] {
        spec.each(containers, |container| fill(container, &limits, &requests, what, &mut told));
    }
    if !told.is_empty() {
        meta::set_annotation(pod, ANNOTATION, &format!("LimitRanger plugin set: {}", told.join("; ")));
    }
}

/// The defaults of one kind that a LimitRange has for containers.
fn of(range: &Value, kind: &str) -> Fields {
    let items = list(range, &["spec", "limits"]).iter();
    let of_containers = items.filter(|item| text(item, &["type"]) == "Container");
    let mut defaults = Fields::new();
    for item in of_containers {
        for (name, amount) in entries(item, &[kind]) {
            defaults.put(name, amount.clone());
        }
    }
    defaults
}

fn fill(container: &mut Fields, limits: &Fields, requests: &Fields, what: &str, told: &mut Vec<String>) {
    let name = container.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(resources) = container.child_or_new("resources") else { return };
    for (class, word, defaults) in [("requests", "request", requests), ("limits", "limit", limits)] {
        let missing: Vec<(&String, &Value)> = {
            let own = resources.get(class).and_then(Value::as_object);
            defaults.iter().filter(|(name, _)| own.is_none_or(|own| !own.contains_key(*name))).collect()
        };
        if missing.is_empty() {
            continue;
        }
        let mut names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        told.push(format!("{} {word} for {what} {name}", names.join(", ")));
        let Some(own) = resources.child_or_new(class) else { continue };
        for (name, amount) in missing {
            own.put(name, amount.clone());
        }
    }
}
