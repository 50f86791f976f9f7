//! The built-in resources: what Kubernetes 1.33 serves by default, as one table.
//!
//! Upstream's beta APIs that are off by default are absent, and so are the create-only reviews
//! (`authentication.k8s.io`, `authorization.k8s.io`): a resource is listed once it is served.
//!
//! **Not here:** defaults (`defaults`), validation (`validation`), how a row is printed (`table`).

mod conversion;
mod fields;
mod legacy;
mod rows;
#[cfg(test)]
mod tests;

use crate::registry::{
    Action, CustomVersion, NameRule, ResourceInfo, ScalePaths, SelectableField, Storage, Subresource,
};
use rows::{Row, Sub};

/// Every built-in resource, in the order of the table.
pub fn built_in() -> Vec<ResourceInfo> {
    rows::TABLE.iter().map(describe).collect()
}

fn describe(row: &Row) -> ResourceInfo {
    let mut info = ResourceInfo::built_in(row.group, row.version, row.resource, row.kind, row.namespaced);
    info.short_names = row.short_names.iter().map(|name| (*name).into()).collect();
    info.categories = row.categories.iter().map(|name| (*name).into()).collect();
    info.verbs = row.verbs;
    info.subresources = row.subresources.iter().map(|sub| subresource(row, sub)).collect();
    info.fields = fields::of(row.group, row.kind);
    info.has_generation = row.has_generation;
    info.name_rule = name_rule(row);
    info.custom = legacy::schema(row.group, row.kind).map(|schema| CustomVersion::of_schema(&schema).into());
    if let Some((resource, api_version, conversion)) = conversion::of(row.group, row.version, row.kind) {
        info.storage = Storage {
            resource: resource.into(),
            api_version: api_version.into(),
            conversion: Some(conversion),
        };
    }
    info
}

fn name_rule(row: &Row) -> NameRule {
    match (row.group, row.kind) {
        ("", "Namespace") => NameRule::Label,
        ("", "Service") => NameRule::Label1035,
        ("rbac.authorization.k8s.io" | "flowcontrol.apiserver.k8s.io", _) => NameRule::PathSegment,
        _ => NameRule::Subdomain,
    }
}

fn subresource(row: &Row, sub: &Sub) -> Subresource {
    let (group, version, kind) = sub.shape.unwrap_or((row.group, row.version, row.kind));
    Subresource {
        name: sub.name.into(),
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        verbs: sub.verbs,
        action: action(sub.name),
    }
}

fn action(name: &str) -> Action {
    match name {
        "status" => Action::Status,
        "scale" => Action::Scale(ScalePaths {
            spec_replicas: path(&["spec", "replicas"]),
            status_replicas: path(&["status", "replicas"]),
            selector: Some(path(&["spec", "selector"])),
        }),
        "binding" => Action::Binding,
        "eviction" => Action::Eviction,
        "finalize" => Action::Finalize,
        "ephemeralcontainers" => Action::Ephemeral,
        "resize" => Action::Resize,
        "log" => Action::Log,
        "exec" | "attach" | "portforward" | "proxy" => Action::Connect,
        _ => Action::Unserved,
    }
}

fn path(segments: &[&str]) -> Vec<std::sync::Arc<str>> {
    segments.iter().map(|segment| (*segment).into()).collect()
}

fn field(name: &str, paths: &[&[&str]], otherwise: &str) -> SelectableField {
    SelectableField {
        name: name.into(),
        paths: paths.iter().map(|segments| path(segments)).collect(),
        otherwise: otherwise.into(),
    }
}
