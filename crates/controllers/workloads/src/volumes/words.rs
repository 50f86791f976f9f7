//! Annotations, questions and the items of work that binder, provisioner and protection share.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use mainstay_control::Key;
use mainstay_control::meta::{annotation, uid};

use crate::Informers;

/// What there is to work on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    Claim(Key),
    Volume(Key),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(key) => write!(f, "claim {key}"),
            Self::Volume(key) => write!(f, "volume {key}"),
        }
    }
}

/// The claim has a volume for good.
pub(super) const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// The binder, not a person, brought the two together.
pub(super) const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// Who made the volume for its claim.
pub(super) const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// Who shall make a volume for the claim.
pub(super) const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
/// The older name of the same.
pub(super) const BETA_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
/// The node the scheduler has chosen for the claim's first pod.
pub(super) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// The class of a claim or a volume, as it was told before there was a field for it.
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// The class of a claim; empty where it wants none.
pub(super) fn class_of_claim(claim: &PersistentVolumeClaim) -> &str {
    let field = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
    annotation(&claim.metadata, BETA_CLASS).or(field).unwrap_or_default()
}

/// The class of a volume.
pub(super) fn class_of_volume(volume: &PersistentVolume) -> &str {
    let field = volume.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
    annotation(&volume.metadata, BETA_CLASS).or(field).unwrap_or_default()
}

/// The class object of a claim.
pub(super) fn class(informers: &Informers, claim: &PersistentVolumeClaim) -> Option<Arc<StorageClass>> {
    informers.storage_classes.get(&Key::cluster(class_of_claim(claim)))
}

/// Whether claims of the class wait for their first pod.
pub(super) fn waits_for_consumer(class: Option<&StorageClass>) -> bool {
    class.and_then(|class| class.volume_binding_mode.as_deref()) == Some("WaitForFirstConsumer")
}

/// The volume the claim names.
pub(super) fn volume_name(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.spec.as_ref()?.volume_name.as_deref().filter(|name| !name.is_empty())
}

/// The claim the volume names.
pub(super) fn claim_reference(volume: &PersistentVolume) -> Option<&ObjectReference> {
    volume.spec.as_ref()?.claim_ref.as_ref()
}

/// Whether the volume names this claim, by its uid where it has one.
pub(super) fn is_of(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    claim_reference(volume).is_some_and(|reference| {
        let is_named =
            reference.name == claim.metadata.name && reference.namespace == claim.metadata.namespace;
        let named_uid = reference.uid.as_deref().unwrap_or_default();
        is_named && (named_uid.is_empty() || named_uid == uid(&claim.metadata))
    })
}

/// The phase of a volume.
pub(super) fn phase(volume: &PersistentVolume) -> &str {
    volume.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}
