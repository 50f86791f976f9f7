//! The resources this server serves: what each is called, what it can do, how it is stored.
//!
//! Built-in resources are added once at start; a CustomResourceDefinition adds and removes its own
//! while the server runs. Readers take a [`Snapshot`] (one `Arc` clone) and never wait for writers.
//!
//! **Invariants:** a snapshot is sorted by (group, version, resource) and holds each at most once.
//! [`Snapshot::generation`] rises with every change, so whatever is derived from a snapshot
//! (discovery, OpenAPI) can be cached under it.
//!
//! **Not here:** the built-in list (`kinds`), what registers a custom one (`crd`).

use std::sync::{Arc, PoisonError, RwLock};

mod info;

pub use info::{
    ALL_VERBS, Action, Conversion, CustomVersion, NameRule, Origin, PrinterColumn, ResourceInfo, ScalePaths,
    SelectableField, Storage, Subresource,
};

/// All served resources at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    generation: u64,
    resources: Vec<Arc<ResourceInfo>>,
}

impl Snapshot {
    /// Rises with every change of the registry.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// All resources, sorted by group, version, resource.
    pub fn resources(&self) -> &[Arc<ResourceInfo>] {
        &self.resources
    }

    /// The resource served at these URL segments.
    pub fn find(&self, group: &str, version: &str, resource: &str) -> Option<&Arc<ResourceInfo>> {
        let wanted = (group, version, resource);
        let index = self.resources.binary_search_by(|info| info.sort_key().cmp(&wanted)).ok()?;
        self.resources.get(index)
    }

    /// The resource whose objects have this apiVersion and kind.
    pub fn find_kind(&self, group: &str, version: &str, kind: &str) -> Option<&Arc<ResourceInfo>> {
        self.resources
            .iter()
            .find(|info| &*info.group == group && &*info.version == version && &*info.kind == kind)
    }

    /// The resources of one group and version.
    pub fn group_version<'a>(
        &'a self,
        group: &'a str,
        version: &'a str,
    ) -> impl Iterator<Item = &'a Arc<ResourceInfo>> + 'a {
        self.resources.iter().filter(move |info| &*info.group == group && &*info.version == version)
    }
}

/// The live list of served resources; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<RwLock<Arc<Snapshot>>>);

impl Registry {
    /// A registry that serves `resources`.
    pub fn new(resources: impl IntoIterator<Item = ResourceInfo>) -> Self {
        let registry = Self::default();
        registry.add(resources);
        registry
    }

    /// The resources served now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds resources; one that is already there (same group, version, resource) is replaced.
    pub fn add(&self, resources: impl IntoIterator<Item = ResourceInfo>) {
        self.change(|list| {
            for added in resources {
                match list.binary_search_by(|info| info.sort_key().cmp(&added.sort_key())) {
                    Ok(index) => list[index] = Arc::new(added),
                    Err(index) => list.insert(index, Arc::new(added)),
                }
            }
        });
    }

    /// Takes away every resource `doomed` names.
    pub fn remove(&self, doomed: impl Fn(&ResourceInfo) -> bool) {
        self.change(|list| list.retain(|info| !doomed(info)));
    }

    /// Takes away `doomed` and adds `resources` in one step: a reader sees both or neither.
    pub fn replace(&self, doomed: impl Fn(&ResourceInfo) -> bool, resources: Vec<ResourceInfo>) {
        self.change(|list| {
            list.retain(|info| !doomed(info));
            for added in resources {
                if let Err(index) = list.binary_search_by(|info| info.sort_key().cmp(&added.sort_key())) {
                    list.insert(index, Arc::new(added));
                }
            }
        });
    }

    fn change(&self, edit: impl FnOnce(&mut Vec<Arc<ResourceInfo>>)) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&current);
        next.generation += 1;
        edit(&mut next.resources);
        *current = Arc::new(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Registry {
        Registry::new([
            ResourceInfo::built_in("", "v1", "pods", "Pod", true),
            ResourceInfo::built_in("apps", "v1", "deployments", "Deployment", true),
            ResourceInfo::built_in("", "v1", "nodes", "Node", false),
        ])
    }

    #[test]
    fn a_resource_is_found_by_its_url_and_by_its_kind() {
        let snapshot = sample().snapshot();
        let found = snapshot.find("apps", "v1", "deployments").expect("it was added");
        assert_eq!(
            (&*found.kind, &*found.list_kind, found.qualified().as_str()),
            ("Deployment", "DeploymentList", "deployments.apps")
        );
        assert_eq!(&*snapshot.find_kind("", "v1", "Node").expect("it was added").resource, "nodes");
        assert!(snapshot.find("apps", "v2", "deployments").is_none());
    }

    #[test]
    fn a_snapshot_does_not_see_later_changes_and_the_generation_rises() {
        let registry = sample();
        let before = registry.snapshot();
        registry.remove(|info| &*info.resource == "pods");
        assert!(before.find("", "v1", "pods").is_some());
        let after = registry.snapshot();
        assert!(after.find("", "v1", "pods").is_none());
        assert!(after.generation() > before.generation());
    }

    #[test]
    fn stored_bytes_are_sent_as_they_are_only_in_the_stored_version() {
        let stored = ResourceInfo::built_in(
            "autoscaling",
            "v2",
            "horizontalpodautoscalers",
            "HorizontalPodAutoscaler",
            true,
        );
        let mut older = ResourceInfo::built_in(
            "autoscaling",
            "v1",
            "horizontalpodautoscalers",
            "HorizontalPodAutoscaler",
            true,
        );
        older.storage = stored.storage.clone();
        assert!(stored.is_stored_version());
        assert!(!older.is_stored_version());
    }
}
