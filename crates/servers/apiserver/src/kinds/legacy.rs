//! PodSecurityPolicy: a kind that upstream gave up in 1.25, and that platforms' files still hold.
//!
//! It is served as it was, by a schema: the published definitions do not know it any more.

use serde_json::{Value, json};

/// The schema of a kind that only files remember.
pub(super) fn schema(group: &str, kind: &str) -> Option<Value> {
    matches!((group, kind), ("policy", "PodSecurityPolicy")).then(pod_security_policy)
}

fn pod_security_policy() -> Value {
    let text = json!({ "type": "string" });
    let truth = json!({ "type": "boolean" });
    let texts = json!({ "type": "array", "items": text });
    let spec = json!({
        "type": "object",
        "default": {},
        "properties": {
            "privileged": truth,
            "allowPrivilegeEscalation": { "type": "boolean", "default": true },
            "defaultAllowPrivilegeEscalation": truth,
            "defaultAddCapabilities": texts,
            "requiredDropCapabilities": texts,
            "allowedCapabilities": texts,
            "volumes": { "type": "array", "items": { "type": "string", "enum": VOLUMES } },
            "hostNetwork": truth,
            "hostPID": truth,
            "hostIPC": truth,
            "hostPorts": ranges("integer"),
            "seLinux": strategy(&["MustRunAs", "RunAsAny"], &json!({ "seLinuxOptions": options() })),
            "runAsUser": strategy(&["MustRunAs", "MustRunAsNonRoot", "RunAsAny"], &json!({ "ranges": ranges("integer") })),
            "runAsGroup": {
                "type": "object",
                "required": ["rule"],
                "properties": {
                    "rule": { "type": "string", "enum": ["MayRunAs", "MustRunAs", "RunAsAny"] },
                    "ranges": ranges("integer"),
                },
            },
            "supplementalGroups": strategy(&["MayRunAs", "MustRunAs", "RunAsAny"], &json!({ "ranges": ranges("integer") })),
            "fsGroup": strategy(&["MayRunAs", "MustRunAs", "RunAsAny"], &json!({ "ranges": ranges("integer") })),
            "readOnlyRootFilesystem": truth,
            "allowedHostPaths": items(&json!({ "pathPrefix": text, "readOnly": truth })),
            "allowedFlexVolumes": items(&json!({ "driver": text })),
            "allowedCSIDrivers": items(&json!({ "name": text })),
            "allowedUnsafeSysctls": texts,
            "forbiddenSysctls": texts,
            "allowedProcMountTypes": texts,
            "runtimeClass": {
                "type": "object",
                "properties": { "allowedRuntimeClassNames": texts, "defaultRuntimeClassName": text },
            },
        },
    });
    json!({
        "type": "object",
        "properties": { "apiVersion": text, "kind": text, "metadata": { "type": "object" }, "spec": spec },
    })
}

/// The kinds of volumes a policy can allow.
const VOLUMES: [&str; 31] = [
    "*",
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephFS",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "iscsi",
    "nfs",
    "none",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];

/// A rule with what it needs; one that is left out is refused as an unknown rule.
fn strategy(rules: &[&str], more: &Value) -> Value {
    let mut properties = more.clone();
    properties["rule"] = json!({ "type": "string", "enum": rules, "default": "" });
    json!({ "type": "object", "default": {}, "properties": properties })
}

fn ranges(sort: &str) -> Value {
    let number = json!({ "type": sort });
    json!({
        "type": "array",
        "items": { "type": "object", "required": ["min", "max"], "properties": { "min": number, "max": number } },
    })
}

fn options() -> Value {
    let text = json!({ "type": "string" });
    json!({ "type": "object", "properties": { "user": text, "role": text, "type": text, "level": text } })
}

fn items(properties: &Value) -> Value {
    json!({ "type": "array", "items": { "type": "object", "properties": properties } })
}
