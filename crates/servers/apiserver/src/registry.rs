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

use serde_json::Value;

/// Verbs every ordinary resource has, in upstream's order.
pub const ALL_VERBS: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Everything there is to know about one served (group, version, resource).
#[derive(Clone, Debug)]
pub struct ResourceInfo {
    /// The API group; empty for the core group.
    pub group: Arc<str>,
    /// The version it is served at here.
    pub version: Arc<str>,
    /// The plural in the URL: `deployments`.
    pub resource: Arc<str>,
    /// `Deployment`.
    pub kind: Arc<str>,
    /// `deployment`.
    pub singular: Arc<str>,
    /// `DeploymentList`.
    pub list_kind: Arc<str>,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// What kubectl accepts instead of the plural.
    pub short_names: Vec<Arc<str>>,
    /// Groups of resources it belongs to: `all`.
    pub categories: Vec<Arc<str>>,
    /// What can be done with it ([`ALL_VERBS`] for most).
    pub verbs: &'static [&'static str],
    /// What hangs below an object of it.
    pub subresources: Vec<Subresource>,
    /// Fields a field selector may name, besides `metadata.name` and `metadata.namespace`.
    pub fields: Vec<SelectableField>,
    /// Whether `metadata.generation` counts the changes of its spec.
    pub has_generation: bool,
    /// How a name must look.
    pub name_rule: NameRule,
    /// Who brought it.
    pub origin: Origin,
    /// How it is stored.
    pub storage: Storage,
    /// What a custom resource's definition says about this version; `None` for built-in ones.
    pub custom: Option<Arc<CustomVersion>>,
}

/// What a CustomResourceDefinition says about one version, beyond names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CustomVersion {
    /// Its `additionalPrinterColumns`.
    pub columns: Vec<PrinterColumn>,
    /// Its `schema.openAPIV3Schema`.
    pub schema: Option<Value>,
    /// Why a client should not use it any more.
    pub deprecation: Option<String>,
}

/// A column of a custom resource's table.
#[derive(Clone, Debug, PartialEq)]
pub struct PrinterColumn {
    /// Its header.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: String,
    /// An OpenAPI format, or empty.
    pub format: String,
    /// What it means.
    pub description: String,
    /// Shown always when zero, in wide tables otherwise.
    pub priority: i64,
    /// Where its value is: a simple JSONPath, `.spec.replicas`.
    pub path: String,
}

/// A part of an object with its own URL.
#[derive(Clone, Debug)]
pub struct Subresource {
    /// The last segment of the URL: `status`.
    pub name: Arc<str>,
    /// The group of what is read and written there.
    pub group: Arc<str>,
    /// The version of what is read and written there.
    pub version: Arc<str>,
    /// The kind of what is read and written there.
    pub kind: Arc<str>,
    /// What can be done there.
    pub verbs: &'static [&'static str],
    /// What it does.
    pub action: Action,
}

/// What a subresource does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Reads the object, writes only its status.
    Status,
    /// Reads and writes the replica count as an `autoscaling/v1` Scale.
    Scale(ScalePaths),
    /// Assigns a pod to a node.
    Binding,
    /// Deletes a pod on behalf of a drain.
    Eviction,
    /// Writes a namespace's `spec.finalizers`.
    Finalize,
    /// Anything else: listed in discovery, answered with "not implemented".
    Unserved,
}

/// Where an object keeps what a Scale shows; paths from the object's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalePaths {
    /// Usually `spec.replicas`.
    pub spec_replicas: Vec<Arc<str>>,
    /// Usually `status.replicas`.
    pub status_replicas: Vec<Arc<str>>,
    /// A label selector: the object form (built-ins, `spec.selector`) or its text form (custom resources).
    pub selector: Option<Vec<Arc<str>>>,
}

/// A field a field selector may name.
#[derive(Clone, Debug)]
pub struct SelectableField {
    /// The name in the selector: `spec.nodeName`.
    pub name: Arc<str>,
    /// Where its value is; the first path with a non-empty scalar counts.
    pub paths: Vec<Vec<Arc<str>>>,
    /// Its value when no path has one.
    pub otherwise: Arc<str>,
}

/// How an object's name must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// DNS-1123 subdomain: most resources.
    Subdomain,
    /// DNS-1123 label: namespaces.
    Label,
    /// DNS-1035 label: Services.
    Label1035,
    /// Whatever fits in a URL segment: the RBAC resources.
    PathSegment,
}

/// Who brought a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This server.
    BuiltIn,
    /// The CustomResourceDefinition of this name.
    Custom {
        /// `<plural>.<group>`.
        definition: Arc<str>,
    },
}

/// How a resource's objects are stored; the served versions of one resource share it.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The store's name for it, `<group>/<resource>`: `apps/deployments`, `/pods`.
    pub resource: Arc<str>,
    /// The apiVersion in the stored bytes.
    pub api_version: Arc<str>,
    /// Turns this version into the stored one and back; `None` where only apiVersion differs.
    pub conversion: Option<Conversion>,
}

/// A change of version; neither direction touches apiVersion and kind.
#[derive(Clone, Copy, Debug)]
pub struct Conversion {
    /// From the served version to the stored one.
    pub to_stored: fn(&mut Value),
    /// From the stored version to the served one.
    pub to_served: fn(&mut Value),
}

impl ResourceInfo {
    /// A namespaced or cluster-scoped built-in resource with all verbs, stored in this version.
    /// Singular and list kind follow from the kind; everything else starts empty.
    pub fn built_in(group: &str, version: &str, resource: &str, kind: &str, namespaced: bool) -> Self {
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        Self {
            group: group.into(),
            version: version.into(),
            resource: resource.into(),
            kind: kind.into(),
            singular: kind.to_lowercase().into(),
            list_kind: format!("{kind}List").into(),
            namespaced,
            short_names: Vec::new(),
            categories: Vec::new(),
            verbs: ALL_VERBS,
            subresources: Vec::new(),
            fields: Vec::new(),
            has_generation: false,
            name_rule: NameRule::Subdomain,
            origin: Origin::BuiltIn,
            storage: Storage {
                resource: format!("{group}/{resource}").into(),
                api_version: api_version.into(),
                conversion: None,
            },
            custom: None,
        }
    }

    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `deployments.apps`, or `pods` for the core group: how error messages name it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.resource.to_string()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// The subresource at this URL segment.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| &*sub.name == name)
    }

    /// Whether status is written apart from the rest.
    pub fn has_status(&self) -> bool {
        self.subresources.iter().any(|sub| sub.action == Action::Status)
    }

    /// Whether this version is what the store holds, so that stored bytes can be sent as they are.
    pub fn is_stored_version(&self) -> bool {
        let stored = &*self.storage.api_version;
        self.storage.conversion.is_none()
            && match stored.split_once('/') {
                Some((group, version)) => group == &*self.group && version == &*self.version,
                None => self.group.is_empty() && stored == &*self.version,
            }
    }

    fn sort_key(&self) -> (&str, &str, &str) {
        (&self.group, &self.version, &self.resource)
    }
}

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
