//! A pod's claims: one for each of the set's templates, mounted as the volume of the template's name.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, PodSpec, Volume,
};

use super::identity;

/// The set's templates of claims.
pub(crate) fn templates(set: &StatefulSet) -> &[PersistentVolumeClaim] {
    set.spec.as_ref().and_then(|spec| spec.volume_claim_templates.as_deref()).unwrap_or_default()
}

/// The name of the claim of a template for the pod with this ordinal.
pub(crate) fn claim_name(set: &StatefulSet, template: &PersistentVolumeClaim, ordinal: i32) -> String {
    let (template, set) = (identity::name(&template.metadata), identity::name(&set.metadata));
    format!("{template}-{set}-{ordinal}")
}

/// The claim of a template for the pod with this ordinal; the labels that the set selects win.
pub(crate) fn claim(
    set: &StatefulSet,
    template: &PersistentVolumeClaim,
    ordinal: i32,
) -> PersistentVolumeClaim {
    let mut claim = template.clone();
    claim.metadata.name = Some(claim_name(set, template, ordinal));
    claim.metadata.namespace.clone_from(&set.metadata.namespace);
    claim.status = None;
    let selected = set.spec.as_ref().and_then(|spec| spec.selector.match_labels.clone());
    let mut labels: BTreeMap<String, String> = claim.metadata.labels.take().unwrap_or_default();
    labels.extend(selected.unwrap_or_default());
    claim.metadata.labels = Some(labels).filter(|labels| !labels.is_empty());
    claim
}

/// The volumes of the pod with this ordinal: those of its claims first, and the template's own of
/// other names.
pub(crate) fn volumes(set: &StatefulSet, spec: &PodSpec, ordinal: i32) -> Option<Vec<Volume>> {
    let templates = templates(set);
    if templates.is_empty() {
        return spec.volumes.clone();
    }
    let of_claim = |template: &PersistentVolumeClaim| Volume {
        name: identity::name(&template.metadata).to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: claim_name(set, template, ordinal),
            read_only: None,
        }),
        ..Volume::default()
    };
    let is_own = |volume: &&Volume| {
        !templates.iter().any(|template| identity::name(&template.metadata) == volume.name)
    };
    let own = spec.volumes.iter().flatten().filter(is_own).cloned();
    Some(templates.iter().map(of_claim).chain(own).collect())
}

/// Whether a pod mounts the claims it shall have.
pub(crate) fn matches(set: &StatefulSet, pod: &Pod) -> bool {
    let Some(ordinal) = identity::ordinal(pod) else { return false };
    let mounts = |template: &PersistentVolumeClaim| {
        let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
        let volume = volumes.iter().find(|volume| volume.name == identity::name(&template.metadata));
        let claim = volume.and_then(|volume| volume.persistent_volume_claim.as_ref());
        claim.is_some_and(|claim| claim.claim_name == claim_name(set, template, ordinal))
    };
    templates(set).iter().all(mounts)
}
