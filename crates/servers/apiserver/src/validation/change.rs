//! What of an object may not change once it exists.

use serde_json::{Value, json};

use super::check::{Check, IMMUTABLE, go_selector, value_at};
use crate::fields::{Fill as _, at, list, text};
use crate::registry::ResourceInfo;
use crate::status::Cause;
use crate::strategy::class_of_service;

/// The fields of a StatefulSet's spec that may change.
const STATEFUL_SET: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

/// Checks a change of a built-in kind.
pub(super) fn check(info: &ResourceInfo, live: &Value, object: &Value, check: &mut Check) {
    match (&*info.group, &*info.kind) {
        ("", "Pod") => pod(check, live, object),
        ("", "ConfigMap") => immutable_data(check, live, object, &["data", "binaryData"]),
        ("", "Secret") => {
            check.immutable(live, object, "type");
            immutable_data(check, live, object, &["data"]);
        }
        ("", "Service") => service(check, live, object),
        ("", "PersistentVolumeClaim") => claim(check, live, object),
        ("apps", "Deployment" | "ReplicaSet" | "DaemonSet") => selector(check, live, object),
        ("apps", "StatefulSet") => stateful_set(check, live, object),
        ("batch", "Job") => job(check, live, object),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding")
            if live.get("roleRef") != object.get("roleRef") =>
        {
            let role = object.get("roleRef").unwrap_or(&Value::Null);
            check.invalid("roleRef", role, "cannot change roleRef");
        }
        ("scheduling.k8s.io", "PriorityClass") => {
            if live.get("value") != object.get("value") {
                check.forbidden("value", "may not be changed in an update.");
            }
            check.immutable(live, object, "preemptionPolicy");
        }
        ("storage.k8s.io", "StorageClass") => {
            for field in ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] {
                if live.get(field) != object.get(field) {
                    check.forbidden(field, &format!("updates to {field} are forbidden."));
                }
            }
        }
        ("discovery.k8s.io", "EndpointSlice") => check.immutable(live, object, "addressType"),
        _ => {}
    }
}

fn selector(check: &mut Check, live: &Value, object: &Value) {
    let selector = value_at(object, "spec.selector");
    if selector != value_at(live, "spec.selector") {
        check.invalid_as("spec.selector", &go_selector(selector.unwrap_or(&Value::Null)), IMMUTABLE);
    }
}

/// Of a pod only images, tolerations that are added, a deadline and lifted gates may change.
fn pod(check: &mut Check, live: &Value, object: &Value) {
    let (Some(before), Some(after)) = (live.get("spec"), object.get("spec")) else { return };
    let mut like_before = after.clone();
    let Some(fields) = like_before.as_object_mut() else { return };
    for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
        match before.get(field) {
            Some(value) => fields.put(field, value.clone()),
            None => {
                fields.remove(field);
            }
        }
    }
    if before["terminationGracePeriodSeconds"].as_i64().is_some_and(|seconds| seconds < 0) {
        fields.put("terminationGracePeriodSeconds", before["terminationGracePeriodSeconds"].clone());
    }
    let gated = !list(live, &["spec", "schedulingGates"]).is_empty();
    if gated {
        for field in ["nodeSelector", "affinity"] {
            match before.get(field) {
                Some(value) => fields.put(field, value.clone()),
                None => {
                    fields.remove(field);
                }
            }
        }
    }
    for part in ["containers", "initContainers"] {
        let images: Vec<Value> = list(before, &[part]).iter().map(|one| one["image"].clone()).collect();
        let mut images = images.into_iter();
        fields.each(part, |container| {
            if let Some(image) = images.next() {
                container.put("image", image);
            }
        });
    }
    if &like_before != before {
        check.forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,\
             `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
             existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
             previously negative)",
        );
    }
    let kept = list(live, &["spec", "tolerations"])
        .iter()
        .all(|one| list(object, &["spec", "tolerations"]).contains(one));
    if !kept {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        check.forbidden("spec.tolerations", why);
    }
}

/// Containers are added to a pod that runs, never changed or taken away.
pub(super) fn ephemeral(live: &Value, object: &Value, check: &mut Check) {
    const PATH: &str = "spec.ephemeralContainers";
    let added = list(object, &["spec", "ephemeralContainers"]);
    for before in list(live, &["spec", "ephemeralContainers"]) {
        let name = text(before, &["name"]);
        match added.iter().find(|one| text(one, &["name"]) == name) {
            None => {
                check
                    .forbidden(PATH, &format!("existing ephemeral containers {name:?} may not be removed\n"));
            }
            Some(after) if after != before => {
                check
                    .forbidden(PATH, &format!("existing ephemeral containers {name:?} may not be changed\n"));
            }
            Some(_) => {}
        }
    }
    let taken = |name: &str| {
        ["containers", "initContainers"]
            .iter()
            .any(|part| list(object, &["spec", part]).iter().any(|one| text(one, &["name"]) == name))
    };
    for (index, container) in added.iter().enumerate() {
        let name = text(container, &["name"]);
        for field in ["name", "image"] {
            if text(container, &[field]).is_empty() {
                check.required(format!("{PATH}[{index}].{field}"), "");
            }
        }
        if taken(name) || added[..index].iter().any(|one| text(one, &["name"]) == name) {
            check.causes.push(Cause::duplicate(format!("{PATH}[{index}].name"), &json!(name)));
        }
    }
}

/// What the containers of a pod may use changes, its class of service does not.
pub(super) fn resized(live: &Value, object: &Value, check: &mut Check) {
    let class = class_of_service(object);
    if class != class_of_service(live) {
        check.invalid("spec", &json!(class), "Pod QOS Class may not change as a result of resizing");
    }
}

fn immutable_data(check: &mut Check, live: &Value, object: &Value, parts: &[&str]) {
    if live["immutable"] != true {
        return;
    }
    let why = "field is immutable when `immutable` is set";
    if object["immutable"] != true {
        check.forbidden("immutable", why);
    }
    for part in parts {
        if live.get(part) != object.get(part) {
            check.forbidden(*part, why);
        }
    }
}

/// An address once given stays, unless the Service becomes or was an ExternalName.
fn service(check: &mut Check, live: &Value, object: &Value) {
    let external = |service: &Value| text(service, &["spec", "type"]) == "ExternalName";
    let address = |service: &Value| text(service, &["spec", "clusterIP"]).to_owned();
    if external(live) || external(object) || address(live).is_empty() || address(live) == address(object) {
        return;
    }
    let given = at(object, &["spec", "clusterIPs"]).cloned().unwrap_or_else(|| json!([]));
    check.invalid("spec.clusterIPs[0]", &given, "may not change once set");
}

fn claim(check: &mut Check, live: &Value, object: &Value) {
    let fixed = |claim: &Value| {
        let mut spec = claim.get("spec").cloned().unwrap_or_default();
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("volumeAttributesClassName");
            if text(live, &["spec", "volumeName"]).is_empty() {
                fields.remove("volumeName");
            }
            fields.remove("resources");
        }
        spec
    };
    if fixed(live) != fixed(object) {
        let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        check.forbidden("spec", why);
    }
}

fn stateful_set(check: &mut Check, live: &Value, object: &Value) {
    let fixed = |set: &Value| {
        let mut spec = set.get("spec").cloned().unwrap_or_default();
        if let Some(fields) = spec.as_object_mut() {
            fields.retain(|name, _| !STATEFUL_SET.contains(&name.as_str()));
        }
        spec
    };
    if fixed(live) != fixed(object) {
        let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                   'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                   'minReadySeconds' are forbidden";
        check.forbidden("spec", why);
    }
}

fn job(check: &mut Check, live: &Value, object: &Value) {
    if text(object, &["spec", "completionMode"]) != "Indexed" {
        check.immutable(live, object, "spec.completions");
    }
    check.immutable(live, object, "spec.completionMode");
    selector(check, live, object);
    let template = |job: &Value| value_at(job, "spec.template").cloned();
    let held = live["spec"]["suspend"] == true && live["status"].get("startTime").is_none();
    if !held && template(live) != template(object) {
        check.invalid("spec.template", &template(object).unwrap_or_default(), IMMUTABLE);
    }
}
