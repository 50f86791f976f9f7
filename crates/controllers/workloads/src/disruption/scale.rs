//! The sizes of the controllers that own a budget's pods.
//!
//! The well-known ones are read from the caches; any other is asked for its `scale`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Api;
use kube::api::DynamicObject;
use mainstay_control::meta::{controller_of, uid};
use mainstay_control::{Key, writes};

use crate::Informers;

/// A controller and the number of pods it shall have.
pub(super) type Size = (String, i32);

/// The owners of some pods.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Owners {
    /// The sizes of those that are known, by uid.
    pub(super) sizes: BTreeMap<String, i32>,
    /// Those whose size must be asked for, each with the name of one of its pods.
    pub(super) unknown: Vec<(OwnerReference, String)>,
    /// Whether some pods have no owner.
    pub(super) has_unmanaged: bool,
}

/// Finds the controllers that own these pods.
pub(super) fn owners(informers: &Informers, namespace: &str, selected: &[Arc<Pod>]) -> Owners {
    let (mut owners, mut seen) = (Owners::default(), BTreeSet::new());
    for pod in selected {
        let Some(owner) = controller_of(&pod.metadata) else {
            owners.has_unmanaged = true;
            continue;
        };
        if !seen.insert(owner.uid.as_str()) {
            continue;
        }
        match known(informers, owner, namespace) {
            Some((uid, replicas)) => {
                owners.sizes.insert(uid, replicas);
            }
            None => owners.unknown.push((owner.clone(), pod.metadata.name.clone().unwrap_or_default())),
        }
    }
    owners
}

impl Owners {
    /// What all sizes add up to.
    pub(super) fn total(&self) -> i32 {
        self.sizes.values().fold(0, |sum, size| sum.saturating_add(*size))
    }

    /// Asks the server for the sizes that are not known.
    pub(super) async fn ask(
        &mut self,
        informers: &Informers,
        client: &kube::Client,
        namespace: &str,
    ) -> Result<(), String> {
        for (owner, pod) in std::mem::take(&mut self.unknown) {
            let found = ask(informers, client, &owner, namespace).await?;
            let (uid, replicas) = found.ok_or_else(|| format!("found no controllers for pod {pod:?}"))?;
            self.sizes.insert(uid, replicas);
        }
        Ok(())
    }
}

/// The size of an owner of a well-known kind; that of the Deployment for a set a Deployment owns.
pub(super) fn known(informers: &Informers, owner: &OwnerReference, namespace: &str) -> Option<Size> {
    let key = Key::new(namespace, &owner.name);
    match (group(&owner.api_version), &*owner.kind) {
        ("", "ReplicationController") => {
            let found = informers.replication_controllers.get(&key)?;
            size(owner, &found.metadata, found.spec.as_ref().and_then(|spec| spec.replicas))
        }
        ("apps" | "extensions", "ReplicaSet") => {
            let set = informers.replica_sets.get(&key)?;
            let own = size(owner, &set.metadata, set.spec.as_ref().and_then(|spec| spec.replicas))?;
            match controller_of(&set.metadata) {
                Some(above) if above.kind == "Deployment" => deployment(informers, above, namespace),
                _ => Some(own),
            }
        }
        ("apps", "StatefulSet") => {
            let found = informers.stateful_sets.get(&key)?;
            size(owner, &found.metadata, found.spec.as_ref().and_then(|spec| spec.replicas))
        }
        _ => None,
    }
}

fn deployment(informers: &Informers, owner: &OwnerReference, namespace: &str) -> Option<Size> {
    if !matches!(group(&owner.api_version), "apps" | "extensions") {
        return None;
    }
    let found = informers.deployments.get(&Key::new(namespace, &owner.name))?;
    size(owner, &found.metadata, found.spec.as_ref().and_then(|spec| spec.replicas))
}

/// The size of what was found, if it is what is referred to.
fn size(owner: &OwnerReference, found: &ObjectMeta, replicas: Option<i32>) -> Option<Size> {
    (uid(found) == owner.uid).then(|| (owner.uid.clone(), replicas.unwrap_or(1)))
}

/// Asks the server for the size of an owner of any kind.
async fn ask(
    informers: &Informers,
    client: &kube::Client,
    owner: &OwnerReference,
    namespace: &str,
) -> Result<Option<Size>, String> {
    let kinds = informers.kinds.known().await;
    let Some(kind) = kinds.iter().find(|kind| kind.is_of(owner)) else {
        return Err(format!("no matches for kind {:?} in version {:?}", owner.kind, owner.api_version));
    };
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &kind.resource);
    let scale: Scale = match api.get_scale(&owner.name).await {
        Ok(scale) => scale,
        Err(error) if writes::is_not_found(&error) && kind.has_scale => return Ok(None),
        Err(error) if writes::is_not_found(&error) => {
            let (group, plural) = (&kind.resource.group, &kind.resource.plural);
            let dot = if group.is_empty() { "" } else { "." };
            return Err(format!("{plural}{dot}{group} does not implement the scale subresource"));
        }
        Err(error) => return Err(writes::text(&error)),
    };
    let replicas = scale.spec.and_then(|spec| spec.replicas).unwrap_or_default();
    Ok((uid(&scale.metadata) == owner.uid).then(|| (owner.uid.clone(), replicas)))
}

/// The group of an apiVersion.
fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}
