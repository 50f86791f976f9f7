//! The rows of what decides over others: autoscalers, disruption budgets, roles.

use serde_json::Value;

use super::cell::{self, UNKNOWN, UNSET};
use super::printer::{Layout, column, number, wide};
use crate::fields::{at, list, text};

/// The layout of a kind of `autoscaling`, `policy` or `rbac.authorization.k8s.io`.
pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "HorizontalPodAutoscaler" => AUTOSCALER,
        "PodDisruptionBudget" => BUDGET,
        "PodSecurityPolicy" => SECURITY,
        "RoleBinding" | "ClusterRoleBinding" => BINDING,
        _ => return None,
    })
}

const AUTOSCALER: Layout = Layout {
    columns: &[
        column("Name"),
        column("Reference"),
        column("Targets"),
        column("MinPods"),
        column("MaxPods"),
        column("Replicas"),
        column("Age"),
    ],
    cells: |autoscaler, now| {
        let target = |field: &str| text(autoscaler, &["spec", "scaleTargetRef", field]);
        vec![
            cell::name(autoscaler),
            format!("{}/{}", target("kind"), target("name")).into(),
            targets(autoscaler).into(),
            cell::scalar_or(autoscaler, &["spec", "minReplicas"], UNSET),
            cell::count(autoscaler, &["spec", "maxReplicas"]),
            cell::count(autoscaler, &["status", "currentReplicas"]),
            cell::age(autoscaler, now),
        ]
    },
};

/// What each metric is and should be, as far as two of them fit.
fn targets(autoscaler: &Value) -> String {
    let metrics = list(autoscaler, &["spec", "metrics"]);
    let current = list(autoscaler, &["status", "currentMetrics"]);
    let shown: Vec<String> = metrics
        .iter()
        .take(2)
        .enumerate()
        .map(|(index, metric)| metric_text(metric, current.get(index).unwrap_or(&Value::Null)))
        .collect();
    match metrics.len() {
        0 => cell::NONE.to_owned(),
        1 | 2 => shown.join(", "),
        more => format!("{} + {} more...", shown.join(", "), more - 2),
    }
}

fn metric_text(metric: &Value, current: &Value) -> String {
    let kind = text(metric, &["type"]);
    let field = match kind {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => return "<unknown type>".to_owned(),
    };
    // What is wanted decides in which of its forms the current value is shown.
    let wants_average = at(metric, &[field, "target", "averageValue"]).is_some();
    let unit = match field {
        "pods" => "averageValue",
        "object" | "external" if !wants_average => "value",
        "resource" | "containerResource" if !wants_average => "averageUtilization",
        _ => "averageValue",
    };
    let shown = |part: &Value, section: &str| match at(part, &[field, section, unit])? {
        percent if unit == "averageUtilization" => Some(format!("{percent}%")),
        amount => Some(cell::quantity(Some(amount))),
    };
    let now = shown(current, "current").unwrap_or_else(|| UNKNOWN.to_owned());
    let unknown = if unit == "averageUtilization" { "<auto>" } else { "0" };
    let wanted = shown(metric, "target").unwrap_or_else(|| unknown.to_owned());
    let prefix = match field {
        "resource" | "containerResource" => format!("{}: ", text(metric, &[field, "name"])),
        _ => String::new(),
    };
    let note = if wants_average && matches!(field, "object" | "external") { " (avg)" } else { "" };
    format!("{prefix}{now}/{wanted}{note}")
}

const BUDGET: Layout = Layout {
    columns: &[
        column("Name"),
        column("Min Available"),
        column("Max Unavailable"),
        number("Allowed Disruptions"),
        column("Age"),
    ],
    cells: |budget, now| {
        vec![
            cell::name(budget),
            cell::scalar_or(budget, &["spec", "minAvailable"], "N/A"),
            cell::scalar_or(budget, &["spec", "maxUnavailable"], "N/A"),
            cell::count(budget, &["status", "disruptionsAllowed"]),
            cell::age(budget, now),
        ]
    },
};

const SECURITY: Layout = Layout {
    columns: &[
        column("Name"),
        column("Priv"),
        column("Caps"),
        column("SELinux"),
        column("RunAsUser"),
        column("FsGroup"),
        column("SupGroup"),
        column("ReadOnlyRootFs"),
        column("Volumes"),
    ],
    cells: |policy, _| {
        let texts = |field| cell::joined(list(policy, &["spec", field]).iter().filter_map(Value::as_str));
        let rule = |field| -> Value { text(policy, &["spec", field, "rule"]).into() };
        let truth = |field| at(policy, &["spec", field]) == Some(&Value::Bool(true));
        vec![
            cell::name(policy),
            truth("privileged").to_string().into(),
            texts("allowedCapabilities").into(),
            rule("seLinux"),
            rule("runAsUser"),
            rule("fsGroup"),
            rule("supplementalGroups"),
            truth("readOnlyRootFilesystem").into(),
            texts("volumes").into(),
        ]
    },
};

const BINDING: Layout = Layout {
    columns: &[
        column("Name"),
        column("Role"),
        column("Age"),
        wide("Users"),
        wide("Groups"),
        wide("ServiceAccounts"),
    ],
    cells: |binding, now| {
        let role = |field: &str| text(binding, &["roleRef", field]);
        let subjects = |kind: &str| -> Value {
            let subjects = list(binding, &["subjects"]).iter();
            let names: Vec<String> = subjects
                .filter(|subject| text(subject, &["kind"]) == kind)
                .map(|subject| match (kind, text(subject, &["namespace"])) {
                    ("ServiceAccount", namespace) => format!("{namespace}/{}", text(subject, &["name"])),
                    _ => text(subject, &["name"]).to_owned(),
                })
                .collect();
            names.join(", ").into()
        };
        vec![
            cell::name(binding),
            format!("{}/{}", role("kind"), role("name")).into(),
            cell::age(binding, now),
            subjects("User"),
            subjects("Group"),
            subjects("ServiceAccount"),
        ]
    },
};
