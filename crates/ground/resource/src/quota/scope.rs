//! The scopes of a quota: which pods it is about.

use serde_json::Value;

use super::pod::{is_best_effort, is_time_bound};
use super::{at, list, text};

const EXISTS: &str = "Exists";

/// One condition a pod must meet for a quota to count it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    name: &'a str,
    operator: &'a str,
    values: Vec<&'a str>,
}

/// All conditions of a quota's spec, those of `scopes` before those of `scopeSelector`.
pub fn scopes(spec: &Value) -> Vec<Scope<'_>> {
    let plain = list(spec, &["scopes"]).iter().filter_map(Value::as_str);
    let plain = plain.map(|name| Scope { name, operator: EXISTS, values: Vec::new() });
    let selected = list(spec, &["scopeSelector", "matchExpressions"]).iter().map(|expression| Scope {
        name: text(expression, &["scopeName"]),
        operator: text(expression, &["operator"]),
        values: list(expression, &["values"]).iter().filter_map(Value::as_str).collect(),
    });
    plain.chain(selected).collect()
}

impl Scope<'_> {
    /// Whether a pod is within it.
    pub fn contains(&self, pod: &Value) -> bool {
        match self.name {
            "Terminating" => is_time_bound(pod),
            "NotTerminating" => !is_time_bound(pod),
            "BestEffort" => is_best_effort(pod),
            "NotBestEffort" => !is_best_effort(pod),
            "PriorityClass" => self.selects(text(pod, &["spec", "priorityClassName"])),
            "CrossNamespacePodAffinity" => looks_beyond(pod),
            _ => false,
        }
    }

    fn selects(&self, class: &str) -> bool {
        match self.operator {
            EXISTS => !class.is_empty(),
            "DoesNotExist" => class.is_empty(),
            "In" => !class.is_empty() && self.values.contains(&class),
            "NotIn" => class.is_empty() || !self.values.contains(&class),
            _ => false,
        }
    }
}

/// Whether the pod's affinity names pods of other namespaces.
fn looks_beyond(pod: &Value) -> bool {
    ["podAffinity", "podAntiAffinity"].iter().any(|kind| {
        let terms = |when: &str| list(pod, &["spec", "affinity", kind, when]).iter();
        let required = terms("requiredDuringSchedulingIgnoredDuringExecution");
        let preferred = terms("preferredDuringSchedulingIgnoredDuringExecution");
        required
            .chain(preferred.filter_map(|term| term.get("podAffinityTerm")))
            .any(|term| !list(term, &["namespaces"]).is_empty() || at(term, &["namespaceSelector"]).is_some())
    })
}
