//! The pod of a DaemonSet for one node.
//!
//! It is not bound: its affinity leaves the scheduler that one node.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Affinity, NodeAffinity, NodeSelector, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mainstay_control::meta::{annotation, controller_reference};

use super::board::{GENERATION_LABEL, TEMPLATE_GENERATION};
use super::placement;
use crate::history::REVISION_LABEL;

/// A pod from the set's template, without a name and for no node yet.
pub(super) fn pod(set: &DaemonSet, hash: &str) -> Pod {
    let template = set.spec.as_ref().map(|spec| spec.template.clone()).unwrap_or_default();
    let given = template.metadata.unwrap_or_default();
    let mut labels = given.labels.unwrap_or_default();
    let generation = annotation(&set.metadata, TEMPLATE_GENERATION);
    if let Some(generation) = generation.filter(|generation| generation.parse::<i64>().is_ok()) {
        labels.insert(GENERATION_LABEL.to_owned(), generation.to_owned());
    }
    labels.insert(REVISION_LABEL.to_owned(), hash.to_owned());
    let mut spec = template.spec.unwrap_or_default();
    spec.tolerations = Some(placement::tolerations(&spec));
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", set.metadata.name.as_deref().unwrap_or_default())),
            namespace: set.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: given.annotations,
            finalizers: given.finalizers,
            owner_references: Some(vec![controller_reference(set)]),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        status: None,
    }
}

/// The same pod, for one node: whatever the template requires of nodes, this one meets.
pub(super) fn on(pod: &Pod, node: &str) -> Pod {
    let mut pod = pod.clone();
    let spec = pod.spec.get_or_insert_default();
    let affinity = spec.affinity.get_or_insert_with(Affinity::default);
    let affinity = affinity.node_affinity.get_or_insert_with(NodeAffinity::default);
    affinity.required_during_scheduling_ignored_during_execution =
        Some(NodeSelector { node_selector_terms: vec![placement::only(node)] });
    pod
}
