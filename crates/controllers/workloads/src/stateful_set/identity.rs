//! Who a StatefulSet's pods are: names by ordinal, labels, and the pod made from a template.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mainstay_control::meta::{controller_reference, label};

use super::storage;
use crate::history::REVISION_LABEL;

/// The label with a pod's name.
pub const POD_NAME_LABEL: &str = "statefulset.kubernetes.io/pod-name";
/// The label with a pod's ordinal.
pub const INDEX_LABEL: &str = "apps.kubernetes.io/pod-index";

/// A name as parent and ordinal; the ordinal is missing where it is too large to be one.
pub(crate) fn parse(name: &str) -> Option<(&str, Option<i32>)> {
    let (parent, digits) = name.rsplit_once('-')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (parent, digits.parse().ok()))
}

/// A pod's ordinal, if its name has one.
pub(crate) fn ordinal(pod: &Pod) -> Option<i32> {
    parse(name(&pod.metadata))?.1
}

/// Whether a pod's name makes it one of the set's.
pub(crate) fn is_member(set: &StatefulSet, pod: &Pod) -> bool {
    parse(name(&pod.metadata)).is_some_and(|(parent, _)| parent == name(&set.metadata))
}

/// How many pods the set shall have.
pub(crate) fn replicas(set: &StatefulSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

/// The first ordinal.
pub(crate) fn start(set: &StatefulSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.ordinals.as_ref()?.start).unwrap_or_default()
}

/// The ordinals of the set's pods.
pub(crate) fn ordinals(set: &StatefulSet) -> RangeInclusive<i32> {
    let start = start(set);
    start..=start.saturating_add(replicas(set)) - 1
}

/// Whether the set shall have the pod.
pub(crate) fn is_wanted(set: &StatefulSet, pod: &Pod) -> bool {
    ordinal(pod).is_some_and(|ordinal| ordinals(set).contains(&ordinal))
}

/// Whether a pod is labelled as who it is.
pub(crate) fn matches(set: &StatefulSet, pod: &Pod) -> bool {
    let own = name(&pod.metadata);
    let expected = ordinal(pod).map(|ordinal| pod_name(set, ordinal));
    expected.as_deref() == Some(own)
        && pod.metadata.namespace == set.metadata.namespace
        && label(&pod.metadata, POD_NAME_LABEL) == Some(own)
}

/// The labels that say who a pod is.
pub(crate) fn labels(set: &StatefulSet, ordinal: i32) -> [(String, String); 2] {
    [(POD_NAME_LABEL.to_owned(), pod_name(set, ordinal)), (INDEX_LABEL.to_owned(), ordinal.to_string())]
}

/// The name of the pod with this ordinal.
pub(crate) fn pod_name(set: &StatefulSet, ordinal: i32) -> String {
    format!("{}-{ordinal}", name(&set.metadata))
}

/// The set's pod with this ordinal, made from a template that is recorded as `revision`.
pub(crate) fn pod(set: &StatefulSet, template: &PodTemplateSpec, revision: &str, ordinal: i32) -> Pod {
    let given = template.metadata.clone().unwrap_or_default();
    let own = pod_name(set, ordinal);
    let mut all: BTreeMap<String, String> = given.labels.unwrap_or_default();
    all.extend(labels(set, ordinal));
    all.insert(REVISION_LABEL.to_owned(), revision.to_owned());
    let mut spec = template.spec.clone().unwrap_or_default();
    spec.hostname = Some(own.clone());
    let service = set.spec.as_ref().and_then(|spec| spec.service_name.clone());
    spec.subdomain = service.filter(|service| !service.is_empty());
    spec.volumes = storage::volumes(set, &spec, ordinal);
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", name(&set.metadata))),
            name: Some(own),
            namespace: set.metadata.namespace.clone(),
            labels: Some(all),
            annotations: given.annotations,
            finalizers: given.finalizers,
            owner_references: Some(vec![controller_reference(set)]),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        status: None,
    }
}

/// An object's name.
pub(crate) fn name(meta: &ObjectMeta) -> &str {
    meta.name.as_deref().unwrap_or_default()
}
