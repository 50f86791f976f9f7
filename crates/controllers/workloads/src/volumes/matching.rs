//! Which volume suits a claim, and what becomes of either: values in, a verdict out.
//!
//! **Spec:** upstream's `persistentvolume` controller and its `FindMatchingVolume`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;
use kube::core::SelectorExt as _;
use mainstay_control::meta::{annotation, is_terminating, uid};
use mainstay_resource::Quantity;

use super::words::{
    BIND_COMPLETED, BOUND_BY_CONTROLLER, PROVISIONED_BY, SELECTED_NODE, claim_reference, class_of_claim,
    class_of_volume, is_of, phase, volume_name,
};
use crate::claim::selector;

const FORGOTTEN: &str = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
const GONE: &str = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
const MISBOUND: &str = "Two claims are bound to the same volume, this one is bound incorrectly";

/// What a claim needs.
#[derive(Clone, Debug, PartialEq)]
pub enum ForClaim {
    /// Nothing can be done before something changes.
    Wait,
    /// This volume becomes its own, or is confirmed to be.
    Bind(Arc<PersistentVolume>),
    /// Its first pod must be placed first.
    AwaitConsumer,
    /// Somebody must make a volume.
    Provision,
    /// It has no class, and no volume suits.
    Nobody,
    /// The volume it names does not suit, for this reason.
    Mismatch(&'static str),
    /// The volume it names is another claim's.
    Taken,
    /// Its volume is gone, or no longer its own: reason and message of the Event.
    Lost(&'static str, &'static str),
}

/// Decides on a claim. `named` is the volume it names, `candidates` all there are, `waits` whether its
/// class waits for the first pod.
pub fn for_claim(
    claim: &PersistentVolumeClaim,
    named: Option<&Arc<PersistentVolume>>,
    candidates: &[Arc<PersistentVolume>],
    waits: bool,
) -> ForClaim {
    if annotation(&claim.metadata, BIND_COMPLETED).is_some() {
        return for_bound(claim, named);
    }
    if volume_name(claim).is_some() {
        return match named {
            None => ForClaim::Wait,
            Some(volume) if is_of(volume, claim) => ForClaim::Bind(volume.clone()),
            Some(volume) if claim_reference(volume).is_none() => match misfit(claim, volume) {
                Some(why) => ForClaim::Mismatch(why),
                None => ForClaim::Bind(volume.clone()),
            },
            Some(_) => ForClaim::Taken,
        };
    }
    let is_chosen = annotation(&claim.metadata, SELECTED_NODE).is_some();
    match best(claim, candidates, waits) {
        Some(volume) => ForClaim::Bind(volume),
        None if waits && !is_chosen => ForClaim::AwaitConsumer,
        None if !class_of_claim(claim).is_empty() => ForClaim::Provision,
        None => ForClaim::Nobody,
    }
}

fn for_bound(claim: &PersistentVolumeClaim, named: Option<&Arc<PersistentVolume>>) -> ForClaim {
    if volume_name(claim).is_none() {
        return ForClaim::Lost("ClaimLost", FORGOTTEN);
    }
    match named {
        None => ForClaim::Lost("ClaimLost", GONE),
        Some(volume) if claim_reference(volume).is_none() || is_of(volume, claim) => {
            ForClaim::Bind(volume.clone())
        }
        Some(_) => ForClaim::Lost("ClaimMisbound", MISBOUND),
    }
}

/// The smallest volume that suits; the one that names the claim before all. While the claim waits for
/// its first pod, only that one.
fn best(
    claim: &PersistentVolumeClaim,
    candidates: &[Arc<PersistentVolume>],
    waits: bool,
) -> Option<Arc<PersistentVolume>> {
    let fits = |volume: &&Arc<PersistentVolume>| {
        !is_terminating(&volume.metadata)
            && capacity(volume) >= request(claim)
            && mode(claim.spec.as_ref().and_then(|spec| spec.volume_mode.as_deref()))
                == mode(volume.spec.as_ref().and_then(|spec| spec.volume_mode.as_deref()))
    };
    if let Some(own) = candidates.iter().filter(fits).find(|volume| is_of(volume, claim)) {
        return Some(own.clone());
    }
    if waits {
        return None;
    }
    let wanted = claim.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let wanted = wanted.map(|wanted| selector(wanted).ok_or(()));
    let nothing = BTreeMap::new();
    let is_selected = |volume: &PersistentVolume| match &wanted {
        None => true,
        Some(Err(())) => false,
        Some(Ok(wanted)) => wanted.matches(volume.metadata.labels.as_ref().unwrap_or(&nothing)),
    };
    let free = candidates.iter().filter(fits).filter(|volume| {
        claim_reference(volume).is_none()
            && phase(volume) == "Available"
            && class_of_volume(volume) == class_of_claim(claim)
            && has_modes(claim, volume)
            && is_selected(volume)
    });
    free.min_by_key(|volume| capacity(volume)).cloned()
}

/// Why a volume that the claim names does not suit it.
fn misfit(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Option<&'static str> {
    let mode_of_claim = mode(claim.spec.as_ref().and_then(|spec| spec.volume_mode.as_deref()));
    let mode_of_volume = mode(volume.spec.as_ref().and_then(|spec| spec.volume_mode.as_deref()));
    if capacity(volume) < request(claim) {
        Some("requested PV is too small")
    } else if class_of_volume(volume) != class_of_claim(claim) {
        Some("storageClassName does not match")
    } else if mode_of_claim != mode_of_volume {
        Some("incompatible volumeMode")
    } else if !has_modes(claim, volume) {
        Some("incompatible accessMode")
    } else {
        None
    }
}

fn mode(mode: Option<&str>) -> &str {
    mode.unwrap_or("Filesystem")
}

fn has_modes(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let offered = volume.spec.as_ref().and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    let mut wanted = claim.spec.iter().flat_map(|spec| spec.access_modes.iter().flatten());
    wanted.all(|mode| offered.contains(mode))
}

fn bytes(amount: Option<&Written>) -> i64 {
    amount.and_then(|amount| Quantity::parse(&amount.0).ok()).map_or(0, Quantity::value)
}

/// How much the claim asks for, in bytes.
pub fn request(claim: &PersistentVolumeClaim) -> i64 {
    let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    bytes(resources.and_then(|resources| resources.requests.as_ref()?.get("storage")))
}

/// How much the volume holds, in bytes.
pub fn capacity(volume: &PersistentVolume) -> i64 {
    bytes(volume.spec.as_ref().and_then(|spec| spec.capacity.as_ref()?.get("storage")))
}

/// What a volume needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForVolume {
    /// Nobody claims it.
    Available,
    /// Its claim must be looked at.
    AskClaim,
    /// It and its claim name each other.
    Bound,
    /// Its claim is gone: its policy rules.
    Release,
    /// Its claim has another: the volume is free again.
    Unbind,
}

/// Decides on a volume; `claim` is the one of the name it names.
pub fn for_volume(volume: &PersistentVolume, claim: Option<&PersistentVolumeClaim>) -> ForVolume {
    let Some(reference) = claim_reference(volume) else { return ForVolume::Available };
    let named_uid = reference.uid.as_deref().unwrap_or_default();
    if named_uid.is_empty() {
        return ForVolume::Available;
    }
    let Some(claim) = claim.filter(|claim| uid(&claim.metadata) == named_uid) else {
        return ForVolume::Release;
    };
    match volume_name(claim) {
        None => ForVolume::AskClaim,
        Some(name) if Some(name) == volume.metadata.name.as_deref() => ForVolume::Bound,
        Some(_) => {
            let policy =
                volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
            let was_made = annotation(&volume.metadata, PROVISIONED_BY).is_some();
            if was_made && policy == Some("Delete") { ForVolume::Release } else { ForVolume::Unbind }
        }
    }
}

/// Whether the binder brought volume and claim together, so that it may part them for good.
pub fn was_bound_by_us(volume: &PersistentVolume) -> bool {
    annotation(&volume.metadata, BOUND_BY_CONTROLLER).is_some()
}

#[cfg(test)]
mod tests;
