//! The rows of volumes, claims and storage classes.

use mainstay_resource::meta;
use serde_json::Value;

use super::cell::{self, UNSET};
use super::printer::{Layout, column, wide};
use crate::fields::{at, list, text};

/// The layout of a volume, a claim, or a kind of `storage.k8s.io`.
pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "PersistentVolume" => VOLUME,
        "PersistentVolumeClaim" => CLAIM,
        "StorageClass" => CLASS,
        "VolumeAttachment" => ATTACHMENT,
        _ => return None,
    })
}

fn modes(object: &Value, path: &[&str]) -> Value {
    let short = |mode: &str| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    let given: Vec<&str> = list(object, path).iter().filter_map(Value::as_str).map(short).collect();
    // Upstream lists them in this order, each once.
    let order = ["RWO", "ROX", "RWX", "RWOP"];
    cell::joined(order.into_iter().filter(|mode| given.contains(mode))).into()
}

fn phase(object: &Value) -> Value {
    if meta::deletion_timestamp(object).is_some() {
        "Terminating".into()
    } else {
        cell::text_or(object, &["status", "phase"], "")
    }
}

/// The class of a volume or claim; an old annotation wins.
fn class(object: &Value) -> Value {
    match meta::annotation(object, "volume.beta.kubernetes.io/storage-class") {
        Some(class) => class.into(),
        None => cell::text_or(object, &["spec", "storageClassName"], ""),
    }
}

const VOLUME: Layout = Layout {
    columns: &[
        column("Name"),
        column("Capacity"),
        column("Access Modes"),
        column("Reclaim Policy"),
        column("Status"),
        column("Claim"),
        column("StorageClass"),
        column("VolumeAttributesClass"),
        column("Reason"),
        column("Age"),
        wide("VolumeMode"),
    ],
    cells: |volume, now| {
        let claim = at(volume, &["spec", "claimRef"])
            .map(|claim| format!("{}/{}", text(claim, &["namespace"]), text(claim, &["name"])));
        vec![
            cell::name(volume),
            cell::scalar_or(volume, &["spec", "capacity", "storage"], ""),
            modes(volume, &["spec", "accessModes"]),
            cell::text_or(volume, &["spec", "persistentVolumeReclaimPolicy"], ""),
            phase(volume),
            claim.unwrap_or_default().into(),
            class(volume),
            cell::text_or(volume, &["spec", "volumeAttributesClassName"], UNSET),
            cell::text_or(volume, &["status", "reason"], ""),
            cell::age(volume, now),
            cell::text_or(volume, &["spec", "volumeMode"], UNSET),
        ]
    },
};

const CLAIM: Layout = Layout {
    columns: &[
        column("Name"),
        column("Status"),
        column("Volume"),
        column("Capacity"),
        column("Access Modes"),
        column("StorageClass"),
        column("VolumeAttributesClass"),
        column("Age"),
        wide("VolumeMode"),
    ],
    cells: |claim, now| {
        let bound = !text(claim, &["spec", "volumeName"]).is_empty();
        let capacity = || cell::scalar_or(claim, &["status", "capacity", "storage"], "");
        vec![
            cell::name(claim),
            phase(claim),
            cell::text_or(claim, &["spec", "volumeName"], ""),
            if bound { capacity() } else { "".into() },
            if bound { modes(claim, &["status", "accessModes"]) } else { "".into() },
            class(claim),
            cell::text_or(claim, &["spec", "volumeAttributesClassName"], UNSET),
            cell::age(claim, now),
            cell::text_or(claim, &["spec", "volumeMode"], UNSET),
        ]
    },
};

const CLASS: Layout = Layout {
    columns: &[
        column("Name"),
        column("Provisioner"),
        column("ReclaimPolicy"),
        column("VolumeBindingMode"),
        column("AllowVolumeExpansion"),
        column("Age"),
    ],
    cells: |class, now| {
        let is_default =
            meta::annotation(class, "storageclass.kubernetes.io/is-default-class") == Some("true");
        let name = meta::name(class);
        vec![
            if is_default { format!("{name} (default)").into() } else { name.into() },
            cell::text_or(class, &["provisioner"], ""),
            cell::text_or(class, &["reclaimPolicy"], "Delete"),
            cell::text_or(class, &["volumeBindingMode"], "Immediate"),
            cell::scalar_or(class, &["allowVolumeExpansion"], "false"),
            cell::age(class, now),
        ]
    },
};

const ATTACHMENT: Layout = Layout {
    columns: &[
        column("Name"),
        column("Attacher"),
        column("PV"),
        column("Node"),
        column("Attached"),
        column("Age"),
    ],
    cells: |attachment, now| {
        vec![
            cell::name(attachment),
            cell::text_or(attachment, &["spec", "attacher"], ""),
            cell::text_or(attachment, &["spec", "source", "persistentVolumeName"], ""),
            cell::text_or(attachment, &["spec", "nodeName"], ""),
            cell::scalar_or(attachment, &["status", "attached"], "false"),
            cell::age(attachment, now),
        ]
    },
};
