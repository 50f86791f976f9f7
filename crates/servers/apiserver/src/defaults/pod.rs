//! Defaults of pods and of the templates of pods.

use serde_json::Value;

use super::amounts;
use crate::fields::{Fields, Fill as _};

/// Files of projected volumes are readable by all and writable by the owner: 0644.
const FILE_MODE: i64 = 0o644;

/// Fields of kinds of volumes that are the same for everybody.
const SOURCES: &[(&str, &str, &str)] = &[
    ("iscsi", "iscsiInterface", "default"),
    ("rbd", "pool", "rbd"),
    ("rbd", "user", "admin"),
    ("rbd", "keyring", "/etc/ceph/keyring"),
    ("azureDisk", "cachingMode", "ReadWrite"),
    ("azureDisk", "fsType", "ext4"),
    ("azureDisk", "kind", "Shared"),
    ("scaleIO", "storageMode", "ThinProvisioned"),
    ("scaleIO", "fsType", "xfs"),
];

/// A Pod: what its spec has, and what only the running object gets.
pub(super) fn pod(fields: &mut Fields) {
    let Some(pod) = fields.child_or_new("spec") else { return };
    spec(pod);
    pod.fill("enableServiceLinks", true);
    let host_network = pod.get("hostNetwork").and_then(Value::as_bool) == Some(true);
    for list in ["containers", "initContainers"] {
        pod.each(list, |container| {
            requests_from_limits(container);
            if host_network {
                container.each("ports", host_port);
            }
        });
    }
}

/// A PodTemplateSpec.
pub(super) fn template(template: Option<&mut Fields>) {
    if let Some(pod) = template.and_then(|template| template.child_or_new("spec")) {
        spec(pod);
    }
}

fn spec(pod: &mut Fields) {
    pod.fill("dnsPolicy", "ClusterFirst");
    pod.fill("restartPolicy", "Always");
    pod.fill("securityContext", Fields::new());
    pod.fill("terminationGracePeriodSeconds", 30);
    pod.fill("schedulerName", "default-scheduler");
    one_account_name(pod);
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        pod.each(list, container);
    }
    pod.each("volumes", volume);
    amounts::list(pod, "overhead");
    amounts::resources(pod);
}

/// `serviceAccount` is the old name of `serviceAccountName`; both are served.
fn one_account_name(pod: &mut Fields) {
    let name = |field: &str| pod.get(field).and_then(Value::as_str).filter(|name| !name.is_empty());
    let Some(name) = name("serviceAccountName").or_else(|| name("serviceAccount")).map(str::to_owned) else {
        return;
    };
    pod.fill("serviceAccountName", name.as_str());
    pod.put("serviceAccount", name);
}

fn container(container: &mut Fields) {
    if let Some(policy) = container.get("image").and_then(Value::as_str).map(pull_policy) {
        container.fill("imagePullPolicy", policy);
    }
    container.fill("terminationMessagePath", "/dev/termination-log");
    container.fill("terminationMessagePolicy", "File");
    container.fill("resources", Fields::new());
    amounts::resources(container);
    container.each("ports", |port| port.fill("protocol", "TCP"));
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(fields) = container.child(name) {
            probe(fields);
        }
    }
    if let Some(lifecycle) = container.child("lifecycle") {
        for name in ["postStart", "preStop"] {
            if let Some(get) = lifecycle.child(name).and_then(|hook| hook.child("httpGet")) {
                http_get(get);
            }
        }
    }
    container.each("env", |variable| {
        if let Some(source) = variable.child("valueFrom") {
            references(source);
        }
    });
}

/// The tag `latest`, named or implied, is pulled every time; any other tag, and a digest, once.
fn pull_policy(image: &str) -> &'static str {
    let (image, has_digest) = image.split_once('@').map_or((image, false), |(image, _)| (image, true));
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        Some((_, "latest")) => "Always",
        None if !has_digest => "Always",
        _ => "IfNotPresent",
    }
}

fn probe(probe: &mut Fields) {
    probe.fill_zero("timeoutSeconds", 1);
    probe.fill_zero("periodSeconds", 10);
    probe.fill_zero("successThreshold", 1);
    probe.fill_zero("failureThreshold", 3);
    if let Some(get) = probe.child("httpGet") {
        http_get(get);
    }
    if let Some(call) = probe.child("grpc") {
        call.fill("service", "");
    }
}

fn http_get(get: &mut Fields) {
    get.fill("path", "/");
    get.fill("scheme", "HTTP");
}

/// A reference to a field of the pod, or to what a container may use.
fn references(source: &mut Fields) {
    if let Some(reference) = source.child("fieldRef") {
        reference.fill("apiVersion", "v1");
    }
    if let Some(reference) = source.child("resourceFieldRef") {
        amounts::one(reference, "divisor");
        reference.fill("divisor", "0");
    }
}

/// A limit without a request is also the request.
fn requests_from_limits(container: &mut Fields) {
    let Some(resources) = container.child("resources") else { return };
    let Some(limits) = resources.get("limits").and_then(Value::as_object) else { return };
    let missing: Vec<(String, Value)> = {
        let requests = resources.get("requests").and_then(Value::as_object);
        let asked = |name: &str| requests.is_some_and(|requests| requests.contains_key(name));
        limits
            .iter()
            .filter(|(name, _)| !asked(name))
            .map(|(name, amount)| (name.clone(), amount.clone()))
            .collect()
    };
    if let Some(requests) = (!missing.is_empty()).then(|| resources.child_or_new("requests")).flatten() {
        requests.extend(missing);
    }
}

fn host_port(port: &mut Fields) {
    if let Some(number) = port.get("containerPort").and_then(Value::as_i64) {
        port.fill_zero("hostPort", number);
    }
}

fn volume(volume: &mut Fields) {
    if volume.keys().all(|field| field == "name") {
        volume.put("emptyDir", Fields::new());
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(fields) = volume.child(source) {
            fields.fill("defaultMode", FILE_MODE);
            fields.each("items", references);
        }
    }
    if let Some(directory) = volume.child("emptyDir") {
        amounts::one(directory, "sizeLimit");
    }
    for (source, field, value) in SOURCES {
        if let Some(fields) = volume.child(source) {
            fields.fill(field, *value);
        }
    }
    if let Some(path) = volume.child("hostPath") {
        path.fill("type", "");
    }
    if let Some(projected) = volume.child("projected") {
        projected.each("sources", projection);
    }
    let claim = volume.child("ephemeral").and_then(|source| source.child("volumeClaimTemplate"));
    if let Some(spec) = claim.and_then(|claim| claim.child("spec")) {
        spec.fill("volumeMode", "Filesystem");
        amounts::resources(spec);
    }
}

fn projection(source: &mut Fields) {
    if let Some(token) = source.child("serviceAccountToken") {
        token.fill("expirationSeconds", 3600);
    }
    if let Some(downward) = source.child("downwardAPI") {
        downward.each("items", references);
    }
}
