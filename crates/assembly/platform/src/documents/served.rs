//! Which kinds a region's API serves.

use std::collections::BTreeMap;

use kube::Client;
use kube::core::ApiResource;
use kube::discovery::{Discovery, Scope, verbs};

/// One kind in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub api: ApiResource,
    pub is_namespaced: bool,
}

/// All kinds that can be applied, by group, kind and version.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served {
    kinds: BTreeMap<(String, String), BTreeMap<String, Resource>>,
    /// The version in which each kind is looked through for what is to be pruned.
    listed: Vec<Resource>,
}

impl Served {
    /// Asks the API.
    pub(crate) async fn by(client: &Client) -> Result<Self, kube::Error> {
        let discovery = Discovery::new(client.clone()).run_aggregated().await?;
        let mut served = Self::default();
        for group in discovery.groups_alphabetical() {
            for version in group.versions() {
                for (api, capabilities) in group.versioned_resources(version) {
                    let is_namespaced = capabilities.scope == Scope::Namespaced;
                    if capabilities.supports_operation(verbs::PATCH) {
                        served.add(Resource { api, is_namespaced });
                    }
                }
            }
            for (api, capabilities) in group.resources_by_stability() {
                let can = |verb| capabilities.supports_operation(verb);
                if can(verbs::LIST) && can(verbs::DELETE) && can(verbs::PATCH) {
                    let is_namespaced = capabilities.scope == Scope::Namespaced;
                    served.listed.push(Resource { api, is_namespaced });
                }
            }
        }
        Ok(served)
    }

    /// Adds a kind.
    pub(crate) fn add(&mut self, resource: Resource) {
        let ApiResource { group, version, kind, .. } = resource.api.clone();
        self.kinds.entry((group, kind)).or_default().insert(version, resource);
    }

    /// A kind in a version.
    pub(crate) fn get(&self, group: &str, version: &str, kind: &str) -> Option<&Resource> {
        self.kinds.get(&(group.to_owned(), kind.to_owned()))?.get(version)
    }

    /// Each kind once, in the version in which its objects are looked through.
    pub(crate) fn listed(&self) -> &[Resource] {
        &self.listed
    }
}
