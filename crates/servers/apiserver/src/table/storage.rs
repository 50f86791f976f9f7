//! The rows of volumes, claims and storage classes.

use mainstay_resource::meta;
use serde_json::Value;

use super::cell::{self, UNSET};
use super::printer::{Layout, column, number, truth, wide};
use crate::admission;
use crate::fields::{at, list, text};

/// The layout of a volume, a claim, or a kind of `storage.k8s.io`.
pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "PersistentVolume" => VOLUME,
        "PersistentVolumeClaim" => CLAIM,
        "StorageClass" => CLASS,
        "VolumeAttachment" => ATTACHMENT,
        "CSINode" => CSI_NODE,
        "CSIDriver" => CSI_DRIVER,
        "CSIStorageCapacity" => CSI_CAPACITY,
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
            cell::quantity(at(volume, &["spec", "capacity", "storage"])).into(),
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
        let capacity = || cell::quantity(at(claim, &["status", "capacity", "storage"])).into();
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
        let is_default = admission::is_default_class(class);
        let name = meta::name(class);
        vec![
            if is_default { format!("{name} (default)").into() } else { name.into() },
            cell::text_or(class, &["provisioner"], ""),
            cell::text_or(class, &["reclaimPolicy"], "Delete"),
            cell::text_or(class, &["volumeBindingMode"], "Immediate"),
            cell::truth(class, &["allowVolumeExpansion"]),
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
        truth("Attached"),
        column("Age"),
    ],
    cells: |attachment, now| {
        vec![
            cell::name(attachment),
            cell::text_or(attachment, &["spec", "attacher"], ""),
            cell::text_or(attachment, &["spec", "source", "persistentVolumeName"], ""),
            cell::text_or(attachment, &["spec", "nodeName"], ""),
            cell::truth(attachment, &["status", "attached"]),
            cell::age(attachment, now),
        ]
    },
};

const CSI_NODE: Layout = Layout {
    columns: &[column("Name"), number("Drivers"), column("Age")],
    cells: |node, now| {
        vec![cell::name(node), list(node, &["spec", "drivers"]).len().into(), cell::age(node, now)]
    },
};

const CSI_DRIVER: Layout = Layout {
    columns: &[
        column("Name"),
        truth("AttachRequired"),
        truth("PodInfoOnMount"),
        truth("StorageCapacity"),
        column("TokenRequests"),
        truth("RequiresRepublish"),
        column("Modes"),
        column("Age"),
    ],
    cells: |driver, now| {
        let attaches = at(driver, &["spec", "attachRequired"]) != Some(&Value::Bool(false));
        let audiences = at(driver, &["spec", "tokenRequests"]).and_then(Value::as_array);
        let audiences =
            audiences.map(|requests| cell::joined(requests.iter().map(|one| text(one, &["audience"]))));
        let modes = list(driver, &["spec", "volumeLifecycleModes"]).iter().filter_map(Value::as_str);
        vec![
            cell::name(driver),
            attaches.into(),
            cell::truth(driver, &["spec", "podInfoOnMount"]),
            cell::truth(driver, &["spec", "storageCapacity"]),
            audiences.unwrap_or_else(|| UNSET.to_owned()).into(),
            cell::truth(driver, &["spec", "requiresRepublish"]),
            cell::joined_or_none(modes).into(),
            cell::age(driver, now),
        ]
    },
};

const CSI_CAPACITY: Layout = Layout {
    columns: &[column("Name"), column("StorageClassName"), column("Capacity")],
    cells: |capacity, _| {
        let amount = at(capacity, &["capacity"]);
        vec![
            cell::name(capacity),
            cell::text_or(capacity, &["storageClassName"], ""),
            amount.map_or_else(|| UNSET.to_owned(), |amount| cell::quantity(Some(amount))).into(),
        ]
    },
};
