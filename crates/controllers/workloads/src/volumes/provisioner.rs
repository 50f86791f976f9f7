//! The provisioner of simulated disks: what a CSI driver and its external provisioner do for
//! `ebs.csi.aws.com`: volumes for claims, in the zone of the node that was chosen, and their deletion.
//!
//! **Invariants:** a claim's volume is named after the claim's uid, so that it is made once.
//!
//! **Spec:** the external-provisioner sidecar's annotations, reasons and messages.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::DeleteParams;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::{annotation, is_terminating, label, uid};
use mainstay_control::{Component, Counters, Key, Next, Queue, Recorder, Writer, events, reconcile, writes};
use mainstay_resource::Rule;
use serde_json::{Value, json};

use super::words::{self, Item, PROVISIONED_BY, PROVISIONER, SELECTED_NODE};
use crate::Informers;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "ebs.csi.aws.com_ebs-csi-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:ebs-csi-controller-sa";
/// What that user may do.
pub const RULES: &[Rule] =
    &[Rule { groups: &[""], resources: &["persistentvolumes"], verbs: &["create", "delete"] }, events::RULE];

/// The driver it is.
pub const DRIVER: &str = "ebs.csi.aws.com";
/// Where a volume of a driver is, as a label of nodes.
const ZONE: &str = "topology.kubernetes.io/zone";
/// How long a disk takes to be made.
const CREATION: Duration = Duration::from_secs(2);
/// Objects worked on at a time.
const WORKERS: usize = 4;

/// The provisioner as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped; `client` is the one it writes through.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, NAME);
    let provisioner = Arc::new(Provisioner {
        writer: Writer::new(client.clone(), NAME),
        world,
        informers,
        recorder,
        queue: Queue::default(),
    });
    provisioner.informers.storage_classes.synced().await;
    provisioner.informers.nodes.synced().await;
    let told = provisioner.clone();
    let _claims = provisioner.informers.volume_claims.subscribe(move |change| {
        told.queue.add(Item::Claim(Key::of(change.latest().as_ref())));
    });
    let told = provisioner.clone();
    let _volumes = provisioner.informers.volumes.subscribe(move |change| {
        told.queue.add(Item::Volume(Key::of(change.latest().as_ref())));
    });
    let work = |item| {
        let provisioner = provisioner.clone();
        async move { provisioner.pass(&item).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(NAME, &provisioner.queue, WORKERS, &counters, work) => {}
        () = sink.run(client) => {}
    }
    Err("the work loop ended".into())
}

struct Provisioner {
    writer: Writer,
    world: World,
    informers: Informers,
    recorder: Recorder,
    queue: Queue<Item>,
}

impl Provisioner {
    async fn pass(&self, item: &Item) -> reconcile::Outcome {
        match item {
            Item::Claim(key) => self.claim(key).await?,
            Item::Volume(key) => self.volume(key).await?,
        }
        Ok(Next::Wait)
    }

    async fn claim(&self, key: &Key) -> Result<(), kube::Error> {
        let Some(claim) = self.informers.volume_claims.get(key) else { return Ok(()) };
        let Some(class) = words::class(&self.informers, &claim) else { return Ok(()) };
        let node = annotation(&claim.metadata, SELECTED_NODE);
        let is_ours = annotation(&claim.metadata, PROVISIONER) == Some(DRIVER);
        let is_due = node.is_some() || !words::waits_for_consumer(Some(&class));
        let name = format!("pvc-{}", uid(&claim.metadata));
        let is_made = self.informers.volumes.get(&Key::cluster(&name)).is_some();
        if !is_ours
            || !is_due
            || is_made
            || words::volume_name(&claim).is_some()
            || is_terminating(&claim.metadata)
        {
            return Ok(());
        }
        let told = format!("External provisioner is provisioning volume for claim \"{key}\"");
        self.recorder.normal(claim.as_ref(), "Provisioning", told);
        self.world.clock().sleep(CREATION).await;
        let volume = volume(&name, &claim, &class, self.zone(&claim, node).as_deref());
        let volume: PersistentVolume = serde_json::from_value(volume).map_err(kube::Error::SerdeError)?;
        match self.writer.create(&volume).await {
            Err(error) if !writes::already_exists(&error) => {
                let why = format!(
                    "failed to provision volume with StorageClass \"{}\": {}",
                    words::class_of_claim(&claim),
                    writes::text(&error)
                );
                self.recorder.warning(claim.as_ref(), "ProvisioningFailed", why);
                Err(error)
            }
            _ => {
                let told = format!("Successfully provisioned volume {name}");
                self.recorder.normal(claim.as_ref(), "ProvisioningSucceeded", told);
                Ok(())
            }
        }
    }

    /// The zone of the chosen node; where none was chosen, one of those there are.
    fn zone(&self, claim: &PersistentVolumeClaim, node: Option<&str>) -> Option<String> {
        let zone_of =
            |node: &k8s_openapi::api::core::v1::Node| label(&node.metadata, ZONE).map(str::to_owned);
        if let Some(name) = node {
            return zone_of(self.informers.nodes.get(&Key::cluster(name))?.as_ref());
        }
        let zones: std::collections::BTreeSet<String> =
            self.informers.nodes.all().iter().filter_map(|node| zone_of(node)).collect();
        let draw = uid(&claim.metadata).bytes().map(usize::from).sum::<usize>();
        zones.iter().nth(draw.checked_rem(zones.len())?).cloned()
    }

    /// A volume that was made for a claim goes with it, where its policy says so.
    async fn volume(&self, key: &Key) -> Result<(), kube::Error> {
        let Some(volume) = self.informers.volumes.get(key) else { return Ok(()) };
        let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
        let is_ours = annotation(&volume.metadata, PROVISIONED_BY) == Some(DRIVER);
        let is_done = words::phase(&volume) == "Released" && policy == Some("Delete");
        if is_ours && is_done && !is_terminating(&volume.metadata) {
            self.writer.delete::<PersistentVolume>(key, &DeleteParams::default()).await?;
        }
        Ok(())
    }
}

/// A volume for a claim.
fn volume(name: &str, claim: &PersistentVolumeClaim, class: &StorageClass, zone: Option<&str>) -> Value {
    let spec = claim.spec.as_ref();
    let requests = spec.and_then(|spec| spec.resources.as_ref()?.requests.clone()).unwrap_or_default();
    let parameters = class.parameters.clone().unwrap_or_default();
    let file_system = ["csi.storage.k8s.io/fstype", "fsType"].iter().find_map(|name| parameters.get(*name));
    let affinity = zone.map(|zone| {
        let is_there = json!({"key": ZONE, "operator": "In", "values": [zone]});
        json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [is_there]}]}})
    });
    json!({
        "metadata": {
            "name": name,
            "annotations": { PROVISIONED_BY: DRIVER },
        },
        "spec": {
            "accessModes": spec.and_then(|spec| spec.access_modes.clone()),
            "capacity": { "storage": requests.get("storage") },
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "uid": claim.metadata.uid,
                "namespace": claim.metadata.namespace, "name": claim.metadata.name,
                "resourceVersion": claim.metadata.resource_version,
            },
            "csi": {
                "driver": DRIVER,
                "fsType": file_system.map_or("ext4", String::as_str),
                "volumeHandle": format!("vol-0{}", uid(&claim.metadata).replace('-', "").get(..16).unwrap_or("0")),
            },
            "mountOptions": class.mount_options,
            "nodeAffinity": affinity,
            "persistentVolumeReclaimPolicy": class.reclaim_policy.as_deref().unwrap_or("Delete"),
            "storageClassName": class.metadata.name,
            "volumeMode": spec.and_then(|spec| spec.volume_mode.as_deref()).unwrap_or("Filesystem"),
        },
    })
}
