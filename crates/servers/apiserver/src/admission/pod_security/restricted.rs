//! What a pod must do to be hardened: each check as upstream has it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::baseline::{self, CONFINED, added_beyond, not_to_add};
use super::checks::{Pod, Violation, counted, plural, quoted, uses};
use super::policy::Version;
use crate::fields::{at, list, number, text};

/// Volumes that lead nowhere beyond what the pod is given.
const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// Volumes that do, as upstream looks for them.
const BEYOND: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

const NON_ROOT: [&str; 2] = ["securityContext", "runAsNonRoot"];

pub(super) fn privilege_escalation(pod: Pod<'_>, version: Version) -> Option<Violation> {
    if version.has(25) && pod.is_windows() {
        return None;
    }
    let path = ["securityContext", "allowPrivilegeEscalation"];
    let named = pod.named(|container| at(container, &path).and_then(Value::as_bool) != Some(false));
    (!named.is_empty()).then(|| {
        let who = counted("container", &named);
        Violation::new(
            "allowPrivilegeEscalation != false",
            format!("{who} must set securityContext.allowPrivilegeEscalation=false"),
        )
    })
}

pub(super) fn capabilities(pod: Pod<'_>, version: Version) -> Option<Violation> {
    if version.has(25) && pod.is_windows() {
        return None;
    }
    let drops_all = |container| {
        list(container, &["securityContext", "capabilities", "drop"]).iter().any(|dropped| dropped == "ALL")
    };
    let keeping = pod.named(|container| !drops_all(container));
    let mut strange = BTreeSet::new();
    let adding = pod.named(|container| added_beyond(container, &["NET_BIND_SERVICE"], &mut strange));
    let mut details = Vec::new();
    if !keeping.is_empty() {
        let who = counted("container", &keeping);
        details.push(format!("{who} must set securityContext.capabilities.drop=[\"ALL\"]"));
    }
    if !adding.is_empty() {
        details.push(not_to_add(&adding, strange));
    }
    (!details.is_empty()).then(|| Violation::new("unrestricted capabilities", details.join("; ")))
}

pub(super) fn volumes(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let mut kinds = BTreeSet::new();
    let mut named = Vec::new();
    for volume in list(pod.spec, &["volumes"]) {
        let has = |kind: &&str| at(volume, &[*kind]).is_some();
        if !VOLUMES.iter().any(has) {
            named.push(text(volume, &["name"]));
            kinds.insert(BEYOND.into_iter().find(has).unwrap_or("unknown"));
        }
    }
    (!named.is_empty()).then(|| {
        let word = plural("restricted volume type", kinds.len());
        let detail = format!("{} {} {word} {}", counted("volume", &named), uses(named.len()), quoted(kinds));
        Violation::new("restricted volume types", detail)
    })
}

pub(super) fn non_root(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let said = |holder| at(holder, &NON_ROOT).and_then(Value::as_bool);
    let setters = pod.setters(|holder| said(holder) == Some(false));
    let detail = if setters.is_empty() {
        let silent = pod.named(|container| said(container).is_none());
        if silent.is_empty() || said(pod.spec) == Some(true) {
            return None;
        }
        format!("pod or {} must set securityContext.runAsNonRoot=true", counted("container", &silent))
    } else {
        format!("{} must not set securityContext.runAsNonRoot=false", setters.join(" and "))
    };
    Some(Violation::new("runAsNonRoot != true", detail))
}

pub(super) fn root_user(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let setters = pod.setters(|holder| number(holder, &["securityContext", "runAsUser"]) == Some(0));
    (!setters.is_empty())
        .then(|| Violation::new("runAsUser=0", format!("{} must not set runAsUser=0", setters.join(" and "))))
}

pub(super) fn seccomp(pod: Pod<'_>, version: Version) -> Option<Violation> {
    if version.has(25) && pod.is_windows() {
        return None;
    }
    let said = |holder| at(holder, &["securityContext", "seccompProfile"]);
    if let Some(loose) = baseline::seccomp_of_fields(pod) {
        return Some(loose);
    }
    let silent = pod.named(|container| said(container).is_none());
    if silent.is_empty() || said(pod.spec).is_some() {
        return None;
    }
    let who = counted("container", &silent);
    let detail = format!(
        "pod or {who} must set securityContext.seccompProfile.type to {}",
        CONFINED.map(|kind| format!("{kind:?}")).join(" or ")
    );
    Some(Violation::new("seccompProfile", detail))
}
