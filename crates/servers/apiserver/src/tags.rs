//! What selectors may look at, taken from an object once, when it is written.
//!
//! A record's name and namespace are in its key and are not repeated here.
//!
//! **Invariant:** the tags of a record depend on its bytes alone, so the store can make them again
//! when it opens. LIMIT: for that reason a custom resource has no selectable fields but its name
//! and namespace.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use mainstay_resource::meta;
use mainstay_store::{Key, Tags};
use serde_json::Value;

use crate::encode;
use crate::kinds;
use crate::registry::SelectableField;

/// The selectable fields of the built-in resources, by the store's name; the versions of one
/// resource have theirs together.
static FIELDS: LazyLock<BTreeMap<Arc<str>, Vec<SelectableField>>> = LazyLock::new(|| {
    let mut all: BTreeMap<Arc<str>, Vec<SelectableField>> = BTreeMap::new();
    for info in kinds::built_in() {
        all.entry(info.storage.resource).or_default().extend(info.fields);
    }
    all
});

/// The tags of a stored object: what [`mainstay_store::Store::open`] wants to know.
pub fn index(key: &Key, stored: &[u8]) -> Tags {
    of(&key.resource, &encode::decode(stored))
}

/// The tags of an object in its stored version.
pub(crate) fn of(stored_resource: &str, object: &Value) -> Tags {
    let fields = FIELDS.get(stored_resource).map(Vec::as_slice).unwrap_or_default();
    let fields = fields.iter().map(|field| (&*field.name, value_of(field, object)));
    let labels = meta::labels(object).map(|(key, value)| (Box::<str>::from(key), Box::<str>::from(value)));
    Tags::new(labels, fields.map(|(name, value)| (Box::from(name), value)))
}

fn value_of(field: &SelectableField, object: &Value) -> Box<str> {
    field
        .paths
        .iter()
        .filter_map(|path| path.iter().try_fold(object, |value, step| value.get(&**step)))
        .find_map(text)
        .unwrap_or_else(|| Box::from(&*field.otherwise))
}

/// A scalar as a field selector writes it; nothing for empty text and for what is no scalar.
fn text(value: &Value) -> Option<Box<str>> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.as_str().into()),
        Value::Bool(truth) => Some(truth.to_string().into()),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_is_found_by_its_node_its_phase_and_its_labels() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "namespace": "d", "labels": {"app": "web"}},
            "spec": {"nodeName": "n1", "hostNetwork": true}, "status": {"phase": "Running"},
        });
        let tags = index(&Key::new("/pods", "d", "a"), &serde_json::to_vec(&pod).expect("it encodes"));
        assert_eq!(tags.label("app"), Some("web"));
        assert_eq!(tags.field("spec.nodeName"), Some("n1"));
        assert_eq!(tags.field("spec.hostNetwork"), Some("true"));
        assert_eq!(tags.field("status.podIP"), Some(""));
    }

    #[test]
    fn an_event_is_found_under_the_names_of_both_its_apis() {
        let event = json!({"metadata": {}, "involvedObject": {"name": "web"}, "reportingComponent": "x"});
        let tags = of("/events", &event);
        assert_eq!(tags.field("involvedObject.name"), Some("web"));
        assert_eq!(tags.field("regarding.name"), Some("web"));
        assert_eq!(tags.field("source"), Some("x"));
    }
}
