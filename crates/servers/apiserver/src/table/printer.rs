//! Which columns a resource has and what makes its cells.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{batch, cell, cluster, custom, event, extension, pod, policy, storage, traffic, workload};
use crate::registry::{Origin, ResourceInfo};

/// One column: header, type, and whether only wide output shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) wide: bool,
}

/// A column of text; upstream calls some columns of numbers so too.
pub(super) const fn column(name: &'static str) -> Column {
    Column { name, kind: "string", wide: false }
}

/// A column of numbers.
pub(super) const fn number(name: &'static str) -> Column {
    Column { name, kind: "integer", wide: false }
}

/// A column of truths.
pub(super) const fn truth(name: &'static str) -> Column {
    Column { name, kind: "boolean", wide: false }
}

/// A column of text that only wide output shows.
pub(super) const fn wide(name: &'static str) -> Column {
    Column { name, kind: "string", wide: true }
}

/// The columns of a built-in kind, and what makes its cells, which are as many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) columns: &'static [Column],
    pub(super) cells: fn(&Value, Timestamp) -> Vec<Value>,
}

/// Makes the cells of one resource.
#[derive(Debug)]
pub(super) enum Printer {
    /// A built-in kind.
    BuiltIn(Layout),
    /// A custom one, by its definition's columns.
    Custom(custom::Columns),
}

impl Printer {
    /// The printer of a resource.
    pub(super) fn of(info: &ResourceInfo) -> Self {
        match (&info.origin, &info.custom) {
            (Origin::Custom { .. }, Some(version)) => Self::Custom(custom::Columns::new(&version.columns)),
            _ => Self::BuiltIn(layout(&info.group, &info.kind)),
        }
    }

    /// The `columnDefinitions`.
    pub(super) fn definitions(&self) -> Value {
        match self {
            Self::BuiltIn(layout) => layout.columns.iter().map(definition).collect(),
            Self::Custom(columns) => columns.definitions(),
        }
    }

    /// The cells of an object.
    pub(super) fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        match self {
            Self::BuiltIn(layout) => (layout.cells)(object, now),
            Self::Custom(columns) => columns.cells(object, now),
        }
    }

    /// What a row says about its object: a pod that is over.
    pub(super) fn conditions(&self, object: &Value) -> Option<Value> {
        let is_pod = matches!(self, Self::BuiltIn(_)) && object["kind"] == "Pod";
        if is_pod { pod::conditions(object) } else { None }
    }
}

fn definition(column: &Column) -> Value {
    let format = if matches!(column.name, "Name" | "Attacher") { "name" } else { "" };
    json!({
        "name": column.name, "type": column.kind, "format": format, "description": "",
        "priority": i32::from(column.wide),
    })
}

/// What a kind without columns of its own shows.
const PLAIN: Layout = Layout {
    columns: &[column("Name"), Column { name: "Created At", kind: "date", wide: false }],
    cells: |object, _| vec![cell::name(object), cell::created(object)],
};

fn layout(group: &str, kind: &str) -> Layout {
    let found = match (group, kind) {
        ("", "Pod") => Some(pod::LAYOUT),
        ("", "ReplicationController" | "PodTemplate") | ("apps", _) => workload::layout(kind),
        ("batch", _) => batch::layout(kind),
        ("autoscaling" | "policy" | "rbac.authorization.k8s.io", _) => policy::layout(kind),
        ("", "Service" | "Endpoints") | ("networking.k8s.io" | "discovery.k8s.io", _) => {
            traffic::layout(kind)
        }
        ("", "PersistentVolume" | "PersistentVolumeClaim") | ("storage.k8s.io", _) => storage::layout(kind),
        ("" | "events.k8s.io", "Event") => Some(event::LAYOUT),
        ("admissionregistration.k8s.io" | "apiregistration.k8s.io" | "flowcontrol.apiserver.k8s.io", _) => {
            extension::layout(kind)
        }
        _ => cluster::layout(kind),
    };
    found.unwrap_or(PLAIN)
}
