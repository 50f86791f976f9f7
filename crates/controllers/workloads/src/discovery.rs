//! The kinds the API serves, found anew whenever a definition comes, changes or goes.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Discovery;
use kube::core::{ApiResource, PartialObjectMeta};
use kube::discovery::{ApiCapabilities, ApiGroup, Scope};
use mainstay_base::task::Outcome;
use mainstay_control::Informer;
use mainstay_control::backoff::WatchBackoff;
use tokio::sync::{Notify, watch};

/// Definitions come in crowds: they are looked at together.
const SETTLING: Duration = Duration::from_secs(1);

/// A kind in its preferred version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) resource: ApiResource,
    pub(crate) is_namespaced: bool,
    /// Whether its objects have a size of their own, as an `autoscaling/v1` Scale.
    pub(crate) has_scale: bool,
    verbs: Vec<String>,
    /// Every version it is served in.
    versions: Vec<String>,
}

impl Kind {
    /// Whether all of these may be asked of it.
    pub(crate) fn can(&self, verbs: &[&str]) -> bool {
        verbs.iter().all(|verb| self.verbs.iter().any(|own| own == verb))
    }

    /// Whether an owner is said to be of this kind, in a version it is served in.
    pub(crate) fn is_of(&self, owner: &OwnerReference) -> bool {
        let (group, version) = owner.api_version.rsplit_once('/').unwrap_or(("", &owner.api_version));
        self.resource.kind == owner.kind
            && self.resource.group == group
            && self.versions.iter().any(|own| own == version)
    }

    /// Group and plural, by which kinds are sorted.
    pub(crate) fn name(&self) -> (&str, &str) {
        (&self.resource.group, &self.resource.plural)
    }
}

/// All kinds, sorted by group and plural; clones share what is known.
#[derive(Clone, Debug)]
pub(crate) struct Kinds(watch::Sender<Arc<[Arc<Kind>]>>);

impl Default for Kinds {
    fn default() -> Self {
        Self(watch::Sender::new(Arc::new([])))
    }
}

impl Kinds {
    /// What is known and what comes to be; empty until the first answer.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<[Arc<Kind>]>> {
        self.0.subscribe()
    }

    /// Returns once there was a first answer.
    pub(crate) async fn known(&self) -> Arc<[Arc<Kind>]> {
        let mut kinds = self.0.subscribe();
        // It cannot close: `self` holds the sender.
        kinds.wait_for(|kinds| !kinds.is_empty()).await.map(|kinds| kinds.clone()).unwrap_or_default()
    }

    /// Keeps the kinds up to date, for as long as it is polled.
    pub(crate) async fn run(
        &self,
        client: kube::Client,
        definitions: &Informer<PartialObjectMeta<CustomResourceDefinition>>,
    ) -> Outcome {
        let changed = Arc::new(Notify::new());
        let told = changed.clone();
        let _subscription = definitions.subscribe(move |_| told.notify_one());
        let mut backoff = WatchBackoff::default();
        loop {
            match discover(&client).await {
                Ok(kinds) => {
                    backoff = WatchBackoff::default();
                    self.0.send_if_modified(|known| {
                        let is_news = **known != *kinds;
                        *known = kinds;
                        is_news
                    });
                    changed.notified().await;
                    tokio::time::sleep(SETTLING).await;
                }
                Err(error) => {
                    tracing::debug!(%error, "discovery failed");
                    tokio::time::sleep(backoff.next().unwrap_or_default()).await;
                }
            }
        }
    }
}

async fn discover(client: &kube::Client) -> Result<Arc<[Arc<Kind>]>, kube::Error> {
    let found = match Discovery::new(client.clone()).run_aggregated().await {
        Ok(found) => found,
        // A server that knows no aggregated discovery is asked group by group.
        Err(_) => Discovery::new(client.clone()).run().await?,
    };
    let mut kinds: Vec<Arc<Kind>> = found.groups_alphabetical().into_iter().flat_map(kinds_of).collect();
    kinds.sort_by(|a, b| a.name().cmp(&b.name()));
    Ok(kinds.into())
}

/// The kinds of one group, each in its preferred version.
fn kinds_of(group: &ApiGroup) -> Vec<Arc<Kind>> {
    let in_versions: Vec<_> =
        group.versions().map(|version| (version.to_owned(), group.versioned_resources(version))).collect();
    let kind = |(resource, capabilities): (ApiResource, ApiCapabilities)| {
        let has_it = |all: &[(ApiResource, ApiCapabilities)]| {
            all.iter().any(|(own, _)| own.plural == resource.plural && own.kind == resource.kind)
        };
        let serving = in_versions.iter().filter(|(_, all)| has_it(all));
        let versions = serving.map(|(version, _)| version.clone()).collect();
        let is_namespaced = capabilities.scope == Scope::Namespaced;
        let parts = &capabilities.subresources;
        let has_scale = parts.iter().any(|(part, _)| (&*part.plural, &*part.kind) == ("scale", "Scale"));
        Arc::new(Kind { resource, is_namespaced, has_scale, verbs: capabilities.operations, versions })
    };
    group.recommended_resources().into_iter().map(kind).collect()
}

#[cfg(test)]
impl Kind {
    /// A namespaced kind that may be asked everything.
    pub(crate) fn for_tests(group: &str, plural: &str, kind: &str) -> Self {
        let version = kube::core::GroupVersionKind::gvk(group, "v1", kind);
        let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
        Self {
            resource: ApiResource::from_gvk_with_plural(&version, plural),
            is_namespaced: true,
            has_scale: false,
            verbs: verbs.map(str::to_owned).into(),
            versions: vec!["v1".to_owned()],
        }
    }

    /// The same in no namespace.
    pub(crate) fn of_cluster(self) -> Self {
        Self { is_namespaced: false, ..self }
    }

    /// The same, served in one version more.
    pub(crate) fn also_in(mut self, version: &str) -> Self {
        self.versions.push(version.to_owned());
        self
    }
}
