//! ResourceQuotas: what they bound, and of which pods.

use serde_json::{Value, json};

use super::check::{Check, IMMUTABLE, go_texts, items_at, value_at};
use super::named_amounts::{self, is_of_quotas};
use crate::fields::{entries, list, text};

const SCOPES: [&str; 7] = [
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];
const CONFLICTING: [[&str; 2]; 2] = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];
/// What a scope of pods may bound.
const OF_PODS: [&str; 7] =
    ["cpu", "limits.cpu", "limits.memory", "memory", "pods", "requests.cpu", "requests.memory"];

/// A whole quota.
pub(super) fn quota(check: &mut Check, object: &Value) {
    bounds(check, object, "spec", "hard");
    plain_scopes(check, object);
    if value_at(object, "spec.scopeSelector").is_some() {
        selected_scopes(check, object);
    }
}

/// What is written of a quota's status.
pub(super) fn status(check: &mut Check, object: &Value) {
    bounds(check, object, "status", "hard");
    bounds(check, object, "status", "used");
}

/// What does not change.
pub(super) fn change(check: &mut Check, live: &Value, object: &Value) {
    let scopes = |object| -> std::collections::BTreeSet<String> {
        items_at(object, "spec.scopes").iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    if scopes(live) != scopes(object) {
        check.invalid_as("spec.scopes", &go_scopes(object), IMMUTABLE);
    }
}

fn bounds(check: &mut Check, object: &Value, part: &str, which: &str) {
    for (name, amount) in entries(object, &[part, which]) {
        let path = format!("{part}.{which}[{name}]");
        named_amounts::of_quota(check, name, &path);
        named_amounts::amount(check, name, amount, &path);
    }
}

/// Whether what a scope is about has such an amount.
fn fits(scope: &str, name: &str) -> bool {
    match scope {
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
        _ if SCOPES.contains(&scope) => OF_PODS.contains(&name),
        _ => true,
    }
}

fn misfits<'a>(object: &'a Value, scope: &'a str) -> impl Iterator<Item = &'a str> {
    let bounded = entries(object, &["spec", "hard"]).map(|(name, _)| name);
    bounded.filter(move |name| is_of_quotas(name) && !fits(scope, name))
}

fn conflict(scopes: &[&str]) -> bool {
    CONFLICTING.iter().any(|pair| pair.iter().all(|scope| scopes.contains(scope)))
}

fn plain_scopes(check: &mut Check, object: &Value) {
    let path = "spec.scopes";
    let scopes: Vec<&str> = items_at(object, path).iter().filter_map(Value::as_str).collect();
    for scope in &scopes {
        if !SCOPES.contains(scope) {
            check.invalid_as(path, &go_scopes(object), "unsupported scope");
        }
        for _ in misfits(object, scope) {
            check.invalid_as(path, &go_scopes(object), "unsupported scope applied to resource");
        }
    }
    if conflict(&scopes) {
        check.invalid_as(path, &go_scopes(object), "conflicting scopes");
    }
}

fn selected_scopes(check: &mut Check, object: &Value) {
    let path = "spec.scopeSelector.matchExpressions";
    let expressions = items_at(object, path);
    for expression in expressions {
        let scope = text(expression, &["scopeName"]);
        if !SCOPES.contains(&scope) {
            check.invalid(format!("{path}.scopeName"), &json!(scope), "unsupported scope");
        }
        for _ in misfits(object, scope) {
            check.invalid_as(path, &go_selector(expressions), "unsupported scope applied to resource");
        }
        operator(check, expression, path);
    }
    let scopes: Vec<&str> = expressions.iter().map(|one| text(one, &["scopeName"])).collect();
    if conflict(&scopes) {
        check.invalid_as(path, &go_scopes(object), "conflicting scopes");
    }
}

fn operator(check: &mut Check, expression: &Value, path: &str) {
    let (scope, operator) = (text(expression, &["scopeName"]), text(expression, &["operator"]));
    let has_no_values =
        SCOPES.contains(&scope) && !matches!(scope, "PriorityClass" | "VolumeAttributesClass");
    if has_no_values && operator != "Exists" {
        let why = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                   ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort \
                   or ResourceQuotaScopeCrossNamespacePodAffinity";
        check.invalid(format!("{path}.operator"), &json!(operator), why);
    }
    let values = list(expression, &["values"]);
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            let why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
            check.required(format!("{path}.values"), why);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
            check.invalid_as(format!("{path}.values"), &go_texts("[]string", values), why);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ => check.invalid(format!("{path}.operator"), &json!(operator), "not a valid selector operator"),
    }
}

fn go_scopes(object: &Value) -> String {
    go_texts("[]core.ResourceQuotaScope", items_at(object, "spec.scopes"))
}

fn go_selector(expressions: &[Value]) -> String {
    let requirement = |expression: &Value| {
        format!(
            "core.ScopedResourceSelectorRequirement{{ScopeName:{:?}, Operator:{:?}, Values:{}}}",
            text(expression, &["scopeName"]),
            text(expression, &["operator"]),
            go_texts("[]string", list(expression, &["values"]))
        )
    };
    let all: Vec<String> = expressions.iter().map(requirement).collect();
    format!(
        "core.ScopeSelector{{MatchExpressions:[]core.ScopedResourceSelectorRequirement{{{}}}}}",
        all.join(", ")
    )
}
