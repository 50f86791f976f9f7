//! What the claims of one pod need.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use mainstay_control::meta::is_terminating;

use super::plan::View;
use super::retention::{self, Policy};
use super::{identity, storage};

/// What to do about a pod's claims.
#[derive(Debug, Default)]
pub struct Claims {
    /// Those to be created.
    pub create: Vec<PersistentVolumeClaim>,
    /// Those to be owned otherwise.
    pub own: Vec<(Arc<PersistentVolumeClaim>, Vec<OwnerReference>)>,
    /// Those that another controller has a hold on.
    pub contested: Vec<String>,
    /// Those that are being deleted, so that no pod can have them.
    pub dying: Vec<String>,
}

impl Claims {
    /// What the claims need, where those that are missing are to be created.
    pub(super) fn missing(view: &View<'_>, pod: &Pod) -> Self {
        Self::look(view, pod, true)
    }

    /// What the claims need, where one that is missing is none of the pod's business.
    pub(super) fn owned(view: &View<'_>, pod: &Pod) -> Self {
        Self::look(view, pod, false)
    }

    fn look(view: &View<'_>, pod: &Pod, creates: bool) -> Self {
        let mut claims = Self::default();
        let Some(ordinal) = identity::ordinal(pod) else { return claims };
        for template in storage::templates(view.set) {
            let name = storage::claim_name(view.set, template, ordinal);
            match (view.claim)(&name) {
                Some(claim) => claims.take_in(view, pod, claim, creates),
                None if creates => {
                    let mut claim = storage::claim(view.set, template, ordinal);
                    let owners = retention::owners(&claim, view.set, pod);
                    claim.metadata.owner_references = Some(owners).filter(|owners| !owners.is_empty());
                    claims.create.push(claim);
                }
                None => {}
            }
        }
        claims
    }

    fn take_in(&mut self, view: &View<'_>, pod: &Pod, claim: Arc<PersistentVolumeClaim>, creates: bool) {
        let name = || claim.metadata.name.clone().unwrap_or_default();
        if creates && is_terminating(&claim.metadata) {
            self.dying.push(name());
        }
        if retention::is_up_to_date(&claim, view.set, pod) {
            return;
        }
        if retention::has_unexpected_controller(&claim, view.set, pod) {
            self.contested.push(name());
        }
        let owners = retention::owners(&claim, view.set, pod);
        self.own.push((claim, owners));
    }

    /// Whether they need nothing.
    pub(super) fn are_good(&self) -> bool {
        self.create.is_empty() && self.own.is_empty() && self.dying.is_empty()
    }
}

/// Whether a pod cannot come yet, because a claim is still to be deleted with its predecessor.
pub(super) fn are_stale(view: &View<'_>, pod: &Pod) -> bool {
    let Some(ordinal) = identity::ordinal(pod) else { return false };
    let is_stale =
        |name: String| (view.claim)(&name).is_some_and(|claim| retention::has_stale_owner(&claim, pod));
    Policy::of(view.set).deletes_scaled
        && storage::templates(view.set)
            .iter()
            .any(|template| is_stale(storage::claim_name(view.set, template, ordinal)))
}
