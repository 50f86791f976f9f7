//! What a document is, told by what it holds rather than by its file's name.

use std::fmt;

use mainstay_resource::GroupVersionKind;

use crate::tree::Node;

/// A Kubernetes object's kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its kind.
    pub kind: GroupVersionKind,
    /// Its namespace; empty when it names none.
    pub namespace: String,
    /// Its name; empty when it has none.
    pub name: String,
}

/// What a document is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Shape {
    /// A Kubernetes object, custom ones included.
    Object(Object),
    /// eksctl's description of a cluster.
    ClusterConfig,
    /// The platform itself: its regions, and which documents go where.
    Platform,
    /// A drill of this platform.
    Drill,
    /// A kustomization.
    Kustomization,
    /// A GitHub Actions workflow.
    Workflow,
    /// Prometheus' configuration.
    Prometheus,
    /// A file of Prometheus rules.
    Rules,
    /// Alertmanager's configuration.
    Alertmanager,
    /// An OpenTelemetry collector's configuration.
    Collector,
    /// A Grafana dashboard.
    Dashboard,
    /// A disaster recovery runbook.
    Runbook,
    /// A Helm chart's description.
    Chart,
    /// The values of a Helm chart.
    Values,
    /// Something else.
    Unknown,
}

impl Shape {
    /// What a document with this root, in a file of this name, is.
    pub(crate) fn of(root: Node<'_>, file: &str) -> Self {
        by_kind(root).unwrap_or_else(|| by_keys(root, file))
    }

    /// What it is called, in the singular.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Object(_) => "Kubernetes object",
            Self::ClusterConfig => "ClusterConfig",
            Self::Platform => "Platform",
            Self::Drill => "Drill",
            Self::Kustomization => "kustomization",
            Self::Workflow => "GitHub workflow",
            Self::Prometheus => "Prometheus configuration",
            Self::Rules => "Prometheus rule file",
            Self::Alertmanager => "Alertmanager configuration",
            Self::Collector => "OpenTelemetry collector configuration",
            Self::Dashboard => "Grafana dashboard",
            Self::Runbook => "recovery runbook",
            Self::Chart => "Helm chart",
            Self::Values => "Helm values",
            Self::Unknown => "unknown document",
        }
    }

    /// The Kubernetes object it is.
    pub fn object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl fmt::Display for Shape {
    /// `Deployment production/web`, or the noun.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(Object { kind, namespace, name }) if namespace.is_empty() => {
                write!(f, "{} {name}", kind.kind)
            }
            Self::Object(Object { kind, namespace, name }) => write!(f, "{} {namespace}/{name}", kind.kind),
            other => f.write_str(other.noun()),
        }
    }
}

fn by_kind(root: Node<'_>) -> Option<Shape> {
    let kind = GroupVersionKind::parse(root.str_at("apiVersion")?, root.str_at("kind")?)?;
    Some(match (kind.group.as_str(), kind.kind.as_str()) {
        ("eksctl.io", "ClusterConfig") => Shape::ClusterConfig,
        ("mainstay.dev", "Platform") => Shape::Platform,
        ("mainstay.dev", "Drill") => Shape::Drill,
        ("kustomize.config.k8s.io", _) => Shape::Kustomization,
        _ => {
            let metadata = root.get("metadata");
            let text = |field| metadata.and_then(|node| node.str_at(field)).unwrap_or_default().to_owned();
            Shape::Object(Object { kind, namespace: text("namespace"), name: text("name") })
        }
    })
}

fn by_keys(root: Node<'_>, file: &str) -> Shape {
    let has = |key: &str| root.get(key).is_some();
    let is_mapping = |key: &str| root.get(key).is_some_and(Node::is_mapping);
    let is_sequence = |key: &str| root.get(key).is_some_and(Node::is_sequence);
    let pipelines = || root.get("service").is_some_and(|service| service.get("pipelines").is_some());
    let base = file.rsplit('/').next().unwrap_or(file);
    if is_mapping("jobs") && has("on") {
        Shape::Workflow
    } else if has("scrape_configs") || (has("rule_files") && has("global")) {
        Shape::Prometheus
    } else if has("route") && is_sequence("receivers") {
        Shape::Alertmanager
    } else if pipelines() || (is_mapping("receivers") && is_mapping("exporters")) {
        Shape::Collector
    } else if is_sequence("groups")
        && root.get("groups").is_some_and(|groups| groups.items().all(is_rule_group))
    {
        Shape::Rules
    } else if is_sequence("panels")
        || root.get("dashboard").is_some_and(|inner| inner.get("panels").is_some())
    {
        Shape::Dashboard
    } else if has("disaster_recovery_runbook") {
        Shape::Runbook
    } else if matches!(base, "kustomization.yaml" | "kustomization.yml" | "Kustomization") {
        Shape::Kustomization
    } else if base == "Chart.yaml" && has("apiVersion") && has("name") {
        Shape::Chart
    } else if root.is_mapping() && base.starts_with("values") {
        Shape::Values
    } else {
        Shape::Unknown
    }
}

fn is_rule_group(group: Node<'_>) -> bool {
    group.get("rules").is_some_and(Node::is_sequence)
}
