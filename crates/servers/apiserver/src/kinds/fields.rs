//! The fields a field selector may name, per kind; paths are those of the stored object.

use super::field;
use crate::registry::SelectableField;

/// The selectable fields of a kind, `metadata.*` aside.
pub(super) fn of(group: &str, kind: &str) -> Vec<SelectableField> {
    match (group, kind) {
        ("", "Pod") => pod(),
        ("", "Node") => vec![field("spec.unschedulable", &[&["spec", "unschedulable"]], "false")],
        ("", "Namespace") => vec![field("status.phase", &[&["status", "phase"]], "")],
        ("", "Secret") => vec![field("type", &[&["type"]], "")],
        ("", "Service") => vec![
            field("spec.clusterIP", &[&["spec", "clusterIP"]], ""),
            field("spec.type", &[&["spec", "type"]], ""),
        ],
        ("", "ReplicationController") | ("apps", "ReplicaSet") => {
            vec![field("status.replicas", &[&["status", "replicas"]], "0")]
        }
        ("batch", "Job") => vec![field("status.successful", &[&["status", "succeeded"]], "0")],
        ("certificates.k8s.io", "CertificateSigningRequest") => {
            vec![field("spec.signerName", &[&["spec", "signerName"]], "")]
        }
        ("", "Event") => event("involvedObject", "reportingComponent"),
        ("events.k8s.io", "Event") => event("regarding", "reportingController"),
        _ => Vec::new(),
    }
}

fn pod() -> Vec<SelectableField> {
    vec![
        field("spec.nodeName", &[&["spec", "nodeName"]], ""),
        field("spec.restartPolicy", &[&["spec", "restartPolicy"]], ""),
        field("spec.schedulerName", &[&["spec", "schedulerName"]], ""),
        field("spec.serviceAccountName", &[&["spec", "serviceAccountName"]], ""),
        field("spec.hostNetwork", &[&["spec", "hostNetwork"]], "false"),
        field("status.phase", &[&["status", "phase"]], ""),
        field("status.podIP", &[&["status", "podIP"]], ""),
        field("status.nominatedNodeName", &[&["status", "nominatedNodeName"]], ""),
    ]
}

/// Both Event APIs share what is stored (core/v1), so only the names differ.
fn event(object: &str, reporter: &str) -> Vec<SelectableField> {
    const PARTS: &[&str] =
        &["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];
    let mut fields: Vec<_> = PARTS
        .iter()
        .map(|part| field(&format!("{object}.{part}"), &[&["involvedObject", part]], ""))
        .collect();
    fields.push(field("reason", &[&["reason"]], ""));
    fields.push(field(reporter, &[&["reportingComponent"]], ""));
    fields.push(field("source", &[&["source", "component"], &["reportingComponent"]], ""));
    fields.push(field("type", &[&["type"]], ""));
    fields
}
