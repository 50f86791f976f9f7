//! What a write of `pods/ephemeralcontainers` or `pods/resize` may change of the pod.

use mainstay_resource::meta;
use serde_json::Value;

use crate::fields::{Fields, Fill as _, list, text};
use crate::registry::Action;

/// Limits a changed pod to the part that `action` is about.
pub(crate) fn limit(action: &Action, live: &Value, object: &mut Value) {
    let mut limited = live.clone();
    let parts: &[&str] = match action {
        Action::Ephemeral => &["ephemeralContainers"],
        _ => &["containers", "initContainers"],
    };
    let Some(spec) = limited.as_object_mut().and_then(|pod| pod.child("spec")) else { return };
    for part in parts {
        let given = list(object, &["spec", part]);
        if *action == Action::Ephemeral {
            if given.is_empty() {
                spec.remove(*part);
            } else {
                spec.put(part, given.to_vec());
            }
        } else {
            spec.each(part, |container| take_resources(container, given));
        }
    }
    // Preconditions and owners are the request's.
    for field in ["resourceVersion", "managedFields"] {
        if let Some(value) = meta::metadata(object).and_then(|metadata| metadata.get(field)) {
            meta::metadata_mut(&mut limited).insert(field.to_owned(), value.clone());
        }
    }
    *object = limited;
}

fn take_resources(container: &mut Fields, given: &[Value]) {
    let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
    let Some(wanted) = given.iter().find(|one| text(one, &["name"]) == name) else { return };
    for field in ["resources", "resizePolicy"] {
        match wanted.get(field) {
            Some(value) => container.put(field, value.clone()),
            None => {
                container.remove(field);
            }
        }
    }
}
