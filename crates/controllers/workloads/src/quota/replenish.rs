//! Which changes of pods, Services and claims may give something back.
//!
//! LIMIT: a Service with fewer ports, and a pod that should have ended, are found by the next full
//! calculation, as upstream finds them.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use mainstay_control::Change;

use crate::pods;

/// A pod that is gone, has ended, asks for something else, or comes into other scopes.
pub(super) fn by_pod(change: &Change<Pod>) -> bool {
    let (Some(old), Some(new)) = (change.before(), change.now()) else { return change.now().is_none() };
    let is_bound = |pod: &Pod| pod.spec.as_ref().is_some_and(|spec| spec.active_deadline_seconds.is_some());
    old.metadata.uid != new.metadata.uid
        || (!pods::is_ended(old) && pods::is_ended(new))
        || is_bound(old) != is_bound(new)
        || old.metadata.generation != new.metadata.generation
}

/// A Service that is gone or of another type.
pub(super) fn by_service(change: &Change<Service>) -> bool {
    let (Some(old), Some(new)) = (change.before(), change.now()) else { return change.now().is_none() };
    let kind = |service: &Service| {
        let kind = service.spec.as_ref().and_then(|spec| spec.type_.clone());
        kind.filter(|kind| matches!(kind.as_str(), "NodePort" | "LoadBalancer"))
    };
    old.metadata.uid != new.metadata.uid || kind(old) != kind(new)
}

/// A claim that is gone, or of another size.
pub(super) fn by_claim(change: &Change<PersistentVolumeClaim>) -> bool {
    let (Some(old), Some(new)) = (change.before(), change.now()) else { return change.now().is_none() };
    let asked = |claim: &PersistentVolumeClaim| claim.spec.as_ref().and_then(|spec| spec.resources.clone());
    let allocated = |claim: &PersistentVolumeClaim| {
        claim.status.as_ref().and_then(|status| status.allocated_resources.clone())
    };
    old.metadata.uid != new.metadata.uid || asked(old) != asked(new) || allocated(old) != allocated(new)
}
