//! Which changes of a pod may change what it is able to do.

use serde_json::Value;

use crate::fields::{list, text};

/// Whether a container has come or gone, or runs another image.
pub(super) fn is_significant(before: &Value, pod: &Value) -> bool {
    let differ = |kind: &str| {
        let (old, new) = (list(before, &["spec", kind]), list(pod, &["spec", kind]));
        old.len() != new.len() || old.iter().zip(new).any(|(old, new)| image(old) != image(new))
    };
    if differ("containers") || differ("initContainers") {
        return true;
    }
    let known = list(before, &["spec", "ephemeralContainers"]);
    list(pod, &["spec", "ephemeralContainers"]).iter().any(|new| {
        let old = known.iter().find(|old| text(old, &["name"]) == text(new, &["name"]));
        old.is_none_or(|old| image(old) != image(new))
    })
}

fn image(container: &Value) -> &str {
    text(container, &["image"])
}
