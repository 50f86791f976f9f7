//! Claims and volumes in use are not deleted: their finalizer goes when nothing needs them any more.
//!
//! **Spec:** upstream's `pvcprotection` and `pvprotection` controllers.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::api::Patch;
use kube::{Api, Resource};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::is_terminating;
use mainstay_control::{Change, Component, Counters, Key, Next, Queue, Writer, reconcile, writes};
use mainstay_resource::Rule;
use serde_json::json;

use super::binder;
use super::words::{self, Item};
use crate::{Informers, pods};

/// The finalizer of a claim.
pub const OF_CLAIM: &str = "kubernetes.io/pvc-protection";
/// The finalizer of a volume.
pub const OF_VOLUME: &str = "kubernetes.io/pv-protection";

/// Its name, and the field manager it writes as.
pub const NAME: &str = "pvc-protection-controller";
/// The user it reads and writes as.
pub const USER: &str = "system:serviceaccount:kube-system:pvc-protection-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &[""], resources: &["pods"], verbs: &["list"] },
    Rule { groups: &[""], resources: &["persistentvolumeclaims", "persistentvolumes"], verbs: &["patch"] },
];

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, _: World, informers: Informers, counters: Counters) -> Outcome {
    let guard = Arc::new(Guard { writer: Writer::new(client, NAME), informers, queue: Queue::default() });
    guard.informers.pods.synced().await;
    let told = guard.clone();
    let _claims = guard.informers.volume_claims.subscribe(move |change| {
        told.queue.add(Item::Claim(Key::of(change.latest().as_ref())));
    });
    let told = guard.clone();
    let _volumes = guard.informers.volumes.subscribe(move |change| {
        told.queue.add(Item::Volume(Key::of(change.latest().as_ref())));
    });
    let told = guard.clone();
    let _pods = guard.informers.pods.subscribe(move |change| told.pod_changed(change));
    let work = |item| {
        let guard = guard.clone();
        async move { guard.pass(&item).await }
    };
    reconcile::run(NAME, &guard.queue, 2, &counters, work).await;
    Err("the work loop ended".into())
}

struct Guard {
    writer: Writer,
    informers: Informers,
    queue: Queue<Item>,
}

impl Guard {
    /// A pod that ended or is gone uses its claims no longer.
    fn pod_changed(&self, change: &Change<Pod>) {
        if change.now().is_some_and(|pod| !pods::is_ended(pod)) {
            return;
        }
        let pod = change.latest();
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        for volume in pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
            let named = volume.persistent_volume_claim.as_ref().map(|source| source.claim_name.clone());
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            let own = volume.ephemeral.as_ref().map(|_| format!("{name}-{}", volume.name));
            if let Some(claim) = named.or(own) {
                self.queue.add(Item::Claim(Key::new(namespace, &claim)));
            }
        }
    }

    async fn pass(&self, item: &Item) -> reconcile::Outcome {
        match item {
            Item::Claim(key) => {
                let Some(claim) = self.informers.volume_claims.get(key) else { return Ok(Next::Wait) };
                if is_doomed(claim.as_ref(), OF_CLAIM) && !self.is_used(key).await? {
                    self.let_go(claim.as_ref(), OF_CLAIM).await?;
                }
            }
            Item::Volume(key) => {
                let Some(volume) = self.informers.volumes.get(key) else { return Ok(Next::Wait) };
                if is_doomed(volume.as_ref(), OF_VOLUME) && words::phase(&volume) != "Bound" {
                    self.let_go(volume.as_ref(), OF_VOLUME).await?;
                }
            }
        }
        Ok(Next::Wait)
    }

    /// Whether a pod uses the claim: one that the cache shows, or else one the server knows of.
    async fn is_used(&self, claim: &Key) -> Result<bool, kube::Error> {
        let uses = |pod: &Pod| !pods::is_ended(pod) && binder::uses(pod, &claim.name);
        if self.informers.pods.within(&claim.namespace).iter().any(|pod| uses(pod)) {
            return Ok(true);
        }
        let api = Api::<Pod>::namespaced(self.writer.client().clone(), &claim.namespace);
        Ok(api.list(&kube::api::ListParams::default()).await?.items.iter().any(uses))
    }

    async fn let_go<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        finalizer: &str,
    ) -> Result<(), kube::Error> {
        let left: Vec<&String> =
            object.meta().finalizers.iter().flatten().filter(|one| *one != finalizer).collect();
        let patch = json!({"metadata": {
            "uid": object.meta().uid, "resourceVersion": object.meta().resource_version, "finalizers": left,
        }});
        writes::unless_gone(self.writer.patch::<K>(&Key::of(object), None, &Patch::Merge(patch)).await)
    }
}

fn is_doomed<K: Resource>(object: &K, finalizer: &str) -> bool {
    is_terminating(object.meta()) && object.meta().finalizers.iter().flatten().any(|one| one == finalizer)
}
