//! The rows of what a cluster is made of: nodes, namespaces, configuration, quotas, classes.

use mainstay_resource::meta;
use serde_json::Value;

use super::age;
use super::cell::{self, NONE, UNKNOWN};
use super::printer::{Layout, column, number, truth, wide};
use crate::fields::{at, entries, list, text};

/// The layout of a kind that is not laid out elsewhere.
pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "Node" => NODE,
        "Namespace" => NAMESPACE,
        "ConfigMap" => CONFIG_MAP,
        "Secret" => SECRET,
        "ServiceAccount" => SERVICE_ACCOUNT,
        "Lease" => LEASE,
        "ResourceQuota" => QUOTA,
        "PriorityClass" => PRIORITY_CLASS,
        "RuntimeClass" => RUNTIME_CLASS,
        "CertificateSigningRequest" => SIGNING_REQUEST,
        _ => return None,
    })
}

const NODE: Layout = Layout {
    columns: &[
        column("Name"),
        column("Status"),
        column("Roles"),
        column("Age"),
        column("Version"),
        wide("Internal-IP"),
        wide("External-IP"),
        wide("OS-Image"),
        wide("Kernel-Version"),
        wide("Container-Runtime"),
    ],
    cells: |node, now| {
        let about =
            |field: &str, otherwise: &str| cell::text_or(node, &["status", "nodeInfo", field], otherwise);
        vec![
            cell::name(node),
            node_status(node).into(),
            roles(node).into(),
            cell::age(node, now),
            about("kubeletVersion", ""),
            address(node, "InternalIP").into(),
            address(node, "ExternalIP").into(),
            about("osImage", UNKNOWN),
            about("kernelVersion", UNKNOWN),
            about("containerRuntimeVersion", UNKNOWN),
        ]
    },
};

fn node_status(node: &Value) -> String {
    let ready = match cell::condition(node, "Ready") {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let held = at(node, &["spec", "unschedulable"]) == Some(&Value::Bool(true));
    format!("{ready}{}", if held { ",SchedulingDisabled" } else { "" })
}

fn roles(node: &Value) -> String {
    let mut roles: Vec<&str> = meta::labels(node)
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => Some(value),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    cell::joined_or_none(roles.into_iter())
}

fn address<'a>(node: &'a Value, kind: &str) -> &'a str {
    let addresses = list(node, &["status", "addresses"]).iter();
    addresses
        .filter(|one| text(one, &["type"]) == kind)
        .map(|one| text(one, &["address"]))
        .next()
        .unwrap_or(NONE)
}

const NAMESPACE: Layout = Layout {
    columns: &[column("Name"), column("Status"), column("Age")],
    cells: |object, now| {
        vec![cell::name(object), cell::text_or(object, &["status", "phase"], ""), cell::age(object, now)]
    },
};

const CONFIG_MAP: Layout = Layout {
    columns: &[column("Name"), column("Data"), column("Age")],
    cells: |object, now| {
        let size = cell::size(object, &["data"]) + cell::size(object, &["binaryData"]);
        vec![cell::name(object), size.into(), cell::age(object, now)]
    },
};

const SECRET: Layout = Layout {
    columns: &[column("Name"), column("Type"), column("Data"), column("Age")],
    cells: |object, now| {
        let (kind, size) = (cell::text_or(object, &["type"], ""), cell::size(object, &["data"]));
        vec![cell::name(object), kind, size.into(), cell::age(object, now)]
    },
};

const SERVICE_ACCOUNT: Layout = Layout {
    columns: &[column("Name"), column("Secrets"), column("Age")],
    cells: |object, now| {
        vec![cell::name(object), list(object, &["secrets"]).len().into(), cell::age(object, now)]
    },
};

const LEASE: Layout = Layout {
    columns: &[column("Name"), column("Holder"), column("Age")],
    cells: |object, now| {
        vec![
            cell::name(object),
            cell::text_or(object, &["spec", "holderIdentity"], ""),
            cell::age(object, now),
        ]
    },
};

const QUOTA: Layout = Layout {
    columns: &[column("Name"), column("Request"), column("Limit"), column("Age")],
    cells: |quota, now| {
        let (mut requests, mut limits) = (Vec::new(), Vec::new());
        for (name, hard) in entries(quota, &["status", "hard"]) {
            let used = at(quota, &["status", "used", name]);
            let line = format!("{name}: {}/{}", cell::quantity(used), cell::quantity(Some(hard)));
            if name.starts_with("limits.") { limits.push(line) } else { requests.push(line) }
        }
        vec![cell::name(quota), requests.join(", ").into(), limits.join(", ").into(), cell::age(quota, now)]
    },
};

const PRIORITY_CLASS: Layout = Layout {
    columns: &[
        column("Name"),
        number("Value"),
        truth("Global-Default"),
        column("Age"),
        column("PreemptionPolicy"),
    ],
    cells: |class, now| {
        vec![
            cell::name(class),
            cell::count(class, &["value"]),
            cell::truth(class, &["globalDefault"]),
            cell::age(class, now),
            cell::text_or(class, &["preemptionPolicy"], ""),
        ]
    },
};

const RUNTIME_CLASS: Layout = Layout {
    columns: &[column("Name"), column("Handler"), column("Age")],
    cells: |class, now| {
        vec![cell::name(class), cell::text_or(class, &["handler"], ""), cell::age(class, now)]
    },
};

const SIGNING_REQUEST: Layout = Layout {
    columns: &[
        column("Name"),
        column("Age"),
        column("SignerName"),
        column("Requestor"),
        column("RequestedDuration"),
        column("Condition"),
    ],
    cells: |request, now| {
        let has = |kind: &str| cell::condition(request, kind).is_some();
        let decided = if has("Denied") {
            "Denied"
        } else if has("Approved") {
            "Approved"
        } else {
            "Pending"
        };
        let failed = if has("Failed") { ",Failed" } else { "" };
        let issued = if text(request, &["status", "certificate"]).is_empty() { "" } else { ",Issued" };
        let duration = crate::fields::number(request, &["spec", "expirationSeconds"]);
        vec![
            cell::name(request),
            cell::age(request, now),
            cell::text_or(request, &["spec", "signerName"], NONE),
            cell::text_or(request, &["spec", "username"], ""),
            duration.map_or_else(|| NONE.to_owned(), age::human).into(),
            format!("{decided}{failed}{issued}").into(),
        ]
    },
};
