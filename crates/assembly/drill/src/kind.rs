//! Kinds by their names: which resource serves them.

use std::sync::Arc;

use kube::core::ApiResource;
use mainstay_apiserver::registry::{Registry, ResourceInfo};

/// The store's name of Events.
pub(crate) const EVENTS: &str = "/events";

/// The served resource of a kind; without an API version the first in the groups' order.
pub(crate) fn served(
    registry: &Registry,
    api_version: Option<&str>,
    kind: &str,
) -> Option<Arc<ResourceInfo>> {
    let snapshot = registry.snapshot();
    if let Some(api_version) = api_version {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        return snapshot.find_kind(group, version, kind).cloned();
    }
    let mut of_kind = snapshot.resources().iter().filter(|info| *info.kind == *kind);
    let first = of_kind.next()?;
    // Of several versions the one that is stored: nothing is lost in it.
    let stored = of_kind.filter(|info| info.group == first.group).find(|info| info.is_stored_version());
    Some(Arc::clone(if first.is_stored_version() { first } else { stored.unwrap_or(first) }))
}

/// The same for a client.
pub(crate) fn resource(info: &ResourceInfo) -> ApiResource {
    ApiResource {
        group: info.group.to_string(),
        version: info.version.to_string(),
        api_version: info.api_version(),
        kind: info.kind.to_string(),
        plural: info.resource.to_string(),
    }
}
