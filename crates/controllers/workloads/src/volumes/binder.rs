//! The binder: brings claims and volumes together and says in which phase each is.
//!
//! **Invariants:** a change is made only of the state it was decided on; the volume names its claim
//! before the claim names its volume, so that no volume is given away twice.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::api::Patch;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::{annotation, is_terminating, uid};
use mainstay_control::{Component, Counters, Key, Next, Queue, Recorder, Writer, events, reconcile, writes};
use mainstay_resource::Rule;
use serde_json::{Value, json};

use super::matching::{self, ForClaim, ForVolume};
use super::words::{self, BETA_PROVISIONER, BIND_COMPLETED, BOUND_BY_CONTROLLER, Item, PROVISIONER};
use crate::{Informers, pods};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "persistentvolume-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:persistent-volume-binder";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &[""], resources: &["persistentvolumeclaims", "persistentvolumes"], verbs: &["patch"] },
    Rule {
        groups: &[""],
        resources: &["persistentvolumeclaims/status", "persistentvolumes/status"],
        verbs: &["patch"],
    },
    events::RULE,
];

/// Objects worked on at a time.
const WORKERS: usize = 4;
/// A class whose volumes people make.
const BY_HAND: &str = "kubernetes.io/no-provisioner";
/// The provisioner that the old name stands for.
const MIGRATED: (&str, &str) = ("kubernetes.io/aws-ebs", "ebs.csi.aws.com");

/// The binder as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped; `client` is the one it writes through.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, NAME);
    let binder = Arc::new(Binder {
        writer: Writer::new(client.clone(), NAME),
        informers,
        recorder,
        queue: Queue::default(),
    });
    binder.informers.storage_classes.synced().await;
    binder.informers.volumes.synced().await;
    binder.informers.volume_claims.synced().await;
    let told = binder.clone();
    let _claims = binder.informers.volume_claims.subscribe(move |change| told.claim_changed(change.latest()));
    let told = binder.clone();
    let _volumes = binder.informers.volumes.subscribe(move |change| told.volume_changed(change.latest()));
    let work = |item| {
        let binder = binder.clone();
        async move { binder.pass(&item).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(NAME, &binder.queue, WORKERS, &counters, work) => {}
        () = sink.run(client) => {}
    }
    Err("the work loop ended".into())
}

struct Binder {
    writer: Writer,
    informers: Informers,
    recorder: Recorder,
    queue: Queue<Item>,
}

impl Binder {
    fn claim_changed(&self, claim: &PersistentVolumeClaim) {
        self.queue.add(Item::Claim(Key::of(claim)));
        if let Some(name) = words::volume_name(claim) {
            self.queue.add(Item::Volume(Key::cluster(name)));
        }
    }

    /// A volume that is free may suit any claim of its class that still waits.
    fn volume_changed(&self, volume: &PersistentVolume) {
        self.queue.add(Item::Volume(Key::of(volume)));
        if let Some(reference) = words::claim_reference(volume) {
            let (namespace, name) = (reference.namespace.as_deref(), reference.name.as_deref());
            let key = Key::new(namespace.unwrap_or_default(), name.unwrap_or_default());
            self.queue.add(Item::Claim(key));
            return;
        }
        for claim in self.informers.volume_claims.all() {
            if words::volume_name(&claim).is_none()
                && words::class_of_claim(&claim) == words::class_of_volume(volume)
            {
                self.queue.add(Item::Claim(Key::of(claim.as_ref())));
            }
        }
    }

    async fn pass(&self, item: &Item) -> reconcile::Outcome {
        match item {
            Item::Claim(key) => self.claim(key).await?,
            Item::Volume(key) => self.volume(key).await?,
        }
        Ok(Next::Wait)
    }

    async fn claim(&self, key: &Key) -> Result<(), kube::Error> {
        let Some(claim) = self.informers.volume_claims.get(key) else { return Ok(()) };
        if is_terminating(&claim.metadata) && annotation(&claim.metadata, BIND_COMPLETED).is_none() {
            return Ok(());
        }
        let named =
            words::volume_name(&claim).and_then(|name| self.informers.volumes.get(&Key::cluster(name)));
        let class = words::class(&self.informers, &claim);
        let waits = words::waits_for_consumer(class.as_deref());
        let candidates =
            if words::volume_name(&claim).is_none() { self.informers.volumes.all() } else { Vec::new() };
        match matching::for_claim(&claim, named.as_ref(), &candidates, waits) {
            ForClaim::Bind(volume) => return self.bind(&claim, &volume).await,
            ForClaim::Provision => return self.provision(&claim, class.as_deref()).await,
            ForClaim::Lost(reason, why) => return self.lose(&claim, reason, why).await,
            ForClaim::Wait => {}
            ForClaim::AwaitConsumer => self.tell_who_is_awaited(&claim),
            ForClaim::Nobody => {
                const WHY: &str =
                    "no persistent volumes available for this claim and no storage class is set";
                self.recorder.normal(claim.as_ref(), "FailedBinding", WHY.to_owned());
            }
            ForClaim::Mismatch(why) => {
                let name = words::volume_name(&claim).unwrap_or_default();
                let why = format!("Cannot bind to requested volume \"{name}\": {why}");
                self.recorder.warning(claim.as_ref(), "VolumeMismatch", why);
            }
            ForClaim::Taken => {
                let name = words::volume_name(&claim).unwrap_or_default();
                let why = format!("volume \"{name}\" already bound to a different claim.");
                self.recorder.warning(claim.as_ref(), "FailedBinding", why);
            }
        }
        self.say_phase(claim.as_ref(), json!({ "phase": "Pending" })).await
    }

    fn tell_who_is_awaited(&self, claim: &PersistentVolumeClaim) {
        let name = claim.metadata.name.as_deref().unwrap_or_default();
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        let waiting = self.informers.pods.within(namespace);
        let waiting = waiting.iter().filter(|pod| pods::node(pod).is_none() && uses(pod, name));
        let names: Vec<&str> = waiting.filter_map(|pod| pod.metadata.name.as_deref()).collect();
        let (reason, message) = match names.as_slice() {
            [] => {
                ("WaitForFirstConsumer", "waiting for first consumer to be created before binding".to_owned())
            }
            [one] => ("WaitForPodScheduled", format!("waiting for pod {one} to be scheduled")),
            many => ("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", many.join(","))),
        };
        self.recorder.normal(claim, reason, message);
    }

    /// Asks the class's provisioner for a volume.
    async fn provision(
        &self,
        claim: &PersistentVolumeClaim,
        class: Option<&k8s_openapi::api::storage::v1::StorageClass>,
    ) -> Result<(), kube::Error> {
        self.say_phase(claim, json!({ "phase": "Pending" })).await?;
        let Some(class) = class else {
            let name = words::class_of_claim(claim);
            let why = format!("storageclass.storage.k8s.io \"{name}\" not found");
            self.recorder.warning(claim, "ProvisioningFailed", why);
            return Ok(());
        };
        let provisioner = match class.provisioner.as_str() {
            BY_HAND => return Ok(()),
            old if old == MIGRATED.0 => MIGRATED.1,
            other => other,
        };
        if annotation(&claim.metadata, PROVISIONER) != Some(provisioner) {
            let annotations = json!({ PROVISIONER: provisioner, BETA_PROVISIONER: provisioner });
            self.change(claim, json!({ "metadata": { "annotations": annotations } })).await?;
        }
        let message = format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by \
             the system administrator. If volume creation is delayed, please verify that the provisioner is running \
             and correctly registered."
        );
        self.recorder.normal(claim, "ExternalProvisioning", message);
        Ok(())
    }

    /// The four steps of a binding; those that were done before are left out.
    async fn bind(
        &self,
        claim: &PersistentVolumeClaim,
        volume: &PersistentVolume,
    ) -> Result<(), kube::Error> {
        let name = volume.metadata.name.as_deref().unwrap_or_default();
        let has_uid = words::claim_reference(volume)
            .is_some_and(|reference| reference.uid.as_deref() == Some(uid(&claim.metadata)));
        if !has_uid {
            let was_named = words::claim_reference(volume).is_some();
            let mut change = json!({ "spec": { "claimRef": reference(claim) } });
            if !was_named {
                change["metadata"] = json!({ "annotations": { BOUND_BY_CONTROLLER: "yes" } });
            }
            self.change(volume, change).await?;
        }
        if words::phase(volume) != "Bound" {
            self.say_phase(volume, json!({ "phase": "Bound" })).await?;
        }
        let names_it = words::volume_name(claim) == Some(name);
        if !names_it || annotation(&claim.metadata, BIND_COMPLETED).is_none() {
            let mut annotations = json!({ BIND_COMPLETED: "yes" });
            if !names_it {
                annotations[BOUND_BY_CONTROLLER] = json!("yes");
            }
            let change =
                json!({ "metadata": { "annotations": annotations }, "spec": { "volumeName": name } });
            self.change(claim, change).await?;
        }
        let spec = volume.spec.as_ref();
        let status = json!({
            "phase": "Bound",
            "accessModes": spec.and_then(|spec| spec.access_modes.clone()),
            "capacity": spec.and_then(|spec| spec.capacity.clone()),
        });
        self.say_phase(claim, status).await
    }

    async fn lose(
        &self,
        claim: &PersistentVolumeClaim,
        reason: &'static str,
        why: &str,
    ) -> Result<(), kube::Error> {
        if claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Lost") {
            return Ok(());
        }
        self.recorder.warning(claim, reason, why.to_owned());
        self.say_phase(claim, json!({ "phase": "Lost" })).await
    }

    async fn volume(&self, key: &Key) -> Result<(), kube::Error> {
        let Some(volume) = self.informers.volumes.get(key) else { return Ok(()) };
        let claim = words::claim_reference(&volume).and_then(|reference| {
            let key = Key::new(reference.namespace.as_deref()?, reference.name.as_deref()?);
            self.informers.volume_claims.get(&key)
        });
        match matching::for_volume(&volume, claim.as_deref()) {
            ForVolume::Available => self.say_phase(volume.as_ref(), json!({ "phase": "Available" })).await,
            ForVolume::Bound => self.say_phase(volume.as_ref(), json!({ "phase": "Bound" })).await,
            ForVolume::Release if words::phase(&volume) == "Failed" => Ok(()),
            ForVolume::Release => self.say_phase(volume.as_ref(), json!({ "phase": "Released" })).await,
            ForVolume::AskClaim => {
                if let Some(claim) = &claim {
                    self.queue.add(Item::Claim(Key::of(claim.as_ref())));
                }
                Ok(())
            }
            ForVolume::Unbind => self.unbind(&volume).await,
        }
    }

    async fn unbind(&self, volume: &PersistentVolume) -> Result<(), kube::Error> {
        let change = if matching::was_bound_by_us(volume) {
            json!({ "metadata": { "annotations": { BOUND_BY_CONTROLLER: null } }, "spec": { "claimRef": null } })
        } else {
            json!({ "spec": { "claimRef": { "uid": "" } } })
        };
        self.change(volume, change).await
    }

    /// Changes an object, if it still is as it was decided on.
    async fn change<K>(&self, object: &K, mut change: Value) -> Result<(), kube::Error>
    where
        K: kube::Resource<DynamicType = ()>,
    {
        change["metadata"]["uid"] = json!(object.meta().uid);
        let patched = self.writer.patch::<K>(&Key::of(object), None, &Patch::Merge(change)).await;
        writes::unless_gone(patched)
    }

    /// Says a status, where it says anything new.
    async fn say_phase<K>(&self, object: &K, status: Value) -> Result<(), kube::Error>
    where
        K: kube::Resource<DynamicType = ()> + serde::Serialize,
    {
        let known = serde_json::to_value(object).map_err(kube::Error::SerdeError)?;
        let said =
            status.as_object().into_iter().flatten().all(|(name, value)| known["status"][name] == *value);
        if said {
            return Ok(());
        }
        writes::unless_gone(self.writer.merge_status::<K>(&Key::of(object), status).await)
    }
}

/// Whether a pod mounts the claim of this name.
pub(super) fn uses(pod: &Pod, claim: &str) -> bool {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.into_iter().any(|volume| {
        let source = volume.persistent_volume_claim.as_ref();
        let is_ephemeral = volume.ephemeral.is_some()
            && claim == format!("{}-{}", pod.metadata.name.as_deref().unwrap_or_default(), volume.name);
        source.is_some_and(|source| source.claim_name == claim) || is_ephemeral
    })
}

fn reference(claim: &PersistentVolumeClaim) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "namespace": claim.metadata.namespace, "name": claim.metadata.name, "uid": claim.metadata.uid,
        "resourceVersion": claim.metadata.resource_version,
    })
}
