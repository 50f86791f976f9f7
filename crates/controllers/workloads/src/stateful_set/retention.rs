//! Who owns a pod's claims, so that the garbage collector deletes them when the set's policy says so.
//!
//! | when scaled | when deleted | owner |
//! |---|---|---|
//! | Retain | Retain | nobody |
//! | Retain | Delete | the set |
//! | Delete | Retain | the pod, once it is one too many |
//! | Delete | Delete | the set, and the pod once it is one too many |
//!
//! **Invariants:** a claim with a reference to an earlier set or pod of that name is left alone; one
//! that another controller owns gets no reference of ours.
//!
//! **Spec:** upstream's `persistentVolumeClaimRetentionPolicy`.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use mainstay_control::meta::{controller_reference, uid};

use super::identity;

/// What becomes of claims that are no longer needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// They are deleted with the pod that scaling down removes.
    pub(crate) deletes_scaled: bool,
    /// They are deleted with the set.
    pub(crate) deletes_with_set: bool,
}

impl Policy {
    /// The policy of a set.
    pub(crate) fn of(set: &StatefulSet) -> Self {
        let policy =
            set.spec.as_ref().and_then(|spec| spec.persistent_volume_claim_retention_policy.as_ref());
        let deletes = |value: Option<&String>| value.is_some_and(|value| value == "Delete");
        Self {
            deletes_scaled: deletes(policy.and_then(|policy| policy.when_scaled.as_ref())),
            deletes_with_set: deletes(policy.and_then(|policy| policy.when_deleted.as_ref())),
        }
    }

    fn retains_all(self) -> bool {
        !self.deletes_scaled && !self.deletes_with_set
    }

    /// Whether the set and the pod own the pod's claims.
    fn owners(self, set: &StatefulSet, pod: &Pod) -> (bool, bool) {
        let is_condemned = self.deletes_scaled && !identity::is_wanted(set, pod);
        (self.deletes_with_set && !is_condemned, is_condemned)
    }
}

/// Whether a claim's owners are as the policy wants them, or none of the set's business.
pub(crate) fn is_up_to_date(claim: &PersistentVolumeClaim, set: &StatefulSet, pod: &Pod) -> bool {
    if has_stale_owner(claim, set) || has_stale_owner(claim, pod) {
        return true;
    }
    if has_unexpected_controller(claim, set, pod) {
        return !is_owned_by(claim, &set.metadata) && !is_owned_by(claim, &pod.metadata);
    }
    let expected = Policy::of(set).owners(set, pod);
    !has_owner_without_control(claim, set, pod)
        && (is_owned_by(claim, &set.metadata), is_owned_by(claim, &pod.metadata)) == expected
}

/// The owners a claim shall have.
pub(crate) fn owners(claim: &PersistentVolumeClaim, set: &StatefulSet, pod: &Pod) -> Vec<OwnerReference> {
    let is_ours = |owner: &&OwnerReference| names(owner, set) || names(owner, pod);
    let mut owners: Vec<_> = references(claim).iter().filter(|owner| !is_ours(owner)).cloned().collect();
    if has_unexpected_controller(claim, set, pod) {
        return owners;
    }
    let (by_set, by_pod) = Policy::of(set).owners(set, pod);
    let mut add = |reference: OwnerReference| {
        if owners.iter().all(|owner| owner.uid != reference.uid) {
            owners.push(reference);
        }
    };
    if by_pod {
        add(controller_reference(pod));
    }
    if by_set {
        add(controller_reference(set));
    }
    owners
}

/// Whether something else than the set and the pod has a hold on a claim, where that matters.
pub(crate) fn has_unexpected_controller(claim: &PersistentVolumeClaim, set: &StatefulSet, pod: &Pod) -> bool {
    !Policy::of(set).retains_all()
        && references(claim).iter().any(|owner| {
            if names(owner, set) {
                owner.uid != uid(&set.metadata)
            } else if names(owner, pod) {
                owner.uid != uid(&pod.metadata)
            } else {
                owner.controller == Some(true)
            }
        })
}

/// Whether the set or the pod owns a claim without controlling it.
pub(crate) fn has_owner_without_control(claim: &PersistentVolumeClaim, set: &StatefulSet, pod: &Pod) -> bool {
    references(claim).iter().any(|owner| {
        (owner.uid == uid(&set.metadata) || owner.uid == uid(&pod.metadata)) && owner.controller != Some(true)
    })
}

/// Whether a claim refers to an earlier object of this one's name.
pub(crate) fn has_stale_owner<O>(claim: &PersistentVolumeClaim, object: &O) -> bool
where
    O: Resource<DynamicType = ()>,
{
    let named = references(claim).iter().find(|owner| names(owner, object));
    named.is_some_and(|owner| owner.uid != uid(object.meta()))
}

/// Whether a claim refers to this object.
pub(crate) fn is_owned_by(claim: &PersistentVolumeClaim, meta: &ObjectMeta) -> bool {
    references(claim).iter().any(|owner| owner.uid == uid(meta))
}

/// Whether a reference is to an object of this kind and name.
pub(crate) fn names<O: Resource<DynamicType = ()>>(owner: &OwnerReference, object: &O) -> bool {
    owner.api_version == O::api_version(&())
        && owner.kind == O::kind(&())
        && owner.name == identity::name(object.meta())
}

fn references(claim: &PersistentVolumeClaim) -> &[OwnerReference] {
    claim.metadata.owner_references.as_deref().unwrap_or_default()
}
