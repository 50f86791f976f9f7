//! Names of kinds and of resources: group, version and what of them.
//!
//! **Spec:** `apiVersion` is `group/version`, or the version alone for the core group.

use std::fmt;

use serde_json::Value;

/// A kind, as objects name themselves: `apps/v1`, `Deployment`.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct GroupVersionKind {
    /// The group; empty for the core group.
    pub group: String,
    /// The version, `v1`.
    pub version: String,
    /// The kind, `Deployment`.
    pub kind: String,
}

impl GroupVersionKind {
    /// The kind of these names.
    pub fn new(group: impl Into<String>, version: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// The kind from an object's two fields; `None` when `api_version` is malformed or one is empty.
    pub fn parse(api_version: &str, kind: &str) -> Option<Self> {
        let (group, version) = split_api_version(api_version)?;
        (!version.is_empty() && !kind.is_empty()).then(|| Self::new(group, version, kind))
    }

    /// The kind an object says it is.
    pub fn of(object: &Value) -> Option<Self> {
        Self::parse(object.get("apiVersion")?.as_str()?, object.get("kind")?.as_str()?)
    }

    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        join_api_version(&self.group, &self.version)
    }

    /// The resource of this kind's group and version.
    pub fn resource(&self, resource: impl Into<String>) -> GroupVersionResource {
        GroupVersionResource::new(&*self.group, &*self.version, resource)
    }
}

impl fmt::Display for GroupVersionKind {
    /// As upstream's messages print it: `apps/v1, Kind=Deployment`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Kind={}", self.group, self.version, self.kind)
    }
}

/// A resource, as paths name it: `apps/v1`, `deployments`.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct GroupVersionResource {
    /// The group; empty for the core group.
    pub group: String,
    /// The version, `v1`.
    pub version: String,
    /// The plural, `deployments`.
    pub resource: String,
}

impl GroupVersionResource {
    /// The resource of these names.
    pub fn new(group: impl Into<String>, version: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { group: group.into(), version: version.into(), resource: resource.into() }
    }

    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        join_api_version(&self.group, &self.version)
    }

    /// `deployments.apps`, or the plural alone for the core group: how messages name a resource.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// The kind of this resource's group and version.
    pub fn kind(&self, kind: impl Into<String>) -> GroupVersionKind {
        GroupVersionKind::new(&*self.group, &*self.version, kind)
    }
}

impl fmt::Display for GroupVersionResource {
    /// As upstream's messages print it: `apps/v1, Resource=deployments`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Resource={}", self.group, self.version, self.resource)
    }
}

/// Splits an `apiVersion` into group and version; `None` with more than one slash.
pub fn split_api_version(api_version: &str) -> Option<(&str, &str)> {
    match api_version.split_once('/') {
        None => Some(("", api_version)),
        Some((_, version)) if version.contains('/') => None,
        Some(parts) => Some(parts),
    }
}

/// Joins group and version into an `apiVersion`.
pub fn join_api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn api_version_splits_and_joins_back() {
        for (text, group, version) in
            [("v1", "", "v1"), ("apps/v1", "apps", "v1"), ("eksctl.io/v1alpha5", "eksctl.io", "v1alpha5")]
        {
            assert_eq!(split_api_version(text), Some((group, version)));
            assert_eq!(join_api_version(group, version), text);
        }
        assert_eq!(split_api_version("a/b/c"), None);
    }

    #[test]
    fn an_object_names_its_kind_only_when_both_fields_are_there() {
        let kind = GroupVersionKind::of(&json!({"apiVersion": "apps/v1", "kind": "Deployment"}));
        assert_eq!(kind, Some(GroupVersionKind::new("apps", "v1", "Deployment")));
        for object in [json!({}), json!({"apiVersion": "v1"}), json!({"apiVersion": 1, "kind": "Pod"})] {
            assert_eq!(GroupVersionKind::of(&object), None, "{object}");
        }
        assert_eq!(GroupVersionKind::parse("v1", ""), None);
        assert_eq!(GroupVersionKind::parse("apps/", "Deployment"), None);
    }

    #[test]
    fn messages_name_kinds_and_resources_as_upstream() {
        let kind = GroupVersionKind::new("", "v1", "Pod");
        assert_eq!(kind.to_string(), "/v1, Kind=Pod");
        assert_eq!(kind.resource("pods").group_resource(), "pods");
        let resource = GroupVersionResource::new("apps", "v1", "deployments");
        assert_eq!(resource.group_resource(), "deployments.apps");
        assert_eq!(resource.to_string(), "apps/v1, Resource=deployments");
        assert_eq!(resource.kind("Deployment").api_version(), "apps/v1");
    }
}
