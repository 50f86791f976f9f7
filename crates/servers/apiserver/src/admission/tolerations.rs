//! Upstream's `DefaultTolerationSeconds`: a pod stays for five minutes on a node that is gone,
//! unless it says otherwise.

use serde_json::{Value, json};

use crate::fields::{Fill as _, text};

const SECONDS: i64 = 300;
/// Taints of a node that is gone.
const GONE: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/// Adds the tolerations a pod does not have.
pub(super) fn admit(pod: &mut Value) {
    let Some(spec) = pod.as_object_mut().and_then(|fields| fields.child_or_new("spec")) else { return };
    let Some(tolerations) = spec.entry("tolerations").or_insert_with(|| json!([])).as_array_mut() else {
        return;
    };
    let missing = GONE.map(|taint| !tolerations.iter().any(|one| tolerates(one, taint)));
    for (taint, _) in GONE.into_iter().zip(missing).filter(|(_, missing)| *missing) {
        tolerations.push(json!({
            "key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS,
        }));
    }
}

fn tolerates(toleration: &Value, taint: &str) -> bool {
    let key = text(toleration, &["key"]);
    (key == taint || key.is_empty()) && matches!(text(toleration, &["effect"]), "" | "NoExecute")
}
